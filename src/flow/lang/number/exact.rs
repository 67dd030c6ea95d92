//! Decimal numbers of 28 digits, and the numbers of JSON that they come from and go to (SEMANTICS
//! U11).

use rust_decimal::Decimal as Amount;
use serde_json::Number;

/// Digits that every float holds: what comes after them is noise of earlier arithmetic.
const FLOAT_DIGITS: usize = 15;

/// A float as a decimal number, rounded to 15 digits; whole ones as they are. None beyond 28
/// digits.
pub(crate) fn from_float(value: f64) -> Option<Amount> {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    const MOST_SCALE: i64 = 28;
    if value.fract() == 0.0 && value.abs() <= WHOLE {
        return Some(Amount::from(value as i64));
    }
    let text = format!("{value:.*e}", FLOAT_DIGITS - 1);
    let (digits, power) = text.split_once('e')?;
    let (mut digits, power): (i128, i64) = (digits.replace('.', "").parse().ok()?, power.parse().ok()?);
    let mut scale = i64::try_from(FLOAT_DIGITS).ok()?.checked_sub(1)?.checked_sub(power)?;
    while scale > MOST_SCALE && digits != 0 {
        digits = digits.checked_div(10)?;
        scale = scale.checked_sub(1)?;
    }
    while scale < 0 {
        digits = digits.checked_mul(10)?;
        scale = scale.checked_add(1)?;
    }
    let scale = u32::try_from(scale.min(MOST_SCALE)).ok()?;
    Amount::try_from_i128_with_scale(digits, scale).ok().map(|number| number.normalize())
}

/// The nearest float.
pub(crate) fn to_float(value: Amount) -> f64 {
    value.to_string().parse().unwrap_or_default()
}

/// The number of JSON: a whole one where it is whole and fits 64 bits, the nearest float else.
pub(crate) fn json_number(value: Amount) -> Number {
    if value.is_integer() {
        let whole = value.trunc();
        if let Ok(whole) = i64::try_from(whole) {
            return whole.into();
        }
        if let Ok(whole) = u64::try_from(whole) {
            return whole.into();
        }
    }
    Number::from_f64(to_float(value)).unwrap_or_else(|| 0.into())
}

/// The number of a text as programs write it, with an exponent: `1e3`.
pub(crate) fn parse_programmed(text: &str) -> Option<Amount> {
    let text = text.trim();
    let is_programmed = text.len() <= 64
        && text.contains(['e', 'E'])
        && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    if !is_programmed {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).and_then(from_float)
}

/// Digits of a number as it is written, without zeros before it.
pub(crate) fn significant(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).skip_while(|b| *b == b'0').count()
}
