//! Time zones and the hours of a week in them. The database of zones comes with the crate (feature
//! `time-zones`), so that every machine answers alike; zones that never change need none. In a page
//! the offsets are the page's own.

#[cfg(all(feature = "time-zones", not(all(target_family = "wasm", target_os = "unknown"))))]
mod machine;
#[cfg(all(feature = "time-zones", target_family = "wasm", target_os = "unknown", feature = "js"))]
mod page;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, Timelike, Utc};

use crate::flow::form::diagnostics::Diagnostics;
#[cfg(feature = "time-zones")]
use crate::flow::form::diagnostics::did_you_mean;
#[cfg(feature = "time-zones")]
use crate::flow::form::issue::Repair;
use crate::flow::form::path::{Path, brief};
#[cfg(all(feature = "time-zones", not(all(target_family = "wasm", target_os = "unknown"))))]
use machine as system;
#[cfg(all(feature = "time-zones", target_family = "wasm", target_os = "unknown", feature = "js"))]
use page as system;

/// A time zone.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Zone {
    /// One that is always as far from UTC.
    Fixed(FixedOffset),
    /// One of the IANA database.
    #[cfg(feature = "time-zones")]
    Listed(chrono_tz::Tz),
}

impl Zone {
    /// A zone by its name; none with an issue.
    pub(crate) fn named(name: &str, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let zone = Self::known(name);
        if zone.is_none() {
            unknown(name, at, found);
        }
        zone
    }

    /// A zone by its name; none if it is not known here.
    #[cfg(feature = "time-zones")]
    pub(crate) fn known(name: &str) -> Option<Self> {
        let listed = || name.parse().ok().filter(|zone| system::has(*zone)).map(Self::Listed);
        fixed(name).map(Self::Fixed).or_else(listed)
    }

    /// A zone by its name; none if it is not known here.
    #[cfg(not(feature = "time-zones"))]
    pub(crate) fn known(name: &str) -> Option<Self> {
        fixed(name).map(Self::Fixed)
    }

    /// UTC.
    pub(crate) const UTC: Self = match FixedOffset::east_opt(0) {
        Some(offset) => Self::Fixed(offset),
        None => unreachable!(),
    };

    /// An instant with the offset that the zone has then.
    pub(crate) fn at(self, at: DateTime<Utc>) -> DateTime<FixedOffset> {
        match self {
            Self::Fixed(offset) => at.with_timezone(&offset),
            #[cfg(feature = "time-zones")]
            Self::Listed(zone) => at.with_timezone(&system::offset(zone, at)),
        }
    }

    /// The first instant at which the clock on the wall shows a time, or, where it jumps over it, a
    /// later one (SEMANTICS U16).
    pub(crate) fn first_at(self, wall: NaiveDateTime) -> DateTime<Utc> {
        // No zone is further from UTC, and no clock jumps further.
        const REACH: i64 = 26 * 60;
        let earliest = |minutes: i64| wall.and_utc() + chrono::TimeDelta::minutes(minutes);
        let shows = |at: DateTime<Utc>| self.wall(at) >= wall;
        let exact = (-REACH..=REACH).step_by(15).map(earliest).find(|at| self.wall(*at) == wall);
        exact.unwrap_or_else(|| {
            let (mut before, mut after) = (-REACH, REACH);
            while after - before > 1 {
                let middle = i64::midpoint(before, after);
                if shows(earliest(middle)) { after = middle } else { before = middle }
            }
            earliest(after)
        })
    }

    /// Returns the time that the clock on the wall shows.
    pub(crate) fn wall(self, at: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Self::Fixed(offset) => at.with_timezone(&offset).naive_local(),
            #[cfg(feature = "time-zones")]
            Self::Listed(zone) => at.with_timezone(&system::offset(zone, at)).naive_local(),
        }
    }
}

#[cfg(feature = "time-zones")]
fn unknown(name: &str, at: &Path<'_>, found: &mut Diagnostics) {
    let meant = found.meant(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
    let message = format!("{:?} is not a time zone{}", brief(name), did_you_mean(meant));
    let fix = "write a name such as Europe/Berlin";
    found.add_repairable(crate::flow::IssueCode::BadValue, at, message, fix, Repair::replace(at, meant));
}

/// Reports a zone of which it is not known here if there is one.
#[cfg(not(feature = "time-zones"))]
fn unknown(name: &str, at: &Path<'_>, found: &mut Diagnostics) {
    found.lacks_feature(at, format_args!("the time zone {:?}", brief(name)), "time-zones");
}

/// The greatest distance from UTC that a zone has.
const MOST_HOURS: i32 = 14;

/// A zone that is always as far from UTC: `UTC`, `+05:30`, or one of the database by its name,
/// where `Etc/GMT+5` lies five hours west.
fn fixed(name: &str) -> Option<FixedOffset> {
    if let "UTC" | "UCT" | "Universal" | "Zulu" | "GMT" | "GMT0" | "GMT+0" | "GMT-0" | "Greenwich" =
        name.strip_prefix("Etc/").unwrap_or(name)
    {
        return FixedOffset::east_opt(0);
    }
    if let Some(west) = name.strip_prefix("Etc/GMT") {
        let (sign, hours) = (west.get(..1)?, west.get(1..)?);
        let count: i32 = hours.parse().ok().filter(|count: &i32| count.to_string() == hours)?;
        return match sign {
            "+" if (1..=12).contains(&count) => FixedOffset::west_opt(count * 3600),
            "-" if (1..=MOST_HOURS).contains(&count) => FixedOffset::east_opt(count * 3600),
            _ => None,
        };
    }
    let seconds = i32::try_from(minutes(name.get(1..).filter(|time| time.len() == 5)?)? * 60).ok()?;
    match name.get(..1)? {
        _ if seconds > MOST_HOURS * 3600 => None,
        "+" => FixedOffset::east_opt(seconds),
        "-" => FixedOffset::west_opt(seconds),
        _ => None,
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
    /// True if it is open when the clock on the wall shows this.
    pub(crate) fn is_open(&self, wall: NaiveDateTime) -> bool {
        let minute = wall.hour() * 60 + wall.minute();
        let before = wall.date().pred_opt();
        self.day(wall.date()).holds(minute) || before.is_some_and(|date| self.day(date).holds(minute + DAY))
    }

    /// When it closes, on a clock on the wall that shows this; none if it is closed already.
    pub(crate) fn closes_at(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let minute = wall.hour() * 60 + wall.minute();
        let today = self.day(wall.date()).end(minute).map(|end| (wall.date(), end));
        let before = wall.date().pred_opt();
        let over_midnight = before.and_then(|date| Some((date, self.day(date).end(minute + DAY)?)));
        let ends = [today, over_midnight].into_iter().flatten();
        let walls = ends.map(|(date, end)| {
            date.and_time(chrono::NaiveTime::MIN) + chrono::TimeDelta::minutes(i64::from(end))
        });
        walls.max()
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
        self.end(minute).is_some()
    }

    /// The latest end of the times that hold a minute.
    fn end(&self, minute: u32) -> Option<u32> {
        self.0.iter().filter(|(from, to)| (*from..*to).contains(&minute)).map(|(_, to)| *to).max()
    }
}

/// Minutes from midnight of `09:30`, up to `24:00`.
pub(crate) fn minutes(text: &str) -> Option<u32> {
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
        Zone::known(zone).unwrap().wall(at.parse().unwrap()).to_string()
    }

    #[test]
    fn fixed_zones_need_no_data_base() {
        for (zone, expected) in [
            ("UTC", "2026-01-01 12:00:00"),
            ("Etc/Greenwich", "2026-01-01 12:00:00"),
            ("Etc/GMT+5", "2026-01-01 07:00:00"),
            ("Etc/GMT-14", "2026-01-02 02:00:00"),
            ("+05:30", "2026-01-01 17:30:00"),
            ("-03:30", "2026-01-01 08:30:00"),
            ("+14:00", "2026-01-02 02:00:00"),
        ] {
            assert_eq!(wall(zone, "2026-01-01T12:00:00Z"), expected, "{zone}");
        }
        for zone in [
            "",
            "+",
            "é",
            "utc",
            "05:30",
            "+5:30",
            "+0530",
            "+14:01",
            "+ 5:30",
            "+05:30 ",
            "Etc/",
            "Etc/GMT+",
            "Etc/GMT+05",
            "Etc/GMT+13",
            "Etc/GMT-15",
            "Etc/GMT++5",
            "Etc/GMTé",
        ] {
            assert!(Zone::known(zone).is_none(), "{zone:?}");
        }
    }

    /// The same names mean the same, with the database and without.
    #[cfg(feature = "time-zones")]
    #[test]
    fn fixed_zones_are_as_the_data_base_has_them() {
        use chrono::{Offset, TimeZone};
        let mut count = 0;
        for listed in chrono_tz::TZ_VARIANTS {
            let Some(offset) = fixed(listed.name()) else {
                assert!(!listed.name().starts_with("Etc/"), "{} is known", listed.name());
                continue;
            };
            count += 1;
            for year in [1970, 1999, 2026, 2060] {
                let summer = NaiveDate::from_ymd_opt(year, 7, 1).unwrap().into();
                assert_eq!(listed.offset_from_utc_datetime(&summer).fix(), offset, "{}", listed.name());
            }
        }
        assert_eq!(count, 44);
    }

    #[cfg(feature = "time-zones")]
    #[test]
    fn the_clock_on_the_wall_follows_summer_time() {
        assert_eq!(wall("Europe/Berlin", "2026-03-29T00:59:59Z"), "2026-03-29 01:59:59");
        assert_eq!(wall("Europe/Berlin", "2026-03-29T01:00:00Z"), "2026-03-29 03:00:00");
        assert_eq!(wall("Europe/Berlin", "2060-07-01T12:00:00Z"), "2060-07-01 14:00:00");
        assert_eq!(wall("Australia/Lord_Howe", "2026-01-01T00:00:00Z"), "2026-01-01 11:00:00");
        assert_eq!(wall("Asia/Kathmandu", "2026-01-01T00:00:00Z"), "2026-01-01 05:45:00");
        assert!(Zone::known("Europe/Berlinn").is_none());
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
