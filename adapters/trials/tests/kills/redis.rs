//! Processes on one Redis are killed, and so is the server.

use std::env;
use std::time::Duration;

use chatflow::clock::SystemClock;
use chatflow::{Clock, Error};
use chatflow_redis::RedisStore;
use chatflow_redis::redis::Client;
use libtest_mimic::{Failed, Trial};

use crate::crew::{Crew, Dice, Worker, kills, wait};
use crate::durable_kit::{History, check};
use crate::orders::Place;
use crate::redis_server::Server;
use crate::verdict::{block_on, judge};

const LEASE: Duration = Duration::from_millis(500);

/// With `everysec` a killed server takes the last turns with it that it had acknowledged.
const SETTINGS: [&str; 2] = ["appendonly yes", "appendfsync always"];

pub(crate) fn trials() -> Vec<Trial> {
    let is_there = env::var_os("CHATFLOW_REDIS_SERVER").is_some();
    if !is_there {
        println!("the kill tests of Redis are skipped; scripts/with-redis cargo test --test kills runs them");
    }
    let trials = [
        Trial::test("redis::killed_processes_lose_and_double_nothing", killed_processes),
        Trial::test("redis::a_killed_server_loses_and_doubles_nothing", killed_server),
    ];
    trials.into_iter().map(|trial| trial.with_ignored_flag(!is_there)).collect()
}

fn judged(server: &Server, what: &str, dice: &Dice, history: &History) -> Result<(), Failed> {
    let checked = block_on(async {
        let client = Client::open(server.url()).expect("a URL");
        let store = RedisStore::connect(client).await.map_err(Error::from)?;
        check(store.clone(), store, history, (SystemClock.now(), LEASE), tokio::time::sleep).await
    })?;
    judge("redis", what, dice.seed, history, checked, Vec::new())
}

/// Two processes hold the same conversations; one after the other is killed.
fn killed_processes() -> Result<(), Failed> {
    let (mut dice, kills) = (Dice::new(), kills(15, 1));
    let server = Server::start(&SETTINGS);
    let mut crew = Crew::new(Place::Redis(server.url()), LEASE);
    let beside = crew.start_working();
    for _ in 0..kills {
        crew.start_and_kill(&mut dice);
    }
    beside.kill();
    judged(&server, &format!("{kills} kills of processes beside another"), &dice, &crew.dismiss())
}

/// The server's process is killed; the processes continue when it is back.
fn killed_server() -> Result<(), Failed> {
    let (mut dice, kills) = (Dice::new(), kills(5, 5));
    let mut server = Server::start(&SETTINGS);
    let mut crew = Crew::new(Place::Redis(server.url()), LEASE);
    let mut workers: Vec<Worker> = (0..2).map(|_| crew.start_working()).collect();
    for _ in 0..kills {
        crew.let_work(&mut dice, 150);
        wait(dice.micros(4_000));
        server.kill();
        // Now and then a process dies with it.
        if dice.below(4) == 0 {
            workers.remove(0).kill();
            server.start_again();
            workers.push(crew.start_working());
        } else {
            wait(dice.millis(0, 100));
            server.start_again();
        }
    }
    crew.let_work(&mut dice, 150);
    for worker in workers {
        worker.kill();
    }
    judged(&server, &format!("{kills} kills of the server"), &dice, &crew.dismiss())
}
