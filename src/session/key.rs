//! The record of a trigger under its idempotency key (SEMANTICS T5).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{ContactId, FlowVersion, SessionId};
use crate::session::{FailureCode, Status};

/// The record of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// A hash of the request.
    #[serde(with = "crate::hex")]
    pub fingerprint: u128,
    /// True if the trigger started the session; else it found it running.
    pub started: bool,
    /// The session that was answered.
    pub session: SessionId,
    /// Its version.
    pub version: FlowVersion,
    /// A hash of that version's content ([SEMANTICS S13](crate::semantics#s13)). None: an older
    /// release wrote it.
    #[serde(default, with = "crate::hex::option", skip_serializing_if = "Option::is_none")]
    pub digest: Option<u128>,
    /// Its contact.
    pub contact: ContactId,
    /// Until when the key is honoured.
    pub expires_at: DateTime<Utc>,
    /// The session's status when the trigger was answered ([SEMANTICS T11](crate::semantics#t11));
    /// None: an older release wrote the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The reason of its failure; None: it had not failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureCode>,
    /// True if the contact was erased; then nothing else of it says anything but `expires_at`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

impl KeyRecord {
    /// Returns what stays of a key whose contact was erased.
    #[must_use]
    pub fn erased(expires_at: DateTime<Utc>) -> Self {
        Self {
            fingerprint: 0,
            started: false,
            session: SessionId(Uuid::nil()),
            version: FlowVersion(0),
            digest: None,
            contact: ContactId::from(Uuid::nil()),
            expires_at,
            status: None,
            failure: None,
            erased: true,
        }
    }
}
