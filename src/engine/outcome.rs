//! The answers of the other calls. Each is a value that the host must look at; none is an error.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// The answer to the result of a call ([SEMANTICS D2](crate::semantics#d2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[must_use]
pub enum Completed {
    /// The session took it and continued.
    Resumed,
    /// No session waits for it: it was answered, timed out, or ended.
    Stale,
}

/// The answer to a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[must_use]
pub enum Cancelled {
    /// The session is cancelled; what it had not sent is dropped.
    Cancelled,
    /// It had ended by itself.
    AlreadyEnded,
}

/// The answer to a handoff by the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[must_use]
pub enum HandedOver {
    /// The contact is with a person now; nothing else is said until it is handed back.
    HandedOver,
    /// It had ended, or was in handoff already.
    Unchanged,
}

/// The answer to the end of a handoff by the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[must_use]
pub enum HandedBack {
    /// The flow continues, or the bot hears again whose pause this ended.
    Resumed,
    /// No session of the contact is in handoff, and the bot is not paused for it.
    NotInHandoff,
}

/// The answer to a delivery report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[must_use]
pub enum Reported {
    /// Noted.
    Noted,
    /// No such message is known; nothing was changed.
    Unknown,
}

/// Result of a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[must_use]
pub struct Ticked {
    /// Number of conversations that had work due.
    pub worked: usize,
    /// When to tick next, as far as the store knows; None: nothing is due.
    pub next_due: Option<DateTime<Utc>>,
}
