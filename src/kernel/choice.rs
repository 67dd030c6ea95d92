//! The payload of an option: which question of which session it was offered at (SEMANTICS I9).

use crate::id::SessionId;

/// The payload that a channel hands back when the contact chooses an option: which question of
/// which session it was.
pub(crate) fn payload(session: SessionId, wait: u32, option: &str) -> String {
    format!("cf:{}:{wait}:{option}", session.0.as_simple())
}

/// Reads a payload of ours: session, wait number, the author's id. None: it is not ours.
pub(crate) fn own_choice(payload: &str) -> Option<(SessionId, u32, &str)> {
    let mut parts = payload.strip_prefix("cf:")?.splitn(3, ':');
    let session = uuid::Uuid::try_parse(parts.next()?).ok()?;
    let wait = parts.next()?.parse().ok()?;
    Some((SessionId(session), wait, parts.next()?))
}
