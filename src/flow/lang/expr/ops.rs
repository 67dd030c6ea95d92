//! The operators. They do as Jinja does, but where it guesses or would grow without bound:
//! comparing the order of unlike things is false, and `*` repeats nothing. Arithmetic with what is
//! not defined is not defined, so that a text without its price renders as the flow's setting says
//! (SEMANTICS N7); `~` takes it for nothing.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write;

use rust_decimal::Decimal as Amount;

use super::aid::Aid;
use super::code::Binary;
use super::error::EvalError;
use super::meter::Meter;
use super::number::{Num, floor_div, floor_div_decimal};
use super::val::{Scope, Val};
use crate::flow::lang::moment::compare_times;
use crate::flow::lang::zone::Zone;
use crate::value::Kind;

pub(super) fn negate<'a>(val: &Val<'a>, aid: &mut Aid<'a, '_>) -> Result<Val<'a>, EvalError> {
    let op = "-";
    let number = match val {
        Val::Undefined => return Ok(Val::Undefined),
        Val::Bool(_) => return Err(EvalError::TypeMismatch { op, found: val.kind() }),
        val => operand(op, val, aid)?,
    };
    let negated = match number {
        Num::Int(value) => value.checked_neg().map(Num::Int),
        Num::Decimal(value) => Amount::ZERO.checked_sub(value).map(Num::Decimal),
        Num::Huge(value) => Some(Num::Huge(-value)),
    };
    Ok(negated.and_then(Num::val).unwrap_or_else(|| aid.nothing(op)))
}

pub(super) fn binary<'a>(
    op: Binary,
    left: Val<'a>,
    right: Val<'a>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    if op.is_arithmetic() && (left.is_undefined() || right.is_undefined()) {
        return Ok(Val::Undefined);
    }
    match op {
        Binary::Concat => concat(&left, &right, aid.meter),
        Binary::Add => add(left, right, aid),
        Binary::Sub | Binary::Mul | Binary::Div | Binary::FloorDiv | Binary::Rem => {
            arithmetic(op, &left, &right, aid)
        }
        Binary::Eq => equal(&left, &right, aid).map(Val::Bool),
        Binary::Ne => equal(&left, &right, aid).map(|equal| Val::Bool(!equal)),
        Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge => ordered(op, &left, &right, aid),
        Binary::In => contains(&right, &left, aid).map(Val::Bool),
    }
}

fn concat<'a>(left: &Val<'a>, right: &Val<'a>, meter: &mut Meter) -> Result<Val<'a>, EvalError> {
    let mut text = meter.text();
    let written = left.write(&mut text).and_then(|()| right.write(&mut text));
    meter.written(written.map(|()| text)).map(Val::owned)
}

fn add<'a>(left: Val<'a>, right: Val<'a>, aid: &mut Aid<'a, '_>) -> Result<Val<'a>, EvalError> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        let mut text = aid.meter.text();
        let written = text.write_str(left).and_then(|()| text.write_str(right));
        return aid.meter.written(written.map(|()| text)).map(Val::owned);
    }
    if is_list(&left) && is_list(&right) {
        let mut items = list(left, "+", aid.meter)?;
        items.extend(list(right, "+", aid.meter)?);
        aid.meter.items(items.len())?;
        return Ok(Val::List(items));
    }
    arithmetic(Binary::Add, &left, &right, aid).map_err(|error| match error {
        EvalError::TypeMismatch { op, found: NO_NUMBER } => {
            EvalError::TypeMismatch { op, found: "a text that is no number (`~` joins texts)" }
        }
        other => other,
    })
}

/// An operand that is no number, though a text.
const NO_NUMBER: &str = "a text that is no number";

/// The number that an operand is, or that is written in it (SEMANTICS U10).
fn operand(sign: &'static str, val: &Val<'_>, aid: &Aid<'_, '_>) -> Result<Num, EvalError> {
    let (number, found) = match val {
        Val::Str(text) => (Num::parse(text, || aid.marks()), NO_NUMBER),
        val => (Num::of(val), val.kind()),
    };
    number.ok_or(EvalError::TypeMismatch { op: sign, found })
}

/// Returns the result; out of range, it is not defined (SEMANTICS U11).
pub(super) fn arithmetic<'a>(
    op: Binary,
    left: &Val<'a>,
    right: &Val<'a>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let sign = op.sign();
    let (left, right) = (operand(sign, left, aid)?, operand(sign, right, aid)?);
    if matches!(op, Binary::Div | Binary::FloorDiv | Binary::Rem) && right.is_zero() {
        return Err(EvalError::DivisionByZero { op: sign });
    }
    Ok(calculate(op, left, right).and_then(Num::val).unwrap_or_else(|| aid.nothing(sign)))
}

fn calculate(op: Binary, left: Num, right: Num) -> Option<Num> {
    if let (Num::Int(a), Num::Int(b)) = (left, right) {
        let whole = match op {
            Binary::Add => a.checked_add(b),
            Binary::Sub => a.checked_sub(b),
            Binary::Mul => a.checked_mul(b),
            Binary::FloorDiv => floor_div(a, b).map(|(quotient, _)| quotient),
            Binary::Rem => floor_div(a, b).map(|(_, remainder)| remainder),
            _ => a.checked_div(b).filter(|quotient| quotient.checked_mul(b) == Some(a)),
        };
        if op != Binary::Div || whole.is_some() {
            return whole.map(Num::Int);
        }
    }
    let (a, b) = (left.amount()?, right.amount()?);
    let result = match op {
        Binary::Add => a.checked_add(b),
        Binary::Sub => a.checked_sub(b),
        Binary::Mul => a.checked_mul(b),
        Binary::FloorDiv => floor_div_decimal(a, b).map(|(quotient, _)| quotient),
        Binary::Rem => floor_div_decimal(a, b).map(|(_, remainder)| remainder),
        _ => a.checked_div(b),
    };
    result.map(Num::Decimal)
}

/// True if two values are equal: numbers by value, also where one is in a text; times as times;
/// lists and objects by their content. Recurses as deep as a value is nested, which packing and the
/// depth of expressions cap.
pub(super) fn equal<'a>(left: &Val<'a>, right: &Val<'a>, aid: &mut Aid<'_, '_>) -> Result<bool, EvalError> {
    aid.meter.step()?;
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        aid.meter.bytes(left.len().min(right.len()))?;
        return Ok(left == right || order_of_texts(left, right, aid.scope).is_some_and(Ordering::is_eq));
    }
    if let Some(order) = order_of_numbers(left, right, aid) {
        return Ok(order.is_eq());
    }
    if is_list(left) && is_list(right) {
        let (mut left, mut right) = (items(left), items(right));
        return loop {
            match (left.next(), right.next()) {
                (None, None) => break Ok(true),
                (Some(left), Some(right)) if equal(&left, &right, aid)? => {}
                _ => break Ok(false),
            }
        };
    }
    if is_object(left) && is_object(right) {
        return equal_objects(left, right, aid);
    }
    Ok(matches!((left, right), (Val::Undefined, Val::Undefined) | (Val::Null, Val::Null)))
}

fn equal_objects(left: &Val<'_>, right: &Val<'_>, aid: &mut Aid<'_, '_>) -> Result<bool, EvalError> {
    let (keys, others) = (keys(left), keys(right));
    aid.meter.steps(keys.len())?;
    if keys.len() != others.len() {
        return Ok(false);
    }
    for key in keys {
        aid.meter.bytes(right.byte_len())?;
        let other = right.key(&key);
        if other.is_undefined() || !equal(&left.key(&key), &other, aid)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The order of two numbers, one of which may be in a text.
fn order_of_numbers(left: &Val<'_>, right: &Val<'_>, aid: &Aid<'_, '_>) -> Option<Ordering> {
    let (left, right) = match (left, right) {
        (Val::Str(_), Val::Str(_)) | (Val::Bool(_), Val::Str(_)) | (Val::Str(_), Val::Bool(_)) => {
            return None;
        }
        (Val::Str(text), other) => {
            let other = Num::of(other)?;
            (Num::parse(text, || aid.marks())?, other)
        }
        (other, Val::Str(text)) => (Num::of(other)?, Num::parse(text, || aid.marks())?),
        (left, right) => (Num::of(left)?, Num::of(right)?),
    };
    left.order(right)
}

/// The order of two texts that are both numbers as programs write them, or both times; none of
/// other texts, which have the order of letters. A code with zeros before it is no number.
pub(super) fn order_of_texts(left: &str, right: &str, scope: &dyn Scope) -> Option<Ordering> {
    if !could_be_value(left) || !could_be_value(right) {
        return None;
    }
    match (plain_number(left), plain_number(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        (None, None) => compare_times(left, right, || scope.zone().unwrap_or(Zone::UTC)),
        _ => None,
    }
}

/// False for most texts, at little cost.
fn could_be_value(text: &str) -> bool {
    matches!(text.as_bytes(), [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..])
}

/// The number that a text is beyond doubt: `129.00`, and neither `007` nor `1,5`.
pub(super) fn plain_number(text: &str) -> Option<Amount> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_plain = is_digits(whole) && is_digits(decimals) && (whole == "0" || !whole.starts_with('0'));
    is_plain.then(|| Amount::from_str_exact(text).ok()).flatten()
}

/// Numbers with numbers, also in texts; times with times; texts with texts, truth values with each
/// other. The order of anything else is false, and told (SEMANTICS U12).
fn ordered<'a>(
    op: Binary,
    left: &Val<'a>,
    right: &Val<'a>,
    aid: &mut Aid<'a, '_>,
) -> Result<Val<'a>, EvalError> {
    let order = match (left, right) {
        (Val::Str(left), Val::Str(right)) => {
            aid.meter.bytes(left.len().min(right.len()))?;
            Some(order_of_texts(left, right, aid.scope).unwrap_or_else(|| left.cmp(right)))
        }
        (Val::Bool(left), Val::Bool(right)) => Some(left.cmp(right)),
        (Val::Bool(_), _) | (_, Val::Bool(_)) => None,
        _ => order_of_numbers(left, right, aid),
    };
    let Some(order) = order else {
        if !left.is_undefined() && !right.is_undefined() {
            aid.nothing(op.sign());
        }
        return Ok(Val::Bool(false));
    };
    Ok(Val::Bool(match op {
        Binary::Lt => order.is_lt(),
        Binary::Le => order.is_le(),
        Binary::Gt => order.is_gt(),
        _ => order.is_ge(),
    }))
}

fn contains(container: &Val<'_>, sought: &Val<'_>, aid: &mut Aid<'_, '_>) -> Result<bool, EvalError> {
    if let Val::Str(text) = container {
        aid.meter.bytes(text.len())?;
        if let Val::Str(sought) = sought {
            return Ok(text.contains(sought.as_ref()));
        }
        let mut written = aid.meter.text();
        let done = sought.write(&mut written);
        return Ok(text.contains(&aid.meter.written(done.map(|()| written))?));
    }
    if is_list(container) {
        for item in items(container) {
            if equal(&item, sought, aid)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    match container {
        Val::Undefined | Val::Null => Ok(false),
        _ if is_object(container) => {
            aid.meter.bytes(container.byte_len())?;
            Ok(sought.as_str().is_some_and(|key| !container.key(key).is_undefined()))
        }
        _ => Err(EvalError::TypeMismatch { op: "in", found: container.kind() }),
    }
}

pub(super) fn is_list(val: &Val<'_>) -> bool {
    matches!(val, Val::List(_)) || matches!(val, Val::Node(node) if node.kind() == Kind::Array)
}

pub(super) fn is_object(val: &Val<'_>) -> bool {
    matches!(val, Val::Map(_) | Val::Object(_))
        || matches!(val, Val::Node(node) if node.kind() == Kind::Object)
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
        Val::Object(fields) => fields.iter().map(|(key, _)| Cow::Borrowed(&**key)).collect(),
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
        _ => Err(EvalError::NoList { op, found: val.kind() }),
    }
}
