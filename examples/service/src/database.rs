//! The database of a process: one file of SQLite, or PostgreSQL. Conversations and flows are the
//! adapters'; the service's own table, that of the tokens, lies beside theirs.

use std::sync::{Arc, Mutex, PoisonError};

use chatflow::store::{DynStore, SessionQuery, StoreQueries};
use chatflow::{StoreError, WorkspaceId};
use chatflow_postgres::PostgresStore;
use chatflow_postgres::deadpool_postgres::{Manager, Pool};
use chatflow_postgres::tokio_postgres::{Config, NoTls};
use chatflow_sqlite::SqliteStore;
use chatflow_sqlite::rusqlite::{Connection, params};

/// A token as it is stored: never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// The public half of the token.
    pub id: String,
    /// The workspace that it opens.
    pub workspace: String,
    /// The name under which it is revoked.
    pub name: String,
    /// SHA-256 of the secret half.
    pub hash: Vec<u8>,
}

/// The database, open.
#[derive(Clone)]
pub struct Database {
    /// Conversations and flows.
    pub store: DynStore,
    tokens: TokenTable,
}

#[derive(Clone)]
enum TokenTable {
    Sqlite(Arc<Mutex<Connection>>),
    Postgres(Pool),
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS service_tokens (
    workspace TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL,
    PRIMARY KEY (workspace, name))";
const PUT: &str = "INSERT INTO service_tokens (workspace, name, id, hash) VALUES ($1, $2, $3, $4)
    ON CONFLICT (workspace, name) DO UPDATE SET id = excluded.id, hash = excluded.hash";
const LIST: &str = "SELECT workspace, name, id, hash FROM service_tokens ORDER BY workspace, name";
const REMOVE: &str = "DELETE FROM service_tokens WHERE workspace = $1 AND name = $2";

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
        let config: Config = url.parse()?;
        PostgresStore::migrate(config.clone(), NoTls).await?;
        let store = PostgresStore::connect(config.clone(), NoTls).await?;
        let pool = Pool::builder(Manager::new(config, NoTls)).max_size(2).build()?;
        pool.get().await?.batch_execute(CREATE).await?;
        Ok(Self { store: DynStore::new(store), tokens: TokenTable::Postgres(pool) })
    }

    fn open_file(file: &str) -> Result<Self, Failure> {
        let store = SqliteStore::open(file)?;
        let own = Connection::open(file)?;
        own.busy_timeout(std::time::Duration::from_secs(5))?;
        own.execute_batch(CREATE)?;
        Ok(Self { store: DynStore::new(store), tokens: TokenTable::Sqlite(Arc::new(Mutex::new(own))) })
    }

    /// All tokens of all workspaces.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, Failure> {
        match &self.tokens {
            TokenTable::Sqlite(connection) => {
                blocking(connection, |connection| {
                    let mut statement = connection.prepare(LIST)?;
                    let rows = statement.query_map([], |row| {
                        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?))
                    })?;
                    rows.map(|row| Ok(token_row(row?))).collect()
                })
                .await
            }
            TokenTable::Postgres(pool) => {
                let rows = pool.get().await?.query(LIST, &[]).await?;
                Ok(rows
                    .iter()
                    .map(|row| token_row((row.get(0), row.get(1), row.get(2), row.get(3))))
                    .collect())
            }
        }
    }

    /// Keeps a token; it takes the place of the one of the same workspace and name.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn put_token(&self, row: TokenRow) -> Result<(), Failure> {
        let hash = crate::tokens::hex(&row.hash);
        match &self.tokens {
            TokenTable::Sqlite(connection) => {
                blocking(connection, move |connection| {
                    connection.execute(PUT, params![row.workspace, row.name, row.id, hash])?;
                    Ok(())
                })
                .await
            }
            TokenTable::Postgres(pool) => {
                pool.get().await?.execute(PUT, &[&row.workspace, &row.name, &row.id, &hash]).await?;
                Ok(())
            }
        }
    }

    /// Removes a token. Answers whether it was there.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn remove_token(&self, workspace: String, name: String) -> Result<bool, Failure> {
        match &self.tokens {
            TokenTable::Sqlite(connection) => {
                blocking(connection, move |connection| {
                    Ok(connection.execute(REMOVE, params![workspace, name])? > 0)
                })
                .await
            }
            TokenTable::Postgres(pool) => {
                Ok(pool.get().await?.execute(REMOVE, &[&workspace, &name]).await? > 0)
            }
        }
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

fn token_row((workspace, name, id, hash): (String, String, String, String)) -> TokenRow {
    TokenRow { workspace, name, id, hash: crate::tokens::unhex(&hash) }
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
