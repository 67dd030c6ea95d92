//! The suite of the testkit, on each store that is at hand.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../examples/own_store.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod own_store;

use std::sync::Arc;

use chatflow::testkit::store_suite::Fresh;
use chatflow::{DynStore, MemoryFlows, MemoryStore};
use own_store::OwnStore;
use pollster::block_on;

mod on_memory {
    use super::*;
    chatflow::store_suite! {
        harness: Fresh(MemoryStore::new), block_on: block_on, groups: [conversations, queries],
    }
}

mod on_a_shared_one {
    use super::*;
    chatflow::store_suite! {
        harness: Fresh(|| Arc::new(MemoryStore::new())), block_on: block_on, groups: [conversations, queries],
    }
}

mod on_an_erased_one {
    use super::*;
    chatflow::store_suite! {
        harness: Fresh(|| DynStore::new(MemoryStore::new())), block_on: block_on,
        groups: [conversations, queries],
    }
}

mod on_the_own_one_of_the_examples {
    use super::*;
    chatflow::store_suite! {
        harness: Fresh(OwnStore::default), block_on: block_on, groups: [conversations],
    }
}

mod flows_in_memory {
    use super::*;
    chatflow::store_suite! {
        harness: Fresh(MemoryFlows::new), block_on: block_on, groups: [flows],
    }
}

mod shared_flows_in_memory {
    use super::*;
    chatflow::store_suite! {
        harness: Fresh(|| Arc::new(MemoryFlows::new())), block_on: block_on, groups: [flows],
    }
}
