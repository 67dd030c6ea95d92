//! Times as texts have them: an instant, a date, or the time that a clock shows, which is that of
//! some zone (SEMANTICS U12, U16, U17).

use std::borrow::Cow;
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
    /// Reads RFC 3339 and what widespread APIs write for it, the same without an offset, or a date.
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
        let clock = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        clock.map(Self::Clock).or_else(|| instant_of_apis(text).map(Self::Instant))
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

/// An instant in the ways of ISO 8601 that RFC 3339 leaves out (`10:00:00+0000`, `10:00Z`), as
/// databases write it (`2026-05-09 10:00:00+00`, `… UTC`), or as RFC 2822 does.
#[cold]
fn instant_of_apis(text: &str) -> Option<DateTime<FixedOffset>> {
    if has_weekday(text) {
        return DateTime::parse_from_rfc2822(text).ok();
    }
    if !is_dated(text) {
        return None;
    }
    let utc = text.strip_suffix("UTC").or_else(|| text.strip_suffix("GMT"));
    let text = utc.map_or(Cow::Borrowed(text), |time| Cow::Owned(format!("{}Z", time.trim_end())));
    let formats =
        ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%d %H:%M%#z"];
    formats.iter().find_map(|format| DateTime::parse_from_str(&text, format).ok())
}

/// True if a text begins as RFC 2822 writes a time: `Sat, 09 May 2026 10:00:00 GMT`.
fn has_weekday(text: &str) -> bool {
    text.trim_start().as_bytes().get(3) == Some(&b',')
}

/// The order of two texts that are times: of instants, where a clock is that of the zone; if one
/// side is a day, of days. The day of an instant in UTC is that of the zone.
pub(crate) fn compare_times(a: &str, b: &str, zone: impl FnOnce() -> Zone) -> Option<Ordering> {
    use WrittenTime::{Clock, Instant};
    let is_time = |text: &str| is_dated(text) || has_weekday(text);
    let time = |text: &str| is_time(text).then(|| WrittenTime::parse(text)).flatten();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u12_instants_are_read_as_widespread_apis_write_them() {
        let expected = "2026-05-09T10:00:00Z".parse::<DateTime<FixedOffset>>().unwrap();
        for text in [
            "2026-05-09T10:00:00Z",
            "2026-05-09T10:00:00+0000",
            "2026-05-09T10:00:00.000+0000",
            "2026-05-09T10:00Z",
            "2026-05-09T12:00+02:00",
            "2026-05-09T12:00+0200",
            "2026-05-09T15:30:00+0530",
            "2026-05-09 10:00:00+00",
            "2026-05-09 10:00:00.000000+00",
            "2026-05-09 12:00:00 +0200",
            "2026-05-09 10:00:00 UTC",
            "2026-05-09 10:00 UTC",
            "2026-05-09 10:00:00 GMT",
            "2026-05-09T05:00:00-05",
            "Sat, 09 May 2026 10:00:00 GMT",
            "Sat, 9 May 2026 10:00:00 +0000",
            "Sat, 09 May 2026 12:00:00 +0200",
        ] {
            let Some(WrittenTime::Instant(at)) = WrittenTime::parse(text) else { panic!("{text}") };
            assert_eq!(at, expected, "{text}");
            let order = compare_times(text, "2026-05-09T11:00:00Z", || Zone::UTC);
            assert_eq!(order, Some(Ordering::Less), "{text}");
        }
        for text in [
            "2026-05-09T10:00:00+",
            "2026-05-09T25:00Z",
            "2026-05-09 UTC",
            "2026-05-09+0000",
            "10:00Z",
            "Sun, 09 May 2026 10:00:00 GMT",
            "Yes, tomorrow",
            "UTC",
            "1778320800",
        ] {
            assert_eq!(WrittenTime::parse(text), None, "{text}");
        }
        for (text, is_day) in
            [("2026-05-09", true), ("2026-05-09T10:00", false), ("2026-05-09 10:00:00", false)]
        {
            let time = WrittenTime::parse(text);
            assert_eq!(matches!(time, Some(WrittenTime::Day(_))), is_day, "{text}");
            assert!(!matches!(time, None | Some(WrittenTime::Instant(_))), "{text}");
        }
    }
}
