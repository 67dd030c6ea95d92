//! A contact's message: as it came, as flows read it, and as it waits for a question.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::session::Route;
use crate::value::Packed;

/// Kind of a contact's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessageKind {
    /// Text.
    Text,
    /// An option of a message that was chosen.
    Choice,
    /// An image, a sound, a film, a document or a sticker.
    Media,
    /// A place.
    Location,
    /// A form that was filled in, such as a WhatsApp Flow.
    Form,
    /// An order: goods that were put into a cart and sent.
    Order,
    /// Cards of contacts.
    Contacts,
    /// A sign on a message that was sent before: it answers nothing.
    Reaction,
    /// Anything else that a channel has.
    Other,
}

impl MessageKind {
    /// Returns the name, as flows write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Choice => "choice",
            Self::Media => "media",
            Self::Location => "location",
            Self::Form => "form",
            Self::Order => "order",
            Self::Contacts => "contacts",
            Self::Reaction => "reaction",
            Self::Other => "other",
        }
    }
}

impl std::fmt::Display for MessageKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A contact's message, without the envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Its kind.
    pub kind: MessageKind,
    /// The text, the label of a choice, the caption of a medium; empty when there is none.
    pub text: Arc<str>,
    /// The id of the option that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Arc<str>>,
    /// The host's description of a medium, such as `{"url": …, "mime": …}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Packed>,
    /// A place, such as `{"latitude": …, "longitude": …}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Packed>,
    /// The channel's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Arc<str>>,
    /// Further details from the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Arc<MessageDetails>>,
}

/// A channel's details of a message, beside what was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MessageDetails {
    /// When the channel says it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// The host's own words on it, such as the advertisement that it came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Packed>,
    /// The answers of a form, the items of an order, the cards of contacts, the sign of a reaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Packed>,
    /// The media of an album, the first of which is the message's
    /// ([SEMANTICS I10](crate::semantics#i10)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub album: Vec<Packed>,
}

/// The message that started a session (SEMANTICS I4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opening {
    pub(crate) message: Message,
    /// Where it came from.
    pub(crate) route: Arc<Route>,
}

impl Message {
    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        let beside = [&self.media, &self.location].into_iter().flatten().map(Packed::byte_len);
        let details = self.details.as_ref().map_or(0, |details| {
            let values = details.album.iter().chain(&details.meta).chain(&details.body);
            size_of::<MessageDetails>() + values.map(Packed::byte_len).sum::<usize>()
        });
        self.text.len() + beside.sum::<usize>() + details
    }

    /// When the channel says it was sent.
    pub(crate) fn sent_at(&self) -> Option<DateTime<Utc>> {
        self.details.as_ref()?.at
    }

    pub(crate) fn text(text: impl Into<Arc<str>>) -> Self {
        Self {
            kind: MessageKind::Text,
            text: text.into(),
            payload: None,
            media: None,
            location: None,
            id: None,
            details: None,
        }
    }
}

/// The value that a flow reads as `reply`: the latest answer, or that none came
/// ([SEMANTICS T3](crate::semantics#t3)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reply {
    /// The message; none after a time-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The question's deadline passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timed_out: bool,
    /// Texts that came while nothing was asked, and that something was sent after
    /// ([SEMANTICS I5](crate::semantics#i5)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Arc<str>>,
    /// The texts that it was written in, where the question listened on for more of them
    /// ([SEMANTICS I10](crate::semantics#i10)).
    #[serde(default, skip_serializing_if = "is_empty")]
    pub parts: Box<[Arc<str>]>,
    /// The item that the chosen choice was made of; a list of them, where several were chosen
    /// ([SEMANTICS N10](crate::semantics#n10)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Packed>,
    /// When the latest message was sent that the session has taken, where that is later than the
    /// message above, or where there is none (SEMANTICS I12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) latest: Option<DateTime<Utc>>,
}

impl Reply {
    /// When the latest message was sent that the session has taken, as far as its channel says.
    pub(crate) fn latest(&self) -> Option<DateTime<Utc>> {
        self.latest.max(self.message.as_ref().and_then(Message::sent_at))
    }

    /// Puts a message, or none, in the place of the last one; the time of the latest stays.
    pub(crate) fn replace(&mut self, message: Option<Message>) {
        self.latest = beyond(self.latest(), message.as_ref().and_then(Message::sent_at));
        self.message = message;
    }
}

/// The latest time, where that of the message itself is earlier.
pub(crate) fn beyond(latest: Option<DateTime<Utc>>, own: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    latest.filter(|latest| own.is_none_or(|own| own < *latest))
}

fn is_empty(parts: &[Arc<str>]) -> bool {
    parts.is_empty()
}

/// A message that waits for the session's next question (SEMANTICS I5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Queued {
    /// The message.
    pub(crate) message: Message,
    /// Number of messages that the session had sent when it came: it answers the next question only
    /// if none followed.
    pub(crate) sent: u32,
    /// Where it came from.
    pub(crate) route: Arc<Route>,
    /// True if it is the message that started the session: never reported as missed (SEMANTICS I4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) opening: bool,
}
