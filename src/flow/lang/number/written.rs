//! Numbers as a language writes them: the mark before decimals, the one between groups, and the
//! size of the groups, by the Unicode CLDR (SEMANTICS U10). Digits are those of ASCII.

use std::fmt::Write;

use super::Decimal;
use super::marks::decimal_in;
use crate::flow::lang::language::Language;

/// Languages and regions with a comma before decimals that write a blank which does not break
/// between groups. Others with a comma write a point.
const BLANK: &str = "af be bg cs eo et fi fr hu hy ka kab kk ky lt lv nb nn no os pl ru sah se sk sq sv tg tk tt uk \
    uz de-AT en-FI en-SE en-ZA es-CR pt-AO pt-CH pt-CV pt-GQ pt-GW pt-LU pt-MO pt-MZ pt-PT pt-ST pt-TL";
/// Regions of these that write a point.
const POINT: [&str; 2] = ["fr-LU", "fr-MA"];
/// Those that write an apostrophe.
const APOSTROPHE: &str = "rm gsw de-CH de-LI it-CH en-CH";
/// Those whose groups have two digits but for the last.
const INDIAN: &str = "as bn brx dz gu hi kn ml mr ne or pa ta te en-IN ur-IN";

/// The way in which a language writes numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumberStyle {
    decimal: char,
    group: char,
    is_indian: bool,
}

impl NumberStyle {
    /// As programs write them: `1,234.50`.
    pub(crate) const PLAIN: Self = Self { decimal: '.', group: ',', is_indian: false };

    /// Returns that of a language, such as `pt-BR`; the plain one of none.
    pub(crate) fn of(tag: Option<&str>) -> Self {
        let Some((tag, language)) = tag.and_then(|tag| Some((tag, Language::parse(tag)?))) else {
            return Self::PLAIN;
        };
        let regional = language.regional();
        let is_in = |list: &str| list.split(' ').any(|one| one == regional || one == language.primary());
        let (decimal, group) = match decimal_in(tag) {
            Decimal::Point if is_in(APOSTROPHE) => ('.', '’'),
            Decimal::Point => ('.', ','),
            Decimal::Comma if POINT.contains(&&*regional) => (',', '.'),
            Decimal::Comma if language.primary() == "fr" && regional != "fr-CA" => (',', '\u{202f}'),
            Decimal::Comma if is_in(BLANK) => (',', '\u{a0}'),
            Decimal::Comma => (',', '.'),
        };
        Self { decimal, group, is_indian: is_in(INDIAN) }
    }

    /// Writes a number of ASCII digits, with a point before its decimals and without a sign.
    pub(crate) fn write(self, digits: &str, out: &mut impl Write) -> std::fmt::Result {
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        for (place, digit) in whole.chars().enumerate() {
            let left = whole.len().saturating_sub(place);
            let ends_group = match self.is_indian {
                true => left == 3 || (left > 3 && left % 2 == 1),
                false => left % 3 == 0,
            };
            if place > 0 && ends_group {
                out.write_char(self.group)?;
            }
            out.write_char(digit)?;
        }
        if !decimals.is_empty() {
            out.write_char(self.decimal)?;
            out.write_str(decimals)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::NumberStyle;

    #[test]
    fn u10_numbers_are_written_as_each_language_writes_them() {
        for (tag, expected) in [
            ("en", "1,234,567.50"),
            ("en-IN", "12,34,567.50"),
            ("hi", "12,34,567.50"),
            ("de", "1.234.567,50"),
            ("de-AT", "1\u{a0}234\u{a0}567,50"),
            ("de-CH", "1’234’567.50"),
            ("es", "1.234.567,50"),
            ("es-MX", "1,234,567.50"),
            ("pt_BR", "1.234.567,50"),
            ("pt-PT", "1\u{a0}234\u{a0}567,50"),
            ("fr", "1\u{202f}234\u{202f}567,50"),
            ("fr-CA", "1\u{a0}234\u{a0}567,50"),
            ("fr-MA", "1.234.567,50"),
            ("ru", "1\u{a0}234\u{a0}567,50"),
            ("sv-SE", "1\u{a0}234\u{a0}567,50"),
            ("tr", "1.234.567,50"),
            ("id", "1.234.567,50"),
            ("ja", "1,234,567.50"),
            ("zh-Hant-TW", "1,234,567.50"),
            ("ar-EG", "1,234,567.50"),
            ("ar-MA", "1.234.567,50"),
        ] {
            let mut text = String::new();
            NumberStyle::of(Some(tag)).write("1234567.50", &mut text).unwrap();
            assert_eq!(text, expected, "{tag}");
        }
        assert_eq!(NumberStyle::of(None), NumberStyle::PLAIN);
    }
}
