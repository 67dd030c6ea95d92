//! The contracts of [`crate::store`] as checks that run on any store, each named after what it asks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a check may fail")]

mod asked;
mod check;
mod harness;
mod list;
mod rule;

pub mod kit;
pub mod leases;
pub mod names;
pub mod reading;
pub mod writing;

pub use asked::Asked;
pub use check::{Broken, Check, Run, run_all};
pub use harness::{Fresh, Harness, Task};
pub use list::{conversations, flows, queries};
pub use rule::{Contract, Rule};
