//! Processes and servers that are killed at random while conversations are held, and the proof
//! afterwards that no acknowledged turn was lost and none took effect twice. A few kills by
//! default, so that it takes seconds; `CHATFLOW_KILLS=500` for as many of each kind.
//! `CHATFLOW_SEED` repeats the moments of an earlier run.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and says what it did")]

mod crew;
#[path = "../../../../tests/kits/durable/mod.rs"]
mod durable_kit;
mod orders;
mod postgres;
mod redis;
#[path = "../../../redis/tests/redis/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "these tests need less of it")]
mod redis_server;
mod seeded;
#[path = "../../../postgres/tests/postgres/faults/server.rs"]
#[allow(dead_code, reason = "these tests need less of it")]
mod server;
mod sqlite;
mod verdict;
mod worker;

use libtest_mimic::Arguments;

fn main() {
    if let Ok(orders) = std::env::var(orders::VARIABLE) {
        worker::work(serde_json::from_str(&orders).expect("orders"));
    }
    let mut args = Arguments::from_args();
    // One after the other: each has both cores, and says its figures undisturbed.
    args.test_threads = args.test_threads.or(Some(1));
    let trials = [seeded::trials(), sqlite::trials(), postgres::trials(), redis::trials()];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&args, trials).exit();
}
