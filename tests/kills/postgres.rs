//! Processes on one PostgreSQL are killed and stalled, and so is the server.

use std::env;
use std::time::Duration;

use chatflow::store::PostgresStore;
use chatflow::{Clock, Error, StoreError, SystemClock};
use libtest_mimic::{Failed, Trial};
use tokio_postgres::{Config, NoTls};

use crate::crew::{Crew, Dice, Worker, kills, wait};
use crate::durable_kit::{History, check};
use crate::orders::Place;
use crate::server::{Server, Stop};
use crate::verdict::{block_on, judge};

const LEASE: Duration = Duration::from_millis(500);

pub(crate) fn trials() -> Vec<Trial> {
    let is_there = env::var_os("CHATFLOW_POSTGRES").is_some();
    if !is_there {
        println!("the kill tests of PostgreSQL are skipped; scripts/with-postgres cargo test --test kills runs them");
    }
    let trials = [
        Trial::test("postgres::killed_processes_lose_and_double_nothing", killed_processes),
        Trial::test("postgres::killed_and_stalled_processes_share_a_database", stalled_processes),
        Trial::test("postgres::a_killed_server_loses_and_doubles_nothing", killed_server),
    ];
    trials.into_iter().map(|trial| trial.with_ignored_flag(!is_there)).collect()
}

/// A database of a test's own.
struct Database {
    url: String,
}

impl Database {
    fn new(server: &str, name: &str) -> Result<Self, Failed> {
        let name = format!("kills_{name}_{}", std::process::id());
        let base: Config = server.parse()?;
        let made = block_on(async {
            let (client, connection) = base.connect(NoTls).await.map_err(StoreError::transient)?;
            tokio::spawn(connection);
            let create = ["CREATE DATABASE ", &name].concat();
            client.batch_execute(&create).await.map_err(StoreError::transient)?;
            let mut config = base.clone();
            config.dbname(&name);
            PostgresStore::migrate(config, NoTls).await?;
            Ok(())
        });
        made?;
        let (server, _) = server.rsplit_once('/').ok_or("a URL that names a database")?;
        Ok(Self { url: format!("{server}/{name}") })
    }

    fn config(&self) -> Config {
        self.url.parse().expect("a URL")
    }

    fn judge(&self, what: &str, dice: &Dice, history: &History, lease: Duration) -> Result<(), Failed> {
        let checked = block_on(async {
            let store = PostgresStore::connect(self.config(), NoTls).await?;
            check(store.clone(), store, history, (SystemClock.now(), lease), tokio::time::sleep).await
        })?;
        judge("postgres", what, dice.seed, history, checked, Vec::new())
    }
}

fn shared_server() -> Result<String, Failed> {
    Ok(env::var("CHATFLOW_POSTGRES")?)
}

fn killed_processes() -> Result<(), Failed> {
    let (mut dice, kills) = (Dice::new(), kills(15, 1));
    let database = Database::new(&shared_server()?, "processes")?;
    let mut crew = Crew::new(Place::Postgres(database.url.clone()), LEASE);
    for _ in 0..kills {
        if dice.below(8) == 0 {
            let worker = crew.start();
            wait(dice.millis(0, 25));
            worker.kill();
        } else {
            let worker = crew.start_working();
            wait(dice.millis(5, 80));
            worker.kill();
        }
    }
    let history = crew.dismiss();
    database.judge(&format!("{kills} kills of processes"), &dice, &history, LEASE)
}

/// Three processes hold the same conversations; in each round one is killed, and one is stopped until its leases are
/// over, and then goes on where it stood.
fn stalled_processes() -> Result<(), Failed> {
    let (mut dice, rounds) = (Dice::new(), kills(3, 10));
    let database = Database::new(&shared_server()?, "stalls")?;
    let mut crew = Crew::new(Place::Postgres(database.url.clone()), LEASE);
    let mut workers: Vec<Worker> = (0..3).map(|_| crew.start_working()).collect();
    for _ in 0..rounds {
        wait(dice.millis(20, 150));
        let stalled = usize::try_from(dice.below(2))?;
        workers[stalled].signal("STOP");
        wait(dice.millis(10, 150));
        workers.remove(2).kill();
        workers.insert(0, crew.start_working());
        wait(LEASE + dice.millis(20, 150));
        workers[stalled + 1].signal("CONT");
    }
    wait(Duration::from_millis(200));
    for worker in workers {
        worker.kill();
    }
    let history = crew.dismiss();
    database.judge(&format!("{rounds} kills and {rounds} stalls among three processes"), &dice, &history, LEASE)
}

/// The server is stopped without a word, or its first process is killed; the processes go on when it is back.
fn killed_server() -> Result<(), Failed> {
    let (mut dice, kills) = (Dice::new(), kills(3, 5));
    let mut server = Server::start("");
    let database = Database::new(&format!("postgres://postgres@127.0.0.1:{}/postgres", server.port()), "server")?;
    let mut crew = Crew::new(Place::Postgres(database.url.clone()), LEASE);
    let mut workers: Vec<Worker> = (0..2).map(|_| crew.start_working()).collect();
    for _ in 0..kills {
        wait(dice.millis(50, 300));
        if dice.below(2) == 0 {
            server.stop(Stop::Immediate);
        } else {
            server.kill();
        }
        // Now and then a process dies with it.
        if dice.below(4) == 0 {
            workers.remove(0).kill();
            server.start_again();
            workers.push(crew.start_working());
        } else {
            server.start_again();
        }
    }
    wait(Duration::from_millis(300));
    for worker in workers {
        worker.kill();
    }
    let history = crew.dismiss();
    database.judge(&format!("{kills} kills of the server"), &dice, &history, LEASE)
}
