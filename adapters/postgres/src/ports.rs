//! The ports of the store: each call is done in the runtime that the store was connected in.

use std::sync::Arc;

use chatflow::error::StoreError;
use chatflow::id::{ContactId, FlowId, FlowVersion, SessionId, WorkspaceId};
use chatflow::store::{
    Catalogue, CatalogueChanges, Commit, Committed, ConversationQuery, ConversationStore, CountQuery,
    CountSums, Due, Erase, FlowChange, FlowSaved, FlowStore, JournalEntry, JournalQuery, Leased,
    ListedSession, Live, Loaded, Lookup, Purge, Purged, Record, Removed, SessionQuery, SessionRecord, Settle,
    Settled, SharedFlows, StoreQueries, Txn,
};
use chrono::{DateTime, Utc};

use crate::PostgresStore;
use crate::errors::AccessKind::{Read, Write as Writing};
use crate::load::LoadRow;
use crate::{due, flows, held, queries, upkeep};

/// Asks in the runtime: `$work` is an expression of `link` and of the values named before it, which
/// are shared by attempts.
macro_rules! ask {
    ($store:expr, $kind:expr, $what:literal, $link:ident, [$($name:ident = $value:expr),*], $work:expr) => {{
        $(let $name = Arc::new($value);)*
        $store
            .inner
            .ask($kind, $what, move |$link| {
                $(let $name = Arc::clone(&$name);)*
                Box::pin(async move { $work.await })
            })
            .await
    }};
}

impl ConversationStore for PostgresStore {
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
        let mut loaded = self.inner.load(LoadRow::of(lookup)).await?;
        self.inner.carriage.show(lookup, &mut loaded);
        Ok(loaded)
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let Some(absorbed) = commit.absorbs.as_ref().map(|absorbed| absorbed.contact.clone()) else {
            return self.inner.commit(self.inner.write(commit)?).await;
        };
        let workspace = commit.workspace.clone();
        self.inner.settled_before().await;
        let committed = self.inner.commit(self.inner.write(commit)?).await?;
        if let Committed::Applied { .. } = committed {
            self.inner.carriage.forget(&workspace, &absorbed);
        }
        Ok(committed)
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.inner.settle(settle).await
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        let slices = self.inner.slices;
        self.inner.settled_before().await;
        let claim = async {
            ask!(self, Writing, "lease_due", link, [due = due.clone()], due::lease_due(&link, &due, slices))
        };
        self.inner.noting(due, claim).await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.inner.write_settles().await
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.inner.settled_before().await;
        let kind = if live.wake_at.is_some() { Writing } else { Read };
        ask!(self, kind, "live", link, [live = live.clone()], upkeep::live(&link, &live))
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        ask!(self, Writing, "purge", link, [purge = purge.clone()], upkeep::purge(&link, &purge))
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        let erased =
            ask!(self, Writing, "erase", link, [erase = erase.clone()], upkeep::erase(&link, &erase))?;
        if erased.is_some() {
            self.inner.carriage.forget(&erase.workspace, &erase.contact);
        }
        Ok(erased)
    }

    async fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        if lookup.races >= held::RACES {
            return self.inner.update_held(lookup, decide).await;
        }
        let mut txn = Txn::new(lookup, self.load(lookup).await?);
        decide(&mut txn);
        match txn.into_commit() {
            Some(commit) => self.commit(commit).await.map(Some),
            None => Ok(None),
        }
    }

    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        ask!(self, Read, "time", link, [], due::time(&link))
    }
}

impl StoreQueries for PostgresStore {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRecord>, StoreError> {
        ask!(self, Read, "sessions", link, [query = query.clone()], queries::sessions(&link, &query))
    }

    async fn listed(&self, query: &SessionQuery) -> Result<Vec<ListedSession>, StoreError> {
        ask!(self, Read, "listed", link, [query = query.clone()], queries::listed(&link, &query))
    }

    async fn session(
        &self,
        workspace: &WorkspaceId,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        ask!(
            self,
            Read,
            "session",
            link,
            [workspace = workspace.clone()],
            queries::session(&link, &workspace, id)
        )
    }

    async fn journal(&self, workspace: &WorkspaceId, id: SessionId) -> Result<Vec<JournalEntry>, StoreError> {
        ask!(
            self,
            Read,
            "journal",
            link,
            [workspace = workspace.clone()],
            queries::journal(&link, &workspace, id)
        )
    }

    async fn journal_of(&self, query: &JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        ask!(self, Read, "journal_of", link, [query = query.clone()], queries::journal_of(&link, &query))
    }

    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<(ContactId, Record)>, StoreError> {
        ask!(
            self,
            Read,
            "conversations",
            link,
            [query = query.clone()],
            queries::conversations(&link, &query)
        )
    }

    async fn counts(&self, query: &CountQuery) -> Result<CountSums, StoreError> {
        ask!(self, Read, "counts", link, [query = query.clone()], queries::counts(&link, &query))
    }
}

impl FlowStore for PostgresStore {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.inner.keeps_flows();
        ask!(
            self,
            Read,
            "revision",
            link,
            [workspace = workspace.clone()],
            flows::revision(&link, &workspace)
        )
    }

    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.inner.keeps_flows();
        ask!(
            self,
            Read,
            "catalogue",
            link,
            [workspace = workspace.clone()],
            flows::catalogue(&link, &workspace)
        )
    }

    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        self.inner.keeps_flows();
        ask!(self, Read, "definition", link, [workspace = workspace.clone(), flow = flow.clone()], {
            flows::definition(&link, &workspace, &flow, version)
        })
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
        ask!(self, Writing, "save", link, [workspace = workspace.clone(), changes = changes], {
            flows::save(&link, &workspace, &changes)
        })
    }

    async fn changes(&self, workspace: &WorkspaceId, since: u64) -> Result<CatalogueChanges, StoreError> {
        self.inner.keeps_flows();
        ask!(self, Read, "changes", link, [workspace = workspace.clone()], {
            flows::changes(&link, &workspace, since)
        })
    }

    async fn terminated(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        self.inner.keeps_flows();
        ask!(self, Read, "terminated", link, [], flows::terminated(&link))
    }
}
