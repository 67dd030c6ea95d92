//! The one form in which texts are compared with what a contact wrote (SEMANTICS U1, U2): keywords,
//! rules of triggers, choices, and conditions that ignore case. What is stored stays as it was
//! written. Total, and in time that grows with the text.

mod frame;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod machine;
mod mark;
#[cfg(all(target_family = "wasm", target_os = "unknown", feature = "js"))]
mod page;
mod sentence;
pub(crate) mod word;

use std::borrow::Cow;

use crate::digits::digit;
use crate::flow::form::read::words;
pub(crate) use frame::{
    is_frame, narrow, unbracketed, unframed, unwrapped, unwrapped_end, unwrapped_start, unwrapped_url,
};
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
use machine as system;
use mark::{is_accent, is_edge, is_emoji, is_invisible};
pub(crate) use mark::{is_combining, is_unspaced};
#[cfg(all(target_family = "wasm", target_os = "unknown", feature = "js"))]
use page as system;
pub(crate) use sentence::{mail_in_sentence, url_in_sentence};

words! {
    /// Further differences that do not count for a rule, beside case.
    Folding {
        /// Accents and vowel points: `cafe` is `café` ([SEMANTICS U4](crate::semantics#u4)).
        Accents = "accents",
    }
}

/// A text in the form that it is compared in: compatibility forms as what they are, marks that
/// nobody sees left out, without case, digits of every script as 0-9, white space as one blank.
///
/// Unicode's default caseless matching, near enough: lower, upper and lower case again give the
/// same classes (`ß` = `ẞ` = `SS`, `ſ` = `s`, `ς` = `σ`) except for a few letters of Cherokee. `I`,
/// `İ` and `ı` are one letter, so that Turkish is read with either keyboard.
pub(crate) fn normal(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if !text.is_ascii() {
        return Cow::Owned(by_character(text, true).split_whitespace().collect::<Vec<_>>().join(" "));
    }
    let is_spaced = |pair: &[u8]| matches!(pair, [b' ', b' '] | [b'\t' | b'\n' | b'\r', _]);
    if text.as_bytes().windows(2).any(is_spaced) {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        return Cow::Owned(words.join(" ").to_ascii_lowercase());
    }
    match text.bytes().any(|b| b.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// The same with its white space as it is: what conditions compare that ignore case.
pub(crate) fn caseless(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true if text.bytes().any(|b| b.is_ascii_uppercase()) => Cow::Owned(text.to_ascii_lowercase()),
        true => Cow::Borrowed(text),
        false => Cow::Owned(by_character(text, true)),
    }
}

/// A whole message as it is compared with a word: its normal form without the quotes and
/// punctuation around it, and without emoji, unless there is nothing else (SEMANTICS U2).
pub(crate) fn key(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return Cow::Borrowed(text);
    }
    match text.is_ascii() {
        true => within_edges(normal(text)),
        false => match without_emoji(text) {
            Some(rest) => Cow::Owned(within_edges(normal(&rest)).into_owned()),
            None => key_with_emoji(text),
        },
    }
}

/// The same with its emoji, for texts that differ in nothing else.
pub(crate) fn key_with_emoji(text: &str) -> Cow<'_, str> {
    within_edges(normal(text))
}

/// A text with its letters composed and without marks that nobody sees, in its own case: what a
/// regular expression is tried on beside the text itself.
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(by_character(text, false)),
    }
}

/// A normal form without accents: `cafe` for `café`, `đ` as `d`, vowel points of Arabic and Hebrew
/// and the dots below letters of India left out, the forms of `alef` as one (SEMANTICS U4).
pub(crate) fn without_accents(normal: &str) -> Cow<'_, str> {
    if normal.is_ascii() {
        return Cow::Borrowed(normal);
    }
    let letters = system::decomposed(normal).filter(|c| !is_accent(*c)).flat_map(mark::plain_letter);
    Cow::Owned(system::recomposed(letters))
}

fn by_character(text: &str, folds: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    // The acute accent that is written for an apostrophe would become a blank with an accent.
    let seen = text.chars().filter(|c| !is_invisible(*c)).map(|c| if c == '\u{b4}' { '\'' } else { c });
    for c in system::compatible(seen) {
        if folds && mark::is_optional(&plain, c) {
            continue;
        }
        let c = digit(c).or_else(|| mark::twin(c)).unwrap_or(c);
        if let Some(spelt) = mark::spelt(c) {
            plain.push_str(spelt);
            continue;
        }
        if !c.is_ascii()
            && let Some(pair) = plain.chars().next_back().and_then(|before| mark::joined(before, c))
        {
            plain.pop();
            plain.extend(pair.into_iter().flatten());
            continue;
        }
        if !folds {
            plain.push(c);
        } else {
            fold(c, &mut plain);
        }
    }
    if folds {
        mark::settle(&mut plain);
    }
    system::recomposed(plain.chars())
}

fn fold(c: char, plain: &mut String) {
    /// The dot that is left of `İ` in small letters.
    const DOT_ABOVE: char = '\u{307}';
    match c {
        _ if c.is_ascii() => plain.push(c.to_ascii_lowercase()),
        DOT_ABOVE if plain.ends_with('i') => {}
        _ => {
            let small = c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
            plain.extend(small.map(|c| if c == 'ς' { 'σ' } else { c }));
        }
    }
}

fn within_edges(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(trim_edges(text)),
        Cow::Owned(text) => match trim_edges(&text) {
            inner if inner.len() == text.len() => Cow::Owned(text),
            inner => Cow::Owned(inner.to_owned()),
        },
    }
}

/// True if the character before a number may be its sign or its decimal mark, or compares: `<18` is
/// not 18, but `<18>` is.
fn is_of_number(inner: &str, rest: &str, whole: &str) -> bool {
    let begins = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let is_bracketed = || inner.starts_with('<') && whole.trim_end_matches(['.', '!', ' ']).ends_with('>');
    (inner.starts_with(['-', '.', ',']) && begins(rest))
        || (inner.starts_with(['<', '>', '~']) && begins(rest.trim_start()) && !is_bracketed())
}

/// A normal form without what surrounds it; all of it if there is nothing else.
pub(crate) fn trim_edges(text: &str) -> &str {
    let is_outside = |c: char| c == ' ' || is_edge(c);
    let mut inner = text;
    loop {
        let before = inner.len();
        inner = inner.trim_end_matches(|c| is_outside(c) || matches!(c, '\\' | '|'));
        while let Some(rest) = inner.strip_prefix(is_outside) {
            if is_of_number(inner, rest, text) {
                break;
            }
            inner = rest;
        }
        // A command of a bot: `/stop`.
        if let Some(rest) = inner.strip_prefix('/').filter(|rest| rest.starts_with(char::is_alphabetic)) {
            inner = rest;
        }
        for mark in ['*', '_', '`'] {
            let pair = inner.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
            inner = pair.unwrap_or(inner);
        }
        if inner.len() == before {
            break;
        }
    }
    if inner.is_empty() { text } else { inner }
}

/// A text without its emoji; none if it has none, or no letter and no digit beside.
pub(crate) fn without_emoji(text: &str) -> Option<String> {
    let has_any = text.chars().any(is_emoji);
    let rest = || text.chars().map(|c| if is_emoji(c) { ' ' } else { c }).collect::<String>();
    has_any.then(rest).filter(|rest| rest.chars().any(char::is_alphanumeric))
}

/// The emoji of a text, one after the other; none if it has none.
pub(crate) fn emoji_of(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let signs: String = text.chars().filter(|c| is_emoji(*c) && !is_invisible(*c)).collect();
    (!signs.is_empty()).then_some(signs)
}

/// The emoji of a text that says nothing else.
pub(crate) fn emoji_alone(text: &str) -> Option<String> {
    let says_more = |c: char| !is_emoji(c) && !is_invisible(c) && !is_edge(c) && !c.is_whitespace();
    emoji_of(text).filter(|_| !text.chars().any(says_more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_part_words_of_any_script() {
        for (a, b) in
            [("MENU", "menu"), ("Straße", "STRASSE"), ("ΌΣΟΣ", "όσος"), ("МЕНЮ", "меню"), ("ſ", "S")]
        {
            assert_eq!(normal(a), normal(b));
        }
        assert_ne!(normal("menu"), normal("menü"));
    }

    #[test]
    fn the_letters_of_turkish_are_read_with_either_keyboard() {
        for spelling in ["SIKINTI", "sıkıntı", "sikinti", "SİKİNTİ", "Sıkinti"] {
            assert_eq!(normal(spelling), "sikinti", "{spelling}");
        }
    }

    #[test]
    fn a_number_keeps_its_sign_and_a_name_its_mark() {
        for (text, plain) in [("<3>", "3"), ("«3»", "3"), ("~ok~", "ok"), ("> ok", "ok"), ("<stop>", "stop")]
        {
            assert_eq!(key(text), plain, "{text}");
        }
        for text in
            ["<18", "> 18", "~18", "-1", ".5", "#3", "50%", "c#", "a+", "$5", "?", "…", "👍", "*", "1.5"]
        {
            assert_eq!(key(text), normal(text), "{text}");
        }
        assert_eq!(key("“ (stop) ”…"), "stop");
        assert_eq!(key("*_stop_*!"), "stop");
        assert_eq!(key("— stop —"), "stop");
    }

    #[test]
    fn a_short_text_of_ascii_is_not_copied() {
        assert!(matches!(key("hello"), Cow::Borrowed("hello")));
        assert!(matches!(key("  hello! "), Cow::Borrowed("hello")));
    }

    #[test]
    fn accents_are_left_out_where_they_are_no_letters() {
        for (text, plain) in [
            ("café", "cafe"),
            ("đặt hàng", "dat hang"),
            ("łódź", "lodz"),
            ("مُحَمَّد", "محمد"),
            ("أهلا", "اهلا"),
            ("שָׁלוֹם", "שלום"),
            ("καλημέρα", "καλημερα"),
            ("हिंदी", "हिंदी"),
            ("ガ", "ガ"),
            ("ค่ะ", "ค่ะ"),
            ("한국", "한국"),
            ("फ़ोन", "फोन"),
            ("ঢাকায়", "ঢাকায"),
            ("ਜ਼ਮੀਨ", "ਜਮੀਨ"),
        ] {
            assert_eq!(without_accents(&normal(text)), normal(plain), "{text}");
        }
    }
}
