//! Labels and answers that have the same numbers, in whatever shape: `10 €` and `€10`, `09:00` and
//! `9:00`, `1000` and `1,000` (SEMANTICS U6).

use rust_decimal::Decimal as Amount;

use crate::flow::lang::number::{self, Marks};

/// A number in a text, with what says how it is meant.
struct Figure<'t> {
    number: &'t str,
    /// A sign that compares: `<`, `≥`, `~`, or a `+` behind it.
    sign: Option<char>,
    /// The text between it and the number before, by its kind.
    gap: Gap,
}

/// The kind of text between two numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Blanks, words, or nothing: it is the first.
    Apart,
    /// `5-10`, `5 to 10`.
    Range,
    /// `9:30`, `9h30`.
    Clock,
    /// `1.5`, `9.30`.
    Point,
    /// `1,5`.
    Comma,
    /// `4/5`.
    Slash,
}

/// Words for a range.
const TO: [&str; 20] = [
    "to", "bis", "a", "à", "al", "até", "tot", "till", "til", "do", "до", "hasta", "ila", "إلى", "الى", "से",
    "から", "到", "至", "sampai",
];

/// Signs that say that a number is not the one that is meant, but near it, above or below.
const SIGNS: [char; 7] = ['<', '>', '≤', '≥', '~', '±', '≈'];

/// True if a label has the numbers of what was said, in whatever shape, and the one has no word
/// that the other has not: `15 pro` is no `iPhone 15`, `1.5` no `1-5 km`, `<18` no `18`.
pub(super) fn has_same_numbers(label: &str, said: &str) -> bool {
    if said.starts_with('-') || !said.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let as_digits =
        || same(&figures(label, digits), &figures(said, digits), |a, b| unpadded(a) == unpadded(b));
    let as_amounts = || same(&figures(label, amount), &figures(said, amount), |a, b| read(a) == read(b));
    has_words(label, said) && (as_digits() || as_amounts())
}

/// Signs and words of one unit, in figures that are the same: `20 dollars` of `$20`.
const UNITS: [&str; 9] = [
    "$ dollar dollars usd dólar dólares dollari bucks peso pesos",
    "€ euro euros euri eur евро",
    "£ pound pounds gbp",
    "₹ rs inr rupee rupees रुपये रुपए",
    "₽ руб рублей рубля rub",
    "kg kgs kilo kilos kilogram kilograms kilogramos кг кило килограмм",
    "km kms kilometer kilometers kilometre kilometres kilómetros quilômetros kilomètres км",
    "h hr hrs hour hours hora horas heure heures",
    "min mins minute minutes minuto minutos minuten мин минут",
];

/// True if each word of what was said begins one of the label's, is its plural (`2 bedrooms` of
/// `2-bedroom`), or a word for its unit.
pub(super) fn has_words(label: &str, said: &str) -> bool {
    fn words(text: &str) -> impl Iterator<Item = &str> {
        text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
    }
    let begins = |own: &str, word: &str| own.starts_with(word) || word.strip_suffix('s') == Some(own);
    // `R$ 20` are no dollars.
    let has_sign = |sign: &str| {
        let (before, _) = label.split_once(sign).unwrap_or(("a", ""));
        sign.chars().all(is_currency) && !before.ends_with(char::is_alphabetic)
    };
    let has_unit = |unit: &str| has_sign(unit) || words(label).any(|own| own == unit);
    let is_unit = |word: &str| {
        let mut units = UNITS.iter().filter(|units| units.split(' ').any(|unit| unit == word));
        units.any(|units| units.split(' ').any(has_unit))
    };
    words(said)
        .filter(|word| !TO.contains(word))
        .all(|word| words(label).any(|own| begins(own, word)) || is_unit(word))
}

/// The only number of a text; none if it has another one, or compares it.
pub(super) fn only_number(text: &str) -> Option<Amount> {
    match &figures(text, amount)[..] {
        [only] if only.sign.is_none() => read(only.number),
        _ => None,
    }
}

/// True if a label has the figures of a text as they are written, such as `12:00`.
pub(super) fn has_figures(label: &str, text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    let figures = text.trim_matches(|c| !is_digit(c));
    let is_whole = |(at, _): (usize, &str)| {
        let (before, behind) = (label.get(..at), label.get(at + figures.len()..));
        !before.is_some_and(|before| before.ends_with(is_digit))
            && !behind.is_some_and(|behind| behind.starts_with(is_digit))
    };
    !figures.is_empty() && label.match_indices(figures).any(is_whole)
}

/// True if a label has a number somewhere.
pub(super) fn holds(label: &str, number: Amount) -> bool {
    figures(label, amount).iter().any(|figure| read(figure.number) == Some(number))
}

fn same(label: &[Figure<'_>], said: &[Figure<'_>], are_equal: impl Fn(&str, &str) -> bool) -> bool {
    label.len() == said.len()
        && label.iter().zip(said).all(|(own, said)| {
            are_equal(own.number, said.number)
                && (said.sign.is_none() || said.sign == own.sign)
                && is_alike(own, said)
        })
}

/// True if two numbers are parted alike from those before them: a time with a point as with a
/// colon, and figures that are set apart in any way.
fn is_alike(own: &Figure<'_>, said: &Figure<'_>) -> bool {
    let is_clock =
        |figure: &Figure<'_>| matches!(figure.gap, Gap::Clock | Gap::Point) && figure.number.len() == 2;
    own.gap == said.gap || (is_clock(own) && is_clock(said))
}

/// The numbers of a text; `length` tells how long one is.
fn figures(text: &str, length: fn(&str) -> usize) -> Vec<Figure<'_>> {
    let mut found: Vec<Figure<'_>> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (between, tail) = rest.split_at(start);
        let (number, after) = tail.split_at(length(tail));
        let before = between.trim_end_matches(|c: char| c == ' ' || is_currency(c));
        let sign = before.chars().next_back().filter(|c| SIGNS.contains(c));
        let plus = after.trim_start().chars().next().filter(|c| *c == '+');
        let gap = if found.is_empty() { Gap::Apart } else { gap(between) };
        found.push(Figure { number, sign: sign.or(plus), gap });
        rest = after;
    }
    found
}

fn gap(between: &str) -> Gap {
    let inner = between.trim_matches(|c: char| c == ' ' || is_currency(c));
    let is_word = |word: &str| TO.contains(&word);
    match inner {
        "." => Gap::Point,
        "," if between == "," => Gap::Comma,
        "h" => Gap::Clock,
        _ if inner.contains(['-', '~']) => Gap::Range,
        _ if inner.contains(':') => Gap::Clock,
        _ if inner.contains('/') => Gap::Slash,
        _ if inner.split(|c: char| !c.is_alphabetic()).any(is_word) => Gap::Range,
        _ => Gap::Apart,
    }
}

fn is_currency(c: char) -> bool {
    matches!(
        c,
        '$' | '£'
            | '¥'
            | '₦'
            | '₩'
            | '₪'
            | '₫'
            | '€'
            | '₱'
            | '₲'
            | '₴'
            | '₵'
            | '₸'
            | '₹'
            | '₺'
            | '₽'
            | '₾'
    )
}

/// The length of the digits that a text begins with.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The same with groups of thousands and decimals.
fn amount(text: &str) -> usize {
    let is_inside = |(place, c): (usize, char)| {
        let next = text.get(place + c.len_utf8()..).unwrap_or_default();
        let count = digits(next);
        c.is_ascii_digit() || (matches!(c, '.' | ',' | '\'') && count > 0) || (c == ' ' && count == 3)
    };
    text.char_indices().find(|at| !is_inside(*at)).map_or(text.len(), |(place, _)| place)
}

/// A group of digits without the zeros that fill it up.
fn unpadded(digits: &str) -> &str {
    digits.trim_start_matches('0')
}

fn read(number: &str) -> Option<Amount> {
    number::read(number, Marks::Open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_numbers_may_have_another_shape() {
        for (label, said) in [
            ("€10", "10 €"),
            ("09:00", "9:00"),
            ("09:00", "9.00"),
            ("9h30", "9:30"),
            ("1,000", "1000"),
            ("18-30", "18 - 30"),
            ("18-30", "18 to 30"),
            ("500 to 1000 km", "500-1000"),
            ("$500 - $1000", "$500-$1,000"),
            ("5 km - 10 km", "5-10 km"),
            ("1.5 l", "1,5 l"),
            ("4/5", "04/05"),
            ("18+", "18 +"),
            ("<18", "< 18"),
            ("table for 2", "2"),
            ("$20", "20 dollars"),
            ("$20", "20 pesos"),
            ("€20", "20 euro"),
            ("10 kg", "10 kilos"),
            ("2-bedroom", "2 bedrooms"),
        ] {
            assert!(has_same_numbers(label, said), "{said} of {label}");
        }
        for (label, said) in [
            ("1-5 km", "1.5"),
            ("5-10 km", "5.10"),
            ("1.5 l", "1-5"),
            ("1.5 l", "1 5"),
            ("11-50", "11.50"),
            ("11-50", "11/50"),
            ("18 or older", "<18"),
            ("under 18", "18+"),
            ("18-30", "~18"),
            ("1", ">1"),
            ("10", "10+"),
            ("iphone 15", "15 pro"),
            ("r$ 20", "20 dollars"),
            ("$20", "20 euros"),
            ("10 kg", "10 km"),
            ("10", "10 kilos"),
            ("bus 2", "2 buses"),
            ("5", "-5"),
        ] {
            assert!(!has_same_numbers(label, said), "{said} of {label}");
        }
    }
}
