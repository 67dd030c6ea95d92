//! Stores that break one rule each, so that a suite, an engine or a host's own checks can be shown
//! to see it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::StoreError;
use crate::id::{ContactId, FlowId, FlowVersion, NodeId, SessionId, WorkspaceId};
use crate::session::ShortList;
use crate::store::{
    Catalogue, CatalogueChanges, Commit, Committed, ConversationQuery, ConversationStore, CountDelta,
    CountQuery, CountSums, CounterSubject, Due, Erase, FlowChange, FlowSaved, FlowStore, JournalEntry,
    JournalQuery, Lease, Leased, ListedSession, Live, Loaded, Lookup, Purge, Purged, Record, Removed,
    Revision, SessionQuery, SessionRecord, Settle, Settled, StoreQueries, StoredConversation, Subject, Txn,
};
use crate::testkit::store_suite::harness::step_aside;

/// A defect of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flaw {
    /// Writes over what others wrote: `expect` is not looked at (rule 5).
    LostUpdate,
    /// Keeps the key of a refused commit (rule 4).
    TornKey,
    /// Writes the aliases of a commit after the rest, so that a dropped call leaves a part (rules 4
    /// and 19).
    TornAliases,
    /// Lets a key be taken twice (rule 6).
    KeysNotUnique,
    /// Lets two contacts have an alias; the first keeps it (rule 7).
    AliasesNotUnique,
    /// Does not keep keys (rule 3).
    ForgetsKeys,
    /// Answers keys that have expired (rule 3).
    KeysNeverExpire,
    /// Answers a conversation as it was at the load before (rules 2 and 3).
    StaleRead,
    /// Gives an answer that writes nothing on what it remembers (rule 2).
    AnswersUnconfirmed,
    /// Compares the revision, and nothing else that a decision was made on (rule 29).
    ComparesRevisionOnly,
    /// Finds conversations of other workspaces (rule 1).
    OneWorkspace,
    /// Takes capital letters for small ones (rule 21).
    FoldsCase,
    /// Claims what is not due yet (rule 12).
    PhantomDue,
    /// Claims without a lease, so that another token gets the same (rule 12).
    SharesClaims,
    /// Does not keep when something is due (rules 4 and 15).
    ForgetsDue,
    /// Says that it is later than it is until something is due next (rule 12).
    NextDueLate,
    /// Says that a lease was taken that somebody else has (rule 10).
    GrantsTwice,
    /// Commits without the lease (rule 11).
    IgnoresLease,
    /// Answers no watermark (rule 13).
    ForgetsWatermark,
    /// Says that it settled, without the lease (rule 14).
    SettlesWithoutLease,
    /// Settles whatever the revision is (rule 15).
    SettlesBlindly,
    /// Acknowledges settles before it writes them, and a flush does not write them (rule 28).
    FlushesNothing,
    /// Sets nothing aside (rule 17).
    NoQuarantine,
    /// Removes what is an hour too young (rule 20).
    PurgesTooMuch,
    /// Never says that more is left (rule 20).
    PurgeStops,
    /// Says that a contact is erased, and leaves it (rule 22).
    KeepsErased,
    /// Erases at any revision (rule 22).
    ErasesBlindly,
    /// Counts sessions by flow, whatever their version (rule 24).
    CountsAnyVersion,
    /// Wakes nobody (`live`).
    WakesNobody,
    /// Counts nothing (rule 25).
    ForgetsCounts,
    /// Counts what a refused commit would have counted (rules 4 and 25).
    CountsRefused,
    /// Counts after the rest of a commit, so that a dropped call leaves a part (rules 19 and 25).
    TornCounts,
    /// Takes a contact in at any revision (rule 27).
    AbsorbsBlindly,
    /// Takes a contact in whatever was settled since (rule 27).
    AbsorbsUnsettled,
    /// Leaves the contact that it takes in as it was (rule 27).
    KeepsAbsorbed,
    /// Erases the contact that it takes in, with all that it had (rule 27).
    LosesAbsorbed,
    /// Reads counters whatever the minute (rule 6 of [`StoreQueries`]).
    CountsAnyMinute,
    /// Takes counters away with a contact that is erased (rule 25).
    ErasesCounts,
    /// Keeps neither ended sessions nor the journal. Allowed to a store without [`StoreQueries`]
    /// (rule 20).
    DropsPast,
    /// Tells a time that goes back (rule 26).
    TimeGoesBack,
    /// Pages begin anew whatever the cursor says (rules 2, 4 and 5 of [`StoreQueries`]).
    IgnoresCursor,
    /// Lists sessions each with the contact of another one (rule 7 of [`StoreQueries`]).
    SwapsContacts,
    /// Saves changes of several flows one after the other (rule 6 of [`FlowStore`]).
    TornFlows,
    /// Saves all but the last of several flows, and says that it saved them (rule 6 of
    /// [`FlowStore`]).
    ForgetsAFlow,
    /// Takes at most so many flows at once as fit into one of its messages (rule 6 of
    /// [`FlowStore`]).
    FewFlowsAtOnce,
    /// Saves several flows whatever revisions they have (rules 3 and 6 of [`FlowStore`]).
    SavesFlowsBlindly,
    /// Takes another text under the number of a version for the same (rules 4 and 6 of
    /// [`FlowStore`]).
    KeepsOldText,
    /// Tells of no more than one change (rule 7 of [`FlowStore`]).
    TellsOneChange,
    /// Does not tell that a flow was deleted (rule 7 of [`FlowStore`]).
    HidesDeletions,
    /// Says that nothing changed since a revision that it has not reached (rule 7 of
    /// [`FlowStore`]).
    TrustsTheReader,
    /// Answers changes with a revision that was read after them (rule 7 of [`FlowStore`]).
    RevisionAfterChanges,
}

impl Flaw {
    /// Each of them.
    pub const ALL: [Self; 51] = [
        Self::LostUpdate,
        Self::TornKey,
        Self::TornAliases,
        Self::KeysNotUnique,
        Self::AliasesNotUnique,
        Self::ForgetsKeys,
        Self::KeysNeverExpire,
        Self::StaleRead,
        Self::AnswersUnconfirmed,
        Self::ComparesRevisionOnly,
        Self::OneWorkspace,
        Self::FoldsCase,
        Self::PhantomDue,
        Self::SharesClaims,
        Self::ForgetsDue,
        Self::NextDueLate,
        Self::GrantsTwice,
        Self::IgnoresLease,
        Self::ForgetsWatermark,
        Self::SettlesWithoutLease,
        Self::SettlesBlindly,
        Self::FlushesNothing,
        Self::NoQuarantine,
        Self::PurgesTooMuch,
        Self::PurgeStops,
        Self::KeepsErased,
        Self::ErasesBlindly,
        Self::CountsAnyVersion,
        Self::WakesNobody,
        Self::ForgetsCounts,
        Self::CountsRefused,
        Self::TornCounts,
        Self::AbsorbsBlindly,
        Self::AbsorbsUnsettled,
        Self::KeepsAbsorbed,
        Self::LosesAbsorbed,
        Self::CountsAnyMinute,
        Self::ErasesCounts,
        Self::DropsPast,
        Self::TimeGoesBack,
        Self::IgnoresCursor,
        Self::SwapsContacts,
        Self::TornFlows,
        Self::ForgetsAFlow,
        Self::FewFlowsAtOnce,
        Self::SavesFlowsBlindly,
        Self::KeepsOldText,
        Self::TellsOneChange,
        Self::HidesDeletions,
        Self::TrustsTheReader,
        Self::RevisionAfterChanges,
    ];
}

/// A store with one [`Flaw`], around one that is sound.
///
/// ```
/// use chatflow::MemoryStore;
/// use chatflow::testkit::store_suite::{Flaw, Flawed, FreshStores, conversations};
///
/// let harness = FreshStores(|| Flawed::new(MemoryStore::new(), Flaw::LostUpdate));
/// let checks = conversations();
/// let check = checks.iter().find(|check| check.name == "a_commit_expects_the_last_revision").unwrap();
/// assert!(pollster::block_on(check.verdict(&harness)).is_err());
/// ```
#[derive(Debug)]
pub struct Flawed<S> {
    store: S,
    flaw: Flaw,
    /// The result of a subject's last load.
    before: Mutex<HashMap<String, StoredConversation>>,
    acknowledged: Mutex<Vec<Settle>>,
    ghosts: AtomicU64,
    has_erased: AtomicBool,
}

impl<S> Flawed<S> {
    /// A store that is wrong in one thing.
    pub fn new(store: S, flaw: Flaw) -> Self {
        Self {
            store,
            flaw,
            before: Mutex::default(),
            acknowledged: Mutex::default(),
            ghosts: AtomicU64::new(0),
            has_erased: AtomicBool::new(false),
        }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// A time, earlier by a second each time.
    fn earlier(&self) -> Option<DateTime<Utc>> {
        let gone = self.ghosts.fetch_add(1, Ordering::Relaxed);
        DateTime::from_timestamp(1_767_225_600 - i64::try_from(gone).unwrap(), 0)
    }

    fn workspace(&self, workspace: &WorkspaceId) -> WorkspaceId {
        if self.is(Flaw::OneWorkspace) { WorkspaceId::default() } else { workspace.clone() }
    }

    fn contact(&self, contact: &ContactId) -> ContactId {
        match self.flaw {
            Flaw::FoldsCase => ContactId::new(contact.to_string().to_ascii_lowercase()).unwrap(),
            _ => contact.clone(),
        }
    }

    /// Returns what was answered before, in place of what is there now.
    fn stale(&self, lookup: &Lookup, now: Option<StoredConversation>) -> Option<StoredConversation> {
        match now {
            Some(now) => self.remember(lookup, Some(now.clone())).or(Some(now)),
            None => self.remember(lookup, None),
        }
    }

    /// Takes note of what was answered, or forgets it; returns what was noted before.
    fn remember(&self, lookup: &Lookup, now: Option<StoredConversation>) -> Option<StoredConversation> {
        let name = format!("{:?} {:?}", lookup.workspace, lookup.subject);
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        match now {
            Some(now) => before.insert(name, now),
            None => before.remove(&name),
        }
    }
}

impl<S: ConversationStore> Flawed<S> {
    async fn revision(&self, commit: &Commit) -> Result<Option<Revision>, StoreError> {
        let subject = Subject::Contact(commit.contact.clone());
        let lookup = Lookup::new(commit.workspace.clone(), subject, NOBODY, commit.now);
        Ok(self.store.load(&lookup).await?.conversation.map(|found| found.revision))
    }

    /// Writes the settles that were acknowledged before.
    async fn write_acknowledged(&self) -> Result<(), StoreError> {
        let settles = std::mem::take(&mut *self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner));
        for settle in settles {
            let _ = self.store.settle(&settle).await?;
        }
        Ok(())
    }

    /// Acknowledges a settle if it would be done.
    async fn acknowledge(&self, settle: &Settle) -> Result<bool, StoreError> {
        self.write_acknowledged().await?;
        let subject = Subject::Contact(settle.contact.clone());
        let lookup = Lookup::new(settle.workspace.clone(), subject, settle.token, settle.now);
        let found = self.store.load(&lookup).await?.conversation;
        let is_done = found.is_some_and(|found| found.leased && found.revision == settle.revision);
        if is_done && !settle.quarantine {
            self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(settle.clone());
        }
        Ok(is_done && !settle.quarantine)
    }

    /// First the record, then its aliases or what it counts.
    async fn commit_in_two(&self, commit: Commit) -> Result<Committed, StoreError> {
        let (is_of_aliases, is_of_counts) = (self.is(Flaw::TornAliases), self.is(Flaw::TornCounts));
        let mut first = commit.clone();
        if is_of_aliases {
            first.add_aliases = Vec::new();
        }
        if is_of_counts {
            first.counts = Vec::new();
        }
        let committed = self.store.commit(first).await?;
        let Committed::Applied { revision, leased, settled } = committed else { return Ok(committed) };
        step_aside().await;
        let lease = Lease::Leave;
        let expect = Some(revision);
        let (key, journal, ended) = (None, Vec::new(), ShortList::None);
        let counts = if is_of_counts { commit.counts } else { Vec::new() };
        let second =
            Commit { expect, lease, key, journal, ended, counts, drop_aliases: Vec::new(), ..commit };
        Ok(match self.store.commit(second).await? {
            Committed::Applied { revision, .. } => Committed::Applied { revision, leased, settled },
            refused => refused,
        })
    }

    /// Makes the settled watermark of the absorbed contact, or also its revision, right.
    async fn absorb_blindly(&self, commit: &mut Commit) -> Result<(), StoreError> {
        let Some(absorbed) = &mut commit.absorbs else { return Ok(()) };
        let subject = Subject::Contact(absorbed.contact.clone());
        let lookup = Lookup::new(commit.workspace.clone(), subject, NOBODY, commit.now);
        if let Some(found) = self.store.load(&lookup).await?.conversation {
            absorbed.settled = found.settled;
            if self.flaw == Flaw::AbsorbsBlindly {
                absorbed.expect = found.revision;
            }
        }
        Ok(())
    }

    /// Erases the absorbed contact with its history.
    async fn lose_absorbed(&self, commit: &mut Commit) -> Result<(), StoreError> {
        let Some(absorbed) = commit.absorbs.take() else { return Ok(()) };
        let (workspace, now) = (commit.workspace.clone(), commit.now);
        let (contact, expect) = (absorbed.contact, absorbed.expect);
        self.store.erase(&Erase { workspace, contact, expect, keeps_history: false, now }).await.map(drop)
    }

    /// Writes the key, or what is counted, under a contact that nobody knows.
    async fn keep_part(&self, commit: Commit) -> Result<(), StoreError> {
        let number = self.ghosts.fetch_add(1, Ordering::Relaxed);
        let ghost = ContactId::new(format!("ghost {number}")).unwrap();
        let record = Record::from_bytes(*b"ghost");
        let part = Commit::new(commit.workspace, ghost, None, record, commit.now);
        let ghost = match self.flaw {
            Flaw::TornKey => Commit { key: commit.key, ..part },
            _ => Commit { counts: commit.counts, ..part },
        };
        self.store.commit(ghost).await.map(drop)
    }
}

/// The token of nobody: it holds no lease.
const NOBODY: crate::store::Token = crate::store::Token(uuid::Uuid::nil());

impl<S: ConversationStore> ConversationStore for Flawed<S> {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.write_acknowledged().await?;
        let mut asked = Lookup { workspace: self.workspace(&lookup.workspace), ..lookup.clone() };
        if let Subject::Contact(contact) = &lookup.subject {
            asked.subject = Subject::Contact(self.contact(contact));
        }
        let mut loaded = self.store.load(&asked).await?;
        match self.flaw {
            Flaw::StaleRead => loaded.conversation = self.stale(&asked, loaded.conversation),
            Flaw::ForgetsWatermark => loaded.conversation.iter_mut().for_each(|found| found.settled = 0),
            Flaw::KeysNeverExpire => {
                asked.now = chrono::DateTime::UNIX_EPOCH;
                loaded.key = self.store.load(&asked).await?.key;
            }
            _ => {}
        }
        Ok(loaded)
    }

    async fn commit(&self, mut commit: Commit) -> Result<Committed, StoreError> {
        self.write_acknowledged().await?;
        commit.workspace = self.workspace(&commit.workspace);
        commit.contact = self.contact(&commit.contact);
        match self.flaw {
            Flaw::LostUpdate => commit.expect = self.revision(&commit).await?,
            Flaw::ComparesRevisionOnly => commit.seen = None,
            Flaw::ForgetsKeys => commit.key = None,
            Flaw::ForgetsDue => commit.due_at = None,
            Flaw::DropsPast => (commit.ended, commit.journal) = (ShortList::None, Vec::new()),
            Flaw::TornAliases | Flaw::TornCounts => return self.commit_in_two(commit).await,
            Flaw::ForgetsCounts => commit.counts = Vec::new(),
            Flaw::FoldsCase => commit.counts.iter_mut().for_each(fold),
            Flaw::AbsorbsBlindly | Flaw::AbsorbsUnsettled => self.absorb_blindly(&mut commit).await?,
            Flaw::KeepsAbsorbed if commit.absorbs.take().is_some() => commit.add_aliases = Vec::new(),
            Flaw::LosesAbsorbed => self.lose_absorbed(&mut commit).await?,
            Flaw::IgnoresLease => {
                if let Lease::Hold(_) | Lease::Free(_) = commit.lease {
                    commit.lease = Lease::Leave;
                }
            }
            _ => {}
        }
        let committed = self.store.commit(commit.clone()).await?;
        Ok(match (self.flaw, committed) {
            (Flaw::TornKey, refused @ (Committed::Conflict | Committed::LeaseLost))
                if commit.key.is_some() =>
            {
                self.keep_part(commit).await?;
                refused
            }
            (Flaw::CountsRefused, refused) if !matches!(refused, Committed::Applied { .. }) => {
                self.keep_part(commit).await?;
                refused
            }
            (Flaw::KeysNotUnique, Committed::KeyTaken) => {
                self.store.commit(Commit { key: None, ..commit }).await?
            }
            (Flaw::AliasesNotUnique, Committed::AliasTaken { .. }) => {
                self.store.commit(Commit { add_aliases: Vec::new(), ..commit }).await?
            }
            (Flaw::GrantsTwice, Committed::Applied { revision, settled, .. })
                if matches!(commit.lease, Lease::Take(..)) =>
            {
                Committed::Applied { revision, settled, leased: true }
            }
            (Flaw::ForgetsWatermark, Committed::Applied { revision, leased, .. }) => {
                Committed::Applied { revision, leased, settled: 0 }
            }
            (_, committed) => committed,
        })
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        let mut settle = settle.clone();
        settle.workspace = self.workspace(&settle.workspace);
        settle.contact = self.contact(&settle.contact);
        if self.is(Flaw::FlushesNothing) && self.acknowledge(&settle).await? {
            return Ok(Settled::Done);
        }
        match self.flaw {
            Flaw::ForgetsDue => settle.due_at = None,
            Flaw::NoQuarantine => settle.quarantine = false,
            Flaw::SettlesBlindly => {
                let subject = Subject::Contact(settle.contact.clone());
                let lookup = Lookup::new(settle.workspace.clone(), subject, settle.token, settle.now);
                let found = self.store.load(&lookup).await?.conversation;
                settle.revision = found.map_or(settle.revision, |found| found.revision);
            }
            _ => {}
        }
        let settled = self.store.settle(&settle).await?;
        Ok(match settled {
            Settled::LeaseLost if self.is(Flaw::SettlesWithoutLease) => Settled::Done,
            settled => settled,
        })
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.write_acknowledged().await?;
        let mut due = due.clone();
        match self.flaw {
            Flaw::PhantomDue => due.now += TimeDelta::seconds(2),
            Flaw::SharesClaims => due.lease = Duration::ZERO,
            _ => {}
        }
        let mut leased = self.store.lease_due(&due).await?;
        if self.is(Flaw::NextDueLate) {
            leased.next_due = leased.next_due.map(|next| next + TimeDelta::seconds(60));
        }
        if self.is(Flaw::TimeGoesBack) {
            leased.store_time = self.earlier();
        }
        Ok(leased)
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.write_acknowledged().await?;
        let mut live = Live { workspace: self.workspace(&live.workspace), ..live.clone() };
        match self.flaw {
            Flaw::CountsAnyVersion => live.version = None,
            Flaw::WakesNobody => live.wake_at = None,
            _ => {}
        }
        self.store.live(&live).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let mut purge = purge.clone();
        if self.is(Flaw::PurgesTooMuch) {
            for instant in
                [&mut purge.now, &mut purge.ended_before, &mut purge.journal_before, &mut purge.counts_before]
            {
                *instant += TimeDelta::hours(1);
            }
        }
        let purged = self.store.purge(&purge).await?;
        Ok(Purged { more: purged.more && !self.is(Flaw::PurgeStops), ..purged })
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        self.write_acknowledged().await?;
        let mut erase = erase.clone();
        erase.workspace = self.workspace(&erase.workspace);
        erase.contact = self.contact(&erase.contact);
        let subject = Subject::Contact(erase.contact.clone());
        let lookup = Lookup::new(erase.workspace.clone(), subject, NOBODY, erase.now);
        match self.flaw {
            Flaw::KeepsErased => {
                let found = self.store.load(&lookup).await?.conversation;
                return Ok(found.filter(|found| found.revision == erase.expect).map(|_| Removed::default()));
            }
            Flaw::ErasesBlindly => {
                let found = self.store.load(&lookup).await?.conversation;
                erase.expect = found.map_or(erase.expect, |found| found.revision);
            }
            _ => {}
        }
        let erased = self.store.erase(&erase).await?;
        self.has_erased.fetch_or(erased.is_some(), Ordering::Relaxed);
        Ok(erased)
    }

    async fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        let remembers = self.is(Flaw::AnswersUnconfirmed) && lookup.known;
        let remembered = if remembers { self.remember(lookup, None) } else { None };
        let loaded = match remembered {
            Some(stored) => Loaded { conversation: Some(stored), ..Loaded::default() },
            None => self.load(lookup).await?,
        };
        let seen = loaded.conversation.clone().filter(|_| remembers);
        let mut txn = Txn::new(lookup, loaded);
        decide(&mut txn);
        match txn.into_commit() {
            Some(commit) => self.commit(commit).await.map(Some),
            None => {
                if let Some(seen) = seen {
                    self.remember(lookup, Some(seen));
                }
                Ok(None)
            }
        }
    }

    fn keeps_counts(&self) -> bool {
        self.store.keeps_counts()
    }

    fn compares_seen(&self) -> bool {
        self.store.compares_seen()
    }

    async fn flush(&self) -> Result<(), StoreError> {
        if self.is(Flaw::FlushesNothing) { Ok(()) } else { self.store.flush().await }
    }

    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        if self.is(Flaw::TimeGoesBack) { Ok(self.earlier()) } else { self.store.time().await }
    }
}

/// Takes capital letters of a counter's names for small ones.
fn fold(delta: &mut CountDelta) {
    if let CounterSubject::Entered(node) = &mut delta.what {
        *node = NodeId::new(node.as_str().to_ascii_lowercase()).unwrap();
    }
}

impl<S: StoreQueries> StoreQueries for Flawed<S> {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRecord>, StoreError> {
        let mut query = SessionQuery { workspace: self.workspace(&query.workspace), ..query.clone() };
        query.after = query.after.filter(|_| !self.is(Flaw::IgnoresCursor));
        self.store.sessions(&query).await
    }

    async fn listed(&self, query: &SessionQuery) -> Result<Vec<ListedSession>, StoreError> {
        let mut query = SessionQuery { workspace: self.workspace(&query.workspace), ..query.clone() };
        query.after = query.after.filter(|_| !self.is(Flaw::IgnoresCursor));
        let mut listed = self.store.listed(&query).await?;
        if self.is(Flaw::SwapsContacts) {
            let mut contacts: Vec<_> = listed.iter_mut().map(|listed| listed.contact.take()).collect();
            let moved = contacts.len().min(1);
            contacts.rotate_left(moved);
            listed.iter_mut().zip(contacts).for_each(|(listed, contact)| listed.contact = contact);
        }
        Ok(listed)
    }

    async fn session(
        &self,
        workspace: &WorkspaceId,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        self.store.session(&self.workspace(workspace), id).await
    }

    async fn journal(&self, workspace: &WorkspaceId, id: SessionId) -> Result<Vec<JournalEntry>, StoreError> {
        self.store.journal(&self.workspace(workspace), id).await
    }

    async fn journal_of(&self, query: &JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        let mut query = JournalQuery { workspace: self.workspace(&query.workspace), ..query.clone() };
        query.after = query.after.filter(|_| !self.is(Flaw::IgnoresCursor));
        self.store.journal_of(&query).await
    }

    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<(ContactId, Record)>, StoreError> {
        let mut query = ConversationQuery { workspace: self.workspace(&query.workspace), ..query.clone() };
        query.after = query.after.filter(|_| !self.is(Flaw::IgnoresCursor));
        self.store.conversations(&query).await
    }

    async fn counts(&self, query: &CountQuery) -> Result<CountSums, StoreError> {
        if self.is(Flaw::ErasesCounts) && self.has_erased.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let mut query = CountQuery { workspace: self.workspace(&query.workspace), ..query.clone() };
        if self.is(Flaw::CountsAnyMinute) {
            (query.from, query.to) = (i64::MIN, i64::MAX);
        }
        self.store.counts(&query).await
    }
}

/// Number of flows in a message of a store that takes few at once.
const FEW: usize = 100;

impl<S: FlowStore> FlowStore for Flawed<S> {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.store.revision(&self.workspace(workspace)).await
    }

    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.store.catalogue(&self.workspace(workspace)).await
    }

    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        self.store.definition(&self.workspace(workspace), flow, version).await
    }

    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.store.save(&self.workspace(workspace), change).await
    }

    async fn save_all(
        &self,
        workspace: &WorkspaceId,
        mut changes: Vec<FlowChange>,
    ) -> Result<FlowSaved, StoreError> {
        let workspace = &self.workspace(workspace);
        match self.flaw {
            Flaw::TornFlows => {
                for change in changes {
                    if self.store.save(workspace, change).await? == FlowSaved::Conflict {
                        return Ok(FlowSaved::Conflict);
                    }
                    step_aside().await;
                }
                return Ok(FlowSaved::Saved);
            }
            Flaw::ForgetsAFlow if changes.len() > 1 => drop(changes.pop()),
            Flaw::FewFlowsAtOnce => changes.truncate(FEW),
            Flaw::SavesFlowsBlindly => {
                let there = self.store.catalogue(workspace).await?.flows;
                for change in &mut changes {
                    let stored = there.iter().find(|entry| entry.flow == change.entry.flow);
                    change.expect = stored.map(|entry| entry.revision);
                }
            }
            Flaw::KeepsOldText => {
                for change in &mut changes {
                    if let Some((version, text)) = &mut change.version
                        && let Some(old) =
                            self.store.definition(workspace, &change.entry.flow, Some(*version)).await?
                    {
                        *text = old;
                    }
                }
            }
            _ => {}
        }
        self.store.save_all(workspace, changes).await
    }

    async fn changes(&self, workspace: &WorkspaceId, since: u64) -> Result<CatalogueChanges, StoreError> {
        let workspace = &self.workspace(workspace);
        let CatalogueChanges::Since(mut changed) = self.store.changes(workspace, since).await? else {
            let nothing = Catalogue { revision: since, flows: Vec::new() };
            return match self.flaw {
                Flaw::TrustsTheReader => Ok(CatalogueChanges::Since(nothing)),
                _ => self.store.catalogue(workspace).await.map(CatalogueChanges::Whole),
            };
        };
        match self.flaw {
            Flaw::TellsOneChange => changed.flows.truncate(1),
            Flaw::HidesDeletions => changed.flows.retain(|entry| !entry.deleted),
            Flaw::RevisionAfterChanges => {
                step_aside().await;
                changed.revision = self.store.revision(workspace).await?;
            }
            _ => {}
        }
        Ok(CatalogueChanges::Since(changed))
    }

    async fn terminated(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        self.store.terminated().await
    }
}
