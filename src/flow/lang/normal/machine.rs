//! Unicode's forms of characters, by the tables of a crate.

use unicode_normalization::UnicodeNormalization;

/// Every character as what it is made of.
pub(super) fn decomposed(text: &str) -> impl Iterator<Item = char> {
    text.nfd()
}

/// Every character as what it is made of, compatibility forms as what they are.
pub(super) fn compatible(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    text.nfkd()
}

/// A text of single characters, as far as there are some for what it is made of.
pub(super) fn recomposed(text: impl Iterator<Item = char>) -> String {
    text.nfc().collect()
}
