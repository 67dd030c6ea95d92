//! Writing one decision: what refuses it is looked at first, then all is written.

use std::fmt;
use std::sync::Arc;

use chatflow::address::Alias;
use chatflow::error::StoreError;
use chatflow::id::ContactId;
use chatflow::store::sql::{SessionRow, micros, session_rows, state_word};
use chatflow::store::{Commit, Committed, CountDelta, KeyName, KeyRecord, Lease};
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::absorb::Other;
use crate::columns::{StoredLease, contact, signed, unsigned};
use crate::database::Database;
use crate::flows::revision_of;
use crate::queue::{Failure, Operation};

pub(super) const FIND: &str = "SELECT id, revision, settled, claims, filed_at, lease_token, lease_until, \
     quarantined FROM chatflow_conversation WHERE workspace = ?1 AND contact = ?2";
pub(super) const KEY_IS_TAKEN: &str = "SELECT 1 FROM chatflow_key \
     WHERE workspace = ?1 AND flow = ?2 AND key IN (?3, ?4) AND expires_at > ?5";
pub(super) const HOLDER: &str = "SELECT conversation FROM chatflow_alias WHERE workspace = ?1 AND alias = ?2";
pub(super) const CONTACT: &str = "SELECT contact FROM chatflow_conversation WHERE id = ?1";
pub(super) const FLOOR: &str = "SELECT revision_floor FROM chatflow_schema";
const INSERT: &str = "INSERT INTO chatflow_conversation \
     (workspace, contact, revision, due_at, filed_at, lease_token, lease_until, dead_letters, record) \
     VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8)";
/// Without `filed_at`: SQLite writes each index whose columns are named, changed or not.
pub(super) const UPDATE: &str = "UPDATE chatflow_conversation SET revision = ?2, due_at = ?3, lease_token = ?4, \
     lease_until = ?5, claims = ?6, dead_letters = ?7, quarantined = 0, record = ?8 WHERE id = ?1";
pub(super) const FILE: &str = "UPDATE chatflow_conversation SET filed_at = ?2 WHERE id = ?1";
pub(super) const DROP_ALIAS: &str =
    "DELETE FROM chatflow_alias WHERE workspace = ?1 AND alias = ?2 AND conversation = ?3";
const ADD_ALIAS: &str =
    "INSERT INTO chatflow_alias (workspace, alias, conversation) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
/// An expired key, if there is one, gives way.
const ADD_KEY: &str = "INSERT OR REPLACE INTO chatflow_key \
     (workspace, flow, key, contact, expires_at, fingerprint, started, session, version, erased, state, digest) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
const ADD_SESSION: &str = "INSERT INTO chatflow_session \
     (workspace, session, contact, flow, version, started_at, called, ended_at, record) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
     ON CONFLICT (workspace, session) DO UPDATE SET contact = excluded.contact, flow = excluded.flow, \
     version = excluded.version, started_at = excluded.started_at, called = excluded.called, \
     ended_at = excluded.ended_at, record = excluded.record";
pub(super) const END_SESSION: &str = "UPDATE chatflow_session SET version = ?3, called = NULL, ended_at = ?4, record = ?5 \
     WHERE workspace = ?1 AND session = ?2";
const ADD_ENTRY: &str = "INSERT INTO chatflow_journal \
     (workspace, session, seq, contact, flow, version, at, failed, entry) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

const ADD_COUNT: &str = "INSERT INTO chatflow_count (workspace, flow, minute, version, what, times) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
     ON CONFLICT (workspace, flow, minute, version, what) DO UPDATE SET times = times + excluded.times";

/// The host's own writes in the same transaction.
pub(super) type Hook = dyn Fn(&Connection, &Commit) -> Result<(), HostError> + Send + Sync;
pub(super) type HostError = Box<dyn std::error::Error + Send + Sync>;

/// A commit, with all that is encoded: by the caller, so that the one writer has less to do.
pub(super) struct Write {
    commit: Commit,
    contact: String,
    record: Arc<[u8]>,
    sessions: Vec<SessionRow>,
    journal: Vec<Vec<u8>>,
    hook: Option<Arc<Hook>>,
}

/// The conversation as it is there.
pub(super) struct Seen {
    pub(super) id: i64,
    pub(super) revision: u64,
    pub(super) settled: u64,
    pub(super) claims: i64,
    pub(super) filed_at: Option<i64>,
    pub(super) lease: Option<StoredLease>,
    pub(super) quarantined: bool,
}

impl Seen {
    pub(super) fn find(
        database: &Database<'_>,
        workspace: &str,
        contact: &str,
    ) -> rusqlite::Result<Option<Self>> {
        database.first(FIND, params![workspace, contact], |row| {
            Ok(Self {
                id: row.get(0)?,
                revision: unsigned(row, 1)?,
                settled: unsigned(row, 2)?,
                claims: row.get(3)?,
                filed_at: row.get(4)?,
                lease: StoredLease::read(row, 5)?,
                quarantined: row.get(7)?,
            })
        })
    }

    /// Files it where the index finds it in time: earlier than it is, never later.
    pub(super) fn file(&self, database: &Database<'_>, due_at: Option<i64>) -> rusqlite::Result<()> {
        if let Some(due_at) = due_at.filter(|due_at| self.filed_at.is_none_or(|filed| *due_at < filed)) {
            database.execute(FILE, params![self.id, due_at])?;
        }
        Ok(())
    }
}

impl Write {
    pub(super) fn new(mut commit: Commit, hook: Option<Arc<Hook>>) -> Result<Self, StoreError> {
        let sessions = session_rows(&commit)?;
        let record = commit.record.to_bytes()?;
        commit.record = chatflow::store::Record::from_bytes(Arc::clone(&record));
        let journal = commit.journal.iter().map(serde_json::to_vec).collect::<Result<_, _>>();
        let journal = journal.map_err(StoreError::permanent)?;
        Ok(Self { contact: commit.contact.to_string(), commit, record, sessions, journal, hook })
    }

    /// Returns the reason to refuse it, if there is one.
    fn refusal(
        &self,
        database: &Database<'_>,
        seen: Option<&Seen>,
        other: Option<Other<'_>>,
    ) -> rusqlite::Result<Option<Committed>> {
        let Commit { expect, lease, key, now, .. } = &self.commit;
        if seen.map(|seen| seen.revision) != *expect || !self.is_as_seen(database, seen)? {
            return Ok(Some(Committed::Conflict));
        }
        if let Lease::Hold(token) | Lease::Free(token) = *lease {
            let lease = seen.and_then(|seen| seen.lease);
            if !lease.is_some_and(|lease| lease.is_held_by(token, micros(*now))) {
                return Ok(Some(Committed::LeaseLost));
            }
        }
        if let Some((name, _)) = key
            && self.is_taken(database, name)?
        {
            return Ok(Some(Committed::KeyTaken));
        }
        for alias in &self.commit.add_aliases {
            let names = params![self.commit.workspace.as_str(), alias.to_string()];
            let leads_to: Option<i64> = database.first(HOLDER, names, |row| row.get(0))?;
            let is_own =
                |id: i64| seen.is_some_and(|seen| seen.id == id) || other.is_some_and(|other| other.id == id);
            if let Some(holder) = leads_to.filter(|holder| !is_own(*holder)) {
                return taken(database, alias, holder);
            }
        }
        Ok(None)
    }

    /// True if what the decision was made on beside the record is what is stored (rule 29).
    fn is_as_seen(&self, database: &Database<'_>, seen: Option<&Seen>) -> rusqlite::Result<bool> {
        let Some(decided_on) = self.commit.seen else { return Ok(true) };
        if !seen.is_some_and(|seen| seen.settled == decided_on.settled && !seen.quarantined) {
            return Ok(false);
        }
        match decided_on.catalogue {
            None => Ok(true),
            Some(catalogue) => Ok(revision_of(database, self.commit.workspace.as_str())? == catalogue),
        }
    }

    fn is_taken(&self, database: &Database<'_>, name: &KeyName) -> rusqlite::Result<bool> {
        let (key, hashed) = (name.key.to_string(), name.hashed().key.to_string());
        let Commit { workspace, now, .. } = &self.commit;
        let names = params![workspace.as_str(), name.flow.as_str(), key, hashed, micros(*now)];
        Ok(database.first(KEY_IS_TAKEN, names, |_| Ok(()))?.is_some())
    }

    /// Writes the conversation's row; answers its id and what is said of it.
    fn write_row(&self, database: &Database<'_>, seen: Option<&Seen>) -> rusqlite::Result<(i64, Committed)> {
        let Commit { lease, now, .. } = self.commit;
        let (due_at, dead_letters) = (self.commit.due_at.map(micros), self.commit.dead_letters);
        let stored = seen.and_then(|seen| seen.lease);
        let (stored, leased) = change_lease(stored, lease, now);
        let (token, until) = (stored.map(|lease| lease.token.into_bytes()), stored.map(|lease| lease.until));
        let Some(seen) = seen else {
            let floor = database.first(FLOOR, [], |row| row.get::<_, i64>(0))?.unwrap_or_default();
            let revision = floor + 1;
            let (workspace, contact) = (self.commit.workspace.as_str(), &self.contact);
            let row =
                params![workspace, contact, revision, due_at, token, until, dead_letters, &*self.record];
            database.execute(INSERT, row)?;
            let id = database.connection.last_insert_rowid();
            return Ok((id, Committed::Applied { revision: revision.cast_unsigned(), leased, settled: 0 }));
        };
        let revision = seen.revision + 1;
        let claims = if matches!(lease, Lease::Hold(_) | Lease::Free(_)) { 0 } else { seen.claims };
        let number = signed(revision);
        let row = params![seen.id, number, due_at, token, until, claims, dead_letters, &*self.record];
        database.execute(UPDATE, row)?;
        seen.file(database, due_at)?;
        Ok((seen.id, Committed::Applied { revision, leased, settled: seen.settled }))
    }

    fn write_names(&self, database: &Database<'_>, id: i64) -> rusqlite::Result<()> {
        let workspace = self.commit.workspace.as_str();
        for alias in &self.commit.drop_aliases {
            database.execute(DROP_ALIAS, params![workspace, alias.to_string(), id])?;
        }
        for alias in &self.commit.add_aliases {
            database.execute(ADD_ALIAS, params![workspace, alias.to_string(), id])?;
        }
        match &self.commit.key {
            Some((name, record)) => add_key(database, workspace, name, record),
            None => Ok(()),
        }
    }

    fn write_past(&self, database: &Database<'_>) -> rusqlite::Result<()> {
        let workspace = self.commit.workspace.as_str();
        for row in &self.sessions {
            let SessionRow { id, flow, version, started_at, called, ended } = row;
            let (ended_at, record) = ended.as_ref().map(|(at, record)| (*at, &record[..])).unzip();
            let is_known = ended.is_some()
                && database.execute(
                    END_SESSION,
                    params![workspace, &id.0.as_bytes()[..], version.0, ended_at, record],
                )? > 0;
            if !is_known {
                let (id, flow) = (&id.0.as_bytes()[..], flow.as_str());
                let row = params![
                    workspace,
                    id,
                    self.contact,
                    flow,
                    version.0,
                    started_at,
                    called,
                    ended_at,
                    record
                ];
                database.execute(ADD_SESSION, row)?;
            }
        }
        for (entry, bytes) in self.commit.journal.iter().zip(&self.journal) {
            let (session, failed) = (&entry.session.0.as_bytes()[..], entry.failure.is_some());
            let (contact, flow, at) = (entry.contact.to_string(), entry.flow.as_str(), micros(entry.at));
            let row =
                params![workspace, session, entry.seq, contact, flow, entry.version.0, at, failed, bytes];
            database.execute(ADD_ENTRY, row)?;
        }
        for CountDelta { flow, version, minute, what, times } in &self.commit.counts {
            let (what, times) = (what.to_string(), signed(*times));
            database.execute(ADD_COUNT, params![workspace, flow.as_str(), minute, version.0, what, times])?;
        }
        Ok(())
    }
}

impl Operation for Write {
    type Answer = Committed;
    const DOING: &'static str = "write a conversation";

    fn is_alone(&self) -> bool {
        self.hook.is_some()
    }

    fn run(&self, database: &Database<'_>) -> Result<Committed, Failure> {
        let seen = Seen::find(database, self.commit.workspace.as_str(), &self.contact)?;
        let other = match self.commit.absorbs.as_deref() {
            None => None,
            Some(absorbed) => match Other::find(database, &self.commit, absorbed)? {
                None => return Ok(Committed::Conflict),
                found => found,
            },
        };
        if let Some(refusal) = self.refusal(database, seen.as_ref(), other)? {
            return Ok(refusal);
        }
        let (id, committed) = self.write_row(database, seen.as_ref())?;
        if let Some(other) = other {
            other.give_way(database, &self.commit, id)?;
        }
        self.write_names(database, id)?;
        self.write_past(database)?;
        if let Some(hook) = &self.hook {
            run_hook(&**hook, database.connection, &self.commit)?;
        }
        Ok(committed)
    }
}

/// A panic in code of the host is its error: the store's thread survives.
fn run_hook(hook: &Hook, connection: &Connection, commit: &Commit) -> Result<(), Failure> {
    let run = std::panic::AssertUnwindSafe(|| hook(connection, commit));
    let refused = match std::panic::catch_unwind(run) {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => HostRefused(error),
        Err(_) => HostRefused("it panicked".into()),
    };
    Err(Failure::Refused(StoreError::permanent(refused)))
}

/// The error of writes of the host.
#[derive(Debug)]
struct HostRefused(HostError);

impl fmt::Display for HostRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the host's write in the same transaction failed: {}", self.0)
    }
}

impl std::error::Error for HostRefused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

fn taken(database: &Database<'_>, alias: &Alias, other: i64) -> rusqlite::Result<Option<Committed>> {
    let holder: Option<ContactId> = database.first(CONTACT, [other], |row| contact(row, 0))?;
    Ok(holder.map(|holder| Committed::AliasTaken { alias: alias.clone(), holder }))
}

pub(super) fn add_key(
    database: &Database<'_>,
    workspace: &str,
    name: &KeyName,
    record: &KeyRecord,
) -> rusqlite::Result<()> {
    let (key, contact, expires_at) =
        (name.key.to_string(), record.contact.to_string(), micros(record.expires_at));
    let (fingerprint, session) = (Uuid::from_u128(record.fingerprint), record.session.0);
    let (fingerprint, session) = (&fingerprint.as_bytes()[..], &session.as_bytes()[..]);
    let KeyRecord { started, version, erased, .. } = record;
    let (flow, version) = (name.flow.as_str(), version.0);
    let state = state_word(record);
    let digest = record.digest.map(u128::to_be_bytes);
    let row = params![
        workspace,
        flow,
        key,
        contact,
        expires_at,
        fingerprint,
        started,
        session,
        version,
        erased,
        state,
        digest.as_ref().map(|digest| &digest[..])
    ];
    database.execute(ADD_KEY, row).map(|_| ())
}

/// Does to a lease what a commit asks for, and says whether its token holds it now.
fn change_lease(
    stored: Option<StoredLease>,
    lease: Lease,
    now: DateTime<Utc>,
) -> (Option<StoredLease>, bool) {
    match lease {
        Lease::Leave => (stored, false),
        Lease::Take(token, period) => {
            let holder = stored.filter(|lease| lease.is_live(micros(now)));
            if holder.is_some_and(|holder| holder.token != token.0) {
                return (stored, false);
            }
            let taken = StoredLease { token: token.0, until: lease_end(now, period) };
            (Some(taken), taken.is_live(micros(now)))
        }
        Lease::Hold(_) => (stored, true),
        Lease::Free(_) => (None, false),
    }
}

/// The end of a lease that is taken now.
pub(super) fn lease_end(now: DateTime<Utc>, period: std::time::Duration) -> i64 {
    let period = TimeDelta::from_std(period).unwrap_or(TimeDelta::MAX);
    micros(now.checked_add_signed(period).unwrap_or(DateTime::<Utc>::MAX_UTC))
}
