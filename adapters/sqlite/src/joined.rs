//! A host's own writes in the transaction of a commit.

use std::fmt;
use std::sync::Arc;

use chatflow::error::StoreError;
use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Erase, Leased, Live, Loaded, Lookup, Purge, Purged, Removed,
    Settle, Settled, SharedFlows,
};
use chrono::{DateTime, Utc};

use crate::SqliteStore;
use crate::commit::{Hook, Write};

/// A [`SqliteStore`] whose commits carry writes of the host: made by [`SqliteStore::joined`].
#[derive(Clone)]
pub struct JoinedStore {
    pub(super) store: SqliteStore,
    pub(super) hook: Arc<Hook>,
}

impl fmt::Debug for JoinedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinedStore").field("store", &self.store).finish_non_exhaustive()
    }
}

impl ConversationStore for JoinedStore {
    fn keeps_counts(&self) -> bool {
        self.store.keeps_counts()
    }

    fn compares_seen(&self) -> bool {
        true
    }

    fn flow_store(&self) -> Option<SharedFlows> {
        self.store.flow_store()
    }

    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.store.load(lookup).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.store.write(Write::new(commit, Some(Arc::clone(&self.hook)))?).await
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.store.settle(settle).await
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.store.lease_due(due).await
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        ConversationStore::live(&self.store, live).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.store.purge(purge).await
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        self.store.erase(erase).await
    }

    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.store.time().await
    }
}
