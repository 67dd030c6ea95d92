//! Numbers as the operators see them: decimal ones of 28 digits, whole ones exact in 128 bits; a
//! result beyond them is none and never wraps (SEMANTICS U11).

use std::cmp::Ordering;

use rust_decimal::Decimal as Amount;

use super::val::Val;
use crate::flow::lang::number::{Marks, from_float, parse_programmed, read_with, to_float};

#[derive(Clone, Copy, Debug)]
pub(super) enum Num {
    Int(i128),
    Decimal(Amount),
    /// A float beyond 28 digits, which has an order and nothing else.
    Huge(f64),
}

impl Num {
    /// A truth value counts as 0 or 1, as in Jinja.
    pub(super) fn of(val: &Val<'_>) -> Option<Self> {
        match val {
            Val::Bool(value) => Some(Self::Int(i128::from(*value))),
            Val::Int(value) => Some(Self::Int(i128::from(*value))),
            Val::Float(value) => Some(from_float(*value).map_or(Self::Huge(*value), Self::decimal)),
            Val::Decimal(value) => Some(Self::decimal(*value)),
            Val::Node(node) => node.as_u64().map(|value| Self::Int(i128::from(value))),
            _ => None,
        }
    }

    /// A number that is one already, or is written in a text.
    pub(super) fn read(val: &Val<'_>, marks: impl FnOnce() -> Marks) -> Option<Self> {
        match val {
            Val::Bool(_) => None,
            Val::Str(text) => Self::parse(text, marks),
            _ => Self::of(val),
        }
    }

    /// The number that a text is, as people and as programs write it.
    pub(super) fn parse(text: &str, marks: impl FnOnce() -> Marks) -> Option<Self> {
        read_with(text, marks).or_else(|| parse_programmed(text)).map(Self::decimal)
    }

    /// A whole number is kept as one.
    fn decimal(value: Amount) -> Self {
        match i64::try_from(value) {
            Ok(whole) if value.is_integer() => Self::Int(i128::from(whole)),
            _ => Self::Decimal(value),
        }
    }

    pub(super) fn amount(self) -> Option<Amount> {
        match self {
            Self::Int(value) => Amount::try_from_i128_with_scale(value, 0).ok(),
            Self::Decimal(value) => Some(value),
            Self::Huge(_) => None,
        }
    }

    pub(super) fn is_zero(self) -> bool {
        match self {
            Self::Int(value) => value == 0,
            Self::Decimal(value) => value.is_zero(),
            Self::Huge(_) => false,
        }
    }

    /// The value, if it is in range.
    pub(super) fn val<'a>(self) -> Option<Val<'a>> {
        match self {
            Self::Int(value) => match i64::try_from(value) {
                Ok(value) => Some(Val::Int(value)),
                Err(_) => self.amount().map(Val::Decimal),
            },
            Self::Decimal(value) => match Self::decimal(value) {
                Self::Int(_) => i64::try_from(value).ok().map(Val::Int),
                _ => Some(Val::Decimal(value.normalize())),
            },
            Self::Huge(value) => value.is_finite().then_some(Val::Float(value)),
        }
    }

    /// Exact; a number that is none has no order.
    pub(super) fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (a, b) => match (a.amount(), b.amount()) {
                (Some(a), Some(b)) => Some(a.cmp(&b)),
                _ => a.float().partial_cmp(&b.float()),
            },
        }
    }

    pub(super) fn float(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Decimal(value) => to_float(value),
            Self::Huge(value) => value,
        }
    }
}

impl Val<'_> {
    /// The number that it is, or that is written in it.
    pub(crate) fn amount(&self, marks: impl FnOnce() -> Marks) -> Option<Amount> {
        Num::read(self, marks)?.amount()
    }
}

/// Quotient and remainder, rounded down: the remainder has the divisor's sign.
pub(super) fn floor_div(a: i128, b: i128) -> Option<(i128, i128)> {
    let quotient = a.checked_div(b)?;
    let remainder = a.checked_rem(b)?;
    if remainder != 0 && (remainder < 0) != (b < 0) {
        return Some((quotient.checked_sub(1)?, remainder.checked_add(b)?));
    }
    Some((quotient, remainder))
}

/// The same for decimals.
pub(super) fn floor_div_decimal(a: Amount, b: Amount) -> Option<(Amount, Amount)> {
    let remainder = a.checked_rem(b)?;
    let quotient = a.checked_sub(remainder)?.checked_div(b)?;
    if !remainder.is_zero() && remainder.is_sign_negative() != b.is_sign_negative() {
        return Some((quotient.checked_sub(Amount::ONE)?, remainder.checked_add(b)?));
    }
    Some((quotient, remainder))
}
