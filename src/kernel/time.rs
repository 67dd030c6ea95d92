//! Sums of instants that never overflow.

use chrono::{DateTime, TimeDelta, Utc};

/// A later instant; the last one there is when it would be beyond.
pub(crate) fn later(from: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    from.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A host's duration as the calendar's; the longest there is when it would be beyond.
pub(crate) fn span(duration: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
