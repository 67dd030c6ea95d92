//! Ends of sessions from outside a turn.

use chrono::{DateTime, Utc};

use crate::kernel::input::Input;
use crate::session::{Failure, FailureCode, Session, Status};

/// Ends a session whose version cannot be used here, whatever reaches it.
pub(super) fn end_without_flow(session: &mut Session, input: &Input, at: DateTime<Utc>) -> bool {
    if let Input::End(reason) = input {
        session.extras().ended_by = Some(*reason);
        session.status = Status::Cancelled;
        session.ended_at = Some(at);
        return true;
    }
    let text = format!("version {} of the flow is not stored", session.version);
    fail(session, FailureCode::MissingNode, text, at);
    true
}

/// Ends a session as failed, from outside its turn.
pub(super) fn fail(session: &mut Session, code: FailureCode, message: String, at: DateTime<Utc>) {
    let node = session.at.clone();
    let flow = session.called().map(|(flow, _)| flow.clone());
    session.extras().failure = Some(Failure { code, node, flow, message });
    session.status = Status::Failed;
    session.deadline = None;
    session.call = None;
    session.take_sending();
    session.expires_at = None;
    session.ended_at = Some(at);
}
