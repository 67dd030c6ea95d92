//! Processes on one PostgreSQL are killed and stalled, and so is the server.

use std::env;
use std::time::Duration;

use chatflow::clock::SystemClock;
use chatflow::{Clock, StoreError};
use chatflow_postgres::PostgresStore;
use libtest_mimic::{Failed, Trial};
use tokio_postgres::{Config, NoTls};

use crate::crew::{Crew, Dice, Worker, kills, wait};
use crate::durable_kit::{History, check};
use crate::orders::Place;
use crate::server::{Server, Stop};
use crate::verdict::{block_on, judge};

const LEASE: Duration = Duration::from_millis(500);

/// The system keeps the writes of a killed process, so that only the loss of power would need the
/// syncs; without them a server is back in a tenth of the time.
const SETTINGS: &str = "fsync = off";

const AT_WORK: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1";

pub(crate) fn trials() -> Vec<Trial> {
    let is_there = env::var_os("CHATFLOW_POSTGRES").is_some();
    if !is_there {
        println!(
            "the kill tests of PostgreSQL are skipped; scripts/with-postgres cargo test --test kills runs them"
        );
    }
    let trials = [
        Trial::test("postgres::killed_processes_lose_and_double_nothing", killed_processes),
        Trial::test("postgres::killed_and_stalled_processes_share_a_database", stalled_processes),
        Trial::test("postgres::a_killed_server_loses_and_doubles_nothing", killed_server),
    ];
    trials.into_iter().map(|trial| trial.with_ignored_flag(!is_there)).collect()
}

/// A database of a test's own. It stays when something is wrong.
struct Database {
    url: String,
    server: Config,
    name: String,
}

impl Database {
    fn new(url: &str, name: &str) -> Result<Self, Failed> {
        let name = format!("kills_{name}_{}", std::process::id());
        let (address, _) = url.rsplit_once('/').ok_or("a URL that names a database")?;
        let database = Self { url: format!("{address}/{name}"), server: url.parse()?, name };
        block_on(async {
            database.order("CREATE DATABASE ", "").await?;
            Ok(PostgresStore::migrate(database.config(), NoTls).await?)
        })?;
        Ok(database)
    }

    async fn order(&self, what: &str, how: &str) -> Result<(), StoreError> {
        let (client, connection) = self.server.connect(NoTls).await.map_err(StoreError::transient)?;
        tokio::spawn(connection);
        client.batch_execute(&[what, &self.name, how].concat()).await.map_err(StoreError::transient)
    }

    /// Waits until the server has ended what killed processes had asked it for: that may still be
    /// written.
    async fn is_left(&self) -> Result<(), StoreError> {
        let (client, connection) = self.server.connect(NoTls).await.map_err(StoreError::transient)?;
        tokio::spawn(connection);
        for _ in 0..2_000 {
            let row = client.query_one(AT_WORK, &[&self.name]).await.map_err(StoreError::transient)?;
            if row.get::<_, i64>(0) == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(StoreError::transient("connections of killed processes stay"))
    }

    fn config(&self) -> Config {
        self.url.parse().expect("a URL")
    }

    fn judge(&self, what: &str, dice: &Dice, history: &History, lease: Duration) -> Result<(), Failed> {
        let checked = block_on(async {
            self.is_left().await?;
            let store = PostgresStore::connect(self.config(), NoTls).await?;
            check(store.clone(), store, history, (SystemClock.now(), lease), tokio::time::sleep).await
        })?;
        judge("postgres", what, dice.seed, history, checked, Vec::new())?;
        block_on(async { Ok(self.order("DROP DATABASE ", " WITH (FORCE)").await?) })?;
        Ok(())
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
        crew.start_and_kill(&mut dice);
    }
    let history = crew.dismiss();
    database.judge(&format!("{kills} kills of processes"), &dice, &history, LEASE)
}

/// Three processes hold the same conversations; in each round one is killed, and one is stopped
/// until its leases are over, and then continues where it was.
fn stalled_processes() -> Result<(), Failed> {
    let (mut dice, rounds) = (Dice::new(), kills(3, 10));
    let database = Database::new(&shared_server()?, "stalls")?;
    let mut crew = Crew::new(Place::Postgres(database.url.clone()), LEASE);
    let mut workers: Vec<Worker> = (0..3).map(|_| crew.start_working()).collect();
    for _ in 0..rounds {
        crew.let_work(&mut dice, 200);
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
    database.judge(
        &format!("{rounds} kills and {rounds} stalls among three processes"),
        &dice,
        &history,
        LEASE,
    )
}

/// The server is stopped without a word, or its first process is killed; the processes continue
/// when it is back.
fn killed_server() -> Result<(), Failed> {
    let (mut dice, kills) = (Dice::new(), kills(3, 5));
    let mut server = Server::start(SETTINGS);
    let database =
        Database::new(&format!("postgres://postgres@127.0.0.1:{}/postgres", server.port()), "server")?;
    let mut crew = Crew::new(Place::Postgres(database.url.clone()), LEASE);
    let mut workers: Vec<Worker> = (0..2).map(|_| crew.start_working()).collect();
    for _ in 0..kills {
        crew.let_work(&mut dice, 150);
        wait(dice.micros(4_000));
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
