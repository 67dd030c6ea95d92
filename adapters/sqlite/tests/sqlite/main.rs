//! `SqliteStore`: the contracts, and what a file can suffer.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../../../../tests/kits/identity.rs"]
mod identity_kit;
#[path = "../../../../tests/kits/many.rs"]
mod many_kit;
#[path = "../../../../tests/kits/model.rs"]
mod model_kit;
#[path = "../../../../tests/kits/operators.rs"]
mod operators_kit;
#[path = "../../../../tests/kits/pace.rs"]
mod pace_kit;
#[path = "../../../../tests/kits/promises.rs"]
mod promises_kit;
#[path = "../../../../tests/kits/store.rs"]
mod store_kit;
#[path = "../../../../tests/kits/versions.rs"]
mod versions_kit;

mod crowd;
mod faults;
mod folder;
mod identity;
mod joins;
mod known;
mod lasting;
mod log;
mod many;
mod model;
mod operators;
mod pace;
mod pressure;
mod promises;
mod room;
mod sim;
mod strangers;
mod talk;
mod versions;

use std::future::{Future, ready};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use chatflow::store::Known;
use chatflow::testkit::store_suite::{Harness, Task};
use chatflow_sqlite::SqliteStore;
use pollster::block_on;

use folder::Folder;

/// Stores in a folder that goes with the check, each in a file of its own.
struct OnFiles(Folder, AtomicU32);

impl OnFiles {
    fn new() -> Self {
        Self(Folder::new(), AtomicU32::new(0))
    }

    fn open(&self) -> SqliteStore {
        let number = self.1.fetch_add(1, Ordering::Relaxed);
        SqliteStore::open(self.0.path().join(format!("{number}.db"))).unwrap()
    }
}

/// The file of a store once more.
fn once_more(store: &SqliteStore) -> SqliteStore {
    let told = format!("{store:?}");
    let file = told.split('"').nth(1).unwrap();
    SqliteStore::open(file).unwrap()
}

impl Harness for OnFiles {
    type Store = SqliteStore;

    fn store(&self) -> impl Future<Output = SqliteStore> + Send {
        ready(self.open())
    }

    fn beside(&self, store: &SqliteStore) -> impl Future<Output = Option<SqliteStore>> + Send {
        ready(Some(once_more(store)))
    }

    /// Each on a thread of its own, as under a runtime.
    fn together(&self, tasks: Vec<Task>) -> impl Future<Output = ()> + Send {
        thread::scope(|scope| {
            for task in tasks {
                scope.spawn(|| block_on(task));
            }
        });
        ready(())
    }
}

mod on_a_file {
    use super::*;
    chatflow::store_suite! {
        harness: OnFiles::new(), block_on: block_on, groups: [conversations, queries, counters, flows],
    }
}

/// The same with processes that keep what they know.
struct KnownOnFiles(OnFiles);

impl Harness for KnownOnFiles {
    type Store = Known<SqliteStore>;

    fn store(&self) -> impl Future<Output = Self::Store> + Send {
        ready(Known::new(self.0.open()))
    }

    fn beside(&self, store: &Self::Store) -> impl Future<Output = Option<Self::Store>> + Send {
        ready(Some(Known::new(once_more(store.inner()))))
    }

    fn together(&self, tasks: Vec<Task>) -> impl Future<Output = ()> + Send {
        self.0.together(tasks)
    }
}

mod known_on_a_file {
    use super::*;
    chatflow::store_suite! {
        harness: KnownOnFiles(OnFiles::new()), block_on: block_on,
        groups: [conversations, queries, counters, flows],
    }
}
