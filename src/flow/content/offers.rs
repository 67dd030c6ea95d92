//! Choices: written out, or made of a list that the session has (SEMANTICS N10). What must not live
//! here: the form in which a message shows it.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::slice;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;
#[cfg(feature = "schema")]
use serde_json::json;

use crate::flow::content::{ChannelCapacity, Local, TextDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::{IssueCode, Repair};
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Read, wrong_type};
#[cfg(feature = "schema")]
use crate::flow::form::schema::SchemaDefinitions;
use crate::flow::lang::context::Compile;
use crate::flow::lang::expr::Expr;
use crate::flow::lang::template::Template;

/// The choices that are offered: a list, `[{"id": "yes", "label": "Yes"}]`, or one entry that is
/// made of data, `{"from": "context.slots", "id": "{{ item.id }}", "label": "{{ item.name }}"}`.
/// Such an entry may be in a list too, beside others.
///
/// An entry with `from` becomes one choice for each item of that expression. Its `id`, `label` and
/// `description` are templates that read `item`, and `index`, its place from 0; a text without
/// braces names a field of the item. The item that was chosen is `reply.item`
/// ([SEMANTICS N10](crate::semantics#n10)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OffersDef<T> {
    /// A list of entries.
    Listed(Vec<T>),
    /// One entry, which has a `from`.
    Single(Box<T>),
}

/// An entry that may be made of data.
pub(crate) trait OfferEntry {
    /// The expression that gives the list.
    fn from(&self) -> Option<&str>;
}

/// A compiled choice.
#[derive(Clone, Debug)]
pub(crate) struct CompiledChoice {
    pub(crate) id: Arc<str>,
    pub(crate) label: Local<Template>,
    pub(crate) description: Option<Local<Template>>,
}

/// Compiled choices.
#[derive(Clone, Debug)]
pub(crate) enum Offers {
    /// All are written out, and their labels are the same for every session.
    Fixed(Box<[CompiledChoice]>),
    /// Some are made of data, or have a label that is rendered.
    Live(Box<[Offer]>),
}

/// One entry of them.
#[derive(Clone, Debug)]
pub(crate) enum Offer {
    /// A choice that is written out.
    Written(CompiledChoice),
    /// As many as a list has items.
    Data(Box<DataOffer>),
}

/// The way in which choices are made of a list.
#[derive(Clone, Debug)]
pub(crate) struct DataOffer {
    pub(crate) from: Expr,
    pub(crate) id: Option<Template>,
    pub(crate) label: Option<Local<Template>>,
    pub(crate) description: Option<Local<Template>>,
}

/// An author's fields of choices that are made of data.
#[derive(Clone, Copy)]
pub(super) struct DataFields<'d> {
    pub(super) from: &'d str,
    pub(super) id: &'d str,
    pub(super) label: &'d TextDef,
    pub(super) description: Option<&'d TextDef>,
}

/// Names that the templates of an item read beside those of the session.
pub(super) const ITEM_NAMES: &[&str] = &["item", "index", "section"];

impl Default for Offers {
    fn default() -> Self {
        Self::Fixed(Box::default())
    }
}

impl Offers {
    pub(super) fn of(entries: Vec<Offer>) -> Self {
        let is_fixed = |offer: &Offer| match offer {
            Offer::Written(choice) => choice.label.all().all(|(_, label)| label.as_literal().is_some()),
            Offer::Data(_) => false,
        };
        if !entries.iter().all(is_fixed) {
            return Self::Live(entries.into());
        }
        let written = entries.into_iter().filter_map(|offer| match offer {
            Offer::Written(choice) => Some(choice),
            Offer::Data(_) => None,
        });
        Self::Fixed(written.collect())
    }

    /// Those that are written out.
    pub(crate) fn written(&self) -> impl Iterator<Item = &CompiledChoice> {
        let (fixed, live) = match self {
            Self::Fixed(choices) => (&choices[..], &[][..]),
            Self::Live(offers) => (&[][..], &offers[..]),
        };
        let live = live.iter().filter_map(|offer| match offer {
            Offer::Written(choice) => Some(choice),
            Offer::Data(_) => None,
        });
        fixed.iter().chain(live)
    }

    /// The entries, as where some are made of data.
    pub(crate) fn to_live(&self) -> Cow<'_, [Offer]> {
        match self {
            Self::Fixed(choices) => choices.iter().cloned().map(Offer::Written).collect(),
            Self::Live(offers) => Cow::Borrowed(offers),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Fixed(choices) if choices.is_empty())
    }
}

/// A choice's id and label; None only with an issue.
fn compile_choice(
    at: &Path<'_>,
    id: &str,
    label: &TextDef,
    most: usize,
    cx: &mut Compile<'_>,
) -> Option<CompiledChoice> {
    let named = cx.short_name(&at.key("id"), id);
    let label = label.label(&at.key("label"), most, cx);
    named?;
    Some(CompiledChoice { id: id.into(), label: label?, description: None })
}

/// Compiles entries: those that are made of data here, the others by `written`.
pub(super) fn compile_offers<T>(
    entries: &[T],
    at: &Path<'_>,
    most: usize,
    fit: &ChannelCapacity,
    cx: &mut Compile<'_>,
    mut each: impl FnMut(&T, &Path<'_>, &mut Compile<'_>) -> Option<Offer>,
) -> Option<Offers> {
    let compiled: Vec<Option<Offer>> =
        entries.iter().enumerate().map(|(index, entry)| each(entry, &at.item(index), cx)).collect();
    let written = compiled.iter().filter(|offer| !matches!(offer, Some(Offer::Data(_)))).count();
    // Of what is made of data, there is at least one where there is any.
    fit.count(at, written.max(usize::from(!entries.is_empty())), most, cx);
    Some(Offers::of(compiled.into_iter().collect::<Option<Vec<_>>>()?))
}

/// Compiles one entry: a choice that is written out, or such as are made of data.
pub(super) fn compile_offer(
    from: Option<&str>,
    (id, label, description): (&str, &TextDef, Option<&TextDef>),
    most: usize,
    at: &Path<'_>,
    fit: &ChannelCapacity,
    cx: &mut Compile<'_>,
) -> Option<Offer> {
    if let Some(from) = from {
        let data = DataFields { from, id, label, description };
        return data.compile(at, most, fit, cx).map(|data| Offer::Data(Box::new(data)));
    }
    let choice = compile_choice(at, id, label, most, cx);
    let place = at.key("description");
    let description = match description {
        Some(text) => {
            let text = text.template(&place, cx)?;
            fit.text(&place, &text, fit.capacity.description, "shorten it", cx);
            Some(text)
        }
        None => None,
    };
    Some(Offer::Written(CompiledChoice { description, ..choice? }))
}

impl DataFields<'_> {
    pub(super) fn compile(
        self,
        at: &Path<'_>,
        most: usize,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<DataOffer> {
        let from = cx.expression(&at.key("from"), self.from);
        cx.with_names(ITEM_NAMES, |cx| {
            let id = match self.id {
                "" => Some(None),
                id => item_template(id, &at.key("id"), cx).map(Some),
            };
            let mut text = |key: &str, text: Option<&TextDef>, most: usize| match text {
                Some(text) if !text.is_absent() => {
                    let place = at.key(key);
                    let text = text.compile(&place, cx, item_template)?;
                    fit.text(&place, &text, most, "shorten it", cx);
                    Some(Some(text))
                }
                _ => Some(None),
            };
            let label = text("label", Some(self.label), most);
            let description = text("description", self.description, fit.capacity.description);
            Some(DataOffer { from: from?, id: id?, label: label?, description: description? })
        })
    }
}

/// A template over an item; a text without braces names one of its fields.
pub(super) fn item_template(text: &str, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Template> {
    if text.contains("{{") {
        return cx.template(at, text);
    }
    let is_path = text.split('.').all(|name| {
        let is_index = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
        is_index || crate::flow::lang::names::is_name(name)
    });
    if !is_path {
        let message = format!("{:?} is not a field of an item", brief(text));
        let fix = "name a field, such as `name`, or write a template, such as `{{ item.name }}`";
        cx.found.add(IssueCode::BadValue, at, message, fix);
        return None;
    }
    if let Some(meant) = name_of_flow(text) {
        let message = format!("{:?} is read as a field of the item", brief(text));
        let fix = format!("write `{meant}`: a text without braces is a field of the item");
        let repair = Repair::Replace { path: at.to_string(), with: meant };
        cx.found.add_repairable(IssueCode::BadValue, at, message, fix, Some(repair));
        return None;
    }
    cx.template(at, &format!("{{{{ item.{text} }}}}"))
}

/// The right form of a path that begins as a name of the flow does, and would be read as a field.
fn name_of_flow(path: &str) -> Option<String> {
    const ROOTS: [&str; 9] =
        ["context", "vars", "reply", "contact", "trigger", "flow", "session", "section", "index"];
    let (root, field) = path.split_once('.').unwrap_or((path, ""));
    match root {
        "item" if field.is_empty() => Some("{{ item }}".to_owned()),
        "item" => Some(field.to_owned()),
        root if ROOTS.contains(&root) && !field.is_empty() => Some(format!("{{{{ {path} }}}}")),
        _ => None,
    }
}

impl<T> Default for OffersDef<T> {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl<T> OffersDef<T> {
    /// Adds an entry at the end.
    pub fn push(&mut self, entry: T) {
        let mut list = match std::mem::take(self) {
            Self::Listed(list) => list,
            Self::Single(first) => vec![*first],
        };
        list.push(entry);
        *self = Self::Listed(list);
    }
}

impl<T> From<Vec<T>> for OffersDef<T> {
    fn from(list: Vec<T>) -> Self {
        Self::Listed(list)
    }
}

impl<T> Deref for OffersDef<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Listed(list) => list,
            Self::Single(entry) => slice::from_ref(entry),
        }
    }
}

impl<T> DerefMut for OffersDef<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::Listed(list) => list,
            Self::Single(entry) => slice::from_mut(entry),
        }
    }
}

impl<'d, T> IntoIterator for &'d OffersDef<T> {
    type Item = &'d T;
    type IntoIter = slice::Iter<'d, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'d, T> IntoIterator for &'d mut OffersDef<T> {
    type Item = &'d mut T;
    type IntoIter = slice::IterMut<'d, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T: Serialize> Serialize for OffersDef<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Listed(list) => list.serialize(serializer),
            Self::Single(entry) => entry.serialize(serializer),
        }
    }
}

impl<T: Read + OfferEntry> Read for OffersDef<T> {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::Object(object) if object.contains_key("from") => {
                T::read(value, at, found).map(Box::new).map(Self::Single)
            }
            Value::Array(_) => Vec::read(value, at, found).map(Self::Listed),
            other => wrong_type("a list, or an object with `from`", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        let entry = T::schema(book);
        let single = json!({"allOf": [entry.clone(), {"type": "object", "required": ["from"]}]});
        json!({"anyOf": [{"type": "array", "items": entry}, single]})
    }
}
