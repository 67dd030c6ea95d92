//! What became of a message: what the transport said at once, and what the channel tells later
//! (SEMANTICS D1).

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::session::DeadReason;

/// What became of a message that its session waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SendOutcome {
    /// The transport took it.
    Sent,
    /// It never will leave: refused, given up, or too late.
    Failed {
        /// What the transport said.
        reason: String,
    },
    /// The channel's messaging window was closed.
    WindowClosed,
}

/// What became of a message after the transport took it (SEMANTICS D1).
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
        /// The channel's code.
        code: String,
    },
}

/// The message with a `failed` or `window_closed` edge that a session sent last: it waits for what
/// becomes of it, or stands right behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sending {
    /// The message's number.
    pub(crate) seq: u64,
    /// The node that sent it.
    pub(crate) node: NodeId,
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
