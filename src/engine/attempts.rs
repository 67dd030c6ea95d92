//! The memory of a call while it is decided anew: lost races, aliases that others have, attempts of
//! which nobody knows whether they were written (SEMANTICS S17, D6).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::address::Alias;
use crate::error::{Error, StoreError, StoreErrorKind};
use crate::id::ContactId;
use crate::store::Token;

/// The time for which a call decides anew after lost races, by the engine's clock (SEMANTICS S17).
const PATIENCE: TimeDelta = TimeDelta::seconds(10);
/// The most decisions of one call that lead to an alias which another contact has.
const MOST_REFUSALS: u32 = 16;
/// The most decisions of one call while the clock shows the same millisecond, and so does not move.
const MOST_AT_A_STANDSTILL: u32 = 256;

/// The memory of a call from one attempt to the next.
pub(super) struct Attempts {
    /// When the first began.
    since: DateTime<Utc>,
    /// Commits that were asked for.
    pub(super) commits: u32,
    refusals: u32,
    /// The time at the last lost race, and the number of those while the clock showed the same.
    seen: DateTime<Utc>,
    still: u32,
    /// True if an earlier attempt may have been written.
    pub(super) maybe_done: bool,
    /// An alias that an earlier attempt wanted, and the contact that has it.
    pub(super) taken: Option<(Alias, ContactId)>,
    /// A revision that the flows were read again for, whatever was found then: once is enough.
    pub(super) renewed_for: Option<u64>,
}

impl Attempts {
    pub(super) fn since(now: DateTime<Utc>, maybe_done: bool) -> Self {
        Self {
            since: now,
            commits: 0,
            refusals: 0,
            seen: now,
            still: 0,
            maybe_done,
            taken: None,
            renewed_for: None,
        }
    }

    /// Takes note of an alias that another contact has. No race: a decision that does not know what
    /// to do about it comes to the same each time.
    pub(super) fn refuse(&mut self, taken: (Alias, ContactId)) -> Result<(), Error> {
        self.refusals += 1;
        if self.refusals >= MOST_REFUSALS {
            return Err(self.doubt(Error::Contention));
        }
        self.taken = Some(taken);
        Ok(())
    }

    /// Takes note of a race that was lost at this time; too many of them are an error.
    pub(super) fn lose(&mut self, now: DateTime<Utc>) -> Result<(), Error> {
        self.still = if now == self.seen { self.still + 1 } else { 0 };
        self.seen = now;
        if self.still >= MOST_AT_A_STANDSTILL || now - self.since > PATIENCE {
            return Err(self.doubt(Error::Contention));
        }
        Ok(())
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
