//! `send_message`: a message, where it goes, and what happens when it is refused (SEMANTICS N2, D1,
//! D4).

use serde::Serialize;

use crate::Channel;
use crate::flow::content::{CompiledMessage, Local, MessageDef, OptionDef, PlacedText, TextDef};
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, words};
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;
use crate::flow::node::{NodeContract, Port, PortName, ReminderStep};

/// A message to the contact, or to an address. Branches: `next`, `failed`, `window_closed`; and
/// `empty`, where some of what there is to choose from is made of data.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "hi", "kind": "send_message",
///     "text": "Hi {{context.first_name}}, shall we?",
///     "options": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]
/// }"#)?;
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "desk", "kind": "send_message", "text": "A new order",
///     "action": "from_to", "channel": "sms", "from": "+15550100", "to": "{{context.desk}}"
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SendMessageDef {
    /// The content of the message.
    #[serde(flatten)]
    pub message: MessageDef,
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

words! {
    /// Where a message goes.
    SendAction {
        /// To the contact, on the way its last message came.
        Reply = "reply",
        /// To the address that the node names.
        FromTo = "from_to",
    }
}

/// A compiled message with its destination.
#[derive(Clone, Debug)]
pub(crate) struct SendMessage {
    pub(crate) message: CompiledMessage,
    /// The subject, where it is a letter.
    pub(crate) subject: Option<Box<Local<Template>>>,
    pub(crate) channel: Option<Channel>,
    pub(crate) from: Option<Template>,
    pub(crate) to: Option<Template>,
}

impl SendMessage {
    pub(crate) const FAILED: Port = Port(1);
    pub(crate) const WINDOW_CLOSED: Port = Port(2);
    pub(crate) const EMPTY: Port = Port(3);
}

impl SendMessageDef {
    /// A text to the contact.
    #[must_use]
    pub fn text(text: impl Into<TextDef>) -> Self {
        MessageDef::text(text).into()
    }

    /// With one more choice.
    #[must_use]
    pub fn with_option(mut self, id: impl Into<String>, label: impl Into<TextDef>) -> Self {
        self.message.options.get_or_insert_default().push(OptionDef::new(id, label));
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
                    "is required",
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
                check_reply(at, cx);
            }
        }
    }
}

/// Adds an issue where a message would go to the contact and the flow has none (SEMANTICS D4).
pub(crate) fn check_reply(at: &Path<'_>, cx: &mut Compile<'_>) {
    if cx.is_contactless {
        let message = "has no address to go to: the flow runs without a contact";
        let fix = "give `action` from_to and `to`, or let the start node need a contact";
        cx.found.add(IssueCode::NoDestination, at, message, fix);
    }
}

impl From<MessageDef> for SendMessageDef {
    fn from(message: MessageDef) -> Self {
        Self { message, ..Self::default() }
    }
}

impl NodeContract for SendMessageDef {
    type Compiled = SendMessage;

    fn texts_mut(&mut self) -> Vec<PlacedText<'_>> {
        self.message.texts_mut()
    }

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            message: MessageDef::read(fields),
            action: fields.optional("action"),
            channel: fields.optional("channel"),
            from: fields.optional("from"),
            to: fields.optional("to"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        let mut ports = vec!["next".into(), "failed".into(), "window_closed".into()];
        ports.extend(self.message.has_data().then(|| "empty".into()));
        ports
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<SendMessage> {
        self.check_destination(at, cx);
        let channel = self.channel.clone().or_else(|| cx.channel.clone());
        let message = self.message.compile(at, channel.as_ref(), cx);
        let subject = self.message.compile_subject(at, channel.as_ref(), cx);
        let from = self.from.as_deref().map(|from| cx.required_template(&at.key("from"), from));
        let to = self.to.as_deref().map(|to| cx.required_template(&at.key("to"), to));
        Some(SendMessage {
            message: message?,
            subject,
            channel: self.channel.clone(),
            from: from.flatten(),
            to: to.flatten(),
        })
    }

    fn sends(&self) -> bool {
        true
    }

    fn needs_items(&self) -> bool {
        self.message.needs_items()
    }

    fn sends_free_text(&self) -> bool {
        let is_on_whatsapp = self.channel.as_ref().is_none_or(|channel| *channel == Channel::WhatsApp);
        self.action() == SendAction::Reply && is_on_whatsapp && !self.message.is_template()
    }

    fn needs_sender(&self) -> bool {
        self.to.is_none()
    }

    fn aside(&self) -> ReminderStep {
        ReminderStep::RunsOn
    }
}
