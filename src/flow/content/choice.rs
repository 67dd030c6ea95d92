//! What can be chosen below a message: options, buttons, replies.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::flow::content::{Fit, Local, TextDef};
use crate::flow::form::issue::{Diagnostics, IssueCode};
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::normal::normal;
use crate::flow::lang::template::Template;

/// A choice below a text: `{"id": "yes", "label": "Yes"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptionDef {
    /// What the flow hears when it is chosen: 1-64 bytes, unique in its message.
    pub id: String,
    /// What the contact sees: 1-20 characters, no template.
    pub label: TextDef,
}

/// A button: one that answers, `{"id": "yes", "label": "Yes"}`, or one that opens an address,
/// `{"label": "Shop", "url": "https://shop.example"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ButtonDef {
    /// What the flow hears when it is chosen: 1-64 bytes, unique in its message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What the contact sees, no template.
    pub label: TextDef,
    /// What it opens, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A compiled choice.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) id: Arc<str>,
    pub(crate) label: Local<Arc<str>>,
    pub(crate) description: Option<Local<Template>>,
}

/// Compiled buttons.
#[derive(Clone, Debug)]
pub(crate) struct Buttons {
    pub(crate) replies: Box<[Choice]>,
    pub(crate) links: Box<[Link]>,
}

/// A compiled button that opens an address.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) label: Local<Arc<str>>,
    pub(crate) url: Template,
}

impl OptionDef {
    /// A choice.
    pub fn new(id: impl Into<String>, label: impl Into<TextDef>) -> Self {
        Self { id: id.into(), label: label.into() }
    }
}

impl ButtonDef {
    /// A button that answers.
    pub fn reply(id: impl Into<String>, label: impl Into<TextDef>) -> Self {
        Self { id: Some(id.into()), label: label.into(), url: None }
    }

    /// A button that opens an address.
    pub fn link(label: impl Into<TextDef>, url: impl Into<String>) -> Self {
        Self { id: None, label: label.into(), url: Some(url.into()) }
    }
}

/// A choice's id and label; None only with an issue.
pub(super) fn compile_choice(
    at: &Path<'_>,
    id: &str,
    label: &TextDef,
    most: usize,
    cx: &mut Compile<'_>,
) -> Option<Choice> {
    let named = cx.short_name(&at.key("id"), id);
    let label = label.label(&at.key("label"), most, cx);
    named?;
    Some(Choice { id: id.into(), label: label?, description: None })
}

/// A label that two choices have in one language, as it is compared with an answer (SEMANTICS U6).
pub(super) fn same_label<'c>(choices: &[&'c Choice]) -> Option<&'c str> {
    let mut seen = BTreeSet::new();
    let languages: BTreeSet<&str> =
        choices.iter().flat_map(|choice| choice.label.all()).map(|(tag, _)| tag).collect();
    languages.into_iter().find_map(|language| {
        seen.clear();
        choices
            .iter()
            .map(|choice| &**choice.label.pick(Some(language), None))
            .find(|label| !seen.insert(normal(label).into_owned()))
    })
}

pub(super) fn compile_options(
    options: &[OptionDef],
    at: &Path<'_>,
    most: usize,
    fit: &Fit,
    cx: &mut Compile<'_>,
) -> Option<Box<[Choice]>> {
    fit.count(at, options.len(), most, cx);
    let each = options.iter().enumerate();
    let label = fit.capacity.label;
    let compiled: Vec<Option<Choice>> = each
        .map(|(index, option)| compile_choice(&at.item(index), &option.id, &option.label, label, cx))
        .collect();
    cx.distinct(at, "option", options.iter().map(|option| option.id.as_str()));
    compiled.into_iter().collect()
}

/// Buttons, at most `most` of them.
pub(super) fn compile_buttons(
    buttons: &[ButtonDef],
    at: &Path<'_>,
    most: usize,
    fit: &Fit,
    cx: &mut Compile<'_>,
) -> Option<Buttons> {
    fit.count(at, buttons.len(), most, cx);
    if buttons.is_empty() && most > 0 {
        cx.found.add(IssueCode::BadValue, at, "has no button", "add one, or remove the field");
    }
    let (mut replies, mut links) = (Vec::new(), Vec::new());
    for (index, button) in buttons.iter().enumerate() {
        let place = at.item(index);
        match (&button.id, &button.url) {
            (Some(id), None) => {
                replies.push(compile_choice(&place, id, &button.label, fit.capacity.button, cx));
            }
            (None, Some(url)) => {
                let label = button.label.label(&place.key("label"), fit.capacity.button, cx);
                let url = cx.required_template(&place.key("url"), url);
                links.push(label.zip(url).map(|(label, url)| Link { label, url }));
            }
            (None, None) => {
                let fix = "add `id` for a button that answers, or `url` for one that opens an address";
                cx.found.add(IssueCode::MissingField, &place.key("id"), "is missing", fix);
            }
            (Some(_), Some(_)) => {
                let fix = "give one of the two";
                cx.found.add(IssueCode::BadValue, &place.key("url"), "stands beside `id`", fix);
            }
        }
    }
    fit.links(at, replies.len(), links.len(), cx);
    cx.distinct(at, "option", buttons.iter().filter_map(|button| button.id.as_deref()));
    let is_whole = replies.len() + links.len() == buttons.len();
    let replies = replies.into_iter().collect::<Option<_>>()?;
    let links = links.into_iter().collect::<Option<_>>()?;
    is_whole.then_some(Buttons { replies, links })
}

impl Read for OptionDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(value, at, found)?;
        let (id, label) = (fields.required("id"), fields.required("label"));
        fields.close();
        Some(Self { id: id.unwrap_or_default(), label: label.unwrap_or_default() })
    }
}

impl Read for ButtonDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(value, at, found)?;
        let (id, label) = (fields.optional("id"), fields.required("label"));
        let url = fields.optional("url");
        fields.close();
        Some(Self { id, label: label.unwrap_or_default(), url })
    }
}
