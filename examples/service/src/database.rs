//! The database of a process: one file of SQLite, or PostgreSQL. Conversations and flows are the
//! adapters'; the service's own tables, those of the tokens and of what people write to a person,
//! lie beside theirs.

mod heard;
mod tokens;

use std::sync::{Arc, Mutex, PoisonError};

use chatflow::store::{DynStore, SessionQuery, StoreQueries};
use chatflow::{StoreError, WorkspaceId};
use chatflow_postgres::PostgresStore;
use chatflow_postgres::deadpool_postgres::{Manager, Pool};
use chatflow_postgres::tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use chatflow_postgres::tokio_postgres::types::ToSql as PostgresCell;
use chatflow_postgres::tokio_postgres::{Config, NoTls, Socket};
use chatflow_sqlite::SqliteStore;
use chatflow_sqlite::rusqlite::types::ToSqlOutput;
use chatflow_sqlite::rusqlite::{self, Connection, ToSql as SqliteCell};

use crate::tls::{self, PostgresUrl};

pub use heard::HeardRow;
pub use tokens::TokenRow;

/// The database, open.
#[derive(Clone)]
pub struct Database {
    /// Conversations and flows.
    pub store: DynStore,
    own: OwnTables,
}

#[derive(Clone)]
enum OwnTables {
    Sqlite(Arc<Mutex<Connection>>),
    Postgres(Pool),
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS service_tokens (
    workspace TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL,
    PRIMARY KEY (workspace, name));
CREATE TABLE IF NOT EXISTS service_heard (
    workspace TEXT NOT NULL, contact TEXT NOT NULL, id TEXT NOT NULL, at BIGINT NOT NULL, message TEXT NOT NULL,
    PRIMARY KEY (workspace, contact, id))";
impl Database {
    /// Opens the database that a URL names, and brings its tables up to date.
    ///
    /// # Errors
    /// The adapter's error, or that the URL is of neither kind.
    pub async fn open(url: &str) -> Result<Self, Failure> {
        if let Some(file) = url.strip_prefix("sqlite:") {
            return Self::open_file(file.strip_prefix("//").unwrap_or(file));
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err("DATABASE_URL must begin with `sqlite:` or `postgres://`".into());
        }
        let PostgresUrl { config, trust } = PostgresUrl::read(url)?;
        match trust {
            Some(trust) => Self::open_server(config, trust.connector()?).await,
            None => Self::open_server(config, NoTls).await,
        }
    }

    async fn open_server<T>(config: Config, tls: T) -> Result<Self, Failure>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + Sync,
        T::TlsConnect: Send + Sync,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        tls::try_once(&config, tls.clone()).await?;
        PostgresStore::migrate(config.clone(), tls.clone()).await?;
        let store = PostgresStore::connect(config.clone(), tls.clone()).await?;
        let pool = Pool::builder(Manager::new(config, tls)).max_size(2).build()?;
        pool.get().await?.batch_execute(CREATE).await?;
        Ok(Self { store: DynStore::new(store), own: OwnTables::Postgres(pool) })
    }

    fn open_file(file: &str) -> Result<Self, Failure> {
        let store = SqliteStore::open(file)?;
        let own = Connection::open(file)?;
        own.busy_timeout(std::time::Duration::from_secs(5))?;
        own.execute_batch(CREATE)?;
        Ok(Self { store: DynStore::new(store), own: OwnTables::Sqlite(Arc::new(Mutex::new(own))) })
    }

    /// Asks the database for something small: the check behind `/readyz`.
    ///
    /// # Errors
    /// The store's error.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let query = SessionQuery::new(WorkspaceId::default(), 1);
        StoreQueries::sessions(&self.store, &query).await.map(drop)
    }
}

/// A value that a statement is given.
enum Cell {
    Text(String),
    Number(i64),
}

impl Cell {
    fn texts<const COUNT: usize>(texts: [String; COUNT]) -> Vec<Self> {
        texts.into_iter().map(Self::Text).collect()
    }

    fn as_postgres(&self) -> &(dyn PostgresCell + Sync) {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number,
        }
    }
}

impl SqliteCell for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => SqliteCell::to_sql(text),
            Self::Number(number) => SqliteCell::to_sql(number),
        }
    }
}

impl OwnTables {
    /// Runs a statement. Returns the number of rows that it changed.
    async fn execute(&self, statement: &'static str, cells: Vec<Cell>) -> Result<u64, Failure> {
        match self {
            Self::Sqlite(connection) => {
                blocking(connection, move |connection| {
                    let changed = connection.execute(statement, rusqlite::params_from_iter(&cells))?;
                    Ok(u64::try_from(changed)?)
                })
                .await
            }
            Self::Postgres(pool) => {
                let cells: Vec<_> = cells.iter().map(Cell::as_postgres).collect();
                Ok(pool.get().await?.execute(statement, &cells).await?)
            }
        }
    }
}

/// Runs a statement on SQLite beside the tasks of the runtime.
async fn blocking<T: Send + 'static>(
    connection: &Arc<Mutex<Connection>>,
    work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let connection = Arc::clone(connection);
    let work = move || work(&connection.lock().unwrap_or_else(PoisonError::into_inner));
    tokio::task::spawn_blocking(work).await?
}
