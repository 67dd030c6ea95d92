//! The kit of the tests of stores, beside that of the suite: a store asked without `await`.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use chatflow::address::Alias;
use chatflow::store::DynStore;
use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Leased, Live, Loaded, Lookup, Purge, Purged, Removed,
    Revision, Settle, Settled, StoreQueries, StoredConversation, Txn,
};
pub use chatflow::testkit::store_suite::kit::*;
use chatflow::{ContactId, MemoryStore, StoreError};
use pollster::block_on;

/// A store under test that also lists what it holds.
pub trait Store: ConversationStore + StoreQueries {}
impl<S: ConversationStore + StoreQueries> Store for S {}

pub fn memory() -> MemoryStore {
    MemoryStore::new()
}

pub fn erased() -> DynStore {
    DynStore::new(MemoryStore::new())
}

/// A store asked and answered at once.
pub struct TrustedStore<S>(pub S);

impl<S: ConversationStore> TrustedStore<S> {
    pub fn load(&self, lookup: &Lookup) -> Loaded {
        block_on(self.0.load(lookup)).unwrap()
    }

    /// The conversation of a contact of the shop, as the token sees it.
    pub fn find(&self, name: &str) -> Option<StoredConversation> {
        self.load(&by_contact(name)).conversation
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.find(name).map(|stored| text_of(&stored.record))
    }

    pub fn follow(&self, alias: Alias) -> Option<ContactId> {
        self.load(&by_alias(alias)).conversation.map(|stored| stored.contact)
    }

    pub fn commit(&self, commit: Commit) -> Committed {
        block_on(self.0.commit(commit)).unwrap()
    }

    /// Commits what must apply, and answers the new revision.
    pub fn apply(&self, commit: Commit) -> Revision {
        match self.commit(commit) {
            Committed::Applied { revision, .. } => revision,
            refused => panic!("{refused:?}"),
        }
    }

    pub fn settle(&self, settle: &Settle) -> Settled {
        block_on(self.0.settle(settle)).unwrap()
    }

    pub fn claim(&self, due: &Due) -> Leased {
        block_on(self.0.lease_due(due)).unwrap()
    }

    /// The contacts that are claimed, in order.
    pub fn claimed(&self, due: &Due) -> Vec<String> {
        self.claim(due).conversations.iter().map(|leased| leased.stored.contact.to_string()).collect()
    }

    pub fn live(&self, live: &Live) -> u64 {
        block_on(self.0.live(live)).unwrap()
    }

    pub fn purge(&self, purge: &Purge) -> Purged {
        block_on(self.0.purge(purge)).unwrap()
    }

    /// Erases a contact of the shop at this revision.
    pub fn erase(&self, name: &str, expect: Revision) -> Option<Removed> {
        block_on(self.0.erase(&erase(name, expect))).unwrap()
    }

    pub fn update(
        &self,
        lookup: &Lookup,
        mut decide: impl FnMut(&Loaded) -> Option<Commit> + Send,
    ) -> Result<Option<Committed>, StoreError> {
        let mut decide = |txn: &mut Txn<'_>| {
            if let Some(commit) = decide(txn.loaded()) {
                txn.write(commit);
            }
        };
        block_on(self.0.update(lookup, &mut decide))
    }
}
