//! One conversation as it lies in its shard: the record and what the contract keeps beside it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::id::ContactId;
use crate::store::{Record, Revision, StoredConversation, Token};

/// One conversation, in two lines of the cache: among a million conversations each line more is a
/// call's time.
#[repr(align(128))]
pub(super) struct Slot {
    pub(super) contact: ContactId,
    /// None: a decision took the record in place and was not written. Such a conversation counts as
    /// set aside.
    pub(super) record: Option<Record>,
    pub(super) revision: Revision,
    pub(super) settled: u64,
    /// Where the due index has it: a second, [`UNFILED`], [`READY`] or [`suspect_at`] a time.
    pub(super) filed: i64,
    pub(super) lease: LeaseState,
    pub(super) due_at: Option<DateTime<Utc>>,
    pub(super) workspace: u32,
    pub(super) claims: u32,
    pub(super) dead_letters: u32,
    pub(super) quarantined: bool,
}

/// Not in the due index.
pub(super) const UNFILED: i64 = i64::MAX;
/// Among those whose second has come.
pub(super) const READY: i64 = i64::MIN;

/// Among those whose last lease ended unsettled, to be tried at this time: below each second.
pub(super) fn suspect_at(time: DateTime<Utc>) -> i64 {
    i64::MIN / 2 + time.timestamp_millis()
}

/// True if it is filed under [`suspect_at`] some time.
pub(super) fn is_suspect(filed: i64) -> bool {
    filed != READY && filed < i64::MIN / 4
}

const _: () = assert!(size_of::<Slot>() == 128);

/// The holder of the lease, and the end of the lease.
pub(super) struct LeaseState {
    token: Uuid,
    until: Option<DateTime<Utc>>,
}

impl LeaseState {
    pub(super) fn free() -> Self {
        Self { token: Uuid::nil(), until: None }
    }

    pub(super) fn held(token: Token, until: DateTime<Utc>) -> Self {
        Self { token: token.0, until: Some(until) }
    }

    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        self.until
    }

    pub(super) fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| until > now)
    }

    pub(super) fn is_held_by(&self, token: Token, now: DateTime<Utc>) -> bool {
        self.token == token.0 && self.is_live(now)
    }
}

/// The end of a lease that is taken now.
pub(super) fn lease_end(now: DateTime<Utc>, lease: Duration) -> DateTime<Utc> {
    let lease = TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(lease).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl Slot {
    pub(super) fn new(workspace: u32, contact: ContactId) -> Self {
        Self {
            contact,
            record: None,
            revision: 0,
            settled: 0,
            filed: UNFILED,
            lease: LeaseState::free(),
            due_at: None,
            workspace,
            claims: 0,
            dead_letters: 0,
            quarantined: false,
        }
    }

    pub(super) fn is_set_aside(&self) -> bool {
        self.quarantined || self.record.is_none()
    }

    /// The record; of a torn conversation one that cannot be read.
    pub(super) fn record(&self) -> Record {
        self.record.clone().unwrap_or_else(Record::none)
    }

    /// Returns the answer to a lookup, around this record.
    pub(super) fn stored(&self, record: Record, token: Token, now: DateTime<Utc>) -> StoredConversation {
        StoredConversation {
            contact: self.contact.clone(),
            revision: self.revision,
            record,
            settled: self.settled,
            leased: self.lease.is_held_by(token, now),
            quarantined: self.is_set_aside(),
        }
    }
}
