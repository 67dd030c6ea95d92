//! The protocol in small: one contact, one store, three processes, and the rules between them. What
//! the real store and engine do in many words is here one step of an enumeration.

/// A rule of the protocol, which can be dropped to see what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A commit is refused when the record is not the one that it was decided on.
    CommitComparesRevision,
    /// A commit writes the trigger's key with the session.
    CommitWritesKey,
    /// A message leaves only once its turn is committed.
    SendAfterCommit,
    /// Only the holder of the lease sends.
    LeaseBeforeSend,
    /// A lease is granted to one at a time.
    LeaseExcludes,
    /// A lease ends by itself.
    LeaseEnds,
    /// A commit that has messages says that something is due.
    CommitSetsDue,
    /// A settle leaves what is due to a newer commit.
    SettleComparesRevision,
    /// A settle raises the watermark no further than what was sent.
    SettleSaysWhatWasSent,
    /// A settled message is not sent again.
    WatermarkIsRead,
    /// A call whose commit is of unknown outcome looks for its own session.
    OwnWorkIsKnown,
    /// A commit remembers the message that it took.
    CommitRemembersMessage,
    /// An erased conversation keeps its revision.
    EraseKeepsRevision,
    /// A key outlives the contact.
    KeyOutlivesErase,
    /// An erasure is refused when something was committed meanwhile.
    EraseComparesRevision,
    /// A session stays on its version.
    SessionPinsVersion,
    /// A migration is a commit like any other.
    MigrationComparesRevision,
}

impl Rule {
    pub(super) const ALL: [Self; 17] = [
        Self::CommitComparesRevision,
        Self::CommitWritesKey,
        Self::SendAfterCommit,
        Self::LeaseBeforeSend,
        Self::LeaseExcludes,
        Self::LeaseEnds,
        Self::CommitSetsDue,
        Self::SettleComparesRevision,
        Self::SettleSaysWhatWasSent,
        Self::WatermarkIsRead,
        Self::OwnWorkIsKnown,
        Self::CommitRemembersMessage,
        Self::EraseKeepsRevision,
        Self::KeyOutlivesErase,
        Self::EraseComparesRevision,
        Self::SessionPinsVersion,
        Self::MigrationComparesRevision,
    ];
}

/// So many messages a conversation can have here.
pub(super) const MESSAGES: usize = 4;

/// The record of the conversation: what a commit writes whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Record {
    /// The live session: the call that started it, and its version.
    pub(super) live: Option<(u8, u8)>,
    /// The number of the last message.
    pub(super) last: u8,
    /// True if the reply is remembered.
    pub(super) heard: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Lease {
    #[default]
    Free,
    Held,
    Ended,
}

/// The stored conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Store {
    pub(super) record: Option<Record>,
    pub(super) revision: u8,
    pub(super) settled: u8,
    pub(super) due: bool,
    pub(super) lease: Lease,
    /// The session that the key came to; `ERASED` once its contact is erased.
    pub(super) key: Option<u8>,
    pub(super) online: u8,
}

pub(super) const ERASED: u8 = 99;

/// A call as it was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct View {
    pub(super) record: Option<Record>,
    pub(super) revision: u8,
    pub(super) key: Option<u8>,
    pub(super) online: u8,
    /// True if a session of this call was found by its id.
    pub(super) own: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Ask {
    /// With the id of the call, which is that of its session, and with the key or without.
    Trigger(u8, bool),
    /// The reply, which the channel hands in twice.
    Reply,
    Migrate,
    Erase,
}

/// The step that a process has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum At {
    #[default]
    Idle,
    /// Asked, and not loaded yet; true: after a commit of unknown outcome.
    TrustedStore(Ask, bool),
    Loaded(Ask, bool, View),
    /// Sends the messages behind `sent` up to `last`, as of a revision; true: it has the lease.
    Sending {
        revision: u8,
        sent: u8,
        last: u8,
        leased: bool,
    },
}

/// The events so far, which no process knows as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Past {
    /// Calls that were made.
    pub(super) calls: u8,
    /// The calls that started a session.
    pub(super) started: Vec<u8>,
    pub(super) started_by_key: u8,
    pub(super) live: Option<(u8, u8)>,
    pub(super) committed: u8,
    pub(super) taken: u8,
    pub(super) delivered: [u8; MESSAGES],
    pub(super) erased: bool,
    /// Something went wrong by which a message may come twice.
    pub(super) excused: bool,
}

/// The number of times that each event may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Budget {
    pub(super) triggers: u8,
    pub(super) keyed: u8,
    pub(super) replies: u8,
    pub(super) publishes: u8,
    pub(super) migrations: u8,
    pub(super) erasures: u8,
    pub(super) crashes: u8,
    pub(super) unknown: u8,
    pub(super) lapses: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) processes: [At; 3],
    pub(super) past: Past,
    pub(super) left: Budget,
}

impl State {
    pub(super) fn new(left: Budget) -> Self {
        let store = Store { online: 1, ..Store::default() };
        Self { store, processes: [At::Idle; 3], past: Past::default(), left }
    }

    /// The same for all orders of the processes, which are alike.
    pub(super) fn sorted(mut self) -> Self {
        self.processes.sort_unstable();
        self
    }
}
