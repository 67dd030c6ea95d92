//! Quiet hours: when a flow does not speak unless it is spoken to (SEMANTICS U18).

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;
#[cfg(feature = "schema")]
use serde_json::json;

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Read, wrong_type};
#[cfg(feature = "schema")]
use crate::flow::form::schema::SchemaDefinitions;
use crate::flow::lang::context::Compile;
use crate::flow::lang::until::week;
use crate::flow::lang::zone::{Hours, Zone};

/// Quiet hours, as they are written: `"22:00-08:00"`, or a list of such times, each on some days if
/// days are named: `["22:00-08:00", "00:00-24:00 sun"]`. Times over midnight belong to the day that
/// they begin on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHoursDef(pub Vec<String>);

/// Compiled quiet hours.
#[derive(Clone, Debug)]
pub(crate) struct QuietHours(Hours);

/// Times of one list.
const MOST_TIMES: usize = 16;
/// Hours that follow each other without a pause have an end after so many of them, or none: each
/// lies on one of nine days.
const MOST_STEPS: usize = 9 * MOST_TIMES;

impl QuietHoursDef {
    /// The same hours on every day, such as `22:00-08:00`.
    #[must_use]
    pub fn daily(times: impl Into<String>) -> Self {
        Self(vec![times.into()])
    }

    /// None with an issue.
    pub(crate) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<QuietHours> {
        if self.0.is_empty() || self.0.len() > MOST_TIMES {
            let message = format!("has {} times, 1 to {MOST_TIMES} are allowed", self.0.len());
            cx.found.add(IssueCode::BadValue, at, message, "name fewer, or leave it out");
            return None;
        }
        let mut hours = Hours::default();
        for (place, text) in self.0.iter().enumerate() {
            if open(&mut hours, text).is_none() {
                let message = format!("{:?} is not a time range", brief(text));
                let fix = "write two different times such as 22:00-08:00, with days or without: 22:00-08:00 mon-fri";
                cx.found.add(IssueCode::BadValue, &at.item(place), message, fix);
                return None;
            }
        }
        let quiet = QuietHours(hours);
        if quiet.end(DateTime::UNIX_EPOCH, Zone::UTC).is_none() {
            let message = "leaves no time of the week";
            cx.found.add(IssueCode::BadValue, at, message, "shorten the hours of one day");
            return None;
        }
        Some(quiet)
    }
}

/// Adds times such as `22:00-08:00 mon-fri`.
fn open(hours: &mut Hours, text: &str) -> Option<()> {
    let (times, days) = text.trim().split_once(' ').unwrap_or((text.trim(), "mon-sun"));
    let days = week(days)?;
    for (place, day) in hours.week.iter_mut().enumerate() {
        if days & (1 << place) != 0 && !day.open(times) {
            return None;
        }
    }
    Some(())
}

impl QuietHours {
    /// The instant from which on there is no quiet, seen from another one in a zone: that one
    /// itself outside of quiet hours. Where a clock shows the end twice, the first of the two that
    /// is later.
    pub(crate) fn end(&self, from: DateTime<Utc>, zone: Zone) -> Option<DateTime<Utc>> {
        let mut at = from;
        for _ in 0..MOST_STEPS {
            let wall = zone.wall(at);
            let Some(end) = self.0.closes_at(wall) else { return Some(at) };
            at = first_after(at, wall, end, zone);
        }
        None
    }
}

/// The first instant after this one, at which a clock shows `wall`, at which it shows `end`.
fn first_after(at: DateTime<Utc>, wall: NaiveDateTime, end: NaiveDateTime, zone: Zone) -> DateTime<Utc> {
    let first = zone.first_at(end);
    // The clock went back: the hour that it shows for the second time runs on plainly.
    if first > at { first } else { at + (end - wall) }
}

impl Serialize for QuietHoursDef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [times] => serializer.serialize_str(times),
            several => several.serialize(serializer),
        }
    }
}

impl Read for QuietHoursDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::String(times) => Some(Self::daily(times)),
            Value::Array(_) => Vec::read(value, at, found).map(Self),
            other => wrong_type("a text such as \"22:00-08:00\", or a list of them", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        json!({"anyOf": [String::schema(book), Vec::<String>::schema(book)]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(times: &[&str]) -> QuietHours {
        let mut hours = Hours::default();
        for text in times {
            open(&mut hours, text).unwrap();
        }
        QuietHours(hours)
    }

    #[track_caller]
    fn check(times: &[&str], zone: &str, from: &str, expected: &str) {
        let end = quiet(times).end(from.parse().unwrap(), Zone::known(zone).unwrap());
        assert_eq!(
            end.unwrap(),
            expected.parse::<DateTime<Utc>>().unwrap(),
            "{times:?} from {from} in {zone}"
        );
    }

    #[test]
    fn u18_quiet_hours_end() {
        let night = &["22:00-08:00"];
        check(night, "UTC", "2026-05-07T21:59:59Z", "2026-05-07T21:59:59Z");
        check(night, "UTC", "2026-05-07T22:00:00Z", "2026-05-08T08:00:00Z");
        check(night, "UTC", "2026-05-08T07:59:59Z", "2026-05-08T08:00:00Z");
        check(night, "UTC", "2026-05-08T08:00:00Z", "2026-05-08T08:00:00Z");
        // The 9th is a Saturday: a night, a day and a night without a pause.
        let week = &["22:00-08:00", "00:00-24:00 sun", "00:00-24:00 sat"];
        check(week, "UTC", "2026-05-08T23:00:00Z", "2026-05-11T08:00:00Z");
        check(&["12:00-13:00 mon-fri"], "UTC", "2026-05-09T12:30:00Z", "2026-05-09T12:30:00Z");
        check(&["12:00-13:00", "12:30-14:00"], "UTC", "2026-05-09T12:30:00Z", "2026-05-09T14:00:00Z");
        assert_eq!(quiet(&["00:00-24:00"]).end(DateTime::UNIX_EPOCH, Zone::UTC), None);
        assert_eq!(quiet(&["08:00-20:00", "20:00-08:00"]).end(DateTime::UNIX_EPOCH, Zone::UTC), None);
    }

    #[cfg(feature = "time-zones")]
    #[test]
    fn u18_quiet_hours_follow_the_clock_on_the_wall() {
        let night = &["22:00-08:00"];
        check(night, "America/Mexico_City", "2026-05-07T08:14:23Z", "2026-05-07T14:00:00Z");
        check(night, "Asia/Kathmandu", "2026-05-07T20:00:00Z", "2026-05-08T02:15:00Z");
        // Nights of 9 and of 11 hours.
        check(night, "Europe/Berlin", "2026-03-28T21:00:00Z", "2026-03-29T06:00:00Z");
        check(night, "Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T07:00:00Z");
        // An end that the clock jumps over, and one that it shows twice: from before, and from
        // between.
        check(&["23:00-02:30"], "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T01:00:00Z");
        check(&["01:00-02:30"], "Europe/Berlin", "2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z");
        check(&["01:00-02:30"], "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z");
        // Beginning and end within the hour that is shown twice.
        check(&["02:10-02:50"], "Europe/Berlin", "2026-10-25T01:20:00Z", "2026-10-25T01:50:00Z");
    }
}
