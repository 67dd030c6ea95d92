//! Bounds of the numbers in a record (SEMANTICS S18): beyond them, counting on would overflow.
//! Instants need no bound; sums of them end at the last instant of the calendar.

use crate::session::{Conversation, PendingCall, Session};

/// The most that a counter of a session reaches.
const MOST: u32 = u32::MAX / 2;
/// The most that the outbox's number reaches; a database keeps it as a signed number.
const MOST_MESSAGES: u64 = 1 << 53;
/// The longest stretch of time that a calendar can add, in seconds.
const MOST_SECONDS: i64 = i64::MAX / 1000;
/// The longest time for which a session was suspended.
const MOST_MILLIS: i64 = i64::MAX / 4;

/// The first number of a conversation that is out of its bounds.
pub(super) fn of_conversation(conversation: &Conversation) -> Option<&'static str> {
    if conversation.last_seq > MOST_MESSAGES {
        return Some("last_seq");
    }
    if conversation.outbox.iter().any(|unsent| unsent.seq > MOST_MESSAGES || unsent.attempts > MOST) {
        return Some("outbox");
    }
    conversation.sessions.iter().find_map(of_session)
}

/// The first number of a session that is out of its bounds.
pub(super) fn of_session(session: &Session) -> Option<&'static str> {
    let counters = [
        ("wait", session.wait),
        ("answered", session.answered),
        ("turns", session.turns),
        ("sent", session.sent),
        ("call", session.call().map_or(0, |call| call.attempts)),
    ];
    let counted = counters.into_iter().find_map(|(name, count)| (count > MOST).then_some(name));
    let sent_before = (session.sent_before > MOST_MESSAGES).then_some("sent_before");
    counted.or(sent_before).or_else(|| of_extras(session))
}

fn of_extras(session: &Session) -> Option<&'static str> {
    let is_span = |seconds: Option<i64>| seconds.is_none_or(|seconds| (0..=MOST_SECONDS).contains(&seconds));
    let extras = session.extras.as_deref();
    let handoff = session.handoff();
    let suspended = handoff.and_then(|handoff| handoff.suspended.as_ref()?.stop.call());
    let is_within = |call: Option<&PendingCall>| call.is_none_or(|call| call.attempts <= MOST);
    let still_millis = extras.map_or(0, |extras| extras.still_millis);
    let bounds = [
        ("still_millis", (0..=MOST_MILLIS).contains(&still_millis)),
        ("remind_before", is_span(extras.and_then(|extras| extras.remind_before))),
        ("handoff", is_span(handoff.and_then(|handoff| handoff.timeout)) && is_within(suspended)),
        ("heard", session.heard().is_none_or(|heard| heard.invalid <= MOST)),
        ("sending", session.sending().is_none_or(|sending| sending.seq <= MOST_MESSAGES)),
    ];
    bounds.into_iter().find_map(|(name, is_within)| (!is_within).then_some(name))
}
