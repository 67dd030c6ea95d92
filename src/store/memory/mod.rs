//! Conversations in this process: the reference implementation of the ports.
//!
//! A conversation lies in one of several shards, each under its own lock, together with its due
//! time, its lease, its ended sessions, its journal and what its commits counted. Aliases and keys
//! may belong to any conversation and have tables of their own. Locks are taken in this order: one
//! conversation shard (or several in ascending order, to claim), one part of the keys, parts of the
//! aliases in ascending order. No lock is held while anything is awaited: each method does its work
//! when it is first polled.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "places are numbers that the store gave out itself"
)]

mod absorb;
mod alias;
mod archive;
mod calendar;
mod claim;
mod counters;
mod decide;
mod due;
mod erase;
mod keep;
mod key;
mod queries;
mod settle;
mod shard;
mod slab;
mod slot;
mod slots;
mod workspace;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alias::Aliases;
use chrono::{DateTime, Utc};
use key::Keys;
use shard::Shards;
use workspace::Workspaces;

use crate::error::StoreError;
use crate::store::{
    Commit, Committed, ConversationStore, Due, Erase, Leased, Live, Loaded, Lookup, MemoryFlows, Purge,
    Purged, Removed, Settle, Settled, SharedFlows, Txn,
};

/// Conversations in this process, gone when it ends: for tests, and for hosts that can afford to
/// forget.
///
/// It is shared as `Arc<MemoryStore>`. It judges leases by the `now` of each call, decides under
/// the lock of the conversation's shard, and changes a record in place where the lookup allows it.
///
/// ```
/// use chatflow::MemoryStore;
/// use chatflow::store::{ConversationStore, Due, Token};
///
/// let store = MemoryStore::new();
/// let due = Due {
///     now: chrono::DateTime::UNIX_EPOCH,
///     token: Token(uuid::Uuid::nil()),
///     lease: std::time::Duration::from_secs(30),
///     limit: 10,
///     suspects: false,
/// };
/// let leased = pollster::block_on(store.lease_due(&due))?;
/// assert!(leased.conversations.is_empty() && leased.next_due.is_none());
/// # Ok::<(), chatflow::StoreError>(())
/// ```
pub struct MemoryStore {
    workspaces: Workspaces,
    shards: Shards,
    keys: Keys,
    aliases: Aliases,
    flows: Arc<MemoryFlows>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        let shards = Shards::new();
        let parts = shards.len();
        Self {
            workspaces: Workspaces::default(),
            shards,
            keys: Keys::new(parts),
            aliases: Aliases::new(parts),
            flows: Arc::default(),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    /// Says nothing of what is inside: conversations are the contacts'.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl ConversationStore for MemoryStore {
    fn flow_store(&self) -> Option<SharedFlows> {
        Some(SharedFlows::new(Arc::clone(&self.flows)))
    }

    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        Ok(self.load_now(lookup))
    }

    async fn commit(&self, mut commit: Commit) -> Result<Committed, StoreError> {
        self.commit_now(&mut commit)
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        Ok(self.settle_now(settle))
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        Ok(self.lease_due_now(due))
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        Ok(self.live_now(live))
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        Ok(self.purge_now(purge))
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        Ok(self.erase_now(erase))
    }

    async fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        self.update_now(lookup, decide)
    }

    fn update_at_once(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Option<Result<Option<Committed>, StoreError>> {
        Some(self.update_now(lookup, decide))
    }

    fn settle_at_once(&self, settle: &Settle) -> Option<Result<Settled, StoreError>> {
        Some(Ok(self.settle_now(settle)))
    }

    fn queues_callers(&self) -> bool {
        false
    }

    fn keeps_counts(&self) -> bool {
        true
    }

    /// Its loads tell no revision of flows, and so none is compared.
    fn compares_seen(&self) -> bool {
        true
    }

    /// One machine has one clock.
    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(None)
    }
}

/// Takes a lock whatever happened to a thread that had it. The only code that can panic under one
/// is a decision, and until it has answered nothing is changed but that a record may have been
/// taken out, which [`slot::Slot::is_set_aside`] tells.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
