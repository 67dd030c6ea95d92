//! The comparisons of conditions: closed, total, and without an error (SEMANTICS N5).
//! What must not live here: where the two sides come from.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, Utc};

use crate::flow::form::read::words;

words! {
    /// A comparison. Texts are compared as they are; numbers and dates are read from texts, and
    /// what is no number or no date makes the comparison false.
    Operator {
        /// The texts are equal.
        StringEquals = "string_equals",
        /// The texts differ.
        StringNotEquals = "string_not_equals",
        /// `to` is a part of the value.
        StringContains = "string_contains",
        /// `to` is no part of the value.
        StringNotContains = "string_not_contains",
        /// The value begins with `to`.
        StringStartsWith = "string_starts_with",
        /// The value ends with `to`.
        StringEndsWith = "string_ends_with",
        /// The value is empty, or white space alone.
        StringIsBlank = "string_is_blank",
        /// The value is not blank.
        StringIsNotBlank = "string_is_not_blank",
        /// The regular expression `to` matches the whole value.
        StringMatches = "string_matches",
        /// The regular expression `to` matches a part of the value.
        StringContainsMatch = "string_contains_match",
        /// The value is one of `list`.
        InList = "in_list",
        /// `to`, or one of `list`, is a whole word of the value, whatever its case (SEMANTICS U3).
        HasWord = "has_word",
        /// The numbers are equal.
        NumberEquals = "number_equals",
        /// The numbers differ.
        NumberNotEquals = "number_not_equals",
        /// The value is above `to`.
        NumberGreater = "number_greater",
        /// The value is `to` or above.
        NumberGreaterOrEqual = "number_greater_or_equal",
        /// The value is below `to`.
        NumberLess = "number_less",
        /// The value is `to` or below.
        NumberLessOrEqual = "number_less_or_equal",
        /// The value is `to`, `and`, or between.
        NumberBetween = "number_between",
        /// The instants, or days, are equal.
        DateEquals = "date_equals",
        /// The value is earlier than `to`.
        DateBefore = "date_before",
        /// The value is later than `to`.
        DateAfter = "date_after",
        /// The expression `value` is defined, and not null.
        Exists = "exists",
        /// The expression `value` is undefined, or null.
        NotExists = "not_exists",
        /// The contact chose the option whose id is `to`.
        OptionPayload = "option_payload",
    }
}

/// What an operator compares its value with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operands {
    /// Nothing.
    None,
    /// `to`.
    One,
    /// `to` and `and`.
    Two,
    /// `list`.
    List,
    /// `to` or `list`.
    OneOrList,
}

impl Operator {
    pub(crate) fn operands(self) -> Operands {
        match self {
            Self::StringIsBlank | Self::StringIsNotBlank | Self::Exists | Self::NotExists => Operands::None,
            Self::NumberBetween => Operands::Two,
            Self::InList => Operands::List,
            Self::HasWord => Operands::OneOrList,
            _ => Operands::One,
        }
    }

    /// True if `ignore_case` has a meaning.
    pub(crate) fn has_case(self) -> bool {
        self == Self::InList
            || (self.as_str().starts_with("string_")
                && !matches!(self, Self::StringIsBlank | Self::StringIsNotBlank))
    }

    /// True if `fold` has a meaning.
    pub(crate) fn folds(self) -> bool {
        let is_pattern = matches!(self, Self::StringMatches | Self::StringContainsMatch);
        self == Self::HasWord || (self.has_case() && !is_pattern)
    }

    /// The comparison of two texts. `false` for the operators that take none or more than one.
    pub(crate) fn holds(self, value: &str, to: &str) -> bool {
        let numbers = || compare_numbers(value, to);
        let dates = || compare_dates(value, to);
        match self {
            Self::StringEquals | Self::OptionPayload => value == to,
            Self::StringNotEquals => value != to,
            Self::StringContains => value.contains(to),
            Self::StringNotContains => !value.contains(to),
            Self::StringStartsWith => value.starts_with(to),
            Self::StringEndsWith => value.ends_with(to),
            Self::NumberEquals => numbers().is_some_and(Ordering::is_eq),
            Self::NumberNotEquals => numbers().is_some_and(Ordering::is_ne),
            Self::NumberGreater => numbers().is_some_and(Ordering::is_gt),
            Self::NumberGreaterOrEqual => numbers().is_some_and(Ordering::is_ge),
            Self::NumberLess => numbers().is_some_and(Ordering::is_lt),
            Self::NumberLessOrEqual => numbers().is_some_and(Ordering::is_le),
            Self::DateEquals => dates().is_some_and(Ordering::is_eq),
            Self::DateBefore => dates().is_some_and(Ordering::is_lt),
            Self::DateAfter => dates().is_some_and(Ordering::is_gt),
            _ => false,
        }
    }
}

/// Whole numbers are compared exactly, so that two long order numbers do not become equal as
/// floats.
fn compare_numbers(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (a.trim(), b.trim());
    if let (Ok(a), Ok(b)) = (a.parse::<i128>(), b.parse::<i128>()) {
        return Some(a.cmp(&b));
    }
    number(a)?.partial_cmp(&number(b)?)
}

/// Only what an author would call a number: `parse` alone takes `inf` and `nan`.
fn number(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)))
        .then_some(number)
}

/// An instant, and the day it falls on where it was written.
enum Date {
    Instant(DateTime<Utc>, NaiveDate),
    Day(NaiveDate),
}

/// Two instants compare as instants. If one side is a day, days are compared.
fn compare_dates(a: &str, b: &str) -> Option<Ordering> {
    let day = |date: &Date| match date {
        Date::Instant(_, day) | Date::Day(day) => *day,
    };
    match (date(a)?, date(b)?) {
        (Date::Instant(a, _), Date::Instant(b, _)) => Some(a.cmp(&b)),
        (a, b) => Some(day(&a).cmp(&day(&b))),
    }
}

fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(Date::Instant(instant.to_utc(), instant.date_naive()));
    }
    let is_day = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    is_day.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?.map(Date::Day)
}

#[cfg(test)]
mod tests {
    use super::Operator::{self, *};

    #[track_caller]
    fn check(value: &str, operator: Operator, to: &str, expected: bool) {
        assert_eq!(operator.holds(value, to), expected, "{value:?} {operator:?} {to:?}");
    }

    #[test]
    fn number_operators_read_numbers_from_texts() {
        check(" 10 ", NumberGreater, "9", true);
        check("1.0", NumberEquals, "1", true);
        check("1e3", NumberEquals, "1000", true);
        check("9007199254740993", NumberEquals, "9007199254740992", false);
        check("-0", NumberEquals, "0", true);
    }

    #[test]
    fn what_is_no_number_makes_every_number_operator_false() {
        let operators = Operator::WORDS.iter().map(|(_, operator)| *operator);
        for operator in operators.filter(|operator| operator.as_str().starts_with("number_")) {
            for text in ["", "ten", "NaN", "inf", "1,5", "0x10", "1e999", "١"] {
                check(text, operator, "1", false);
                check("1", operator, text, false);
            }
        }
    }

    #[test]
    fn instants_compare_as_instants_and_days_as_days() {
        check("2026-05-07T10:00:00+02:00", DateEquals, "2026-05-07T08:00:00Z", true);
        check("2026-05-07T10:00:00+02:00", DateEquals, "2026-05-07", true);
        check("2026-05-07T10:00:00Z", DateAfter, "2026-05-07", false);
        check("2026-05-06", DateBefore, "2026-05-07", true);
        check("tomorrow", DateBefore, "2026-05-07", false);
        check("2026-02-30", DateEquals, "2026-02-30", false);
    }
}
