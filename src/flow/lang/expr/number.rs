//! Numbers as the operators see them: whole ones exact, in 128 bits; a result that does not fit 64
//! bits, or is not finite, is an error and never wraps.

use std::cmp::Ordering;

use super::error::EvalError;
use super::val::Val;

#[derive(Clone, Copy, Debug)]
pub(super) enum Num {
    Int(i128),
    Float(f64),
}

impl Num {
    /// A truth value counts as 0 or 1, as in Jinja.
    pub(super) fn of(val: &Val<'_>) -> Option<Self> {
        match val {
            Val::Bool(value) => Some(Self::Int(i128::from(*value))),
            Val::Int(value) => Some(Self::Int(i128::from(*value))),
            Val::Float(value) => Some(Self::Float(*value)),
            Val::Node(node) => node.as_u64().map(|value| Self::Int(i128::from(value))),
            _ => None,
        }
    }

    /// A number that is one already, or is written in a text.
    pub(super) fn read(val: &Val<'_>) -> Option<Self> {
        match val {
            Val::Bool(_) => None,
            Val::Str(text) => Self::parse(text),
            _ => Self::of(val),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(value) = text.parse::<i64>() {
            return Some(Self::Int(i128::from(value)));
        }
        // What Rust takes for a float beyond what people write: `inf`, `nan`, `infinity`.
        if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E')) {
            return None;
        }
        text.parse().ok().filter(|value: &f64| value.is_finite()).map(Self::Float)
    }

    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// The value, if it is in range.
    pub(super) fn val<'a>(self, op: &'static str) -> Result<Val<'a>, EvalError> {
        match self {
            Self::Int(value) => i64::try_from(value).map(Val::Int).map_err(|_| EvalError::Overflow { op }),
            Self::Float(value) if value.is_finite() => Ok(Val::Float(value)),
            Self::Float(_) => Err(EvalError::Overflow { op }),
        }
    }

    /// Exact, also between whole numbers and floats; a number that is none comes after all others.
    pub(super) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (Self::Float(a), Self::Float(b)) => {
                a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
            }
            (Self::Int(a), Self::Float(b)) => whole_to_float(a, b),
            (Self::Float(a), Self::Int(b)) => whole_to_float(b, a).reverse(),
        }
    }
}

/// Rounding keeps the order, so only where the rounded number is equal must the exact one be looked
/// at.
fn whole_to_float(whole: i128, float: f64) -> Ordering {
    match (whole as f64).partial_cmp(&float) {
        Some(Ordering::Equal) => whole.cmp(&(float as i128)),
        Some(order) => order,
        None => Ordering::Less,
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

/// The same for floats, as Python has it.
pub(super) fn floor_div_float(a: f64, b: f64) -> (f64, f64) {
    let mut remainder = a % b;
    let mut quotient = (a - remainder) / b;
    if remainder == 0.0 {
        remainder = 0.0_f64.copysign(b);
    } else if (remainder < 0.0) != (b < 0.0) {
        remainder += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(a / b), remainder);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, remainder)
}
