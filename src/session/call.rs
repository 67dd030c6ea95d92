//! A host call while a session waits for its answer. Making it is the engine's, what it is answered
//! the kernel's.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::CallId;
use crate::value::PackedMap;

/// Progress of a host call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStage {
    /// To be made at or after this instant.
    Due(DateTime<Utc>),
    /// Handed over at this instant; the host answers later.
    Handed(DateTime<Utc>),
}

/// Kind of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CallKind {
    /// A function of the host.
    #[default]
    Function,
    /// A request over HTTP.
    HttpRequest,
    /// A question to a language model.
    Llm,
    /// The class that a text belongs to.
    Classify,
    /// The language of a text.
    RecognizeLanguage,
}

impl CallKind {
    /// Returns the name, as in the stored form and as the kind of the node.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::HttpRequest => "http_request",
            Self::Llm => "llm",
            Self::Classify => "classify",
            Self::RecognizeLanguage => "recognize_language",
        }
    }

    fn is_function(&self) -> bool {
        *self == Self::Function
    }
}

/// A call that a session waits for ([SEMANTICS D2](crate::semantics#d2)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PendingCall {
    /// Its id: the host's idempotency key.
    pub id: CallId,
    /// The kind of its request.
    #[serde(default, skip_serializing_if = "CallKind::is_function")]
    pub kind: CallKind,
    /// The function's name; of another call its kind.
    pub name: Arc<str>,
    /// The arguments of the function, or the parts of the request: an object.
    pub args: PackedMap,
    /// Its progress.
    pub stage: CallStage,
    /// Number of times that it was made.
    #[serde(default)]
    pub attempts: u32,
}

impl PendingCall {
    /// Returns the time at which it must be made; none once it is handed over.
    #[must_use]
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        match self.stage {
            CallStage::Due(at) => Some(at),
            CallStage::Handed(_) => None,
        }
    }
}
