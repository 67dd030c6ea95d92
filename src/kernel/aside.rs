//! Inputs that a session takes where it stands: no node is entered, no turn is counted, the TTL does not slide. They
//! are inputs all the same, so that nothing but the kernel changes a session.

use chrono::{DateTime, TimeDelta, Utc};

use crate::kernel::Input;
use crate::kernel::run::later;
use crate::session::{Session, Status};

impl Input {
    /// Whether a session takes it without a turn.
    pub(crate) fn is_aside(&self) -> bool {
        matches!(self, Self::Touch | Self::Thaw { .. })
    }
}

/// Takes such an input. Answers whether it fits where the session stands; else nothing has changed.
pub(crate) fn take_aside(session: &mut Session, input: &Input, now: DateTime<Utc>) -> bool {
    match input {
        Input::Touch if session.status == Status::Handoff => {
            touch(session, now);
            true
        }
        Input::Thaw { since } if session.status.is_live() => thaw(session, *since, now),
        _ => false,
    }
}

/// The handoff's time begins anew (SEMANTICS S10).
fn touch(session: &mut Session, now: DateTime<Utc>) {
    if let Some(seconds) = session.handoff().and_then(|handoff| handoff.timeout) {
        session.deadline = Some(later(now, TimeDelta::seconds(seconds)));
    }
}

/// What was to happen happens later, by as long as the session stood still; but its longest life does not grow.
fn thaw(session: &mut Session, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let still = now - since.max(session.parked_at);
    if still <= TimeDelta::zero() {
        return false;
    }
    session.rare().still_millis += still.num_milliseconds();
    session.deadline = session.deadline.map(|deadline| later(deadline, still));
    session.parked_at = later(session.parked_at, still);
    let ends_by = session.ends_by.unwrap_or(DateTime::<Utc>::MAX_UTC);
    session.expires_at = session.expires_at.map(|at| later(at, still).min(ends_by));
    true
}
