//! The server that the URL in `CHATFLOW_POSTGRES` names, and databases of our own on it.

use std::sync::atomic::{AtomicU64, Ordering};

use chatflow_postgres::PostgresStore;
use tokio::runtime::Runtime;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

pub(crate) struct Server(Config);

/// A database that is dropped at the end.
pub(crate) struct Database<'a> {
    runtime: &'a Runtime,
    server: &'a Server,
    name: String,
}

static MADE: AtomicU64 = AtomicU64::new(0);

impl Server {
    /// None, and a line that says so: no server is named.
    pub(crate) fn named() -> Option<Self> {
        match std::env::var("CHATFLOW_POSTGRES") {
            Ok(url) => Some(Self(url.parse().expect("CHATFLOW_POSTGRES is a URL"))),
            Err(_) => {
                println!("  PostgreSQL was skipped: CHATFLOW_POSTGRES names no server");
                None
            }
        }
    }

    pub(crate) fn database<'a>(&'a self, runtime: &'a Runtime) -> Database<'a> {
        let name = format!("chatflow_bench_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        self.execute(runtime, &format!("CREATE DATABASE {name}"));
        Database { runtime, server: self, name }
    }

    /// Where the server listens.
    pub(crate) fn address(&self) -> (String, u16) {
        let host = match self.0.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            _ => "127.0.0.1".to_owned(),
        };
        (host, self.0.get_ports().first().copied().unwrap_or(5432))
    }

    fn execute(&self, runtime: &Runtime, statement: &str) {
        runtime.block_on(async {
            let client = client(&self.0).await;
            client.batch_execute(statement).await.expect("the statement is right");
        });
    }
}

impl Database<'_> {
    pub(crate) fn config(&self) -> Config {
        let mut config = self.server.0.clone();
        config.dbname(&self.name);
        config
    }

    /// The same, reached at another port of this machine.
    pub(crate) fn config_at(&self, port: u16) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(port).dbname(&self.name);
        if let Some(user) = self.server.0.get_user() {
            config.user(user);
        }
        if let Some(password) = self.server.0.get_password() {
            config.password(password);
        }
        config
    }

    pub(crate) async fn client(&self) -> Client {
        client(&self.config()).await
    }

    /// The crate's store in it, ready for use.
    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::migrate(self.config(), NoTls).await.expect("the tables can be made");
        PostgresStore::connect(self.config(), NoTls).await.expect("the store opens")
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        self.server.execute(self.runtime, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

async fn client(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    client
}
