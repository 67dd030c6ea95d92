//! The table of tokens.

use crate::database::{Cell, Database, Failure, OwnTables, blocking};
use crate::tokens::{hex, unhex};

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

const PUT: &str = "INSERT INTO service_tokens (workspace, name, id, hash) VALUES ($1, $2, $3, $4)
    ON CONFLICT (workspace, name) DO UPDATE SET id = excluded.id, hash = excluded.hash";
const LIST: &str = "SELECT workspace, name, id, hash FROM service_tokens ORDER BY workspace, name";
const REMOVE: &str = "DELETE FROM service_tokens WHERE workspace = $1 AND name = $2";

impl Database {
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
        let cells = Cell::texts([row.workspace, row.name, row.id, hex(&row.hash)]);
        self.own.execute(PUT, cells).await.map(drop)
    }

    /// Removes a token. Returns whether it was there.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn remove_token(&self, workspace: String, name: String) -> Result<bool, Failure> {
        Ok(self.own.execute(REMOVE, Cell::texts([workspace, name])).await? > 0)
    }
}

fn token_row((workspace, name, id, hash): (String, String, String, String)) -> TokenRow {
    TokenRow { workspace, name, id, hash: unhex(&hash) }
}
