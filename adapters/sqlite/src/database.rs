//! One connection with its prepared statements, on the one thread that uses it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use foldhash::fast::RandomState;
use rusqlite::{Connection, OpenFlags, Params, Row, Statement};

use crate::errors::Refused;
use crate::log;
use crate::options::{SqliteOptions, Synchronous};
use crate::schema;

/// A write that changes nothing and is taken back: the only one that tells that a file can only be
/// read. SQLite opens it, and begins a transaction that is to write, without a word.
const TRY: &str = "BEGIN IMMEDIATE; UPDATE chatflow_schema SET version = version; ROLLBACK";

/// A sync on macOS gets to the disk itself, and not to its cache; elsewhere it does so in any case.
const REALLY: &str = "PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON";

/// Makes sure that removed data does not stay in the free parts of a page that is written anyway.
pub(super) const OVERWRITE: &str = "PRAGMA secure_delete = FAST";

/// Makes a connection that writes, and brings the tables up to date. Of a file of a newer release
/// nothing is changed.
pub(super) fn open_writer(file: &Path, options: &SqliteOptions, create: bool) -> Result<Connection, Refused> {
    if fs::metadata(file).is_ok_and(|of| of.permissions().readonly()) {
        return Err(Refused::ReadOnly);
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let mut connection = connect(file, flags, options)?;
    schema::check(&connection, schema::STEPS)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(Refused::NotWal(mode));
    }
    log::limit(&connection, options)?;
    connection.execute_batch(REALLY)?;
    connection.execute_batch(durable(options.synchronous))?;
    connection.execute_batch(OVERWRITE)?;
    schema::migrate(&mut connection, schema::STEPS)?;
    connection.execute_batch(TRY)?;
    if let Some(bytes) = options.max_bytes {
        let page: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        connection.pragma_update(None, "max_page_count", pages.max(1))?;
    }
    Ok(connection)
}

/// Makes a connection that only reads, of a file that a writer has opened.
pub(super) fn open_reader(file: &Path, options: &SqliteOptions) -> Result<Connection, Refused> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(file, flags, options)?;
    connection.execute_batch("PRAGMA query_only = ON")?;
    Ok(connection)
}

fn connect(file: &Path, flags: OpenFlags, options: &SqliteOptions) -> Result<Connection, Refused> {
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(options.busy_timeout)?;
    connection.execute_batch("PRAGMA trusted_schema = OFF")?;
    // Negative: KiB instead of pages.
    connection.pragma_update(None, "cache_size", -i64::from(options.cache_mib) * 1024)?;
    Ok(connection)
}

/// Returns the statement that makes a commit wait for the disk, or not.
pub(super) fn durable(synchronous: Synchronous) -> &'static str {
    match synchronous {
        Synchronous::Full => "PRAGMA synchronous = FULL",
        Synchronous::Normal => "PRAGMA synchronous = NORMAL",
    }
}

/// A connection with the statements that were prepared on it.
pub(super) struct Database<'c> {
    pub(super) connection: &'c Connection,
    /// By the address of their text: each is a constant.
    statements: RefCell<HashMap<(usize, usize), Statement<'c>, RandomState>>,
}

impl<'c> Database<'c> {
    pub(super) fn over(connection: &'c Connection) -> Self {
        Self { connection, statements: RefCell::default() }
    }

    /// Runs a statement, and says how many rows it wrote.
    pub(super) fn execute(&self, sql: &'static str, params: impl Params) -> rusqlite::Result<usize> {
        self.with(sql, |statement| statement.execute(params))
    }

    /// The first row of an answer.
    pub(super) fn first<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.with(sql, |statement| statement.query(params)?.next()?.map(read).transpose())
    }

    /// Each row of an answer.
    pub(super) fn all<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.with(sql, |statement| statement.query_map(params, read)?.collect())
    }

    /// Each row of an answer until there are `limit` that can be used.
    pub(super) fn some<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        limit: usize,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<Option<T>>,
    ) -> rusqlite::Result<Vec<T>> {
        self.with(sql, |statement| {
            let mut found = Vec::new();
            let mut rows = statement.query(params)?;
            while found.len() < limit
                && let Some(row) = rows.next()?
            {
                found.extend(read(row)?);
            }
            Ok(found)
        })
    }

    fn with<T>(
        &self,
        sql: &'static str,
        run: impl FnOnce(&mut Statement<'c>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let name = (sql.as_ptr() as usize, sql.len());
        let known = self.statements.borrow_mut().remove(&name);
        let mut statement = match known {
            Some(statement) => statement,
            None => self.connection.prepare(sql)?,
        };
        let done = run(&mut statement);
        self.statements.borrow_mut().insert(name, statement);
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// macOS leaves what is synced in the disk's cache unless it is asked for more. The settings
    /// are there on every system.
    #[test]
    fn a_sync_gets_to_the_disk_itself() {
        let folder = std::env::temp_dir().join(format!("chatflow-fullfsync-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let writer = open_writer(&folder.join("talk.db"), &SqliteOptions::new(), true).unwrap();
        for pragma in ["fullfsync", "checkpoint_fullfsync"] {
            let is_on: bool = writer.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
            assert!(is_on, "{pragma}");
        }
        drop(writer);
        fs::remove_dir_all(&folder).unwrap();
    }
}
