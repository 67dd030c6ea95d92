//! The one reader of numbers that people and shops write: digits of any script, signs, groups of
//! thousands, a point or a comma (SEMANTICS U10). Arithmetic on what was read is decimal, in
//! `exact`; the marks of languages are in `marks`.

mod exact;
mod marks;
#[cfg(test)]
mod tests;

pub(crate) use exact::{from_float, json_number, parse_programmed, significant, to_float};
use rust_decimal::Decimal as Amount;

use crate::digits::plain;
use crate::flow::form::read::words;
use crate::flow::lang::normal::without_emoji;

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
    let framed = without_frame(&text);
    let text = framed.as_deref().unwrap_or(&text).trim();
    let text = text.strip_suffix(['.', '。', '!', ',']).filter(|text| ends_in_digit(text)).unwrap_or(text);
    let (is_negative, digits) = sign(text);
    let digits = digits.trim_start();
    let (whole, decimals) = parts(digits, marks)?;
    let sign = if is_negative { "-" } else { "" };
    let point = if decimals.is_empty() { "" } else { "." };
    Amount::from_str_exact(&format!("{sign}{whole}{point}{decimals}")).ok().map(|number| number.normalize())
}

/// A text without what people write around a number that they type: emoji, quotes, stars. None if
/// it begins and ends as a number does.
fn without_frame(text: &str) -> Option<String> {
    const PAIRS: [(char, char); 9] = [
        ('"', '"'),
        ('\'', '\''),
        ('“', '”'),
        ('„', '“'),
        ('«', '»'),
        ('「', '」'),
        ('*', '*'),
        ('_', '_'),
        ('`', '`'),
    ];
    let is_bare = |text: &str| {
        text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b',' | b'-' | b' '))
    };
    if is_bare(text) {
        return None;
    }
    let rest = without_emoji(text);
    let inner = rest.as_deref().unwrap_or(text).trim();
    let pair = PAIRS.iter().find_map(|(open, close)| inner.strip_prefix(*open)?.strip_suffix(*close));
    pair.map(str::to_owned).or(rest)
}

/// Reads a number with a currency, a unit or `%` before or after it: `$12`, `12 kg`, `12 %`.
pub(crate) fn read_amount(text: &str, marks: Marks) -> Option<Amount> {
    if text.len() > MOST {
        return None;
    }
    let text = plain(text);
    let framed = without_frame(&text);
    let (is_negative, rest) = sign(framed.as_deref().unwrap_or(&text).trim());
    let is_inside = |c: char| c.is_ascii_digit();
    let (first, last) = (rest.find(is_inside)?, rest.rfind(is_inside)?);
    let (before, number) = rest.split_at(first);
    let (number, after) = number.split_at(last.saturating_sub(first).saturating_add(1));
    let (minus_inside, before) = match before.trim_end().strip_suffix(MINUS) {
        Some(before) if !is_negative => (true, before),
        _ => (false, before),
    };
    let (before, point) = match before.strip_suffix(['.', ',']) {
        // `Rs.500` is no fraction, `$.50` is one.
        Some(unit) if !unit.contains(char::is_alphabetic) => (unit, rest.get(unit.len()..first)?),
        _ => (before, ""),
    };
    if !is_unit(before)
        || !is_unit(after)
        || is_factor(after)
        || (!before.trim().is_empty() && is_word(before))
    {
        return None;
    }
    let number = read(&format!("{point}{number}"), marks)?;
    Some(if is_negative || minus_inside { -number } else { number })
}

/// Signs of the negative: the hyphen, the minus, the dash that telephones make of a hyphen.
const MINUS: [char; 5] = ['-', '\u{2212}', '\u{2013}', '\u{fe63}', '\u{ff0d}'];

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix(MINUS) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix(['+', '\u{ff0b}']).unwrap_or(text)),
    }
}

fn ends_in_digit(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit())
}

/// True if a text is a currency, a unit, or nothing.
fn is_unit(text: &str) -> bool {
    let is_sign = |c: char| {
        c.is_alphabetic()
            || is_vowel_sign(c)
            || c.is_whitespace()
            || matches!(
                c,
                '%' | '٪'
                    | '‰'
                    | '°'
                    | '$'
                    | '¢'
                    | '£'
                    | '¤'
                    | '¥'
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
                    | '\''
                    | '’'
                    | '"'
                    | '״'
            )
            || matches!(c, '\u{9f2}' | '\u{9f3}' | '\u{9fb}' | '\u{af1}' | '\u{bf9}' | '\u{17db}' | '\u{20a0}'..='\u{20cf}' | '\u{58f}' | '\u{60b}' | '\u{e3f}' | '\u{fdfc}' | '\u{ff04}' | '\u{ff05}' | '\u{ffe0}'..='\u{ffe6}')
    };
    text.chars().count() <= MOST_AROUND && text.chars().all(is_sign)
}

/// True if a text before a number says more than a currency: `about 12`.
fn is_word(text: &str) -> bool {
    text.split_whitespace().count() > 1 || text.chars().filter(|c| c.is_alphabetic()).count() > 4
}

/// True if what follows a number is a factor and no unit: `12k` is no twelve.
fn is_factor(text: &str) -> bool {
    let text = text.trim_start();
    let is_letter = |c: char| c.is_alphanumeric() || is_vowel_sign(c);
    let word = text.split(|c: char| !is_letter(c)).next().unwrap_or_default();
    // `m` is a metre, `M` a million.
    matches!(word, "M" | "MM" | "B")
        || FACTORS.contains(&word.to_lowercase().as_str())
        || text.starts_with(['万', '萬', '千', '百', '億', '亿', '만', '천', '백', '억'])
        || ["พัน", "หมื่น", "แสน", "ล้าน", "ພັນ", "ລ້ານ"].iter().any(|factor| text.starts_with(factor))
}

/// The marks of Indian scripts that belong to the letter before them.
fn is_vowel_sign(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{dff}' | '\u{102b}'..='\u{103e}' | '\u{17b6}'..='\u{17d3}' | '\u{e31}' | '\u{e34}'..='\u{e4e}')
}

/// Words that multiply the number before them.
const FACTORS: &[&str] = &[
    "k",
    "hundred",
    "thousand",
    "million",
    "millions",
    "mn",
    "mln",
    "mill",
    "mio",
    "billion",
    "billions",
    "bn",
    "bln",
    "trillion",
    "lakh",
    "lakhs",
    "lac",
    "lacs",
    "crore",
    "crores",
    "cr",
    "mil",
    "millón",
    "millon",
    "millones",
    "billón",
    "billones",
    "milhão",
    "milhao",
    "milhões",
    "milhoes",
    "bilhão",
    "bilhões",
    "mille",
    "milliard",
    "milliards",
    "mrd",
    "md",
    "tausend",
    "millionen",
    "milliarde",
    "milliarden",
    "mila",
    "milione",
    "milioni",
    "miliardo",
    "miliardi",
    "duizend",
    "miljoen",
    "miljard",
    "tusen",
    "miljon",
    "miljoner",
    "tuhat",
    "tuhatta",
    "miljoona",
    "miljoonaa",
    "tys",
    "tysiąc",
    "tysiące",
    "tysięcy",
    "milion",
    "miliony",
    "milionów",
    "mld",
    "tisíc",
    "ezer",
    "millió",
    "mii",
    "milioane",
    "тыс",
    "тысяч",
    "тысяча",
    "тысячи",
    "млн",
    "миллион",
    "миллиона",
    "миллионов",
    "млрд",
    "тис",
    "тисяч",
    "мільйон",
    "мільйонів",
    "хиляди",
    "милиона",
    "χιλιάδες",
    "εκατ",
    "εκατομμύρια",
    "bin",
    "milyon",
    "milyar",
    "ألف",
    "الف",
    "آلاف",
    "مليون",
    "ملايين",
    "مليار",
    "هزار",
    "میلیون",
    "میلیارد",
    "ہزار",
    "لاکھ",
    "کروڑ",
    "אלף",
    "מיליון",
    "हज़ार",
    "हजार",
    "लाख",
    "करोड़",
    "करोड",
    "হাজার",
    "লাখ",
    "লক্ষ",
    "কোটি",
    "ribu",
    "rb",
    "juta",
    "jt",
    "miliar",
    "nghìn",
    "ngàn",
    "triệu",
    "tr",
    "tỷ",
    "tỉ",
    "libo",
    "milyon",
    "elfu",
    "milioni",
];

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
