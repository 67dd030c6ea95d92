//! Shared by the tests of the wire formats.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A text of JSON without the blanks between its tokens: the order of keys stays.
pub(crate) fn minified(json: &str) -> String {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let kept = json.chars().filter(|c| {
        if is_quoted {
            (is_quoted, is_escaped) = (is_escaped || *c != '"', !is_escaped && *c == '\\');
            return true;
        }
        is_quoted = *c == '"';
        !c.is_whitespace()
    });
    kept.collect()
}

/// Reads a body and writes it again as it is, but for blanks.
pub(crate) fn again<T: DeserializeOwned + Serialize>(json: &str) {
    let read: T = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(serde_json::to_string(&read).unwrap(), minified(json));
}
