//! Columns as they are read: names, ids, instants, a conversation.

use chatflow::id::{ContactId, SessionId, WorkspaceId};
use chatflow::store::{Record, StoredConversation, Token};
use rusqlite::Row;
use rusqlite::types::Type;
use uuid::Uuid;

pub(super) fn workspace(row: &Row<'_>, place: usize) -> rusqlite::Result<WorkspaceId> {
    WorkspaceId::new(text(row, place)?).map_err(|error| damaged(place, error))
}

pub(super) fn contact(row: &Row<'_>, place: usize) -> rusqlite::Result<ContactId> {
    ContactId::new(text(row, place)?).map_err(|error| damaged(place, error))
}

pub(super) fn session(row: &Row<'_>, place: usize) -> rusqlite::Result<SessionId> {
    row.get(place).map(|bytes| SessionId(Uuid::from_bytes(bytes)))
}

pub(super) fn text<'r>(row: &'r Row<'_>, place: usize) -> rusqlite::Result<&'r str> {
    row.get_ref(place)?.as_str().map_err(|error| damaged(place, error))
}

pub(super) fn blob<'r>(row: &'r Row<'_>, place: usize) -> rusqlite::Result<&'r [u8]> {
    row.get_ref(place)?.as_blob().map_err(|error| damaged(place, error))
}

pub(super) fn record(row: &Row<'_>, place: usize) -> rusqlite::Result<Record> {
    blob(row, place).map(Record::from_bytes)
}

pub(super) fn damaged(
    place: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(place, Type::Blob, Box::new(error))
}

/// The holder of a lease, and its end in microseconds.
#[derive(Clone, Copy)]
pub(super) struct StoredLease {
    pub(super) token: Uuid,
    pub(super) until: i64,
}

impl StoredLease {
    /// Of two columns: the token, and the end.
    pub(super) fn read(row: &Row<'_>, place: usize) -> rusqlite::Result<Option<Self>> {
        let token: Option<[u8; 16]> = row.get(place)?;
        let until: Option<i64> = row.get(place + 1)?;
        Ok(token.zip(until).map(|(token, until)| Self { token: Uuid::from_bytes(token), until }))
    }

    pub(super) fn is_live(self, now: i64) -> bool {
        now < self.until
    }

    pub(super) fn is_held_by(self, token: Token, now: i64) -> bool {
        self.token == token.0 && self.is_live(now)
    }
}

/// A number that is kept as SQLite's signed one.
pub(super) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

pub(super) fn unsigned(row: &Row<'_>, place: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(place).map(i64::cast_unsigned)
}

/// A limit as SQLite takes it.
pub(super) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Of these columns from `place` on: contact, revision, settled, lease_token, lease_until,
/// quarantined, record.
pub(super) fn stored(
    row: &Row<'_>,
    place: usize,
    token: Token,
    now: i64,
) -> rusqlite::Result<StoredConversation> {
    let lease = StoredLease::read(row, place + 3)?;
    Ok(StoredConversation {
        contact: contact(row, place)?,
        revision: unsigned(row, place + 1)?,
        record: record(row, place + 6)?,
        settled: unsigned(row, place + 2)?,
        leased: lease.is_some_and(|lease| lease.is_held_by(token, now)),
        quarantined: row.get(place + 5)?,
    })
}
