//! The ids of inputs that were dealt with lately, so that a repeat is recognised (SEMANTICS I2).

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::KeywordAction;
use crate::gather::Arrange;
use crate::id::SessionId;

/// An inbound message or a call that has been dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    /// A hash of channel, account and message id; or the call's own id.
    #[serde(with = "crate::hex")]
    id: u128,
    /// When.
    at: DateTime<Utc>,
    /// Its verdict.
    verdict: Verdict,
    /// The call that dealt with it; 0: an older release did not say.
    #[serde(default, skip_serializing_if = "is_untold")]
    call: u32,
}

fn is_untold(call: &u32) -> bool {
    *call == 0
}

/// The result of an input, as it is remembered (SEMANTICS I2, I11).
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

/// The last inputs, oldest first; no allocation until there is one. Beyond a few, four bytes of
/// each id lie apart from all else: each message is looked for among all of them, which are four
/// cache lines where the ring is full, and fifty where they lie with what they came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Remembered>", into = "Vec<Remembered>")]
pub(crate) struct Ring(Option<Box<RingEntries>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RingEntries {
    /// One for each input; none while there are few.
    tags: VecDeque<u32>,
    inputs: VecDeque<SeenInput>,
}

/// An input; its id in bytes, so that it is no larger than its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SeenInput {
    id: [u8; 16],
    at: DateTime<Utc>,
    verdict: Verdict,
    call: u32,
}

/// By what an id is looked for first.
#[expect(clippy::cast_possible_truncation, reason = "ids are hashes or random: any part of one will do")]
fn tag(id: u128) -> u32 {
    id as u32
}

/// Inputs that are looked through without tags, at most.
const FEW: usize = 8;

/// True if a tag is among these. All are compared: that is done several at a time.
fn holds(tags: &[u32], tag: u32) -> bool {
    tags.iter().fold(false, |holds, known| holds | (*known == tag))
}

impl Ring {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|entries| entries.inputs.is_empty())
    }

    /// The time at which an input was dealt with, its outcome, and the call.
    pub(crate) fn recall(&self, id: u128) -> Option<(DateTime<Utc>, Verdict, u32)> {
        let RingEntries { tags, inputs } = &**self.0.as_ref()?;
        let (first, second) = tags.as_slices();
        if !tags.is_empty() && !holds(first, tag(id)) && !holds(second, tag(id)) {
            return None;
        }
        let id = id.to_ne_bytes();
        inputs.iter().rev().find(|input| input.id == id).map(|input| (input.at, input.verdict, input.call))
    }

    /// Keeps an input, and at most so many.
    pub(crate) fn remember(
        &mut self,
        id: u128,
        (at, verdict, call): (DateTime<Utc>, Verdict, u32),
        most: usize,
    ) {
        let entries = self.0.get_or_insert_default();
        while entries.inputs.len() >= most.max(1) {
            entries.pop_front();
        }
        entries.push_back(SeenInput { id: id.to_ne_bytes(), at, verdict, call });
    }

    /// Takes in what another one remembers, in order of time; the next input that it remembers
    /// trims it.
    pub(crate) fn take_in(&mut self, other: Self) {
        let mut all: Vec<Remembered> = std::mem::take(self).into();
        all.extend(Vec::from(other));
        all.arrange_by_key(|input| input.at);
        for Remembered { id, at, verdict, call } in all {
            self.remember(id, (at, verdict, call), usize::MAX);
        }
    }

    /// Forgets inputs from before an instant.
    pub(crate) fn forget_before(&mut self, instant: DateTime<Utc>) {
        let Some(entries) = &mut self.0 else { return };
        while entries.inputs.front().is_some_and(|input| input.at < instant) {
            entries.pop_front();
        }
        if entries.inputs.is_empty() {
            self.0 = None;
        }
    }

    /// When the oldest and the newest were dealt with.
    pub(crate) fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let entries = self.0.as_ref()?;
        Some((entries.inputs.front()?.at, entries.inputs.back()?.at))
    }
}

impl RingEntries {
    fn push_back(&mut self, input: SeenInput) {
        if self.inputs.capacity() == 0 {
            self.inputs = VecDeque::with_capacity(2);
        }
        self.inputs.push_back(input);
        let tag_of = |input: &SeenInput| tag(u128::from_ne_bytes(input.id));
        match (self.inputs.len() > FEW, self.tags.is_empty()) {
            (false, _) => {}
            (true, true) => self.tags.extend(self.inputs.iter().map(tag_of)),
            (true, false) => self.tags.push_back(tag_of(&input)),
        }
    }

    fn pop_front(&mut self) {
        self.tags.pop_front();
        self.inputs.pop_front();
        if self.inputs.len() <= FEW {
            self.tags.clear();
        }
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
        let remembered = |SeenInput { id, at, verdict, call }| {
            let id = u128::from_ne_bytes(id);
            Remembered { id, at, verdict, call }
        };
        entries.inputs.into_iter().map(remembered).collect()
    }
}

/// Returns the time passed since then, never less than zero.
pub(crate) fn age(now: DateTime<Utc>, at: DateTime<Utc>) -> TimeDelta {
    (now - at).max(TimeDelta::zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn inputs_are_told_apart_by_their_whole_id() {
        let same_tag = |high: u128| (high << 32) | 7;
        let mut ring = Ring::default();
        for call in 1..=70 {
            ring.remember(same_tag(call.into()), (AT, Verdict::Unmatched, call), 64);
        }
        assert_eq!(ring.recall(same_tag(6)), None, "it is forgotten");
        assert_eq!(ring.recall(same_tag(7)), Some((AT, Verdict::Unmatched, 7)));
        assert_eq!(ring.recall(same_tag(70)), Some((AT, Verdict::Unmatched, 70)));
        assert_eq!(ring.recall(same_tag(71)), None);
        assert_eq!(ring.recall(8), None);
    }

    #[test]
    fn the_last_of_two_with_one_id_is_recalled() {
        let mut ring = Ring::default();
        ring.remember(1, (AT, Verdict::Unmatched, 1), 64);
        ring.remember(1, (AT, Verdict::Paused, 2), 64);
        assert_eq!(ring.recall(1), Some((AT, Verdict::Paused, 2)));
    }
}
