//! Filters of numbers.

use std::fmt::Write;

use super::super::error::EvalError;
use super::super::meter::Meter;
use super::super::number::Num;
use super::super::val::Val;
use super::args::{quoted, whole};

/// Decimals beyond which a float has none to round.
const MAX_PRECISION: i64 = 340;

pub(super) fn int<'a>(val: &Val<'a>, default: Option<Val<'a>>) -> Result<Val<'a>, EvalError> {
    let op = "int";
    let number = match val {
        Val::Undefined | Val::Null => return Ok(default.unwrap_or(Val::Int(0))),
        Val::Str(text) => Num::parse(text),
        other => Num::of(other),
    };
    match number {
        // A float beyond 128 bits saturates, and is then out of range.
        Some(Num::Float(value)) => Num::Int(value as i128).val(op),
        Some(whole) => whole.val(op),
        None => default.ok_or(no_number(op, val)),
    }
}

/// A text may be a number to these filters, so the error says that this one is none.
fn no_number(op: &'static str, val: &Val<'_>) -> EvalError {
    let found = if val.as_str().is_some() { "a text that is no number" } else { val.kind() };
    EvalError::TypeMismatch { op, found }
}

pub(super) fn float<'a>(val: &Val<'a>, default: Option<Val<'a>>) -> Result<Val<'a>, EvalError> {
    let op = "float";
    let number = match val {
        Val::Undefined | Val::Null => return Ok(default.unwrap_or(Val::Float(0.0))),
        Val::Str(text) => Num::parse(text),
        other => Num::of(other),
    };
    match number {
        Some(number) => Num::Float(number.as_f64()).val(op),
        None => default.ok_or(no_number(op, val)),
    }
}

/// Half to even on the exact value, as Python does; a whole number stays whole.
pub(super) fn round<'a>(val: &Val<'a>, precision: Option<&Val<'a>>) -> Result<Val<'a>, EvalError> {
    let op = "round";
    let precision = whole(op, precision, 0)?;
    match number(op, val)? {
        Num::Int(value) => Num::Int(round_whole(value, precision)).val(op),
        Num::Float(value) if precision > MAX_PRECISION => Num::Float(value).val(op),
        Num::Float(value) if precision >= 0 => {
            let decimals = usize::try_from(precision).unwrap_or_default();
            let rounded = format!("{value:.decimals$}").parse().unwrap_or(value);
            Num::Float(rounded).val(op)
        }
        Num::Float(value) => {
            let unit = 10_f64.powi(i32::try_from(precision.saturating_neg()).unwrap_or(i32::MAX));
            Num::Float(if unit.is_finite() { (value / unit).round_ties_even() * unit } else { 0.0 }).val(op)
        }
    }
}

fn round_whole(value: i128, precision: i64) -> i128 {
    let places = u32::try_from(precision.saturating_neg()).unwrap_or_default();
    if precision >= 0 {
        return value;
    }
    let Some(unit) = 10_i128.checked_pow(places) else { return 0 };
    let below = value.checked_rem_euclid(unit).unwrap_or_default();
    let base = value.saturating_sub(below);
    let is_odd = base.checked_div_euclid(unit).is_some_and(|units| units.rem_euclid(2) == 1);
    let above = unit.saturating_sub(below);
    if below > above || (below == above && is_odd) { base.saturating_add(unit) } else { base }
}

pub(super) fn abs<'a>(val: &Val<'a>) -> Result<Val<'a>, EvalError> {
    match number("abs", val)? {
        Num::Int(value) => Num::Int(value.saturating_abs()).val("abs"),
        Num::Float(value) => Num::Float(value.abs()).val("abs"),
    }
}

fn number(op: &'static str, val: &Val<'_>) -> Result<Num, EvalError> {
    match val {
        Val::Bool(_) => Err(EvalError::TypeMismatch { op, found: val.kind() }),
        _ => Num::of(val).ok_or(EvalError::TypeMismatch { op, found: val.kind() }),
    }
}

/// `EUR 1,234.50`: the code, then the amount with a comma between thousands and the currency's
/// decimals, rounded half to even. The same in every language, since a translation's text can
/// format by itself.
pub(super) fn currency<'a>(
    val: &Val<'a>,
    code: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let op = "currency";
    let code = quoted(op, code)?.unwrap_or_default();
    let Some(amount) = Num::read(val) else { return Ok(Val::Undefined) };
    let decimals = decimals(code);
    let digits = match amount {
        Num::Int(value) if decimals == 0 => value.unsigned_abs().to_string(),
        Num::Int(value) => format!("{}.{:0decimals$}", value.unsigned_abs(), 0),
        Num::Float(value) => format!("{:.decimals$}", value.abs()),
    };
    let is_zero = digits.bytes().all(|b| matches!(b, b'0' | b'.'));
    let minus = if amount.as_f64() < 0.0 && !is_zero { "-" } else { "" };
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = meter.text();
    let mut written = write!(text, "{code}{}{minus}", if code.is_empty() { "" } else { " " });
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len().saturating_sub(at);
        let comma = if at > 0 && left.is_multiple_of(3) { "," } else { "" };
        written = written.and_then(|()| write!(text, "{comma}{digit}"));
    }
    written = written.and_then(|()| text.write_str(fraction));
    meter.written(written.map(|()| text)).map(Val::owned)
}

/// Decimals of a currency (ISO 4217); two for one that is not known.
fn decimals(code: &str) -> usize {
    match code {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}
