//! Time and fresh ids: the only place that reads the system's clock or draws randomness, one file
//! for machines and one for pages. Everything else is given `now` and an id as arguments.

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod machine;
#[cfg(all(target_family = "wasm", target_os = "unknown", feature = "js"))]
mod page;

use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[doc(no_inline)]
pub use chrono::{DateTime, TimeDelta, Utc};
use siphasher::sip128::{Hasher128, SipHasher13};
use uuid::Uuid;

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
use machine as system;
#[cfg(all(target_family = "wasm", target_os = "unknown", feature = "js"))]
use page as system;

#[cfg(all(target_family = "wasm", target_os = "unknown", not(feature = "js")))]
compile_error!(
    "wasm32-unknown-unknown has neither a clock nor randomness: build chatflow with the feature `js`, \
     whose `SystemClock` and `RandomIds` ask the page for both"
);

/// Where the engine reads the time.
///
/// Contract:
/// 1. `now` may stop or go backwards; the engine keeps each conversation's own time monotone
///    ([SEMANTICS S8](crate::semantics#s8)).
/// 2. It is read once per call, and used to the millisecond.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;

    /// The time since a moment that stays the same, to measure by how long things take. It never
    /// goes back. It is read for an observer, and by calls that lose races
    /// ([SEMANTICS S17](crate::semantics#s17)); by default it is `now`, to the millisecond.
    fn elapsed(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.now().timestamp_millis()).unwrap_or(0))
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> DateTime<Utc> {
        (**self).now()
    }

    fn elapsed(&self) -> Duration {
        (**self).elapsed()
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> DateTime<Utc> {
        (**self).now()
    }

    fn elapsed(&self) -> Duration {
        (**self).elapsed()
    }
}

/// The system's clock, to the millisecond. In a page, with the feature `js`, that is `Date.now`,
/// and time is measured by `performance.now`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(system::millis()).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn elapsed(&self) -> Duration {
        system::elapsed()
    }
}

/// Where ids of sessions, contacts and calls come from.
///
/// Contract:
/// 1. `mint` never answers the same id twice, in any process that shares a store.
/// 2. It is called once per engine call and thing, never again when a commit is tried anew.
pub trait Ids: Send + Sync {
    /// A new id; `now` may go into it, so that ids sort by time.
    fn mint(&self, now: DateTime<Utc>) -> Uuid;
}

impl<I: Ids + ?Sized> Ids for Arc<I> {
    fn mint(&self, now: DateTime<Utc>) -> Uuid {
        (**self).mint(now)
    }
}

impl<I: Ids + ?Sized> Ids for &I {
    fn mint(&self, now: DateTime<Utc>) -> Uuid {
        (**self).mint(now)
    }
}

/// UUIDs of version 7: the call's millisecond, then 74 bits of a keyed hash over a counter.
///
/// The key is drawn from the operating system once, so that minting costs no system call; in a
/// page, with the feature `js`, from `crypto.getRandomValues`.
#[derive(Debug)]
pub struct RandomIds {
    key: (u64, u64),
    counter: AtomicU64,
}

impl RandomIds {
    /// A fresh, unguessable sequence.
    #[must_use]
    pub fn new() -> Self {
        Self { key: system::key(), counter: AtomicU64::new(0) }
    }
}

impl Default for RandomIds {
    fn default() -> Self {
        Self::new()
    }
}

impl Ids for RandomIds {
    fn mint(&self, now: DateTime<Utc>) -> Uuid {
        let mut hasher = SipHasher13::new_with_keys(self.key.0, self.key.1);
        hasher.write_u64(self.counter.fetch_add(1, Ordering::Relaxed));
        let [head @ .., _, _, _, _, _, _] = hasher.finish128().as_bytes();
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &head).into_uuid()
    }
}
