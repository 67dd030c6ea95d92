//! `send_message`: a text, with choices or without (SEMANTICS N2, D4).

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::Channel;
use crate::flow::capacity::{self, Capacity};
use crate::flow::compile::Compile;
use crate::flow::issue::{Found, IssueCode};
use crate::flow::node::{Kind, PortName};
use crate::flow::path::Path;
use crate::flow::read::{Fields, Read, words};
use crate::flow::template::Template;

/// A message to the contact, or to an address. Branch: `next`.
///
/// ```
/// chatflow::NodeDef::from_json(r#"{
///     "id": "hi", "kind": "send_message",
///     "text": "Hi {{context.first_name}}, shall we?",
///     "options": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]
/// }"#)?;
/// chatflow::NodeDef::from_json(r#"{
///     "id": "desk", "kind": "send_message", "text": "A new order",
///     "action": "from_to", "channel": "sms", "from": "+15550100", "to": "{{context.desk}}"
/// }"#)?;
/// # Ok::<(), chatflow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SendMessageDef {
    /// The text, a template.
    pub text: String,
    /// Choices below the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<OptionDef>>,
    /// Where it goes: to the contact if absent, unless `to` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<SendAction>,
    /// The channel, for `from_to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The account it comes from, a template, for `from_to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The address it goes to, a template, for `from_to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// A choice below a text: `{"id": "yes", "label": "Yes"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptionDef {
    /// What the flow hears when it is chosen: 1-64 bytes, unique in its message.
    pub id: String,
    /// What the contact sees: 1-20 characters, no template.
    pub label: String,
}

words! {
    /// Where a message goes.
    SendAction {
        /// To the contact, on the way its last message came.
        Reply = "reply",
        /// To the address that the node names.
        FromTo = "from_to",
    }
}

/// A compiled message.
#[derive(Clone, Debug)]
pub(crate) struct SendMessage {
    pub(crate) text: Template,
    pub(crate) options: Box<[Opt]>,
    pub(crate) channel: Option<Channel>,
    pub(crate) from: Option<Template>,
    pub(crate) to: Option<Template>,
}

/// A compiled choice.
#[derive(Clone, Debug)]
pub(crate) struct Opt {
    pub(crate) id: Arc<str>,
    pub(crate) label: Arc<str>,
}

impl SendMessageDef {
    /// A text to the contact.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// With one more choice.
    #[must_use]
    pub fn with_option(mut self, id: impl Into<String>, label: impl Into<String>) -> Self {
        self.options.get_or_insert_default().push(OptionDef { id: id.into(), label: label.into() });
        self
    }

    fn action(&self) -> SendAction {
        self.action.unwrap_or(if self.to.is_some() { SendAction::FromTo } else { SendAction::Reply })
    }

    fn check_destination(&self, at: &Path<'_>, cx: &mut Compile<'_>) {
        match self.action() {
            SendAction::FromTo if self.to.is_none() => {
                cx.found.add(
                    IssueCode::MissingField,
                    &at.key("to"),
                    "is missing",
                    "add the address, or reply",
                );
            }
            SendAction::FromTo => {}
            SendAction::Reply => {
                let given = [
                    ("channel", self.channel.is_some()),
                    ("from", self.from.is_some()),
                    ("to", self.to.is_some()),
                ];
                for (field, _) in given.iter().filter(|(_, given)| *given) {
                    let fix = "remove it, or set `action` to from_to and give `to`";
                    cx.found.add(IssueCode::BadValue, &at.key(field), "has no meaning for a reply", fix);
                }
                if cx.is_contactless {
                    let message = "has no address to go to: the flow runs without a contact";
                    let fix = "give `action` from_to and `to`, or let the start node need a contact";
                    cx.found.add(IssueCode::NoDestination, at, message, fix);
                }
            }
        }
    }

    fn check_capacity(&self, at: &Path<'_>, text: &Template, cx: &mut Compile<'_>) {
        let channel = self.channel.clone().or_else(|| cx.channel.clone());
        let options = self.options.as_ref().map_or(0, Vec::len);
        capacity::check_text(&at.key("text"), channel.as_ref(), text, options, cx.found);
        capacity::check_options(&at.key("options"), channel.as_ref(), options, cx.found);
    }
}

impl Kind for SendMessageDef {
    type Compiled = SendMessage;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            text: fields.required("text").unwrap_or_default(),
            options: fields.optional("options"),
            action: fields.optional("action"),
            channel: fields.optional("channel"),
            from: fields.optional("from"),
            to: fields.optional("to"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<SendMessage> {
        self.check_destination(at, cx);
        let text = cx.required_template(&at.key("text"), &self.text);
        if let Some(text) = &text {
            self.check_capacity(at, text, cx);
        }
        let list = at.key("options");
        let written = self.options.as_deref().unwrap_or_default();
        let options = written.iter().enumerate();
        let options = options.filter_map(|(index, option)| option.compile(&list.item(index), cx)).collect();
        cx.distinct(&list, "option", written.iter().map(|option| option.id.as_str()));
        let from = self.from.as_deref().map(|from| cx.required_template(&at.key("from"), from));
        let to = self.to.as_deref().map(|to| cx.required_template(&at.key("to"), to));
        Some(SendMessage {
            text: text?,
            options,
            channel: self.channel.clone(),
            from: from.flatten(),
            to: to.flatten(),
        })
    }

    fn sends(&self) -> bool {
        true
    }
}

impl OptionDef {
    pub(super) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Opt> {
        let id = cx.short_name(&at.key("id"), &self.id);
        let most = Capacity::of(None).label;
        let length = self.label.chars().count();
        let label = at.key("label");
        if self.label.trim().is_empty() {
            cx.found.add(IssueCode::BadValue, &label, "must not be blank", "give a label of 1-20 characters");
        } else if length > most {
            let message = format!("has {length} characters, at most {most} are allowed");
            cx.found.add(IssueCode::ChannelLimit, &label, message, "shorten it");
        } else if self.label.contains("{{") {
            cx.found.add(IssueCode::BadValue, &label, "can not be a template", "write the label out");
        } else if id.is_some() {
            return Some(Opt { id: self.id.as_str().into(), label: self.label.as_str().into() });
        }
        None
    }
}

impl Read for OptionDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Found) -> Option<Self> {
        let mut fields = Fields::of(value, at, found)?;
        let (id, label) = (fields.required("id"), fields.required("label"));
        fields.close();
        Some(Self { id: id.unwrap_or_default(), label: label.unwrap_or_default() })
    }
}
