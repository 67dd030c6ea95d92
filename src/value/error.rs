//! The reason a JSON value was not packed: the rule, and where it was broken. Never the
//! value itself, which is a contact's.

/// The reason a value was refused ([SEMANTICS S7](crate::semantics#s7)). `at` is the
/// place as a path, `cart.items[3]`; empty for the whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The whole must be a JSON object and is something else.
    ///
    /// Handling: 400, the caller sends an object.
    #[error("must be a JSON object")]
    NotAnObject,
    /// It takes more bytes than allowed.
    ///
    /// Handling: 413, the caller sends less.
    #[error("{}must take at most {max} bytes", FaultPlace(at))]
    TooLarge {
        /// Bytes allowed.
        max: usize,
        /// Where the bytes ran out.
        at: Box<str>,
    },
    /// Objects and arrays are nested deeper than allowed.
    ///
    /// Handling: 400, the caller sends a flatter value.
    #[error("{}must be nested at most {max} levels", FaultPlace(at))]
    TooDeep {
        /// Levels allowed.
        max: usize,
        /// The first value beyond.
        at: Box<str>,
    },
    /// A key has more than 256 bytes.
    ///
    /// Handling: 400, the caller shortens it.
    #[error("{}must have keys of at most {max} bytes", FaultPlace(at))]
    KeyTooLong {
        /// Bytes allowed.
        max: usize,
        /// The object that has the key.
        at: Box<str>,
    },
    /// A key occurs twice in one object.
    ///
    /// Handling: 400, the caller drops one of them.
    #[error("{}must have each key once", FaultPlace(at))]
    DuplicateKey {
        /// The key that occurs again, with its object's path.
        at: Box<str>,
    },
    /// It is not JSON.
    ///
    /// Handling: 400, the caller sends JSON. Line and column are 0 when there was no text.
    #[error("must be JSON, which fails at line {line} column {column}")]
    NotJson {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
    },
}

impl PackError {
    /// Returns a stable name of the rule, in snake case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAnObject => "not_an_object",
            Self::TooLarge { .. } => "too_large",
            Self::TooDeep { .. } => "too_deep",
            Self::KeyTooLong { .. } => "key_too_long",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::NotJson { .. } => "not_json",
        }
    }

    /// Returns the place as a path, such as `cart.items[3]`; `None` for the whole.
    #[must_use]
    pub fn at(&self) -> Option<&str> {
        match self {
            Self::TooLarge { at, .. }
            | Self::TooDeep { at, .. }
            | Self::KeyTooLong { at, .. }
            | Self::DuplicateKey { at } => Some(at.as_ref()).filter(|at: &&str| !at.is_empty()),
            Self::NotAnObject | Self::NotJson { .. } => None,
        }
    }

    /// The same fault, seen from the object above: `piece` goes before the path.
    pub(super) fn below(mut self, piece: &str) -> Self {
        if let Self::TooLarge { at, .. }
        | Self::TooDeep { at, .. }
        | Self::KeyTooLong { at, .. }
        | Self::DuplicateKey { at } = &mut self
        {
            let dot = if at.is_empty() || at.starts_with('[') { "" } else { "." };
            *at = format!("{piece}{dot}{at}").into();
        }
        self
    }
}

struct FaultPlace<'a>(&'a str);

impl std::fmt::Display for FaultPlace<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "`{}` ", self.0) }
    }
}
