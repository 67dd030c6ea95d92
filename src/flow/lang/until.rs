//! When something is to happen, as an author or a template says it: after a time, at an instant, or
//! when a clock on the wall shows a time on one of some days (SEMANTICS U17).

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Utc, Weekday};

use crate::flow::form::span::Span;
use crate::flow::lang::moment::{WrittenTime, is_common};
use crate::flow::lang::zone::{Zone, minutes};

/// A time to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// So much later.
    Span(TimeDelta),
    /// An instant.
    Instant(DateTime<Utc>),
    /// A time on a clock on the wall.
    Wall(NaiveDateTime),
    /// The next time that a clock shows so many minutes from midnight, on one of these days: the
    /// first bit is Monday.
    Clock { minute: u32, days: u8 },
}

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const EVERY_DAY: u8 = 0b111_1111;

impl Until {
    /// Reads `23h`, `2026-05-07T09:00:00+02:00`, `2026-05-07T09:00`, `2026-05-07`, `09:00`,
    /// `next 09:00` or `next 09:00 mon-fri`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match WrittenTime::parse(text) {
            Some(WrittenTime::Instant(instant)) => return Some(Self::Instant(instant.to_utc())),
            Some(time) => return time.clock().filter(is_common).map(Self::Wall),
            None => {}
        }
        if let Ok(span) = Span::parse(text) {
            return Some(Self::Span(span.as_delta()));
        }
        let clock = text.strip_prefix("next ").unwrap_or(text).trim_start();
        let (time, days) = clock.split_once(' ').unwrap_or((clock, ""));
        let padded =
            if time.find(':') == Some(1) { Cow::Owned(format!("0{time}")) } else { Cow::Borrowed(time) };
        let minute = minutes(&padded).filter(|minute| *minute < 24 * 60)?;
        let days = if days.trim().is_empty() { EVERY_DAY } else { week(days)? };
        Some(Self::Clock { minute, days })
    }

    /// The instant, seen from now on in a zone: of a clock always a later one.
    pub(crate) fn after(self, now: DateTime<Utc>, zone: Zone) -> Option<DateTime<Utc>> {
        match self {
            Self::Span(span) => now.checked_add_signed(span),
            Self::Instant(instant) => Some(instant),
            Self::Wall(wall) => Some(zone.first_at(wall)),
            Self::Clock { minute, days } => {
                let today = zone.wall(now).date();
                let dates = today.iter_days().take(9).filter(|date| days & bit(date.weekday()) != 0);
                let times = dates.filter_map(|date| date.and_hms_opt(minute / 60, minute % 60, 0));
                times.map(|wall| zone.first_at(wall)).find(|at| *at > now)
            }
        }
    }
}

fn bit(day: Weekday) -> u8 {
    1 << day.num_days_from_monday()
}

/// The days of `mon-fri`, `mon,wed,sat-sun` or `monday`.
pub(crate) fn week(text: &str) -> Option<u8> {
    let is_day = |day: &str, name: &str| {
        day.eq_ignore_ascii_case(name) || day.get(..3).is_some_and(|short| short.eq_ignore_ascii_case(name))
    };
    let place = |name: &str| DAYS.iter().position(|day| is_day(day, name.trim()));
    let mut days = 0;
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (place(from)?, place(to)?);
        let length = (to + 7 - from) % 7;
        days = (0..=length).fold(days, |days, day| days | (1 << ((from + day) % 7)));
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, zone: &str, now: &str, expected: &str) {
        let at = Until::parse(text).unwrap().after(now.parse().unwrap(), Zone::known(zone).unwrap());
        assert_eq!(at.unwrap(), expected.parse::<DateTime<Utc>>().unwrap(), "{text} after {now} in {zone}");
    }

    #[test]
    fn u17_times_to_come_are_read() {
        for text in [
            "",
            "soon",
            "900",
            "9:0",
            "2026-5",
            "2026-02-30",
            "2026-05-07T25:00",
            "next 2026-05-07",
            "24:00",
            "25:00",
            "next",
            "next 09:00 fun",
            "09:00 mon-",
            "09:00 mond",
            "09:00mon",
        ] {
            assert_eq!(Until::parse(text), None, "{text:?}");
        }
        check("23h", "UTC", "2026-05-07T08:14:23Z", "2026-05-08T07:14:23Z");
        check("2026-05-07T09:00:00+02:00", "UTC", "2026-05-07T08:14:23Z", "2026-05-07T07:00:00Z");
        check("09:00", "UTC", "2026-05-07T08:14:23Z", "2026-05-07T09:00:00Z");
        check("9:00", "UTC", "2026-05-07T08:14:23Z", "2026-05-07T09:00:00Z");
        check("next 9:00 Monday", "UTC", "2026-05-07T08:14:23Z", "2026-05-11T09:00:00Z");
        check("09:00 monday-wednesday,sat", "UTC", "2026-05-07T08:14:23Z", "2026-05-09T09:00:00Z");
        check("2026-05-08", "UTC", "2026-05-07T08:14:23Z", "2026-05-08T00:00:00Z");
        check("2026-05-08T09:00", "UTC", "2026-05-07T08:14:23Z", "2026-05-08T09:00:00Z");
        check("2026-05-08 09:00:30", "UTC", "2026-05-07T08:14:23Z", "2026-05-08T09:00:30Z");
        check("next 09:00", "UTC", "2026-05-07T09:00:00Z", "2026-05-08T09:00:00Z");
        // The 7th is a Thursday.
        check("next 09:00 mon-fri", "UTC", "2026-05-08T09:00:00Z", "2026-05-11T09:00:00Z");
        check("09:00 Sat-Mon", "UTC", "2026-05-07T10:00:00Z", "2026-05-09T09:00:00Z");
        check("09:00 wed,thu", "UTC", "2026-05-07T10:00:00Z", "2026-05-13T09:00:00Z");
    }

    #[cfg(feature = "time-zones")]
    #[test]
    fn u17_a_clock_on_the_wall_is_followed_in_every_zone() {
        check("09:00", "America/Mexico_City", "2026-05-07T08:14:23Z", "2026-05-07T15:00:00Z");
        check("2026-05-08T09:00", "America/Mexico_City", "2026-05-07T08:14:23Z", "2026-05-08T15:00:00Z");
        check("2026-05-08", "Asia/Tokyo", "2026-05-07T08:14:23Z", "2026-05-07T15:00:00Z");
        check("2026-03-29T02:30", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z");
        check("09:00", "Asia/Kolkata", "2026-05-07T08:14:23Z", "2026-05-08T03:30:00Z");
        check("08:00", "Pacific/Kiritimati", "2026-05-07T08:14:23Z", "2026-05-07T18:00:00Z");
        check("00:00", "Pacific/Pago_Pago", "2026-05-07T08:14:23Z", "2026-05-07T11:00:00Z");
        // The clock jumps from 02:00 to 03:00, and back from 03:00 to 02:00.
        check("02:30", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z");
        check("02:30", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z");
        check("02:30", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
        check("09:00", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T07:00:00Z");
        check("09:00", "America/New_York", "2026-10-31T14:00:00Z", "2026-11-01T14:00:00Z");
        // A jump of half an hour, and one at midnight.
        check("02:15", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z");
        check("00:00", "America/Santiago", "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z");
        // A day that Samoa left out: the clock jumps over its noon at midnight.
        check("12:00", "Pacific/Apia", "2011-12-29T23:00:00Z", "2011-12-30T10:00:00Z");
    }
}
