//! A store in memory that watches the engine: a decision that writes nothing leaves what was loaded as it was, as the
//! contract of `ConversationStore::update` promises to stores that rely on it.

use chatflow::store::{
    Commit, Committed, ConversationQuery, ConversationStore, CountQuery, CountSums, Due, Erase, JournalEntry,
    JournalQuery, Leased, Live, Loaded, Lookup, Purge, Purged, Record, Removed, SessionQuery, SessionRecord,
    Settle, Settled, SharedFlows, StoreQueries, StoredConversation,
};
use chatflow::{ContactId, MemoryStore, SessionId, StoreError, WorkspaceId};
use chrono::{DateTime, Utc};

/// The watching store.
pub(crate) struct Watched(MemoryStore);

impl Watched {
    pub(crate) fn new() -> Self {
        Self(MemoryStore::new())
    }
}

/// What of a stored conversation must stay.
fn kept(stored: &StoredConversation) -> (ContactId, u64, Vec<u8>, u64, bool, bool) {
    let StoredConversation { contact, revision, record, settled, leased, quarantined } = stored;
    (contact.clone(), *revision, record.to_bytes().unwrap().to_vec(), *settled, *leased, *quarantined)
}

impl ConversationStore for Watched {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.0.load(lookup).await
    }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.0.commit(commit).await
    }
    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.0.settle(settle).await
    }
    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.0.lease_due(due).await
    }
    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.0.live(live).await
    }
    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.0.purge(purge).await
    }
    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        self.0.erase(erase).await
    }
    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.0.time().await
    }
    fn queues_callers(&self) -> bool {
        self.0.queues_callers()
    }
    fn keeps_counts(&self) -> bool {
        self.0.keeps_counts()
    }
    fn flow_store(&self) -> Option<SharedFlows> {
        self.0.flow_store()
    }
    async fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Loaded) -> Option<Commit> + Send),
    ) -> Result<Option<Committed>, StoreError> {
        let mut watching = |loaded: &mut Loaded| {
            let before = loaded.conversation.as_ref().map(kept);
            let commit = decide(loaded);
            if commit.is_none() {
                assert_eq!(loaded.conversation.as_ref().map(kept), before, "nothing is written");
            }
            commit
        };
        self.0.update(lookup, &mut watching).await
    }
}

impl StoreQueries for Watched {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRecord>, StoreError> {
        self.0.sessions(query).await
    }
    async fn session(
        &self,
        workspace: &WorkspaceId,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        self.0.session(workspace, id).await
    }
    async fn journal(&self, workspace: &WorkspaceId, id: SessionId) -> Result<Vec<JournalEntry>, StoreError> {
        self.0.journal(workspace, id).await
    }
    async fn journal_of(&self, query: &JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        self.0.journal_of(query).await
    }
    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<(ContactId, Record)>, StoreError> {
        self.0.conversations(query).await
    }
    async fn counts(&self, query: &CountQuery) -> Result<CountSums, StoreError> {
        self.0.counts(query).await
    }
}
