//! A hash of what a file says, whatever its layout.

use std::hash::Hasher;

use crate::gather::Arrange;
use serde_json::Value;
use siphasher::sip128::{Hasher128, SipHasher13};

/// A hash of a definition's content. Sessions keep it (SEMANTICS S13): it never changes.
pub(crate) fn digest(json: &Value) -> u128 {
    let mut hasher = SipHasher13::new();
    absorb(&mut hasher, json);
    hasher.finish128().as_u128()
}

/// Recursion ends: a text is at most 128 levels deep.
fn absorb(hasher: &mut SipHasher13, json: &Value) {
    let mut tagged = |tag: u8, text: &str| {
        hasher.write_u8(tag);
        hasher.write_u64(text.len() as u64);
        hasher.write(text.as_bytes());
    };
    match json {
        Value::Null => tagged(0, ""),
        Value::Bool(value) => tagged(1, if *value { "true" } else { "false" }),
        Value::Number(value) => tagged(2, &value.to_string()),
        Value::String(value) => tagged(3, value),
        Value::Array(items) => {
            tagged(4, &items.len().to_string());
            items.iter().for_each(|item| absorb(hasher, item));
        }
        Value::Object(fields) => {
            tagged(5, &fields.len().to_string());
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.arrange_by_key(|(key, _)| key.as_str());
            for (key, value) in sorted {
                absorb(hasher, &Value::String(key.clone()));
                absorb(hasher, value);
            }
        }
    }
}
