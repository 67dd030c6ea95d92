//! JSON that a session carries, packed in one allocation: its context, its variables, answers of
//! calls. A map of `serde_json` costs 600 bytes before its first string; a waiting session has 900
//! for everything. Packing is bounded by [`PackLimits`].

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod codec;
mod compound;
mod error;
mod json;
mod map;
mod node;
mod pack;
mod packed;
mod packer;
#[cfg(test)]
mod tests;
mod tree;
mod write;

pub use error::PackError;
pub use map::PackedMap;
pub use node::{Entries, Items, Kind, Node};
pub use packed::Packed;

use crate::limits::Limits;

/// Levels that no cap can exceed: packing recurses once per level.
const MAX_DEPTH: usize = 128;

/// Bytes of a key.
const MAX_KEY_BYTES: usize = 256;

/// The size and depth that a packed value may have ([SEMANTICS S7](crate::semantics#s7)).
///
/// ```
/// use chatflow::limits::Limits;
/// use chatflow::value::PackLimits;
/// assert_eq!(PackLimits::of(&Limits::default()), PackLimits { bytes: 64 << 10, depth: 16 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackLimits {
    /// Bytes in packed form, which is a little less than compact JSON.
    pub bytes: usize,
    /// Levels of objects and arrays; `{"a":[1]}` has two. Never more than 128, whatever is asked
    /// for.
    pub depth: usize,
}

impl PackLimits {
    /// The limits of a context or of variables.
    #[must_use]
    pub fn of(limits: &Limits) -> Self {
        Self { bytes: limits.variable_bytes, depth: limits.depth }
    }
}

impl Default for PackLimits {
    fn default() -> Self {
        Self::of(&Limits::default())
    }
}
