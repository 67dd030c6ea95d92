//! Where a session is in its life, and who ended it. Names only: what leads from one to the other
//! is the kernel's.

use serde::{Deserialize, Serialize};

/// Where a session is in its life ([SEMANTICS S](crate::semantics#s)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// In the middle of a turn; never stored.
    Running,
    /// At a question, until the contact answers or a deadline passes.
    Waiting,
    /// Until a point in time.
    Delayed,
    /// Until the host answers a call.
    Calling,
    /// With a person of the host.
    Handoff,
    /// Came to an end of the flow.
    Completed,
    /// Nobody answered in time.
    Expired,
    /// Could not continue; see [`Session::failure`](crate::Session::failure).
    Failed,
    /// Ended from outside; see [`Session::ended_by`](crate::Session::ended_by).
    Cancelled,
}

impl Status {
    /// Returns true if the session has not ended: `running`, `waiting`, `delayed`, `calling` or
    /// `handoff`.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Waiting | Self::Delayed | Self::Calling | Self::Handoff)
    }

    /// Returns the name, as in the stored form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Delayed => "delayed",
            Self::Calling => "calling",
            Self::Handoff => "handoff",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The reason a session ended that did not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EndReason {
    /// The host cancelled it.
    Cancelled,
    /// Its flow was unpublished with `Terminate` ([SEMANTICS L4](crate::semantics#l4)).
    FlowTerminated,
    /// Another flow with `per_contact: interrupt` took its place
    /// ([SEMANTICS T6](crate::semantics#t6)).
    Interrupted,
    /// The contact opted out ([SEMANTICS T10](crate::semantics#t10)).
    OptedOut,
    /// The contact ended it, or began it anew, by a keyword ([SEMANTICS I6](crate::semantics#i6)).
    Keyword,
    /// Two contacts turned out to be one, and both were in its flow
    /// ([SEMANTICS A5](crate::semantics#a5)).
    Merged,
    /// The address that it talked with was taken from the contact
    /// ([SEMANTICS A6](crate::semantics#a6)).
    Unlinked,
}

impl EndReason {
    /// Returns the name, as in the stored form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::FlowTerminated => "flow_terminated",
            Self::Interrupted => "interrupted",
            Self::OptedOut => "opted_out",
            Self::Keyword => "keyword",
            Self::Merged => "merged",
            Self::Unlinked => "unlinked",
        }
    }
}

impl std::fmt::Display for EndReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
