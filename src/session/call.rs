//! A host call while a session waits for its answer. Making it is the engine's, what it is answered the kernel's.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::CallId;
use crate::value::Bag;

/// How far a host call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStage {
    /// To be made at or after this instant.
    Due(DateTime<Utc>),
    /// Handed over at this instant; the host answers later.
    Handed(DateTime<Utc>),
}

/// A call that a session waits for (SEMANTICS D2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PendingCall {
    /// Its id: the host's idempotency key.
    pub id: CallId,
    /// The function's name.
    pub name: Arc<str>,
    /// Its arguments, an object.
    pub args: Bag,
    /// How far it has come.
    pub stage: CallStage,
    /// How often it was made.
    #[serde(default)]
    pub attempts: u32,
}

impl PendingCall {
    /// When it is to be made; none once it is handed over.
    #[must_use]
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        match self.stage {
            CallStage::Due(at) => Some(at),
            CallStage::Handed(_) => None,
        }
    }
}
