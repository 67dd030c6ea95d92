//! The stage of a trial: a database with tables, engines on it, and all that they did.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use chatflow::clock::SystemClock;
use chatflow::{Clock, Engine};
use chatflow_postgres::{PostgresOptions, PostgresStore};
use tokio_postgres::{Client, Config, NoTls};

use super::durable_kit::{Checked, FLOW, History, check, engine};
use super::server::client;
use super::traffic::Troubles;

pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// Clones are the same stage.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) config: Config,
    pub(crate) history: History,
    pub(crate) troubles: Troubles,
    next: Arc<AtomicU64>,
}

impl Stage {
    /// A database that this leads to; its tables are made.
    pub(crate) async fn on(config: Config) -> Self {
        PostgresStore::migrate(config.clone(), NoTls).await.expect("tables");
        Self {
            config,
            history: History::default(),
            troubles: Troubles::default(),
            next: Arc::new(AtomicU64::new(1)),
        }
    }

    /// A new database of the shared server.
    pub(crate) async fn new() -> Self {
        Self::on(new_database().await).await
    }

    pub(crate) fn next_contact(&self) -> u64 {
        self.next.fetch_add(1, Ordering::SeqCst)
    }

    /// An engine on the database.
    pub(crate) async fn bot(&self) -> Engine<PostgresStore> {
        self.bot_by(&self.config, PostgresStore::options()).await
    }

    /// An engine that reaches it in another way.
    pub(crate) async fn bot_by(&self, config: &Config, options: PostgresOptions) -> Engine<PostgresStore> {
        let store = options.connect(config.clone(), NoTls).await.expect("a database with tables");
        let bot = engine(store.clone(), store, SystemClock, self.history.clone(), LEASE);
        bot.flows().ensure(FLOW).await.expect("a flow");
        bot
    }

    /// A connection of the trial's own.
    pub(crate) async fn client(&self) -> Client {
        client(&self.config).await
    }

    /// Proves that nothing acknowledged is lost and nothing is doubled. No engine may be at work.
    pub(crate) async fn prove(&self) {
        prove(&self.config, &self.history, &self.troubles).await;
    }
}

pub(crate) async fn prove(config: &Config, history: &History, troubles: &Troubles) {
    let store = PostgresStore::connect(config.clone(), NoTls).await.expect("a database with tables");
    let now = SystemClock.now();
    let checked = check(store.clone(), store, history, (now, LEASE), tokio::time::sleep).await;
    let Checked { acknowledged, conversations, messages, redeliveries, violations, .. } =
        checked.expect("the database answers");
    let violations: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
    println!(
        "  {acknowledged} calls acknowledged, {} repeated after an error, {conversations} conversations, {messages} \
         messages, {redeliveries} handed over again, the longest call {:.1?}, 0 violations",
        troubles.repeated(),
        troubles.longest(),
    );
}

/// The server that `scripts/with-postgres` started.
pub(crate) fn shared() -> Config {
    let url = env::var("CHATFLOW_POSTGRES").expect("CHATFLOW_POSTGRES, from scripts/with-postgres");
    url.parse().expect("a URL of PostgreSQL")
}

pub(crate) async fn new_database() -> Config {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let name = format!("faults_{}_{number}", std::process::id());
    let mut config = shared();
    let statement = ["CREATE DATABASE ", &name].concat();
    client(&config).await.batch_execute(&statement).await.expect("a superuser");
    config.dbname(&name);
    config
}

/// The name of the database that this leads to.
pub(crate) fn name(config: &Config) -> &str {
    config.get_dbname().expect("a database of its own")
}
