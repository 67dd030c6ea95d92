//! The memory of a call while it is decided again: lost races, aliases that others have, attempts
//! of which nobody knows whether they were written (SEMANTICS S17, D6).

use std::time::Duration;

use crate::address::Alias;
use crate::error::{Error, StoreError, StoreErrorKind};
use crate::id::ContactId;
use crate::store::Token;

/// The time for which a call decides again after its first lost race (SEMANTICS S17).
const PATIENCE: Duration = Duration::from_secs(10);
/// The most lost races of one call while its measure of time does not move at all, as in a test
/// whose clock is set by hand: without a bound two such calls could keep each other for good.
const MOST_AT_A_STANDSTILL: u32 = 4_096;
/// Attempts to which an alias leads to another contact that follow each other without a pause.
const FIRST_REFUSALS: u32 = 4;

/// The time for which a call that loses races decides again, by the engine's measure of time
/// (SEMANTICS S17).
#[derive(Default)]
pub(super) struct Patience {
    /// When the first race was lost, and the last one.
    since: Option<Duration>,
    seen: Duration,
    /// The lost races while nothing moved.
    still: u32,
    races: u32,
}

impl Patience {
    /// Takes note of a race that was lost at this time; an error once it has been tried for long
    /// enough.
    pub(super) fn lose(&mut self, elapsed: Duration) -> Result<(), Error> {
        let since = *self.since.get_or_insert(elapsed);
        self.still = if elapsed == self.seen { self.still + 1 } else { 0 };
        (self.seen, self.races) = (elapsed, self.races.saturating_add(1));
        if self.still >= MOST_AT_A_STANDSTILL || elapsed.saturating_sub(since) > PATIENCE {
            return Err(Error::Contention);
        }
        Ok(())
    }

    /// The number of races that were lost.
    pub(super) fn races(&self) -> u32 {
        self.races
    }
}

/// The rounds of a call in which it finds out what its decision must know about addresses. Those
/// beyond what one call can need are lost races: addresses changed hands meanwhile.
#[derive(Default)]
pub(super) struct CallRounds {
    begun: usize,
    more: usize,
    pub(super) patience: Patience,
}

/// The rounds that one call can need: the first, and one for each thing that it may not know.
const NEEDED_ROUNDS: usize = 4;

impl CallRounds {
    /// Allows for this many more.
    pub(super) fn with(more: usize) -> Self {
        Self { more, ..Self::default() }
    }

    /// Begins the next one. Answers true if a race was lost.
    pub(super) fn begin(&mut self) -> bool {
        self.begun = self.begun.saturating_add(1);
        self.begun > NEEDED_ROUNDS + self.more
    }
}

/// The memory of a call from one attempt to the next.
pub(super) struct Attempts {
    patience: Patience,
    /// Commits that were asked for.
    pub(super) commits: u32,
    refusals: u32,
    /// True if an earlier attempt may have been written.
    pub(super) maybe_done: bool,
    /// An alias that an earlier attempt wanted, and the contact that has it.
    pub(super) taken: Option<(Alias, ContactId)>,
    /// A revision that the flows were read again for, whatever was found then: once is enough.
    pub(super) renewed_for: Option<u64>,
}

impl Attempts {
    pub(super) fn new(maybe_done: bool) -> Self {
        Self {
            patience: Patience::default(),
            commits: 0,
            refusals: 0,
            maybe_done,
            taken: None,
            renewed_for: None,
        }
    }

    /// Takes note of an alias that another contact has. Answers true if others are to go first:
    /// aliases that change hands all the time are lost races.
    pub(super) fn refuse(&mut self, taken: (Alias, ContactId), elapsed: Duration) -> Result<bool, Error> {
        self.refusals = self.refusals.saturating_add(1);
        self.taken = Some(taken);
        let is_race = self.refusals > FIRST_REFUSALS;
        if is_race {
            self.lose(elapsed)?;
        }
        Ok(is_race)
    }

    /// Takes note of a race that was lost at this time; too many of them are an error.
    pub(super) fn lose(&mut self, elapsed: Duration) -> Result<(), Error> {
        self.patience.lose(elapsed).map_err(|error| self.doubt(error))
    }

    /// An error of a call that may have written before: nobody knows whether it took effect
    /// (SEMANTICS D6).
    pub(super) fn doubt(&self, error: Error) -> Error {
        match error {
            Error::Store(known) if known.kind() == StoreErrorKind::Unknown => Error::Store(known),
            error if self.maybe_done => Error::Store(StoreError::unknown(error)),
            error => error,
        }
    }

    /// The same of an answer: only where it could not be looked for what was done before.
    pub(super) fn doubt_of_answer(&self, error: Error) -> Error {
        match error {
            error @ (Error::Quarantined(_) | Error::NewerFormat { .. } | Error::ClockSkew { .. }) => {
                self.doubt(error)
            }
            error => error,
        }
    }
}

/// 1 or 2 ms after two lost races, 1 to 4 ms after three, up to 64 ms; another time for each call.
pub(super) fn pause(token: Token, races: u32) -> Duration {
    let (high, low) = token.0.as_u64_pair();
    let mixed = (high ^ low ^ u64::from(races)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    Duration::from_millis(1 + mixed % (1 << races.clamp(2, 7).saturating_sub(1)))
}
