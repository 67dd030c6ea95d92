//! A commit as rows: made where the call is, so that encoding a record delays no other call.

use std::sync::Arc;
use std::time::Duration;

use chatflow::address::Alias;
use chatflow::error::StoreError;
use chatflow::id::FlowId;
use chatflow::store::sql::{SessionRow, micros, session_rows};
use chatflow::store::{Commit, Committed, CountDelta, JournalEntry, KeyName, KeyRecord, Lease};
use uuid::Uuid;

use crate::rides::Passage;
use crate::shard::shard;

/// The rows that one commit writes.
pub(super) struct Write {
    pub(super) shard: i16,
    pub(super) workspace: String,
    pub(super) contact: String,
    /// None: there must be no conversation.
    pub(super) expect: Option<i64>,
    /// The watermark and the revision of flows that it was decided on, if they are compared.
    pub(super) seen: Option<(i64, Option<i64>)>,
    pub(super) record: Arc<[u8]>,
    pub(super) due_at: Option<i64>,
    pub(super) dead_letters: i64,
    pub(super) lease: LeaseRow,
    pub(super) now: i64,
    pub(super) key: Option<KeyRow>,
    pub(super) added: Vec<(String, Alias)>,
    pub(super) dropped: Vec<String>,
    pub(super) absorbs: Option<AbsorbedRow>,
    pub(super) sessions: Vec<SessionRow>,
    pub(super) journal: Vec<JournalRow>,
    pub(super) counts: Vec<CountRow>,
    /// The token and the watermark of a settle that takes effect first.
    pub(super) rides: Option<(Uuid, i64)>,
    pub(super) passage: Option<Passage>,
}

/// The effect on the lease, as numbers.
pub(super) struct LeaseRow {
    pub(super) does: i16,
    pub(super) token: Uuid,
    pub(super) period: i64,
}

/// A contact that turns out to be the commit's.
pub(super) struct AbsorbedRow {
    pub(super) shard: i16,
    pub(super) contact: String,
    pub(super) expect: i64,
    pub(super) settled: i64,
    pub(super) token: Option<Uuid>,
}

/// A key to be inserted.
pub(super) struct KeyRow {
    pub(super) flow: String,
    pub(super) name: String,
    pub(super) hash: String,
    pub(super) record: KeyRecord,
}

/// An entry of the journal.
pub(super) struct JournalRow {
    pub(super) session: Uuid,
    pub(super) seq: i64,
    pub(super) flow: String,
    pub(super) version: i64,
    pub(super) at: i64,
    pub(super) failed: bool,
    pub(super) entry: Vec<u8>,
}

/// The increment of a counter.
pub(super) struct CountRow {
    pub(super) flow: FlowId,
    pub(super) version: i64,
    pub(super) minute: i64,
    pub(super) what: String,
    pub(super) times: i64,
}

impl Write {
    pub(super) fn of(commit: Commit) -> Result<Self, StoreError> {
        let sessions = session_rows(&commit)?;
        let journal = commit.journal.iter().map(JournalRow::of).collect::<Result<_, _>>()?;
        let contact = commit.contact.to_string();
        let absorbs = commit.absorbs.as_deref().map(|absorbed| {
            let contact = absorbed.contact.to_string();
            let shard = shard(&commit.workspace, &contact);
            let (expect, settled) = (revision(absorbed.expect), revision(absorbed.settled));
            AbsorbedRow { shard, contact, expect, settled, token: absorbed.token.map(|token| token.0) }
        });
        let mut added: Vec<(String, Alias)> =
            commit.add_aliases.into_iter().map(|alias| (alias.to_string(), alias)).collect();
        let dropped: Vec<String> = commit.drop_aliases.iter().map(ToString::to_string).collect();
        let dropped =
            dropped.into_iter().filter(|text| added.iter().all(|(other, _)| other != text)).collect();
        added.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        added.dedup_by(|one, other| one.0 == other.0);
        Ok(Self {
            shard: shard(&commit.workspace, &contact),
            workspace: commit.workspace.as_str().to_owned(),
            contact,
            expect: commit.expect.map(revision),
            seen: commit.seen.map(|seen| (revision(seen.settled), seen.catalogue.map(revision))),
            record: commit.record.to_bytes()?,
            due_at: commit.due_at.map(micros),
            dead_letters: i64::from(commit.dead_letters),
            lease: LeaseRow::of(commit.lease),
            now: micros(commit.now),
            key: commit.key.map(KeyRow::of),
            added,
            dropped,
            absorbs,
            sessions,
            journal,
            counts: commit.counts.into_iter().map(CountRow::of).collect(),
            rides: None,
            passage: None,
        })
    }

    /// The same, with the settle that rides with it.
    pub(super) fn on(self, passage: Passage) -> Self {
        let rides = passage.rides().map(|(token, watermark)| (token.0, revision(watermark)));
        Self { rides, passage: Some(passage), ..self }
    }

    /// It was answered so.
    pub(super) fn answered(&self, committed: &Committed) {
        if let Some(passage) = &self.passage {
            passage.end(Some(committed));
        }
    }

    /// Where it lies: no two of one place are written by one statement.
    pub(super) fn place(&self) -> (i16, &str, &str) {
        (self.shard, &self.workspace, &self.contact)
    }

    /// True if it takes several statements, and so goes alone.
    pub(super) fn is_alone(&self) -> bool {
        !self.dropped.is_empty() || self.absorbs.is_some()
    }

    /// True if it writes more than its conversation's row.
    pub(super) fn has_archive(&self) -> bool {
        !self.sessions.is_empty() || !self.journal.is_empty()
    }

    /// True if it needs names that nobody else has.
    pub(super) fn has_names(&self) -> bool {
        self.key.is_some() || !self.added.is_empty()
    }
}

/// A revision as it is stored; one that no conversation can have matches none.
pub(super) fn revision(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(-1)
}

/// A period in microseconds, at most some ten thousand years, so that no sum overflows.
pub(super) fn period(period: Duration) -> i64 {
    i64::try_from(period.as_micros()).unwrap_or(i64::MAX).min(i64::MAX / 16)
}

impl LeaseRow {
    fn of(lease: Lease) -> Self {
        let (does, token, ends) = match lease {
            Lease::Leave => (0, Uuid::nil(), Duration::ZERO),
            Lease::Take(token, ends) => (1, token.0, ends),
            Lease::Hold(token) => (2, token.0, Duration::ZERO),
            Lease::Free(token) => (3, token.0, Duration::ZERO),
        };
        Self { does, token, period: period(ends) }
    }

    pub(super) fn is_needed(&self) -> bool {
        self.does >= 2
    }
}

impl KeyRow {
    fn of((name, record): (KeyName, KeyRecord)) -> Self {
        let hash = name.hashed().key.to_string();
        Self { flow: name.flow.as_str().to_owned(), name: name.key.to_string(), hash, record }
    }
}

impl JournalRow {
    fn of(entry: &JournalEntry) -> Result<Self, StoreError> {
        Ok(Self {
            session: entry.session.0,
            seq: i64::from(entry.seq),
            flow: entry.flow.as_str().to_owned(),
            version: i64::from(entry.version.0),
            at: micros(entry.at),
            failed: entry.failure.is_some(),
            entry: serde_json::to_vec(entry).map_err(StoreError::permanent)?,
        })
    }
}

impl CountRow {
    fn of(delta: CountDelta) -> Self {
        Self {
            flow: delta.flow,
            version: i64::from(delta.version.0),
            minute: delta.minute,
            what: delta.what.to_string(),
            times: i64::try_from(delta.times).unwrap_or(i64::MAX),
        }
    }
}
