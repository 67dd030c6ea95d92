//! A row as one value: a line of JSON, then the record's bytes as they are.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::StoreError;
use crate::session::DecodeError;
use crate::store::{Record, Revision, Row, Token};

/// The format that this release writes.
const FORMAT: u16 = 1;

/// All but the record. What a later release adds has a default.
#[derive(Serialize, Deserialize)]
struct Head {
    row: u16,
    revision: Revision,
    settled: u64,
    due_at: Option<DateTime<Utc>>,
    lease: Option<(Uuid, DateTime<Utc>)>,
    claims: u32,
    dead_letters: u32,
    quarantined: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    erased: bool,
}

/// Read first: what a newer release writes may have another head.
#[derive(Deserialize)]
struct Format {
    row: u16,
}

impl Row {
    /// Returns the row as bytes, for a store that keeps it as one value.
    ///
    /// # Errors
    /// A permanent [`StoreError`] when the record cannot be encoded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        let &Self { revision, settled, due_at, claims, dead_letters, quarantined, erased, .. } = self;
        let lease = self.lease.map(|(token, end)| (token.0, end));
        let head =
            Head { row: FORMAT, revision, settled, due_at, lease, claims, dead_letters, quarantined, erased };
        let mut bytes = serde_json::to_vec(&head).map_err(StoreError::permanent)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.record.to_bytes()?);
        Ok(bytes)
    }

    /// A row that was written earlier, by this or an older release. Its record is read when it is
    /// used.
    ///
    /// # Errors
    /// A permanent [`StoreError`] with a [`DecodeError`] when the bytes are not a row, or are newer
    /// than this release.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        decode(bytes).map_err(StoreError::permanent)
    }
}

fn decode(bytes: &[u8]) -> Result<Row, DecodeError> {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (Some(head), Some(record)) = (parts.next(), parts.next()) else {
        return Err(DecodeError::NotARecord);
    };
    let Format { row: found } = serde_json::from_slice(head)?;
    if found > FORMAT {
        return Err(DecodeError::NewerFormat { found, known: FORMAT });
    }
    let Head { revision, settled, due_at, lease, claims, dead_letters, quarantined, erased, .. } =
        serde_json::from_slice(head)?;
    let lease = lease.map(|(token, end)| (Token(token), end));
    let record = Record::from_bytes(record);
    Ok(Row { record, revision, settled, due_at, lease, claims, dead_letters, quarantined, erased })
}
