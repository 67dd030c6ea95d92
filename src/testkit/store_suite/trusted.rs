//! A store in the hand of a check: asked, and answered without errors.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::Alias;
use crate::error::{StoreError, StoreErrorKind};
use crate::id::{ContactId, FlowId, FlowVersion, SessionId, WorkspaceId};
use crate::store::{
    Catalogue, CatalogueChanges, Commit, Committed, ConversationQuery, ConversationStore, CountQuery,
    CountSums, Due, Erase, FlowChange, FlowSaved, FlowStore, JournalEntry, JournalQuery, KeyName, KeyRecord,
    Leased, ListedSession, Live, Loaded, Lookup, Purge, Purged, Removed, Revision, SessionQuery,
    SessionRecord, Settle, Settled, StoreQueries, StoredConversation, Txn,
};
use crate::testkit::store_suite::Harness;
use crate::testkit::store_suite::harness::step_aside;
use crate::testkit::store_suite::kit::{by_alias, by_contact, erase, flow, shop, text_of};

/// Number of attempts at a call that surely was not done.
const TRIES: usize = 100;

/// Makes a call again as long as it surely was not done (rule 18); any other error is a failure of
/// the store.
async fn answered<T, F: Future<Output = Result<T, StoreError>>>(what: &str, call: impl Fn() -> F) -> T {
    for _ in 0..TRIES {
        match call().await {
            Ok(answer) => return answer,
            Err(error) if error.kind() == StoreErrorKind::Transient => step_aside().await,
            Err(error) => panic!("{what} failed: {error}"),
        }
    }
    panic!("{what} was not done in {TRIES} tries");
}

/// A store whose answers are taken for granted: a call that surely was not done is made again, and
/// any other error is a panic. Clones ask the same store.
#[derive(Debug)]
pub struct TrustedStore<S>(pub Arc<S>);

impl<S> Clone for TrustedStore<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> TrustedStore<S> {
    /// A store to be asked.
    pub fn new(store: S) -> Self {
        Self(Arc::new(store))
    }

    /// A fresh one.
    pub async fn fresh<H: Harness<Store = S>>(harness: &H) -> Self {
        Self::new(harness.store().await)
    }
}

impl<S: ConversationStore> TrustedStore<S> {
    /// Loads.
    pub async fn load(&self, lookup: &Lookup) -> Loaded {
        answered("a load", || self.0.load(lookup)).await
    }

    /// Returns the conversation of a contact of the shop, as a token without a lease sees it.
    pub async fn find(&self, name: &str) -> Option<StoredConversation> {
        self.load(&by_contact(name)).await.conversation
    }

    /// Returns the text of its opaque record.
    pub async fn text(&self, name: &str) -> Option<String> {
        self.find(name).await.map(|stored| text_of(&stored.record))
    }

    /// Where an alias of the shop leads.
    pub async fn follow(&self, alias: Alias) -> Option<ContactId> {
        self.load(&by_alias(alias)).await.conversation.map(|stored| stored.contact)
    }

    /// Returns the record of a key, as known at the beginning.
    pub async fn key(&self, key: KeyName) -> Option<KeyRecord> {
        self.load(&Lookup { key: Some(key), ..by_contact("nobody") }).await.key
    }

    /// Commits.
    pub async fn commit(&self, commit: Commit) -> Committed {
        answered("a commit", || self.0.commit(commit.clone())).await
    }

    /// Commits what must apply, and answers the new revision.
    pub async fn apply(&self, commit: Commit) -> Revision {
        match self.commit(commit).await {
            Committed::Applied { revision, .. } => revision,
            refused => panic!("a commit was refused that must apply: {refused:?}"),
        }
    }

    /// Settles.
    pub async fn settle(&self, settle: &Settle) -> Settled {
        answered("a settle", || self.0.settle(settle)).await
    }

    /// Claims.
    pub async fn claim(&self, due: &Due) -> Leased {
        answered("a claim", || self.0.lease_due(due)).await
    }

    /// Asks for the time.
    pub async fn time(&self) -> Option<DateTime<Utc>> {
        answered("a question for the time", || self.0.time()).await
    }

    /// Returns the claimed contacts, in order.
    pub async fn claimed(&self, due: &Due) -> Vec<String> {
        let leased = self.claim(due).await;
        leased.conversations.iter().map(|leased| leased.stored.contact.to_string()).collect()
    }

    /// Counts live sessions.
    pub async fn live(&self, live: &Live) -> u64 {
        answered("a count", || self.0.live(live)).await
    }

    /// Purges.
    pub async fn purge(&self, purge: &Purge) -> Purged {
        answered("a purge", || self.0.purge(purge)).await
    }

    /// Erases a contact of the shop at this revision.
    pub async fn erase(&self, name: &str, expect: Revision) -> Option<Removed> {
        self.erase_as(&erase(name, expect)).await
    }

    /// Erases.
    pub async fn erase_as(&self, erase: &Erase) -> Option<Removed> {
        answered("an erase", || self.0.erase(erase)).await
    }

    /// Loads, decides and commits.
    pub async fn update(
        &self,
        lookup: &Lookup,
        mut decide: impl FnMut(&Loaded) -> Option<Commit> + Send,
    ) -> Option<Committed> {
        let mut decide = |txn: &mut Txn<'_>| {
            if let Some(commit) = decide(txn.loaded()) {
                txn.write(commit);
            }
        };
        for _ in 0..TRIES {
            match self.0.update(lookup, &mut decide).await {
                Ok(answer) => return answer,
                Err(error) if error.kind() == StoreErrorKind::Transient => step_aside().await,
                Err(error) => panic!("an update failed: {error}"),
            }
        }
        panic!("an update was not done in {TRIES} tries");
    }
}

impl<S: StoreQueries> TrustedStore<S> {
    /// Lists sessions.
    pub async fn sessions(&self, query: &SessionQuery) -> Vec<SessionRecord> {
        answered("a list", || self.0.sessions(query)).await
    }

    /// Lists sessions with their contacts.
    pub async fn with_contacts(&self, query: &SessionQuery) -> Vec<ListedSession> {
        answered("a list with contacts", || self.0.listed(query)).await
    }

    /// Returns a session of the shop.
    pub async fn session(&self, id: SessionId) -> Option<SessionRecord> {
        let workspace = &shop();
        answered("a session", || self.0.session(workspace, id)).await
    }

    /// Returns the journal of a session of the shop.
    pub async fn journal(&self, id: SessionId) -> Vec<JournalEntry> {
        let workspace = &shop();
        answered("a journal", || self.0.journal(workspace, id)).await
    }

    /// Returns a flow's journal.
    pub async fn journal_of(&self, query: &JournalQuery) -> Vec<JournalEntry> {
        answered("a journal", || self.0.journal_of(query)).await
    }

    /// Returns the contacts whose conversations are listed, in order.
    pub async fn listed(&self, query: &ConversationQuery) -> Vec<String> {
        let found = answered("a list", || self.0.conversations(query)).await;
        found.iter().map(|(contact, _)| contact.to_string()).collect()
    }

    /// Returns the counters.
    pub async fn counts(&self, query: &CountQuery) -> CountSums {
        answered("a question for counters", || self.0.counts(query)).await
    }
}

impl<S: FlowStore> TrustedStore<S> {
    /// Returns the revision of the shop's flows.
    pub async fn flows_revision(&self) -> u64 {
        let workspace = &shop();
        answered("a revision", || self.0.revision(workspace)).await
    }

    /// Returns a workspace's flows, sorted by code.
    pub async fn catalogue(&self, workspace: &WorkspaceId) -> Catalogue {
        let mut catalogue = answered("a catalogue", || self.0.catalogue(workspace)).await;
        catalogue.flows.sort_by(|one, other| one.flow.cmp(&other.flow));
        catalogue
    }

    /// Returns a version of a flow of the shop, or its draft.
    pub async fn definition(&self, code: &str, version: Option<u32>) -> Option<Arc<str>> {
        let (flow, version) = (flow(code), version.map(FlowVersion));
        self.text_of_flow(&shop(), &flow, version).await
    }

    /// Returns a version of a flow, or its draft.
    pub async fn text_of_flow(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Option<Arc<str>> {
        answered("a definition", || self.0.definition(workspace, flow, version)).await
    }

    /// Saves in the shop.
    pub async fn save(&self, change: FlowChange) -> FlowSaved {
        let workspace = &shop();
        answered("a save", || self.0.save(workspace, change.clone())).await
    }

    /// Saves several in the shop.
    pub async fn save_all(&self, changes: Vec<FlowChange>) -> FlowSaved {
        let workspace = &shop();
        answered("a save", || self.0.save_all(workspace, changes.clone())).await
    }

    /// Returns the changes in a workspace since a revision.
    pub async fn changes(&self, workspace: &WorkspaceId, since: u64) -> CatalogueChanges {
        answered("a question", || self.0.changes(workspace, since)).await
    }

    /// Returns the workspaces with a terminated version.
    pub async fn terminated(&self) -> Vec<WorkspaceId> {
        answered("a question", || self.0.terminated()).await
    }
}
