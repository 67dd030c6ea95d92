//! Inputs that a session takes at its node: no node is entered, no turn is counted, the TTL
//! does not slide. They are inputs all the same, so that nothing but the kernel changes a session
//! and its journal has all of them.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::id::CallId;
use crate::kernel::Input;
use crate::kernel::migrate::stands_still;
use crate::kernel::time::later;
use crate::session::{CallStage, DeliveryReport, PendingCall, Queued, Session, Status};

impl Input {
    /// True if a session takes it without a turn.
    pub(crate) fn is_aside(&self) -> bool {
        matches!(
            self,
            Self::Queue { .. }
                | Self::Report { .. }
                | Self::Handed(_)
                | Self::CallLater { .. }
                | Self::RestartWait
                | Self::Migrate { .. }
                | Self::ProlongHandoff
                | Self::ShiftTimers { .. }
        )
    }
}

/// Takes such an input. Returns whether it fits the session's node; else nothing has changed.
pub(crate) fn take_aside(session: &mut Session, input: Input, now: DateTime<Utc>) -> bool {
    if !session.status().is_live() {
        return false;
    }
    match input {
        Input::Queue { message, route } => {
            let queued = Queued { message, sent: session.sent, route, opening: false };
            session.extras().queue.push(queued);
            true
        }
        Input::Report { message, report } => {
            if report == DeliveryReport::Read {
                session.forget_sending(message.seq);
            }
            message.session == session.id
        }
        Input::Handed(call) => {
            let Some(pending) = pending(session, call) else { return false };
            pending.stage = CallStage::Handed(now);
            restart(session, now);
            true
        }
        Input::CallLater { call, until } => {
            let Some(pending) = pending(session, call) else { return false };
            pending.stage = CallStage::Due(until);
            true
        }
        Input::RestartWait => {
            let waits = session.status() == Status::Waiting && session.deadline().is_some();
            if waits {
                restart(session, now);
            }
            waits
        }
        Input::Migrate { version, node, digest, loops } if stands_still(session) && !session.is_in_call() => {
            if !loops.is_empty() {
                for rounds in &mut session.extras().rounds {
                    if let Some((_, to, name)) = loops.iter().find(|(from, ..)| *from == rounds.node) {
                        (rounds.node, rounds.name) = (to.clone(), Arc::clone(name));
                    }
                }
            }
            session.version = version;
            session.digest = digest;
            session.at = node;
            session.hint = 0;
            true
        }
        Input::ProlongHandoff if session.status() == Status::Handoff => {
            touch(session, now);
            true
        }
        Input::ShiftTimers { since } => thaw(session, since, now),
        _ => false,
    }
}

/// The handoff's time begins anew (SEMANTICS S10).
fn touch(session: &mut Session, now: DateTime<Utc>) {
    if let Some(seconds) = session.handoff().and_then(|handoff| handoff.timeout) {
        session.prolong_handoff(later(now, TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX)));
    }
}

/// Puts off what was to happen, by as long as the session was held; but its longest life does not
/// grow.
fn thaw(session: &mut Session, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let still = now - since.max(session.parked_at);
    if still <= TimeDelta::zero() {
        return false;
    }
    session.stood_still(still);
    session.prune();
    session.move_deadline(|deadline| Some(later(deadline, still)));
    session.parked_at = later(session.parked_at, still);
    session.delay_window(still);
    let ends_by = session.ends_by.unwrap_or(DateTime::<Utc>::MAX_UTC);
    session.expires_at = session.expires_at.map(|at| later(at, still).min(ends_by));
    true
}

/// The call that the session waits for, made once more.
fn pending(session: &mut Session, call: CallId) -> Option<&mut PendingCall> {
    let pending = session.open_call().filter(|pending| pending.id == call)?;
    pending.attempts = pending.attempts.saturating_add(1);
    Some(pending)
}

/// Gives the node its whole time anew, from now on.
fn restart(session: &mut Session, now: DateTime<Utc>) {
    let since = session.parked_at;
    session.move_deadline(|deadline| Some(later(now, deadline - since)));
    session.parked_at = now;
}
