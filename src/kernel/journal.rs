//! A journal's record of a session, for those who look back (SEMANTICS L6): every input that it
//! took, what the turn could read beside it, and what came of it. Whether a flow is journalled is
//! decided where a session starts.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::calls::CallResult;
use crate::id::{ContactId, FlowId, FlowVersion, NodeId, SessionId};
use crate::kernel::hash::json_hash;
use crate::kernel::{Callee, Input, NewSession};
use crate::session::{Contact, Failure, Outbound, SendOutcome, Session, Status};

/// One input that a session took, as its journal keeps it ([SEMANTICS L6](crate::semantics#l6)).
///
/// An entry holds what the contact wrote and who it is, as replaying needs both: erasing a contact
/// removes it, and so does its retention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JournalEntry {
    /// The session.
    pub session: SessionId,
    /// Its place in the session's journal, from 1.
    pub seq: u32,
    /// Its contact.
    pub contact: ContactId,
    /// Its flow.
    pub flow: FlowId,
    /// The version that took the input.
    pub version: FlowVersion,
    /// Number of turns that the session has had since; an input without a turn leaves the number.
    pub turn: u32,
    /// The conversation's time.
    pub at: DateTime<Utc>,
    /// The input that set it off.
    pub input: Input,
    /// The data that the session started with; in its first entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Box<NewSession>>,
    /// The contact and the flow's name as the turn read them, if they changed since the entry
    /// before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Box<Seen>>,
    /// The number of the message that had last been put into the conversation's outbox.
    #[serde(default)]
    pub last_seq: u64,
    /// Number of messages of the conversation that were unsent.
    #[serde(default)]
    pub unsent: usize,
    /// The called flows that the turn looked up ([SEMANTICS N9](crate::semantics#n9)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub called: Vec<CalledFlow>,
    /// The nodes that the turn visited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<JournalStep>,
    /// Messages that the turn sent, if the flow logs texts ([SEMANTICS Q4](crate::semantics#q4)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<Arc<Outbound>>,
    /// The node where it is now, or ended.
    pub node: NodeId,
    /// The session's status after it.
    pub status: Status,
    /// The reason it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Data that a turn can read that is not the session's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Seen {
    /// The contact.
    pub contact: Contact,
    /// The flow's name.
    pub flow_name: Arc<str>,
}

/// One node of a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JournalStep {
    /// The node.
    pub node: NodeId,
    /// True if the session came to it in this turn; else it was there before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub entered: bool,
    /// The event at the node.
    pub event: StepEvent,
    /// The branch it was left by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Arc<str>>,
    /// The reason, when there was something to decide: the rule that held, what was answered, what
    /// failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Arc<str>>,
    /// The called flow that the node is of; None: the session's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<(FlowId, FlowVersion)>,
}

/// A called flow as a turn found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CalledFlow {
    /// The flow.
    pub flow: FlowId,
    /// The version.
    pub version: FlowVersion,
    /// The flow's name.
    pub name: Arc<str>,
    /// True if it was looked up to be entered: the version was the one online.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub online: bool,
}

impl CalledFlow {
    pub(super) fn of(found: &Callee<'_>, online: bool) -> Self {
        let (flow, version) = (found.flow.id().clone(), found.version);
        Self { flow, version, name: found.name.into(), online }
    }
}

/// An event at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepEvent {
    /// The session left it by a branch.
    Left,
    /// The session went to a node without an edge.
    Jumped,
    /// The session went into another flow.
    Called,
    /// The session stays there: at a question, a delay, a call, with a person.
    Parked,
    /// The session ended there.
    Ended,
    /// The session failed there.
    Failed,
}

/// An input of a journalled session, with what is not to be known any more after the turn.
pub(crate) struct Logged {
    pub(crate) input: Input,
    pub(crate) version: FlowVersion,
    pub(crate) last_seq: u64,
    pub(crate) unsent: usize,
    pub(crate) called: Vec<CalledFlow>,
}

impl JournalEntry {
    /// Writes down what a journalled session has just taken.
    pub(crate) fn of(
        session: &mut Session,
        logged: Logged,
        contact: &Contact,
        flow_name: &str,
        at: DateTime<Utc>,
        steps: Vec<JournalStep>,
    ) -> Self {
        let Logged { input, version, last_seq, unsent, called } = logged;
        let (seq, has_news) = count(session, contact, flow_name);
        let seen = has_news.then(|| Box::new(Seen { contact: contact.clone(), flow_name: flow_name.into() }));
        Self {
            session: session.id,
            seq,
            contact: contact.id.clone(),
            flow: session.flow.clone(),
            version,
            turn: session.turns,
            at,
            input,
            new: None,
            seen,
            last_seq,
            unsent,
            called,
            steps,
            sent: Vec::new(),
            node: session.at.clone(),
            status: session.status(),
            failure: session.failure().cloned(),
        }
    }
}

/// Counts an entry of a session's journal. Returns its number, and whether contact or name are
/// others than before.
pub(super) fn count(session: &mut Session, contact: &Contact, flow_name: &str) -> (u32, bool) {
    let hash = json_hash(&(contact, flow_name));
    let journal = session.extras().journal.get_or_insert_default();
    journal.entries = journal.entries.saturating_add(1);
    (journal.entries, std::mem::replace(&mut journal.seen, hash) != hash)
}

impl Input {
    /// Returns the reason for which a session leaves the node where this reaches it, unless the
    /// node knows better.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Reply { message, .. } => format!("the contact replied: {}", message.kind),
            Self::Deadline(_) => "its time is over".to_owned(),
            Self::Result { result: CallResult::Failed { reason }, .. } => {
                format!("the call failed: {reason}")
            }
            Self::Result { result: CallResult::Value { branch: Some(branch), .. }, .. } => {
                format!("the host answered with branch `{branch}`")
            }
            Self::Result { .. } => "the host answered".to_owned(),
            Self::Jump { .. } | Self::Say { .. } => "a keyword".to_owned(),
            Self::Resume { .. } => "the contact was handed back".to_owned(),
            Self::Sent { outcome: SendOutcome::Sent, .. } => "the message was taken".to_owned(),
            Self::Sent { outcome: SendOutcome::Failed { reason }, .. } => {
                format!("the message failed: {reason}")
            }
            Self::Sent { outcome: SendOutcome::WindowClosed, .. } => "the window was closed".to_owned(),
            other => other.as_str().to_owned(),
        }
    }
}
