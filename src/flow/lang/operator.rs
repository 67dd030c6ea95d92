//! The comparisons of conditions: closed, total, and without an error (SEMANTICS N5). What must not
//! live here: where the two sides come from.

use std::cmp::Ordering;

use rust_decimal::Decimal as Amount;

use crate::flow::form::read::words;
use crate::flow::lang::moment::compare_times;
use crate::flow::lang::zone::Zone;

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
        /// `to`, or one of `list`, is a whole word of the value, whatever its case
        /// ([SEMANTICS U3](crate::semantics#u3)).
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

/// The operands that an operator compares its value with.
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

    /// True if it compares numbers.
    pub(crate) fn is_of_numbers(self) -> bool {
        self.as_str().starts_with("number_")
    }

    /// The comparison of two texts; none if it means nothing, such as the order of what is no date,
    /// or is no comparison of two texts. `zone`: that of times without an offset.
    pub(crate) fn compare(self, value: &str, to: &str, zone: impl FnOnce() -> Zone) -> Option<bool> {
        let dates = || compare_times(value, to, zone);
        match self {
            Self::StringEquals | Self::OptionPayload => Some(value == to),
            Self::StringNotEquals => Some(value != to),
            Self::StringContains => Some(value.contains(to)),
            Self::StringNotContains => Some(!value.contains(to)),
            Self::StringStartsWith => Some(value.starts_with(to)),
            Self::StringEndsWith => Some(value.ends_with(to)),
            Self::DateEquals => dates().map(Ordering::is_eq),
            Self::DateBefore => dates().map(Ordering::is_lt),
            Self::DateAfter => dates().map(Ordering::is_gt),
            _ => None,
        }
    }

    /// The comparison of two numbers; none if one of them is none. False for other operators.
    pub(crate) fn compare_numbers(self, value: Option<Amount>, to: Option<Amount>) -> Option<bool> {
        let order = value?.cmp(&to?);
        Some(match self {
            Self::NumberEquals => order.is_eq(),
            Self::NumberNotEquals => order.is_ne(),
            Self::NumberGreater => order.is_gt(),
            Self::NumberGreaterOrEqual => order.is_ge(),
            Self::NumberLess => order.is_lt(),
            Self::NumberLessOrEqual => order.is_le(),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Operator::{self, *};
    use crate::flow::lang::expr::Val;
    use crate::flow::lang::number::Marks;
    use crate::flow::lang::zone::Zone;

    #[track_caller]
    fn check(value: &str, operator: Operator, to: &str, expected: bool) {
        let number = |text| Val::from(text).amount(Marks::default);
        let holds = if operator.is_of_numbers() {
            operator.compare_numbers(number(value), number(to))
        } else {
            operator.compare(value, to, || Zone::UTC)
        };
        assert_eq!(holds.unwrap_or(false), expected, "{value:?} {operator:?} {to:?}");
    }

    #[test]
    fn number_operators_read_numbers_from_texts() {
        check(" 10 ", NumberGreater, "9", true);
        check("1.0", NumberEquals, "1", true);
        check("1e3", NumberEquals, "1000", true);
        check("9007199254740993", NumberEquals, "9007199254740992", false);
        check("-0", NumberEquals, "0", true);
        check("1,5", NumberEquals, "1.5", true);
        check("١٢٫٥", NumberGreater, "12", true);
        check("1.500", NumberEquals, "1500", true);
    }

    #[test]
    fn what_is_no_number_makes_every_number_operator_false() {
        let operators = Operator::WORDS.iter().map(|(_, operator)| *operator);
        for operator in operators.filter(|operator| operator.as_str().starts_with("number_")) {
            for text in ["", "ten", "NaN", "inf", "0x10", "1e999"] {
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
        check("2026-05-07T10:00", DateBefore, "2026-05-07T10:30:00Z", true);
        check("2026-05-07 10:00", DateEquals, "2026-05-07T12:00:00+02:00", true);
        check("2026-05-07T10:00", DateBefore, "2026-05-07 10:01", true);
        check("2026-05-07T10:00", DateEquals, "2026-05-07", true);
        check("2026-5-7", DateEquals, "2026-05-07", false);
        check("tomorrow", DateBefore, "2026-05-07", false);
        check("2026-02-30", DateEquals, "2026-02-30", false);
    }
}
