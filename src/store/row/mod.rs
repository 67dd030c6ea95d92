//! One conversation as a value: what the contract keeps beside the record, and its rules for one
//! row. For stores that read and write whole rows, such as a map, a key-value store or a locked
//! file. Keys, aliases, ended sessions and the journal are not in here.

mod stored;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};

use crate::address::Alias;
use crate::id::{ContactId, WorkspaceId};
use crate::store::{
    Commit, Committed, DecisionBasis, Due, Erase, KeyRecord, Lease, LeasedConversation, Live, Lookup, Record,
    Revision, Settle, Settled, StoredConversation, Token,
};

/// One conversation as plain data, with the rules of
/// [`ConversationStore`](crate::store::ConversationStore) that concern it alone.
///
/// A store reads a row, lets it judge the call, and writes it back, all under one lock or in one
/// transaction. `Row::default()` is a conversation that was never written; a refused call leaves a
/// row as it was. What stays the store's: to find the row (by alias too), to keep keys and aliases,
/// to purge. `examples/own_store.rs` is such a store.
///
/// It is kept as one value ([`to_bytes`](Self::to_bytes)) or field by field, such as in columns.
///
/// - A store never removes a row: a revision would come twice (rule 5). [`erase`](Self::erase) says
///   how it may.
/// - Leases are judged by the `now` of each call, as in one process (rule 9). A store that several
///   machines share puts its own clock there first; what is due is then judged by that clock too.
///
/// ```
/// use chatflow::store::{Commit, Committed, Record, Row};
/// use chatflow::{ContactId, WorkspaceId};
///
/// let (ann, now) = (ContactId::new("ann")?, chrono::DateTime::UNIX_EPOCH);
/// let record = Record::from_bytes(*b"what the engine wrote");
/// let commit = Commit::new(WorkspaceId::default(), ann, None, record, now);
/// let mut row = Row::default();
/// let applied = Committed::Applied { revision: 1, leased: false, settled: 0 };
/// assert_eq!(row.commit(&commit, None, |_| None), applied);
///
/// let stored = row.to_bytes()?;
/// let mut row = Row::from_bytes(&stored)?;
/// assert_eq!(row.commit(&commit, None, |_| None), Committed::Conflict, "it expects that nothing is there");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// The record that the engine wrote.
    pub record: Record,
    /// Number of commits so far; 0: never committed.
    pub revision: Revision,
    /// The watermark: messages up to here are settled.
    pub settled: u64,
    /// When something is due next.
    pub due_at: Option<DateTime<Utc>>,
    /// The holder of the lease, and the end of the lease.
    pub lease: Option<(Token, DateTime<Utc>)>,
    /// Number of claims since it last made progress.
    pub claims: u32,
    /// Number of dead letters in the record; for listing.
    pub dead_letters: u32,
    /// True if it was set aside.
    pub quarantined: bool,
    /// True if it was erased since it was last written: it reads as if it never had been, and still
    /// counts revisions.
    pub erased: bool,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            record: Record::none(),
            revision: 0,
            settled: 0,
            due_at: None,
            lease: None,
            claims: 0,
            dead_letters: 0,
            quarantined: false,
            erased: false,
        }
    }
}

impl Row {
    /// A conversation that was never written, in a store that has removed erased rows up to this
    /// revision: it begins above, so that none comes twice (rule 5).
    #[must_use]
    pub fn above(floor: Revision) -> Self {
        Self { revision: floor, erased: true, ..Self::default() }
    }

    /// Returns a lookup's answer for this row; None if it was never written (rules 2, 9, 17).
    #[must_use]
    pub fn load(&self, contact: &ContactId, lookup: &Lookup) -> Option<StoredConversation> {
        self.expected().map(|_| self.stored(contact, lookup.token, lookup.now))
    }

    /// Writes a commit, or refuses it (rules 4 to 8, 10 to 12, and 29 but for the flows). The store
    /// then writes the row, the commit's key and its aliases, or none.
    ///
    /// `key` is what is stored under the name of the commit's key, expired or not; `holder` says
    /// where an alias leads. The first that holds refuses: another revision, a lost lease, a taken
    /// key, a taken alias.
    pub fn commit(
        &mut self,
        commit: &Commit,
        key: Option<&KeyRecord>,
        holder: impl FnMut(&Alias) -> Option<ContactId>,
    ) -> Committed {
        if let Some(refusal) = self.refusal(commit, key, holder) {
            return refusal;
        }
        self.record = commit.record.clone();
        self.revision = self.revision.wrapping_add(1);
        self.due_at = commit.due_at;
        self.dead_letters = commit.dead_letters;
        self.quarantined = false;
        self.erased = false;
        let leased = self.change_lease(commit.lease, commit.now);
        Committed::Applied { revision: self.revision, leased, settled: self.settled }
    }

    /// Takes note of what is delivered (rules 13 to 17). The row is to be written unless the answer
    /// is [`Settled::LeaseLost`].
    pub fn settle(&mut self, settle: &Settle) -> Settled {
        if self.holder(settle.now) != Some(settle.token) {
            return Settled::LeaseLost;
        }
        self.claims = 0;
        self.settled = self.settled.max(settle.settled);
        self.record.release_settled(self.settled);
        if self.revision != settle.revision {
            return Settled::Conflict { settled: self.settled };
        }
        self.lease = None;
        self.due_at = settle.due_at;
        self.quarantined |= settle.quarantine;
        Settled::Done
    }

    /// When it can be claimed (rule 12): once it is due, and its lease is over; if that ended
    /// unsettled, once [`retry_pause`] has passed since. None: nothing is due, or it was set aside
    /// (rule 17).
    ///
    /// Claims go in this order. A store that asks an index for what is due files each row that it
    /// writes under this instant: it is never late there, only, once the lease has run out, later
    /// than what this answers then.
    #[must_use]
    pub fn ready_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let due_at = self.due_at.filter(|_| !self.quarantined)?;
        let lease_end = match self.lease {
            Some((_, end)) if self.claims > 0 => {
                Some(end.checked_add_signed(retry_pause(self.claims)).unwrap_or(DateTime::<Utc>::MAX_UTC))
            }
            Some((_, end)) => Some(end).filter(|end| now < *end),
            None => None,
        };
        Some(lease_end.map_or(due_at, |end| due_at.max(end)))
    }

    /// Leases it to the token and counts the claim (rule 12); None if it is not ready, or is a
    /// suspect and the claim asks for others, or the other way round. The row is to be written if
    /// it is.
    pub fn claim(
        &mut self,
        workspace: &WorkspaceId,
        contact: &ContactId,
        due: &Due,
    ) -> Option<LeasedConversation> {
        self.ready_at(due.now).filter(|ready_at| *ready_at <= due.now)?;
        if due.suspects != (self.claims > 0) {
            return None;
        }
        self.lease = Some((due.token, lease_end(due.now, due.lease)));
        self.claims = self.claims.saturating_add(1);
        let stored = self.stored(contact, due.token, due.now);
        Some(LeasedConversation { workspace: workspace.clone(), stored, claims: self.claims })
    }

    /// Counts its live sessions of a flow; if there are some, it is due at `wake_at` at the latest,
    /// and to be written if that is set. A record that cannot be read has none. The workspace is
    /// not looked at.
    pub fn live(&mut self, live: &Live) -> u64 {
        let Ok(conversation) = self.record.conversation() else { return 0 };
        let needs = |session: &&crate::session::Session| session.needs(&live.flow, live.version);
        let count = conversation.sessions().iter().filter(needs).count();
        if count > 0 {
            self.due_at = self.due_at.into_iter().chain(live.wake_at).min();
        }
        count as u64
    }

    /// Forgets the conversation (rule 22), and says whether it was at the revision that is
    /// expected; else the row is as it was. The store then writes the row, and removes aliases,
    /// ended sessions and journal, and turns the keys (rule 23).
    ///
    /// The number of the revision stays, under the contact's id. A store that keeps not even those,
    /// since strangers come and go, removes the row and notes the highest revision that it removed
    /// so: every new row then begins [`above`](Self::above) that.
    #[must_use]
    pub fn erase(&mut self, erase: &Erase) -> bool {
        let is_seen = self.expected() == Some(erase.expect);
        if is_seen {
            *self = Self { revision: self.revision.wrapping_add(1), erased: true, ..Self::default() };
        }
        is_seen
    }

    /// The revision that a commit is to expect.
    fn expected(&self) -> Option<Revision> {
        (self.revision > 0 && !self.erased).then_some(self.revision)
    }

    /// Returns the holder of the live lease.
    fn holder(&self, now: DateTime<Utc>) -> Option<Token> {
        self.lease.filter(|(_, end)| now < *end).map(|(token, _)| token)
    }

    fn stored(&self, contact: &ContactId, token: Token, now: DateTime<Utc>) -> StoredConversation {
        StoredConversation {
            contact: contact.clone(),
            revision: self.revision,
            record: self.record.clone(),
            settled: self.settled,
            leased: self.holder(now) == Some(token),
            quarantined: self.quarantined,
        }
    }

    fn refusal(
        &self,
        commit: &Commit,
        key: Option<&KeyRecord>,
        mut holder: impl FnMut(&Alias) -> Option<ContactId>,
    ) -> Option<Committed> {
        let is_seen = |seen: DecisionBasis| seen.settled == self.settled && !self.quarantined;
        if self.expected() != commit.expect || !commit.seen.is_none_or(is_seen) {
            return Some(Committed::Conflict);
        }
        if let Lease::Hold(token) | Lease::Free(token) = commit.lease
            && self.holder(commit.now) != Some(token)
        {
            return Some(Committed::LeaseLost);
        }
        if commit.key.is_some() && key.is_some_and(|key| commit.now < key.expires_at) {
            return Some(Committed::KeyTaken);
        }
        commit.add_aliases.iter().find_map(|alias| {
            let holder = holder(alias).filter(|holder| *holder != commit.contact)?;
            Some(Committed::AliasTaken { alias: alias.clone(), holder })
        })
    }

    /// Does to the lease what a commit asks for, and says whether its token holds it now.
    fn change_lease(&mut self, lease: Lease, now: DateTime<Utc>) -> bool {
        match lease {
            Lease::Leave => false,
            Lease::Take(token, period) => {
                let is_free = self.holder(now).is_none_or(|holder| holder == token);
                if is_free {
                    self.lease = Some((token, lease_end(now, period)));
                }
                is_free && self.holder(now) == Some(token)
            }
            Lease::Hold(_) => {
                self.claims = 0;
                true
            }
            Lease::Free(_) => {
                self.claims = 0;
                self.lease = None;
                false
            }
        }
    }
}

/// Returns the pause for which a conversation is left alone after a lease of so many claims ended
/// unsettled (rule 12): 1 s, doubled with each claim, at most 64 s.
#[must_use]
pub fn retry_pause(claims: u32) -> TimeDelta {
    TimeDelta::seconds(1 << claims.saturating_sub(1).min(6))
}

/// The end of a lease that is taken now.
fn lease_end(now: DateTime<Utc>, period: std::time::Duration) -> DateTime<Utc> {
    let period = TimeDelta::from_std(period).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(period).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
