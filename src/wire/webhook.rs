//! The JSON of webhooks, read as far as it can be.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads the JSON of a webhook, which may tell of many people. A part that no text or number can
/// hold is lost alone ([SEMANTICS W4](crate::semantics#w4)): half a character, such as `\ud83d`
/// without its other half, is read as `U+FFFD`, and so are bytes that are no UTF-8; a number beyond
/// all doubles, such as `1e400`, is read as null.
///
/// ```
/// # use chatflow::wire::read_webhook;
/// let body = br#"{"name": "Ada \ud83d", "order": 1e400, "text": "hi"}"#;
/// let read = read_webhook(body)?;
/// assert_eq!((&read["name"], &read["text"]), (&"Ada \u{fffd}".into(), &"hi".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Those of `serde_json`, for what is no JSON all the same.
pub fn read_webhook(body: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(body).or_else(|_| serde_json::from_str(&readable(&String::from_utf8_lossy(body))))
}

/// A text, or a number that is taken for its digits.
pub(super) fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(serde::de::Error::custom("must be a text")),
    }
}

/// The same JSON without what cannot be read.
fn readable(json: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(json.len()), json);
    while let Some(quote) = rest.find('"') {
        let (between, text) = rest.split_at(quote);
        let (text, after) = text.split_at(text_len(text));
        push_numbers(&mut out, between);
        push_text(&mut out, text);
        rest = after;
    }
    push_numbers(&mut out, rest);
    out
}

/// The bytes of the text that begins here, its quotes included.
fn text_len(json: &str) -> usize {
    let mut is_escaped = false;
    let end = json.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(json.len(), |end| end + 2)
}

/// Appends a text; halves of characters are replaced.
fn push_text(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let len = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push(char::REPLACEMENT_CHARACTER);
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            _ => escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end),
        };
        let (escape, after) = escape.split_at(len);
        out.push_str(escape);
        rest = after;
    }
    out.push_str(rest);
}

/// The number of an escape such as `\ud83d`.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| is_number)
}

/// Appends what is between two texts; numbers beyond all doubles are null.
fn push_numbers(out: &mut String, between: &str) {
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let mut rest = between;
    while let Some(at) = rest.find(is_of_number) {
        let (before, from) = rest.split_at(at);
        let (number, after) = from.split_at(from.find(|c| !is_of_number(c)).unwrap_or(from.len()));
        let is_beyond = number.parse::<f64>().is_ok_and(f64::is_infinite);
        out.push_str(before);
        out.push_str(if is_beyond { "null" } else { number });
        rest = after;
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn half_a_character_and_a_number_beyond_all_are_lost_alone() {
        for (json, read) in [
            (r#"["\ud83d", "b"]"#, json!(["\u{fffd}", "b"])),
            (r#"["a\ude00b"]"#, json!(["a\u{fffd}b"])),
            (r#"["\ud83d\ud83d\ude00"]"#, json!(["\u{fffd}\u{1f600}"])),
            (r#"["\ud83d\n\ude00\u00e9"]"#, json!(["\u{fffd}\n\u{fffd}é"])),
            (r#"["\\ud83d", "\ud83d", "\\\ud83d"]"#, json!(["\\ud83d", "\u{fffd}", "\\\u{fffd}"])),
            (r#"["\"\ud83d\"", {"\ud83d": 1}]"#, json!(["\"\u{fffd}\"", {"\u{fffd}": 1}])),
            (r#"[1e400, -1E999, 1.5, "1e400", true, null]"#, json!([null, null, 1.5, "1e400", true, null])),
        ] {
            assert_eq!(read_webhook(json.as_bytes()).unwrap(), read, "{json}");
        }
        assert_eq!(read_webhook(b"[\"a\xf0\x9f\", 1]").unwrap(), json!(["a\u{fffd}", 1]));
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for json in
            [r#"["\ud83d"#, r#"["\ud83"]"#, r#"["\u+123"]"#, r#"["\"#, "[1e400", "", "{]", r#"["\ud83d\"]"#]
        {
            assert!(read_webhook(json.as_bytes()).is_err(), "{json}");
        }
    }
}
