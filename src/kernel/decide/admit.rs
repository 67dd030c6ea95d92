//! Whether a trigger may start a session now: opt-out, handoff, re-entry, sessions that run already
//! (SEMANTICS T).

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::flow::{Clash, Concurrency, Flow, Reentry};
use crate::id::{FlowVersion, SessionId};
use crate::kernel::time::later;
use crate::session::{Conversation, Status};

/// Why a trigger was refused, though nothing is wrong with it (SEMANTICS T9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// The contact is in another session, and the flow wants the contact for itself.
    Busy,
    /// The flow runs once with each contact, and did.
    OnceEver,
    /// The flow ran with the contact a short while ago.
    Cooldown {
        /// When it may run again.
        until: DateTime<Utc>,
    },
    /// The contact does not want to be written to.
    OptedOut,
    /// The contact is with a person of the host.
    InHandoff,
    /// The bot is paused for the contact (SEMANTICS Q3).
    Paused,
}

impl Refusal {
    /// A stable name, in snake case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::OnceEver => "once_ever",
            Self::Cooldown { .. } => "cooldown",
            Self::OptedOut => "opted_out",
            Self::InHandoff => "in_handoff",
            Self::Paused => "paused",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the contact is in another session"),
            Self::OnceEver => f.write_str("the flow runs once with each contact, and did"),
            Self::Cooldown { until } => write!(f, "the flow may run again from {until:?}"),
            Self::OptedOut => f.write_str("the contact opted out"),
            Self::InHandoff => f.write_str("the contact is in handoff"),
            Self::Paused => f.write_str("the bot is paused for the contact"),
        }
    }
}

/// The answer to a trigger, before anything is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Start.
    Start,
    /// End every live session of the contact, then start.
    Interrupt,
    /// The flow has this live session with the contact.
    AlreadyRunning(SessionId, FlowVersion),
    /// Not now.
    Refused(Refusal),
    /// The contact has as many live sessions as are allowed.
    TooMany,
}

/// What the caller allows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allowances {
    /// Opt-out does not count.
    pub(crate) opted_out: bool,
    /// Neither a handoff counts nor a pause.
    pub(crate) in_handoff: bool,
}

/// Decides in the order of SEMANTICS T, on a conversation to which all that was due has been
/// applied.
pub(crate) fn admit(
    flow: &Flow,
    conversation: Option<&Conversation>,
    allow: Allowances,
    now: DateTime<Utc>,
    max_live: usize,
) -> Admission {
    let Some(conversation) = conversation else { return Admission::Start };
    if conversation.contact.opted_out_at.is_some() && !allow.opted_out {
        return Admission::Refused(Refusal::OptedOut);
    }
    if !allow.in_handoff && conversation.sessions.iter().any(|session| session.status() == Status::Handoff) {
        return Admission::Refused(Refusal::InHandoff);
    }
    if !allow.in_handoff && conversation.pause().is_some() {
        return Admission::Refused(Refusal::Paused);
    }
    let last_start = || conversation.marks().iter().find(|mark| mark.flow == *flow.id()).map(|mark| mark.at);
    match &flow.settings().reentry {
        Reentry::Always => {}
        Reentry::OnceEver if last_start().is_some() => return Admission::Refused(Refusal::OnceEver),
        Reentry::OnceEver => {}
        Reentry::Cooldown(span) => {
            let until = last_start().map(|at| later(at, *span));
            if let Some(until) = until.filter(|until| now < *until) {
                return Admission::Refused(Refusal::Cooldown { until });
            }
        }
    }
    let same = conversation.sessions.iter().find(|session| session.flow == *flow.id());
    let running = same.map(|session| Admission::AlreadyRunning(session.id, session.version));
    match (flow.settings().concurrency, running) {
        (Concurrency::PerContact(Clash::Interrupt), _) if !conversation.sessions.is_empty() => {
            return Admission::Interrupt;
        }
        (Concurrency::PerFlow | Concurrency::PerContact(_), Some(running)) => return running,
        (Concurrency::PerContact(Clash::Reject), None) if !conversation.sessions.is_empty() => {
            return Admission::Refused(Refusal::Busy);
        }
        _ => {}
    }
    if conversation.sessions.len() >= max_live { Admission::TooMany } else { Admission::Start }
}
