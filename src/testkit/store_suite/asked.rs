//! A store in the hand of a check: asked, and answered without errors.

use std::sync::Arc;

use crate::address::Alias;
use crate::id::{ContactId, FlowId, FlowVersion, SessionId, WorkspaceId};
use crate::store::{
    Catalogue, Commit, Committed, ConversationQuery, ConversationStore, Due, Erase, FlowChange, FlowSaved,
    FlowStore, JournalEntry, JournalQuery, KeyName, KeyRecord, Leased, Live, Loaded, Lookup, Purge, Purged,
    Removed, Revision, SessionQuery, SessionRecord, Settle, Settled, StoreQueries, StoredConversation,
};
use crate::testkit::store_suite::Harness;
use crate::testkit::store_suite::kit::{by_alias, by_contact, erase, flow, shop, text_of};

/// A store whose answers are taken for granted: each method panics on an error. Clones ask the same store.
#[derive(Debug)]
pub struct Asked<S>(pub Arc<S>);

impl<S> Clone for Asked<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> Asked<S> {
    /// A store to be asked.
    pub fn new(store: S) -> Self {
        Self(Arc::new(store))
    }

    /// A fresh one.
    pub async fn fresh<H: Harness<Store = S>>(harness: &H) -> Self {
        Self::new(harness.store().await)
    }
}

impl<S: ConversationStore> Asked<S> {
    /// Loads.
    pub async fn load(&self, lookup: &Lookup) -> Loaded {
        self.0.load(lookup).await.expect("a load is answered")
    }

    /// The conversation of a contact of the shop, as a token without a lease sees it.
    pub async fn find(&self, name: &str) -> Option<StoredConversation> {
        self.load(&by_contact(name)).await.conversation
    }

    /// What its opaque record says.
    pub async fn text(&self, name: &str) -> Option<String> {
        self.find(name).await.map(|stored| text_of(&stored.record))
    }

    /// Where an alias of the shop leads.
    pub async fn follow(&self, alias: Alias) -> Option<ContactId> {
        self.load(&by_alias(alias)).await.conversation.map(|stored| stored.contact)
    }

    /// What is known about a key at the beginning.
    pub async fn key(&self, key: KeyName) -> Option<KeyRecord> {
        self.load(&Lookup { key: Some(key), ..by_contact("nobody") }).await.key
    }

    /// Commits.
    pub async fn commit(&self, commit: Commit) -> Committed {
        self.0.commit(commit).await.expect("a commit is answered")
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
        self.0.settle(settle).await.expect("a settle is answered")
    }

    /// Claims.
    pub async fn claim(&self, due: &Due) -> Leased {
        self.0.lease_due(due).await.expect("a claim is answered")
    }

    /// Who is claimed, in order.
    pub async fn claimed(&self, due: &Due) -> Vec<String> {
        let leased = self.claim(due).await;
        leased.conversations.iter().map(|leased| leased.stored.contact.to_string()).collect()
    }

    /// Counts live sessions.
    pub async fn live(&self, live: &Live) -> u64 {
        self.0.live(live).await.expect("a count is answered")
    }

    /// Purges.
    pub async fn purge(&self, purge: &Purge) -> Purged {
        self.0.purge(purge).await.expect("a purge is answered")
    }

    /// Erases a contact of the shop at this revision.
    pub async fn erase(&self, name: &str, expect: Revision) -> Option<Removed> {
        self.erase_as(&erase(name, expect)).await
    }

    /// Erases.
    pub async fn erase_as(&self, erase: &Erase) -> Option<Removed> {
        self.0.erase(erase).await.expect("an erase is answered")
    }

    /// Loads, decides and commits.
    pub async fn update(
        &self,
        lookup: &Lookup,
        mut decide: impl FnMut(&mut Loaded) -> Option<Commit> + Send,
    ) -> Option<Committed> {
        self.0.update(lookup, &mut decide).await.expect("an update is answered")
    }
}

impl<S: StoreQueries> Asked<S> {
    /// Lists sessions.
    pub async fn sessions(&self, query: &SessionQuery) -> Vec<SessionRecord> {
        self.0.sessions(query).await.expect("a list is answered")
    }

    /// A session of the shop.
    pub async fn session(&self, id: SessionId) -> Option<SessionRecord> {
        self.0.session(&shop(), id).await.expect("a session is answered")
    }

    /// The journal of a session of the shop.
    pub async fn journal(&self, id: SessionId) -> Vec<JournalEntry> {
        self.0.journal(&shop(), id).await.expect("a journal is answered")
    }

    /// A flow's journal.
    pub async fn journal_of(&self, query: &JournalQuery) -> Vec<JournalEntry> {
        self.0.journal_of(query).await.expect("a journal is answered")
    }

    /// Whose conversations are listed, in order.
    pub async fn listed(&self, query: &ConversationQuery) -> Vec<String> {
        let found = self.0.conversations(query).await.expect("a list is answered");
        found.iter().map(|(contact, _)| contact.to_string()).collect()
    }
}

impl<S: FlowStore> Asked<S> {
    /// The revision of the shop's flows.
    pub async fn flows_revision(&self) -> u64 {
        self.0.revision(&shop()).await.expect("a revision is answered")
    }

    /// A workspace's flows, sorted by code.
    pub async fn catalogue(&self, workspace: &WorkspaceId) -> Catalogue {
        let mut catalogue = self.0.catalogue(workspace).await.expect("a catalogue is answered");
        catalogue.flows.sort_by(|one, other| one.flow.cmp(&other.flow));
        catalogue
    }

    /// A version of a flow of the shop, or its draft.
    pub async fn definition(&self, code: &str, version: Option<u32>) -> Option<Arc<str>> {
        let (flow, version) = (flow(code), version.map(FlowVersion));
        self.text_of_flow(&shop(), &flow, version).await
    }

    /// A version of a flow, or its draft.
    pub async fn text_of_flow(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Option<Arc<str>> {
        self.0.definition(workspace, flow, version).await.expect("a definition is answered")
    }

    /// Saves in the shop.
    pub async fn save(&self, change: FlowChange) -> FlowSaved {
        self.0.save(&shop(), change).await.expect("a save is answered")
    }

    /// The workspaces with a terminated version.
    pub async fn terminated(&self) -> Vec<WorkspaceId> {
        self.0.terminated().await.expect("an answer")
    }
}
