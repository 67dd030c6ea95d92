//! The messages and calls that are due for a conversation, and what became of them (SEMANTICS D1,
//! N3).

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::address::Address;
use crate::calls::{Call, CallRef, CallRequest};
use crate::kernel::decide::decision::Decision;
use crate::list::ShortList;
use crate::session::{DeadReason, Outbound, Status, Unsent};

/// Work that is due outside, and facts that hold once it is done.
pub(crate) struct Outgoing {
    /// Messages, in order, each with its number in the outbox.
    pub(crate) messages: ShortList<(u64, Arc<Outbound>)>,
    /// Host calls.
    pub(crate) calls: Vec<Call>,
    /// True if these are all the messages that are unsettled.
    pub(crate) is_whole: bool,
    /// The number of the last message in the outbox.
    pub(crate) last_seq: u64,
    /// When something is due next once all of it is done.
    pub(crate) due_after: Option<DateTime<Utc>>,
    /// The first deadline of a wait that does not pass before these messages are settled (SEMANTICS
    /// N3).
    pub(crate) held_until: Option<DateTime<Utc>>,
    /// True if a session waits for what becomes of one of its messages, be it after a handoff
    /// (SEMANTICS D1).
    pub(crate) is_awaited: bool,
}

impl Outgoing {
    /// Collects what is due after a decision. `held`: messages that wait for their pace (SEMANTICS
    /// D7).
    pub(crate) fn of(decision: &Decision<'_>, held: &[(u64, DateTime<Utc>)], with_calls: bool) -> Self {
        let conversation = &*decision.conversation;
        let (messages, is_whole) = messages_due(decision, held);
        let calls = if with_calls { calls_due(decision) } else { Vec::new() };
        let behind = conversation
            .sessions
            .iter()
            .filter(|session| session.status() == Status::Waiting && session.sent_before > decision.settled);
        let last_seq = conversation.last_seq;
        Self {
            messages,
            calls,
            is_whole,
            last_seq,
            due_after: decision.due_once(last_seq),
            held_until: behind.filter_map(|session| session.deadline()).min(),
            is_awaited: conversation
                .sessions
                .iter()
                .any(|session| session.awaits_sooner_or_later().is_some()),
        }
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.messages.is_empty() || !self.calls.is_empty()
    }

    /// True if one settle is all that is to be written after these messages were sent with this
    /// result.
    pub(crate) fn is_plain(&self, result: &DeliveryResult) -> bool {
        result.odd.is_empty()
            && self.is_whole
            && !self.is_awaited
            && self.held_until.is_none_or(|held| result.at < held)
    }
}

/// The messages that may leave now, and whether these are all: behind one that must wait, its
/// destination waits.
fn messages_due(
    decision: &Decision<'_>,
    held: &[(u64, DateTime<Utc>)],
) -> (ShortList<(u64, Arc<Outbound>)>, bool) {
    let outbox = &decision.conversation.outbox;
    let mut messages = ShortList::default();
    let mut is_whole = true;
    let must_wait =
        |unsent: &Unsent| unsent.not_before > decision.now || held.iter().any(|(seq, _)| *seq == unsent.seq);
    for (place, unsent) in outbox.iter().enumerate().filter(|(_, unsent)| unsent.seq > decision.settled) {
        let waits = |earlier: &Unsent| {
            earlier.seq > decision.settled
                && must_wait(earlier)
                && earlier.message.route == unsent.message.route
        };
        if must_wait(unsent) || (!is_whole && outbox.iter().take(place).any(waits)) {
            is_whole = false;
        } else {
            messages.push((unsent.seq, Arc::clone(&unsent.message)));
        }
    }
    (messages, is_whole)
}

fn calls_due(decision: &Decision<'_>) -> Vec<Call> {
    let sessions = decision.conversation.sessions.iter();
    let due = sessions.filter_map(|session| {
        let call = session.call().filter(|_| !decision.conversation.stands_still(session))?;
        (call.due_at()? <= decision.now).then(|| Call {
            reference: CallRef {
                workspace: decision.env.workspace.clone(),
                contact: decision.conversation.contact().id.clone(),
                call: call.id,
            },
            flow: session.active().0.clone(),
            node: session.at.clone(),
            request: CallRequest::of(call),
        })
    });
    due.collect()
}

/// The fate of a message that did not simply leave.
pub(crate) enum SendException {
    /// It left, and the contact is known there under this address too.
    KnownAs(Address),
    /// It is to be tried again.
    Later { after: Option<Duration>, reason: String },
    /// It never will.
    Dead(DeadReason),
    /// It was not tried: an earlier one to the same destination waits, or time ran out.
    Untried,
}

/// The fate of messages that were handed over: those that are not named left.
pub(crate) struct DeliveryResult {
    /// By their numbers in their sessions.
    pub(crate) odd: Vec<(u64, SendException)>,
    /// When the last one was handed over.
    pub(crate) at: DateTime<Utc>,
}
