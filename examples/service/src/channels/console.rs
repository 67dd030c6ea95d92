//! The channel of those who have no account yet: messages are kept in memory and listed by
//! `/api/v1/console`, never sent. Texts do not go to the log.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use chatflow::Outbound;
use chatflow::wire::gptbots::{TurnMessage, WebhookMessage};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Messages that are kept.
const MOST: usize = 1_000;

/// A message as it would have been sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShownMessage {
    /// Its number in this process, from 1.
    pub seq: u64,
    /// Its id, the same for each attempt.
    pub id: String,
    /// When it would have left.
    pub at: DateTime<Utc>,
    #[serde(skip)]
    workspace: String,
    /// The contact.
    pub contact: String,
    /// The session that sends.
    pub session: String,
    /// The channel.
    pub channel: String,
    /// The account that it leaves from.
    pub account: String,
    /// The contact's address.
    pub to: String,
    /// Its words.
    pub text: String,
    /// The choices, each with its `payload` and `label`.
    #[schema(value_type = Vec<Object>)]
    pub options: Vec<Value>,
    /// All of it.
    #[schema(value_type = Object)]
    pub content: Value,
}

/// Messages that would have been sent, the newest last.
#[derive(Debug, Default)]
pub struct Console(Mutex<Shown>);

#[derive(Debug, Default)]
struct Shown {
    last: u64,
    messages: VecDeque<ShownMessage>,
}

impl Console {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows a message. One that comes again takes the place of the first.
    pub fn show(&self, message: &Outbound) {
        tracing::info!(message_id = %message.id, channel = %message.account().channel, "shown on the console");
        let options = message.options().iter();
        self.keep(ShownMessage {
            seq: 0,
            id: message.id.to_string(),
            at: Utc::now(),
            workspace: message.workspace.to_string(),
            contact: message.contact.to_string(),
            session: message.session().to_string(),
            channel: message.account().channel.to_string(),
            account: message.account().account.to_string(),
            to: message.to().to_string(),
            text: message.text().to_owned(),
            options: options.filter_map(|option| serde_json::to_value(option).ok()).collect(),
            content: serde_json::to_value(&message.content).unwrap_or_default(),
        });
    }

    /// Shows a message of a bot elsewhere, once for each id.
    pub fn take(&self, workspace: &str, message: &WebhookMessage) {
        let text = message.text.clone().or_else(|| message.flow_output.first()?.content.clone());
        self.take_part(workspace, &message.conversation_id, (message.message_id.clone(), text, message));
    }

    /// Shows the messages of a turn of a bot elsewhere. The first one has the id of the turn.
    pub fn take_turn(&self, workspace: &str, turn: &TurnMessage) {
        for (place, part) in turn.output.iter().enumerate() {
            let id =
                if place == 0 { turn.message_id.clone() } else { format!("{}/{place}", turn.message_id) };
            let sounds =
                part.content.audio.iter().map(|sound| sound.transcript.as_ref().unwrap_or(&sound.audio));
            let lines: Vec<&str> = part.content.text.iter().chain(sounds).map(String::as_str).collect();
            self.take_part(workspace, &turn.conversation_id, (id, Some(lines.join("\n")), part));
        }
    }

    fn take_part(
        &self,
        workspace: &str,
        conversation: &str,
        (id, text, content): (String, Option<String>, &impl Serialize),
    ) {
        self.keep(ShownMessage {
            seq: 0,
            id,
            at: Utc::now(),
            workspace: workspace.to_owned(),
            contact: conversation.to_owned(),
            session: String::new(),
            channel: "gptbots".to_owned(),
            account: String::new(),
            to: conversation.to_owned(),
            text: text.unwrap_or_default(),
            options: Vec::new(),
            content: serde_json::to_value(content).unwrap_or_default(),
        });
    }

    /// Keeps a message, unless it is there already.
    fn keep(&self, message: ShownMessage) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |known: &ShownMessage| known.id == message.id && known.workspace == message.workspace;
        if shown.messages.iter().any(is_known) {
            return;
        }
        shown.last += 1;
        let seq = shown.last;
        shown.messages.push_back(ShownMessage { seq, ..message });
        if shown.messages.len() > MOST {
            shown.messages.pop_front();
        }
    }

    /// The messages of a workspace after a number, and the last number.
    #[must_use]
    pub fn after(&self, workspace: &str, seq: u64, contact: Option<&str>) -> (Vec<ShownMessage>, u64) {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_meant = |message: &&ShownMessage| {
            message.seq > seq
                && message.workspace == workspace
                && contact.is_none_or(|contact| message.contact == contact || message.to == contact)
        };
        (shown.messages.iter().filter(is_meant).cloned().collect(), shown.last)
    }
}
