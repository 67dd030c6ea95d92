//! A store around another, such as a host writes: it keeps no flows, and a test hears what it is about to write.

use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Erase, Leased, Live, Loaded, Lookup, Purge, Purged, Removed,
    Settle, Settled,
};
use chatflow::{MemoryStore, StoreError};

/// A write that is about to be made.
pub(crate) enum Write<'a> {
    Commit(&'a Commit),
    Erase,
}

/// A store in memory that tells of its writes.
pub(crate) struct Tapped<F> {
    store: MemoryStore,
    tell: F,
}

impl<F: Fn(Write<'_>) + Send + Sync> Tapped<F> {
    pub(crate) fn new(tell: F) -> Self {
        Self { store: MemoryStore::new(), tell }
    }
}

impl<F: Fn(Write<'_>) + Send + Sync> ConversationStore for Tapped<F> {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.store.load(lookup).await
    }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        (self.tell)(Write::Commit(&commit));
        self.store.commit(commit).await
    }
    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.store.settle(settle).await
    }
    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.store.lease_due(due).await
    }
    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.store.live(live).await
    }
    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.store.purge(purge).await
    }
    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        (self.tell)(Write::Erase);
        self.store.erase(erase).await
    }
}
