//! The contract of stores, check by check.

use std::sync::Arc;
use std::time::Duration;

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
    checks.into_iter().map(trial_of).collect()
}
