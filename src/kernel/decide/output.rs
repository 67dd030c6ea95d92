//! The output of a decision: all that is to be written beside the conversation itself.

use std::sync::Arc;

use crate::address::Alias;
use crate::id::{ContactId, FlowId, FlowVersion, SessionId};
use crate::kernel::CountDelta;
use crate::kernel::journal::JournalEntry;
use crate::list::ShortList;
use crate::observer::PendingEvent;
use crate::session::{KeyRecord, Session};

/// The output of a decision, in the order in which it came about.
#[derive(Default)]
pub(crate) struct Output {
    /// True if there is anything to be written.
    pub(crate) changed: bool,
    /// Sessions that it started, or took to another version.
    pub(crate) started: ShortList<(SessionId, FlowId, FlowVersion)>,
    /// Sessions that it ended.
    pub(crate) ended: ShortList<Arc<Session>>,
    /// Sessions that called a flow or came back from one, with the versions that they need beside
    /// their own.
    pub(crate) called: Vec<(SessionId, Vec<(FlowId, FlowVersion)>)>,
    /// The record of the trigger's key.
    pub(crate) key: Option<KeyRecord>,
    pub(crate) journal: Vec<JournalEntry>,
    /// Additions to counters, as they came.
    pub(crate) counts: Vec<CountDelta>,
    pub(crate) events: Vec<PendingEvent>,
    /// The contact that turned out to be this one (SEMANTICS A5).
    pub(crate) absorbed: Option<Box<AbsorbedContact>>,
    pub(crate) add_aliases: Vec<Alias>,
    pub(crate) drop_aliases: Vec<Alias>,
}

/// A contact that is no more, with the revision and the watermark of its conversation as it was
/// loaded.
#[derive(Clone)]
pub(crate) struct AbsorbedContact {
    pub(crate) contact: ContactId,
    pub(crate) revision: u64,
    pub(crate) settled: u64,
    /// True if the call holds the lease of that conversation.
    pub(crate) is_held: bool,
}
