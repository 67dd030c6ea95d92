//! What a journal keeps of a session's turns, for those who look back (SEMANTICS L6). Whether a flow is journalled
//! is decided elsewhere.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{ContactId, FlowId, FlowVersion, NodeId, SessionId};

/// One turn of a session, as its journal keeps it (SEMANTICS L6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// The session.
    pub session: SessionId,
    /// Its contact.
    pub contact: ContactId,
    /// Its flow.
    pub flow: FlowId,
    /// Its version.
    pub version: FlowVersion,
    /// Which turn, from 1.
    pub turn: u32,
    /// The conversation's time.
    pub at: DateTime<Utc>,
    /// What set it off: `start`, `reply`, `deadline`, `result`, `cancel`.
    pub input: Arc<str>,
    /// The nodes it visited.
    pub steps: Vec<JournalStep>,
}

/// One node of a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalStep {
    /// The node.
    pub node: NodeId,
    /// The branch it was left by; None where the turn ended.
    pub branch: Option<Arc<str>>,
    /// The called flow that the node is of; None: the session's own (SEMANTICS N9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<(FlowId, FlowVersion)>,
}
