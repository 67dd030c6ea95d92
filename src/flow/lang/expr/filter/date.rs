//! Filters of dates and times. A time is a text in RFC 3339, or a date alone, or either without a
//! zone, which is then UTC; what is none of these is not defined. Formats are checked when the
//! expression is parsed.

use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};
use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc,
};

use super::super::error::EvalError;
use super::super::meter::Meter;
use super::super::val::Val;
use super::args::{quoted, whole};

/// Bytes of a text that may be a time, and of a format.
const MAX_BYTES: usize = 64;

struct Moment {
    at: DateTime<FixedOffset>,
    is_date: bool,
}

fn parse(text: &str) -> Option<Moment> {
    let text = text.trim();
    if text.len() > MAX_BYTES {
        return None;
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(Moment { at, is_date: false });
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(Moment { at: date.and_time(NaiveTime::MIN).and_utc().fixed_offset(), is_date: true });
    }
    let time = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .into_iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    time.map(|time| Moment { at: time.and_utc().fixed_offset(), is_date: false })
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
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let format = quoted("date", format)?.unwrap_or("%Y-%m-%d");
    let Some(moment) = val.as_str().and_then(parse) else { return Ok(Val::Undefined) };
    let mut text = meter.text();
    let written = write!(text, "{}", moment.at.format(format));
    meter.written(written.map(|()| text)).map(Val::owned)
}

pub(super) fn add_days<'a>(
    val: &Val<'a>,
    days: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let days = whole("add_days", days, 0)?;
    let Some(moment) = val.as_str().and_then(parse) else { return Ok(Val::Undefined) };
    let later = TimeDelta::try_days(days).and_then(|days| moment.at.checked_add_signed(days));
    // RFC 3339 has four digits for a year.
    let later = later.filter(|later| (0..=9999).contains(&later.year()));
    let later = later.ok_or(EvalError::Overflow { op: "add_days" })?;
    let printed = if moment.is_date {
        later.date_naive().to_string()
    } else {
        later.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    };
    meter.checked(printed).map(Val::owned)
}
