//! A store around another, such as a host writes: it keeps no flows and no counters, and a test
//! hears what it is about to write.

use chatflow::store::{
    Commit, Committed, ConversationQuery, ConversationStore, Due, Erase, JournalEntry, JournalQuery, Leased,
    Live, Loaded, Lookup, Purge, Purged, Record, Removed, SessionQuery, SessionRecord, Settle, Settled,
    StoreQueries,
};
use chatflow::{ContactId, MemoryStore, SessionId, StoreError, WorkspaceId};

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

impl<F: Fn(Write<'_>) + Send + Sync> StoreQueries for Tapped<F> {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRecord>, StoreError> {
        self.store.sessions(query).await
    }
    async fn session(
        &self,
        workspace: &WorkspaceId,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        self.store.session(workspace, id).await
    }
    async fn journal(&self, workspace: &WorkspaceId, id: SessionId) -> Result<Vec<JournalEntry>, StoreError> {
        self.store.journal(workspace, id).await
    }
    async fn journal_of(&self, query: &JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        self.store.journal_of(query).await
    }
    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<(ContactId, Record)>, StoreError> {
        self.store.conversations(query).await
    }
}
