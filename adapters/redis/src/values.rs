//! Values as the scripts take and give them.

use chatflow::error::StoreError;
use chatflow::id::{ContactId, SessionId, WorkspaceId};
use chatflow::store::sql::instant;
use chatflow::store::{KeyName, KeyRecord};

/// Arguments of a script, each as its text.
macro_rules! args {
    ($($arg:expr),* $(,)?) => { vec![$($arg.to_string().into_bytes()),*] };
}
pub(super) use args;

/// Parts the texts of one value; no text of a host has it.
const US: char = '\u{1f}';

/// The name that a key is kept under: a hash, so that nothing needs to be renamed when its contact
/// is erased (rule 23).
pub(super) fn key_name(name: &KeyName) -> String {
    name.hashed().key.to_string()
}

/// Reads `EXPIRES US CONTACT US RECORD`; of a key whose contact was erased the last two are empty.
pub(super) fn key_record(stored: &str) -> Result<KeyRecord, StoreError> {
    let mut parts = stored.splitn(3, US);
    let (Some(expires), Some(contact), Some(record)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(damaged("a key", "it has too few parts"));
    };
    let expires_at = instant(expires.parse().map_err(|error| damaged("a key", error))?);
    if record.is_empty() {
        return Ok(KeyRecord::erased(expires_at));
    }
    let record: KeyRecord = serde_json::from_str(record).map_err(|error| damaged("a key", error))?;
    Ok(KeyRecord { contact: contact_of(contact)?, expires_at, ..record })
}

pub(super) fn contact_of(text: &str) -> Result<ContactId, StoreError> {
    ContactId::new(text).map_err(|error| damaged("a contact's id", error))
}

pub(super) fn workspace_of(text: &str) -> Result<WorkspaceId, StoreError> {
    WorkspaceId::new(text).map_err(|error| damaged("a workspace's id", error))
}

pub(super) fn session_of(text: &str) -> Result<SessionId, StoreError> {
    SessionId::parse(text).map_err(|error| damaged("a session's id", error))
}

pub(super) fn damaged(what: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::permanent(format!("{what} is damaged: {why}"))
}
