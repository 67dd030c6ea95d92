//! Rules of a build: which module may know which, what is known of its types at compile
//! time, what it refuses without the default features, and what its observers tell.
//!
//! Only `watching` runs an engine: a subscriber of one thread is not asked for the spans that
//! another thread comes to first.

#![allow(clippy::unwrap_used, reason = "a test may fail, and says why")]

mod bounds;
mod citations;
mod features;
mod layers;
mod links;
mod shape;
mod watching;
mod words;
