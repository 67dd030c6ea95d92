//! From JSON to definitions: a typed reader that collects every issue of form instead of stopping
//! at the first. What must not live here: what a field means.

#[cfg(feature = "schema")]
use serde_json::json;
use serde_json::{Map, Number, Value};

use crate::Channel;
use crate::flow::form::closest::closest;
use crate::flow::form::diagnostics::{Diagnostics, did_you_mean};
use crate::flow::form::issue::{IssueCode, Repair};
use crate::flow::form::path::{Path, brief};
#[cfg(feature = "schema")]
use crate::flow::form::schema::{ObjectForm, SchemaDefinitions};
use crate::flow::form::span::Span;

/// A value that a field of a flow's JSON can take.
pub(crate) trait Read: Sized {
    /// An object that it is read from, for authors who gave something else.
    const EXAMPLE: &'static str = "{}";

    /// The value, or `None` and an issue.
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self>;

    /// Returns the schema of what it is read from. A reader of [`Fields`] alone has nothing to say.
    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        plain::<Self>(book)
    }
}

/// The schema of a type that is read from the fields of an object alone.
#[cfg(feature = "schema")]
fn plain<T: Read>(book: &mut SchemaDefinitions) -> Value {
    for other in [json!(null), json!(true), json!(1), json!("x"), json!([])] {
        let mut found = Diagnostics::default();
        let _ = T::read(&other, &Path::Root, &mut found);
        if !found.has(IssueCode::WrongType) {
            book.note_unsaid::<T>();
            break;
        }
    }
    book.refer::<T>(object::<T>)
}

/// The objects that a type is read from: one form, or several if the reader looks which fields are
/// there.
#[cfg(feature = "schema")]
pub(crate) fn object<T: Read>(book: &mut SchemaDefinitions) -> Value {
    /// More would be no format that an author can learn.
    const MOST_FORMS: usize = 4_096;
    let mut forms = Vec::new();
    let mut script = Some(Vec::new());
    while let Some(answers) = script {
        let mut found = Diagnostics::sketching(ObjectForm::of(book, answers));
        let _ = T::read(&Value::Object(Map::new()), &Path::Root, &mut found);
        let Some(mut sketch) = found.sketch.take() else { break };
        sketch.give_back(book);
        script = sketch.next_script();
        forms.push((found.len() == 0, *sketch));
        if forms.len() == MOST_FORMS {
            break;
        }
    }
    book.objects(forms)
}

/// The fields of one JSON object, each asked for once.
pub(crate) struct Fields<'v, 'p, 'f> {
    object: &'v Map<String, Value>,
    pub(crate) at: &'p Path<'p>,
    pub(crate) found: &'f mut Diagnostics,
    known: Vec<&'static str>,
}

impl<'v, 'p, 'f> Fields<'v, 'p, 'f> {
    /// The fields of `value`, or `None` and an issue, which shows an example, if it is no object.
    pub(crate) fn of<T: Read>(
        value: &'v Value,
        at: &'p Path<'p>,
        found: &'f mut Diagnostics,
    ) -> Option<Self> {
        match value {
            Value::Object(object) => Some(Self { object, at, found, known: Vec::new() }),
            other => wrong_type(&format!("an object such as {}", T::EXAMPLE), other, at, found),
        }
    }

    /// A field that may be left out.
    pub(crate) fn optional<T: Read>(&mut self, key: &'static str) -> Option<T> {
        self.known.push(key);
        #[cfg(feature = "schema")]
        if let Some(sketch) = self.sketch() {
            sketch.field(key, false, T::schema);
            return None;
        }
        let value = self.object.get(key)?;
        T::read(value, &self.at.key(key), self.found)
    }

    /// A field that must be there.
    pub(crate) fn required<T: Read>(&mut self, key: &'static str) -> Option<T> {
        #[cfg(feature = "schema")]
        if let Some(sketch) = self.sketch() {
            sketch.field(key, true, T::schema);
            return None;
        }
        self.require(key, None);
        self.optional(key)
    }

    /// Reports a field that is not there; `written` is the name that it was probably given.
    fn require(&mut self, key: &str, written: Option<&str>) {
        if self.object.contains_key(key) {
            return;
        }
        let at = self.at.key(key);
        match written {
            Some(written) => self.found.add_misnamed(&at, &self.at.key(written), written, key),
            None => self.found.add(IssueCode::MissingField, &at, "is required", format!("add `{key}`")),
        }
    }

    /// A field that must be there, and whose word says which other fields there are. The words come
    /// with what they mean; it may be another word.
    #[cfg_attr(not(feature = "schema"), allow(unused_variables, reason = "only a schema names the words"))]
    pub(crate) fn tag(
        &mut self,
        key: &'static str,
        words: &'static [(&'static str, &'static str)],
    ) -> Option<String> {
        #[cfg(feature = "schema")]
        if let Some(sketch) = self.sketch() {
            return sketch.tag(key, words).map(ToOwned::to_owned);
        }
        // Nothing else is read without it, so a name of another product is looked for here.
        if !self.object.contains_key(key) {
            let written = self.object.keys().find(|other| closest(other, [key]).is_some());
            self.require(key, written.map(String::as_str));
        }
        self.optional(key)
    }

    pub(crate) fn has(&mut self, key: &str) -> bool {
        #[cfg(feature = "schema")]
        if let Some(sketch) = self.sketch() {
            return sketch.has(key);
        }
        self.object.contains_key(key)
    }

    #[cfg(feature = "schema")]
    fn sketch(&mut self) -> Option<&mut ObjectForm> {
        self.found.sketch.as_deref_mut()
    }

    /// Reports the fields that nobody asked for. One that was probably meant to be a field that is
    /// missing is reported with that.
    pub(crate) fn close(self) {
        let absent = self.known.iter().copied().filter(|name| !self.object.contains_key(*name));
        let mut renamed: Vec<&str> = Vec::new();
        for key in self.object.keys().filter(|key| !self.known.contains(&key.as_str())) {
            let meant = self.found.meant(key, absent.clone()).filter(|name| !renamed.contains(name));
            let at = self.at.key(key);
            if let Some(name) = meant.filter(|name| self.found.is_missing(&self.at.key(name))) {
                renamed.push(name);
                self.found.add_misnamed(&self.at.key(name), &at, key, name);
                continue;
            }
            let message = format!("unknown field{}", did_you_mean(meant));
            let (fix, repair) = match meant {
                Some(name) => (
                    format!("rename it to `{name}`"),
                    Repair::Rename { path: at.to_string(), to: name.to_owned() },
                ),
                None => (
                    format!("remove it; known are {}", self.known.join(", ")),
                    Repair::Remove { path: at.to_string() },
                ),
            };
            self.found.add_repairable(IssueCode::UnknownField, &at, message, fix, Some(repair));
        }
    }
}

/// Reports a value of another type than the field takes.
pub(crate) fn wrong_type<T>(
    wanted: &str,
    value: &Value,
    at: &Path<'_>,
    found: &mut Diagnostics,
) -> Option<T> {
    let given = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let message = format!("must be {wanted}, not {given}");
    found.add(
        IssueCode::WrongType,
        at,
        message,
        format!("give {wanted}, or leave the field out if it is optional"),
    );
    None
}

impl Read for String {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::String(text) => Some(text.clone()),
            other => wrong_type("text", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut SchemaDefinitions) -> Value {
        json!({"type": "string"})
    }
}

impl Read for bool {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(*value),
            other => wrong_type("true or false", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut SchemaDefinitions) -> Value {
        json!({"type": "boolean"})
    }
}

impl Read for u32 {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        if number.is_none() && value.is_number() {
            let message = format!("must be a whole number from 0 to {}, not {value}", u32::MAX);
            found.add(IssueCode::WrongType, at, message, "give a whole number");
            return None;
        }
        number.or_else(|| wrong_type("a whole number", value, at, found))
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut SchemaDefinitions) -> Value {
        json!({"type": "integer", "minimum": 0, "maximum": u32::MAX})
    }
}

impl Read for i32 {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
        if number.is_none() && value.is_number() {
            let message = format!("must be a whole number from {} to {}, not {value}", i32::MIN, i32::MAX);
            found.add(IssueCode::WrongType, at, message, "give a whole number");
            return None;
        }
        number.or_else(|| wrong_type("a whole number", value, at, found))
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut SchemaDefinitions) -> Value {
        json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX})
    }
}

impl Read for Number {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::Number(number) => Some(number.clone()),
            other => wrong_type("a number", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut SchemaDefinitions) -> Value {
        json!({"type": "number"})
    }
}

impl Read for Value {
    fn read(value: &Value, _: &Path<'_>, _: &mut Diagnostics) -> Option<Self> {
        Some(value.clone())
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut SchemaDefinitions) -> Value {
        json!(true)
    }
}

impl Read for Map<String, Value> {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::Object(object) => Some(object.clone()),
            other => wrong_type("an object", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut SchemaDefinitions) -> Value {
        json!({"type": "object"})
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let Value::Array(list) = value else { return wrong_type("a list", value, at, found) };
        let items = list.iter().enumerate();
        let items: Vec<Option<T>> =
            items.map(|(index, item)| T::read(item, &at.item(index), found)).collect();
        // Not beyond one that cannot be read: the places of the rest would be wrong in the issues
        // to come.
        Some(items.into_iter().map_while(|item| item).collect())
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        json!({"type": "array", "items": T::schema(book)})
    }
}

impl<T: Read> Read for Box<T> {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        T::read(value, at, found).map(Box::new)
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        T::schema(book)
    }
}

impl Read for Span {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let Value::String(text) = value else {
            return wrong_type("a time span such as \"30m\"", value, at, found);
        };
        let report = |error| {
            let message = format!("{:?} {error}", brief(text));
            found.add(IssueCode::BadSpan, at, message, "write a time span such as 45s, 30m, 2h, 1d or 1h30m");
        };
        Span::parse(text).map_err(report).ok()
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        let pattern = "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$";
        let description = "A duration: 45s, 30m, 2h, 1d, 1h30m.";
        book.refer::<Self>(|_| json!({"type": "string", "pattern": pattern, "description": description}))
    }
}

impl Read for Channel {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let name = String::read(value, at, found)?;
        let report = |error| {
            let message = format!("{:?} is not a channel", brief(&name));
            found.add(IssueCode::BadValue, at, message, format!("{error}"));
        };
        Channel::parse(&name).map_err(report).ok()
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        let own = json!({"pattern": Channel::PATTERN});
        book.refer::<Self>(|_| json!({"type": "string", "anyOf": [{"enum": Channel::KNOWN}, own]}))
    }
}

/// An enum whose values are words in JSON, with its reader and writer.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $word_doc:literal])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[doc = $word_doc])* $variant),+ }

        impl $name {
            pub(crate) const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];

            /// Returns the word, as a flow file writes it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl crate::flow::form::read::Read for $name {
            fn read(
                value: &serde_json::Value,
                at: &crate::flow::form::path::Path<'_>,
                found: &mut crate::flow::form::diagnostics::Diagnostics,
            ) -> Option<Self> {
                crate::flow::form::read::word(Self::WORDS, value, at, found)
            }

            #[cfg(feature = "schema")]
            fn schema(book: &mut crate::flow::form::schema::SchemaDefinitions) -> serde_json::Value {
                let words = [$(($word, concat!($($word_doc),*))),+];
                book.refer::<Self>(|_| crate::flow::form::schema::one_word(&words))
            }
        }
    };
}
pub(crate) use words;

/// Reads one of a closed list of words.
pub(crate) fn word<T: Copy>(
    words: &[(&'static str, T)],
    value: &Value,
    at: &Path<'_>,
    found: &mut Diagnostics,
) -> Option<T> {
    let given = String::read(value, at, found)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == given) {
        return Some(*value);
    }
    let known = || words.iter().map(|(word, _)| *word);
    let meant = found.meant(&given, words.iter().map(|(word, _)| *word));
    let message = format!("unknown value {:?}{}", brief(&given), did_you_mean(meant));
    let fix = format!("write one of {}", known().collect::<Vec<_>>().join(", "));
    found.add_repairable(IssueCode::BadValue, at, message, fix, Repair::replace(at, meant));
    None
}
