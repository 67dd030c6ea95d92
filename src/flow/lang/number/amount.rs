//! Amounts: a number with a currency, a unit or `%` around it, by the words of `amounts.txt`
//! (SEMANTICS U10). Each line has a kind and words: a `factor` multiplies the number before it, a
//! `prefix` does so in scripts without blanks unless it begins a word of `except`; `minus` makes
//! the number behind it negative, a `part` is a hundredth of a currency, unless it is one of the
//! `percent` (with `_` for a blank), `zero` says that the number before it may be; `before` are
//! currencies and units that are written in front, `dollar` the letters of dollars and pesos before
//! `$`, `iso` the codes of currencies.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use rust_decimal::Decimal as Amount;

use super::{MINUS, MOST, MOST_AROUND, Marks, read, sign};
use crate::digits::plain;
use crate::flow::lang::normal::{composed, is_combining, is_unspaced, normal, unframed};
use crate::gather::Arrange;

const TABLE: &str = include_str!("amounts.txt");

/// The words of the table, in their normal form.
struct AmountWords {
    factors: HashSet<Box<str>>,
    before: HashSet<Box<str>>,
    minus: Box<[Box<str>]>,
    zero: HashSet<Box<str>>,
    percent: Box<[Box<str>]>,
    /// Beginnings of words that are factors, and of words that are not for all that.
    prefixes: Box<[&'static str]>,
    exceptions: Box<[&'static str]>,
}

static WORDS: LazyLock<AmountWords> = LazyLock::new(|| {
    let of = |kind| listed(kind).map(|word| normal(word).into());
    let mut minus: Vec<Box<str>> = of("minus").collect();
    minus.arrange_by_key(|word| std::cmp::Reverse(word.len()));
    AmountWords {
        factors: of("factor").chain(of("part")).collect(),
        before: of("before").collect(),
        minus: minus.into(),
        zero: of("zero").collect(),
        percent: of("percent").map(|phrase| phrase.replace('_', " ").into()).collect(),
        prefixes: listed("prefix").collect(),
        exceptions: listed("except").collect(),
    }
});

/// Factors that are so in some languages alone, or in all but some.
const CONTESTED: [(&str, bool, &[&str]); 12] = [
    ("miles", true, &["es", "gl", "pt"]),
    ("p", true, &["en"]),
    ("ct", true, &["de", "nl"]),
    ("senti", true, &["sw"]),
    ("fils", false, &["fr"]),
    ("mi", true, &["pt"]),
    ("bi", true, &["pt"]),
    ("tri", true, &["pt"]),
    ("min", true, &["az"]),
    ("sau", true, &["en", "hi"]),
    ("mn", false, &["fr"]),
    ("grand", false, &["fr"]),
];

/// The sign of a hundredth, in both widths.
const CENTS: [char; 2] = ['¢', '\u{ffe0}'];

/// Words for `minus` that are also those for `less`.
const COMPARING: [&str; 4] = ["menos", "moins", "meno", "trừ"];

fn listed(kind: &'static str) -> impl Iterator<Item = &'static str> {
    let lines = TABLE.lines().filter_map(move |line| line.strip_prefix(kind)?.strip_prefix(' '));
    lines.flat_map(|words| words.split(' '))
}

/// Reads a number with a currency, a unit or `%` before or after it: `$12`, `12 kg`, `12 %`. A
/// factor behind it or in front, or a word that is none of these in front, makes it no number: it
/// would be another one. `language` settles a factor that is a unit elsewhere.
pub(crate) fn read_amount(text: &str, marks: Marks, language: Option<&str>) -> Option<Amount> {
    if text.len() > MOST {
        return None;
    }
    let text = spelt_out(plain(text));
    let (is_negative, rest) = sign(unframed(&text));
    let rest = without_power(rest);
    let is_inside = |c: char| c.is_ascii_digit();
    let (first, last) = (rest.find(is_inside)?, rest.rfind(is_inside)?);
    let (before, number) = rest.split_at(first);
    let (number, after) = number.split_at(last.saturating_sub(first).saturating_add(1));
    let (minus_inside, before) = match before.trim_end().strip_suffix(MINUS) {
        Some(before) => (true, before),
        None => (false, before),
    };
    let (before, point) = match before.strip_suffix(['.', ',']) {
        // `Rs.500` is no fraction, `$.50` is one.
        Some(unit) if !unit.contains(char::is_alphabetic) => (unit, rest.get(unit.len()..first)?),
        _ => (before, ""),
    };
    let (minus_before, before) = without_minus(before);
    if !is_unit(before)
        || !is_before(before, language)
        || !is_unit(after)
        || !is_behind(after, before, language)
    {
        return None;
    }
    let number = read(&format!("{point}{number}"), marks)?;
    match [is_negative, minus_inside, minus_before].into_iter().filter(|is_minus| *is_minus).count() {
        0 => Some(number),
        1 => Some(-number),
        _ => None,
    }
}

/// True if a text that follows a number begins with a word that multiplies it.
pub(crate) fn is_multiplied(after: &str, language: Option<&str>) -> bool {
    let after = after.trim_start();
    let word = after.split(|c: char| !is_letter(c)).next().unwrap_or_default();
    word.len() <= MOST && is_factor(word, "", language)
}

/// The length of the word for `minus` that a text ends with, with the blanks behind it.
pub(crate) fn minus_at_end(before: &str) -> Option<usize> {
    let trimmed = before.trim_end();
    let word = trimmed.rsplit(|c: char| !is_letter(c)).next().unwrap_or_default();
    if word.is_empty() || word.len() > 4 * MOST {
        return None;
    }
    let folded = normal(word);
    let minus = WORDS.minus.iter().find(|minus| {
        *folded == ***minus || (minus.chars().all(is_unspaced) && folded.ends_with(&***minus))
    })?;
    let is_whole = *folded == **minus;
    let length = if is_whole { word.len() } else { minus.len() };
    // `al menos 5` is five and more.
    let rest = trimmed.get(..trimmed.len() - word.len()).unwrap_or_default().trim_end();
    let is_comparing = COMPARING.contains(&&**minus) && rest.ends_with(is_letter);
    (!is_comparing).then_some(length + before.len() - trimmed.len())
}

/// True if the last word of a text multiplies the number behind it: `elfu 5`, `laki 2`.
pub(crate) fn is_multiplier_at_end(before: &str) -> bool {
    const IN_FRONT: [&str; 6] = ["elfu", "laki", "mia", "milioni", "dubu", "miliyan"];
    let word = before.trim_end().rsplit(|c: char| !is_letter(c)).next().unwrap_or_default();
    IN_FRONT.iter().any(|factor| word.eq_ignore_ascii_case(factor))
}

/// A text with the units that keyboards of Japan, Korea and China write in one square: `㎡`, `㌔`.
fn spelt_out(text: Cow<'_, str>) -> Cow<'_, str> {
    // Others of that block are hours, days, months and eras.
    let is_square = |c: char| matches!(c, '\u{2103}' | '\u{2109}' | '\u{3300}'..='\u{3357}' | '\u{3371}'..='\u{337a}' | '\u{3380}'..='\u{33df}');
    if !text.contains(is_square) {
        return text;
    }
    let spell = |c: char| match is_square(c) {
        true => composed(c.encode_utf8(&mut [0; 4])).into_owned(),
        false => c.into(),
    };
    text.chars().map(spell).collect()
}

/// A text without the power behind a unit of length: `120 m2`.
fn without_power(text: &str) -> &str {
    const UNITS: [&str; 18] = [
        "m", "cm", "mm", "km", "dm", "ft", "in", "м", "см", "мм", "км", "дм", "م", "سم", "كم", "מ", "ม", "मी",
    ];
    let is_unit = |rest: &&str| {
        let unit = rest.rsplit(|c: char| !is_letter(c)).next().unwrap_or_default();
        let unit = unit.to_lowercase();
        UNITS.contains(&&*unit) && rest.contains(|c: char| c.is_ascii_digit())
    };
    text.strip_suffix(['2', '3']).filter(is_unit).unwrap_or(text)
}

/// A text before a number without the word for `minus`, and true if it has one.
fn without_minus(before: &str) -> (bool, &str) {
    let trimmed = before.trim();
    let word = trimmed.split(|c: char| !is_letter(c)).next().unwrap_or_default();
    if word.is_empty() {
        return (false, before);
    }
    let folded = normal(word);
    match WORDS.minus.iter().any(|minus| *folded == **minus) {
        true => (true, trimmed.get(word.len()..).unwrap_or_default()),
        false => (false, before),
    }
}

/// True if a text before a number is a currency, a unit, or nothing.
fn is_before(before: &str, language: Option<&str>) -> bool {
    let code: String = before.chars().filter(|c| is_letter(*c)).collect();
    if code.is_empty() {
        return !before.contains(CENTS);
    }
    // Naira, on a keyboard without its sign.
    if before.trim_end() == "N" {
        let primary = language.and_then(|tag| tag.split(['-', '_']).next());
        return primary.is_none_or(|tag| ["en", "ha", "yo", "ig", "pcm"].contains(&tag));
    }
    let is_code = || listed("iso").any(|listed| listed == code);
    let has = |text: &str| WORDS.before.contains(&*normal(text));
    let is_dollar =
        || before.contains('$') && listed("dollar").any(|listed| code.eq_ignore_ascii_case(listed));
    has(&code) || is_code() || is_dollar() || before.split_whitespace().all(|word| words(word).all(has))
}

/// True if a text behind a number is a unit, and neither multiplies it nor makes it negative.
fn is_behind(after: &str, before: &str, language: Option<&str>) -> bool {
    let mark = after.trim_start();
    // `500-` is a negative number of a bookkeeper, `500,-` and `500/-` are none.
    let is_negative = mark.strip_prefix(MINUS).is_some_and(|rest| !rest.starts_with(is_letter));
    let has_zero = || words(after).any(|word| WORDS.zero.contains(&*normal(word)));
    !is_negative && !has_zero() && !after.contains(CENTS) && !is_multiple(after, before, language)
}

/// True if a text behind a number is its unit, and nothing that makes it another one.
pub(crate) fn is_unit_behind(after: &str, language: Option<&str>) -> bool {
    is_unit(after) && is_behind(after, "", language)
}

fn is_multiple(after: &str, before: &str, language: Option<&str>) -> bool {
    let phrase = normal(after);
    let is_percent =
        |percent: &str| phrase.strip_prefix(percent).is_some_and(|rest| !rest.starts_with(is_letter));
    if WORDS.percent.iter().any(|percent| is_percent(percent)) {
        return false;
    }
    let all: Vec<&str> = words(after).collect();
    let is_short = match all[..] {
        // `т.р.` and `т. руб.` are thousands of roubles, `e Ft` of forints; `т` is a tonne.
        ["т" | "Т", unit, ..] => ["р", "руб", "рублей", "грн", "тг"].contains(&&*unit.to_lowercase()),
        ["e", unit, ..] => unit.eq_ignore_ascii_case("ft"),
        ["T"] => after.trim_start().trim_start_matches('T').trim_start().starts_with(['€', '$']),
        _ => false,
    };
    is_short || all.into_iter().any(|word| is_factor(word, before, language))
}

fn is_factor(word: &str, before: &str, language: Option<&str>) -> bool {
    if word.is_empty() {
        return false;
    }
    // `m` is a metre, `M` a million.
    if matches!(word, "M" | "MM" | "B") {
        return true;
    }
    let folded = normal(word);
    if let Some((_, only, languages)) = CONTESTED.iter().find(|(contested, ..)| *folded == **contested) {
        let primary = language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
        let is_named = languages.iter().any(|named| primary.eq_ignore_ascii_case(named));
        return is_named == *only || (*only && before.starts_with("R$"));
    }
    let begins = |words: &[&str]| words.iter().any(|prefix| word.starts_with(prefix));
    WORDS.factors.contains(&*folded) || (begins(&WORDS.prefixes) && !begins(&WORDS.exceptions))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_letter(c)).filter(|word| !word.is_empty())
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || is_combining(c)
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '¢' | '£' | '¤' | '¥' | '\u{9f2}' | '\u{9f3}' | '\u{9fb}' | '\u{af1}' | '\u{bf9}' | '\u{17db}' | '\u{20a0}'..='\u{20cf}' | '\u{58f}' | '\u{60b}' | '\u{e3f}' | '\u{fdfc}' | '\u{ff04}' | '\u{ffe0}'..='\u{ffe6}')
}

/// True if a text has nothing but letters and the signs of currencies and units.
fn is_unit(text: &str) -> bool {
    let is_sign = |c: char| {
        is_letter(c)
            || is_currency(c)
            || c.is_whitespace()
            || matches!(
                c,
                '%' | '٪'
                    | '\u{ff05}'
                    | '‰'
                    | '°'
                    | '.'
                    | ','
                    | '!'
                    | '²'
                    | '³'
                    | '/'
                    | '-'
                    | '–'
                    | ':'
                    | '='
                    | '×'
                    | '\''
                    | '‘'
                    | '’'
                    | '"'
                    | '״'
            )
    };
    text.chars().count() <= MOST_AROUND && text.chars().all(is_sign)
}
