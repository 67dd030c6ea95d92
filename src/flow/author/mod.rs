//! The authors' tools around a flow: a draft by a model, templates to begin with, what changed,
//! what publishing needs to know of the text. What must not live here: what a flow means.

#[cfg(feature = "schema")]
mod annotate;
pub(crate) mod diff;
pub mod draft;
pub mod gallery;
pub(crate) mod lifecycle;
#[cfg(feature = "schema")]
pub(crate) mod schema;
pub(crate) mod texts;
