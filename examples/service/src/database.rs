//! The database of a process: one file of SQLite, or PostgreSQL. Conversations and flows are the
//! adapters'; the service's own tables, those of the tokens and of what people write to a person,
//! lie beside theirs.

use std::sync::{Arc, Mutex, PoisonError};

use chatflow::store::{DynStore, SessionQuery, StoreQueries};
use chatflow::{StoreError, WorkspaceId};
use chatflow_postgres::PostgresStore;
use chatflow_postgres::deadpool_postgres::{Manager, Pool};
use chatflow_postgres::tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use chatflow_postgres::tokio_postgres::types::ToSql;
use chatflow_postgres::tokio_postgres::{Config, NoTls, Socket};
use chatflow_sqlite::SqliteStore;
use chatflow_sqlite::rusqlite::{Connection, params};

use crate::tls::{self, PostgresUrl};

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
    own: OwnTables,
}

#[derive(Clone)]
enum OwnTables {
    Sqlite(Arc<Mutex<Connection>>),
    Postgres(Pool),
}

/// A message that a contact wrote while a person had the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardRow {
    /// The workspace.
    pub workspace: String,
    /// The contact.
    pub contact: String,
    /// The id of the message, which is kept once.
    pub id: String,
    /// When it came, in milliseconds after 1970.
    pub at: i64,
    /// The message, as JSON.
    pub message: String,
}

/// Milliseconds for which such a message is kept.
const KEPT_MILLIS: i64 = 30 * 24 * 60 * 60 * 1_000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS service_tokens (
    workspace TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL,
    PRIMARY KEY (workspace, name));
CREATE TABLE IF NOT EXISTS service_heard (
    workspace TEXT NOT NULL, contact TEXT NOT NULL, id TEXT NOT NULL, at BIGINT NOT NULL, message TEXT NOT NULL,
    PRIMARY KEY (workspace, contact, id))";
const PUT: &str = "INSERT INTO service_tokens (workspace, name, id, hash) VALUES ($1, $2, $3, $4)
    ON CONFLICT (workspace, name) DO UPDATE SET id = excluded.id, hash = excluded.hash";
const LIST: &str = "SELECT workspace, name, id, hash FROM service_tokens ORDER BY workspace, name";
const REMOVE: &str = "DELETE FROM service_tokens WHERE workspace = $1 AND name = $2";

const HEAR: &str =
    "INSERT INTO service_heard (workspace, contact, id, at, message) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (workspace, contact, id) DO NOTHING";
const FORGET_OLD: &str = "DELETE FROM service_heard WHERE workspace = $1 AND contact = $2 AND at < $3";
const HEARD: &str = "SELECT id, at, message FROM service_heard WHERE workspace = $1 AND contact = $2
    ORDER BY at DESC, id DESC LIMIT 100";
const FORGET: &str = "DELETE FROM service_heard WHERE workspace = $1 AND contact = $2";

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

    /// All tokens of all workspaces.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, Failure> {
        match &self.own {
            OwnTables::Sqlite(connection) => {
                blocking(connection, |connection| {
                    let mut statement = connection.prepare(LIST)?;
                    let rows = statement.query_map([], |row| {
                        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?))
                    })?;
                    rows.map(|row| Ok(token_row(row?))).collect()
                })
                .await
            }
            OwnTables::Postgres(pool) => {
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
        match &self.own {
            OwnTables::Sqlite(connection) => {
                blocking(connection, move |connection| {
                    connection.execute(PUT, params![row.workspace, row.name, row.id, hash])?;
                    Ok(())
                })
                .await
            }
            OwnTables::Postgres(pool) => {
                pool.get().await?.execute(PUT, &[&row.workspace, &row.name, &row.id, &hash]).await?;
                Ok(())
            }
        }
    }

    /// Removes a token. Returns whether it was there.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn remove_token(&self, workspace: String, name: String) -> Result<bool, Failure> {
        match &self.own {
            OwnTables::Sqlite(connection) => {
                blocking(connection, move |connection| {
                    Ok(connection.execute(REMOVE, params![workspace, name])? > 0)
                })
                .await
            }
            OwnTables::Postgres(pool) => {
                Ok(pool.get().await?.execute(REMOVE, &[&workspace, &name]).await? > 0)
            }
        }
    }

    /// Keeps a message that a contact wrote to a person, once, and forgets those of before the last
    /// 30 days.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn hear(&self, row: HeardRow) -> Result<(), Failure> {
        let oldest = row.at.saturating_sub(KEPT_MILLIS);
        match &self.own {
            OwnTables::Sqlite(connection) => {
                blocking(connection, move |connection| {
                    connection.execute(FORGET_OLD, params![row.workspace, row.contact, oldest])?;
                    let values = params![row.workspace, row.contact, row.id, row.at, row.message];
                    connection.execute(HEAR, values)?;
                    Ok(())
                })
                .await
            }
            OwnTables::Postgres(pool) => {
                let client = pool.get().await?;
                client.execute(FORGET_OLD, &[&row.workspace, &row.contact, &oldest]).await?;
                let values: [&(dyn ToSql + Sync); 5] =
                    [&row.workspace, &row.contact, &row.id, &row.at, &row.message];
                client.execute(HEAR, &values).await?;
                Ok(())
            }
        }
    }

    /// The last 100 messages of a contact to a person, oldest first.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn heard(&self, workspace: String, contact: String) -> Result<Vec<HeardRow>, Failure> {
        let found: Vec<(String, i64, String)> = match &self.own {
            OwnTables::Sqlite(connection) => {
                let of = (workspace.clone(), contact.clone());
                blocking(connection, move |connection| {
                    let mut statement = connection.prepare(HEARD)?;
                    let rows = statement
                        .query_map(params![of.0, of.1], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
                    rows.map(|row| Ok(row?)).collect()
                })
                .await?
            }
            OwnTables::Postgres(pool) => {
                let rows = pool.get().await?.query(HEARD, &[&workspace, &contact]).await?;
                rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
            }
        };
        let of = |(id, at, message)| HeardRow {
            workspace: workspace.clone(),
            contact: contact.clone(),
            id,
            at,
            message,
        };
        Ok(found.into_iter().rev().map(of).collect())
    }

    /// Forgets what a contact wrote to a person.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn forget_heard(&self, workspace: String, contact: String) -> Result<(), Failure> {
        match &self.own {
            OwnTables::Sqlite(connection) => {
                blocking(connection, move |connection| {
                    connection.execute(FORGET, params![workspace, contact])?;
                    Ok(())
                })
                .await
            }
            OwnTables::Postgres(pool) => {
                pool.get().await?.execute(FORGET, &[&workspace, &contact]).await?;
                Ok(())
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
