//! Reasons for which nothing starts, though nothing is wrong.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// The reason a trigger was refused, though nothing is wrong with it
/// ([SEMANTICS T9](crate::semantics#t9)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// The contact is in another session, and the flow wants the contact for itself.
    Busy,
    /// The flow runs once with each contact, and did.
    OnceEver,
    /// The flow ran with the contact a short while ago.
    Cooldown {
        /// The time from which it may run again.
        until: DateTime<Utc>,
    },
    /// The contact does not want to be written to.
    OptedOut,
    /// The contact is with a person of the host.
    InHandoff,
    /// The bot is paused for the contact ([SEMANTICS Q3](crate::semantics#q3)).
    Paused,
}

impl Refusal {
    /// Returns a stable name, in snake case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::OnceEver => "once_ever",
            Self::Cooldown { .. } => "cooldown",
            Self::OptedOut => "opted_out",
            Self::InHandoff => "in_handoff",
            Self::Paused => "paused",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the contact is in another session"),
            Self::OnceEver => f.write_str("the flow runs once with each contact, and did"),
            Self::Cooldown { until } => write!(f, "the flow may run again from {until:?}"),
            Self::OptedOut => f.write_str("the contact opted out"),
            Self::InHandoff => f.write_str("the contact is in handoff"),
            Self::Paused => f.write_str("the bot is paused for the contact"),
        }
    }
}
