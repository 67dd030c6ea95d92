//! The digits that people write, in whatever script, as the ten that programs read. What they mean
//! is for others.

use std::borrow::Cow;

/// The zero of each script whose digits follow it in order.
const ZEROS: [char; 21] = [
    '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}',
    '\u{c66}', '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}',
    '\u{1810}', '\u{19d0}', '\u{ff10}',
];

/// The text with its digits as 0-9, without marks that have no width.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !is_mark(*c)).map(|c| digit(c).unwrap_or(c)).collect())
}

/// A digit of whatever script.
pub(crate) fn digit(c: char) -> Option<char> {
    let value =
        ZEROS.iter().find_map(|zero| (c as u32).checked_sub(*zero as u32).filter(|value| *value < 10));
    char::from_digit(value?, 10)
}

/// What turns a digit into a key (`1️⃣`), and the marks of writing direction that travel with
/// copied numbers.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{fe0f}' | '\u{20e3}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn digits_of_every_script_are_digits() {
        for text in ["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "๐๑๒๓๔๕๖๗๘๙", "０１２３４５６７８９"]
        {
            assert_eq!(plain(text), "0123456789");
        }
        assert_eq!(plain("2️⃣"), "2");
        assert_eq!(plain("\u{202a}+1 415\u{202c}"), "+1 415");
        assert_eq!(plain("zwölf ²"), "zwölf ²");
    }
}
