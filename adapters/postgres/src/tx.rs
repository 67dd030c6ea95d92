//! The store inside a transaction of the host: what it writes is there when the host commits, or
//! never was.

use std::fmt;
use std::sync::Arc;

use chatflow::error::StoreError;
use chatflow::id::{ContactId, FlowId, FlowVersion, SessionId, WorkspaceId};
use chatflow::store::{
    Catalogue, CatalogueChanges, Commit, Committed, ConversationQuery, ConversationStore, CountQuery,
    CountSums, Due, Erase, FlowChange, FlowSaved, FlowStore, JournalEntry, JournalQuery, Leased,
    ListedSession, Live, Loaded, Lookup, Purge, Purged, Record, Removed, SessionQuery, SessionRecord, Settle,
    Settled, StoreQueries,
};
use chrono::{DateTime, Utc};
use tokio_postgres::Client;

use crate::errors::{AccessKind, Fault};
use crate::inner::Inner;
use crate::link::Link;
use crate::load::LoadRow;
use crate::settle::SettleRow;
use crate::write::Write;
use crate::{commit, due, flows, held, load, queries, settle, upkeep};

/// A [`PostgresStore`](crate::PostgresStore) inside a transaction of the host, made by
/// [`in_tx`](crate::PostgresStore::in_tx).
///
/// Nothing that it writes is seen by others before the host commits, and all of it is gone when the
/// host rolls back. A commit that is refused leaves what the host wrote as it is.
pub struct PostgresTx<'t> {
    client: &'t Client,
    inner: Arc<Inner>,
}

impl<'t> PostgresTx<'t> {
    pub(super) fn new(client: &'t Client, inner: Arc<Inner>) -> Self {
        Self { client, inner }
    }

    fn link(&self) -> Link<'t> {
        Link::in_tx(self.client)
    }
}

impl fmt::Debug for PostgresTx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTx").finish_non_exhaustive()
    }
}

/// A failure here is surely not done: the host has not committed.
fn failed(what: &'static str) -> impl FnOnce(Fault) -> StoreError {
    move |fault| fault.into_error(AccessKind::Read, what)
}

impl ConversationStore for PostgresTx<'_> {
    fn keeps_counts(&self) -> bool {
        true
    }

    fn queues_callers(&self) -> bool {
        false
    }

    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        let (link, row, has_flows) = (self.link(), LoadRow::of(lookup), self.inner.has_flows());
        // The host's transaction keeps the lock to its end.
        let loaded = match lookup.races >= held::RACES {
            true => load::load_held(&link, &row, has_flows).await,
            false => load::load_one(&link, &row, has_flows).await,
        };
        loaded.map_err(failed("load"))
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let write = Write::of(commit)?;
        commit::write(&self.link(), &write, false).await.map_err(failed("commit"))
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        let row = SettleRow::of(settle);
        let settled = settle::settle(&self.link(), &[&row]).await.map_err(failed("settle"))?;
        Ok(settled.first().copied().unwrap_or(Settled::LeaseLost))
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        due::lease_due(&self.link(), due, self.inner.slices).await.map_err(failed("lease_due"))
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        upkeep::live(&self.link(), live).await.map_err(failed("live"))
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        upkeep::purge(&self.link(), purge).await.map_err(failed("purge"))
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        upkeep::erase(&self.link(), erase).await.map_err(failed("erase"))
    }

    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        due::time(&self.link()).await.map_err(failed("time"))
    }
}

impl StoreQueries for PostgresTx<'_> {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRecord>, StoreError> {
        queries::sessions(&self.link(), query).await.map_err(failed("sessions"))
    }

    async fn listed(&self, query: &SessionQuery) -> Result<Vec<ListedSession>, StoreError> {
        queries::listed(&self.link(), query).await.map_err(failed("listed"))
    }

    async fn session(
        &self,
        workspace: &WorkspaceId,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        queries::session(&self.link(), workspace, id).await.map_err(failed("session"))
    }

    async fn journal(&self, workspace: &WorkspaceId, id: SessionId) -> Result<Vec<JournalEntry>, StoreError> {
        queries::journal(&self.link(), workspace, id).await.map_err(failed("journal"))
    }

    async fn journal_of(&self, query: &JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        queries::journal_of(&self.link(), query).await.map_err(failed("journal_of"))
    }

    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<(ContactId, Record)>, StoreError> {
        queries::conversations(&self.link(), query).await.map_err(failed("conversations"))
    }

    async fn counts(&self, query: &CountQuery) -> Result<CountSums, StoreError> {
        queries::counts(&self.link(), query).await.map_err(failed("counts"))
    }
}

impl FlowStore for PostgresTx<'_> {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.inner.keeps_flows();
        flows::revision(&self.link(), workspace).await.map_err(failed("revision"))
    }

    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.inner.keeps_flows();
        flows::catalogue(&self.link(), workspace).await.map_err(failed("catalogue"))
    }

    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        self.inner.keeps_flows();
        flows::definition(&self.link(), workspace, flow, version).await.map_err(failed("definition"))
    }

    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.save_all(workspace, vec![change]).await
    }

    async fn save_all(
        &self,
        workspace: &WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> Result<FlowSaved, StoreError> {
        self.inner.keeps_flows();
        flows::save(&self.link(), workspace, &changes).await.map_err(failed("save"))
    }

    async fn changes(&self, workspace: &WorkspaceId, since: u64) -> Result<CatalogueChanges, StoreError> {
        self.inner.keeps_flows();
        flows::changes(&self.link(), workspace, since).await.map_err(failed("changes"))
    }

    async fn terminated(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        self.inner.keeps_flows();
        flows::terminated(&self.link()).await.map_err(failed("terminated"))
    }
}
