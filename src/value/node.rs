//! One packed value, looked at where it lies. Copying a `Node` copies a reference.

use std::fmt;

use super::codec::Cursor;

/// The type of a [`Node`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number, whole or not.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A view of one packed JSON value.
///
/// ```
/// use chatflow::value::{PackedMap, PackLimits};
/// let json = r#"{"cart":{"items":[{"name":"Tea"},{"name":"Cup"}]}}"#;
/// let context = PackedMap::parse(json, &PackLimits::default())?;
/// let items = context.get("cart").and_then(|cart| cart.get("items"));
/// let second = items.and_then(|items| items.at(1)).and_then(|item| item.get("name"));
/// assert_eq!(second.and_then(|name| name.as_str()), Some("Cup"));
/// # Ok::<(), chatflow::value::PackError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Node<'a>(pub(super) NodeRepr<'a>);

#[derive(Clone, Copy)]
pub(super) enum NodeRepr<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Str(&'a str),
    Array(&'a str),
    Object(&'a str),
}

impl<'a> Node<'a> {
    /// Returns its type.
    #[must_use]
    #[inline]
    pub fn kind(self) -> Kind {
        match self.0 {
            NodeRepr::Null => Kind::Null,
            NodeRepr::Bool(_) => Kind::Bool,
            NodeRepr::Int(_) | NodeRepr::UInt(_) | NodeRepr::Float(_) => Kind::Number,
            NodeRepr::Str(_) => Kind::String,
            NodeRepr::Array(_) => Kind::Array,
            NodeRepr::Object(_) => Kind::Object,
        }
    }

    /// Returns true if it is `null`.
    #[must_use]
    #[inline]
    pub fn is_null(self) -> bool {
        matches!(self.0, NodeRepr::Null)
    }

    /// Returns the string, if it is one.
    #[must_use]
    #[inline]
    pub fn as_str(self) -> Option<&'a str> {
        if let NodeRepr::Str(text) = self.0 { Some(text) } else { None }
    }

    /// Returns the truth value, if it is one.
    #[must_use]
    #[inline]
    pub fn as_bool(self) -> Option<bool> {
        if let NodeRepr::Bool(value) = self.0 { Some(value) } else { None }
    }

    /// Returns the whole number, if it is one that fits. `1.0` is not whole, as in `serde_json`.
    #[must_use]
    #[inline]
    pub fn as_i64(self) -> Option<i64> {
        if let NodeRepr::Int(value) = self.0 { Some(value) } else { None }
    }

    /// Returns the whole number, if it is one that is not negative.
    #[must_use]
    #[inline]
    pub fn as_u64(self) -> Option<u64> {
        match self.0 {
            NodeRepr::Int(value) => u64::try_from(value).ok(),
            NodeRepr::UInt(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the number, if it is one; large whole numbers lose their last digits.
    #[must_use]
    #[inline]
    pub fn as_f64(self) -> Option<f64> {
        match self.0 {
            NodeRepr::Int(value) => Some(value as f64),
            NodeRepr::UInt(value) => Some(value as f64),
            NodeRepr::Float(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the value of a key, if it is an object that has it.
    #[must_use]
    #[inline]
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        if let NodeRepr::Object(body) = self.0 { Cursor::new(body).find(key) } else { None }
    }

    /// Returns the value at an index from 0, if this is an array and has that index.
    #[must_use]
    pub fn at(self, index: usize) -> Option<Node<'a>> {
        self.items().nth(index)
    }

    /// Items of an array, entries of an object; 0 for anything else.
    #[must_use]
    pub fn len(self) -> usize {
        match self.0 {
            NodeRepr::Array(_) => self.items().count(),
            NodeRepr::Object(_) => self.entries().count(),
            _ => 0,
        }
    }

    /// Returns true if it has no item and no entry.
    #[must_use]
    #[inline]
    pub fn is_empty(self) -> bool {
        !matches!(self.0, NodeRepr::Array(body) | NodeRepr::Object(body) if !body.is_empty())
    }

    /// Returns the items of an array; none for anything else.
    #[must_use]
    #[inline]
    pub fn items(self) -> Items<'a> {
        Items(Cursor::new(if let NodeRepr::Array(body) = self.0 { body } else { "" }))
    }

    /// Returns the entries of an object, sorted by key; none for anything else.
    #[must_use]
    #[inline]
    pub fn entries(self) -> Entries<'a> {
        Entries(Cursor::new(if let NodeRepr::Object(body) = self.0 { body } else { "" }))
    }

    /// Bytes that it takes in packed form, without its tag: what reading all of it costs.
    pub(crate) fn byte_len(self) -> usize {
        match self.0 {
            NodeRepr::Str(body) | NodeRepr::Array(body) | NodeRepr::Object(body) => body.len(),
            _ => 8,
        }
    }
}

impl fmt::Debug for Node<'_> {
    /// Kind and size, never the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({:?}, {} bytes)", self.kind(), self.byte_len())
    }
}

/// The items of an array, in order.
#[derive(Clone)]
pub struct Items<'a>(Cursor<'a>);

impl<'a> Iterator for Items<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        self.0.node()
    }
}

/// The entries of an object, sorted by key.
#[derive(Clone)]
pub struct Entries<'a>(Cursor<'a>);

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a str, Node<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.text()?, self.0.node()?))
    }
}
