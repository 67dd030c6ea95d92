//! Time zones and the hours of a week in them. The data base of zones comes with the crate, so that
//! every machine answers alike.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;

/// A time zone of the IANA data base.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zone(Tz);

impl Zone {
    /// A zone by its name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// What the clock on the wall shows.
    pub(crate) fn wall(self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }
}

/// When something is open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hours {
    /// From Monday on.
    pub(crate) week: [Day; 7],
    /// Dates that are not as their day of the week.
    pub(crate) dates: BTreeMap<NaiveDate, Day>,
}

/// The times of one day, in minutes from midnight: an end beyond 24 hours lies on the day after.
#[derive(Clone, Debug, Default)]
pub(crate) struct Day(Vec<(u32, u32)>);

const DAY: u32 = 24 * 60;

impl Hours {
    /// Whether it is open when the clock on the wall shows this.
    pub(crate) fn is_open(&self, wall: NaiveDateTime) -> bool {
        let minute = wall.hour() * 60 + wall.minute();
        let before = wall.date().pred_opt();
        self.day(wall.date()).holds(minute) || before.is_some_and(|date| self.day(date).holds(minute + DAY))
    }

    fn day(&self, date: NaiveDate) -> &Day {
        const CLOSED: &Day = &Day(Vec::new());
        let of_week = || self.week.get(date.weekday().num_days_from_monday() as usize);
        self.dates.get(&date).or_else(of_week).unwrap_or(CLOSED)
    }
}

impl Day {
    /// Adds times such as `09:00-18:00`; answers whether they are times.
    pub(crate) fn open(&mut self, times: &str) -> bool {
        let parsed = times.split_once('-').and_then(|(from, to)| Some((minutes(from)?, minutes(to)?)));
        match parsed {
            Some((from, to)) if from != to && from < DAY && to > 0 => {
                self.0.push((from, if to < from { to + DAY } else { to }));
                true
            }
            Some((from, 0)) if from > 0 => {
                self.0.push((from, DAY));
                true
            }
            _ => false,
        }
    }

    fn holds(&self, minute: u32) -> bool {
        self.0.iter().any(|(from, to)| (*from..*to).contains(&minute))
    }
}

/// Minutes from midnight of `09:30`, up to `24:00`.
fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two = |text: &str| {
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let (hours, minutes): (u32, u32) = (two(hours)?, two(minutes)?);
    let sum = hours * 60 + minutes;
    (minutes < 60 && sum <= DAY).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(zone: &str, at: &str) -> String {
        Zone::named(zone).unwrap().wall(at.parse().unwrap()).to_string()
    }

    #[test]
    fn the_clock_on_the_wall_follows_summer_time() {
        assert_eq!(wall("Europe/Berlin", "2026-03-29T00:59:59Z"), "2026-03-29 01:59:59");
        assert_eq!(wall("Europe/Berlin", "2026-03-29T01:00:00Z"), "2026-03-29 03:00:00");
        assert_eq!(wall("Europe/Berlin", "2060-07-01T12:00:00Z"), "2060-07-01 14:00:00");
        assert_eq!(wall("Australia/Lord_Howe", "2026-01-01T00:00:00Z"), "2026-01-01 11:00:00");
        assert_eq!(wall("Asia/Kathmandu", "2026-01-01T00:00:00Z"), "2026-01-01 05:45:00");
        assert!(Zone::named("Europe/Berlinn").is_none());
    }

    #[test]
    fn times_are_two_times_of_a_day() {
        for times in
            ["09:00-18:00", "22:00-02:00", "00:00-24:00", "18:00-00:00", "23:59-24:00", "09:00 - 10:00"]
        {
            assert!(Day::default().open(times), "{times}");
        }
        for times in [
            "9:00-18:00",
            "09:00",
            "09:00-09:00",
            "24:00-02:00",
            "09:60-10:00",
            "25:00-26:00",
            "",
            "-",
            "09:00-24:01",
        ] {
            assert!(!Day::default().open(times), "{times}");
        }
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_they_begin_on() {
        let mut hours = Hours::default();
        assert!(hours.week[4].open("22:00-02:00"));
        hours.dates.insert(NaiveDate::from_ymd_opt(2026, 5, 15).unwrap(), Day::default());
        let is_open = |at: &str| hours.is_open(at.parse().unwrap());
        // The 8th and the 15th are Fridays.
        assert!(is_open("2026-05-08T22:00:00") && is_open("2026-05-09T01:59:59"));
        assert!(!is_open("2026-05-08T21:59:59") && !is_open("2026-05-09T02:00:00"));
        assert!(!is_open("2026-05-08T01:00:00"));
        assert!(!is_open("2026-05-15T22:00:00") && !is_open("2026-05-16T01:00:00"));
    }
}
