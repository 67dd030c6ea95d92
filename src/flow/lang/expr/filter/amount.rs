//! Filters of numbers.

use std::fmt::Write;

use rust_decimal::{Decimal as Amount, RoundingStrategy};

use super::super::aid::Aid;
use super::super::error::EvalError;
use super::super::number::Num;
use super::super::val::Val;
use super::args::{quoted, whole};
use crate::flow::lang::number::NumberStyle;

/// Decimals beyond which a number has none to round.
const MAX_PRECISION: i64 = 28;

/// A number from a text; not defined if it is none.
pub(super) fn number<'a>(val: &Val<'a>, aid: &mut Aid<'a, '_>) -> Val<'a> {
    Num::read(val, || aid.marks()).and_then(Num::val).unwrap_or_default()
}

pub(super) fn int<'a>(
    val: &Val<'a>,
    default: Option<Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let op = "int";
    let whole = match needed(op, val, aid) {
        _ if matches!(val, Val::Undefined | Val::Null) => return Ok(default.unwrap_or(Val::Int(0))),
        Ok(Num::Decimal(value)) => Num::Decimal(value.trunc()).val(),
        Ok(Num::Int(value)) => Num::Int(value).val(),
        Ok(Num::Huge(_)) => None,
        Err(error) => return default.ok_or(error),
    };
    Ok(whole.unwrap_or_else(|| aid.nothing(op)))
}

pub(super) fn float<'a>(
    val: &Val<'a>,
    default: Option<Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    match needed("float", val, aid) {
        _ if matches!(val, Val::Undefined | Val::Null) => Ok(default.unwrap_or(Val::Float(0.0))),
        Ok(number) => Ok(Val::Float(number.float())),
        Err(error) => default.ok_or(error),
    }
}

/// A number, or a text that is one. A text may be a number to these filters, so the error says that
/// this one is none.
fn needed<'a>(op: &'static str, val: &Val<'a>, aid: &Aid<'a, '_>) -> Result<Num, EvalError> {
    let found = if val.as_str().is_some() { "a text that is no number" } else { val.kind() };
    let number = if let Val::Bool(_) = val { Num::of(val) } else { Num::read(val, || aid.marks()) };
    number.ok_or(EvalError::TypeMismatch { op, found })
}

/// The same, of a truth value none.
fn number_of<'a>(op: &'static str, val: &Val<'a>, aid: &Aid<'a, '_>) -> Result<Num, EvalError> {
    match val {
        Val::Bool(_) => Err(EvalError::TypeMismatch { op, found: val.kind() }),
        _ => needed(op, val, aid),
    }
}

/// Half to even on the exact value, as Python does.
pub(super) fn round<'a>(
    val: &Val<'a>,
    precision: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let op = "round";
    let precision = whole(op, precision, 0)?;
    let rounded = match number_of(op, val, aid)? {
        Num::Int(value) => Num::Int(round_whole(value, precision)).val(),
        Num::Decimal(value) if precision >= MAX_PRECISION => Num::Decimal(value).val(),
        Num::Decimal(value) if precision >= 0 => {
            let decimals = u32::try_from(precision).unwrap_or_default();
            Num::Decimal(value.round_dp_with_strategy(decimals, RoundingStrategy::MidpointNearestEven)).val()
        }
        Num::Decimal(value) => round_before_point(value, precision).and_then(Num::val),
        huge @ Num::Huge(_) => huge.val(),
    };
    Ok(rounded.unwrap_or_else(|| aid.nothing(op)))
}

/// To tens, hundreds and so on.
fn round_before_point(value: Amount, precision: i64) -> Option<Num> {
    let Some(unit) =
        u32::try_from(precision.saturating_neg()).ok().and_then(|places| 10_i128.checked_pow(places))
    else {
        return Some(Num::Int(0));
    };
    let Ok(unit) = Amount::try_from_i128_with_scale(unit, 0) else { return Some(Num::Int(0)) };
    let units = value.checked_div(unit)?.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
    units.checked_mul(unit).map(Num::Decimal)
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

pub(super) fn abs<'a>(val: &Val<'a>, aid: &mut Aid<'a, '_>) -> Result<Val<'a>, EvalError> {
    let positive = match number_of("abs", val, aid)? {
        Num::Int(value) => value.checked_abs().map(Num::Int),
        Num::Decimal(value) => Some(Num::Decimal(value.abs())),
        Num::Huge(value) => Some(Num::Huge(value.abs())),
    };
    Ok(positive.and_then(Num::val).unwrap_or_else(|| aid.nothing("abs")))
}

/// `EUR 1,234.50`: the code, then the amount with a comma between thousands and the currency's
/// decimals, rounded half to even. The same in every language; `format_number` writes it as
/// that of the contact does.
pub(super) fn currency<'a>(
    val: &Val<'a>,
    code: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let op = "currency";
    let code = quoted(op, code)?.unwrap_or_default();
    let Some(number) = Num::read(val, || aid.marks()) else { return Ok(Val::Undefined) };
    let Some(amount) = number.amount() else { return Ok(aid.nothing(op)) };
    let decimals = decimals(code);
    let mut amount = amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointNearestEven);
    amount.rescale(decimals);
    let mut text = aid.meter.text();
    let blank = if code.is_empty() { "" } else { " " };
    let written = write!(text, "{code}{blank}").and_then(|()| signed(amount, NumberStyle::PLAIN, &mut text));
    aid.meter.written(written.map(|()| text)).map(Val::owned)
}

/// A number as the contact's language writes it, or the one that is named: with so many decimals,
/// rounded half to even, or with those that it has.
pub(super) fn written<'a>(
    val: &Val<'a>,
    decimals: Option<&Val<'a>>,
    language: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let op = "format_number";
    let language = quoted(op, language)?.or_else(|| aid.scope.language());
    let is_rounded = !matches!(decimals, None | Some(Val::Undefined | Val::Null));
    let decimals = if is_rounded { whole(op, decimals, 0)? } else { 0 };
    let Some(number) = Num::read(val, || aid.marks()) else { return Ok(Val::Undefined) };
    let Some(mut amount) = number.amount() else { return Ok(aid.nothing(op)) };
    if is_rounded {
        let decimals = u32::try_from(decimals.clamp(0, MAX_PRECISION)).unwrap_or_default();
        amount = amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointNearestEven);
        amount.rescale(decimals);
    }
    let mut text = aid.meter.text();
    let written = signed(amount, NumberStyle::of(language), &mut text);
    aid.meter.written(written.map(|()| text)).map(Val::owned)
}

fn signed(amount: Amount, style: NumberStyle, out: &mut impl Write) -> std::fmt::Result {
    if amount.is_sign_negative() && !amount.is_zero() {
        out.write_char('-')?;
    }
    style.write(&amount.abs().to_string(), out)
}

/// Decimals of a currency (ISO 4217); two for one that is not known.
fn decimals(code: &str) -> u32 {
    match code {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}
