//! Filters of dates and times. A time is a text in RFC 3339, or a date alone, or a time without an
//! offset, which is what a clock in the zone that is named shows, else in the contact's; what is
//! none of these is not defined. Formats are checked when the expression is parsed.

use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Datelike, FixedOffset, Months, NaiveTime, SecondsFormat, TimeDelta, Utc};

use rust_decimal::prelude::ToPrimitive;

use super::super::aid::Aid;
use super::super::error::EvalError;
use super::super::number::Num;
use super::super::val::Val;
use super::args::{quoted, whole};
use crate::flow::lang::calendar::LanguageNames;
use crate::flow::lang::moment::WrittenTime;
use crate::flow::lang::zone::Zone;

/// Bytes of a format.
const MAX_BYTES: usize = 64;

/// A time that a filter works on.
struct Moment {
    at: DateTime<FixedOffset>,
    is_date: bool,
    /// The zone whose clock shows it, where it has no offset of its own.
    zone: Option<Zone>,
}

/// Reads a time; one without an offset is that of the zone which a filter names, else of the
/// contact's.
fn moment(
    op: &'static str,
    val: Option<&Val<'_>>,
    zone: Option<&Val<'_>>,
    aid: &Aid<'_, '_>,
) -> Result<Option<Moment>, EvalError> {
    let Some(time) = val.and_then(Val::as_str).and_then(WrittenTime::parse) else { return Ok(None) };
    Ok(Some(match time {
        WrittenTime::Instant(at) => Moment { at, is_date: false, zone: None },
        WrittenTime::Day(date) => {
            let at = date.and_time(NaiveTime::MIN).and_utc().fixed_offset();
            Moment { at, is_date: true, zone: None }
        }
        WrittenTime::Clock(clock) => {
            let zone = named_zone(op, zone.unwrap_or(&Val::Null), aid)?.unwrap_or(Zone::UTC);
            Moment { at: zone.at(zone.first_at(clock)), is_date: false, zone: Some(zone) }
        }
    }))
}

/// The zone of a name, the contact's if that is not there; none if there is no such zone.
fn named_zone(op: &'static str, zone: &Val<'_>, aid: &Aid<'_, '_>) -> Result<Option<Zone>, EvalError> {
    Ok(quoted(op, Some(zone))?.map_or_else(|| aid.scope.zone(), Zone::known))
}

/// A time as `now` shows it.
pub(in super::super) fn print(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// True if `strftime` knows all of a format. It is tried on a time, since some pieces can only be
/// read.
pub(in super::super) fn is_format(format: &str) -> bool {
    let known = format.len() <= MAX_BYTES && !StrftimeItems::new(format).any(|item| item == Item::Error);
    known && write!(String::new(), "{}", DateTime::UNIX_EPOCH.fixed_offset().format(format)).is_ok()
}

pub(super) fn format<'a>(
    val: &Val<'a>,
    format: Option<&Val<'a>>,
    zone: Option<&Val<'a>>,
    language: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let op = "date";
    let format = quoted(op, format)?.unwrap_or("%Y-%m-%d");
    let language = quoted(op, language)?.or_else(|| aid.scope.language());
    let Some(moment) = moment(op, Some(val), zone, aid)? else { return Ok(Val::Undefined) };
    let Some(moment) = moved(op, moment, zone, aid)? else { return Ok(aid.nothing(op)) };
    let mut text = aid.meter.text();
    let names = if needs_names(format) { language.and_then(LanguageNames::of) } else { None };
    let written = match names {
        Some(names) => names.write(moment.at, format, &mut text),
        None => write!(text, "{}", moment.at.format(format)),
    };
    aid.meter.written(written.map(|()| text)).map(Val::owned)
}

/// True if a format writes names of months or weekdays.
fn needs_names(format: &str) -> bool {
    ["%A", "%a", "%B", "%b", "%h"].iter().any(|code| format.contains(code))
}

/// The moment as a clock in a zone shows it; a date stays. None: there is no such zone.
fn moved(
    op: &'static str,
    moment: Moment,
    zone: Option<&Val<'_>>,
    aid: &Aid<'_, '_>,
) -> Result<Option<Moment>, EvalError> {
    let zone = match zone {
        None => return Ok(Some(moment)),
        Some(zone) => named_zone(op, zone, aid)?,
    };
    Ok(zone.map(
        |zone| if moment.is_date { moment } else { Moment { at: zone.at(moment.at.to_utc()), ..moment } },
    ))
}

/// The moment on the calendar of the zone that is named, else where it was written: of an instant
/// in UTC that is the contact's (SEMANTICS U16). None: there is no such zone.
fn on_calendar(
    op: &'static str,
    moment: Moment,
    zone: Option<&Val<'_>>,
    aid: &Aid<'_, '_>,
) -> Result<Option<Moment>, EvalError> {
    let is_utc = !moment.is_date && moment.zone.is_none() && moment.at.offset().local_minus_utc() == 0;
    moved(op, moment, zone.or(is_utc.then_some(&Val::Null)), aid)
}

/// The same instant with the offset of a zone, the contact's if none is named.
pub(super) fn local<'a>(
    val: &Val<'a>,
    zone: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let op = "local";
    let Some(moment) = moment(op, Some(val), zone, aid)? else { return Ok(Val::Undefined) };
    let Some(moment) = moved(op, moment, zone.or(Some(&Val::Null)), aid)? else { return Ok(aid.nothing(op)) };
    printed(op, Some(moment), aid)
}

/// A time so much later: hours, minutes and seconds as they pass, days and more by the calendar of
/// the zone, or of the offset that the time has.
pub(super) fn add<'a>(
    val: &Val<'a>,
    value: Option<&Val<'a>>,
    unit: Option<&Val<'a>>,
    zone: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let op = "add";
    let unit = quoted(op, unit)?.unwrap_or_default();
    let value = value.and_then(|value| Num::read(value, || aid.marks()));
    let Some(moment) = moment(op, Some(val), zone, aid)? else { return Ok(Val::Undefined) };
    let value = match value.and_then(Num::val) {
        Some(Val::Int(value)) => value,
        _ => return Ok(aid.nothing(op)),
    };
    let zone = match zone {
        None => Some(moment.zone.unwrap_or(Zone::Fixed(*moment.at.offset()))),
        Some(zone) => named_zone(op, zone, aid)?,
    };
    let later = zone.and_then(|zone| later(&moment, value, unit, zone));
    printed(op, later, aid)
}

fn later(moment: &Moment, value: i64, unit: &str, zone: Zone) -> Option<Moment> {
    let unit = unit.strip_suffix('s').unwrap_or(unit);
    let passing = match unit {
        "second" => TimeDelta::try_seconds(value),
        "minute" => TimeDelta::try_minutes(value),
        "hour" => TimeDelta::try_hours(value),
        _ => None,
    };
    if matches!(unit, "second" | "minute" | "hour") {
        // A date is the midnight with which it begins there.
        let from = if moment.is_date { zone.first_at(moment.at.naive_local()) } else { moment.at.to_utc() };
        let at = from.checked_add_signed(passing?)?;
        return Some(Moment { at: zone.at(at), is_date: false, zone: None });
    }
    let wall = if moment.is_date { moment.at.naive_local() } else { zone.wall(moment.at.to_utc()) };
    let months = |count: i64| {
        let by = Months::new(u32::try_from(count.unsigned_abs()).ok()?);
        if count < 0 { wall.checked_sub_months(by) } else { wall.checked_add_months(by) }
    };
    let wall = match unit {
        "day" => wall.checked_add_signed(TimeDelta::try_days(value)?),
        "week" => wall.checked_add_signed(TimeDelta::try_weeks(value)?),
        "month" => months(value),
        "year" => months(value.checked_mul(12)?),
        _ => None,
    }
    .filter(|wall| (0..=9999).contains(&wall.year()))?;
    let at = if moment.is_date { wall.and_utc().fixed_offset() } else { zone.at(zone.first_at(wall)) };
    Some(Moment { at, is_date: moment.is_date, zone: None })
}

/// The days of the calendar from one time to another, in a zone or where each was written, but of
/// instants in UTC by the contact's clock; negative if the other is earlier.
pub(super) fn days_between<'a>(
    val: &Val<'a>,
    other: Option<&Val<'a>>,
    zone: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let op = "days_between";
    let (Some(from), Some(to)) = (moment(op, Some(val), zone, aid)?, moment(op, other, zone, aid)?) else {
        return Ok(aid.nothing(op));
    };
    let (Some(from), Some(to)) = (on_calendar(op, from, zone, aid)?, on_calendar(op, to, zone, aid)?) else {
        return Ok(aid.nothing(op));
    };
    Ok(Val::Int(to.at.date_naive().signed_duration_since(from.at.date_naive()).num_days()))
}

/// The milliseconds of a unit in which APIs count times; none if there is no such unit.
pub(in super::super) fn millis_per(unit: &str) -> Option<i64> {
    match unit {
        "second" | "seconds" => Some(1_000),
        "millisecond" | "milliseconds" => Some(1),
        _ => None,
    }
}

/// The instant that is so many seconds, or milliseconds, after 1970 began in UTC, as APIs count.
pub(super) fn from_epoch<'a>(
    val: &Val<'a>,
    unit: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let op = "from_epoch";
    let Some(per_unit) = millis_per(quoted(op, unit)?.unwrap_or("seconds")) else {
        return Ok(aid.nothing(op));
    };
    let Some(number) = Num::read(val, || aid.marks()) else { return Ok(Val::Undefined) };
    let millis = number.amount().and_then(|count| count.checked_mul(per_unit.into()));
    let millis = millis.and_then(|millis| millis.trunc().to_i64());
    let at = millis.and_then(DateTime::from_timestamp_millis);
    printed(op, at.map(|at| Moment { at: at.fixed_offset(), is_date: false, zone: None }), aid)
}

/// The day of the week: `mon` to `sun`.
pub(super) fn weekday<'a>(
    val: &Val<'a>,
    zone: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let op = "weekday";
    let Some(moment) = moment(op, Some(val), zone, aid)? else { return Ok(Val::Undefined) };
    let Some(moment) = on_calendar(op, moment, zone, aid)? else { return Ok(aid.nothing(op)) };
    Ok(Val::owned(moment.at.weekday().to_string().to_ascii_lowercase()))
}

pub(super) fn add_days<'a>(
    val: &Val<'a>,
    days: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let op = "add_days";
    let days = whole(op, days, 0)?;
    let Some(moment) = moment(op, Some(val), None, aid)? else { return Ok(Val::Undefined) };
    let zone = moment.zone.unwrap_or(Zone::Fixed(*moment.at.offset()));
    printed(op, later(&moment, days, "days", zone), aid)
}

/// A date as a date, a time in RFC 3339; what is out of range is not defined.
fn printed<'a>(
    op: &'static str,
    moment: Option<Moment>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    // RFC 3339 has four digits for a year.
    let Some(moment) = moment.filter(|moment| (0..=9999).contains(&moment.at.year())) else {
        return Ok(aid.nothing(op));
    };
    let text = if moment.is_date {
        moment.at.date_naive().to_string()
    } else {
        moment.at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    };
    aid.meter.checked(text).map(Val::owned)
}
