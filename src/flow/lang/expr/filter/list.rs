//! Filters of lists. The order of unlike items is by kind (not defined, null, truth values,
//! numbers, texts, lists, objects), so that sorting is total; a text such as `129.00` is a number.

use std::cmp::Ordering;
use std::fmt::Write;

use super::super::aid::Aid;
use super::super::code::Binary;
use super::super::error::EvalError;
use super::super::meter::Meter;
use super::super::number::Num;
use super::super::ops::{arithmetic, is_list, is_object, items, list, plain_number};
use super::super::val::Val;
use super::args::quoted;
use super::field::{at, keyed};
use crate::gather::Arrange;
use crate::grapheme;
use crate::value::Kind;

pub(super) fn join<'a>(
    val: &Val<'a>,
    sep: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let sep = quoted("join", sep)?.unwrap_or_default();
    if !is_list(val) && !matches!(val, Val::Undefined | Val::Null) {
        return Err(EvalError::TypeMismatch { op: "join", found: val.kind() });
    }
    let mut text = meter.text();
    let mut written = Ok(());
    for (at, item) in items(val).enumerate() {
        meter.step()?;
        if at > 0 {
            written = text.write_str(sep);
        }
        written = written.and_then(|()| item.write(&mut text));
        if written.is_err() {
            break;
        }
    }
    meter.written(written.map(|()| text)).map(Val::owned)
}

pub(super) fn length<'a>(val: &Val<'a>, meter: &mut Meter) -> Result<Val<'a>, EvalError> {
    let len = match val {
        Val::Undefined | Val::Null => 0,
        Val::Str(text) => {
            meter.bytes(text.len())?;
            grapheme::count(text)
        }
        Val::List(items) => items.len(),
        Val::Node(node) if node.kind() != Kind::Number => {
            meter.bytes(node.byte_len())?;
            node.len()
        }
        Val::Map(fields) => fields.names().len(),
        Val::Object(fields) => fields.len(),
        other => return Err(EvalError::TypeMismatch { op: "length", found: other.kind() }),
    };
    i64::try_from(len).map(Val::Int).map_err(|_| EvalError::Overflow { op: "length" })
}

pub(super) fn end<'a>(val: &Val<'a>, last: bool, meter: &mut Meter) -> Result<Val<'a>, EvalError> {
    meter.bytes(if last { val.byte_len() } else { 0 })?;
    if is_list(val) || val.as_str().is_some() {
        return Ok(val.index(if last { -1 } else { 0 }));
    }
    let op = if last { "last" } else { "first" };
    Err(EvalError::TypeMismatch { op, found: val.kind() })
}

pub(super) fn reverse<'a>(val: Val<'a>, meter: &mut Meter) -> Result<Val<'a>, EvalError> {
    if let Val::Str(text) = &val {
        let text = meter.bounded(text)?;
        return meter.checked(grapheme::reversed(text)).map(Val::owned);
    }
    let mut items = list(val, "reverse", meter)?;
    items.reverse();
    Ok(Val::List(items))
}

/// In their order, or in that of a field. A truth value in the place of the field says whether it
/// is reversed.
pub(super) fn sort<'a>(
    val: Val<'a>,
    by: Option<&Val<'a>>,
    reverse: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let (by, reverse) = match by {
        Some(Val::Bool(reversed)) => (None, *reversed),
        by => (quoted("sort", by)?, reverse.is_some_and(Val::is_true)),
    };
    let mut items = keyed(list(val, "sort", meter)?, by);
    // Each item is compared some 15 times; a long text costs as often.
    for (key, _) in &items {
        meter.bytes(key.as_str().map_or(0, str::len).saturating_mul(16))?;
    }
    items.arrange_by(|(a, _), (b, _)| if reverse { order(b, a) } else { order(a, b) });
    Ok(Val::List(items.into_iter().map(|(_, item)| item).collect()))
}

/// The item that replaces all others; undefined of an empty list.
pub(super) fn extreme<'a>(
    val: Val<'a>,
    op: &'static str,
    replaces: fn(Ordering) -> bool,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let mut found: Option<Val<'a>> = None;
    for item in list(val, op, meter)? {
        meter.bytes(item.as_str().map_or(0, str::len))?;
        if found.as_ref().is_none_or(|found| replaces(order(&item, found))) {
            found = Some(item);
        }
    }
    Ok(found.unwrap_or_default())
}

/// The sum of numbers, or of a field of each item, also of those in texts. What is not defined is
/// left out, and so is what is no number, which is told.
pub(super) fn sum<'a>(
    val: Val<'a>,
    by: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let by = quoted("sum", by)?;
    let (mut sum, mut is_told) = (Val::Int(0), false);
    for item in list(val, "sum", aid.meter)? {
        let item = at(&item, by);
        if item.is_undefined() {
            continue;
        }
        let number = match &item {
            Val::Str(_) => Num::read(&item, || aid.marks()),
            other => Num::of(other),
        };
        let Some(number) = number.and_then(Num::val) else {
            if !std::mem::replace(&mut is_told, true) {
                aid.nothing("sum");
            }
            continue;
        };
        sum = arithmetic(Binary::Add, &sum, &number, aid)?;
        if sum.is_undefined() {
            break;
        }
    }
    Ok(sum)
}

/// A total order: `sort_by` asks for one.
fn order(a: &Val<'_>, b: &Val<'_>) -> Ordering {
    match (a, b) {
        (Val::Bool(a), Val::Bool(b)) => a.cmp(b),
        (Val::Str(a), Val::Str(b)) if plain_number(a).is_none() && plain_number(b).is_none() => {
            let small = |text: &str| text.to_ascii_lowercase();
            let (a, b) = (a.as_ref(), b.as_ref());
            if a.bytes().chain(b.bytes()).any(|b| b.is_ascii_uppercase()) {
                small(a).cmp(&small(b))
            } else {
                a.cmp(b)
            }
        }
        _ => rank(a).cmp(&rank(b)).then_with(|| match (sortable(a), sortable(b)) {
            (Some(a), Some(b)) => a.order(b).unwrap_or(Ordering::Equal),
            _ => Ordering::Equal,
        }),
    }
}

fn sortable(val: &Val<'_>) -> Option<Num> {
    match val {
        Val::Str(text) => plain_number(text).map(Num::Decimal),
        other => Num::of(other),
    }
}

fn rank(val: &Val<'_>) -> u8 {
    match val {
        Val::Undefined => 0,
        Val::Null => 1,
        Val::Bool(_) => 2,
        Val::Int(_) | Val::Float(_) | Val::Decimal(_) => 3,
        Val::Str(text) if plain_number(text).is_some() => 3,
        Val::Str(_) => 4,
        _ if is_list(val) => 5,
        _ if is_object(val) => 6,
        _ => 3,
    }
}
