//! Ends of sessions from outside a turn, and what is told of messages that come to nothing by an
//! end.

use chrono::{DateTime, Utc};

use crate::id::SessionId;
use crate::kernel::environment::Effect;
use crate::kernel::input::Input;
use crate::observer::EventKind;
use crate::session::{Ending, FailureCode, Session};

/// Ends a session whose version cannot be used here, whatever reaches it. Returns how many messages
/// it had kept for a question (SEMANTICS I5).
pub(super) fn end_without_flow(session: &mut Session, input: &Input, at: DateTime<Utc>) -> usize {
    if let Input::End(reason) = input {
        return session.end(Ending::Cancelled(*reason), at);
    }
    let text = format!("version {} of the flow is not stored", session.version);
    fail(session, FailureCode::MissingNode, text, at)
}

/// Ends a session as failed, from outside its turn. Returns how many messages it had kept for a
/// question (SEMANTICS I5).
pub(super) fn fail(session: &mut Session, code: FailureCode, message: String, at: DateTime<Utc>) -> usize {
    session.end(session.failing(code, message), at)
}

/// Messages that a session had kept for a question, and that are no answer to any (SEMANTICS I5).
pub(super) fn missed_notes(session: SessionId, missed: usize) -> impl Iterator<Item = Effect> {
    std::iter::repeat_with(move || Effect::Note(EventKind::Missed { session })).take(missed)
}
