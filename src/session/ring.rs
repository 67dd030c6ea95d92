//! The ids of inputs that were dealt with lately, so that a repeat is recognised (SEMANTICS I2).

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::KeywordAction;
use crate::id::SessionId;

/// An inbound message or a call that has been dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    /// A hash of channel, account and message id; or the call's own id.
    #[serde(with = "crate::hex")]
    id: u128,
    /// When.
    at: DateTime<Utc>,
    /// What it came to.
    verdict: Verdict,
    /// Which call dealt with it; 0: an older release did not say.
    #[serde(default, skip_serializing_if = "is_untold")]
    call: u32,
}

fn is_untold(call: &u32) -> bool {
    *call == 0
}

/// What an input came to, as it is remembered (SEMANTICS I2, I11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// A session took it as its answer.
    Consumed(SessionId),
    /// It started a session.
    Started(SessionId),
    /// It waits for the session's next question.
    Queued(SessionId),
    /// It was a keyword.
    Keyword(KeywordAction),
    /// It was for the person who has the contact.
    Handoff(SessionId),
    /// The bot was paused.
    Paused,
    /// A choice of an earlier question.
    StaleChoice,
    /// The queue was full.
    InboxFull,
    /// It was too old to answer anything.
    TooOld,
    /// Nobody wanted it.
    Unmatched,
    /// A call of the host that took effect.
    Applied,
}

/// The last inputs, oldest first; no allocation until there is one. Ids lie apart from what they
/// came to: each message is looked for among all of them, and a full ring of whole entries is three
/// times as many cache lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Remembered>", into = "Vec<Remembered>")]
pub(crate) struct Ring(Option<Box<Entries>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entries {
    ids: VecDeque<u128>,
    verdicts: VecDeque<(DateTime<Utc>, Verdict, u32)>,
}

impl Ring {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|entries| entries.ids.is_empty())
    }

    /// The time at which an input was dealt with, its outcome, and the call.
    pub(crate) fn recall(&self, id: u128) -> Option<(DateTime<Utc>, Verdict, u32)> {
        let entries = self.0.as_ref()?;
        let place = entries.ids.iter().rposition(|seen| *seen == id)?;
        entries.verdicts.get(place).copied()
    }

    /// Keeps an input, and at most so many.
    pub(crate) fn remember(
        &mut self,
        id: u128,
        (at, verdict, call): (DateTime<Utc>, Verdict, u32),
        most: usize,
    ) {
        let entries = self.0.get_or_insert_default();
        while entries.ids.len() >= most.max(1) {
            entries.ids.pop_front();
            entries.verdicts.pop_front();
        }
        entries.ids.push_back(id);
        entries.verdicts.push_back((at, verdict, call));
    }

    /// Forgets inputs from before an instant.
    pub(crate) fn forget_before(&mut self, instant: DateTime<Utc>) {
        let Some(entries) = &mut self.0 else { return };
        while entries.verdicts.front().is_some_and(|(at, ..)| *at < instant) {
            entries.ids.pop_front();
            entries.verdicts.pop_front();
        }
        if entries.ids.is_empty() {
            self.0 = None;
        }
    }

    /// When the oldest and the newest were dealt with.
    pub(crate) fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let entries = self.0.as_ref()?;
        Some((entries.verdicts.front()?.0, entries.verdicts.back()?.0))
    }
}

impl From<Vec<Remembered>> for Ring {
    fn from(list: Vec<Remembered>) -> Self {
        let mut ring = Self::default();
        for Remembered { id, at, verdict, call } in list {
            ring.remember(id, (at, verdict, call), usize::MAX);
        }
        ring
    }
}

impl From<Ring> for Vec<Remembered> {
    fn from(ring: Ring) -> Self {
        let Some(entries) = ring.0 else { return Self::new() };
        let pairs = entries.ids.into_iter().zip(entries.verdicts);
        pairs.map(|(id, (at, verdict, call))| Remembered { id, at, verdict, call }).collect()
    }
}

/// How long ago, never less than nothing.
pub(crate) fn age(now: DateTime<Utc>, at: DateTime<Utc>) -> TimeDelta {
    (now - at).max(TimeDelta::zero())
}
