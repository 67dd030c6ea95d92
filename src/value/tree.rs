//! From a tree of `serde_json` to packed bytes, without serde in between: a context comes as one.
//! What is refused, and what is rare, is left to `write`, which gives the same bytes and says what
//! is wrong.

use serde_json::{Map, Value};

use super::PackLimits;
use super::codec::{self, tag};
use super::packer::Packer;

/// Packs the entries of one object, without its tag; None: `write` is to look at it.
pub(super) fn object(json: &Value, limits: &PackLimits) -> Option<Box<str>> {
    let Value::Object(fields) = json else { return None };
    let mut packer = Packer::below(0, limits);
    packer.open().ok()?;
    entries(&mut packer, fields)?;
    packer.finish().ok()
}

fn entries(packer: &mut Packer, fields: &Map<String, Value>) -> Option<()> {
    let mut last: Option<&str> = None;
    for (key, field) in fields {
        // A map that keeps the order of its keys is sorted elsewhere.
        if last.is_some_and(|last| last >= key.as_str()) {
            return None;
        }
        last = Some(key);
        packer.key(key).ok()?;
        value(packer, field)?;
    }
    Some(())
}

fn value(packer: &mut Packer, value: &Value) -> Option<()> {
    match value {
        Value::String(text) => packer.string(text).ok(),
        Value::Null => packer.tag(tag::NULL).ok(),
        Value::Bool(true) => packer.tag(tag::TRUE).ok(),
        Value::Bool(false) => packer.tag(tag::FALSE).ok(),
        Value::Number(number) => packer.number(tag::INT, codec::zigzag(number.as_i64()?)).ok(),
        Value::Array(items) => {
            packer.open().ok()?;
            packer.tag(tag::ARRAY).ok()?;
            let start = packer.position();
            items.iter().try_for_each(|item| self::value(packer, item))?;
            packer.close(start).ok()
        }
        Value::Object(fields) => {
            packer.open().ok()?;
            packer.tag(tag::OBJECT).ok()?;
            let start = packer.position();
            entries(packer, fields)?;
            packer.close(start).ok()
        }
    }
}
