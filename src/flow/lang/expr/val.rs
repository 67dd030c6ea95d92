//! Values while an expression runs, and where they come from. Reading a path copies references: a
//! text that lies in a session stays there.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal as Amount;
use serde::ser::{Serialize, Serializer};

use crate::flow::lang::number::{Marks, from_float, json_number};
use crate::flow::lang::zone::Zone;
use crate::grapheme;
use crate::value::{Kind, Node};

/// The values that an expression can read.
pub(crate) trait Scope {
    /// The value of the first name of a path. A bare variable is looked up here too.
    fn get(&self, root: &str) -> Option<Val<'_>>;

    /// The text at `root.key`, if one lies there and `get` would lead to it: a shortcut for what
    /// most paths are. `None` says nothing.
    fn text(&self, _root: &str, _key: &str) -> Option<&str> {
        None
    }

    /// Returns the way in which numbers are written in the conversation, where a number leaves that
    /// open.
    fn marks(&self) -> Marks {
        Marks::Open
    }

    /// The language of names of months and weekdays; none for English.
    fn language(&self) -> Option<&str> {
        None
    }

    /// The contact's time zone.
    fn zone(&self) -> Option<Zone> {
        Some(Zone::UTC)
    }

    /// The time of the call, which `now` prints unless `get` answers for it.
    fn now(&self) -> DateTime<Utc>;
}

/// An object whose fields are read one by one, without building JSON: `contact`, `reply`,
/// `session`.
pub(crate) trait LazyFields {
    /// The value of a field.
    fn field(&self, name: &str) -> Option<Val<'_>>;

    /// Every field, in the order in which JSON shows them; one without a value is left out there.
    fn names(&self) -> &[&str];
}

/// A value while an expression runs.
#[derive(Clone, Default)]
pub(crate) enum Val<'a> {
    /// Nothing is there.
    #[default]
    Undefined,
    /// `null`, which is there.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number, as it came.
    Float(f64),
    /// A number that was calculated, and is no whole one of 64 bits.
    Decimal(Amount),
    /// A text.
    Str(Cow<'a, str>),
    /// A packed array or object, or a whole number beyond `i64`.
    Node(Node<'a>),
    /// A list that the expression made.
    List(Vec<Val<'a>>),
    /// An object that the expression made.
    Object(Rc<[(Box<str>, Val<'a>)]>),
    /// An object that is read field by field.
    Map(&'a dyn LazyFields),
}

impl<'a> From<Node<'a>> for Val<'a> {
    #[inline]
    fn from(node: Node<'a>) -> Self {
        if let Some(text) = node.as_str() {
            return Self::Str(Cow::Borrowed(text));
        }
        match node.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(node.as_bool().unwrap_or_default()),
            Kind::Number => match (node.as_i64(), node.as_u64(), node.as_f64()) {
                (Some(value), ..) => Self::Int(value),
                (None, None, Some(value)) => Self::Float(value),
                _ => Self::Node(node),
            },
            Kind::Array | Kind::Object | Kind::String => Self::Node(node),
        }
    }
}

impl<'a> From<&'a str> for Val<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }
}

impl<'a> Val<'a> {
    pub(super) fn owned(text: String) -> Self {
        Self::Str(Cow::Owned(text))
    }

    /// Returns the kind of value, in an author's words.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Undefined => "what is not defined",
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Float(_) | Self::Decimal(_) => "a number",
            Self::Str(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) | Self::Object(_) => "an object",
            Self::Node(node) => match node.kind() {
                Kind::Array => "a list",
                Kind::Object => "an object",
                _ => "a number",
            },
        }
    }

    #[inline]
    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }

    #[inline]
    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// True if it counts as true: what is empty, zero or not there is false.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Decimal(value) => !value.is_zero(),
            Self::Str(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Object(fields) => !fields.is_empty(),
            Self::Node(node) => node.kind() == Kind::Number || !node.is_empty(),
            Self::Map(_) => true,
        }
    }

    /// The value of a key; undefined below anything but an object that has it.
    #[inline]
    pub(super) fn key(&self, key: &str) -> Val<'a> {
        match self {
            Self::Node(node) => node.get(key).map(Val::from).unwrap_or_default(),
            Self::Map(fields) => fields.field(key).unwrap_or_default(),
            Self::Object(fields) => {
                let found = fields.iter().find(|(name, _)| **name == *key);
                found.map(|(_, value)| value.clone()).unwrap_or_default()
            }
            _ => Self::Undefined,
        }
    }

    /// The item at an index, from the end if it is negative; the character, of a text.
    pub(super) fn index(&self, index: i64) -> Val<'a> {
        let from = |len: usize| {
            let back = usize::try_from(index.unsigned_abs()).ok()?;
            if index < 0 { len.checked_sub(back) } else { Some(back) }
        };
        let found = match self {
            Self::Node(node) if node.kind() == Kind::Array => {
                let len = if index < 0 { node.len() } else { 0 };
                from(len).and_then(|at| node.at(at)).map(Val::from)
            }
            Self::List(items) => from(items.len()).and_then(|at| items.get(at).cloned()),
            Self::Str(text) => grapheme::at(text, index).map(|seen| Self::owned(seen.to_owned())),
            _ => None,
        };
        found.unwrap_or_default()
    }

    /// Bytes that it lies in: what reading all of it costs.
    pub(crate) fn byte_len(&self) -> usize {
        match self {
            Self::Str(text) => text.len(),
            Self::Node(node) => node.byte_len(),
            Self::List(items) => {
                items.iter().fold(items.len(), |sum, item| sum.saturating_add(item.byte_len()))
            }
            Self::Object(fields) => fields.iter().fold(0, |sum: usize, (name, value)| {
                sum.saturating_add(value.byte_len()).saturating_add(name.len())
            }),
            Self::Map(fields) => fields.names().iter().fold(0, |sum: usize, name| {
                sum.saturating_add(fields.field(name).unwrap_or_default().byte_len())
                    .saturating_add(name.len())
            }),
            _ => 8,
        }
    }

    /// The value as a JSON tree; what is not defined is `null`.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Writes it as a message shows it: a text as it is, a number without noise of floats and
    /// without a fraction of zero (SEMANTICS U11), nothing for what is null or not defined, compact
    /// JSON else.
    pub(crate) fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Undefined | Self::Null => Ok(()),
            Self::Str(text) => out.write_str(text),
            Self::Bool(value) => out.write_str(if *value { "true" } else { "false" }),
            Self::Int(value) => write!(out, "{value}"),
            Self::Float(value) => match from_float(*value) {
                Some(value) => write!(out, "{value}"),
                None => self.write_json(out),
            },
            Self::Decimal(value) => write!(out, "{value}"),
            Self::Node(_) | Self::List(_) | Self::Map(_) | Self::Object(_) => self.write_json(out),
        }
    }

    /// Writes it as compact JSON.
    pub(super) fn write_json(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        serde_json::to_writer(JsonWriter(out), self).map_err(|_| fmt::Error)
    }
}

impl Serialize for Val<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Undefined | Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Decimal(value) => json_number(*value).serialize(serializer),
            Self::Str(text) => serializer.serialize_str(text),
            Self::Node(node) => node.serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
            Self::Map(fields) => {
                let present = fields.names().iter().filter_map(|name| Some((name, fields.field(name)?)));
                serializer.collect_map(present.filter(|(_, value)| !value.is_undefined()))
            }
        }
    }
}

impl fmt::Debug for Val<'_> {
    /// The kind, never the content: it may be a contact's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Val({})", self.kind())
    }
}

/// JSON is written in pieces that are whole characters.
struct JsonWriter<'w>(&'w mut dyn fmt::Write);

impl std::io::Write for JsonWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(std::io::Error::other)?;
        self.0.write_str(text).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
