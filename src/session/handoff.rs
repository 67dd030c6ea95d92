//! A session in the hands of a person, and what a conversation keeps while its engine is silent
//! (SEMANTICS S10).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{CallId, MessageId};
use crate::session::{SendOutcome, Sending, Session, Standing, Stop, Suspended};

/// A handoff in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handoff {
    /// Since when.
    pub since: DateTime<Utc>,
    /// The people that it is for, as the node says.
    pub queue: Option<Arc<str>>,
    /// A note to the person, as the node says. It may hold what the contact wrote.
    pub note: Option<Arc<str>>,
    /// Number of seconds that it lasts after the latest message or touch.
    pub(crate) timeout: Option<i64>,
    /// The place of the session when it was handed over; none at a `handoff` node.
    pub(crate) suspended: Option<Suspended>,
}

/// A pause of the bot for one contact ([SEMANTICS Q3](crate::semantics#q3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pause {
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it ends by itself; None: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl Pause {
    pub(crate) fn new(since: DateTime<Utc>, until: Option<DateTime<Utc>>) -> Self {
        Self { since, until }
    }
}

/// State that a conversation keeps while a session of it is in handoff, or its bot is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Silence {
    /// Since when the engine is silent.
    pub(crate) since: DateTime<Utc>,
    /// Results of host calls, to be applied at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) results: Vec<KeptResult>,
    /// Outcomes of messages that sessions wait for, to be applied at the end too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sent: Vec<(MessageId, SendOutcome)>,
    /// A pause of the bot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pause: Option<Pause>,
}

/// The result of a host call that came in a handoff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptResult {
    pub(crate) call: CallId,
    pub(crate) value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) branch: Option<String>,
    /// The reason the call failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failed: Option<String>,
}

impl Handoff {
    pub(crate) fn new(since: DateTime<Utc>, timeout: Option<TimeDelta>) -> Self {
        let timeout = timeout.map(|timeout| timeout.num_seconds());
        Self { since, queue: None, note: None, timeout, suspended: None }
    }
}

impl Session {
    /// The call whose result it waits for, or will wait for when it is handed back.
    pub(crate) fn awaited(&self) -> Option<CallId> {
        let suspended = || self.handoff()?.suspended.as_ref()?.stop.call();
        self.call().or_else(suspended).map(|call| call.id)
    }

    /// The message whose fate must be known before it continues, be it after a handoff
    /// (SEMANTICS D1).
    pub(crate) fn awaits_sooner_or_later(&self) -> Option<MessageId> {
        self.awaited_sending().map(|sending| MessageId { session: self.id, seq: sending.seq })
    }

    /// The same with its pieces.
    pub(crate) fn awaited_sending(&self) -> Option<&Sending> {
        match &self.standing {
            Standing::Sending(sending) => Some(sending),
            _ => match &self.handoff()?.suspended.as_ref()?.stop {
                Stop::Sending(sending) => Some(sending),
                _ => None,
            },
        }
    }

    /// True if it runs while its contact is with a person (SEMANTICS T9 `during_handoff`).
    pub(crate) fn goes_on_in_handoff(&self) -> bool {
        self.handoff().is_some() || self.origin.as_ref().is_some_and(|origin| origin.during_handoff)
    }
}
