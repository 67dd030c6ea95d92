//! Languages that write a comma before decimals: `marks.txt`, which `scripts/cldr-names` makes of
//! the Unicode CLDR. Its lines are languages with a comma, and regions that differ from theirs with
//! a comma and with a point.

use super::{Decimal, Marks};
use crate::flow::lang::language::Language;

const TABLE: &str = include_str!("marks.txt");

impl Marks {
    /// Returns the way in which numbers are written in the first language that is given; open if
    /// none is.
    pub(crate) fn usual_in<'t>(languages: impl IntoIterator<Item = &'t str>) -> Self {
        match languages.into_iter().next() {
            None => Self::Open,
            Some(tag) if Language::parse(tag).is_some_and(|tag| tag.regional() == "fr-CH") => Self::Either,
            Some(tag) => Self::Usual(decimal_in(tag)),
        }
    }
}

/// The mark before decimals in a language, such as `pt-BR`.
pub(super) fn decimal_in(tag: &str) -> Decimal {
    let Some(language) = Language::parse(tag) else { return Decimal::Point };
    let regional = language.regional();
    let mut lines = TABLE.lines();
    let mut lists = |tag: &str| lines.next().is_some_and(|line| line.split(' ').any(|listed| listed == tag));
    let (is_comma, to_comma, to_point) = (lists(language.primary()), lists(&regional), lists(&regional));
    if to_comma || (is_comma && !to_point) { Decimal::Comma } else { Decimal::Point }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, decimal_in};

    #[test]
    fn u10_languages_and_regions_have_their_mark() {
        for tag in [
            "de", "de-AT", "es", "es-AR", "es-CO", "pt-BR", "pt_PT", "fr", "it", "ru", "pl", "tr", "id",
            "vi", "nl-BE", "spa", "pt_BR", "ar-MA", "en-ZA",
        ] {
            assert_eq!(decimal_in(tag), Decimal::Comma, "{tag}");
        }
        for tag in [
            "en", "en-GB", "es-MX", "es-419", "de-CH", "it-CH", "ja", "zh-Hant", "hi", "th", "iw", "ko",
            "ar", "sw", "tlh", "",
        ] {
            assert_eq!(decimal_in(tag), Decimal::Point, "{tag}");
        }
    }
}
