//! The observer that writes events to `tracing`.
//!
//! A host gives `TracingObserver` a secret: ids of contacts are few and can be guessed, and a hash
//! under a known key would hide nothing.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;
use tracing::{debug, warn};

use crate::error::Error;
use crate::id::{ContactId, WorkspaceId};
use crate::observer::{BackgroundTask, Event, EventKind, Observer};

/// Writes each event as a `tracing` event of the target `chatflow`, within the spans
/// `chatflow.trigger`, `.receive`, `.complete`, `.tick`, `.deliver` and `.call`, which the engine
/// opens under the feature `tracing` ([SEMANTICS E4](crate::semantics#e4)). Spans have the fields
/// `workspace`, `flow` and `contact`, a hash like that of events, where they are known when the
/// span begins; `.tick` has none.
///
/// Fields: `event`, the kind's [name](EventKind::name); `workspace`, `contact`, `session`, `flow`,
/// `version`, `cause`, `attempt`; `lag_ms`, `decide_us`, `store_us`, `send_us`, `call_us`; and what
/// the kind tells: `node`, `status`, `result`, `message_id`, `call`. Level `WARN` for
/// `quarantined`, `version_missing`, `dead_lettered`, `clock_behind` and `clock_skew`, and for
/// sessions that failed; `DEBUG` for all else.
///
/// A failure in the background is an event `background_failed` of level `WARN`, with `task` and, as
/// `result`, the [code](crate::Error::code) of the error.
///
/// `contact` is a hash of workspace and contact under the host's secret, the same in every process
/// that has the same secret: `SipHash-1-3` of both, each behind its length in 8 bytes,
/// little-endian, as 16 digits. Texts are never written.
#[derive(Clone)]
pub struct TracingObserver {
    secret: [u8; 16],
}

impl std::fmt::Debug for TracingObserver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TracingObserver").finish_non_exhaustive()
    }
}

impl TracingObserver {
    /// An observer that hashes contacts under this secret: 16 random bytes, such as those of
    /// [`Builder::erasure_key`](crate::Builder::erasure_key).
    #[must_use]
    pub fn new(secret: [u8; 16]) -> Self {
        Self { secret }
    }

    /// Returns the name of a contact in the log, so that a host finds it there.
    #[must_use]
    pub fn contact(&self, workspace: &WorkspaceId, contact: &ContactId) -> String {
        let mut hasher = SipHasher13::new_with_key(&self.secret);
        for part in [workspace.as_str(), &contact.to_string()] {
            hasher.write(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hasher.write(part.as_bytes());
        }
        format!("{:016x}", hasher.finish())
    }
}

/// Tells of a kind beside its name. Never a text, and no key or variable, which authors name.
#[derive(Default)]
struct KindDetails<'a> {
    node: Option<&'a str>,
    status: Option<&'a str>,
    result: Option<&'a str>,
    message: Option<String>,
    call: Option<String>,
}

impl<'a> KindDetails<'a> {
    fn of(kind: &'a EventKind) -> Self {
        let none = Self::default();
        match kind {
            EventKind::Turn { node, status, .. } => {
                Self { node: Some(node.as_str()), status: Some(status.as_str()), ..none }
            }
            EventKind::SessionEnded { status, failure, ended_by, .. } => {
                let result = failure.map(|code| code.as_str()).or(ended_by.map(|reason| reason.as_str()));
                Self { status: Some(status.as_str()), result, ..none }
            }
            EventKind::Refused { reason } => Self { result: Some(reason), ..none },
            EventKind::Received { outcome } => Self { result: Some(outcome), ..none },
            EventKind::SubflowFailed { node, code, .. } => {
                Self { node: Some(node.as_str()), result: Some(code.as_str()), ..none }
            }
            EventKind::ChoicesAdjusted { node, why, .. } => {
                Self { node: Some(node.as_str()), result: Some(why), ..none }
            }
            EventKind::ContentRefused { node, fault, .. } => {
                Self { node: Some(node.as_str()), result: Some(fault.as_str()), ..none }
            }
            EventKind::UndefinedVariable { node, .. }
            | EventKind::ListCut { node, .. }
            | EventKind::NoResult { node, .. }
            | EventKind::ContentCut { node, .. }
            | EventKind::HandedOff { node, .. }
            | EventKind::ContactChanged { node, .. }
            | EventKind::Logged { node, .. } => Self { node: Some(node.as_str()), ..none },
            EventKind::SendFailed { message, result, .. } => {
                Self { message: Some(message.to_string()), result: Some(result), ..none }
            }
            EventKind::Delivered { message, .. }
            | EventKind::SendDelayed { message, .. }
            | EventKind::SendPaced { message, .. }
            | EventKind::DeadLettered { message }
            | EventKind::Reported { message, .. } => Self { message: Some(message.to_string()), ..none },
            EventKind::Called { call } => Self { call: Some(call.to_string()), ..none },
            EventKind::CallDone { call, result } => {
                Self { call: Some(call.to_string()), result: Some(result), ..none }
            }
            EventKind::VersionMissing { reason, .. } => Self { result: Some(reason.as_str()), ..none },
            _ => none,
        }
    }
}

fn is_warning(kind: &EventKind) -> bool {
    match kind {
        EventKind::Quarantined
        | EventKind::VersionMissing { .. }
        | EventKind::DeadLettered { .. }
        | EventKind::ClockBehind
        | EventKind::ClockSkew { .. } => true,
        EventKind::SessionEnded { failure, .. } => failure.is_some(),
        _ => false,
    }
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

macro_rules! write {
    ($level:ident, $event:expr, $contact:expr, $told:expr) => {
        $level!(
            target: "chatflow",
            event = $event.kind.name(),
            workspace = $event.workspace.as_str(),
            contact = $contact.as_str(),
            session = $event.session.map(tracing::field::display),
            flow = $event.flow.as_ref().map(|flow| flow.as_str()),
            version = $event.version.map(|version| version.0),
            cause = $event.cause.as_str(),
            attempt = $event.attempt,
            lag_ms = $event.lag.map(|lag| micros(lag) / 1_000),
            decide_us = $event.took.decide.map(micros),
            store_us = $event.took.store.map(micros),
            send_us = $event.took.send.map(micros),
            call_us = $event.took.call.map(micros),
            node = $told.node,
            status = $told.status,
            result = $told.result,
            message_id = $told.message.as_deref(),
            call = $told.call.as_deref(),
        )
    };
}

impl Observer for TracingObserver {
    fn contact_label(&self, workspace: &WorkspaceId, contact: &ContactId) -> Option<String> {
        Some(self.contact(workspace, contact))
    }

    fn observe(&self, event: &Event) {
        let is_warning = is_warning(&event.kind);
        let is_wanted = if is_warning {
            tracing::enabled!(target: "chatflow", tracing::Level::WARN)
        } else {
            tracing::enabled!(target: "chatflow", tracing::Level::DEBUG)
        };
        if !is_wanted {
            return;
        }
        let (contact, told) = (self.contact(&event.workspace, &event.contact), KindDetails::of(&event.kind));
        if is_warning {
            write!(warn, event, contact, told);
        } else {
            write!(debug, event, contact, told);
        }
    }

    fn failed(&self, doing: BackgroundTask, error: &Error) {
        warn!(
            target: "chatflow",
            event = "background_failed",
            task = doing.as_str(),
            result = error.code(),
        );
    }
}
