//! The answer to a trigger, and the state of the session that it names.

use crate::address::{Address, Alias};
use crate::id::{ContactId, SessionId};
use crate::kernel::outcome::Triggered;
use crate::session::{Conversation, FailureCode, Session, Status};

/// The answer of a decision on a trigger.
#[derive(Debug)]
pub(crate) enum TriggerAnswer {
    /// The caller's answer.
    Final(Triggered),
    /// The address leads to another contact.
    AddressTaken(Alias, ContactId),
    /// The other form of the address leads to this contact (SEMANTICS A2).
    HeldBy(ContactId),
    /// The address is new: it may have an opt-out of a contact that was erased.
    AddressNew(Address),
}

/// A session's status and the reason of its failure (SEMANTICS T11).
#[derive(Clone, Copy)]
pub(super) struct SessionState {
    pub(super) status: Status,
    pub(super) failure: Option<FailureCode>,
}

impl SessionState {
    pub(super) fn of(session: &Session) -> Self {
        Self { status: session.status(), failure: session.failure().map(|failure| failure.code) }
    }

    /// As a conversation has it now; a session that it does not have has ended.
    pub(super) fn now(conversation: Option<&Conversation>, session: SessionId) -> Self {
        let live = conversation.and_then(|found| found.sessions().iter().find(|live| live.id() == session));
        live.map_or(Self { status: Status::Completed, failure: None }, Self::of)
    }
}
