//! Two contacts that the engine made from an address each, and that turn out to be one person
//! (SEMANTICS A5): what the other has comes to this one.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::{Address, Alias};
use crate::flow::Concurrency;
use crate::gather::Arrange;
use crate::id::{ContactId, SessionId};
use crate::kernel::Input;
use crate::kernel::decide::act::ConversationChange;
use crate::kernel::decide::decision::Decision;
use crate::kernel::decide::output::AbsorbedContact;
use crate::observer::EventKind;
use crate::session::{Conversation, EndReason, Session};

/// The union of a contact with another one, as both were loaded.
pub(crate) struct Unite {
    /// Messages of the other up to `settled` are settled.
    other: AbsorbedContact,
    conversation: Arc<Conversation>,
    /// True once it was decided on: when the commit is refused, both are to be loaded again.
    is_made: bool,
}

impl Unite {
    pub(crate) fn new(revision: u64, settled: u64, conversation: Arc<Conversation>) -> Self {
        let contact = conversation.contact().id.clone();
        let other = AbsorbedContact { contact, revision, settled, is_held: false };
        Self { other, conversation, is_made: false }
    }

    /// The other is what the call holds the lease of.
    pub(crate) fn held(mut self) -> Self {
        self.other.is_held = true;
        self
    }

    /// True if the conversation that is decided on comes to another contact's.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.other.is_held
    }

    pub(super) fn is_with(&self, contact: &ContactId) -> bool {
        self.other.contact == *contact
    }

    pub(super) fn is_made(&self) -> bool {
        self.is_made
    }

    /// It is decided on, and is so once.
    pub(super) fn close(&mut self) {
        self.is_made = true;
    }

    /// Takes the other in. Returns false if one of them has a name.
    pub(super) fn join(&self, decision: &mut Decision<'_>) -> bool {
        let other = Arc::clone(&self.conversation);
        if !decision.conversation.contact.minted || !other.contact.minted {
            return false;
        }
        let moved: Vec<SessionId> = other.sessions.iter().map(|session| session.id).collect();
        let opted_out_at = other.contact.opted_out_at;
        let silent_since = |side: &Conversation| side.silence().map(|silence| silence.since);
        let silences = (silent_since(decision.conversation), silent_since(&other));
        decision.take_over(Arc::unwrap_or_clone(other), self.other.settled);
        decision.out.absorbed = Some(Box::new(self.other.clone()));
        decision.note(EventKind::ContactsMerged { from: self.other.contact.clone() });
        decision.share_silence(&moved, silences);
        decision.end_twins(&moved);
        let contact = &decision.conversation.contact;
        if let Some(since) = contact.opted_out_at.into_iter().chain(opted_out_at).min() {
            decision.opt_out();
            decision.edit().contact.opted_out_at = Some(since);
        }
        true
    }
}

impl ConversationChange for Unite {
    fn make(&mut self, decision: &mut Decision<'_>) -> bool {
        let is_first = !std::mem::replace(&mut self.is_made, true);
        is_first && self.join(decision)
    }
}

impl Decision<'_> {
    /// Takes over what the other conversation has.
    fn take_over(&mut self, mut other: Conversation, settled: u64) {
        other.prune(settled);
        for session in &other.sessions {
            self.out.started.push((session.id, session.flow.clone(), session.version));
            let called: Vec<_> =
                session.pins().skip(1).map(|(flow, version, _)| (flow.clone(), version)).collect();
            if !called.is_empty() {
                self.out.called.push((session.id, called));
            }
        }
        let conversation = self.edit();
        // Their messages come behind all that either has numbered.
        let base = conversation.last_seq.max(other.last_seq);
        let places: Vec<u64> = other.outbox.iter().map(|unsent| unsent.seq).collect();
        let place_of =
            |seq: u64| places.iter().rposition(|place| *place <= seq).map_or(0, |at| base + 1 + at as u64);
        for (at, mut unsent) in other.outbox.into_iter().enumerate() {
            unsent.seq = base + 1 + at as u64;
            Arc::make_mut(&mut unsent.message).contact = conversation.contact.id.clone();
            conversation.outbox.push(unsent);
        }
        conversation.last_seq = base + places.len() as u64;
        for mut session in other.sessions {
            session.sent_before = place_of(session.sent_before);
            conversation.sessions.push(session);
        }
        conversation.sessions.arrange_by_key(|session| session.started_at);
        conversation.remembered.take_in(other.remembered);
        conversation.calls.take_in(other.calls);
        conversation.has_written |= other.has_written;
        let is_newer = other.last_at > conversation.last_at;
        conversation.last_at = conversation.last_at.max(other.last_at);
        let aliases: Vec<Alias> = other.contact.addresses.iter().flat_map(Address::aliases).collect();
        conversation.contact.take_in(other.contact, is_newer);
        if let Some(history) = other.history {
            let id = conversation.contact.id.clone();
            conversation.history().take_in(*history, &id);
        }
        self.out.add_aliases.extend(aliases);
    }

    /// Counts, for each session, the time for which its own side was silent, which differs: from
    /// now on both are.
    fn share_silence(
        &mut self,
        moved: &[SessionId],
        (own, others): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    ) {
        if own == others {
            return;
        }
        let now = self.now;
        for place in 0..self.conversation.sessions.len() {
            let Some(session) = self.conversation.sessions.get(place) else { continue };
            let since = if moved.contains(&session.id) { others } else { own };
            if let Some(since) = since.filter(|_| !session.goes_on_in_handoff()) {
                self.advance(place, Input::ShiftTimers { since }, now);
            }
        }
        if let Some(silence) = &mut self.edit().history().silence {
            silence.since = now;
        }
    }

    /// Ends, of two sessions of a flow that is run once at a time, the one whose wait is older.
    fn end_twins(&mut self, moved: &[SessionId]) {
        let is_single = |session: &Session, decision: &Self| {
            let flow = decision.own_flow(session);
            flow.is_none_or(|flow| flow.settings().concurrency != Concurrency::Unlimited)
        };
        let sessions = &self.conversation.sessions;
        let older: Vec<SessionId> = sessions
            .iter()
            .filter(|session| moved.contains(&session.id) && is_single(session, self))
            .filter_map(|session| {
                let twin =
                    sessions.iter().find(|own| own.flow == session.flow && !moved.contains(&own.id))?;
                Some(if session.parked_at > twin.parked_at { twin.id } else { session.id })
            })
            .collect();
        for id in older {
            if let Some(place) = self.place_of(id) {
                self.end(place, EndReason::Merged, self.now);
            }
        }
    }
}
