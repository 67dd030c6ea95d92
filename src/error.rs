//! Errors, by meaning: each variant tells the host whether to retry and which code to show. A
//! failure of a running flow is not an error of a call: see `Session::failure`.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::address::{InvalidAddress, InvalidChannel, InvalidPhone};
use crate::flow::{InvalidSpan, Issues};
use crate::id::{ContactId, FlowId, FlowVersion, InvalidName, SessionId, TriggerKey};

/// An error of a call that was refused or failed. Outcomes such as `AlreadyRunning` are not
/// errors.
///
/// Whenever an error is answered, nothing was changed, or (after a failure of storage) repeating
/// the same call finds what was done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field breaks a rule. Handling: fix the request; 422.
    #[error("`{field}` {rule}")]
    InvalidInput {
        /// The field as the request names it, such as `phone` or `context.cart_id`.
        field: Cow<'static, str>,
        /// The rule it breaks.
        rule: String,
    },
    /// No flow has this code in this workspace. Handling: 404.
    #[error("flow `{0}` does not exist")]
    FlowNotFound(FlowId),
    /// The flow has no online version that starts by call ([SEMANTICS T1](crate::semantics#t1)).
    /// Handling: 404.
    #[error("flow `{0}` is not published with a manual trigger")]
    FlowNotPublished(FlowId),
    /// The flow's online version has no entry node, which publishing refuses: something else wrote
    /// it ([SEMANTICS T1](crate::semantics#t1)). Handling: publish a flow with a `start`; 422.
    #[error("flow `{0}` has no entry node")]
    NoEntryNode(FlowId),
    /// The key was used for another request ([SEMANTICS T5](crate::semantics#t5)). Handling: 422,
    /// do not retry.
    #[error("key `{0}` was used for another request")]
    IdempotencyConflict(TriggerKey),
    /// The contact has as many live sessions as are allowed ([SEMANTICS S7](crate::semantics#s7)).
    /// Handling: 429.
    #[error("contact `{contact}` already has {max} live sessions, the maximum")]
    TooManySessions {
        /// The contact.
        contact: ContactId,
        /// The limit.
        max: usize,
    },
    /// No session has this id in this workspace. Handling: 404.
    #[error("session `{0}` does not exist")]
    SessionNotFound(SessionId),
    /// No contact has this id in this workspace, and the engine was built to refuse unknown ones.
    /// Handling: 404.
    #[error("contact `{0}` does not exist")]
    ContactNotFound(ContactId),
    /// The contact's conversation was set aside after repeated failure
    /// ([SEMANTICS S9](crate::semantics#s9)). Handling: an operator looks at it, then `release`;
    /// 503.
    #[error("conversation of contact `{0}` is quarantined")]
    Quarantined(ContactId),
    /// A record was written by a newer release of this crate. Handling: finish the roll-out; 503.
    #[error("stored {what} has format {found}, but this release reads at most {known}")]
    NewerFormat {
        /// The kind of record that was read.
        what: &'static str,
        /// Its format.
        found: u32,
        /// The newest format that this release knows.
        known: u32,
    },
    /// The definition has errors ([SEMANTICS C](crate::semantics#c)); `{:#}` adds how to fix each.
    /// Handling: show them to the author; 422.
    #[error(fmt = fmt_issues)]
    Issues(#[from] Issues),
    /// One of several flows was refused, and so nothing was changed
    /// ([SEMANTICS L10](crate::semantics#l10)). Handling: that of `source`, whose code and HTTP
    /// status this has, too.
    #[error(fmt = fmt_in_flow)]
    InFlow {
        /// Its place among those given, from 0.
        place: usize,
        /// Its code, if its text could be read that far.
        flow: Option<FlowId>,
        /// The reason.
        source: Box<Error>,
    },
    /// The flow's state does not allow this ([SEMANTICS L3](crate::semantics#l3)). Handling: 409.
    #[error("flow `{flow}` is {state}: `{action}` is not allowed, {allowed} are")]
    InvalidState {
        /// The flow.
        flow: FlowId,
        /// The action that was asked for.
        action: &'static str,
        /// `published` or `unpublished`.
        state: &'static str,
        /// The actions that are allowed.
        allowed: &'static str,
    },
    /// The flow changed since the caller read it ([SEMANTICS L2](crate::semantics#l2)). Handling:
    /// read it again; 409.
    #[error("flow `{0}` was changed by someone else")]
    Stale(FlowId),
    /// The flow has live sessions ([SEMANTICS L4](crate::semantics#l4)). Handling: drain or
    /// terminate them first; 409.
    #[error("flow `{flow}` has live sessions: {count}")]
    InUse {
        /// The flow.
        flow: FlowId,
        /// Its live sessions.
        count: u64,
    },
    /// The session cannot continue on that version ([SEMANTICS S5](crate::semantics#s5)). Handling:
    /// show why; 409.
    #[error("session `{session}` cannot migrate: {reason}")]
    CannotMigrate {
        /// The session.
        session: SessionId,
        /// The reason.
        reason: String,
    },
    /// The contact that the key was used for was erased ([SEMANTICS S11](crate::semantics#s11)).
    /// Handling: do not retry; 410.
    #[error("key `{0}` was used for a contact that was erased")]
    Erased(TriggerKey),
    /// A version that the conversation needs cannot be used in this process, and the conversation
    /// is left untouched ([SEMANTICS S14](crate::semantics#s14)). Handling: store the version,
    /// raise the limits, or `migrate`; another process may have it; 503.
    #[error("version {version} of flow `{flow}` {reason}")]
    VersionMissing {
        /// The flow.
        flow: FlowId,
        /// The version.
        version: FlowVersion,
        /// The reason.
        reason: MissingReason,
    },
    /// Others changed the conversation each time, for 10 seconds
    /// ([SEMANTICS S17](crate::semantics#s17)). Handling: retry after a moment; 503.
    #[error("the conversation was changed by other calls each time, for 10 seconds")]
    Contention,
    /// The engine's clock and the store's are further apart than
    /// [`max_skew`](crate::Builder::max_skew), and nothing was done
    /// ([SEMANTICS S20](crate::semantics#s20)). Handling: set the clock right, for example by NTP;
    /// another process may be right; 503.
    #[error("clocks differ too much: this process has {engine}, the store has {store}")]
    ClockSkew {
        /// Time of the engine's clock.
        engine: DateTime<Utc>,
        /// Time of the store's clock.
        store: DateTime<Utc>,
    },
    /// The store failed. Handling: by [`Error::is_retryable`]; 503.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Texts that hosts read into ids, addresses and spans: `?` names the field that such a text is
/// given in.
macro_rules! invalid_input {
    ($($bad:ty => $field:expr),+ $(,)?) => {
        $(impl From<$bad> for Error {
            fn from(bad: $bad) -> Self {
                let field: fn(&$bad) -> &'static str = $field;
                Self::invalid(field(&bad), bad)
            }
        })+
    };
}

invalid_input! {
    InvalidName => InvalidName::field,
    InvalidPhone => |_| "phone",
    InvalidChannel => |_| "channel",
    InvalidAddress => |bad| match bad {
        InvalidAddress::Name(name) => name.field(),
        _ => "address",
    },
    InvalidSpan => |_| "span",
}

fn fmt_issues(issues: &Issues, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("flow has errors\n")?;
    fmt::Display::fmt(issues, f)
}

fn fmt_in_flow(
    place: &usize,
    flow: &Option<FlowId>,
    source: &Error,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    match flow {
        Some(flow) => write!(f, "flow `{flow}` (number {} of those given): ", place.saturating_add(1))?,
        None => write!(f, "flow number {} of those given: ", place.saturating_add(1))?,
    }
    fmt::Display::fmt(source, f)
}

impl Error {
    pub(crate) fn invalid(field: impl Into<Cow<'static, str>>, rule: impl ToString) -> Self {
        Self::InvalidInput { field: field.into(), rule: rule.to_string() }
    }

    /// Returns a stable name for logs, metrics and wire formats.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidInput { .. } => "invalid_input",
            Self::FlowNotFound(_) => "flow_not_found",
            Self::FlowNotPublished(_) => "flow_not_published",
            Self::NoEntryNode(_) => "no_entry_node",
            Self::IdempotencyConflict(_) => "idempotency_conflict",
            Self::TooManySessions { .. } => "too_many_sessions",
            Self::SessionNotFound(_) => "session_not_found",
            Self::ContactNotFound(_) => "contact_not_found",
            Self::Quarantined(_) => "quarantined",
            Self::NewerFormat { .. } => "newer_format",
            Self::Issues(_) => "flow_has_issues",
            Self::InFlow { source, .. } => source.code(),
            Self::InvalidState { .. } => "invalid_state",
            Self::Stale(_) => "stale",
            Self::InUse { .. } => "in_use",
            Self::CannotMigrate { .. } => "cannot_migrate",
            Self::Erased(_) => "erased",
            Self::VersionMissing { .. } => "version_missing",
            Self::Contention => "contention",
            Self::ClockSkew { .. } => "clock_skew",
            Self::Store(_) => "store_failed",
        }
    }

    /// Returns true if the same call may succeed later, unchanged. Repeating it is safe: with a key
    /// or a message id it takes effect once.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::TooManySessions { .. }
            | Self::NewerFormat { .. }
            | Self::VersionMissing { .. }
            | Self::Contention
            | Self::ClockSkew { .. } => true,
            Self::InFlow { source, .. } => source.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            _ => false,
        }
    }

    /// Returns the HTTP status that says the same.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self {
            Self::FlowNotFound(_)
            | Self::FlowNotPublished(_)
            | Self::SessionNotFound(_)
            | Self::ContactNotFound(_) => 404,
            Self::InvalidState { .. } | Self::Stale(_) | Self::InUse { .. } | Self::CannotMigrate { .. } => {
                409
            }
            Self::Erased(_) => 410,
            Self::InFlow { source, .. } => source.http_status(),
            Self::InvalidInput { .. }
            | Self::NoEntryNode(_)
            | Self::IdempotencyConflict(_)
            | Self::Issues(_) => 422,
            Self::TooManySessions { .. } => 429,
            Self::Quarantined(_)
            | Self::NewerFormat { .. }
            | Self::VersionMissing { .. }
            | Self::Contention
            | Self::ClockSkew { .. }
            | Self::Store(_) => 503,
        }
    }
}

/// The reason a version of a flow cannot be used in this process
/// ([SEMANTICS S14](crate::semantics#s14)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissingReason {
    /// It is not stored, or its number is stored with another content
    /// ([SEMANTICS S13](crate::semantics#s13)).
    NotStored,
    /// It does not compile here: the limits are smaller, a newer release wrote it, or it needs a
    /// feature that this build does not have. Holds the first issue.
    NotReadable(Arc<str>),
    /// It has no entry node. Publishing refuses such a flow ([SEMANTICS T1](crate::semantics#t1)),
    /// so that a store of flows or another program wrote it.
    NoEntryNode,
}

impl MissingReason {
    /// Returns its name, for logs and metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotStored => "not_stored",
            Self::NotReadable(_) => "not_readable",
            Self::NoEntryNode => "no_entry_node",
        }
    }
}

impl fmt::Display for MissingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStored => f.write_str("is not stored"),
            Self::NotReadable(issue) => write!(f, "cannot be read here: {issue}"),
            Self::NoEntryNode => f.write_str("has no entry node"),
        }
    }
}

/// A store's failure, sorted by what is known of the write. There is deliberately no conversion
/// from an I/O error: only the store knows which of the three it was.
#[derive(Debug, thiserror::Error)]
#[error("storage failed ({kind}): {source}")]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Box<dyn StdError + Send + Sync>,
}

/// The state of knowledge about a write that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It surely did not happen; trying again may help.
    Transient,
    /// It may have happened: the answer was lost.
    Unknown,
    /// It did not happen and never will.
    Permanent,
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transient => "transient",
            Self::Unknown => "outcome unknown",
            Self::Permanent => "permanent",
        })
    }
}

impl StoreError {
    /// The write surely did not happen: no connection, a busy database, a serialization failure.
    pub fn transient(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Transient, source: source.into() }
    }

    /// The write may have happened: the connection broke after the statement was sent.
    pub fn unknown(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Unknown, source: source.into() }
    }

    /// The write did not happen and never will: a missing table, a value that the database refuses.
    pub fn permanent(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Permanent, source: source.into() }
    }

    /// Returns the state of knowledge about the write.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Returns true if trying again may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind != StoreErrorKind::Permanent
    }
}

/// An error of sending a message ([SEMANTICS D1](crate::semantics#d1)).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Not now, or not known: the same message is handed over again, under the same id.
    #[error("not sent, to be retried: {reason}")]
    Retry {
        /// Exactly how long to wait; without it 1 s, doubled each time, at most 5 min.
        after: Option<Duration>,
        /// The channel's reason.
        reason: String,
    },
    /// Never: the message becomes a dead letter, and later ones are still sent.
    #[error("refused: {reason}")]
    Rejected {
        /// The channel's reason.
        reason: String,
    },
    /// The channel takes no free text from us now, such as outside WhatsApp's 24 hours.
    #[error("the channel's messaging window is closed")]
    WindowClosed,
}

impl SendError {
    /// Not now, or not known whether it was sent.
    pub fn retry(reason: impl ToString) -> Self {
        Self::Retry { after: None, reason: reason.to_string() }
    }

    /// Not before `after` has passed: a rate limit.
    pub fn retry_after(after: Duration, reason: impl ToString) -> Self {
        Self::Retry { after: Some(after), reason: reason.to_string() }
    }

    /// Never.
    pub fn rejected(reason: impl ToString) -> Self {
        Self::Rejected { reason: reason.to_string() }
    }
}

/// An error of a host call that gave no answer ([SEMANTICS D2](crate::semantics#d2)).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Not now: the same call is made again under the same id, until its timeout.
    #[error("call not made, to be retried: {reason}")]
    Retry {
        /// The reason for the failure.
        reason: String,
    },
    /// It failed: the session takes its `failed` branch.
    #[error("call failed: {reason}")]
    Failed {
        /// The reason for the failure.
        reason: String,
    },
}

impl CallError {
    /// Not now.
    pub fn retry(reason: impl ToString) -> Self {
        Self::Retry { reason: reason.to_string() }
    }

    /// It failed for good.
    pub fn failed(reason: impl ToString) -> Self {
        Self::Failed { reason: reason.to_string() }
    }
}
