//! The suite of the testkit, on each store that is at hand.

use std::sync::Arc;

use crate::own_store::OwnStore;
use chatflow::MemoryStore;
use chatflow::store::{DynStore, MemoryFlows};
use chatflow::testkit::store_suite::{Fresh, Harness, Task, conversations, counters, run_all};
use pollster::block_on;

mod on_memory {
    use super::*;
    chatflow::store_suite! {
        harness: Fresh(MemoryStore::new), block_on: block_on, groups: [conversations, queries, counters],
    }
}

mod on_a_shared_one {
    use super::*;
    chatflow::store_suite! {
        harness: Fresh(|| Arc::new(MemoryStore::new())), block_on: block_on, groups: [conversations, queries, counters],
    }
}

mod on_an_erased_one {
    use super::*;
    chatflow::store_suite! {
        harness: Fresh(|| DynStore::new(MemoryStore::new())), block_on: block_on,
        groups: [conversations, queries, counters],
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

/// Tasks on threads of their own, so that calls meet inside the store.
struct OnThreads;

impl Harness for OnThreads {
    type Store = MemoryStore;

    async fn store(&self) -> MemoryStore {
        MemoryStore::new()
    }

    async fn together(&self, tasks: Vec<Task>) {
        std::thread::scope(|scope| {
            for task in tasks {
                scope.spawn(|| block_on(task));
            }
        });
    }
}

#[test]
fn races_hold_on_threads_too() {
    let mut races = conversations::<OnThreads>();
    races.retain(|check| check.group == "races");
    races.extend(counters().into_iter().filter(|check| check.name.contains("at_the_same_time")));
    assert!(races.len() > 9);
    for _ in 0..20 {
        block_on(run_all(&races, &OnThreads));
    }
}
