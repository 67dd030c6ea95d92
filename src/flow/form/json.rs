//! From text to JSON: size first, then depth, and no key twice. `serde_json` stops at 128 levels by
//! itself; left alone it would let the last of two equal keys win, silently.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::language::is_tag;
use crate::flow::form::path::{Path, brief};
use crate::limits::Limits;

/// Reads JSON from whatever holds it, in the order of its keys.
pub(crate) fn read<'de, D: Deserializer<'de>>(json: D, found: &mut Diagnostics) -> Result<Value, D::Error> {
    Strict { at: Path::Root, found }.deserialize(json)
}

/// Parses a flow's text, or says why it cannot be parsed.
pub(crate) fn parse(text: &str, limits: &Limits, found: &mut Diagnostics) -> Option<Value> {
    if text.len() > limits.flow_bytes {
        let message = format!("has {} bytes, at most {} are allowed", text.len(), limits.flow_bytes);
        found.add(IssueCode::TooLarge, &Path::Root, message, "split the flow in two");
        return None;
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let value = read(&mut json, found).and_then(|v| json.end().map(|()| v));
    match value {
        Ok(value) => Some(value),
        Err(error) if error.to_string().starts_with("recursion limit") => {
            let message = "is nested more than 128 levels deep";
            found.add_in_file(IssueCode::TooDeep, message, "nest less deeply", place_of(&error, text));
            None
        }
        Err(_) if text.starts_with('\u{feff}') => {
            let fix = "save the file as UTF-8 without a byte order mark";
            found.add(IssueCode::NotJson, &Path::Root, "is not JSON: it begins with a byte order mark", fix);
            None
        }
        Err(error) => {
            let message = format!("is not JSON: {}", brief(&error.to_string()));
            let fix = "export the flow anew, or fix the JSON there";
            found.add_in_file(IssueCode::NotJson, message, fix, place_of(&error, text));
            None
        }
    }
}

/// Returns the line and the column of an error, which has the column in bytes.
fn place_of(error: &serde_json::Error, text: &str) -> (u32, u32) {
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let is_before = |(at, _): &(usize, char)| *at < error.column();
    let column = line.char_indices().take_while(is_before).count().max(1);
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    (small(error.line()), small(column))
}

struct Strict<'p, 'f> {
    at: Path<'p>,
    found: &'f mut Diagnostics,
}

impl<'de> DeserializeSeed<'de> for Strict<'_, '_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) =
            list.next_element_seed(Strict { at: self.at.item(values.len()), found: &mut *self.found })?
        {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        let mut tags = Some(Vec::new());
        while let Some(key) = object.next_key::<String>()? {
            let at = self.at.key(&key);
            if values.contains_key(&key) {
                self.found.add(IssueCode::DuplicateKey, &at, "appears twice", "keep one of the two");
            }
            let value = object.next_value_seed(Strict { at, found: &mut *self.found })?;
            tags = tags.filter(|_| is_tag(&key));
            tags.iter_mut().for_each(|tags| tags.push(key.clone()));
            values.insert(key, value);
        }
        // A map of `serde_json` forgets the order, which decides between languages (SEMANTICS T3).
        if let Some(tags) = tags.filter(|tags| !tags.is_sorted()) {
            self.found.keep_order(&self.at, tags);
        }
        Ok(Value::Object(values))
    }
}
