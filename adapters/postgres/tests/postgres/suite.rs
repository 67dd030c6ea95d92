//! The contract of stores, check by check, on each way to connect.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use chatflow::store::Known;
use chatflow::testkit::store_suite::{Check, Harness, Task, conversations, counters, flows, queries};
use chatflow_postgres::PostgresStore;
use libtest_mimic::Trial;
use tokio_postgres::NoTls;

use crate::kit::{Database, Layout, trial};

/// A way to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Plain,
    Partitioned,
    Pooled,
    Prepared,
}

/// Fresh databases, which are given back when the check is over.
struct OnPostgres {
    way: Way,
    database: Mutex<Option<Database>>,
}

impl Harness for OnPostgres {
    type Store = PostgresStore;

    async fn store(&self) -> PostgresStore {
        let layout = if self.way == Way::Partitioned { Layout::Partitioned } else { Layout::Plain };
        let database = Database::new(layout).await;
        let store = self.connected(&database).await;
        *self.database.lock().unwrap() = Some(database);
        store
    }

    async fn beside(&self, _store: &PostgresStore) -> Option<PostgresStore> {
        let database = self.database.lock().unwrap().take().unwrap();
        let store = self.connected(&database).await;
        *self.database.lock().unwrap() = Some(database);
        Some(store)
    }

    /// Leases are judged by the server's clock.
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn together(&self, tasks: Vec<Task>) {
        let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
}

impl OnPostgres {
    async fn connected(&self, database: &Database) -> PostgresStore {
        let config = if self.way == Way::Pooled { database.through_bouncer() } else { database.config() };
        let options = match self.way {
            Way::Plain => PostgresStore::options().prepared_statements(false),
            Way::Partitioned | Way::Pooled | Way::Prepared => PostgresStore::options(),
        };
        let store = options.connect(config, NoTls).await.unwrap();
        let prepares = format!("prepares: {}", matches!(self.way, Way::Partitioned | Way::Prepared));
        assert!(format!("{store:?}").contains(&prepares), "{store:?}");
        store
    }
}

/// The same with processes that keep what they know, whose settles ride or not.
struct KnownOnPostgres(OnPostgres, Duration);

impl KnownOnPostgres {
    async fn connected(&self, database: &Database) -> Known<PostgresStore> {
        let options = PostgresStore::options().settle_within(self.1);
        Known::new(options.connect(database.config(), NoTls).await.unwrap())
    }
}

impl Harness for KnownOnPostgres {
    type Store = Known<PostgresStore>;

    async fn store(&self) -> Self::Store {
        let database = Database::new(Layout::Plain).await;
        let store = self.connected(&database).await;
        *self.0.database.lock().unwrap() = Some(database);
        store
    }

    async fn beside(&self, _store: &Self::Store) -> Option<Self::Store> {
        let database = self.0.database.lock().unwrap().take().unwrap();
        let store = self.connected(&database).await;
        *self.0.database.lock().unwrap() = Some(database);
        Some(store)
    }

    async fn pass(&self, time: Duration) {
        self.0.pass(time).await;
    }

    async fn together(&self, tasks: Vec<Task>) {
        self.0.together(tasks).await;
    }
}

fn known_trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, within) in [("known", Duration::ZERO), ("known_and_riding", Duration::from_millis(20))] {
        let checks: Vec<Check<KnownOnPostgres>> =
            conversations().into_iter().chain(queries()).chain(counters()).chain(flows()).collect();
        for check in checks {
            let check = Arc::new(check);
            trials.push(trial(format!("suite::{name}::{}", check.name), move || {
                let check = Arc::clone(&check);
                async move {
                    let on = OnPostgres { way: Way::Prepared, database: Mutex::default() };
                    check.run(&KnownOnPostgres(on, within)).await;
                }
            }));
        }
    }
    trials
}

pub fn trials() -> Vec<Trial> {
    let mut trials = known_trials();
    for (name, way) in [
        ("plain", Way::Plain),
        ("partitioned", Way::Partitioned),
        ("pooled", Way::Pooled),
        ("prepared", Way::Prepared),
    ] {
        let checks: Vec<Check<OnPostgres>> =
            conversations().into_iter().chain(queries()).chain(counters()).chain(flows()).collect();
        for check in checks {
            let check = Arc::new(check);
            trials.push(trial(format!("suite::{name}::{}", check.name), move || {
                let check = Arc::clone(&check);
                async move { check.run(&OnPostgres { way, database: Mutex::default() }).await }
            }));
        }
    }
    trials
}
