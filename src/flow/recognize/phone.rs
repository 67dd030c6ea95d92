//! Telephone numbers as people write them, and what they are in E.164.

use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::Phone;
use crate::flow::recognize::Plan;

/// A number that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PhoneNumber {
    pub(crate) phone: Phone,
    plan: Plan,
    national: String,
}

impl PhoneNumber {
    /// What a flow reads.
    pub(crate) fn to_json(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("e164".into(), json!(self.phone.to_string()));
        fields.insert("country_code".into(), json!(self.plan.code));
        fields.insert("national".into(), json!(self.national));
        if let Some(region) = self.plan.only_region() {
            fields.insert("region".into(), json!(region));
        }
        Value::Object(fields)
    }
}

/// Digits of a number that is written without its calling code: fewer are as likely a price or a house.
const LEAST_NATIONAL_DIGITS: usize = 6;
/// Digits that a number can have with all its prefixes; what is longer is none.
const MOST_DIGITS: usize = 20;

/// The first number in a text. A number without a calling code is one of the home region.
pub(crate) fn find_phone(text: &str, home: Option<Plan>) -> Option<PhoneNumber> {
    find_phones(text, home).into_iter().next().map(|(_, number)| number)
}

/// Every number in a text, with its place.
pub(super) fn find_phones(text: &str, home: Option<Plan>) -> Vec<(Range<usize>, PhoneNumber)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some((candidate, next)) = next_candidate(text, from) {
        from = next;
        let written = text.get(candidate.clone()).unwrap_or_default();
        if let Some(number) = parse(written, home) {
            found.push((candidate, number));
        }
    }
    found
}

/// The next run of characters that a number is written in, and where to look on: it begins with a digit, `+` or `(`, and
/// stands apart from letters.
fn next_candidate(text: &str, from: usize) -> Option<(Range<usize>, usize)> {
    let rest = text.get(from..)?;
    let mut before = text.get(..from).and_then(|text| text.chars().next_back());
    let mut run: Option<Range<usize>> = None;
    for (at, c) in rest.char_indices() {
        let (at, end) = (from + at, from + at + c.len_utf8());
        let begins = digit(c).is_some() || is_plus(c) || c == '(';
        match &mut run {
            None if begins && !before.is_some_and(char::is_alphanumeric) => run = Some(at..end),
            Some(run) if digit(c).is_some() => run.end = end,
            Some(_) if is_separator(c) => {}
            Some(run) => return Some((run.clone(), at)),
            None => {}
        }
        before = Some(c);
    }
    run.map(|run| (run, text.len()))
}

fn digit(c: char) -> Option<char> {
    const ZEROS: [char; 5] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{ff10}'];
    let value = ZEROS
        .iter()
        .find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10))?;
    char::from_digit(value, 10)
}

fn is_plus(c: char) -> bool {
    matches!(c, '+' | '\u{ff0b}')
}

fn is_separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{202f}' | '.' | '-' | '\u{2010}' | '\u{2011}' | '\u{2013}' | '/' | '(' | ')'
    )
}

fn parse(written: &str, home: Option<Plan>) -> Option<PhoneNumber> {
    if is_date(written) || is_amount(written) {
        return None;
    }
    let is_international = written.trim_start_matches('(').starts_with(is_plus);
    let digits: String = if is_international {
        written.replace("(0)", "").chars().filter_map(digit).collect()
    } else {
        written.chars().filter_map(digit).collect()
    };
    if digits.len() > MOST_DIGITS {
        return None;
    }
    if is_international {
        return international(&digits);
    }
    let abroad = home.map_or("", |home| home.abroad);
    let rest = digits.strip_prefix(if abroad.is_empty() { "00" } else { abroad });
    rest.and_then(international).or_else(|| national(&digits, home?))
}

/// A date has as many digits as a number.
fn is_date(written: &str) -> bool {
    let shape: String = written.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    matches!(shape.as_str(), "0000-00-00" | "00.00.0000" | "00/00/0000" | "00-00-0000" | "0000/00/00")
}

/// So has an amount with its thousands apart.
fn is_amount(written: &str) -> bool {
    let mut groups = written.split('.');
    let first = groups.next().unwrap_or_default();
    let mut count = 0;
    let mut is_group = |group: &str| {
        count += 1;
        group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit())
    };
    (1..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_digit())
        && groups.all(&mut is_group)
        && count > 0
}

/// Digits with their calling code.
fn international(digits: &str) -> Option<PhoneNumber> {
    let (plan, rest) = Plan::of_number(digits)?;
    let without_trunk = rest.strip_prefix(plan.trunk).filter(|_| !plan.trunk.is_empty());
    let national = match without_trunk {
        // No national number begins with the zero that is dialled before it.
        Some(shorter) if plan.trunk == "0" || !plan.has_length(rest.len()) => shorter,
        _ => rest,
    };
    number(plan, national)
}

/// Digits as they are dialled at home.
fn national(digits: &str, home: Plan) -> Option<PhoneNumber> {
    if digits.len() < LEAST_NATIONAL_DIGITS {
        return None;
    }
    let without_trunk = digits.strip_prefix(home.trunk).filter(|_| !home.trunk.is_empty());
    without_trunk.and_then(|rest| number(home, rest)).or_else(|| number(home, digits))
}

fn number(plan: Plan, national: &str) -> Option<PhoneNumber> {
    if !plan.has_length(national.len()) {
        return None;
    }
    let phone = Phone::parse(&format!("+{}{national}", plan.code)).ok()?;
    Some(PhoneNumber { phone, plan, national: national.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, home: &str) -> Vec<String> {
        let home = Plan::of_region(home);
        find_phones(text, home).into_iter().map(|(_, number)| number.phone.to_string()).collect()
    }

    #[test]
    fn numbers_are_found_as_people_write_them() {
        for (text, home, expected) in [
            ("call me at +1 (415) 555-0123, thanks", "", "+14155550123"),
            ("+49 (0)176 1234567", "", "+491761234567"),
            ("+44 07911 123456", "", "+447911123456"),
            ("0176/1234567", "DE", "+491761234567"),
            ("0049 176 1234567", "DE", "+491761234567"),
            ("00 44 7911 123456", "", "+447911123456"),
            ("011 44 7911 123456", "US", "+447911123456"),
            ("(415) 555.0123", "US", "+14155550123"),
            ("1-415-555-0123", "US", "+14155550123"),
            ("06 12 34 56 78", "FR", "+33612345678"),
            ("06 1234 5678", "IT", "+390612345678"),
            ("8 (912) 345-67-89", "RU", "+79123456789"),
            ("98765 43210", "IN", "+919876543210"),
            ("(11) 91234-5678", "BR", "+5511912345678"),
            (
                "\u{ff0b}\u{661}\u{664}\u{661}\u{665}\u{665}\u{665}\u{665}\u{660}\u{661}\u{662}\u{663}",
                "",
                "+14155550123",
            ),
            ("it is 2026-05-07, ring 0176 1234567", "DE", "+491761234567"),
        ] {
            assert_eq!(found(text, home), [expected], "{text}");
        }
        let two = found("+14155550123 or +447911123456", "");
        assert_eq!(two, ["+14155550123", "+447911123456"]);
    }

    #[test]
    fn what_is_no_number_is_not_found() {
        for (text, home) in [
            ("my order is A-10023", "DE"),
            ("order A0176123456", "DE"),
            ("0176 1234567", ""),
            ("+999 1234567", ""),
            ("+1 415 555 012", ""),
            ("12345", "DE"),
            ("1.500.000", "DE"),
            ("2026-05-07", "DE"),
            ("+", "DE"),
            ("((((((", "DE"),
            ("123456789012345678901234567890", "DE"),
            ("", "DE"),
        ] {
            assert_eq!(found(text, home), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_region_is_named_where_the_calling_code_is_its_alone() {
        let json = |text: &str| find_phone(text, None).unwrap().to_json();
        assert_eq!(
            json("+33 6 12 34 56 78"),
            json!({"e164": "+33612345678", "country_code": "33", "national": "612345678", "region": "FR"})
        );
        assert_eq!(
            json("+14155550123"),
            json!({"e164": "+14155550123", "country_code": "1", "national": "4155550123"})
        );
    }
}
