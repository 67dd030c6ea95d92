//! Conversations and flows of [`chatflow`] in one file of SQLite, which is compiled in: see
//! [`SqliteStore`]. The guide to all stores is `docs/storage.md` in chatflow's repository.
//!
//! # Inside
//!
//! The store has threads of its own: one writes, a few look conversations up, one
//! lists and copies. A call is put into the queue of its thread and waits for the answer as any
//! executor lets it.
//!
//! The thread that writes looks up too while it has nothing to write: its cache is warm, each
//! commit spoils the readers'. Before it begins a transaction for several callers it lets those run
//! who are about to ask. To spin before a thread sleeps cost a fifth more CPU and gained no time
//! (one caller, two processors).
//!
//! **A settle causes no sync.** Lost with the power, it leaves the conversation under a lease that
//! nobody lives to hold, and due: its messages are handed over again under the same ids. The next
//! commit's sync covers it. Claims and purges are alike.
//!
//! **`rusqlite` is taken in a range of versions.** One build can hold one SQLite, and sqlx 0.8 and
//! 0.9, diesel 2 and others each ask for another.
//!
//! **A deadline is indexed under another time.** Each answer moves it on. `filed_at`, where the
//! index has it, is never late and perhaps early, so that moving a deadline changes no indexed
//! column.
//!
//! **A host's write comes to the store**, as a hook inside the commit's transaction, since a
//! connection of SQLite belongs to one thread.
//!
//! **One thread writes**, and calls that wait while the disk syncs share the next transaction.
//! While there is nothing to write the writer looks up too (1.2 reads of the file a conversation
//! instead of 19.6).

#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod absorb;
mod call;
mod care;
mod columns;
mod commit;
mod database;
mod due;
mod erase;
mod errors;
mod flows;
mod joined;
mod load;
mod log;
mod options;
#[cfg(test)]
mod plans;
mod queries;
mod queue;
mod schema;
mod settle;
mod threads;
mod upkeep;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use chatflow::error::StoreError;
use chatflow::id::{ContactId, FlowId, FlowVersion, SessionId, WorkspaceId};
use chatflow::store::{
    Catalogue, CatalogueChanges, Commit, Committed, ConversationQuery, ConversationStore, CountQuery,
    CountSums, Due, Erase, FlowChange, FlowSaved, FlowStore, JournalEntry, JournalQuery, Leased,
    ListedSession, Live, Loaded, Lookup, Purge, Purged, Record, Removed, SessionQuery, SessionRecord, Settle,
    Settled, SharedFlows, StoreQueries,
};
use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::commit::{HostError, Write};
use crate::database::{open_reader, open_writer};
use crate::errors::Refused;
use crate::queue::Queue;
use crate::threads::Place;

pub use joined::JoinedStore;
pub use log::FileEvent;
pub use options::{SqliteOptions, Synchronous};

/// The driver, in the version that [`SqliteStore::joined`] takes its types in.
pub use rusqlite;

/// Conversations and flows in one file of SQLite. Cheap to clone, and every clone is the same
/// store.
///
/// - **What is acknowledged is on the disk**: a commit is answered after its sync, unless
///   [`Synchronous::Normal`] is chosen. Calls that wait while the disk syncs share the next
///   transaction, and so do those that are just about to come; nothing waits for others by the
///   clock. Settles, claims and purges cause no sync of their own: what the loss of power takes
///   back of them is done again, a delivery under the same message id.
/// - **No executor is needed or blocked**: the file is worked by threads of the store's own. Only
///   opening, and dropping the last clone, block.
/// - **Dropping the last clone** ends the threads once all that was accepted is written, and closes
///   the file.
/// - **The file stays where it is** while it is open. Once it was removed, moved or replaced,
///   writes are refused with a permanent error, since they would be lost with the old file.
/// - **One process** has the file open, or several on one machine: writes wait for each other
///   ([`busy_timeout`](SqliteOptions::busy_timeout)), leases are judged by the `now` of each call,
///   and so the processes' clocks must agree. A file on a network file system is not supported. For
///   more than one machine there is PostgreSQL.
/// - **Flows** are kept in the same file, unless
///   [`Builder::flow_store`](chatflow::Builder::flow_store) names another place.
/// - **The host's own tables** may lie in the same file, under names that do not begin with
///   `chatflow_`; [`joined`](Self::joined) writes them together with a call's commit.
///
/// ```
/// use chatflow::Engine;
/// use chatflow_sqlite::SqliteStore;
///
/// # let folder = std::env::temp_dir().join(format!("chatflow-store-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let file = folder.join("talk.db");
/// let store = SqliteStore::open(&file)?;
/// let bot = Engine::builder(store).build();
/// # drop(bot);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    place: Place,
    writes: Arc<Queue>,
    lookups: Arc<Queue>,
    lists: Arc<Queue>,
    /// True if flows are kept here too: since one was asked for.
    has_flows: Arc<AtomicBool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens a file with the default options; one that is not there is made. Its tables are brought
    /// up to date, all or nothing. Blocks while it does that.
    ///
    /// # Errors
    /// A permanent [`StoreError`] when the file cannot be opened or written, is no database, is
    /// damaged, or has tables of a newer release (it is left as it is); a transient one when
    /// another process holds it.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, StoreError> {
        SqliteOptions::new().open(file)
    }

    fn with(file: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let mut place = Place::new(file, options);
        let refused = |refused: Refused, place: &Place| refused.into_store_error("open", &place.file);
        let writer =
            open_writer(&place.file, &place.options, true).map_err(|error| refused(error, &place))?;
        place.is_open();
        let readers = place.options.readers;
        let open = |_| open_reader(&place.file, &place.options).map_err(|error| refused(error, &place));
        let lookups: Vec<Connection> = (0..readers).map(open).collect::<Result<_, _>>()?;
        let list = open(0)?;
        let queue = || Arc::new(Queue::new(place.options.queue, place.options.patience));
        let inner = Inner {
            writes: Arc::new(Queue::eager(place.options.queue, place.options.patience)),
            lookups: queue(),
            lists: queue(),
            has_flows: Arc::default(),
            threads: Mutex::default(),
            place,
        };
        for connection in lookups {
            inner.start("chatflow-read", &inner.lookups, connection, move |queue, place, connection| {
                threads::read(queue, readers, place, connection);
            })?;
        }
        inner.start("chatflow-list", &inner.lists, list, |queue, place, connection| {
            threads::read(queue, 1, place, connection);
        })?;
        inner.start("chatflow-write", &inner.writes, writer, threads::write)?;
        Ok(Self(Arc::new(inner)))
    }

    /// Returns the same store, whose commits carry writes of the host: `hook` runs in the
    /// transaction of each commit that is about to apply, and both are written or neither. For one
    /// call of an engine: `bot.on(store.joined(hook)).trigger(…)`; its messages are delivered by
    /// the engine proper at its next tick.
    ///
    /// An error of the hook rolls both back and is answered as a permanent [`StoreError`] around
    /// it. The hook runs again when the engine decides again after a lost race; only what it wrote
    /// at the commit that applied is there. It runs on the thread that writes: it must be quick,
    /// must not wait for the store, and must not end the transaction.
    ///
    /// Its connection is of [`rusqlite`], whose version is this crate's.
    ///
    /// ```
    /// use chatflow::{Engine, TriggerRequest};
    /// use chatflow_sqlite::SqliteStore;
    ///
    /// # let folder = std::env::temp_dir().join(format!("chatflow-joined-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let store = SqliteStore::open(folder.join("talk.db"))?;
    /// # let bot = Engine::builder(store.clone()).build();
    /// let order = 4711;
    /// let joined = store.joined(move |transaction, _commit| {
    ///     transaction.execute("INSERT INTO my_orders (number) VALUES (?1)", [order])?;
    ///     Ok(())
    /// });
    /// let request = TriggerRequest::new("cart").phone("+14155550123");
    /// let call = async { bot.on(joined).trigger(request).await };
    /// # drop(call);
    /// # drop((bot, store));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn joined(
        &self,
        hook: impl Fn(&Connection, &Commit) -> Result<(), HostError> + Send + Sync + 'static,
    ) -> JoinedStore {
        JoinedStore { store: self.clone(), hook: Arc::new(hook) }
    }

    /// Returns the faults that SQLite finds in the file, one sentence each; none if it is sound. It
    /// reads the whole file, beside the calls.
    ///
    /// # Errors
    /// A [`StoreError`] when the file cannot be read.
    pub async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        self.0.lists.ask(care::Check).await
    }

    /// Copies the file while calls are served: step by step, 4 MiB at a time, by the thread that
    /// writes, between two writes. What is written meanwhile gets into the copy, too, so that it is
    /// the file as it is at the end; the copy is a file like it, complete in itself. The log does
    /// not grow for it. Where other processes write so often that a step never finds what the last
    /// one left, all is copied at once in the end, which holds writes up.
    ///
    /// To go back to a copy, end every process that has the file open, remove the file together
    /// with the `-wal` and `-shm` beside it, and put the copy in its place: a log of the old file
    /// would be read as one of the copy's.
    ///
    /// # Errors
    /// A permanent [`StoreError`] when there is a file of that name already (it is left as it is)
    /// or none can be made; a transient one when the disk is full. Then no copy is left.
    pub async fn backup(&self, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let to = to.as_ref().to_path_buf();
        self.0.writes.ask(care::Copy { to }).await
    }

    async fn write(&self, write: Write) -> Result<Committed, StoreError> {
        self.0.writes.ask(write).await
    }

    /// The queue of flows' lists; from now on lookups tell the catalogue's revision.
    fn flows(&self) -> &Arc<Queue> {
        self.0.has_flows.store(true, Ordering::Relaxed);
        &self.0.lookups
    }
}

impl Inner {
    fn start(
        &self,
        name: &str,
        queue: &Arc<Queue>,
        connection: Connection,
        run: impl Fn(&Queue, &Place, Connection) + Send + 'static,
    ) -> Result<(), StoreError> {
        let (queue, place) = (Arc::clone(queue), self.place.clone());
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&queue, &place, connection))
            .map_err(StoreError::transient)?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }
}

impl Drop for Inner {
    /// The thread that writes ends last: the last connection to be closed moves the log into the
    /// file.
    fn drop(&mut self) {
        for queue in [&self.lookups, &self.lists] {
            queue.close();
        }
        let threads = std::mem::take(self.threads.get_mut().unwrap_or_else(PoisonError::into_inner));
        let own = thread::current().id();
        let count = threads.len();
        for (place, thread) in threads.into_iter().enumerate() {
            if place + 1 == count {
                self.writes.close();
            }
            // What a thread wakes may hold the last clone: it cannot wait for itself.
            if thread.thread().id() != own {
                let _ = thread.join();
            }
        }
        self.writes.close();
    }
}

impl fmt::Debug for SqliteStore {
    /// Says nothing of what is inside: conversations are the contacts'.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("file", &self.0.place.file).finish_non_exhaustive()
    }
}

impl ConversationStore for SqliteStore {
    fn keeps_counts(&self) -> bool {
        true
    }

    fn compares_seen(&self) -> bool {
        true
    }

    fn flow_store(&self) -> Option<SharedFlows> {
        Some(SharedFlows::new(self.clone()))
    }

    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        let has_flows = Arc::clone(&self.0.has_flows);
        let load = load::Load { lookup: lookup.clone(), has_flows };
        self.0.writes.ask_idle_or(&self.0.lookups, load).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.write(Write::new(commit, None)?).await
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.0.writes.ask(settle.clone()).await
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.0.writes.ask(due.clone()).await
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        let queue = if live.wake_at.is_some() { &self.0.writes } else { &self.0.lists };
        queue.ask(live.clone()).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.0.writes.ask(purge.clone()).await
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        self.0.writes.ask(erase.clone()).await
    }

    /// One machine has one clock.
    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(None)
    }
}

impl StoreQueries for SqliteStore {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRecord>, StoreError> {
        self.0.lists.ask(query.clone()).await
    }

    async fn listed(&self, query: &SessionQuery) -> Result<Vec<ListedSession>, StoreError> {
        self.0.lists.ask(queries::Listed(query.clone())).await
    }

    async fn session(
        &self,
        workspace: &WorkspaceId,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        self.0.lists.ask(queries::OneSession { workspace: workspace.clone(), id }).await
    }

    async fn journal(&self, workspace: &WorkspaceId, id: SessionId) -> Result<Vec<JournalEntry>, StoreError> {
        self.0.lists.ask(queries::OneJournal { workspace: workspace.clone(), id }).await
    }

    async fn journal_of(&self, query: &JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        self.0.lists.ask(query.clone()).await
    }

    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<(ContactId, Record)>, StoreError> {
        self.0.lists.ask(query.clone()).await
    }

    async fn counts(&self, query: &CountQuery) -> Result<CountSums, StoreError> {
        self.0.lists.ask(query.clone()).await
    }
}

impl FlowStore for SqliteStore {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.flows().ask(flows::RevisionOf(workspace.clone())).await
    }

    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.flows().ask(flows::CatalogueOf(workspace.clone())).await
    }

    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let (workspace, flow) = (workspace.clone(), flow.clone());
        self.flows().ask(flows::Definition { workspace, flow, version }).await
    }

    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.save_all(workspace, vec![change]).await
    }

    async fn save_all(
        &self,
        workspace: &WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> Result<FlowSaved, StoreError> {
        self.flows();
        self.0.writes.ask(flows::Save::new(workspace.clone(), changes)?).await
    }

    async fn changes(&self, workspace: &WorkspaceId, since: u64) -> Result<CatalogueChanges, StoreError> {
        self.flows().ask(flows::ChangesOf(workspace.clone(), since)).await
    }

    async fn terminated(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        self.flows().ask(flows::Terminated).await
    }
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
