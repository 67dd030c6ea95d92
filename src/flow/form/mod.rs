//! The form of a flow file: from JSON to typed fields, with every issue at its place. What must not
//! live here: what a field means.

mod closest;
pub(crate) mod diagnostics;
pub(crate) mod digest;
pub(crate) mod issue;
pub(crate) mod json;
pub(crate) mod language;
pub(crate) mod lines;
pub(crate) mod path;
pub(crate) mod read;
#[cfg(feature = "schema")]
pub(crate) mod schema;
pub(crate) mod span;
