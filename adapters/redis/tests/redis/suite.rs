//! The contract of stores, check by check.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatflow::store::Known;
use chatflow::testkit::store_suite::{Check, Harness, Task, conversations, counters, flows, queries};
use chatflow_redis::RedisStore;
use libtest_mimic::Trial;

use crate::kit::{Keys, trial};

/// Stores on one server, each with keys of its own.
struct OnRedis;

impl Harness for OnRedis {
    type Store = RedisStore;

    async fn store(&self) -> RedisStore {
        Keys::new().store().await
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

/// The same with processes that keep what they know.
#[derive(Default)]
struct KnownOnRedis(Mutex<Option<Arc<Keys>>>);

impl Harness for KnownOnRedis {
    type Store = Known<RedisStore>;

    async fn store(&self) -> Self::Store {
        let keys = Arc::new(Keys::new());
        *self.0.lock().unwrap() = Some(Arc::clone(&keys));
        Known::new(keys.store().await)
    }

    async fn beside(&self, _store: &Self::Store) -> Option<Self::Store> {
        let keys = self.0.lock().unwrap().clone().unwrap();
        Some(Known::new(keys.store().await))
    }

    async fn pass(&self, time: Duration) {
        OnRedis.pass(time).await;
    }

    async fn together(&self, tasks: Vec<Task>) {
        OnRedis.together(tasks).await;
    }
}

fn known_trials() -> Vec<Trial> {
    let trial_of = |check: Check<KnownOnRedis>| {
        let check = Arc::new(check);
        trial(format!("suite::known::{}", check.name), move || {
            let check = Arc::clone(&check);
            async move { check.run(&KnownOnRedis::default()).await }
        })
    };
    conversations().into_iter().map(trial_of).collect()
}

pub fn trials() -> Vec<Trial> {
    let checks: Vec<Check<OnRedis>> =
        conversations().into_iter().chain(queries()).chain(counters()).chain(flows()).collect();
    let trial_of = |check: Check<OnRedis>| {
        let check = Arc::new(check);
        trial(format!("suite::{}", check.name), move || {
            let check = Arc::clone(&check);
            async move { check.run(&OnRedis).await }
        })
    };
    checks.into_iter().map(trial_of).chain(known_trials()).collect()
}
