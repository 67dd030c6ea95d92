//! Ended sessions, and the journal: what a shard keeps of the past, until its retention is over.

use chrono::{DateTime, Utc};

use crate::gather::Arrange;
use crate::id::{ContactId, SessionId};
use crate::store::memory::calendar::{Calendar, SweepVerdict};
use crate::store::memory::keep::Sweep;
use crate::store::memory::slab::{Index, Slab};
use crate::store::{JournalEntry, SessionRecord};

/// The ended sessions of one shard.
#[derive(Default)]
pub(super) struct Archive {
    entries: Slab<EndedSession>,
    index: Index,
    by_contact: Index,
    by_end: Calendar,
}

/// An ended session.
pub(super) struct EndedSession {
    pub(super) workspace: u32,
    pub(super) record: SessionRecord,
    hash: u64,
    /// Of its workspace and contact.
    contact_hash: u64,
}

impl EndedSession {
    fn ended_at(&self) -> DateTime<Utc> {
        let session = self.record.session();
        session.ended_at().unwrap_or_else(|| session.last_interaction_at())
    }
}

impl Archive {
    /// Takes in a session that has ended; `hash` is of its workspace and id, `contact_hash` of its
    /// workspace and contact.
    pub(super) fn insert(&mut self, hash: u64, contact_hash: u64, workspace: u32, record: SessionRecord) {
        if let Some(known) = self.id(hash, workspace, record.session().id()) {
            self.remove(known);
        }
        let entry = EndedSession { workspace, record, hash, contact_hash };
        let day = day(entry.ended_at());
        let id = self.entries.insert(entry);
        self.index.insert(hash, id);
        self.by_contact.insert(contact_hash, id);
        self.by_end.file(day, id);
    }

    /// The ended sessions of a contact.
    pub(super) fn of_contact(
        &self,
        contact_hash: u64,
        workspace: u32,
        contact: &ContactId,
    ) -> impl Iterator<Item = SessionId> {
        let ended = self.by_contact.all(contact_hash).filter_map(|id| self.entries.get(id));
        let theirs =
            ended.filter(move |entry| entry.workspace == workspace && entry.record.contact() == contact);
        theirs.map(|entry| entry.record.session().id())
    }

    pub(super) fn find(&self, hash: u64, workspace: u32, session: SessionId) -> Option<&SessionRecord> {
        Some(&self.entries.get(self.id(hash, workspace, session)?)?.record)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &EndedSession> {
        self.entries.iter()
    }

    /// Removes sessions that ended before an instant, and says which.
    pub(super) fn purge(&mut self, before: DateTime<Utc>, sweep: &mut Sweep) -> Vec<EndedSession> {
        let mut removed = Vec::new();
        let mut by_end = std::mem::take(&mut self.by_end);
        by_end.sweep(day(before), |filed, id| match self.entries.get(id) {
            Some(entry) if day(entry.ended_at()) == filed && entry.ended_at() >= before => {
                SweepVerdict::Stays
            }
            Some(entry) if day(entry.ended_at()) == filed => {
                if !sweep.take() {
                    return SweepVerdict::Enough(filed);
                }
                removed.extend(self.remove(id));
                SweepVerdict::Gone
            }
            _ => SweepVerdict::Gone,
        });
        self.by_end = by_end;
        removed
    }

    /// Removes the sessions of a contact, and says how many there were.
    pub(super) fn erase(&mut self, workspace: u32, contact: &ContactId) -> usize {
        self.take(workspace, contact).len()
    }

    /// Removes the sessions of a contact, and answers them.
    pub(super) fn take(&mut self, workspace: u32, contact: &ContactId) -> Vec<SessionRecord> {
        let is_theirs =
            |entry: &EndedSession| entry.workspace == workspace && entry.record.contact() == contact;
        let theirs: Vec<u32> = self.entries.ids(is_theirs).collect();
        theirs.into_iter().filter_map(|id| Some(self.remove(id)?.record)).collect()
    }

    fn id(&self, hash: u64, workspace: u32, session: SessionId) -> Option<u32> {
        self.index.find(hash, |id| {
            self.entries
                .get(id)
                .is_some_and(|entry| entry.workspace == workspace && entry.record.session().id() == session)
        })
    }

    fn remove(&mut self, id: u32) -> Option<EndedSession> {
        let entry = self.entries.remove(id)?;
        self.index.remove(entry.hash, id);
        self.by_contact.remove(entry.contact_hash, id);
        Some(entry)
    }
}

/// The journal of one shard.
#[derive(Default)]
pub(super) struct Journal {
    logs: Slab<SessionLog>,
    index: Index,
    by_age: Calendar,
}

/// The turns of one session, in order. Never empty.
struct SessionLog {
    workspace: u32,
    hash: u64,
    /// The day of its oldest entry: where it is filed.
    day: i64,
    entries: Vec<JournalEntry>,
}

impl SessionLog {
    /// Removes what is from before an instant, as far as the sweep goes, and says what becomes of
    /// it. `filed` is where it was found.
    fn purge(&mut self, filed: i64, before: DateTime<Utc>, sweep: &mut Sweep) -> SweepVerdict {
        let mut enough = false;
        self.entries.retain(|entry| {
            enough = enough || (entry.at < before && !sweep.take());
            enough || entry.at >= before
        });
        let Some(oldest) = self.entries.iter().map(|entry| entry.at).min() else { return SweepVerdict::Gone };
        self.day = day(oldest);
        match self.day {
            oldest if enough => SweepVerdict::Enough(oldest),
            oldest if oldest == filed => SweepVerdict::Stays,
            oldest => SweepVerdict::Moves(oldest),
        }
    }
}

impl Journal {
    /// Adds one turn; `hash` is of its workspace and session.
    pub(super) fn append(&mut self, hash: u64, workspace: u32, entry: JournalEntry) {
        let at = day(entry.at);
        if let Some(id) = self.id(hash, workspace, entry.session)
            && let Some(log) = self.logs.get_mut(id)
        {
            if at < log.day {
                log.day = at;
                self.by_age.file(at, id);
            }
            log.entries.push(entry);
            return;
        }
        let id = self.logs.insert(SessionLog { workspace, hash, day: at, entries: vec![entry] });
        self.index.insert(hash, id);
        self.by_age.file(at, id);
    }

    /// All entries of a workspace.
    pub(super) fn iter(&self, workspace: u32) -> impl Iterator<Item = &JournalEntry> {
        self.logs.iter().filter(move |log| log.workspace == workspace).flat_map(|log| &log.entries)
    }

    /// The turns of a session, in order.
    pub(super) fn read(&self, hash: u64, workspace: u32, session: SessionId) -> Vec<JournalEntry> {
        let log = self.id(hash, workspace, session).and_then(|id| self.logs.get(id));
        let mut entries = log.map(|log| log.entries.clone()).unwrap_or_default();
        entries.arrange_by_key(|entry| entry.seq);
        entries
    }

    /// Removes what is of a contact, and says how many entries there were.
    pub(super) fn erase(&mut self, workspace: u32, contact: &ContactId) -> usize {
        self.take(workspace, contact).len()
    }

    /// Removes what is of a contact, and answers it, each session's in order.
    pub(super) fn take(&mut self, workspace: u32, contact: &ContactId) -> Vec<JournalEntry> {
        let is_theirs = |log: &SessionLog| {
            log.workspace == workspace && log.entries.first().is_some_and(|entry| entry.contact == *contact)
        };
        let theirs: Vec<u32> = self.logs.ids(is_theirs).collect();
        let mut taken = Vec::new();
        for (id, log) in theirs.into_iter().filter_map(|id| Some((id, self.logs.remove(id)?))) {
            self.index.remove(log.hash, id);
            taken.extend(log.entries);
        }
        taken
    }

    /// Removes entries from before an instant.
    pub(super) fn purge(&mut self, before: DateTime<Utc>, sweep: &mut Sweep) {
        let mut by_age = std::mem::take(&mut self.by_age);
        by_age.sweep(day(before), |filed, id| {
            let Some(log) = self.logs.get_mut(id).filter(|log| log.day == filed) else {
                return SweepVerdict::Gone;
            };
            let fate = log.purge(filed, before, sweep);
            if log.entries.is_empty() {
                let hash = log.hash;
                self.index.remove(hash, id);
                self.logs.remove(id);
            }
            fate
        });
        self.by_age = by_age;
    }

    fn id(&self, hash: u64, workspace: u32, session: SessionId) -> Option<u32> {
        self.index.find(hash, |id| {
            self.logs.get(id).is_some_and(|log| {
                log.workspace == workspace
                    && log.entries.first().is_some_and(|entry| entry.session == session)
            })
        })
    }
}

/// One minute or so: few days, and little to look at in vain.
fn day(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(64)
}
