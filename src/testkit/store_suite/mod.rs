//! The contracts of [`crate::store`] as checks that run on any store, each named after what it
//! asks.
//!
//! A host that writes a store of its own makes a test of each check with
//! [`store_suite!`](crate::store_suite), in a file below `tests/`:
//!
//! ```
//! use std::time::Duration;
//!
//! use chatflow::MemoryStore;
//! use chatflow::testkit::store_suite::Harness;
//!
//! struct Mine;
//!
//! impl Harness for Mine {
//!     type Store = MemoryStore; // yours
//!
//!     async fn store(&self) -> Self::Store {
//!         MemoryStore::new() // a fresh one: a file, a schema or a key prefix of its own
//!     }
//!
//!     async fn pass(&self, _time: Duration) {
//!         // Only if leases are judged by the clock of a server: sleep for so long.
//!     }
//! }
//!
//! chatflow::store_suite! { harness: Mine, block_on: pollster::block_on, groups: [conversations, queries] }
//! # fn main() {
//! # use chatflow::testkit::store_suite::{conversations, queries, run_all};
//! # pollster::block_on(async { run_all(&conversations(), &Mine).await; run_all(&queries(), &Mine).await; });
//! # }
//! ```
//!
//! A test that fails says which rule of which contract the store breaks. For other ways to run
//! them, [`conversations`], [`queries`] and [`flows()`] answer the [`Check`]s as values, with name
//! and rule.
//!
//! | group | needs | asks |
//! |---|---|---|
//! | `conversations` | [`ConversationStore`](crate::store::ConversationStore) | its rules but that of counters, races, dropped calls, large and strange values |
//! | `queries` | [`StoreQueries`](crate::store::StoreQueries) beside it | its rules but that of counters; what purge and erase do to ended sessions and journal |
//! | `counters` | [`StoreQueries`](crate::store::StoreQueries), for a store that [keeps counters](crate::store::ConversationStore::keeps_counts) | rule 25 of the first contract, rule 6 of the second |
//! | `flows` | [`FlowStore`](crate::store::FlowStore) | its 7 rules, races, dropped saves |
//!
//! A check asks one fresh store, and assumes nothing that the contract does not promise: revisions
//! begin anywhere, `next_due` may be early, equals come in any order. What it commits is as an
//! engine writes it: `started`, `called` and `ended` agree with the record. Where a lease is to run
//! out, the `now` of the calls moves on and [`Harness::pass`] is called. A call that fails as
//! [transient](crate::StoreError::transient) is made again.
//!
//! The checks need no runtime and keep to one thread, unless [`Harness::together`] says otherwise.
//! [`Flawed`] is a store that breaks a rule, to see a check fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a check may fail")]

mod check;
mod flawed;
mod harness;
mod list;
mod rule;
mod trusted;

pub mod absorbing;
pub mod claims;
pub mod counters;
pub mod counting;
pub mod dropping;
pub mod erasing;
pub mod flows;
pub mod holding;
pub mod journal;
pub mod keeping;
pub mod kit;
pub mod knowing;
pub mod leases;
pub mod many;
pub mod names;
pub mod races;
pub mod reading;
pub mod sessions;
pub mod settling;
pub mod updates;
pub mod writing;

pub use check::{BrokenRule, Check, Run, run_all};
pub use flawed::{Flaw, Flawed};
pub use harness::{FreshStores, Harness, Task};
pub use list::{conversations, counters, flows, queries};
pub use rule::{Contract, Rule};
pub use trusted::TrustedStore;
