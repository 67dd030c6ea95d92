//! The log beside the file, which grows while somebody reads: it is moved into the file in time, by
//! force where it has to be, and a host hears of it where that is in vain.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::options::SqliteOptions;

/// The most pages in the log until a commit moves them into the file, as far as nobody reads them:
/// 16 MiB. Each time costs three syncs and holds the writer up, so that it is to be seldom; a
/// longer log makes reads slower.
const PAGES: u64 = 4_000;

/// The fewest: 1 MiB. In between it is twice the length of the file, so that on a small disk a log
/// does not take the room that its pages need in the file.
const FEWEST: u64 = 256;

/// Time that the writer waits for readers, the first time that the log is too long.
const FIRST_PATIENCE: Duration = Duration::from_millis(100);

/// Something about the file that an operator should hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileEvent {
    /// The log beside the file is longer than [`SqliteOptions::log_bytes`] and cannot be emptied:
    /// somebody has been reading for long. It is told again whenever the log has grown by a quarter
    /// of that.
    LogGrows {
        /// The length of the log, in bytes.
        log_bytes: u64,
        /// The length of the file, in bytes.
        file_bytes: u64,
    },
    /// A log that was too long is short again.
    LogShrank,
}

/// The listener for [`FileEvent`]s.
#[derive(Clone, Default)]
pub(super) struct Listener(Option<Arc<dyn Fn(FileEvent) + Send + Sync>>);

impl Listener {
    pub(super) fn new(listen: impl Fn(FileEvent) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listen)))
    }

    fn tell(&self, event: FileEvent) {
        if let Some(listen) = &self.0 {
            listen(event);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "listens" } else { "nobody listens" })
    }
}

/// Sets the length that a log is cut to, and when it is moved into the file for the first time.
pub(super) fn limit(connection: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    move_at(connection, options.log_bytes, 0)?;
    let bytes = i64::try_from(options.log_bytes).unwrap_or(i64::MAX);
    // It answers what it is set to.
    connection.pragma_update_and_check(None, "journal_size_limit", bytes, |_| Ok(()))
}

/// Sets how long the log is when a commit moves it into the file.
fn move_at(connection: &Connection, log_bytes: u64, file_bytes: u64) -> rusqlite::Result<()> {
    let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let page = u64::from(page.max(1));
    let pages = (file_bytes * 2 / page).clamp(FEWEST, PAGES).min(log_bytes / 4 / page);
    // It answers what it is set to.
    connection.pragma_update_and_check(
        None,
        "wal_autocheckpoint",
        i64::try_from(pages).unwrap_or(i64::MAX),
        |_| Ok(()),
    )
}

/// Moves all of the log into the file and cuts it to nothing. False: somebody reads what is in it.
pub(super) fn empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0).map(|busy| busy == 0))
}

/// The log as the writer sees it.
pub(super) struct Log {
    file: Arc<Path>,
    log: PathBuf,
    limit: u64,
    most_patience: Duration,
    listener: Listener,
    /// The length at which it is emptied by force.
    next: u64,
    patience: Duration,
    is_told: bool,
    /// Its length when last measured.
    length: u64,
}

impl Log {
    pub(super) fn of(file: &Arc<Path>, options: &SqliteOptions) -> Self {
        let mut log = OsString::from(file.as_os_str());
        log.push("-wal");
        Self {
            file: Arc::clone(file),
            log: log.into(),
            limit: options.log_bytes,
            most_patience: options.busy_timeout,
            listener: options.listener.clone(),
            next: options.log_bytes,
            patience: FIRST_PATIENCE.min(options.busy_timeout),
            is_told: false,
            length: 0,
        }
    }

    /// Empties a log that is too long, after a commit. Readers that come and go one over the other
    /// never leave SQLite a moment to do it by itself, so that the writer waits for those that are
    /// there, the longer the more often it was in vain.
    pub(super) fn bound(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let length = length(&self.log);
        // A log that was moved keeps its length, so that this is seldom.
        if length != self.length {
            self.length = length;
            move_at(connection, self.limit, self::length(&self.file))?;
        }
        if length <= self.next {
            if length <= self.limit {
                self.is_short();
            }
            return Ok(());
        }
        connection.busy_timeout(self.patience)?;
        // A disk that is full is the next commit's matter.
        let is_empty = empty(connection).unwrap_or(false);
        connection.busy_timeout(self.most_patience)?;
        if is_empty {
            self.is_short();
        } else {
            self.next = length.saturating_add(self.limit / 4);
            self.patience = self.patience.saturating_mul(2).min(self.most_patience);
            self.is_told = true;
            let file_bytes = self::length(&self.file);
            self.listener.tell(FileEvent::LogGrows { log_bytes: length, file_bytes });
        }
        Ok(())
    }

    fn is_short(&mut self) {
        if std::mem::take(&mut self.is_told) {
            self.next = self.limit;
            self.patience = FIRST_PATIENCE.min(self.most_patience);
            self.listener.tell(FileEvent::LogShrank);
        }
    }
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |of| of.len())
}
