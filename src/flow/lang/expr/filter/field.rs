//! Filters that look at a field of each item of a list: `'price'`, or deeper, `'price.amount'`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::rc::Rc;

use serde_json::Value;

use super::super::aid::Aid;
use super::super::code::Binary;
use super::super::error::EvalError;
use super::super::meter::Meter;
use super::super::number::Num;
use super::super::ops::{binary, equal, is_list, items, list, plain_number};
use super::super::val::Val;
use super::args::{quoted, whole};
use crate::grapheme;

/// The signs that `where` compares by.
const SIGNS: [(&str, Binary); 8] = [
    ("==", Binary::Eq),
    ("!=", Binary::Ne),
    ("<", Binary::Lt),
    ("<=", Binary::Le),
    (">", Binary::Gt),
    (">=", Binary::Ge),
    ("in", Binary::In),
    ("contains", Binary::In),
];

/// True if `where` knows a sign.
pub(in crate::flow::lang::expr) fn is_sign(sign: &str) -> bool {
    SIGNS.iter().any(|(known, _)| *known == sign)
}

/// Returns what lies at a path below a value; without a path the value.
pub(super) fn at<'a>(val: &Val<'a>, path: Option<&str>) -> Val<'a> {
    let Some(path) = path else { return val.clone() };
    path.split('.').fold(val.clone(), |val, name| match name.parse() {
        Ok(index) if is_list(&val) => val.index(index),
        _ => val.key(name),
    })
}

/// The field of each item.
pub(super) fn map<'a>(
    val: Val<'a>,
    field: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let field = quoted("map", field)?;
    let items = list(val, "map", meter)?;
    meter.items(items.len())?;
    Ok(Val::List(items.iter().map(|item| at(item, field)).collect()))
}

/// The items whose field is true, is a value, or compares so with one.
pub(super) fn filter<'a>(
    val: Val<'a>,
    field: Option<&Val<'a>>,
    (sign, value): (Option<Val<'a>>, Option<Val<'a>>),
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let field = quoted("where", field)?;
    let (sign, value) = match (sign, value) {
        (sign, Some(value)) => {
            let sign = quoted("where", sign.as_ref())?.and_then(sign_of);
            (sign.ok_or(EvalError::TypeMismatch { op: "where", found: "no sign" })?, Some(value))
        }
        (value, None) => (("==", Binary::Eq), value),
    };
    let mut kept = Vec::new();
    for item in list(val, "where", aid.meter)? {
        let own = at(&item, field);
        let holds = match &value {
            None => own.is_true(),
            Some(value) if own.is_undefined() => sign.1 == Binary::Ne && !value.is_undefined(),
            Some(value) => {
                aid.meter.bytes(own.byte_len())?;
                let (left, right) = (own, value.clone());
                let (left, right) = if sign.0 == "contains" { (right, left) } else { (left, right) };
                binary(sign.1, left, right, aid)?.is_true()
            }
        };
        if holds {
            kept.push(item);
        }
    }
    Ok(Val::List(kept))
}

fn sign_of(sign: &str) -> Option<(&'static str, Binary)> {
    SIGNS.iter().copied().find(|(known, _)| *known == sign)
}

/// The first of the items that are the same, or whose field is.
pub(super) fn unique<'a>(
    val: Val<'a>,
    by: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let by = quoted("unique", by)?;
    let (mut seen, mut kept) = (BTreeSet::new(), Vec::new());
    for item in list(val, "unique", meter)? {
        if seen.insert(likeness(&at(&item, by), meter)?) {
            kept.push(item);
        }
    }
    Ok(Val::List(kept))
}

/// The items but those that are a value, or are in a list, or whose field is.
pub(super) fn without<'a>(
    val: Val<'a>,
    others: Option<Val<'a>>,
    by: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let by = quoted("without", by)?;
    let mut gone = BTreeSet::new();
    match others.unwrap_or_default() {
        Val::Undefined => {}
        other if is_list(&other) => {
            for other in list(other, "without", meter)? {
                gone.insert(likeness(&other, meter)?);
                // An item of the same list is meant by its field, too.
                gone.insert(likeness(&at(&other, by), meter)?);
            }
        }
        other => _ = gone.insert(likeness(&other, meter)?),
    }
    let mut kept = Vec::new();
    for item in list(val, "without", meter)? {
        if !gone.contains(&likeness(&at(&item, by), meter)?) {
            kept.push(item);
        }
    }
    Ok(Val::List(kept))
}

/// A text that values have in common which are equal: numbers by value, others as they are written.
fn likeness(val: &Val<'_>, meter: &mut Meter) -> Result<String, EvalError> {
    meter.step()?;
    let number = match val {
        Val::Undefined => return Ok("u".to_owned()),
        Val::Str(text) => plain_number(text),
        other => Num::of(other).and_then(Num::amount),
    };
    let mut text = meter.text();
    let written = match number {
        Some(number) => write!(text, "n{}", number.normalize()),
        None => val.write_json(&mut text),
    };
    meter.written(written.map(|()| text))
}

/// So many items or characters from a place on, which counts from the end if it is negative; all
/// that follow if no number is given.
pub(super) fn slice<'a>(
    val: Val<'a>,
    start: Option<&Val<'a>>,
    count: Option<&Val<'a>>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let (start, count) = (whole("slice", start, 0)?, whole("slice", count, i64::MAX)?);
    let count = usize::try_from(count).unwrap_or(0);
    if let Val::Str(text) = &val {
        let text = meter.bounded(text)?;
        return meter.checked(grapheme::slice(text, start, count)).map(Val::owned);
    }
    let from = |len: usize| match usize::try_from(start) {
        Ok(start) => start,
        Err(_) => len.saturating_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let items = list(val, "slice", meter)?;
    let from = from(items.len());
    Ok(Val::List(items.into_iter().skip(from).take(count).collect()))
}

/// The place of the first item that is a value, or whose field is, from 0.
pub(super) fn index<'a>(
    val: &Val<'a>,
    value: Option<Val<'a>>,
    by: Option<&Val<'a>>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    if !is_list(val) {
        return Err(EvalError::TypeMismatch { op: "index", found: val.kind() });
    }
    let (by, value) = (quoted("index", by)?, value.unwrap_or_default());
    for (place, item) in items(val).enumerate() {
        if equal(&at(&item, by), &value, aid)? {
            return Ok(i64::try_from(place).map_or(Val::Undefined, Val::Int));
        }
    }
    Ok(Val::Undefined)
}

/// The value that a text of JSON is; not defined, and told, if it is none.
pub(super) fn from_json<'a>(val: Val<'a>, aid: &mut Aid<'a, '_>) -> Result<Val<'a>, EvalError> {
    let Val::Str(text) = &val else { return Ok(val) };
    let text = aid.meter.bounded(text)?;
    match serde_json::from_str::<Value>(text) {
        Ok(value) => made(value, aid.meter),
        Err(_) => Ok(aid.nothing("from_json")),
    }
}

fn made<'a>(value: Value, meter: &mut Meter) -> Result<Val<'a>, EvalError> {
    meter.step()?;
    Ok(match value {
        Value::Null => Val::Null,
        Value::Bool(value) => Val::Bool(value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Val::Int(value),
            (None, Some(value)) => Val::Float(value),
            (None, None) => Val::Undefined,
        },
        Value::String(text) => Val::owned(text),
        Value::Array(list) => {
            Val::List(list.into_iter().map(|item| made(item, meter)).collect::<Result<_, _>>()?)
        }
        Value::Object(object) => {
            let each = object.into_iter().map(|(key, value)| Ok((key.into(), made(value, meter)?)));
            Val::Object(each.collect::<Result<Rc<[_]>, EvalError>>()?)
        }
    })
}

/// The items in the order of their fields, each with its field.
pub(super) fn keyed<'a>(items: Vec<Val<'a>>, by: Option<&str>) -> Vec<(Val<'a>, Val<'a>)> {
    items.into_iter().map(|item| (at(&item, by), item)).collect()
}
