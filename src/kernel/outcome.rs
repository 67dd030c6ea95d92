//! The answers to triggers and inbound messages. Each is a value that the host must look at; none
//! is an error.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::flow::KeywordAction;
use crate::id::{ContactId, FlowId, FlowVersion, SessionId};
use crate::kernel::Refusal;
use crate::session::{FailureCode, Status, Verdict};

/// A session, with its flow and its contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRef {
    /// The session.
    pub session_id: SessionId,
    /// Its flow.
    pub flow_id: FlowId,
    /// The flow's name.
    pub flow_name: Arc<str>,
    /// The version that it runs on.
    pub flow_version: FlowVersion,
    /// A hash of that version's content ([SEMANTICS S13](crate::semantics#s13)). None: an older
    /// release wrote down what is answered.
    #[serde(default, with = "crate::hex::option", skip_serializing_if = "Option::is_none")]
    pub flow_digest: Option<u128>,
    /// Its contact.
    pub contact_id: ContactId,
    /// Its status when the call was answered: after its first turn if the call started it
    /// ([SEMANTICS T11](crate::semantics#t11)).
    pub status: Status,
    /// The reason of its failure; None: it has not failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureCode>,
    /// True if this is the recorded answer to an earlier call with the same key
    /// ([SEMANTICS T5](crate::semantics#t5)).
    pub replayed: bool,
}

impl fmt::Display for SessionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {} of flow `{}` version {}", self.session_id, self.flow_id, self.flow_version)?;
        if let Some(failure) = self.failure {
            write!(f, ", failed: {failure}")?;
        }
        if self.replayed { f.write_str(", replayed") } else { Ok(()) }
    }
}

/// The answer to a trigger ([SEMANTICS T9](crate::semantics#t9)). Serialises flat, as `{"outcome":
/// "started", "session_id": …}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[must_use]
pub enum Triggered {
    /// A session started. On the wire 201. It may have failed in its first turn:
    /// [`SessionRef::failure`] says so.
    Started(SessionRef),
    /// The flow has a live session with the contact; nothing was started. On the wire 200.
    AlreadyRunning(SessionRef),
    /// The discard time has passed; nothing was started or recorded
    /// ([SEMANTICS T7](crate::semantics#t7)).
    Discarded,
    /// The flow's or the contact's settings do not allow it now; nothing was started or recorded.
    Refused(Refusal),
}

impl Triggered {
    /// Returns the session that was started or found.
    #[must_use]
    pub fn session(&self) -> Option<&SessionRef> {
        match self {
            Self::Started(session) | Self::AlreadyRunning(session) => Some(session),
            Self::Discarded | Self::Refused(_) => None,
        }
    }
}

/// The answer to an inbound message ([SEMANTICS I11](crate::semantics#i11)). Serialises flat, as
/// `{"outcome": "consumed", "session": …}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[must_use]
pub enum Received {
    /// A session took it as its answer.
    Consumed {
        /// The session.
        session: SessionId,
    },
    /// It started a session.
    Started {
        /// The session.
        session: SessionId,
    },
    /// A session keeps it for its next question.
    Queued {
        /// The session.
        session: SessionId,
    },
    /// It was a keyword.
    Keyword {
        /// The action of the keyword.
        action: KeywordAction,
    },
    /// The contact is with a person of the host; the message is theirs.
    Handoff {
        /// The session.
        session: SessionId,
    },
    /// The bot is paused for the contact; the message is for those who paused it
    /// ([SEMANTICS Q3](crate::semantics#q3)).
    Paused,
    /// It chose from an earlier question ([SEMANTICS I9](crate::semantics#i9)).
    StaleChoice,
    /// The session can keep no more ([SEMANTICS I5](crate::semantics#i5)).
    InboxFull,
    /// It is too old for what it would do ([SEMANTICS I12](crate::semantics#i12)).
    TooOld,
    /// It came before; nothing was changed ([SEMANTICS I2](crate::semantics#i2)).
    Duplicate {
        /// Its outcome the first time.
        first: Box<Received>,
    },
    /// No flow takes it. From an unknown address it leaves no trace.
    Unmatched,
}

impl Received {
    /// The session that took the message; of a repeat, the one that took it the first time.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self {
            Self::Consumed { session }
            | Self::Started { session }
            | Self::Queued { session }
            | Self::Handoff { session } => Some(*session),
            Self::Duplicate { first } => first.session(),
            _ => None,
        }
    }

    /// Returns the stable name of the outcome, such as `consumed`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Consumed { .. } => "consumed",
            Self::Started { .. } => "started",
            Self::Queued { .. } => "queued",
            Self::Keyword { .. } => "keyword",
            Self::Handoff { .. } => "handoff",
            Self::Paused => "paused",
            Self::StaleChoice => "stale_choice",
            Self::InboxFull => "inbox_full",
            Self::TooOld => "too_old",
            Self::Duplicate { .. } => "duplicate",
            Self::Unmatched => "unmatched",
        }
    }
}

impl fmt::Display for Triggered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(session) => write!(f, "started {session}"),
            Self::AlreadyRunning(session) => write!(f, "already running: {session}"),
            Self::Discarded => f.write_str("discarded: its discard time has passed"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consumed { session } => write!(f, "taken by session {session}"),
            Self::Started { session } => write!(f, "started session {session}"),
            Self::Queued { session } => write!(f, "queued for session {session}"),
            Self::Keyword { action } => write!(f, "keyword: {}", action.as_str()),
            Self::Handoff { session } => write!(f, "in handoff: session {session}"),
            Self::Paused => f.write_str("the bot is paused"),
            Self::StaleChoice => f.write_str("stale choice"),
            Self::InboxFull => f.write_str("inbox full"),
            Self::TooOld => f.write_str("too old"),
            Self::Duplicate { first } => write!(f, "duplicate: {first}"),
            Self::Unmatched => f.write_str("unmatched"),
        }
    }
}

impl From<Verdict> for Received {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Consumed(session) => Self::Consumed { session },
            Verdict::Started(session) => Self::Started { session },
            Verdict::Queued(session) => Self::Queued { session },
            Verdict::Keyword(action) => Self::Keyword { action },
            Verdict::Handoff(session) => Self::Handoff { session },
            Verdict::Paused => Self::Paused,
            Verdict::StaleChoice => Self::StaleChoice,
            Verdict::InboxFull => Self::InboxFull,
            Verdict::TooOld => Self::TooOld,
            Verdict::Unmatched | Verdict::Applied => Self::Unmatched,
        }
    }
}
