//! One JSON value of any kind in one allocation.

use std::fmt;

use serde_json::Value;

use super::codec::Cursor;
use super::node::NodeRepr;
use super::{Node, PackError, PackLimits, write};

/// A JSON value of any kind, packed: the answer of a call, a value to be saved.
///
/// ```
/// use chatflow::value::{PackLimits, Packed};
/// let answer = Packed::from_json(&serde_json::json!(["paid", 3]), &PackLimits::default())?;
/// assert_eq!(answer.as_node().at(1).and_then(|count| count.as_i64()), Some(3));
/// # Ok::<(), chatflow::value::PackError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Packed(pub(super) Box<str>);

impl Packed {
    /// Packs a JSON value.
    ///
    /// # Errors
    /// [`PackError`] for a value beyond the limits.
    pub fn from_json(json: &Value, limits: &PackLimits) -> Result<Self, PackError> {
        Ok(Self(write::value(json, limits, 0)?))
    }

    /// Returns the value.
    #[must_use]
    pub fn as_node(&self) -> Node<'_> {
        // Packing writes a whole value, so there is one.
        Cursor::new(&self.0).node().unwrap_or(Node(NodeRepr::Null))
    }

    /// Returns the packed bytes. Equal values have equal bytes; the form is private to this version
    /// of the crate.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns the number of bytes that it takes.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.0.len()
    }

    /// Returns the value as a JSON tree.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.as_node().to_json()
    }

    pub(super) fn as_text(&self) -> &str {
        &self.0
    }
}

impl Default for Packed {
    /// `null`.
    fn default() -> Self {
        Self("\0".into())
    }
}

impl fmt::Debug for Packed {
    /// Kind and size, never the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({:?}, {} bytes)", self.as_node().kind(), self.byte_len())
    }
}
