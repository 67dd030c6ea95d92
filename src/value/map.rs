//! A JSON object in one allocation.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::codec::Cursor;
use super::node::NodeRepr;
use super::packer::Packer;
use super::{Entries, Node, PackError, PackLimits, Packed, pack, tree, write};

/// A JSON object, packed: a session's context or its variables.
///
/// One allocation, none when empty. Keys are unique and sorted, so equal objects have equal bytes,
/// in whatever order their keys came.
///
/// ```
/// use chatflow::value::{PackedMap, PackLimits};
/// let context = PackedMap::parse(r#"{"first_name":"Ada","cart_total":12.5}"#, &PackLimits::default())?;
/// assert_eq!(context.get("first_name").and_then(|name| name.as_str()), Some("Ada"));
/// assert_eq!(context, PackedMap::parse(r#"{"cart_total":12.5,"first_name":"Ada"}"#, &PackLimits::default())?);
/// # Ok::<(), chatflow::value::PackError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct PackedMap(pub(super) Box<str>);

impl PackedMap {
    /// An object without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Packs a JSON object.
    ///
    /// # Errors
    /// [`PackError`] for anything but an object, or one beyond the limits.
    pub fn from_json(json: &Value, limits: &PackLimits) -> Result<Self, PackError> {
        tree::object(json, limits).map_or_else(|| Self::pack(json, limits), |packed| Ok(Self(packed)))
    }

    /// Packs whatever serialises to a JSON object.
    ///
    /// # Errors
    /// [`PackError`] for anything but an object, or one beyond the limits.
    pub fn pack(object: impl Serialize, limits: &PackLimits) -> Result<Self, PackError> {
        Ok(Self(write::object(object, limits)?))
    }

    /// Packs the text of a JSON object.
    ///
    /// # Errors
    /// [`PackError`] for text that is not JSON, anything but an object, a key that occurs twice, or
    /// an object beyond the limits.
    pub fn parse(json: &str, limits: &PackLimits) -> Result<Self, PackError> {
        let mut from = serde_json::Deserializer::from_str(json);
        let packed = pack::object(&mut from, limits)?;
        from.end().map_err(pack::Refused::Format)?;
        Ok(Self(packed))
    }

    /// Returns true if it has no entry.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of entries; counts them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Returns the packed bytes. Equal objects have equal bytes; the form is private to this
    /// version of the crate.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns the number of bytes that it takes.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.0.len()
    }

    /// Returns the value of a key.
    #[must_use]
    #[inline]
    pub fn get(&self, key: &str) -> Option<Node<'_>> {
        Cursor::new(&self.0).find(key)
    }

    /// The text of a key, if it has one.
    #[inline]
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        Cursor::new(&self.0).find_text(key)
    }

    /// Returns the entries, sorted by key.
    #[must_use]
    #[inline]
    pub fn iter(&self) -> Entries<'_> {
        self.as_node().entries()
    }

    /// Returns the whole as one value.
    #[must_use]
    #[inline]
    pub fn as_node(&self) -> Node<'_> {
        Node(NodeRepr::Object(&self.0))
    }

    /// Returns the object as a JSON tree.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.as_node().to_json()
    }

    /// The same object with one entry set.
    ///
    /// # Errors
    /// [`PackError`] for a key or a value beyond the limits, or a whole that grows beyond them.
    pub fn with(&self, key: &str, value: &Value, limits: &PackLimits) -> Result<Self, PackError> {
        let packed = write::value(value, limits, 1).map_err(|fault| fault.below(key))?;
        self.rebuilt(key, Some(&packed), limits)
    }

    /// The same object with one entry set to a value that is packed already.
    ///
    /// # Errors
    /// [`PackError`] for a key beyond its cap, or a whole that grows beyond `limits.bytes`; the
    /// value's depth was checked when it was packed.
    pub fn with_packed(&self, key: &str, value: &Packed, limits: &PackLimits) -> Result<Self, PackError> {
        self.rebuilt(key, Some(value.as_text()), limits)
    }

    /// The same object without one entry.
    #[must_use]
    pub fn without(&self, key: &str) -> Self {
        let limits = PackLimits { bytes: self.byte_len(), depth: 0 };
        // What is left is part of what fitted.
        self.rebuilt(key, None, &limits).unwrap_or_default()
    }

    fn rebuilt(&self, key: &str, value: Option<&str>, limits: &PackLimits) -> Result<Self, PackError> {
        let mut packer = Packer::below(0, limits);
        let mut value = value;
        let mut cursor = Cursor::new(&self.0);
        while let Some(old) = cursor.text() {
            let start = cursor.position();
            let Some(_) = cursor.node() else { break };
            if old >= key
                && let Some(value) = value.take()
            {
                packer.entry(key, value)?;
            }
            if old != key {
                packer.entry(old, self.0.get(start..cursor.position()).unwrap_or_default())?;
            }
        }
        if let Some(value) = value {
            packer.entry(key, value)?;
        }
        Ok(Self(packer.finish()?))
    }
}

impl<'a> IntoIterator for &'a PackedMap {
    type Item = (&'a str, Node<'a>);
    type IntoIter = Entries<'a>;

    fn into_iter(self) -> Entries<'a> {
        self.iter()
    }
}

impl fmt::Debug for PackedMap {
    /// Counts, never contents: they are a contact's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackedMap({} keys, {} bytes)", self.len(), self.byte_len())
    }
}
