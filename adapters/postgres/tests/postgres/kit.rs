//! The kit of the tests: the server from the environment, one runtime, and databases of a trial's
//! own.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use chatflow_postgres::{PostgresOptions, PostgresStore};
use libtest_mimic::Trial;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Config, NoTls};

/// The server, as its superuser.
pub fn server() -> Option<Config> {
    Some(std::env::var("CHATFLOW_POSTGRES").ok()?.parse().unwrap())
}

/// The same server through PgBouncer in transaction mode.
pub fn bouncer() -> Config {
    std::env::var("CHATFLOW_PGBOUNCER").unwrap().parse().unwrap()
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(work)
}

/// A trial that is a future, run in the runtime.
pub fn trial<F: Future<Output = ()> + Send + 'static>(
    name: impl Into<String>,
    run: impl Fn() -> F + Send + 'static,
) -> Trial {
    Trial::test(name, move || {
        block_on(run());
        Ok(())
    })
}

/// The place of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    Plain,
    Partitioned,
}

/// Databases that are not used just now. To empty one takes 2 ms, to copy one 40 ms.
static FREE: LazyLock<Mutex<HashMap<Layout, Vec<String>>>> = LazyLock::new(Mutex::default);

/// A migrated database that holds nothing, for one trial. One that a trial panicked in is not used
/// again.
pub struct Database {
    name: String,
    layout: Layout,
}

impl Database {
    pub async fn new(layout: Layout) -> Self {
        let free = FREE.lock().unwrap().entry(layout).or_default().pop();
        if let Some(name) = free {
            let database = Self { name, layout };
            database.client().await.batch_execute(EMPTY).await.unwrap();
            return database;
        }
        let database = Self { name: create().await, layout };
        database.options().migrate(database.config(), NoTls).await.unwrap();
        database
    }

    /// The options for `migrate`.
    pub fn options(&self) -> PostgresOptions {
        PostgresStore::options().partitions(match self.layout {
            Layout::Plain => 1,
            Layout::Partitioned => 8,
        })
    }

    /// Leads to this database.
    pub fn config(&self) -> Config {
        let mut config = server().unwrap();
        config.dbname(&self.name);
        config
    }

    /// Leads there through PgBouncer.
    pub fn through_bouncer(&self) -> Config {
        let mut config = bouncer();
        config.dbname(&self.name);
        config
    }

    /// A connection of the test's own.
    pub async fn client(&self) -> Client {
        let (client, connection) = self.config().connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// A store whose transactions are isolated as said, unless it says otherwise itself.
    pub async fn strict_store(&self, isolation: &str) -> PostgresStore {
        let mut config = self.config();
        config.options(format!("-c default_transaction_isolation={}", isolation.replace(' ', "\\ ")));
        PostgresStore::connect(config, NoTls).await.unwrap()
    }

    /// A store with the options as they are unless set.
    pub async fn store(&self) -> PostgresStore {
        PostgresStore::connect(self.config(), NoTls).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let name = std::mem::take(&mut self.name);
            FREE.lock().unwrap().entry(self.layout).or_default().push(name);
        }
    }
}

/// A database without tables.
pub async fn create() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("chatflow_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let (client, connection) = server().unwrap().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    name
}

const EMPTY: &str = "DELETE FROM chatflow_conversation; DELETE FROM chatflow_alias; DELETE FROM chatflow_key;
    DELETE FROM chatflow_session; DELETE FROM chatflow_journal; DELETE FROM chatflow_flow;
    DELETE FROM chatflow_definition; DELETE FROM chatflow_catalogue; DELETE FROM chatflow_count";
