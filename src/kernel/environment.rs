//! A turn's surroundings, and its result.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::id::WorkspaceId;
use crate::kernel::journal::JournalStep;
use crate::kernel::library::Library;
use crate::limits::Limits;
use crate::observer::EventKind;
use crate::session::{Contact, ContactChange, Outbound, Session};

/// The surroundings of a turn: everything that it may read beside flow, session and input.
#[derive(Clone, Copy, Debug)]
pub struct TurnEnvironment<'a> {
    /// The conversation's time of the turn.
    pub now: DateTime<Utc>,
    /// The tenant.
    pub workspace: &'a WorkspaceId,
    /// The contact.
    pub contact: &'a Contact,
    /// The flow's name now; it changes without a new version ([SEMANTICS S5](crate::semantics#s5)).
    pub flow_name: &'a str,
    /// The flows that it may call.
    pub flows: &'a dyn Library,
    /// The maxima.
    pub limits: &'a Limits,
    /// The number of the message that was last put into the conversation's outbox.
    pub last_seq: u64,
    /// The number of messages of the conversation that are unsent.
    pub unsent: usize,
    /// True if the nodes that are visited are reported.
    pub journal: bool,
}

/// The result of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Turn {
    /// The session as it is now.
    pub session: Session,
    /// Things to be done, in order. A turn that failed sends nothing and changes no contact.
    pub effects: Vec<Effect>,
    /// The nodes that it visited, if they were asked for.
    pub steps: Vec<JournalStep>,
}

/// Something that a turn wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Send this message to the contact.
    Send(Arc<Outbound>),
    /// Change the contact.
    Contact(ContactChange),
    /// Tell those who watch.
    Note(EventKind),
}
