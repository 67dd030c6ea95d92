//! What the operators do. As Jinja does, but where it guesses or would grow without bound:
//! comparing the order of unlike things is false, and `*` repeats nothing. Arithmetic with what is
//! not defined is not defined, so that a text without its price renders as the flow's setting says
//! (SEMANTICS N7); `~` takes it for nothing.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write;

use super::code::Binary;
use super::error::EvalError;
use super::meter::Meter;
use super::number::{Num, floor_div, floor_div_float};
use super::val::Val;
use crate::value::Kind;

pub(super) fn negate<'a>(val: &Val<'a>) -> Result<Val<'a>, EvalError> {
    let op = "-";
    match (val, Num::of(val)) {
        (Val::Undefined, _) => Ok(Val::Undefined),
        (Val::Bool(_), _) | (_, None) => Err(EvalError::TypeMismatch { op, found: val.kind() }),
        (_, Some(Num::Int(value))) => Num::Int(value.saturating_neg()).val(op),
        (_, Some(Num::Float(value))) => Num::Float(-value).val(op),
    }
}

pub(super) fn binary<'a>(
    op: Binary,
    left: Val<'a>,
    right: Val<'a>,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    if op.is_arithmetic() && (left.is_undefined() || right.is_undefined()) {
        return Ok(Val::Undefined);
    }
    match op {
        Binary::Concat => concat(&left, &right, meter),
        Binary::Add => add(left, right, meter),
        Binary::Sub | Binary::Mul | Binary::Div | Binary::FloorDiv | Binary::Rem => {
            arithmetic(op, &left, &right)
        }
        Binary::Eq => equal(&left, &right, meter).map(Val::Bool),
        Binary::Ne => equal(&left, &right, meter).map(|equal| Val::Bool(!equal)),
        Binary::Lt => ordered(&left, &right, Ordering::is_lt, meter),
        Binary::Le => ordered(&left, &right, Ordering::is_le, meter),
        Binary::Gt => ordered(&left, &right, Ordering::is_gt, meter),
        Binary::Ge => ordered(&left, &right, Ordering::is_ge, meter),
        Binary::In => contains(&right, &left, meter).map(Val::Bool),
    }
}

fn concat<'a>(left: &Val<'a>, right: &Val<'a>, meter: &mut Meter) -> Result<Val<'a>, EvalError> {
    let mut text = meter.text();
    let written = left.write(&mut text).and_then(|()| right.write(&mut text));
    meter.written(written.map(|()| text)).map(Val::owned)
}

fn add<'a>(left: Val<'a>, right: Val<'a>, meter: &mut Meter) -> Result<Val<'a>, EvalError> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        let mut text = meter.text();
        let written = text.write_str(left).and_then(|()| text.write_str(right));
        return meter.written(written.map(|()| text)).map(Val::owned);
    }
    if is_list(&left) && is_list(&right) {
        let mut items = list(left, "+", meter)?;
        items.extend(list(right, "+", meter)?);
        meter.items(items.len())?;
        return Ok(Val::List(items));
    }
    arithmetic(Binary::Add, &left, &right)
}

pub(super) fn arithmetic<'a>(op: Binary, left: &Val<'a>, right: &Val<'a>) -> Result<Val<'a>, EvalError> {
    let sign = op.sign();
    let number = |val: &Val<'a>| Num::of(val).ok_or(EvalError::TypeMismatch { op: sign, found: val.kind() });
    let (left, right) = (number(left)?, number(right)?);
    let by_zero = matches!(op, Binary::Div | Binary::FloorDiv | Binary::Rem) && right.as_f64() == 0.0;
    if by_zero {
        return Err(EvalError::DivisionByZero { op: sign });
    }
    let result = match (left, right) {
        (Num::Int(a), Num::Int(b)) => match op {
            Binary::Add => a.checked_add(b).map(Num::Int),
            Binary::Sub => a.checked_sub(b).map(Num::Int),
            Binary::Mul => a.checked_mul(b).map(Num::Int),
            Binary::FloorDiv => floor_div(a, b).map(|(quotient, _)| Num::Int(quotient)),
            Binary::Rem => floor_div(a, b).map(|(_, remainder)| Num::Int(remainder)),
            _ => Some(Num::Float(a as f64 / b as f64)),
        },
        (a, b) => {
            let (a, b) = (a.as_f64(), b.as_f64());
            Some(Num::Float(match op {
                Binary::Add => a + b,
                Binary::Sub => a - b,
                Binary::Mul => a * b,
                Binary::FloorDiv => floor_div_float(a, b).0,
                Binary::Rem => floor_div_float(a, b).1,
                _ => a / b,
            }))
        }
    };
    result.ok_or(EvalError::Overflow { op: sign })?.val(sign)
}

/// True if two values are equal, number by value and lists and objects by their content. Recurses
/// as deep as a value is nested, which packing and the depth of expressions cap.
pub(super) fn equal(left: &Val<'_>, right: &Val<'_>, meter: &mut Meter) -> Result<bool, EvalError> {
    meter.step()?;
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        meter.bytes(left.len().min(right.len()))?;
        return Ok(left == right);
    }
    if let (Some(left), Some(right)) = (Num::of(left), Num::of(right)) {
        return Ok(left.order(right).is_eq() && !left.as_f64().is_nan());
    }
    if is_list(left) && is_list(right) {
        let (mut left, mut right) = (items(left), items(right));
        return loop {
            match (left.next(), right.next()) {
                (None, None) => break Ok(true),
                (Some(left), Some(right)) if equal(&left, &right, meter)? => {}
                _ => break Ok(false),
            }
        };
    }
    if is_object(left) && is_object(right) {
        return equal_objects(left, right, meter);
    }
    Ok(matches!((left, right), (Val::Undefined, Val::Undefined) | (Val::Null, Val::Null)))
}

fn equal_objects(left: &Val<'_>, right: &Val<'_>, meter: &mut Meter) -> Result<bool, EvalError> {
    let (keys, others) = (keys(left), keys(right));
    meter.steps(keys.len())?;
    if keys.len() != others.len() {
        return Ok(false);
    }
    for key in keys {
        meter.bytes(right.byte_len())?;
        let other = right.key(&key);
        if other.is_undefined() || !equal(&left.key(&key), &other, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Numbers with numbers, texts with texts, truth values with each other; the order of anything else
/// is false.
fn ordered<'a>(
    left: &Val<'a>,
    right: &Val<'a>,
    holds: fn(Ordering) -> bool,
    meter: &mut Meter,
) -> Result<Val<'a>, EvalError> {
    let order = match (left, right) {
        (Val::Str(left), Val::Str(right)) => {
            meter.bytes(left.len().min(right.len()))?;
            Some(left.cmp(right))
        }
        (Val::Bool(left), Val::Bool(right)) => Some(left.cmp(right)),
        (Val::Bool(_), _) | (_, Val::Bool(_)) => None,
        _ => match (Num::of(left), Num::of(right)) {
            (Some(left), Some(right)) if !left.as_f64().is_nan() && !right.as_f64().is_nan() => {
                Some(left.order(right))
            }
            _ => None,
        },
    };
    Ok(Val::Bool(order.is_some_and(holds)))
}

fn contains(container: &Val<'_>, sought: &Val<'_>, meter: &mut Meter) -> Result<bool, EvalError> {
    if let Val::Str(text) = container {
        meter.bytes(text.len())?;
        if let Val::Str(sought) = sought {
            return Ok(text.contains(sought.as_ref()));
        }
        let mut written = meter.text();
        let done = sought.write(&mut written);
        return Ok(text.contains(&meter.written(done.map(|()| written))?));
    }
    if is_list(container) {
        for item in items(container) {
            if equal(&item, sought, meter)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    match container {
        Val::Undefined | Val::Null => Ok(false),
        _ if is_object(container) => {
            meter.bytes(container.byte_len())?;
            Ok(sought.as_str().is_some_and(|key| !container.key(key).is_undefined()))
        }
        _ => Err(EvalError::TypeMismatch { op: "in", found: container.kind() }),
    }
}

pub(super) fn is_list(val: &Val<'_>) -> bool {
    matches!(val, Val::List(_)) || matches!(val, Val::Node(node) if node.kind() == Kind::Array)
}

pub(super) fn is_object(val: &Val<'_>) -> bool {
    matches!(val, Val::Map(_)) || matches!(val, Val::Node(node) if node.kind() == Kind::Object)
}

/// The items of a list, without building one; none of anything else.
pub(super) fn items<'v, 'a: 'v>(val: &'v Val<'a>) -> impl Iterator<Item = Cow<'v, Val<'a>>> {
    let (made, packed) = match val {
        Val::List(items) => (items.as_slice(), None),
        Val::Node(node) => (&[][..], Some(node.items())),
        _ => (&[][..], None),
    };
    made.iter().map(Cow::Borrowed).chain(packed.into_iter().flatten().map(|node| Cow::Owned(Val::from(node))))
}

fn keys<'v>(val: &'v Val<'_>) -> Vec<Cow<'v, str>> {
    match val {
        Val::Node(node) => node.entries().map(|(key, _)| Cow::Borrowed(key)).collect(),
        Val::Map(fields) => {
            let present = fields
                .names()
                .iter()
                .filter(|name| fields.field(name).is_some_and(|val| !val.is_undefined()));
            present.map(|name| Cow::Borrowed(*name)).collect()
        }
        _ => Vec::new(),
    }
}

/// The items of a list as values of their own, within what the meter allows.
pub(super) fn list<'a>(val: Val<'a>, op: &'static str, meter: &mut Meter) -> Result<Vec<Val<'a>>, EvalError> {
    match val {
        Val::List(items) => {
            meter.items(items.len())?;
            Ok(items)
        }
        Val::Node(node) if node.kind() == Kind::Array => {
            meter.bytes(node.byte_len())?;
            meter.items(node.len())?;
            Ok(node.items().map(Val::from).collect())
        }
        _ => Err(EvalError::TypeMismatch { op, found: val.kind() }),
    }
}
