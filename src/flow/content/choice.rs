//! Choices below a message: options, buttons, replies.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::flow::content::address;
use crate::flow::content::offers::{OfferEntry, compile_offer, compile_offers};
use crate::flow::content::{ChannelCapacity, CompiledChoice, Local, Offers, TextDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::json_template::JsonTemplate;
use crate::flow::lang::template::Template;
use crate::gather::Gather;

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
    /// The text that the contact sees, a template, as long as the channel carries: 20 characters
    /// where it is not certain. With `from`, if absent, the item's `label`, or what is its id.
    #[serde(skip_serializing_if = "TextDef::is_absent")]
    pub label: TextDef,
    /// A line below it, a template, where the channel shows choices as a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<TextDef>,
}

/// A button: one that answers, `{"id": "yes", "label": "Yes"}`, or one that opens an address,
/// `{"label": "Shop", "url": "https://shop.example"}`; or buttons that are made of data, see
/// [`OffersDef`](crate::flow::OffersDef). In an approved template there are others, too: one that
/// copies a code, one that opens a form, and one of which nothing is left open:
/// `{"label": "Call"}`.
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
    /// The address that it opens, a template. In an approved template the part that the approved
    /// address leaves open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The code that it copies, a template; in an approved template alone: a coupon's, or that of a
    /// template whose `category` is `authentication`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The data that the form which it opens is given, with templates in its texts: an object,
    /// empty if it needs none; in an approved template alone. The answers are `reply.form` at a
    /// wait that takes the kind `form`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Map<String, Value>>,
}

/// The message that buttons belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ButtonFrame {
    /// A text, or a card.
    Text,
    /// An approved message.
    Template,
    /// An approved message with a code by which people prove who they are: WhatsApp keeps the
    /// button that copies it as one that opens an address.
    Authentication,
}

/// Compiled buttons.
#[derive(Clone, Debug, Default)]
pub(crate) struct CompiledButtons {
    pub(crate) replies: Offers,
    pub(crate) links: Box<[CompiledLink]>,
    /// The other buttons of an approved message, each with its place among all.
    pub(crate) others: Box<[(u32, CompiledButton)]>,
}

/// A compiled button of an approved message that neither answers nor opens an address which is left
/// open.
#[derive(Clone, Debug)]
pub(crate) struct CompiledButton {
    pub(crate) label: Local<Template>,
    pub(crate) fill: ButtonFill,
}

/// The part of such a button that is left open.
#[derive(Clone, Debug)]
pub(crate) enum ButtonFill {
    /// None.
    Nothing,
    /// A code to copy.
    Code(Template),
    /// The data of a form; none if it is given none.
    Form(Option<JsonTemplate>),
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

    /// The field and the address of one that opens an address. `frame`: in a message for
    /// authentication a code goes the same way.
    pub(super) fn opened(&self, frame: ButtonFrame) -> Option<(&'static str, &str)> {
        let code = self.code.as_deref().filter(|_| frame == ButtonFrame::Authentication);
        let url = self.url.as_deref().map(|url| ("url", url));
        url.or(code.map(|code| ("code", code)))
    }

    /// True if it opens a form.
    pub(super) fn opens_form(&self) -> bool {
        self.form.is_some()
    }

    /// True if it answers.
    pub(super) fn answers(&self) -> bool {
        self.from.is_some() || self.id.is_some()
    }

    /// Checks that it is one thing, and one that there is outside of approved messages, or inside.
    fn check_form(&self, place: &Path<'_>, frame: ButtonFrame, cx: &mut Compile<'_>) {
        let in_template = frame != ButtonFrame::Text;
        let given = [
            ("from", self.from.is_some()),
            ("id", self.id.is_some() && self.from.is_none()),
            ("url", self.url.is_some()),
            ("code", self.code.is_some()),
            ("form", self.form.is_some()),
        ];
        let mut given = given.into_iter().filter(|(_, given)| *given).map(|(field, _)| field);
        let first = given.next();
        let Some(first) = first else {
            if !in_template {
                let fix = "add `id` for a button that answers, or `url` for one that opens an address";
                cx.found.add(IssueCode::MissingField, &place.key("id"), "is required", fix);
            }
            return;
        };
        for other in given.clone() {
            let message = format!("is given together with `{first}`");
            cx.found.add(IssueCode::BadValue, &place.key(other), message, "give one of the two");
        }
        for only in [first].into_iter().chain(given).filter(|field| matches!(*field, "code" | "form")) {
            if !in_template {
                let fix = "remove it, or send an approved `template`";
                let message = "has no meaning outside of a template";
                cx.found.add(IssueCode::BadValue, &place.key(only), message, fix);
            }
        }
    }

    /// The button at a place of an approved message, if it neither answers nor opens an address.
    fn compile_other(&self, place: &Path<'_>, most: usize, cx: &mut Compile<'_>) -> Option<CompiledButton> {
        let label = self.label.label(&place.key("label"), most, cx);
        let fill = match (&self.code, &self.form) {
            (Some(code), _) => cx.required_template(&place.key("code"), code).map(ButtonFill::Code),
            (None, Some(data)) if data.is_empty() => Some(ButtonFill::Form(None)),
            (None, Some(data)) => {
                let data = JsonTemplate::compile(&Value::Object(data.clone()), &place.key("form"), cx);
                data.map(|data| ButtonFill::Form(Some(data)))
            }
            (None, None) => Some(ButtonFill::Nothing),
        };
        Some(CompiledButton { label: label?, fill: fill? })
    }
}

/// A label that two choices have in one language, in a form that is compared: as an answer is, by
/// `normal` (SEMANTICS U6). Labels that are rendered are not known yet.
pub(super) fn same_label<'c>(
    choices: &[&'c CompiledChoice],
    form: fn(&str) -> Cow<'_, str>,
) -> Option<&'c str> {
    let mut seen = BTreeSet::new();
    let languages: BTreeSet<&str> =
        choices.iter().flat_map(|choice| choice.label.all()).map(|(tag, _)| tag).gather();
    languages.into_iter().find_map(|language| {
        seen.clear();
        choices
            .iter()
            .filter_map(|choice| choice.label.pick(Some(language), None).as_literal())
            .find(|label| !seen.insert(form(label).into_owned()))
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
    compile_all(buttons, at, (most, ButtonFrame::Text), fit, cx)
}

/// Buttons of an approved message, at most `most` of them.
pub(super) fn compile_template_buttons(
    buttons: &[ButtonDef],
    at: &Path<'_>,
    most: (usize, ButtonFrame),
    fit: &ChannelCapacity,
    cx: &mut Compile<'_>,
) -> Option<CompiledButtons> {
    compile_all(buttons, at, most, &fit.in_template(), cx)
}

fn compile_all(
    buttons: &[ButtonDef],
    at: &Path<'_>,
    (most, frame): (usize, ButtonFrame),
    fit: &ChannelCapacity,
    cx: &mut Compile<'_>,
) -> Option<CompiledButtons> {
    fit.count(at, buttons.len(), most, cx);
    if buttons.is_empty() && most > 0 {
        cx.found.add(IssueCode::BadValue, at, "has no button", "add one, or remove the field");
    }
    let (mut replies, mut links, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for (index, button) in buttons.iter().enumerate() {
        let place = at.item(index);
        button.check_form(&place, frame, cx);
        let most = fit.capacity.button;
        if button.answers() {
            let texts = (button.id.as_deref().unwrap_or_default(), &button.label, None);
            replies.push(compile_offer(button.from.as_deref(), texts, most, &place, fit, cx));
        } else if let Some((field, url)) = button.opened(frame) {
            let label = button.label.label(&place.key("label"), most, cx);
            let url = match frame {
                ButtonFrame::Text => address::link(url, &place.key(field), fit, cx),
                ButtonFrame::Template => address::open_end(url, &place.key(field), fit, cx),
                ButtonFrame::Authentication => cx.required_template(&place.key(field), url),
            };
            links.push(label.zip(url).map(|(label, url)| CompiledLink { label, url }));
        } else {
            let other = button.compile_other(&place, most, cx);
            others.push(u32::try_from(index).ok().zip(other));
        }
    }
    fit.links(at, replies.len(), links.len(), cx);
    let written = buttons.iter().filter(|button| button.from.is_none());
    cx.distinct(at, "option", written.filter_map(|button| button.id.as_deref()));
    let replies = Offers::of(replies.into_iter().collect::<Option<_>>()?);
    let links = links.into_iter().collect::<Option<_>>()?;
    Some(CompiledButtons { replies, links, others: others.into_iter().collect::<Option<_>>()? })
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
        let (code, form) = (fields.optional("code"), fields.optional("form"));
        fields.close();
        Some(Self { from, id, label: label.unwrap_or_default(), url, code, form })
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
