//! The table of what contacts write to a person.

use crate::database::{Cell, Database, Failure, OwnTables, blocking};

/// A message that a contact wrote while a person had the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardRow {
    /// The workspace.
    pub workspace: String,
    /// The contact, by its id when it wrote.
    pub contact: String,
    /// The id of the message, which is kept once.
    pub id: String,
    /// When it came, in milliseconds after 1970.
    pub at: i64,
    /// The message, as JSON.
    pub message: String,
}

const HEAR: &str =
    "INSERT INTO service_heard (workspace, contact, id, at, message) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (workspace, contact, id) DO NOTHING";
const HEARD: &str = "SELECT id, at, message FROM service_heard
    WHERE workspace = $1 AND contact = $2 AND at >= $3 ORDER BY at DESC, id DESC LIMIT 100";
const PEOPLE: &str = "SELECT DISTINCT workspace, contact FROM service_heard";
const COPY: &str = "INSERT INTO service_heard (workspace, contact, id, at, message)
    SELECT workspace, CAST($1 AS TEXT), id, at, message FROM service_heard
    WHERE workspace = $2 AND contact = $3
    ON CONFLICT (workspace, contact, id) DO NOTHING";
const FORGET: &str = "DELETE FROM service_heard WHERE workspace = $1 AND contact = $2";
/// Of what is under the second id too.
const FORGET_COPIED: &str = "DELETE FROM service_heard WHERE workspace = $1 AND contact = $2
    AND id IN (SELECT id FROM service_heard WHERE workspace = $1 AND contact = $3)";
const FORGET_OLD: &str = "DELETE FROM service_heard WHERE at < $1";

impl Database {
    /// Keeps a message that a contact wrote to a person, once.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn hear(&self, row: HeardRow) -> Result<(), Failure> {
        let HeardRow { workspace, contact, id, at, message } = row;
        let mut cells = Cell::texts([workspace, contact, id]);
        cells.extend([Cell::Number(at), Cell::Text(message)]);
        self.own.execute(HEAR, cells).await.map(drop)
    }

    /// The last 100 messages to a person that were kept under an id of a contact at an instant or
    /// later, the newest first.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn heard(&self, workspace: &str, contact: &str, from: i64) -> Result<Vec<HeardRow>, Failure> {
        let found: Vec<(String, i64, String)> = match &self.own {
            OwnTables::Sqlite(connection) => {
                let of = (workspace.to_owned(), contact.to_owned(), from);
                blocking(connection, move |connection| {
                    let mut statement = connection.prepare(HEARD)?;
                    let rows = statement.query_map(of, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
                    rows.map(|row| Ok(row?)).collect()
                })
                .await?
            }
            OwnTables::Postgres(pool) => {
                let rows = pool.get().await?.query(HEARD, &[&workspace, &contact, &from]).await?;
                rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
            }
        };
        let row = |(id, at, message)| HeardRow {
            workspace: workspace.to_owned(),
            contact: contact.to_owned(),
            id,
            at,
            message,
        };
        Ok(found.into_iter().map(row).collect())
    }

    /// All workspaces and contacts that such messages are kept of.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn people_heard(&self) -> Result<Vec<(String, String)>, Failure> {
        match &self.own {
            OwnTables::Sqlite(connection) => {
                blocking(connection, |connection| {
                    let mut statement = connection.prepare(PEOPLE)?;
                    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                    rows.map(|row| Ok(row?)).collect()
                })
                .await
            }
            OwnTables::Postgres(pool) => {
                let rows = pool.get().await?.query(PEOPLE, &[]).await?;
                Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
            }
        }
    }

    /// Moves what was kept under one id of a contact to another. A failure in between leaves it
    /// under both, and a repetition ends what was begun.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn move_heard(&self, workspace: &str, from: &str, into: &str) -> Result<(), Failure> {
        // SQLite numbers parameters in the order in which a statement names them.
        let names = [into, workspace, from].map(str::to_owned);
        self.own.execute(COPY, Cell::texts(names)).await?;
        // What came under the old id in between is left for the next time.
        let names = [workspace, from, into].map(str::to_owned);
        self.own.execute(FORGET_COPIED, Cell::texts(names)).await.map(drop)
    }

    /// Forgets what was kept under an id of a contact.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn forget_heard(&self, workspace: &str, contact: &str) -> Result<(), Failure> {
        let names = [workspace, contact].map(str::to_owned);
        self.own.execute(FORGET, Cell::texts(names)).await.map(drop)
    }

    /// Forgets what came before an instant, of all contacts.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn forget_heard_before(&self, at: i64) -> Result<(), Failure> {
        self.own.execute(FORGET_OLD, vec![Cell::Number(at)]).await.map(drop)
    }
}
