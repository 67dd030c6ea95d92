//! GPTBots: messages to a webhook ([SEMANTICS W3](crate::semantics#w3)), with a header
//! [`Authorization`].
//!
//! In the first version one POST is one message: a transport sends [`WebhookMessage::of`] each, and
//! reads the answer by [`acknowledged`]. In the second one POST is a turn: a transport sends
//! [`TurnMessage::of`] from [`send`](crate::Transport::send) and from
//! [`send_turn`](crate::Transport::send_turn), and reads the answer by [`acknowledged_turn`]. A
//! receiver tells them apart by `output`, which the second one alone has.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::error::SendError;
use crate::flow::MediaType;
use crate::session::{Content, Outbound};
use crate::transport::Receipt;
use crate::wire::webhook::text_or_number;

/// The body of a message to a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookMessage {
    /// The same for each attempt: a receiver recognises a repeat by it.
    pub message_id: String,
    /// The one who says it.
    pub message_type: MessageType,
    /// The words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The words of each component of the flow.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list_or_null")]
    pub flow_output: Vec<FlowOutput>,
    /// When it was said, in seconds after 1970; it may be read from their digits in a text.
    #[serde(deserialize_with = "seconds")]
    pub create_time: i64,
    /// The conversation.
    pub conversation_id: String,
}

/// A list, or null for an empty one; items that are null are none.
fn list_or_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let items: Option<Vec<Option<T>>> = Option::deserialize(deserializer)?;
    Ok(items.into_iter().flatten().flatten().collect())
}

/// A number, or its digits in a text.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let digits = text_or_number(deserializer)?.unwrap_or_default();
    digits.parse().map_err(|_| serde::de::Error::custom("must be a whole number of seconds"))
}

/// The one who says a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MessageType {
    /// The bot, or a person of the host.
    Answer,
    /// The contact.
    Question,
}

/// The words of one component of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowOutput {
    /// The words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The last branch that was taken before it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub branch: Option<String>,
    /// The title of the component that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_component_name: Option<String>,
}

impl WebhookMessage {
    /// A message of the engine. Content that is more than text is said in words, a line for each
    /// choice and each address; the conversation is the contact.
    #[must_use]
    pub fn of(message: &Outbound) -> Self {
        let words = words(&message.content);
        Self {
            message_id: message.id.to_string(),
            message_type: MessageType::Answer,
            text: Some(words.clone()),
            flow_output: vec![FlowOutput {
                content: Some(words),
                branch: message.branch.as_deref().map(str::to_owned),
                from_component_name: Some(message.component.to_string()),
            }],
            create_time: message.created_at.timestamp(),
            conversation_id: message.contact.to_string(),
        }
    }

    /// The same, where a receiver takes each session for a conversation of its own.
    #[must_use]
    pub fn by_session(message: &Outbound) -> Self {
        Self { conversation_id: message.session().to_string(), ..Self::of(message) }
    }

    /// A message from a contact, for a host that mirrors what comes in.
    pub fn question(
        id: impl Into<String>,
        conversation: impl Into<String>,
        text: impl Into<String>,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            message_id: id.into(),
            message_type: MessageType::Question,
            text: Some(text.into()),
            flow_output: Vec::new(),
            create_time: at.timestamp(),
            conversation_id: conversation.into(),
        }
    }
}

/// The body of a turn to a webhook, in the second version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnMessage {
    /// When it was said, in seconds after 1970; it may be read from their digits in a text.
    #[serde(deserialize_with = "seconds")]
    pub create_time: i64,
    /// The conversation.
    pub conversation_id: String,
    /// The id of the first message: the same for each attempt of the same messages.
    pub message_id: String,
    /// The messages of the turn, one by one.
    #[serde(deserialize_with = "list_or_null")]
    pub output: Vec<TurnOutput>,
    /// Its cost, which this crate does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Value>,
    /// Fields that the product does not document.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A message of a turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TurnOutput {
    /// The last branch that was taken before it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub from_component_branch: Option<String>,
    /// The title of the component that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_component_name: Option<String>,
    /// Its content.
    pub content: TurnContent,
    /// Fields that the product does not document.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The content of a message of a turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TurnContent {
    /// The words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Sounds.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list_or_null")]
    pub audio: Vec<TurnAudio>,
    /// Fields that the product does not document.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A sound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TurnAudio {
    /// Where it lies.
    pub audio: String,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// Fields that the product does not document.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl TurnMessage {
    /// Messages of a turn, in their order; signs of writing have no words, and are left out. The
    /// conversation is the contact. None: nothing is said.
    #[must_use]
    pub fn of(messages: &[&Outbound]) -> Option<Self> {
        let said = messages.iter().filter(|message| !matches!(message.content, Content::Typing { .. }));
        let first = said.clone().next()?;
        Some(Self {
            create_time: first.created_at.timestamp(),
            conversation_id: first.contact.to_string(),
            message_id: first.id.to_string(),
            output: said.map(|message| TurnOutput::of(message)).collect(),
            usage: None,
            rest: Map::new(),
        })
    }

    /// The same, where a receiver takes each session for a conversation of its own.
    #[must_use]
    pub fn by_session(messages: &[&Outbound]) -> Option<Self> {
        let first = messages.first()?;
        Some(Self { conversation_id: first.session().to_string(), ..Self::of(messages)? })
    }
}

impl TurnOutput {
    /// A message of the engine: a sound by its address, everything else in words.
    fn of(message: &Outbound) -> Self {
        let content = match &message.content {
            Content::Media(media) if media.kind == MediaType::Audio => TurnContent {
                audio: vec![TurnAudio { audio: media.url.clone(), ..TurnAudio::default() }],
                ..TurnContent::default()
            },
            other => TurnContent { text: Some(words(other)), ..TurnContent::default() },
        };
        Self {
            from_component_branch: message.branch.as_deref().map(str::to_owned),
            from_component_name: Some(message.component.to_string()),
            content,
            rest: Map::new(),
        }
    }
}

/// A message as one text, in lines: its own text, then each choice, each address that a button
/// opens, and where a picture or a file lies.
fn words(content: &Content) -> String {
    let mut lines = match content {
        Content::Media(media) => media.caption.iter().chain([&media.url]).cloned().collect(),
        Content::Card(card) => {
            let below = [&card.subtitle, &card.image].into_iter().flatten();
            std::iter::once(&card.title).chain(below).cloned().collect()
        }
        other => vec![other.to_string()],
    };
    lines.extend(content.options().iter().map(|option| match &option.description {
        Some(description) => format!("- {}: {description}", option.label),
        None => format!("- {}", option.label),
    }));
    lines.extend(content.links().iter().map(|link| format!("{}: {}", link.label, link.url)));
    lines.join("\n")
}

/// The value of the header `Authorization`.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// An API key.
    Bearer(String),
    /// The same in the other scheme.
    Basic(String),
}

impl fmt::Display for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer(token) => write!(f, "Bearer {token}"),
            Self::Basic(token) => write!(f, "Basic {token}"),
        }
    }
}

impl fmt::Debug for Authorization {
    /// The scheme alone: a token is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer …",
            Self::Basic(_) => "Basic …",
        })
    }
}

/// The body by which a receiver acknowledges a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// 200.
    pub code: i64,
    /// In words.
    #[serde(default)]
    pub msg: String,
}

impl Acknowledgement {
    /// The answer of a host that receives such messages.
    #[must_use]
    pub fn success() -> Self {
        Self { code: 200, msg: "success".to_owned() }
    }
}

/// Reads what a receiver answered: taken by status 200 with `"code": 200`. Statuses that no
/// repetition changes (401, 403, 404, 410) refuse the message; anything else is tried again.
///
/// # Errors
/// [`SendError`], for a transport to hand on.
pub fn acknowledged(status: u16, body: &[u8]) -> Result<Receipt, SendError> {
    match status {
        200 => match serde_json::from_slice::<Acknowledgement>(body) {
            Ok(Acknowledgement { code: 200, .. }) => Ok(Receipt::new()),
            Ok(Acknowledgement { code, msg }) => {
                Err(SendError::retry(format_args!("the receiver answered code {code}: {msg}")))
            }
            Err(_) => Err(SendError::retry("the receiver did not acknowledge the message")),
        },
        401 | 403 | 404 | 410 => Err(SendError::rejected(format_args!("the receiver answered {status}"))),
        _ => Err(SendError::retry(format_args!("the receiver answered {status}"))),
    }
}

/// Returns the same for a turn: one answer for all of its messages.
pub fn acknowledged_turn(
    messages: &[&Outbound],
    status: u16,
    body: &[u8],
) -> Vec<Result<Receipt, SendError>> {
    let answer = acknowledged(status, body);
    messages.iter().map(|_| answer.clone()).collect()
}
