//! The environment of a decision: the flows as they are now, the maxima, the policy, the time.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::address::AccountRef;
use crate::error::{Error, MissingReason};
use crate::flow::{Flow, Keywords};
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::kernel::Library;
use crate::limits::Limits;
use crate::observer::Cause;

/// The flows that a decision may need, as they are now.
pub(crate) trait FlowLookup: Library {
    /// A version of a flow. None: it has not been fetched yet.
    fn pinned(&self, flow: &FlowId, version: FlowVersion) -> Option<Pinned<'_>>;

    /// A flow as new sessions start on it. None: it is not there, or was deleted.
    fn published(&self, flow: &FlowId) -> Option<Published<'_>>;

    /// The flows that messages of an account may start, each with the version that is online.
    fn startable(&self, account: AccountRef<'_>) -> Vec<(FlowVersion, &Arc<Flow>)>;

    /// A flow that messages of an account might start, if its version that is online cannot be used
    /// here.
    fn missing_on(&self, account: AccountRef<'_>) -> Option<(FlowId, FlowVersion, MissingReason)>;
}

/// A flow as new sessions start on it.
#[derive(Clone, Copy)]
pub(crate) struct Published<'a> {
    /// Its name now (SEMANTICS S5).
    pub(crate) name: &'a Arc<str>,
    /// The version that is online, and a hash of its content.
    pub(crate) online: Option<(FlowVersion, Option<u128>)>,
    /// The version of this number, if it is online and has been fetched.
    pub(crate) flow: Option<Result<&'a Arc<Flow>, Unusable<'a>>>,
}

impl<'a> Published<'a> {
    /// The version that new sessions start on, if it can be used here.
    pub(crate) fn usable(&self) -> Option<(FlowVersion, &'a Arc<Flow>)> {
        Some((self.online?.0, self.flow?.ok()?))
    }

    /// The version that is lacking where new sessions would start on one that cannot be used here
    /// (SEMANTICS S14).
    pub(crate) fn missing(&self, flow: &FlowId) -> Option<(FlowId, FlowVersion, MissingReason)> {
        Some(self.flow?.err()?.named(flow, self.online?.0))
    }
}

/// A version of a flow, and what is true of the flow now.
#[derive(Clone, Copy)]
pub(crate) struct Pinned<'a> {
    pub(crate) flow: Result<&'a Arc<Flow>, Unusable<'a>>,
    /// A hash of its content, if it is stored (SEMANTICS S13).
    pub(crate) digest: Option<u128>,
    pub(crate) name: &'a str,
    pub(crate) logging: bool,
    /// True if the journal has what is sent.
    pub(crate) texts: bool,
    /// True if its sessions are to be cancelled (SEMANTICS L4).
    pub(crate) terminated: bool,
}

/// The reason a version cannot be used here (SEMANTICS S14).
#[derive(Clone, Copy)]
pub(crate) struct Unusable<'a> {
    pub(crate) reason: &'a MissingReason,
    /// The version that is lacking, if it is of a flow that the version calls (SEMANTICS N9).
    pub(crate) callee: Option<(&'a FlowId, FlowVersion)>,
}

impl Unusable<'_> {
    /// The version that is lacking where this one was to be used.
    pub(crate) fn named(self, flow: &FlowId, version: FlowVersion) -> (FlowId, FlowVersion, MissingReason) {
        let (flow, version) = self.callee.unwrap_or((flow, version));
        (flow.clone(), version, self.reason.clone())
    }
}

impl<'a> Pinned<'a> {
    /// True if a session with this digest is pinned to it (SEMANTICS S13).
    pub(crate) fn is(&self, digest: Option<u128>) -> bool {
        digest.is_none() || digest == self.digest
    }

    /// The flow, for a session with this digest.
    pub(crate) fn flow_of(&self, digest: Option<u128>) -> Option<&'a Flow> {
        self.flow.ok().filter(|_| self.is(digest)).map(|flow| &**flow)
    }
}

/// The reason a decision cannot be made with the flows as they are.
pub(crate) enum Unready {
    /// These versions have not been fetched.
    Fetch(Vec<(FlowId, FlowVersion)>),
    /// A version that a session needs cannot be used here (SEMANTICS S14).
    Missing(FlowId, FlowVersion, MissingReason),
    /// By the store's clock something is due, by the engine's, which is far behind, it is not
    /// (SEMANTICS S20).
    InDoubt(Skew),
}

/// Two clocks that are further apart than they may be (SEMANTICS S20).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skew {
    pub(crate) engine: DateTime<Utc>,
    pub(crate) store: DateTime<Utc>,
}

impl From<Skew> for Error {
    fn from(skew: Skew) -> Self {
        Self::ClockSkew { engine: skew.engine, store: skew.store }
    }
}

/// Everything that a decision may read beside the conversation and the operation: the same
/// environment gives the same decision.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    pub(crate) workspace: &'a WorkspaceId,
    pub(crate) limits: &'a Limits,
    pub(crate) policy: &'a Policy,
    pub(crate) flows: &'a dyn FlowLookup,
    /// The clock's time.
    pub(crate) now: DateTime<Utc>,
    /// Names the call: what is decided is found under it again (SEMANTICS D6).
    pub(crate) call: u128,
    /// True if anybody watches.
    pub(crate) observed: bool,
    /// True if nodes and sessions are counted (SEMANTICS Q9).
    pub(crate) counted: bool,
    /// Since when what is due has been worked without a gap; None: nobody works it (SEMANTICS S15).
    pub(crate) at_work_since: Option<DateTime<Utc>>,
    /// Set where the engine's clock is far behind the store's, by which this is decided (SEMANTICS
    /// S20).
    pub(crate) skew: Option<Skew>,
    /// The kind of call that is decided on.
    pub(crate) cause: Cause,
}

/// The host's choices that decide, the same for every call of an engine.
#[derive(Debug)]
pub(crate) struct Policy {
    /// Words that work in every conversation (SEMANTICS I6).
    pub(crate) keywords: Keywords,
    /// The time for which a trigger's key is honoured (SEMANTICS T5).
    pub(crate) key_retention: Duration,
    /// The time for which a stranger is kept (SEMANTICS S19).
    pub(crate) session_retention: Duration,
    /// The time after which a message is given up that cannot be sent (SEMANTICS D1).
    pub(crate) give_up_after: Duration,
    /// True if a trigger makes no contact (SEMANTICS T2).
    pub(crate) refuse_unknown_contacts: bool,
    /// True if messages wait for a pace: the time to give up counts from the first attempt
    /// (SEMANTICS D7).
    pub(crate) is_paced: bool,
}

/// An opt-out that an address brings to the contact that it is linked to (SEMANTICS S11).
#[derive(Clone, Copy, Debug)]
pub(crate) struct CarriedOptOut {
    /// Since when.
    pub(crate) since: Option<DateTime<Utc>>,
    /// True if that is known: an address that is new may have one from a contact that was erased.
    pub(crate) is_known: bool,
}
