//! The rendering of a name that nothing has set.

use crate::flow::form::read::words;

words! {
    /// The rendering of an undefined variable ([SEMANTICS N7](crate::semantics#n7)).
    Undefined {
        /// As nothing.
        Empty = "empty",
        /// As it is written, braces included.
        Keep = "keep",
        /// Not at all: the session fails.
        Error = "error",
    }
}
