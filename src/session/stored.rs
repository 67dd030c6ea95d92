//! The form of records outside this process: magic, format number, checksum, then the body: JSON in
//! format 1, the compact form of the same values in format 2. What is read is checked before it is
//! believed; a format of a newer release is refused, not guessed at.

use std::hash::Hasher;

use serde::Serialize;
use serde::de::DeserializeOwned;
use siphasher::sip::SipHasher13;

use crate::session::compact::{self, CompactError};
use crate::session::{Conversation, Session, bounds};

const MAGIC: [u8; 4] = *b"cflw";
/// The format that this release writes. Older ones are upgraded on reading.
const FORMAT: u16 = 2;
/// The format whose body is JSON.
const JSON: u16 = 1;
const HEADER: usize = MAGIC.len() + size_of::<u16>() + size_of::<u64>();
/// No record of ours is larger; more is not read.
const MAX_BYTES: usize = 16 << 20;

/// The reason stored bytes are no record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// They do not begin as records do, or end too early, or are larger than any record.
    #[error("bytes are not a record of this crate")]
    NotARecord,
    /// They changed since they were written.
    #[error("checksum of the record does not match")]
    Checksum,
    /// A newer release wrote them.
    #[error("record has format {found}, this release reads up to {known}")]
    NewerFormat {
        /// The format found.
        found: u16,
        /// The newest that this release reads.
        known: u16,
    },
    /// A number of it is one that no record reaches ([SEMANTICS S18](crate::semantics#s18)).
    #[error("record cannot be right: its `{0}` is out of bounds")]
    OutOfBounds(&'static str),
    /// The body is not what the format says.
    #[error("record cannot be read: {0}")]
    Body(String),
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        Self::Body(error.to_string())
    }
}

impl From<CompactError> for DecodeError {
    fn from(error: CompactError) -> Self {
        Self::Body(error.to_string())
    }
}

/// A part of a record that has no stored form.
#[derive(Debug, thiserror::Error)]
#[error("record cannot be written: {0}")]
pub struct EncodeError(#[from] CompactError);

/// Writes a conversation.
///
/// # Errors
/// When a part of it has no stored form; none of this crate's own parts is such.
pub fn encode_conversation(conversation: &Conversation) -> Result<Vec<u8>, EncodeError> {
    encode(conversation)
}

/// Reads a conversation of this or an older release.
///
/// # Errors
/// [`DecodeError`] when the bytes are not a record, were changed, or are newer than this release.
pub fn decode_conversation(bytes: &[u8]) -> Result<Conversation, DecodeError> {
    within(decode(bytes)?, bounds::of_conversation)
}

/// Writes a session on its own, as an archive of ended ones does.
///
/// # Errors
/// As [`encode_conversation`].
pub fn encode_session(session: &Session) -> Result<Vec<u8>, EncodeError> {
    encode(session)
}

/// Reads a session of this or an older release.
///
/// # Errors
/// As [`decode_conversation`].
pub fn decode_session(bytes: &[u8]) -> Result<Session, DecodeError> {
    within(decode(bytes)?, bounds::of_session)
}

fn within<T>(read: T, bounds: fn(&T) -> Option<&'static str>) -> Result<T, DecodeError> {
    match bounds(&read) {
        Some(beyond) => Err(DecodeError::OutOfBounds(beyond)),
        None => Ok(read),
    }
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[0; size_of::<u64>()]);
    compact::to_writer(&mut bytes, value)?;
    let sum = bytes.get(HEADER..).map_or(0, checksum);
    if let Some(place) = bytes.get_mut(HEADER - size_of::<u64>()..HEADER) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
    Ok(bytes)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() > MAX_BYTES {
        return Err(DecodeError::NotARecord);
    }
    let rest = bytes.strip_prefix(&MAGIC).ok_or(DecodeError::NotARecord)?;
    let (format, rest) = rest.split_first_chunk().ok_or(DecodeError::NotARecord)?;
    let (sum, body) = rest.split_first_chunk().ok_or(DecodeError::NotARecord)?;
    let found = u16::from_le_bytes(*format);
    if found > FORMAT {
        return Err(DecodeError::NewerFormat { found, known: FORMAT });
    }
    if u64::from_le_bytes(*sum) != checksum(body) {
        return Err(DecodeError::Checksum);
    }
    if found <= JSON { Ok(serde_json::from_slice(body)?) } else { Ok(compact::from_slice(body)?) }
}

fn checksum(body: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(body);
    hasher.finish()
}
