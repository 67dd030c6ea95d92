//! Choices below a message: options, buttons, replies.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::flow::content::offers::{OfferEntry, compile_offer, compile_offers};
use crate::flow::content::{ChannelCapacity, CompiledChoice, Local, Offers, TextDef};
use crate::flow::form::issue::{Diagnostics, IssueCode};
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::normal::normal;
use crate::flow::lang::template::Template;

/// A choice below a text: `{"id": "yes", "label": "Yes"}`; or choices that are made of data, see
/// [`OffersDef`](crate::flow::OffersDef).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OptionDef {
    /// The list that choices are made of, an expression: `context.slots`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The text that the flow hears when it is chosen: 1-64 bytes, unique in its message. With
    /// `from` a template; if absent, the item's `id`, or the item itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The text that the contact sees, a template: 1-20 characters, on `web` and a host's own
    /// channel 80. With `from`, if absent, the item's `label`, or what is its id.
    #[serde(skip_serializing_if = "TextDef::is_absent")]
    pub label: TextDef,
    /// A line below it, a template, where the channel shows choices as a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<TextDef>,
}

/// A button: one that answers, `{"id": "yes", "label": "Yes"}`, or one that opens an address,
/// `{"label": "Shop", "url": "https://shop.example"}`; or buttons that are made of data, see
/// [`OffersDef`](crate::flow::OffersDef).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ButtonDef {
    /// The list that buttons which answer are made of, an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The text that the flow hears when it is chosen: 1-64 bytes, unique in its message. With
    /// `from` a template; if absent, the item's `id`, or the item itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The text that the contact sees, a template. With `from`, if absent, the item's `label`, or
    /// what is its id.
    #[serde(skip_serializing_if = "TextDef::is_absent")]
    pub label: TextDef,
    /// The address that it opens, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Compiled buttons.
#[derive(Clone, Debug, Default)]
pub(crate) struct CompiledButtons {
    pub(crate) replies: Offers,
    pub(crate) links: Box<[CompiledLink]>,
}

/// A compiled button that opens an address.
#[derive(Clone, Debug)]
pub(crate) struct CompiledLink {
    pub(crate) label: Local<Template>,
    pub(crate) url: Template,
}

impl OptionDef {
    /// A choice.
    pub fn new(id: impl Into<String>, label: impl Into<TextDef>) -> Self {
        Self { id: id.into(), label: label.into(), ..Self::default() }
    }
}

impl OfferEntry for OptionDef {
    fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }
}

impl OfferEntry for ButtonDef {
    fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }
}

impl ButtonDef {
    /// A button that answers.
    pub fn reply(id: impl Into<String>, label: impl Into<TextDef>) -> Self {
        Self { id: Some(id.into()), label: label.into(), ..Self::default() }
    }

    /// A button that opens an address.
    pub fn link(label: impl Into<TextDef>, url: impl Into<String>) -> Self {
        Self { label: label.into(), url: Some(url.into()), ..Self::default() }
    }
}

/// A label that two choices have in one language, as it is compared with an answer (SEMANTICS U6).
/// Labels that are rendered are not known yet.
pub(super) fn same_label<'c>(choices: &[&'c CompiledChoice]) -> Option<&'c str> {
    let mut seen = BTreeSet::new();
    let languages: BTreeSet<&str> =
        choices.iter().flat_map(|choice| choice.label.all()).map(|(tag, _)| tag).collect();
    languages.into_iter().find_map(|language| {
        seen.clear();
        choices
            .iter()
            .filter_map(|choice| choice.label.pick(Some(language), None).as_literal())
            .find(|label| !seen.insert(normal(label).into_owned()))
    })
}

/// Options, at most `most` of them, with labels of at most `label` characters.
pub(crate) fn compile_options(
    options: &[OptionDef],
    at: &Path<'_>,
    (most, label): (usize, usize),
    fit: &ChannelCapacity,
    cx: &mut Compile<'_>,
) -> Option<Offers> {
    let compiled = compile_offers(options, at, most, fit, cx, |option, at, cx| {
        let texts = (option.id.as_str(), &option.label, option.description.as_ref());
        compile_offer(option.from.as_deref(), texts, label, at, fit, cx)
    });
    let written = options.iter().filter(|option| option.from.is_none());
    cx.distinct(at, "option", written.map(|option| option.id.as_str()));
    compiled
}

/// Buttons, at most `most` of them.
pub(super) fn compile_buttons(
    buttons: &[ButtonDef],
    at: &Path<'_>,
    most: usize,
    fit: &ChannelCapacity,
    cx: &mut Compile<'_>,
) -> Option<CompiledButtons> {
    fit.count(at, buttons.len(), most, cx);
    if buttons.is_empty() && most > 0 {
        cx.found.add(IssueCode::BadValue, at, "has no button", "add one, or remove the field");
    }
    let (mut replies, mut links) = (Vec::new(), Vec::new());
    for (index, button) in buttons.iter().enumerate() {
        let place = at.item(index);
        match (button.from.is_some() || button.id.is_some(), &button.url) {
            (true, None) => {
                let id = button.id.as_deref().unwrap_or_default();
                let texts = (id, &button.label, None);
                let most = fit.capacity.button;
                replies.push(compile_offer(button.from.as_deref(), texts, most, &place, fit, cx));
            }
            (false, Some(url)) => {
                let label = button.label.label(&place.key("label"), fit.capacity.button, cx);
                let url = cx.required_template(&place.key("url"), url);
                links.push(label.zip(url).map(|(label, url)| CompiledLink { label, url }));
            }
            (false, None) => {
                let fix = "add `id` for a button that answers, or `url` for one that opens an address";
                cx.found.add(IssueCode::MissingField, &place.key("id"), "is required", fix);
            }
            (true, Some(_)) => {
                let beside = if button.from.is_some() { "from" } else { "id" };
                let message = format!("is given together with `{beside}`");
                cx.found.add(IssueCode::BadValue, &place.key("url"), message, "give one of the two");
            }
        }
    }
    fit.links(at, replies.len(), links.len(), cx);
    let written = buttons.iter().filter(|button| button.from.is_none());
    cx.distinct(at, "option", written.filter_map(|button| button.id.as_deref()));
    let is_whole = replies.len() + links.len() == buttons.len();
    let replies = Offers::of(replies.into_iter().collect::<Option<_>>()?);
    let links = links.into_iter().collect::<Option<_>>()?;
    is_whole.then_some(CompiledButtons { replies, links })
}

impl Read for OptionDef {
    const EXAMPLE: &'static str = r#"{"id": "1", "label": "Yes"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (from, id, label) = read_offer(&mut fields);
        let description = fields.optional("description");
        fields.close();
        Some(Self { from, id: id.unwrap_or_default(), label: label.unwrap_or_default(), description })
    }
}

impl Read for ButtonDef {
    const EXAMPLE: &'static str = r#"{"id": "1", "label": "Yes"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (from, id, label) = match fields.has("from") {
            true => read_offer(&mut fields),
            false => (None, fields.optional("id"), fields.required("label")),
        };
        let url = fields.optional("url");
        fields.close();
        Some(Self { from, id, label: label.unwrap_or_default(), url })
    }
}

/// The list, id and label of an entry; what is made of data may leave the last two out.
pub(crate) fn read_offer(
    fields: &mut Fields<'_, '_, '_>,
) -> (Option<String>, Option<String>, Option<TextDef>) {
    match fields.has("from") {
        true => (fields.required("from"), fields.optional("id"), fields.optional("label")),
        false => (None, fields.required("id"), fields.required("label")),
    }
}
