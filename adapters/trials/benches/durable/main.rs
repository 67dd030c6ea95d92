//! The abandoned cart on disk: SQLite (P2) and PostgreSQL (P3), each beside what one would write by
//! hand, in the same run; what is due at once; and what a call costs when many sessions are stored.
//! Prints medians of several passes and the spread of them. `cargo bench -p chatflow-trials
//! [sqlite|postgres|engine|due|growth|million]`; `smoke` checks in seconds that all say the same,
//! `due-check` that what is due at once does not wait for more than it costs.
//! What needs PostgreSQL reads its URL from `CHATFLOW_POSTGRES`, and is left out without it.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, prints, and stops when it is wrong"
)]

mod bot;
mod cpu;
mod due;
mod folder;
mod growth;
#[path = "../../../../benches/shared/median.rs"]
mod median;
mod postgres;
mod postgres_by_hand;
mod postgres_engine;
mod proxy;
#[path = "../../../../benches/shared/script.rs"]
mod script;
mod server;
mod sqlite;
mod sqlite_by_hand;
mod swap;
mod syncs;

/// The parts that run when none is asked for.
const USUAL: [&str; 5] = ["sqlite", "postgres", "engine", "due", "growth"];

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    if let [what, count] = asked.as_slice()
        && let Ok(count) = count.parse()
    {
        return syncs::work(what, count);
    }
    let asked = if asked.is_empty() { USUAL.map(str::to_owned).to_vec() } else { asked };
    for what in asked {
        match what.as_str() {
            "sqlite" => sqlite::run(),
            "postgres" => postgres::run(),
            "engine" => postgres_engine::run(),
            "due" => due::run(),
            "due-check" => due::check(),
            "growth" => growth::run(&[1_000, 100_000]),
            "million" => growth::run(&[1_000, 1_000_000]),
            "smoke" => smoke(),
            _ => panic!(
                "nothing is called {what}: sqlite, postgres, engine, due, due-check, growth, million, smoke"
            ),
        }
    }
}

fn smoke() {
    sqlite::smoke();
    postgres::smoke();
    postgres_engine::smoke();
    due::smoke();
    growth::smoke();
}
