//! A store around another, such as a host writes: it keeps no flows and no counters, and a test
//! hears what it is about to write.

use chatflow::store::{Commit, Committed, ConversationStore, Erase, Removed, StoreQueries};
use chatflow::{MemoryStore, StoreError};

use crate::handing_on::hand_on;

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
    hand_on! { store: load, settle, lease_due, live, purge }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        (self.tell)(Write::Commit(&commit));
        self.store.commit(commit).await
    }
    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        (self.tell)(Write::Erase);
        self.store.erase(erase).await
    }
}

impl<F: Fn(Write<'_>) + Send + Sync> StoreQueries for Tapped<F> {
    hand_on! { store: queries }
}
