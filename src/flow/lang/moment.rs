//! Times as texts have them: an instant, a date, or the time that a clock shows, which is that of
//! some zone (SEMANTICS U12, U16, U17).

use std::cmp::Ordering;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};

use crate::flow::lang::zone::Zone;

/// Bytes of a text that may be a time.
const MOST_BYTES: usize = 64;

/// A time as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrittenTime {
    /// An instant, with the offset that it is written with.
    Instant(DateTime<FixedOffset>),
    /// A date and a time without an offset: a clock shows them.
    Clock(NaiveDateTime),
    /// A date alone.
    Day(NaiveDate),
}

impl WrittenTime {
    /// Reads RFC 3339, the same without an offset, or a date.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > MOST_BYTES {
            return None;
        }
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::Instant(at));
        }
        if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Some(Self::Day(day));
        }
        let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
        formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()).map(Self::Clock)
    }

    /// The day where it is written.
    pub(crate) fn day(self) -> NaiveDate {
        match self {
            Self::Instant(at) => at.date_naive(),
            Self::Clock(clock) => clock.date(),
            Self::Day(day) => day,
        }
    }

    /// The time that the clock shows; of a date its midnight. None of an instant.
    pub(crate) fn clock(self) -> Option<NaiveDateTime> {
        match self {
            Self::Instant(_) => None,
            Self::Clock(clock) => Some(clock),
            Self::Day(day) => Some(day.and_time(NaiveTime::MIN)),
        }
    }
}

/// The order of two texts that are times: of instants, where a clock is that of the zone; if one
/// side is a day, of days. The day of an instant in UTC is that of the zone.
pub(crate) fn compare_times(a: &str, b: &str, zone: impl FnOnce() -> Zone) -> Option<Ordering> {
    use WrittenTime::{Clock, Instant};
    let time = |text: &str| is_dated(text).then(|| WrittenTime::parse(text)).flatten();
    Some(match (time(a)?, time(b)?) {
        (Instant(a), Instant(b)) => a.cmp(&b),
        (Clock(a), Clock(b)) => a.cmp(&b),
        (Instant(a), Clock(b)) => a.to_utc().cmp(&zone().first_at(b)),
        (Clock(a), Instant(b)) => zone().first_at(a).cmp(&b.to_utc()),
        (Instant(a), b) if is_utc(&a) => zone().wall(a.to_utc()).date().cmp(&b.day()),
        (a, Instant(b)) if is_utc(&b) => a.day().cmp(&zone().wall(b.to_utc()).date()),
        (a, b) => a.day().cmp(&b.day()),
    })
}

fn is_utc(at: &DateTime<FixedOffset>) -> bool {
    at.offset().local_minus_utc() == 0
}

/// True if a text begins as a date of ten figures does.
fn is_dated(text: &str) -> bool {
    let Some(date) = text.trim_start().as_bytes().first_chunk::<10>() else { return false };
    date.iter().enumerate().all(|(place, byte)| match place {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    })
}

/// True for a year of four digits.
pub(crate) fn is_common(time: &impl Datelike) -> bool {
    (1..=9999).contains(&time.year())
}
