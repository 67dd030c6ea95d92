//! A store whose type is chosen at run time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::StoreError;
use crate::id::{ContactId, SessionId, WorkspaceId};
use crate::store::{
    Commit, Committed, ConversationQuery, ConversationStore, CountQuery, CountSums, Due, Erase, JournalEntry,
    JournalQuery, Leased, ListedSession, Live, Loaded, Lookup, Purge, Purged, Record, Removed, SessionQuery,
    SessionRecord, Settle, Settled, SharedFlows, StoreQueries, Txn,
};

/// A store whose type is chosen at run time, for example by a host's configuration. Costs one
/// allocation for each call.
///
/// ```
/// use chatflow::store::DynStore;
/// use chatflow::MemoryStore;
///
/// let store = match std::env::var("STORE").as_deref() {
///     // Ok("postgres") => DynStore::new(…),
///     _ => DynStore::new(MemoryStore::new()),
/// };
/// let same = store.clone();
/// # drop(same);
/// ```
#[derive(Clone)]
pub struct DynStore(Arc<dyn BoxedStore>);

impl DynStore {
    /// Erases a store's type.
    #[must_use]
    pub fn new(store: impl ConversationStore + StoreQueries + 'static) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for DynStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynStore").finish_non_exhaustive()
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

type Decide<'a> = dyn FnMut(&mut Txn<'_>) + Send + 'a;

/// Both ports, with boxed futures.
trait BoxedStore: Send + Sync {
    fn load<'a>(&'a self, lookup: &'a Lookup) -> Boxed<'a, Loaded>;
    fn commit(&self, commit: Commit) -> Boxed<'_, Committed>;
    fn settle<'a>(&'a self, settle: &'a Settle) -> Boxed<'a, Settled>;
    fn lease_due<'a>(&'a self, due: &'a Due) -> Boxed<'a, Leased>;
    fn live<'a>(&'a self, live: &'a Live) -> Boxed<'a, u64>;
    fn purge<'a>(&'a self, purge: &'a Purge) -> Boxed<'a, Purged>;
    fn erase<'a>(&'a self, erase: &'a Erase) -> Boxed<'a, Option<Removed>>;
    fn time(&self) -> Boxed<'_, Option<DateTime<Utc>>>;
    fn flush(&self) -> Boxed<'_, ()>;
    fn update<'a>(&'a self, lookup: &'a Lookup, decide: &'a mut Decide<'a>) -> Boxed<'a, Option<Committed>>;
    fn update_at_once(
        &self,
        lookup: &Lookup,
        decide: &mut Decide<'_>,
    ) -> Option<Result<Option<Committed>, StoreError>>;
    fn settle_at_once(&self, settle: &Settle) -> Option<Result<Settled, StoreError>>;
    fn queues_callers(&self) -> bool;
    fn keeps_counts(&self) -> bool;
    fn compares_seen(&self) -> bool;
    fn flow_store(&self) -> Option<SharedFlows>;
    fn sessions<'a>(&'a self, query: &'a SessionQuery) -> Boxed<'a, Vec<SessionRecord>>;
    fn listed<'a>(&'a self, query: &'a SessionQuery) -> Boxed<'a, Vec<ListedSession>>;
    fn session<'a>(&'a self, workspace: &'a WorkspaceId, id: SessionId) -> Boxed<'a, Option<SessionRecord>>;
    fn journal<'a>(&'a self, workspace: &'a WorkspaceId, id: SessionId) -> Boxed<'a, Vec<JournalEntry>>;
    fn journal_of<'a>(&'a self, query: &'a JournalQuery) -> Boxed<'a, Vec<JournalEntry>>;
    fn conversations<'a>(&'a self, query: &'a ConversationQuery) -> Boxed<'a, Vec<(ContactId, Record)>>;
    fn counts<'a>(&'a self, query: &'a CountQuery) -> Boxed<'a, CountSums>;
}

impl<S: ConversationStore + StoreQueries> BoxedStore for S {
    fn load<'a>(&'a self, lookup: &'a Lookup) -> Boxed<'a, Loaded> {
        Box::pin(ConversationStore::load(self, lookup))
    }
    fn commit(&self, commit: Commit) -> Boxed<'_, Committed> {
        Box::pin(ConversationStore::commit(self, commit))
    }
    fn settle<'a>(&'a self, settle: &'a Settle) -> Boxed<'a, Settled> {
        Box::pin(ConversationStore::settle(self, settle))
    }
    fn lease_due<'a>(&'a self, due: &'a Due) -> Boxed<'a, Leased> {
        Box::pin(ConversationStore::lease_due(self, due))
    }
    fn live<'a>(&'a self, live: &'a Live) -> Boxed<'a, u64> {
        Box::pin(ConversationStore::live(self, live))
    }
    fn purge<'a>(&'a self, purge: &'a Purge) -> Boxed<'a, Purged> {
        Box::pin(ConversationStore::purge(self, purge))
    }
    fn erase<'a>(&'a self, erase: &'a Erase) -> Boxed<'a, Option<Removed>> {
        Box::pin(ConversationStore::erase(self, erase))
    }
    fn time(&self) -> Boxed<'_, Option<DateTime<Utc>>> {
        Box::pin(ConversationStore::time(self))
    }
    fn flush(&self) -> Boxed<'_, ()> {
        Box::pin(ConversationStore::flush(self))
    }
    fn update<'a>(&'a self, lookup: &'a Lookup, decide: &'a mut Decide<'a>) -> Boxed<'a, Option<Committed>> {
        Box::pin(ConversationStore::update(self, lookup, decide))
    }
    fn update_at_once(
        &self,
        lookup: &Lookup,
        decide: &mut Decide<'_>,
    ) -> Option<Result<Option<Committed>, StoreError>> {
        ConversationStore::update_at_once(self, lookup, decide)
    }
    fn settle_at_once(&self, settle: &Settle) -> Option<Result<Settled, StoreError>> {
        ConversationStore::settle_at_once(self, settle)
    }
    fn queues_callers(&self) -> bool {
        ConversationStore::queues_callers(self)
    }
    fn keeps_counts(&self) -> bool {
        ConversationStore::keeps_counts(self)
    }
    fn compares_seen(&self) -> bool {
        ConversationStore::compares_seen(self)
    }
    fn flow_store(&self) -> Option<SharedFlows> {
        ConversationStore::flow_store(self)
    }
    fn sessions<'a>(&'a self, query: &'a SessionQuery) -> Boxed<'a, Vec<SessionRecord>> {
        Box::pin(StoreQueries::sessions(self, query))
    }
    fn listed<'a>(&'a self, query: &'a SessionQuery) -> Boxed<'a, Vec<ListedSession>> {
        Box::pin(StoreQueries::listed(self, query))
    }
    fn session<'a>(&'a self, workspace: &'a WorkspaceId, id: SessionId) -> Boxed<'a, Option<SessionRecord>> {
        Box::pin(StoreQueries::session(self, workspace, id))
    }
    fn journal<'a>(&'a self, workspace: &'a WorkspaceId, id: SessionId) -> Boxed<'a, Vec<JournalEntry>> {
        Box::pin(StoreQueries::journal(self, workspace, id))
    }
    fn journal_of<'a>(&'a self, query: &'a JournalQuery) -> Boxed<'a, Vec<JournalEntry>> {
        Box::pin(StoreQueries::journal_of(self, query))
    }
    fn conversations<'a>(&'a self, query: &'a ConversationQuery) -> Boxed<'a, Vec<(ContactId, Record)>> {
        Box::pin(StoreQueries::conversations(self, query))
    }
    fn counts<'a>(&'a self, query: &'a CountQuery) -> Boxed<'a, CountSums> {
        Box::pin(StoreQueries::counts(self, query))
    }
}

impl ConversationStore for DynStore {
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
    async fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        self.0.update(lookup, decide).await
    }
    fn update_at_once(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Option<Result<Option<Committed>, StoreError>> {
        self.0.update_at_once(lookup, decide)
    }
    fn settle_at_once(&self, settle: &Settle) -> Option<Result<Settled, StoreError>> {
        self.0.settle_at_once(settle)
    }
    fn queues_callers(&self) -> bool {
        self.0.queues_callers()
    }
    fn keeps_counts(&self) -> bool {
        self.0.keeps_counts()
    }
    fn compares_seen(&self) -> bool {
        self.0.compares_seen()
    }
    fn flow_store(&self) -> Option<SharedFlows> {
        self.0.flow_store()
    }
    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.0.time().await
    }
    async fn flush(&self) -> Result<(), StoreError> {
        self.0.flush().await
    }
}

impl StoreQueries for DynStore {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRecord>, StoreError> {
        self.0.sessions(query).await
    }

    async fn listed(&self, query: &SessionQuery) -> Result<Vec<ListedSession>, StoreError> {
        self.0.listed(query).await
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
