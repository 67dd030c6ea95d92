//! Promises to hosts: the examples do what they say, the test kit tests, and each wire format is
//! read and written as its documents have it.

#![allow(clippy::unwrap_used, reason = "a test may fail, and says why")]

mod examples;
mod play;
mod testkit;
mod wire;
