//! The JSON of other APIs: Qyvo's trigger-flow, Alibaba's TriggerChatFlow, GPTBots' webhook
//! messages, WhatsApp's webhooks and messages ([SEMANTICS W](crate::semantics#w)). Hosts that serve
//! one of these APIs read a request, call the engine, and answer with the outcome; hosts that call
//! one write the same types.
//!
//! Pure: bytes and statuses, no HTTP. Keys come in the order in which the products document them.
//!
//! ```
//! use chatflow::wire::qyvo::{Answers, TriggerFlow};
//! # use chatflow::{Engine, MemoryStore, WorkspaceId};
//! # let bot = Engine::builder(MemoryStore::new()).build();
//! # pollster::block_on(async {
//! let body = br#"{"flow_id": "cart-30min", "phone": "+14155550123"}"#;
//! let answer = match TriggerFlow::from_json(body) {
//!     Ok(request) => Answers::default().of(&bot.trigger(request.into_request(None)).await),
//!     Err(refused) => refused,
//! };
//! assert_eq!((answer.status, &*answer.body), (404, r#"{"error":"Flow not found or not published"}"#));
//! # });
//! ```

pub mod alibaba;
pub mod gptbots;
pub mod qyvo;
pub mod whatsapp;

mod body;
mod convert;
mod webhook;

pub use body::FieldErrors;
pub use webhook::read_webhook;

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::request::TriggerRequest;

/// An answer to an HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The body, of the type [`CONTENT_TYPE`](Self::CONTENT_TYPE).
    pub body: String,
    /// For the header `Retry-After`, where a later repetition of the same request may succeed.
    pub retry_after: Option<Duration>,
}

impl HttpAnswer {
    /// The header `Content-Type` of each body.
    pub const CONTENT_TYPE: &str = "application/json";

    fn new(status: u16, body: &impl Serialize) -> Self {
        // Texts, numbers and maps of them, all of which JSON has.
        let body = serde_json::to_string(body).unwrap_or_default();
        Self { status, body, retry_after: None }
    }
}

/// A request that a wire format has no words for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the wire format has no field for `{0}`")]
pub struct Unsayable(pub &'static str);

/// The context of a trigger, unless it says something that a wire format has no field for: one of
/// these, or one that none of them has.
fn context_of(
    request: &TriggerRequest,
    unsayable: &[(&'static str, bool)],
) -> Result<Option<Map<String, Value>>, Unsayable> {
    let of_none = [
        ("address", request.address.is_some()),
        ("from", request.channel.is_some() || request.account.is_some()),
        ("profile", request.profile.is_some()),
        ("campaign", request.campaign.is_some()),
        ("transactional", request.transactional),
        ("during_handoff", request.during_handoff),
    ];
    if let Some((field, _)) = unsayable.iter().chain(&of_none).find(|(_, is_said)| *is_said) {
        return Err(Unsayable(field));
    }
    match &request.context {
        None => Ok(None),
        Some(Ok(Value::Object(context))) => Ok(Some(context.clone())),
        Some(_) => Err(Unsayable("context")),
    }
}

/// The time after which a call may be repeated that failed for now.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Shown in place of what failed inside: an answer tells callers nothing of the store.
const UNAVAILABLE: &str = "the service is unavailable for the moment";
