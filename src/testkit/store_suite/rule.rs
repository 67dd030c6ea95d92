//! The rules of the three contracts, by number, each in a line.

use std::fmt;

/// A contract of [`crate::store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Contract {
    /// [`ConversationStore`](crate::store::ConversationStore).
    ConversationStore,
    /// [`StoreQueries`](crate::store::StoreQueries).
    StoreQueries,
    /// [`FlowStore`](crate::store::FlowStore).
    FlowStore,
}

/// A rule of a contract. Prints as its number and its gist; the whole text is in the contract's
/// documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The contract.
    pub contract: Contract,
    /// The rule's number there; 0: what a method's documentation says beside the rules.
    pub number: u8,
}

const CONVERSATIONS: [&str; 30] = [
    "`update` loads, decides once and commits",
    "`load` finds a conversation by contact or by alias, within one workspace",
    "record, revision, watermark and lease are read as of one instant",
    "a key is answered while `now < expires_at`, and a caller reads its own writes",
    "`commit` is all or nothing",
    "`commit` applies only to the revision `expect`, and no revision is used twice",
    "a key that is there and unexpired refuses the commit",
    "an alias that leads to another contact refuses the commit",
    "a commit ends a quarantine",
    "a lease is a token and an end",
    "`Lease::Take` takes a lease that is free, and the commit applies all the same",
    "`Lease::Hold` and `Lease::Free` apply only under the live lease",
    "`lease_due` claims what is due, each for one token, and tells when the next is due",
    "the watermark is the highest that was given",
    "`settle` without the live lease changes nothing",
    "`settle` on another revision raises the watermark only",
    "repeating a settle is harmless",
    "a conversation that was set aside is not due, and each load says so",
    "an error says what is known of the write",
    "a future that is dropped leaves all or nothing",
    "`purge` removes what is older than asked, at most `limit` each, and says whether more is left",
    "ids, keys and aliases are compared byte by byte, and hold any text without control characters",
    "`erase` removes all that is stored of a contact, at the revision `expect` only",
    "an erased contact's keys stay, without saying whose they were",
    "`live` counts a session once if it needs the version",
    "what a commit counts is added to counters, all or nothing, and contacts do not wait for each other there",
    "a store that tells the time of its own clock tells it with each claim, and never an earlier one than before",
    "a commit that absorbs a contact moves all that leads there, or says that it was not done",
    "a settle that was acknowledged before it is written is written by a flush at the latest",
    "a commit compares what else it was decided on: watermark, quarantine, flows",
];

const QUERIES: [&str; 8] = [
    "a query answers what was written, and nothing that was refused, purged or erased",
    "nothing of another workspace is answered",
    "sessions come newest first, live and ended together, from the cursor on",
    "a session's journal comes in the order of its numbers",
    "a flow's journal comes in the order of (`at`, session, `seq`), from the cursor on",
    "conversations come in the order of their contacts' ids, from the cursor on",
    "`counts` answers each version and what was counted of it once, with the sum",
    "sessions come with their own contacts, or without",
];

const FLOWS: [&str; 8] = [
    "a definition is answered as it was saved",
    "`revision` is another number after each `save` and `save_all` in the workspace",
    "`catalogue` answers each saved entry, and the revision it is of",
    "`save` writes entry and texts as one, at the revision `expect` only",
    "the text of a version never changes",
    "`terminated` answers each workspace with a terminated version",
    "`save_all` writes all of its changes as one, or none",
    "`changes` answers each entry that was saved since, or all",
];

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gists: &[&str] = match self.contract {
            Contract::ConversationStore => &CONVERSATIONS,
            Contract::StoreQueries => &QUERIES,
            Contract::FlowStore => &FLOWS,
        };
        let (contract, gist) = (self.contract, gists.get(usize::from(self.number)).unwrap_or(&""));
        match self.number {
            0 => write!(f, "{contract:?}: {gist}"),
            number => write!(f, "{contract:?}, rule {number}: {gist}"),
        }
    }
}
