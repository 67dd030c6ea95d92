//! A layer over a store that keeps the conversations which this process wrote or read last, so that
//! a call for one of them reads nothing first. Never an answer on that alone: a commit compares all
//! that a load would have told (rule 29), and where there is none it is loaded and compared here.
//!
//! A commit compares the revision, and beside it all that a load tells and that may change without
//! a new revision: the watermark, the quarantine, the flows. What it cannot compare is not guessed:
//! a trigger's key and a token that may hold a lease are looked up, so an engine says which calls
//! are new (`Lookup::known`), and a call that lost a race or an answer is not. An alias leads where
//! it led as long as the revision is the same, since only the holder's own commits take addresses
//! away; of sessions, whose aliases a purge takes, only live ones are found so. Where a decision
//! leaves no commit, the same lookup is made after all and must find the same; else the call
//! decides again. That is `Conflict` without a commit, since a decision is made once for each call
//! of `update`.
//!
//! There is no smaller probe than the lookup: it is one statement by its keys, and the same answer
//! serves if it has to be decided again. SQLite's `data_version` would save the row of that
//! statement and not the way to the thread that reads; and it is blind to other handles of the same
//! process, which a comparison of the row is not.

mod news;
mod ports;
mod rows;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use crate::error::StoreError;
use crate::id::ContactId;
use crate::store::{
    Commit, Committed, ConversationStore, DecisionBasis, Loaded, Lookup, Revision, StoredConversation, Txn,
};

use news::{Encoded, LookupFindings, News, PendingCommit};
use rows::{KnownRows, Recalled};

/// The room for conversations, in bytes, unless a host says otherwise.
const ROOM: usize = 64 << 20;

/// A store whose process keeps in memory the conversations that it wrote or read last, decoded: a
/// call for one of them costs no lookup and no decoding before its commit.
///
/// - **Nothing is answered on memory alone.** The commit of such a call compares revision,
///   watermark and flows with what is stored (rule 29 of [`ConversationStore`]), so that any other
///   engine on the same store is noticed: in another process, or on a handle that is not wrapped.
///   An answer that writes nothing (already running, a repeated message, nobody asked) is given
///   only after a lookup that found the same. Where something else is stored, the call is decided
///   anew on that.
/// - **Triggers with a key** look it up first, and conversations that are claimed when they are due
///   come with the claim; both are spared the decoding.
/// - **Stores that do not [compare](ConversationStore::compares_seen)** are asked for each
///   conversation as before, and only decoding is spared.
/// - **Room.** [`cache_bytes`](Self::cache_bytes) is divided into parts, each with a lock of its
///   own; who was not asked for longest leaves first. `Known` is worth it where most messages come
///   back to the process that had the contact last: one process, or several between which contacts
///   are divided. Where each message may come to any of many processes, most of what is kept is
///   stale, and each such call costs a commit that is refused.
///
/// Clones share what is kept. The store inside may be used beside it, such as for writes of the
/// host in the same transaction.
///
/// ```
/// use chatflow::store::Known;
/// use chatflow::{Engine, MemoryStore};
///
/// // A store on a database, in a host.
/// let store = Known::new(MemoryStore::new()).cache_bytes(16 << 20);
/// let bot = Engine::builder(store).build();
/// # drop(bot);
/// ```
#[derive(Clone)]
pub struct Known<S> {
    store: S,
    /// None: nothing is kept.
    rows: Option<Arc<KnownRows>>,
}

impl<S> Known<S> {
    /// A store over this one, with room for 64 MiB.
    pub fn new(store: S) -> Self {
        Self { store, rows: Some(Arc::new(KnownRows::new(ROOM))) }
    }

    /// Sets the room for conversations, in bytes as estimated from what is written of each; 64 MiB
    /// by default. 0 keeps nothing: each call does what the store inside does. What was kept so far
    /// is forgotten.
    #[must_use]
    pub fn cache_bytes(self, bytes: usize) -> Self {
        Self { rows: (bytes > 0).then(|| Arc::new(KnownRows::new(bytes))), ..self }
    }

    /// The store inside.
    pub fn inner(&self) -> &S {
        &self.store
    }
}

impl<S: fmt::Debug> fmt::Debug for Known<S> {
    /// Says nothing of what is kept: conversations are the contacts'.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("store", &self.store).finish_non_exhaustive()
    }
}

/// A decision on a conversation that is kept.
struct Guess {
    contact: ContactId,
    revision: Revision,
    settled: u64,
    encoded: Encoded,
    catalogue: Option<u64>,
}

impl Guess {
    /// True if the lookup finds just what was decided on, and no key.
    fn is_confirmed_by(&self, loaded: &Loaded) -> bool {
        loaded.key.is_none()
            && loaded.catalogue == self.catalogue
            && loaded.conversation.as_ref().is_some_and(|found| {
                found.contact == self.contact
                    && found.revision == self.revision
                    && found.settled == self.settled
                    && !found.leased
                    && !found.quarantined
                    && Encoded::of_unread(&found.record).is_none_or(|stored| stored == self.encoded)
            })
    }

    /// True if a commit compares all of it: of the conversation itself, at its revision, and of no
    /// other one beside it.
    fn is_compared_by(&self, commit: &Commit, lookup: &Lookup) -> bool {
        commit.workspace == lookup.workspace
            && commit.contact == self.contact
            && commit.expect == Some(self.revision)
            && commit.absorbs.is_none()
    }
}

impl<S: ConversationStore> Known<S> {
    /// The conversation of a lookup that may be decided on as it is kept: taken out, so that the
    /// decision may change it in place.
    fn recall(&self, rows: &KnownRows, lookup: &Lookup) -> Option<Recalled> {
        let may_guess =
            lookup.known && lookup.races == 0 && lookup.key.is_none() && self.store.compares_seen();
        if may_guess { rows.take(lookup) } else { None }
    }

    /// Decides on what is kept, and lets the store confirm it: by the commit, or by a lookup.
    async fn update_recalled(
        &self,
        rows: &KnownRows,
        lookup: &Lookup,
        recalled: Recalled,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        let Recalled { contact, revision, settled, record, encoded, catalogue } = recalled;
        let guess = Guess { contact: contact.clone(), revision, settled, encoded, catalogue };
        let (leased, quarantined) = (false, false);
        let stored = StoredConversation { contact, revision, record, settled, leased, quarantined };
        let loaded = Loaded { conversation: Some(stored), key: None, catalogue };
        let (loaded, commit) = {
            let mut txn = Txn::new(lookup, loaded);
            decide(&mut txn);
            txn.into_parts()
        };
        let Some(mut commit) = commit else {
            if !self.confirm(rows, lookup, &guess).await? {
                return Ok(Some(Committed::Conflict));
            }
            if let Some(stored) = loaded.conversation {
                rows.give_back(&lookup.workspace, stored);
            }
            return Ok(None);
        };
        if guess.is_compared_by(&commit, lookup) {
            commit.seen = Some(DecisionBasis { settled, catalogue });
        } else if !self.confirm(rows, lookup, &guess).await? {
            return Ok(Some(Committed::Conflict));
        }
        let draft = PendingCommit::of(&mut commit, None);
        let committed = self.store.commit(commit).await;
        rows.learn(draft, committed.as_ref().ok());
        committed.map(Some)
    }

    /// True if what was decided on is what is stored now; else it is forgotten.
    async fn confirm(&self, rows: &KnownRows, lookup: &Lookup, guess: &Guess) -> Result<bool, StoreError> {
        let loaded = self.store.load(lookup).await?;
        rows.note_catalogue(&lookup.workspace, loaded.catalogue);
        let is_confirmed = guess.is_confirmed_by(&loaded);
        if !is_confirmed {
            rows.forget(&lookup.workspace, &guess.contact);
        }
        Ok(is_confirmed)
    }

    /// Lets the store load, decide and commit, and keeps what came of it.
    async fn update_loaded(
        &self,
        rows: &KnownRows,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        let mut news = None;
        let committed = self
            .store
            .update(lookup, &mut |txn| {
                rows.note_catalogue(&lookup.workspace, txn.loaded().catalogue);
                let stored = txn.loaded_mut().conversation.as_mut();
                let encoded = stored.and_then(|stored| rows.spare_decoding(&lookup.workspace, stored));
                let found = LookupFindings::of(lookup, txn.loaded(), encoded);
                decide(txn);
                news = found.after(txn);
            })
            .await;
        match news {
            None => {}
            Some(News::Answer(answer)) => rows.learn_found(answer),
            Some(News::Write(draft)) => rows.learn(*draft, committed.as_ref().ok().and_then(Option::as_ref)),
        }
        committed
    }
}
