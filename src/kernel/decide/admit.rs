//! Decides if a trigger may start a session now: opt-out, handoff, re-entry, sessions that run
//! already (SEMANTICS T).

use chrono::{DateTime, Utc};

use crate::flow::{Clash, Concurrency, Flow, Reentry};
use crate::id::{FlowVersion, SessionId};
use crate::kernel::refusal::Refusal;
use crate::kernel::time::later;
use crate::session::{Conversation, Status};

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

/// The caller's permissions.
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
