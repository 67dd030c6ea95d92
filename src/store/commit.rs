//! The data that engine and store exchange. No behaviour: what each field means is in the store's
//! contract.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::address::Alias;
use crate::id::{ContactId, FlowId, FlowVersion, SessionId, TriggerKey, WorkspaceId};
use crate::kernel::key_hash;
use crate::list::ShortList;
use crate::session::KeyRecord;
use crate::store::{CountDelta, JournalEntry, Record, SessionRecord};

/// A conversation's revision; only compared.
pub type Revision = u64;

/// Names one call, or one claim: who holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(pub Uuid);

/// The data that one decision needs.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The conversation.
    pub subject: Subject,
    /// The trigger's key, when it has one.
    pub key: Option<KeyName>,
    /// The call.
    pub token: Token,
    /// The engine's time.
    pub now: DateTime<Utc>,
    /// Lets [`ConversationStore::update`](crate::store::ConversationStore::update) hand the only
    /// owner of the record to the decision, so that it is changed in place. Set only where the
    /// commit cannot be refused once it is decided on what was loaded: it is of the conversation
    /// that was looked up, has no key, adds no alias but ids of sessions minted for it, and neither
    /// holds nor frees a lease.
    pub in_place: bool,
    /// Races that this call has lost so far: commits that were answered [`Committed::Conflict`]. A
    /// store that several processes share may decide under a lock of the conversation once there
    /// are some ([SEMANTICS S17](crate::semantics#s17)).
    pub races: u32,
    /// Lets [`ConversationStore::update`](crate::store::ConversationStore::update) decide on a
    /// conversation as this process saw it last, which the commit confirms (rule 29). Set only
    /// where the token holds no lease, as that of a call that has written nothing yet.
    pub known: bool,
}

impl Lookup {
    /// A lookup without a key, by a store that keeps its copy of the record, of what is stored now.
    #[must_use]
    pub fn new(workspace: WorkspaceId, subject: Subject, token: Token, now: DateTime<Utc>) -> Self {
        Self { workspace, subject, key: None, token, now, in_place: false, races: 0, known: false }
    }
}

/// The conversation.
#[derive(Clone, Debug)]
pub enum Subject {
    /// By contact.
    Contact(ContactId),
    /// By one of its addresses or sessions.
    Alias(Alias),
}

/// An idempotency key: unique in (workspace, flow), not in a contact.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyName {
    /// The flow.
    pub flow: FlowId,
    /// The caller's key.
    pub key: TriggerKey,
}

impl Purge {
    /// Counters of minutes before this one are removed.
    #[must_use]
    pub fn counts_before_minute(&self) -> i64 {
        self.counts_before.timestamp().div_euclid(60)
    }
}

impl KeyName {
    /// The name under which the key stays once its contact is erased: a hash, so that the caller's
    /// text is gone.
    #[must_use]
    pub fn hashed(&self) -> Self {
        let hash = Uuid::from_u128(key_hash(&self.flow, &self.key));
        Self { flow: self.flow.clone(), key: TriggerKey::from(hash) }
    }
}

/// Result of a lookup.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The conversation, if there is one.
    pub conversation: Option<StoredConversation>,
    /// The key, if it was asked for, is there and has not expired.
    pub key: Option<KeyRecord>,
    /// The revision that [`FlowStore::revision`](crate::store::FlowStore::revision) would return,
    /// where flows are kept in the same store.
    pub catalogue: Option<u64>,
}

/// A conversation as it is stored.
#[derive(Clone, Debug)]
pub struct StoredConversation {
    /// The contact that it belongs to.
    pub contact: ContactId,
    /// Its revision.
    pub revision: Revision,
    /// Its record.
    pub record: Record,
    /// The watermark: messages up to here are settled.
    pub settled: u64,
    /// True if the lookup's token holds the live lease.
    pub leased: bool,
    /// True if it was set aside.
    pub quarantined: bool,
}

/// One decision, to be written whole or not at all.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The contact of the conversation.
    pub contact: ContactId,
    /// The revision it was decided on; None if there was no record.
    pub expect: Option<Revision>,
    /// The state beside the record that it was decided on without reading it, for a store that
    /// [compares it](crate::store::ConversationStore::compares_seen) (rule 29).
    pub seen: Option<DecisionBasis>,
    /// The new record.
    pub record: Record,
    /// When something is due next.
    pub due_at: Option<DateTime<Utc>>,
    /// The effect on the lease.
    pub lease: Lease,
    /// A key to be inserted; it must be new.
    pub key: Option<(KeyName, KeyRecord)>,
    /// Aliases that lead here from now on.
    pub add_aliases: Vec<Alias>,
    /// Aliases that no longer do so.
    pub drop_aliases: Vec<Alias>,
    /// A contact that turned out to be this one (rule 27).
    pub absorbs: Option<Box<MergedContact>>,
    /// Sessions that this decision started, or took to another version: flow and version. A store
    /// that counts live sessions by an index reads it here.
    pub started: ShortList<(SessionId, FlowId, FlowVersion)>,
    /// Sessions that this decision ended. They are not in the record any more.
    pub ended: ShortList<SessionRecord>,
    /// Live sessions that called a flow or came back from one, each with all versions that it needs
    /// now beside its own. A store that counts live sessions by an index reads it here, in place of
    /// what it read before.
    pub called: Vec<(SessionId, Vec<(FlowId, FlowVersion)>)>,
    /// Entries to append to the journal.
    pub journal: Vec<JournalEntry>,
    /// Increments of counters, in order, each counter once (rule 25). Empty where the store keeps
    /// none.
    pub counts: Vec<CountDelta>,
    /// Number of dead letters in the record; for listing.
    pub dead_letters: u32,
    /// The engine's time.
    pub now: DateTime<Utc>,
}

impl Commit {
    /// A commit that writes a record and nothing else: nothing is due, the lease is left alone.
    #[must_use]
    pub fn new(
        workspace: WorkspaceId,
        contact: ContactId,
        expect: Option<Revision>,
        record: Record,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            workspace,
            contact,
            expect,
            seen: None,
            record,
            due_at: None,
            lease: Lease::Leave,
            key: None,
            add_aliases: Vec::new(),
            drop_aliases: Vec::new(),
            absorbs: None,
            started: ShortList::None,
            ended: ShortList::None,
            called: Vec::new(),
            journal: Vec::new(),
            counts: Vec::new(),
            dead_letters: 0,
            now,
        }
    }
}

/// The state beside the record that a decision was made on (rule 29).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionBasis {
    /// The watermark; it may rise without a new revision (rule 15).
    pub settled: u64,
    /// The revision of the workspace's flows, as [`Loaded::catalogue`] told it. None: it told none,
    /// and none is compared.
    pub catalogue: Option<u64>,
}

/// A contact that turns out to be another one (rule 27).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedContact {
    /// The contact that was merged away.
    pub contact: ContactId,
    /// The revision of its conversation that the caller saw.
    pub expect: Revision,
    /// The watermark that the caller saw: it alone may rise without a new revision (rule 15).
    pub settled: u64,
    /// The token by which the caller holds that conversation's lease, if it does.
    pub token: Option<Token>,
}

/// Effect of a commit on the conversation's lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Nothing.
    Leave,
    /// Takes it, if it is free or already the token's, for so long from now.
    Take(Token, Duration),
    /// Needs it and keeps it.
    Hold(Token),
    /// Needs it and ends it.
    Free(Token),
}

/// Outcome of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Committed {
    /// Written.
    Applied {
        /// The new revision.
        revision: Revision,
        /// True if the commit's token holds the lease now.
        leased: bool,
        /// The watermark.
        settled: u64,
    },
    /// The conversation is at another revision. Nothing was written.
    Conflict,
    /// The key is there already. Nothing was written.
    KeyTaken,
    /// An alias leads to this other contact. Nothing was written.
    AliasTaken {
        /// The alias.
        alias: Alias,
        /// Where it leads.
        holder: ContactId,
    },
    /// The lease is not the token's any more. Nothing was written.
    LeaseLost,
}

/// Progress of a delivery: the messages delivered, and when something is due next.
#[derive(Clone, Debug)]
pub struct Settle {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The contact of the conversation.
    pub contact: ContactId,
    /// Token of the lease's holder.
    pub token: Token,
    /// The revision that the deliverer saw.
    pub revision: Revision,
    /// Messages up to here are settled.
    pub settled: u64,
    /// When something is due next, given that.
    pub due_at: Option<DateTime<Utc>>,
    /// Sets the conversation aside ([SEMANTICS S9](crate::semantics#s9)).
    pub quarantine: bool,
    /// The engine's time.
    pub now: DateTime<Utc>,
}

/// Outcome of a settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Settled {
    /// Done; the lease is free.
    Done,
    /// The watermark is raised to this; the conversation has changed, and the lease is kept.
    Conflict {
        /// The watermark.
        settled: u64,
    },
    /// The lease is not the token's any more. Nothing changed.
    LeaseLost,
}

/// A claim of due conversations.
#[derive(Clone, Debug)]
pub struct Due {
    /// The engine's time.
    pub now: DateTime<Utc>,
    /// Token of the claimant.
    pub token: Token,
    /// For how long.
    pub lease: Duration,
    /// Maximum number of conversations.
    pub limit: usize,
    /// Asks for conversations whose last lease ended unsettled, and for no others; else they are
    /// left out (rule 12).
    pub suspects: bool,
}

/// Result of a claim.
#[derive(Clone, Debug, Default)]
pub struct Leased {
    /// The conversations, the longest overdue first.
    pub conversations: Vec<LeasedConversation>,
    /// When the next one is due that was not claimed. It may be earlier than anything really is
    /// due, never later.
    pub next_due: Option<DateTime<Utc>>,
    /// The time of the store's own clock as it answered (rule 26). None: it has none.
    pub store_time: Option<DateTime<Utc>>,
}

/// A claimed conversation.
#[derive(Clone, Debug)]
pub struct LeasedConversation {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The conversation.
    pub stored: StoredConversation,
    /// Number of claims since it last made progress, including this one.
    pub claims: u32,
}

/// The live sessions to count: those that [need](crate::Session::needs) the version.
#[derive(Clone, Debug)]
pub struct Live {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The flow.
    pub flow: FlowId,
    /// One version of it; None: all.
    pub version: Option<FlowVersion>,
    /// Makes their conversations due at this instant.
    pub wake_at: Option<DateTime<Utc>>,
}

/// The bounds of a purge.
#[derive(Clone, Debug)]
pub struct Purge {
    /// Keys that expired at or before this are removed.
    pub now: DateTime<Utc>,
    /// Sessions that ended before this are removed, with their alias.
    pub ended_before: DateTime<Utc>,
    /// Journal entries from before this are removed.
    pub journal_before: DateTime<Utc>,
    /// Counters of minutes that ended before this are removed.
    pub counts_before: DateTime<Utc>,
    /// Maximum number of removals of each kind.
    pub limit: usize,
}

/// The number of entries of each kind that a purge removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Purged {
    /// Keys.
    pub keys: usize,
    /// Ended sessions.
    pub sessions: usize,
    /// Journal entries.
    pub journal: usize,
    /// Counters, as rows of the store.
    pub counts: usize,
    /// True if more was left because of the limit.
    pub more: bool,
}

/// A contact that is to be forgotten.
#[derive(Clone, Debug)]
pub struct Erase {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The contact.
    pub contact: ContactId,
    /// The revision of its conversation that the caller saw.
    pub expect: Revision,
    /// Leaves keys, ended sessions and journal as they are until their own retention is over, if
    /// true: a stranger's conversation is removed, and what was promised of its past is kept.
    pub keeps_history: bool,
    /// The engine's time.
    pub now: DateTime<Utc>,
}

/// The number of entries of each kind that were forgotten beside the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Removed {
    /// Ended sessions.
    pub sessions: usize,
    /// Journal entries.
    pub journal: usize,
    /// Keys that have not expired, and of which a hash stays.
    pub keys: usize,
}
