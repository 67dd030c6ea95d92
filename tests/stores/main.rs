//! The contract of stores, on each store without a database: by the suite, beside a model, from
//! many threads, and on stores with a flaw. And the forms that are stored.

#![allow(clippy::unwrap_used, reason = "a test may fail, and says why")]

mod compat;
mod flaws;
mod memory;
mod model;
#[path = "../kits/model.rs"]
mod model_kit;
#[path = "../../examples/own_store.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod own_store;
mod races;
#[path = "../kits/riding.rs"]
mod riding;
#[path = "../kits/store.rs"]
mod store_kit;
mod suite;
