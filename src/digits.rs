//! The digits that people write, in whatever script, as the ten that programs read. What they mean
//! is for others.

use std::borrow::Cow;

/// The zero of each script whose digits follow it in order.
const ZEROS: [char; 65] = [
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17e0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{ff10}',
    '\u{104a0}',
    '\u{10d30}',
    '\u{11066}',
    '\u{110f0}',
    '\u{11136}',
    '\u{111d0}',
    '\u{112f0}',
    '\u{11450}',
    '\u{114d0}',
    '\u{11650}',
    '\u{116c0}',
    '\u{11730}',
    '\u{118e0}',
    '\u{11950}',
    '\u{11c50}',
    '\u{11d50}',
    '\u{11da0}',
    '\u{16a60}',
    '\u{16ac0}',
    '\u{16b50}',
    '\u{1d7ce}',
    '\u{1d7d8}',
    '\u{1d7e2}',
    '\u{1d7ec}',
    '\u{1d7f6}',
    '\u{1e140}',
    '\u{1e2f0}',
    '\u{1e950}',
    '\u{1fbf0}',
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
    let zero = ZEROS.get(ZEROS.partition_point(|zero| *zero <= c).checked_sub(1)?)?;
    let value = (c as u32).checked_sub(*zero as u32).filter(|value| *value < 10);
    char::from_digit(value?, 10)
}

/// True for the marks that turn a digit into a key (`1️⃣`), and those of writing direction that
/// travel with copied numbers.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{fe0f}' | '\u{20e3}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn digits_of_every_script_are_digits() {
        for text in [
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "०१२३४५६७८९",
            "๐๑๒๓๔๕๖๗๘๙",
            "၀၁၂၃၄၅၆၇၈၉",
            "𞥐𞥑𞥒𞥓𞥔𞥕𞥖𞥗𞥘𞥙",
            "０１２３４５６７８９",
        ] {
            assert_eq!(plain(text), "0123456789");
        }
        assert_eq!(plain("2️⃣"), "2");
        assert_eq!(plain("\u{202a}+1 415\u{202c}"), "+1 415");
        assert_eq!(plain("zwölf ²"), "zwölf ²");
    }
}
