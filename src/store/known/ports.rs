//! The ports: what is not said here of conversations that are kept is the inner store's alone.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::StoreError;
use crate::id::{ContactId, FlowId, FlowVersion, SessionId, WorkspaceId};
use crate::store::known::Known;
use crate::store::known::news::PendingCommit;
use crate::store::{
    Catalogue, CatalogueChanges, Commit, Committed, ConversationQuery, ConversationStore, CountQuery,
    CountSums, Due, Erase, FlowChange, FlowSaved, FlowStore, JournalEntry, JournalQuery, Leased,
    ListedSession, Live, Loaded, Lookup, Purge, Purged, Record, Removed, SessionQuery, SessionRecord, Settle,
    Settled, SharedFlows, StoreQueries, Txn,
};

impl<S: ConversationStore> ConversationStore for Known<S> {
    /// Answers as the store inside, with the decoded record if that is the same.
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        let mut loaded = self.store.load(lookup).await?;
        if let Some(rows) = &self.rows {
            rows.note_catalogue(&lookup.workspace, loaded.catalogue);
            if let Some(stored) = &mut loaded.conversation {
                rows.share_decoded(&lookup.workspace, stored);
            }
        }
        Ok(loaded)
    }

    async fn commit(&self, mut commit: Commit) -> Result<Committed, StoreError> {
        let Some(rows) = &self.rows else { return self.store.commit(commit).await };
        let draft = PendingCommit::of(&mut commit, None);
        let committed = self.store.commit(commit).await;
        rows.learn(draft, committed.as_ref().ok());
        committed
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        let settled = self.store.settle(settle).await;
        if let Some(rows) = &self.rows {
            rows.learn_settled(settle, settled.as_ref().ok().copied());
        }
        settled
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        let mut leased = self.store.lease_due(due).await?;
        if let Some(rows) = &self.rows {
            for one in &mut leased.conversations {
                rows.share_decoded(&one.workspace, &mut one.stored);
            }
        }
        Ok(leased)
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.store.live(live).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.store.purge(purge).await
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        let erased = self.store.erase(erase).await;
        if let Some(rows) = &self.rows {
            rows.forget(&erase.workspace, &erase.contact);
        }
        erased
    }

    async fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        let Some(rows) = &self.rows else { return self.store.update(lookup, decide).await };
        match self.recall(rows, lookup) {
            Some(recalled) => self.update_recalled(rows, lookup, recalled, decide).await,
            None => self.update_loaded(rows, lookup, decide).await,
        }
    }

    fn update_at_once(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Option<Result<Option<Committed>, StoreError>> {
        if self.rows.is_some() { None } else { self.store.update_at_once(lookup, decide) }
    }

    fn settle_at_once(&self, settle: &Settle) -> Option<Result<Settled, StoreError>> {
        if self.rows.is_some() { None } else { self.store.settle_at_once(settle) }
    }

    /// It decides on what is kept without the lock of the store inside.
    fn queues_callers(&self) -> bool {
        self.rows.is_some() || self.store.queues_callers()
    }

    fn keeps_counts(&self) -> bool {
        self.store.keeps_counts()
    }

    fn compares_seen(&self) -> bool {
        self.store.compares_seen()
    }

    fn flow_store(&self) -> Option<SharedFlows> {
        self.store.flow_store()
    }

    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.store.time().await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.store.flush().await
    }
}

/// Lists are read from what is stored.
impl<S: StoreQueries> StoreQueries for Known<S> {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRecord>, StoreError> {
        self.store.sessions(query).await
    }

    async fn listed(&self, query: &SessionQuery) -> Result<Vec<ListedSession>, StoreError> {
        self.store.listed(query).await
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

    async fn counts(&self, query: &CountQuery) -> Result<CountSums, StoreError> {
        self.store.counts(query).await
    }
}

/// Flows are not kept here: an engine has its own snapshot of them.
impl<S: FlowStore> FlowStore for Known<S> {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.store.revision(workspace).await
    }

    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.store.catalogue(workspace).await
    }

    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        self.store.definition(workspace, flow, version).await
    }

    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.store.save(workspace, change).await
    }

    async fn save_all(
        &self,
        workspace: &WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> Result<FlowSaved, StoreError> {
        self.store.save_all(workspace, changes).await
    }

    async fn changes(&self, workspace: &WorkspaceId, since: u64) -> Result<CatalogueChanges, StoreError> {
        self.store.changes(workspace, since).await
    }

    async fn terminated(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        self.store.terminated().await
    }
}
