//! The outcome of a message: what the transport said at once, and what the channel tells later
//! (SEMANTICS D1).

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::session::DeadReason;

/// The code of WhatsApp's Cloud API for a message outside the window, which it first takes.
const WINDOW_CLOSED: &str = "131047";

/// Outcome of a message that its session waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SendOutcome {
    /// The transport took it.
    Sent,
    /// It never will leave: refused, given up, or too late.
    Failed {
        /// The transport's reason.
        reason: String,
    },
    /// The channel's messaging window was closed.
    WindowClosed,
}

/// A channel's report of a message after the transport took it
/// ([SEMANTICS D1](crate::semantics#d1)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeliveryReport {
    /// It arrived.
    Delivered,
    /// It was read.
    Read,
    /// It did not arrive.
    Failed {
        /// The channel's code; `131047`, by which WhatsApp says that the window was closed, means
        /// `WindowClosed`.
        code: String,
    },
    /// It did not arrive, since the channel's messaging window was closed.
    WindowClosed,
}

impl DeliveryReport {
    /// Returns the outcome of the message by this report, if it did not arrive.
    pub(crate) fn refusal(&self) -> Option<SendOutcome> {
        match self {
            Self::Delivered | Self::Read => None,
            Self::WindowClosed => Some(SendOutcome::WindowClosed),
            Self::Failed { code } if code == WINDOW_CLOSED => Some(SendOutcome::WindowClosed),
            Self::Failed { code } => Some(SendOutcome::Failed { reason: code.clone() }),
        }
    }
}

/// The message with a `failed` or `window_closed` edge that a session sent last: it waits for what
/// becomes of it, or is right behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sending {
    /// The message's number.
    pub(crate) seq: u64,
    /// The node that sent it.
    pub(crate) node: NodeId,
    /// The number of its pieces that went before it (SEMANTICS D8).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) pieces: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Sending {
    /// True if a message is the one, or a piece of it.
    pub(crate) fn has(&self, seq: u64) -> bool {
        seq <= self.seq && self.seq - seq <= u64::from(self.pieces)
    }
}

impl From<&DeadReason> for SendOutcome {
    fn from(reason: &DeadReason) -> Self {
        match reason {
            DeadReason::WindowClosed => Self::WindowClosed,
            DeadReason::Rejected(reason) | DeadReason::GaveUp(reason) => {
                Self::Failed { reason: reason.clone() }
            }
            DeadReason::TooLate => Self::Failed { reason: "too late".to_owned() },
        }
    }
}
