//! Numbers as people write them: signs, groups of thousands, a point or a comma.

use serde_json::Number;

use crate::flow::form::read::words;
use crate::flow::lang::digits::plain;

words! {
    /// What stands before the decimals of a number.
    Decimal {
        /// `1,234.5`
        Point = ".",
        /// `1.234,5`
        Comma = ",",
    }
}

/// More characters are no number that a person types.
const MOST: usize = 64;

/// Reads a number. Without `decimal` the text decides: of point and comma the last is the decimal
/// one; a comma alone is one unless exactly three digits follow it, a point alone always.
pub(super) fn read(text: &str, decimal: Option<Decimal>, whole: bool) -> Option<Number> {
    if text.len() > MOST {
        return None;
    }
    let text = plain(text);
    let (is_negative, text) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let mark = match decimal {
        Some(Decimal::Point) => Some('.'),
        Some(Decimal::Comma) => Some(','),
        None => decimal_mark(text),
    };
    let (before, after) = match mark.and_then(|mark| text.split_once(mark)) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    };
    if after.is_some_and(|after| after.is_empty() || !is_digits(after)) {
        return None;
    }
    let before = ungrouped(before, mark)?;
    let sign = if is_negative { "-" } else { "" };
    let decimals = after.map(|digits| digits.trim_end_matches('0')).filter(|digits| !digits.is_empty());
    match decimals {
        Some(_) if whole => None,
        Some(decimals) => Number::from_f64(format!("{sign}{before}.{decimals}").parse().ok()?),
        None => integer(&format!("{sign}{before}"), whole),
    }
}

/// A number without decimals: exact as far as 64 bits go.
fn integer(text: &str, whole: bool) -> Option<Number> {
    match text.parse::<i64>() {
        Ok(number) => Some(number.into()),
        Err(_) if whole => None,
        Err(_) => Number::from_f64(text.parse().ok()?),
    }
}

fn decimal_mark(text: &str) -> Option<char> {
    match (text.rfind('.'), text.rfind(',')) {
        (Some(point), Some(comma)) => Some(if point > comma { '.' } else { ',' }),
        (Some(_), None) => (text.matches('.').count() == 1).then_some('.'),
        (None, Some(comma)) => {
            let is_group = text.len() - comma == 4 && !text.starts_with('0');
            (text.matches(',').count() == 1 && !is_group).then_some(',')
        }
        (None, None) => None,
    }
}

/// The digits before the decimals. Groups have three digits, in India two but for the last, and one
/// mark between them.
fn ungrouped(text: &str, decimal: Option<char>) -> Option<String> {
    const MARKS: [char; 7] = ['.', ',', ' ', '\u{a0}', '\u{202f}', '\'', '’'];
    let Some(mark) = text.chars().find(|c| !c.is_ascii_digit()) else {
        return (!text.is_empty()).then(|| text.to_owned());
    };
    let groups: Vec<&str> = text.split(mark).collect();
    let (first, rest) = groups.split_first()?;
    let (last, middle) = rest.split_last()?;
    let fits = MARKS.contains(&mark)
        && Some(mark) != decimal
        && (1..=3).contains(&first.len())
        && middle.iter().all(|group| (2..=3).contains(&group.len()))
        && last.len() == 3
        && groups.iter().all(|group| is_digits(group));
    fits.then(|| groups.concat())
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let read = read(text, None, false).map(|number| number.to_string());
        assert_eq!(read.as_deref().unwrap_or("-"), expected, "{text}");
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, expected) in [
            ("12", "12"),
            ("-3", "-3"),
            ("−3", "-3"),
            ("+7", "7"),
            ("007", "7"),
            ("1,234.5", "1234.5"),
            ("1.234,5", "1234.5"),
            ("1 234,5", "1234.5"),
            ("1'234'567.25", "1234567.25"),
            ("1,00,000", "100000"),
            ("1.234.567", "1234567"),
            ("1,5", "1.5"),
            ("1.5", "1.5"),
            ("1.50", "1.5"),
            ("2.0", "2"),
            ("1,234", "1234"),
            ("0,125", "0.125"),
            ("1.234", "1.234"),
            ("٣٤", "34"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "9.223372036854776e+18"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        let long = "9".repeat(65);
        for text in [
            "",
            "-",
            "--3",
            "twelve",
            "1e5",
            "0x10",
            "inf",
            "NaN",
            "1,,2",
            "x",
            "12,34,5",
            "1,23,4567",
            "1.",
            ".",
            ",",
            ".5",
            "1 2",
            "1-2",
            "$5",
            "5%",
            "1,234.567,8",
            "1.234,567.8",
            &long,
        ] {
            check(text, "-");
        }
    }

    #[test]
    fn a_question_may_say_what_a_comma_means_and_that_it_wants_whole_numbers() {
        let text = |text, decimal, whole| read(text, decimal, whole).map(|number| number.to_string());
        assert_eq!(text("1.500", Some(Decimal::Comma), false).as_deref(), Some("1500"));
        assert_eq!(text("1,500", Some(Decimal::Comma), false).as_deref(), Some("1.5"));
        assert_eq!(text("1,500", Some(Decimal::Point), false).as_deref(), Some("1500"));
        assert_eq!(text("1,5", Some(Decimal::Point), false), None);
        assert_eq!(text("1.5", None, true), None);
        assert_eq!(text("2.0", None, true).as_deref(), Some("2"));
        assert_eq!(text("9223372036854775808", None, true), None);
    }
}
