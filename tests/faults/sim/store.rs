//! A store that lets others go first, fails now and then, and breaks one rule of the contract if it
//! is told to.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use chatflow::session::{Conversation, encode_conversation};
use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Erase, Lease, Leased, Live, Loaded, Lookup, Purge, Purged,
    Removed, Settle, Settled, Subject, Token, Txn,
};
use chatflow::{ContactId, MemoryStore, StoreError, WorkspaceId};
use chrono::DateTime;
use pollster::block_on;
use uuid::Uuid;

use super::dice::Dice;
use super::people::People;

/// A defect of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutant {
    /// Writes over what others wrote.
    NoCompareAndSwap,
    /// Does not keep keys.
    ForgetsKeys,
    /// Does not keep when something is due.
    ForgetsDue,
    /// Settles whatever the revision is.
    SettlesBlindly,
    /// Says that a lease is taken that somebody else has.
    GrantsTwice,
    /// Answers no watermark.
    ForgetsWatermark,
    /// Forgets the end of a session, and brings it back.
    RevivesSessions,
    /// Keeps what was remembered of messages no longer than a commit.
    ForgetsMessages,
    /// Leaves a contact that turned out to be another one.
    KeepsAbsorbed,
    /// Erases it, with all that it had.
    LosesAbsorbed,
}

pub(super) const MUTANTS: [Mutant; 10] = [
    Mutant::NoCompareAndSwap,
    Mutant::ForgetsKeys,
    Mutant::ForgetsDue,
    Mutant::SettlesBlindly,
    Mutant::GrantsTwice,
    Mutant::ForgetsWatermark,
    Mutant::RevivesSessions,
    Mutant::ForgetsMessages,
    Mutant::KeepsAbsorbed,
    Mutant::LosesAbsorbed,
];

/// The conditions of a round.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weather {
    /// Nothing fails and nobody dies; time passes only while nothing runs.
    pub(super) calm: bool,
    /// Everything that flows and hosts can do happens.
    pub(super) rich: bool,
    /// The store decides under its own lock; else each decision is a load and a commit.
    pub(super) whole: bool,
    /// Messages leave at a pace.
    pub(super) paced: bool,
    /// People have two addresses each.
    pub(super) people: People,
    pub(super) mutant: Option<Mutant>,
}

/// Pending once.
pub(super) async fn pause() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The store of a simulation: pending at each operation, failing now and then, wrong if it is told
/// to be.
#[derive(Clone)]
pub(super) struct SimStore {
    pub(super) memory: Arc<MemoryStore>,
    pub(super) dice: Dice,
    pub(super) weather: Weather,
    pub(super) healed: Arc<Mutex<bool>>,
    /// The number of commits that were asked for.
    pub(super) written: Arc<AtomicUsize>,
    /// A conversation as it was when it had a live session that has ended since.
    pub(super) before: Arc<Mutex<HashMap<ContactId, chatflow::store::Record>>>,
}

impl SimStore {
    pub(super) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let quiet = self.weather.calm || *self.healed.lock().unwrap();
        if quiet || !self.dice.one_in(12) {
            return work.await;
        }
        match self.dice.below(3) {
            0 => Err(StoreError::transient("refused by the dice")),
            1 => Err(StoreError::unknown("lost by the dice")),
            _ => {
                work.await?;
                Err(StoreError::unknown("lost by the dice, after"))
            }
        }
    }

    /// Each operation lets others go before it.
    pub(super) async fn begin(&self) {
        if !*self.healed.lock().unwrap() {
            pause().await;
        }
    }

    pub(super) fn is(&self, mutant: Mutant) -> bool {
        self.weather.mutant == Some(mutant)
    }

    pub(super) fn stored(&self, contact: &ContactId) -> Option<chatflow::store::StoredConversation> {
        block_on(self.memory.load(&lookup_of(contact))).expect("memory answers").conversation
    }
}

pub(super) fn lookup_of(contact: &ContactId) -> Lookup {
    let (subject, token) = (Subject::Contact(contact.clone()), Token(Uuid::nil()));
    Lookup::new(WorkspaceId::default(), subject, token, DateTime::UNIX_EPOCH)
}

/// The conversation without what it remembers of messages.
pub(super) fn forgetful(conversation: &Conversation) -> chatflow::store::Record {
    let mut json = serde_json::to_value(conversation).expect("it has a form");
    json.as_object_mut().expect("an object").remove("remembered");
    let changed: Conversation = serde_json::from_value(json).expect("still one");
    chatflow::store::Record::from_bytes(encode_conversation(&changed).expect("it has a form"))
}

impl ConversationStore for SimStore {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.begin().await;
        let mut loaded = self.run(self.memory.load(lookup)).await?;
        if self.is(Mutant::ForgetsWatermark)
            && let Some(stored) = &mut loaded.conversation
        {
            stored.settled = 0;
        }
        Ok(loaded)
    }

    async fn commit(&self, mut commit: Commit) -> Result<Committed, StoreError> {
        self.begin().await;
        let stored = self.weather.mutant.and_then(|_| self.stored(&commit.contact));
        match self.weather.mutant {
            Some(Mutant::NoCompareAndSwap) => commit.expect = stored.map(|stored| stored.revision),
            Some(Mutant::ForgetsKeys) => commit.key = None,
            Some(Mutant::ForgetsDue) => commit.due_at = commit.due_at.filter(|due| *due <= commit.now),
            Some(Mutant::ForgetsMessages) => {
                commit.record = forgetful(&commit.record.conversation().expect("readable"));
            }
            Some(Mutant::KeepsAbsorbed) => commit.absorbs = None,
            Some(Mutant::LosesAbsorbed) => {
                if let Some(absorbed) = commit.absorbs.take() {
                    let (workspace, now) = (commit.workspace.clone(), commit.now);
                    let contact = absorbed.contact;
                    let erase =
                        Erase { workspace, contact, expect: absorbed.expect, keeps_history: false, now };
                    self.memory.erase(&erase).await?;
                }
            }
            Some(Mutant::RevivesSessions) => {
                let mut before = self.before.lock().unwrap();
                if let Some(record) = before.remove(&commit.contact) {
                    commit.record = record;
                } else if let (false, Some(stored)) = (commit.ended.is_empty(), stored) {
                    before.insert(commit.contact.clone(), stored.record);
                }
            }
            _ => {}
        }
        let takes = matches!(commit.lease, Lease::Take(..));
        let work = async {
            let committed = self.memory.commit(commit).await;
            self.written.fetch_add(1, Ordering::Relaxed);
            committed
        };
        let committed = self.run(work).await?;
        Ok(match committed {
            Committed::Applied { revision, settled, .. } if takes && self.is(Mutant::GrantsTwice) => {
                Committed::Applied { revision, settled, leased: true }
            }
            Committed::Applied { revision, leased, .. } if self.is(Mutant::ForgetsWatermark) => {
                Committed::Applied { revision, settled: 0, leased }
            }
            other => other,
        })
    }

    async fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        if self.weather.whole {
            self.begin().await;
            let work = async {
                let committed = self.memory.update(lookup, decide).await;
                self.written.fetch_add(1, Ordering::Relaxed);
                committed
            };
            return self.run(work).await;
        }
        let mut txn = Txn::new(lookup, self.load(lookup).await?);
        decide(&mut txn);
        match txn.into_commit() {
            Some(commit) => self.commit(commit).await.map(Some),
            None => Ok(None),
        }
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.begin().await;
        let mut settle = settle.clone();
        if self.is(Mutant::ForgetsDue) {
            settle.due_at = None;
        }
        let work = async {
            if self.is(Mutant::SettlesBlindly)
                && let Some(stored) = self.stored(&settle.contact)
            {
                settle.revision = stored.revision;
            }
            self.memory.settle(&settle).await
        };
        self.run(work).await
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.begin().await;
        self.run(self.memory.lease_due(due)).await
    }
    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.begin().await;
        self.run(self.memory.live(live)).await
    }
    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.begin().await;
        self.run(self.memory.purge(purge)).await
    }
    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        self.begin().await;
        self.run(self.memory.erase(erase)).await
    }
}
