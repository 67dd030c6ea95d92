//! Reading the fields of a body: all that is wrong is found at once, by the product's names.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// The faults of a body, field by field, in the order in which they were found: in JSON
/// `{"phone": ["must be a text"]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(String, String)>);

impl FieldErrors {
    /// Each field with a rule that it breaks.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, rule)| (&**field, &**rule))
    }

    pub(super) fn one(field: &str, rule: impl ToString) -> Self {
        Self(vec![(field.to_owned(), rule.to_string())])
    }

    pub(super) fn add(&mut self, field: &str, rule: impl ToString) {
        self.0.push((field.to_owned(), rule.to_string()));
    }

    /// The first of them.
    pub(super) fn first(&self) -> (&str, &str) {
        self.0.first().map_or(("", ""), |(field, rule)| (field, rule))
    }

    /// Each as one sentence.
    pub(super) fn sentence(&self) -> String {
        let sentences: Vec<String> = self.0.iter().map(|(field, rule)| format!("`{field}` {rule}")).collect();
        sentences.join("; ")
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (place, (field, _)) in self.0.iter().enumerate() {
            let is_told = self.0.iter().take(place).any(|(earlier, _)| earlier == field);
            if !is_told {
                let rules: Vec<&str> =
                    self.0.iter().filter(|(of, _)| of == field).map(|(_, rule)| &**rule).collect();
                map.serialize_entry(field, &rules)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for FieldErrors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = FieldErrors;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of lists of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldErrors, A::Error> {
                let mut errors = FieldErrors::default();
                while let Some((field, rules)) = map.next_entry::<String, Vec<String>>()? {
                    errors.0.extend(rules.into_iter().map(|rule| (field.clone(), rule)));
                }
                Ok(errors)
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// The fields of a body, taken out one by one. Null is the same as nothing; fields that nobody asks
/// for are left alone.
pub(super) struct BodyReader {
    fields: Map<String, Value>,
    errors: FieldErrors,
}

impl BodyReader {
    pub(super) fn new(body: &[u8]) -> Result<Self, FieldErrors> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self { fields, errors: FieldErrors::default() }),
            Ok(_) => Err(FieldErrors::one("body", "must be a JSON object")),
            Err(error) => Err(FieldErrors::one("body", format_args!("must be JSON: {error}"))),
        }
    }

    /// The fields of a query string or a form, whose values are texts.
    pub(super) fn of_texts<K: Into<String>, V: Into<String>>(
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), Value::String(value.into())));
        Self { fields: fields.collect(), errors: FieldErrors::default() }
    }

    /// The fields of an object.
    pub(super) fn of(fields: Map<String, Value>) -> Self {
        Self { fields, errors: FieldErrors::default() }
    }

    /// Notes that a field breaks a rule.
    pub(super) fn breaks(&mut self, field: &str, rule: impl ToString) {
        self.errors.add(field, rule);
    }

    /// Notes that a field is not there, unless something is known of it already.
    pub(super) fn lacks(&mut self, field: &str) {
        if !self.errors.0.iter().any(|(of, _)| of == field) {
            self.errors.add(field, "is required");
        }
    }

    /// True if a word that was read is one of these.
    pub(super) fn check_one_of(&mut self, field: &str, word: &str, words: &[&str]) -> bool {
        let is_one = words.contains(&word);
        if !is_one && !word.is_empty() {
            self.errors.add(field, format_args!("must be one of {}", words.join(", ")));
        }
        is_one
    }

    /// Takes over what is wrong inside a field.
    pub(super) fn take_errors(&mut self, prefix: &str, inside: Self) {
        self.errors
            .0
            .extend(inside.errors.0.into_iter().map(|(field, rule)| (format!("{prefix}{field}"), rule)));
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        self.fields.remove(field).filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        match self.take(field)? {
            Value::String(text) if text.is_empty() => self.errors.add(field, "must not be empty"),
            Value::String(text) => return Some(text),
            _ => self.errors.add(field, "must be a text"),
        }
        None
    }

    /// A text, which may be empty: that takes away what was said before.
    pub(super) fn text_or_empty(&mut self, field: &str) -> Option<String> {
        if self.fields.get(field).is_some_and(|value| value == "") {
            self.fields.remove(field);
            return Some(String::new());
        }
        self.text(field)
    }

    /// A text that people can see.
    pub(super) fn name(&mut self, field: &str) -> Option<String> {
        let name = self.text(field)?;
        if name.trim().is_empty() {
            self.errors.add(field, "must have a visible character");
        }
        Some(name)
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, field: &str) -> String {
        self.require(field);
        self.text(field).unwrap_or_default()
    }

    /// A text that people can see, which must be there.
    pub(super) fn required_name(&mut self, field: &str) -> String {
        self.require(field);
        self.name(field).unwrap_or_default()
    }

    fn require(&mut self, field: &str) {
        let is_there = self.fields.get(field).is_some_and(|value| !value.is_null());
        if !is_there {
            self.errors.add(field, "is required");
        }
    }

    /// An object. An empty list is one, as PHP writes an array without keys.
    pub(super) fn object(&mut self, field: &str) -> Option<Map<String, Value>> {
        match self.take(field)? {
            Value::Object(object) => return Some(object),
            Value::Array(list) if list.is_empty() => return Some(Map::new()),
            _ => self.errors.add(field, "must be an object"),
        }
        None
    }

    /// The same, or its JSON in a text.
    pub(super) fn object_or_text(&mut self, field: &str) -> Option<Map<String, Value>> {
        match self.take(field)? {
            Value::Object(object) => return Some(object),
            Value::Array(list) if list.is_empty() => return Some(Map::new()),
            Value::String(text) => match serde_json::from_str(&text) {
                Ok(Value::Object(object)) => return Some(object),
                Ok(Value::Array(list)) if list.is_empty() => return Some(Map::new()),
                Ok(_) => self.errors.add(field, "must be an object"),
                Err(error) => self.errors.add(field, format_args!("must be JSON: {error}")),
            },
            _ => self.errors.add(field, "must be an object"),
        }
        None
    }

    /// An integer, or its decimal digits in a text.
    pub(super) fn integer(&mut self, field: &str) -> Option<i64> {
        let value = self.take(field)?;
        let integer = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        if integer.is_none() {
            self.errors.add(field, "must be an integer");
        }
        integer
    }

    /// Returns what was read, unless something is wrong.
    pub(super) fn finish<T>(self, read: T) -> Result<T, FieldErrors> {
        if self.errors.0.is_empty() { Ok(read) } else { Err(self.errors) }
    }
}
