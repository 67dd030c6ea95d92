//! A store in memory that watches the engine: a decision that writes nothing leaves what was loaded
//! as it was, as the contract of `ConversationStore::update` promises to stores that rely on it.

use chatflow::store::{
    Committed, ConversationStore, Lookup, SharedFlows, StoreQueries, StoredConversation, Txn,
};
use chatflow::{ContactId, MemoryStore, StoreError};
use chrono::{DateTime, Utc};

use crate::handing_on::hand_on;

/// The watching store.
pub(crate) struct Watched(MemoryStore);

impl Watched {
    pub(crate) fn new() -> Self {
        Self(MemoryStore::new())
    }
}

/// The parts of a stored conversation that must stay.
fn kept(stored: &StoredConversation) -> (ContactId, u64, Vec<u8>, u64, bool, bool) {
    let StoredConversation { contact, revision, record, settled, leased, quarantined } = stored;
    (contact.clone(), *revision, record.to_bytes().unwrap().to_vec(), *settled, *leased, *quarantined)
}

impl ConversationStore for Watched {
    hand_on! { 0: load, commit, settle, lease_due, live, purge, erase }
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
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        let mut watching = |txn: &mut Txn<'_>| {
            let before = txn.loaded().conversation.as_ref().map(kept);
            decide(txn);
            if !txn.writes() {
                let after = txn.loaded().conversation.as_ref().map(kept);
                assert_eq!(after, before, "nothing is written");
            }
        };
        self.0.update(lookup, &mut watching).await
    }
}

impl StoreQueries for Watched {
    hand_on! { 0: queries, counts }
}
