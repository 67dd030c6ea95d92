//! What a contact sent: as it came, as flows read it, and as it waits for a question.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::session::Route;
use crate::value::Packed;

/// What kind of thing a contact sent.
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
}

impl MessageKind {
    /// The name, as flows write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Choice => "choice",
            Self::Media => "media",
            Self::Location => "location",
        }
    }
}

impl std::fmt::Display for MessageKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a contact sent, without the envelope.
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
    /// What the host says of a medium, such as `{"url": …, "mime": …}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Packed>,
    /// A place, such as `{"latitude": …, "longitude": …}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Packed>,
}

impl Message {
    pub(crate) fn text(text: impl Into<Arc<str>>) -> Self {
        Self { kind: MessageKind::Text, text: text.into(), payload: None, media: None, location: None }
    }
}

/// What a flow reads as `reply`: the latest answer, or that none came (SEMANTICS T3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reply {
    /// The message; none after a time-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The question's deadline passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timed_out: bool,
    /// Texts that came while nothing was asked, and that something was sent after (SEMANTICS I5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Arc<str>>,
    /// The texts that it was written in, where the question listened on for more of them (SEMANTICS
    /// I10).
    #[serde(default, skip_serializing_if = "is_empty")]
    pub parts: Box<[Arc<str>]>,
    /// The item that the chosen choice was made of; a list of them, where several were chosen
    /// (SEMANTICS N10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Packed>,
}

fn is_empty(parts: &[Arc<str>]) -> bool {
    parts.is_empty()
}

/// A message that waits for the session's next question (SEMANTICS I5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Queued {
    /// The message.
    pub(crate) message: Message,
    /// How many messages the session had sent when it came: it answers the next question only if
    /// none followed.
    pub(crate) sent: u32,
    /// Where it came from.
    pub(crate) route: Arc<Route>,
    /// True if it is the message that started the session: never reported as missed (SEMANTICS I4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) opening: bool,
}
