//! The suite of the testkit, on each store that is at hand.

use std::sync::Arc;

use crate::own_store::OwnStore;
use crate::riding::Riding;
use chatflow::MemoryStore;
use chatflow::store::{DynStore, Known, MemoryFlows};
use chatflow::testkit::store_suite::{FreshStores, Harness, Task, conversations, counters, run_all};
use pollster::block_on;

mod on_memory {
    use super::*;
    chatflow::store_suite! {
        harness: FreshStores(MemoryStore::new), block_on: block_on, groups: [conversations, queries, counters],
    }
}

mod on_a_shared_one {
    use super::*;
    chatflow::store_suite! {
        harness: FreshStores(|| Arc::new(MemoryStore::new())), block_on: block_on, groups: [conversations, queries, counters],
    }
}

mod on_an_erased_one {
    use super::*;
    chatflow::store_suite! {
        harness: FreshStores(|| DynStore::new(MemoryStore::new())), block_on: block_on,
        groups: [conversations, queries, counters],
    }
}

mod on_the_own_one_of_the_examples {
    use super::*;
    chatflow::store_suite! {
        harness: FreshStores(OwnStore::default), block_on: block_on, groups: [conversations],
    }
}

/// Processes that keep what they know of one store, each with so much room.
struct Knowing(usize, fn() -> DynStore);

impl Harness for Knowing {
    type Store = Known<DynStore>;

    async fn store(&self) -> Self::Store {
        Known::new((self.1)()).cache_bytes(self.0)
    }

    async fn beside(&self, store: &Self::Store) -> Option<Self::Store> {
        Some(Known::new(store.inner().clone()).cache_bytes(self.0))
    }
}

mod on_a_known_one {
    use super::*;
    chatflow::store_suite! {
        harness: Knowing(1 << 20, || DynStore::new(MemoryStore::new())), block_on: block_on,
        groups: [conversations, queries, counters],
    }
}

/// With room for nothing, for two, for all; turned off; over a store whose settles ride.
#[test]
fn the_suite_holds_on_a_known_one_whatever_its_room() {
    let memory = || DynStore::new(MemoryStore::new());
    for room in [0, 1, 2_600] {
        block_on(run_all(&conversations(), &Knowing(room, memory)));
    }
    block_on(run_all(&conversations(), &Knowing(1 << 20, || DynStore::new(Riding::default()))));
}

mod flows_in_memory {
    use super::*;
    chatflow::store_suite! {
        harness: FreshStores(MemoryFlows::new), block_on: block_on, groups: [flows],
    }
}

mod shared_flows_in_memory {
    use super::*;
    chatflow::store_suite! {
        harness: FreshStores(|| Arc::new(MemoryFlows::new())), block_on: block_on, groups: [flows],
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

/// The same on two processes that keep what they know.
struct KnownOnThreads;

impl Harness for KnownOnThreads {
    type Store = Known<DynStore>;

    async fn store(&self) -> Self::Store {
        Known::new(DynStore::new(MemoryStore::new()))
    }

    async fn beside(&self, store: &Self::Store) -> Option<Self::Store> {
        Some(Known::new(store.inner().clone()))
    }

    async fn together(&self, tasks: Vec<Task>) {
        OnThreads.together(tasks).await;
    }
}

#[test]
fn races_of_what_is_known_hold_on_threads_too() {
    let mut races = conversations::<KnownOnThreads>();
    races.retain(|check| check.group == "races" || check.name == "no_update_of_two_processes_is_lost");
    assert!(races.len() > 9);
    for _ in 0..40 {
        block_on(run_all(&races, &KnownOnThreads));
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
