//! Comparing texts without regard to case.

use std::borrow::Cow;

/// The caseless form of a text: Unicode's default caseless matching, near enough.
///
/// The standard library has no case folding. Upper case and then lower case gives the same classes
/// (`ß` = `SS`, `ſ` = `s`, `ς` = `σ`) except for a few letters of Cherokee, which fold to
/// themselves either way.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        Cow::Owned(text.to_uppercase().to_lowercase().replace('ς', "σ"))
    } else if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn case_does_not_part_words_of_any_script() {
        for (a, b) in
            [("MENU", "menu"), ("Straße", "STRASSE"), ("ΌΣΟΣ", "όσος"), ("МЕНЮ", "меню"), ("ſ", "S")]
        {
            assert_eq!(fold(a), fold(b));
        }
        assert_ne!(fold("menu"), fold("menü"));
    }
}
