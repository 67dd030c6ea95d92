//! Unicode's forms of characters in a page, a worker, or another program of JavaScript, which has
//! the tables: `String.prototype.normalize`.

use js_sys::JsString;

/// Every character as what it is made of.
pub(super) fn decomposed(text: &str) -> impl Iterator<Item = char> {
    characters(&normalized(text, "NFD"))
}

/// Every character as what it is made of, compatibility forms as what they are.
pub(super) fn compatible(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    characters(&normalized(&text.collect::<String>(), "NFKD"))
}

/// A text of single characters, as far as there are some for what it is made of.
pub(super) fn recomposed(text: impl Iterator<Item = char>) -> String {
    normalized(&text.collect::<String>(), "NFC")
}

fn normalized(text: &str, form: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { JsString::from(text).normalize(form).into() }
}

fn characters(text: &str) -> impl Iterator<Item = char> + use<> {
    text.chars().collect::<Vec<_>>().into_iter()
}
