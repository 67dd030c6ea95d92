//! `open_hours`: goes one way while a shop is open and another while it is closed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::zone::{Day, Hours};
use crate::flow::lang::zone_template::ZoneTemplate;
use crate::flow::node::{NodeContract, Port, PortName};
use crate::gather::Gather;

/// A choice of ways by the hour. Branches: `open` and `closed`; both need an edge.
///
/// Hours are those that a clock on the wall shows in the time zone, winter and summer.
/// `"22:00-02:00"` ends on the day after, and belongs to the day that it begins on; `"00:00-24:00"`
/// is a whole day. A date in `dates` has hours of its own, none if the list is empty.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "desk", "kind": "open_hours", "timezone": "Europe/Berlin",
///     "hours": {"mon": ["09:00-12:30", "13:30-18:00"], "tue": ["09:00-18:00"], "fri": ["22:00-02:00"]},
///     "dates": {"2026-12-24": ["09:00-12:00"], "2026-12-25": []}
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OpenHoursDef {
    /// The time zone by its name in the IANA database, such as `Europe/Berlin` (feature
    /// `time-zones`); or `UTC`, or a fixed offset such as `+05:30`; or a template that gives one,
    /// such as `{{ contact.timezone }}`. What gives none counts as the contact's.
    pub timezone: String,
    /// The hours of each day of the week.
    pub hours: WeekHoursDef,
    /// Dates with hours of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<BTreeMap<String, Vec<String>>>,
}

/// The hours of a week: `{"mon": ["09:00-18:00"]}`; a day that is left out is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct WeekHoursDef(pub BTreeMap<String, Vec<String>>);

/// Compiled hours.
#[derive(Clone, Debug)]
pub(crate) struct OpenHours {
    pub(crate) zone: ZoneTemplate,
    pub(crate) hours: Hours,
}

impl OpenHours {
    pub(crate) const OPEN: Port = Port(0);
    pub(crate) const CLOSED: Port = Port(1);
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Dates with hours of their own: two years of them.
const MOST_DATES: usize = 732;
/// Times of one day.
const MOST_TIMES: usize = 16;

impl OpenHoursDef {
    /// A week without hours.
    #[must_use]
    pub fn in_zone(timezone: impl Into<String>) -> Self {
        Self { timezone: timezone.into(), ..Self::default() }
    }

    /// With the hours of a day, such as `mon` and `09:00-18:00`.
    #[must_use]
    pub fn with_hours(mut self, day: impl Into<String>, times: impl Into<String>) -> Self {
        self.hours.0.entry(day.into()).or_default().push(times.into());
        self
    }
}

impl NodeContract for OpenHoursDef {
    type Compiled = OpenHours;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            timezone: fields.required("timezone").unwrap_or_default(),
            hours: fields.required("hours").unwrap_or_default(),
            dates: fields.optional::<TimeLists>("dates").map(|times| times.0),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["open".into(), "closed".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<OpenHours> {
        let zone = ZoneTemplate::compile(&self.timezone, &at.key("timezone"), cx);
        let mut hours = Hours::default();
        let week = at.key("hours");
        for (word, times) in &self.hours.0 {
            let at = week.key(word);
            let Some(place) = DAYS.iter().position(|day| day == word) else {
                let message = format!("{:?} is not a day of the week", brief(word));
                cx.found.add(IssueCode::BadValue, &at, message, format!("write one of {}", DAYS.join(", ")));
                continue;
            };
            let times = day(&at, times, cx);
            if let Some(day) = hours.week.get_mut(place) {
                *day = times;
            }
        }
        let list = at.key("dates");
        let dates = self.dates.iter().flatten();
        if self.dates.as_ref().is_some_and(|dates| dates.len() > MOST_DATES) {
            let message = format!("{} dates, at most {MOST_DATES} are allowed", dates.count());
            cx.found.add(IssueCode::BadValue, &list, message, "remove those that have passed");
            return None;
        }
        for (written, times) in dates {
            let at = list.key(written);
            let times = day(&at, times, cx);
            match NaiveDate::parse_from_str(written, "%Y-%m-%d") {
                Ok(date) if written.len() == 10 => {
                    hours.dates.insert(date, times);
                }
                _ => {
                    let message = format!("{:?} is not a date", brief(written));
                    cx.found.add(IssueCode::BadValue, &at, message, "write a date such as 2026-12-25");
                }
            }
        }
        Some(OpenHours { zone: zone?, hours })
    }

    fn has_default_port(&self) -> bool {
        false
    }

    fn needs_edge(&self, _port: Port) -> bool {
        true
    }
}

fn day(at: &Path<'_>, times: &[String], cx: &mut Compile<'_>) -> Day {
    if times.len() > MOST_TIMES {
        let message = format!("{} times, at most {MOST_TIMES} are allowed", times.len());
        cx.found.add(IssueCode::BadValue, at, message, "join some of them");
        return Day::default();
    }
    let mut day = Day::default();
    for (index, text) in times.iter().enumerate() {
        if !day.open(text) {
            let message = format!("{:?} is not a time range", brief(text));
            let fix = "write two different times such as 09:00-18:00";
            cx.found.add(IssueCode::BadValue, &at.item(index), message, fix);
        }
    }
    day
}

/// Lists of texts by name.
struct TimeLists(BTreeMap<String, Vec<String>>);

impl Read for TimeLists {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let object = Map::read(value, at, found)?;
        let entries = object.iter().filter_map(|(name, list)| {
            Some((name.clone(), Vec::<String>::read(list, &at.key(name), found)?))
        });
        Some(Self(entries.gather()))
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut crate::flow::form::schema::SchemaDefinitions) -> Value {
        serde_json::json!({"type": "object", "additionalProperties": Vec::<String>::schema(book)})
    }
}

impl Read for WeekHoursDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        TimeLists::read(value, at, found).map(|times| Self(times.0))
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut crate::flow::form::schema::SchemaDefinitions) -> Value {
        let times = Vec::<String>::schema(book);
        let days = DAYS.iter().map(|day| ((*day).to_owned(), times.clone())).collect::<Map<_, _>>();
        serde_json::json!({"type": "object", "properties": days, "additionalProperties": false})
    }
}
