//! Clock and randomness of an operating system.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(super) fn millis() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time since it was first asked for.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(super) fn elapsed() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

/// 16 bytes that nobody can guess.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(super) fn key() -> (u64, u64) {
    (RandomState::new().hash_one(0_u8), RandomState::new().hash_one(1_u8))
}
