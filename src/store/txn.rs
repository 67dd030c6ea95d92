//! One decision in a store's hand: the record that was loaded, lent to the code that decides, and
//! the one to be written.

use std::sync::Arc;

use crate::id::ContactId;
use crate::session::{Conversation, DecodeError, KeyRecord};
use crate::store::{Commit, Loaded, Lookup, Revision, StoredConversation};

/// A conversation that was loaded, while it is decided on.
///
/// [`ConversationStore::update`](crate::store::ConversationStore::update) makes one of what it has
/// loaded, lends it to the decision, and commits what that leaves. Where it leaves no commit, what
/// was loaded is as it was.
#[derive(Debug)]
pub struct Txn<'a> {
    lookup: &'a Lookup,
    loaded: Loaded,
    commit: Option<Commit>,
}

impl<'a> Txn<'a> {
    /// A transaction on what a lookup has found.
    #[must_use]
    pub fn new(lookup: &'a Lookup, loaded: Loaded) -> Self {
        Self { lookup, loaded, commit: None }
    }

    /// Returns the lookup.
    #[must_use]
    pub fn lookup(&self) -> &'a Lookup {
        self.lookup
    }

    /// Returns the findings of the lookup.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Decides that this is to be written, in place of what was decided before.
    pub fn write(&mut self, commit: Commit) {
        self.commit = Some(commit);
    }

    /// Returns true if anything is to be written.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.commit.is_some()
    }

    /// Returns the commit, if anything is to be written.
    #[must_use]
    pub fn into_commit(self) -> Option<Commit> {
        self.commit
    }

    /// The commit, to be written from where it is.
    pub(crate) fn commit_mut(&mut self) -> Option<&mut Commit> {
        self.commit.as_mut()
    }

    /// The findings, as the decision left them, and the commit, if anything is to be written.
    pub(crate) fn into_parts(self) -> (Loaded, Option<Commit>) {
        (self.loaded, self.commit)
    }

    /// The findings, to be filled in before they are decided on.
    pub(crate) fn loaded_mut(&mut self) -> &mut Loaded {
        &mut self.loaded
    }

    /// Lends the conversation: it is to be given back unless a commit is written.
    pub(crate) fn lend(&mut self) -> Lent<'_> {
        let key = self.loaded.key.as_ref();
        let Some(stored) = &mut self.loaded.conversation else {
            return Lent { key, ..Lent::default() };
        };
        let (mut conversation, mut fault) = (None, None);
        if stored.quarantined {
            fault = Some(Box::new((stored.contact.clone(), None)));
        } else {
            match stored.record.lend() {
                Ok(lent) => conversation = Some(lent),
                Err(error) => fault = Some(Box::new((stored.contact.clone(), Some(error)))),
            }
        }
        let StoredConversation { revision, settled, leased, .. } = *stored;
        Lent { conversation, revision: Some(revision), settled, leased, key, fault }
    }

    /// Takes back what was lent; a conversation that began with the decision is dropped.
    pub(crate) fn give_back(&mut self, conversation: Option<Arc<Conversation>>) {
        if let (Some(stored), Some(conversation)) = (&mut self.loaded.conversation, conversation) {
            stored.record.give_back(conversation);
        }
    }
}

/// Everything that a transaction lends.
#[derive(Default)]
pub(crate) struct Lent<'a> {
    /// The conversation; None: there is none, or it cannot be used.
    pub(crate) conversation: Option<Arc<Conversation>>,
    /// Its revision; None: there is none.
    pub(crate) revision: Option<Revision>,
    /// Messages up to here are settled.
    pub(crate) settled: u64,
    /// True if the lookup's token holds the live lease.
    pub(crate) leased: bool,
    pub(crate) key: Option<&'a KeyRecord>,
    /// Its contact, if it cannot be used: it was set aside, or cannot be read for this reason.
    pub(crate) fault: Option<Box<(ContactId, Option<DecodeError>)>>,
}
