//! The port through which a host watches: what happened, after it is committed. Ids only, never what people wrote, but
//! for what an author has a flow log.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::{Error, MissingReason};
use crate::flow::LogLevel;
use crate::id::{CallId, ContactId, FlowId, FlowVersion, MessageId, NodeId, SessionId, WorkspaceId};
use crate::session::{FailureCode, Status};

/// Something that happened in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The contact.
    pub contact: ContactId,
    /// The conversation's time of it.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A session began.
    SessionStarted {
        /// The session.
        session: SessionId,
        /// Its flow.
        flow: FlowId,
        /// The version it is pinned to.
        version: FlowVersion,
    },
    /// A session's turn ended.
    Turn {
        /// The session.
        session: SessionId,
        /// Which turn, from 1.
        turn: u32,
        /// The node it stands at now.
        node: NodeId,
        /// What it is now.
        status: Status,
    },
    /// An undeclared input was dropped (SEMANTICS T4).
    InputDropped {
        /// The session.
        session: SessionId,
        /// The input's name.
        key: Arc<str>,
    },
    /// A template or an expression read a name that has no value (SEMANTICS N7).
    UndefinedVariable {
        /// The session.
        session: SessionId,
        /// The node that reads.
        node: NodeId,
        /// The name.
        name: Arc<str>,
    },
    /// A called flow failed, and its caller goes on by `failed` (SEMANTICS N9).
    SubflowFailed {
        /// The session.
        session: SessionId,
        /// The flow whose node failed.
        flow: FlowId,
        /// The node.
        node: NodeId,
        /// The kind of fault.
        code: FailureCode,
    },
    /// A choice of an earlier question came (SEMANTICS I9).
    StaleChoice {
        /// The session.
        session: SessionId,
    },
    /// A queued message answers no question: the session sent another one since, or ended (SEMANTICS I5).
    Missed {
        /// The session.
        session: SessionId,
    },
    /// A session was handed over to a person (SEMANTICS S10). Whom it is for and what to know is in
    /// [`Session::handoff`](crate::Session::handoff).
    HandedOff {
        /// The session.
        session: SessionId,
        /// The node it stands at.
        node: NodeId,
    },
    /// A flow changed its contact.
    ContactChanged {
        /// The session.
        session: SessionId,
        /// The node that did it.
        node: NodeId,
    },
    /// The host changed the contact (SEMANTICS Q2).
    ContactUpdated,
    /// The bot was paused for the contact, or its pause has another end now (SEMANTICS Q3).
    Paused {
        /// When it ends by itself.
        until: Option<DateTime<Utc>>,
    },
    /// The pause is over.
    Unpaused,
    /// A flow has something to say to those who run it.
    Logged {
        /// The session.
        session: SessionId,
        /// The node that says it.
        node: NodeId,
        /// How much it matters.
        level: LogLevel,
        /// What, rendered: it holds what the author put into it.
        text: Arc<str>,
    },
    /// The conversation's time is more than an hour ahead of the clock (SEMANTICS S8).
    ClockBehind,
    /// The transport took a message.
    Delivered {
        /// The message.
        message: MessageId,
    },
    /// The transport could not take a message yet.
    SendDelayed {
        /// The message.
        message: MessageId,
        /// When it is tried again.
        until: DateTime<Utc>,
    },
    /// A message was given up.
    DeadLettered {
        /// The message.
        message: MessageId,
    },
    /// The host reported what became of a message.
    Reported {
        /// The message.
        message: MessageId,
        /// `delivered`, `read` or the channel's code of failure.
        status: Arc<str>,
    },
    /// A host call was made.
    Called {
        /// The call.
        call: CallId,
    },
    /// A conversation was set aside (SEMANTICS S9).
    Quarantined,
    /// A conversation was left untouched, since a version that it needs cannot be used here (SEMANTICS S14).
    VersionMissing {
        /// The flow.
        flow: FlowId,
        /// The version.
        version: FlowVersion,
        /// The reason.
        reason: MissingReason,
    },
}

/// Watches.
///
/// Contract:
/// 1. Events of one call come in order, after its commit, on the task that made it. After a crash some may be missing.
/// 2. `observe` returns at once: it runs between the commit and the delivery.
pub trait Observer: Send + Sync {
    /// Takes note.
    fn observe(&self, event: &Event);

    /// Takes note of what failed in the background, where no caller gets the error: it is tried again by itself.
    fn failed(&self, doing: BackgroundTask, error: &Error) {
        let _ = (doing, error);
    }
}

/// A task that the engine does in the background, when no caller gets its error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackgroundTask {
    /// It claimed what is due.
    Claim,
    /// It worked a conversation under its lease.
    Work,
    /// It settled what was delivered, or set a conversation aside.
    Settle,
    /// It looked for live sessions of terminated versions.
    Wake,
    /// It removed what is past its retention.
    Purge,
}

impl BackgroundTask {
    /// Its name, such as `claim`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Work => "work",
            Self::Settle => "settle",
            Self::Wake => "wake",
            Self::Purge => "purge",
        }
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: &Event) {
        (**self).observe(event);
    }

    fn failed(&self, doing: BackgroundTask, error: &Error) {
        (**self).failed(doing, error);
    }
}

impl<O: Observer + ?Sized> Observer for &O {
    fn observe(&self, event: &Event) {
        (**self).observe(event);
    }

    fn failed(&self, doing: BackgroundTask, error: &Error) {
        (**self).failed(doing, error);
    }
}
