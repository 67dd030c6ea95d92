//! Options that a host may choose when it opens a file.

use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

use chatflow::error::StoreError;

use crate::SqliteStore;
use crate::log::{FileEvent, Listener};

/// When a commit is on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// Before it is answered: an acknowledged turn survives the loss of power.
    #[default]
    Full,
    /// Some time later: an acknowledged turn survives the death of the process; the loss of power
    /// may take back the last ones, after their messages were sent. What is left is consistent.
    Normal,
}

/// Options for opening a file. [`SqliteStore::open`] takes the defaults.
///
/// ```
/// use chatflow_sqlite::{SqliteOptions, Synchronous};
///
/// # let folder = std::env::temp_dir().join(format!("chatflow-options-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let file = folder.join("talk.db");
/// let store = SqliteOptions::new().synchronous(Synchronous::Normal).readers(4).open(&file)?;
/// # drop(store);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteOptions {
    pub(super) synchronous: Synchronous,
    pub(super) readers: usize,
    pub(super) queue: usize,
    pub(super) patience: Duration,
    pub(super) busy_timeout: Duration,
    pub(super) cache_mib: u32,
    pub(super) max_bytes: Option<u64>,
    pub(super) log_bytes: u64,
    pub(super) listener: Listener,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            readers: available_parallelism().map_or(1, usize::from).clamp(1, 4),
            queue: 16_384,
            patience: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(5),
            cache_mib: 16,
            max_bytes: None,
            log_bytes: 64 << 20,
            listener: Listener::default(),
        }
    }
}

impl SqliteOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// When a commit is on the disk; by default before it is answered.
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Sets the number of threads that look conversations up, each with a connection of its own; at
    /// least 1. By default one for each processor, at most 4. Lists for operators have a thread of
    /// their own.
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// Sets the number of calls that may wait to be written, and of calls that may wait to be read;
    /// at least 1, by default 16,384. Calls beyond them wait for room, in order of arrival, for at
    /// most [`patience`](Self::patience). No thread of the host is blocked meanwhile, and a call
    /// whose future is dropped while it waits for room is not done.
    pub fn queue(mut self, calls: usize) -> Self {
        self.queue = calls.max(1);
        self
    }

    /// Sets the maximum time that a call waits for room in a full queue; 30 s by default. After
    /// that it is answered with a transient error.
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// Sets the maximum time that a write waits for another process that writes to the same file; 5
    /// s by default. After that, everything that waits for it is answered with a transient error.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Sets the part of the file, in MiB, that each connection may keep in memory; 16 by default.
    pub fn cache_mib(mut self, mib: u32) -> Self {
        self.cache_mib = mib;
        self
    }

    /// Sets the maximum size of the file, in bytes; by default as large as the disk lets it. Beyond
    /// it writes are answered with a transient error, as on a full disk, until something is purged
    /// or erased. The log beside the file is not counted.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Sets the maximum length of the log beside the file, in bytes; 64 MiB by default, and at
    /// least 1 MiB. It is moved into the file from a quarter of it on (at most 16 MiB). A reader
    /// that takes long, such as an operator's open transaction, keeps it from getting shorter:
    /// beyond this length the writer waits for readers, for 100 ms at first and for up to
    /// [`busy_timeout`](Self::busy_timeout) later, and tells
    /// [`FileEvent::LogGrows`](crate::FileEvent::LogGrows).
    pub fn log_bytes(mut self, bytes: u64) -> Self {
        self.log_bytes = bytes.max(1 << 20);
        self
    }

    /// Hears of what an operator should know of the file. It is called by the thread that writes,
    /// so it must be quick and must not wait for the store.
    pub fn on_event(mut self, listen: impl Fn(FileEvent) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listen);
        self
    }

    /// Opens a file; one that is not there is made. See [`SqliteStore::open`].
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open(self, file: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        SqliteStore::with(file.as_ref(), self)
    }
}
