//! The one reader of numbers that people and shops write: digits of any script, signs, groups of
//! thousands, a point or a comma (SEMANTICS U10). What is around an amount is in `amount`;
//! arithmetic on what was read is decimal, in `exact`; the marks of languages are in `marks`,
//! numbers as languages write them in `written`.

mod amount;
mod exact;
mod marks;
#[cfg(test)]
mod tests;
mod written;

pub(crate) use amount::{is_multiplied, is_multiplier_at_end, is_unit_behind, minus_at_end, read_amount};
pub(crate) use exact::{from_float, json_number, parse_programmed, significant, to_float};
use rust_decimal::Decimal as Amount;
pub(crate) use written::NumberStyle;

use crate::digits::plain;
use crate::flow::form::read::words;
use crate::flow::lang::normal::unframed;

words! {
    /// The mark before the decimals of a number.
    Decimal {
        /// `1,234.5`
        Point = ".",
        /// `1.234,5`
        Comma = ",",
    }
}

/// Facts about the way in which a number is written, beside the number itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Marks {
    /// Nothing: the number decides, and one mark before three digits parts thousands.
    #[default]
    Open,
    /// The language of the text: it settles what the number leaves open.
    Usual(Decimal),
    /// The language of the text, which writes either mark before decimals, and neither between
    /// thousands: French in Switzerland.
    Either,
    /// The author: the other mark parts thousands, whatever the number looks like.
    Fixed(Decimal),
}

/// More characters are no number that a person types.
const MOST: usize = 64;

/// Maximum length of the text around a number: letters, signs of currencies, `%`, `°`.
const MOST_AROUND: usize = 24;

/// Reads a number with nothing around it but blanks.
pub(crate) fn read(text: &str, marks: Marks) -> Option<Amount> {
    read_with(text, || marks)
}

/// Reads a number. `marks` is asked only where the number leaves open what a mark is.
pub(crate) fn read_with(text: &str, marks: impl FnOnce() -> Marks) -> Option<Amount> {
    if text.len() > MOST {
        return None;
    }
    let text = plain(text);
    let is_bare =
        text.starts_with(|c: char| c.is_ascii_digit()) && text.ends_with(|c: char| c.is_ascii_digit());
    let text = if is_bare { &*text } else { unframed(&text) };
    let (is_negative, digits) = sign(text);
    let digits = digits.trim_start();
    let (whole, decimals) = parts(digits, marks)?;
    let sign = if is_negative { "-" } else { "" };
    let point = if decimals.is_empty() { "" } else { "." };
    Amount::from_str_exact(&format!("{sign}{whole}{point}{decimals}")).ok().map(|number| number.normalize())
}

/// Signs of the negative: the hyphen, the minus, the dash that telephones make of a hyphen.
pub(crate) const MINUS: [char; 5] = ['-', '\u{2212}', '\u{2013}', '\u{fe63}', '\u{ff0d}'];

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix(MINUS) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix(['+', '\u{ff0b}']).unwrap_or(text)),
    }
}

/// The digits before the decimals, and the decimals.
fn parts(text: &str, marks: impl FnOnce() -> Marks) -> Option<(String, String)> {
    let (before, after) = match decimal_mark(text, marks) {
        Some(mark) => text.split_once(mark)?,
        None => return Some((ungrouped(text, None)?, String::new())),
    };
    let mark = text.get(before.len()..).and_then(|rest| rest.chars().next());
    if !is_digits(after) || after.is_empty() {
        return None;
    }
    let whole = if before.is_empty() { "0".to_owned() } else { ungrouped(before, mark)? };
    Some((whole, after.to_owned()))
}

/// The mark before the decimals: that of Arabic, or of several marks the last, if it is alone. One
/// mark before three digits is open, but for one at the start or after a zero.
fn decimal_mark(text: &str, marks: impl FnOnce() -> Marks) -> Option<char> {
    const ARABIC: char = '\u{66b}';
    if text.contains(ARABIC) {
        return Some(ARABIC);
    }
    let known = |text: char| if text == '.' || text == '\u{ff0e}' { Decimal::Point } else { Decimal::Comma };
    let is_mark = |c: char| matches!(c, '.' | ',' | '\u{ff0e}' | '\u{ff0c}' | '\u{60c}');
    let last = text.rfind(is_mark)?;
    let (before, rest) = text.split_at_checked(last)?;
    let mark = rest.chars().next()?;
    let marks = marks();
    if let Marks::Fixed(decimal) = marks {
        return text.chars().find(|c| is_mark(*c) && known(*c) == decimal);
    }
    if text.matches(mark).count() > 1 {
        return None;
    }
    let after = rest.strip_prefix(mark)?;
    // `1,0000` is a slip where a comma parts thousands.
    let is_slip = after.len() == 4 && is_digits(before) && !before.starts_with('0');
    if is_slip && known(mark) == Decimal::Comma && marks == Marks::Usual(Decimal::Point) {
        return None;
    }
    let is_open =
        after.len() == 3 && (1..=3).contains(&before.len()) && is_digits(before) && !before.starts_with('0');
    if !is_open || marks == Marks::Either || marks == Marks::Usual(known(mark)) {
        return Some(mark);
    }
    None
}

/// The digits before the decimals. Groups have three digits, in India two but for the last, and one
/// mark between them.
fn ungrouped(text: &str, decimal: Option<char>) -> Option<String> {
    const MARKS: [char; 13] = [
        '.', ',', ' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '’', '\u{66c}', '\u{ff0e}', '\u{ff0c}',
        '\u{60c}', '٫',
    ];
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
