//! Time spans as authors write them: `45s`, `30m`, `2h`, `1d`, `1h30m`.

use std::fmt;

use chrono::TimeDelta;
use serde::{Serialize, Serializer};

/// A positive time span of at most 366 days, in whole seconds. It keeps the text it was written as.
///
/// ```
/// use chatflow::flow::Span;
/// assert_eq!(Span::parse("1h30m")?.seconds(), 5_400);
/// assert!(Span::parse("0s").is_err());
/// # Ok::<(), chatflow::flow::InvalidSpan>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Span {
    seconds: u32,
    text: Box<str>,
}

/// The reason a text is not a time span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSpan {
    /// It is not made of numbers with the units `d`, `h`, `m`, `s`, each at most once, largest
    /// first.
    #[error("is not a time span")]
    Form,
    /// It lasts no time.
    #[error("must be at least one second")]
    Zero,
    /// It lasts more than 366 days.
    #[error("is longer than 366 days")]
    TooLong,
}

impl Span {
    const MOST_SECONDS: u64 = 366 * 24 * 60 * 60;

    /// Reads a time span.
    ///
    /// # Errors
    /// [`InvalidSpan`] if the text has another form, or the span is zero or above 366 days.
    pub fn parse(text: &str) -> Result<Self, InvalidSpan> {
        const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
        if text.is_empty() || text.len() > 32 || !text.is_ascii() {
            return Err(InvalidSpan::Form);
        }
        let (mut rest, mut seconds) = (text, 0_u64);
        for (unit, weight) in UNITS {
            let Some((number, after)) = rest.split_once(unit) else { continue };
            if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
                return Err(InvalidSpan::Form);
            }
            let number: u64 = number.parse().map_err(|_| InvalidSpan::TooLong)?;
            seconds = seconds.saturating_add(number.saturating_mul(weight));
            rest = after;
        }
        match u32::try_from(seconds) {
            _ if !rest.is_empty() => Err(InvalidSpan::Form),
            Ok(0) => Err(InvalidSpan::Zero),
            Ok(whole) if seconds <= Self::MOST_SECONDS => Ok(Self { seconds: whole, text: text.into() }),
            _ => Err(InvalidSpan::TooLong),
        }
    }

    pub(crate) fn second() -> Self {
        Self { seconds: 1, text: "1s".into() }
    }

    /// Returns its length in seconds.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        self.seconds
    }

    /// Returns its length.
    #[must_use]
    pub fn as_delta(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.seconds))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Span({self})")
    }
}

impl std::str::FromStr for Span {
    type Err = InvalidSpan;
    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        Self::parse(text)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stand_largest_first_and_once() {
        for (text, seconds) in
            [("45s", 45), ("30m", 1_800), ("2h", 7_200), ("1d", 86_400), ("1d2h3m4s", 93_784)]
        {
            assert_eq!(Span::parse(text).unwrap().seconds(), seconds, "{text}");
        }
        for text in ["", "30", "m", "30 m", "1m1h", "1h1h", "-5m", "1.5h", "5min", "5M", "٣m"] {
            assert_eq!(Span::parse(text), Err(InvalidSpan::Form), "{text}");
        }
    }

    #[test]
    fn a_span_is_positive_and_at_most_366_days() {
        assert_eq!(Span::parse("0h0m"), Err(InvalidSpan::Zero));
        assert!(Span::parse("366d").is_ok());
        assert_eq!(Span::parse("366d1s"), Err(InvalidSpan::TooLong));
        assert_eq!(Span::parse("99999999999999999999s"), Err(InvalidSpan::TooLong));
    }
}
