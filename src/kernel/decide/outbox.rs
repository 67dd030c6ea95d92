//! A decision's messages: into the outbox, out of it, refused, reported, requeued (SEMANTICS D1,
//! S2).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::NodeIx;
use crate::id::{FlowId, FlowVersion, MessageId};
use crate::kernel::Input;
use crate::kernel::decide::decision::Decision;
use crate::kernel::node::refusal;
use crate::list::push_only;
use crate::observer::EventKind;
use crate::session::{DeadLetter, DeadReason, DeliveryReport, Outbound, SendOutcome, Session, Unsent};

/// A message that is due later than this after it should have been sent is not sent any more
/// (SEMANTICS S2).
const LATE_AFTER: TimeDelta = TimeDelta::hours(1);

impl Decision<'_> {
    /// Each may lead to a turn that sends others, at the same time.
    pub(super) fn bury_overdue(&mut self, at: DateTime<Utc>) {
        while !self.overdue.is_empty() {
            let message = self.overdue.remove(0);
            self.refuse(message, DeadReason::TooLate, at);
        }
        while let Some(message) = self.unsaid.pop() {
            let Some(place) = self.place_of(message.session) else { continue };
            let outcome = SendOutcome::Failed { reason: "the contact opted out".to_owned() };
            self.turn(place, Input::Sent { message, outcome }, at, true);
        }
    }

    /// Puts a message into the outbox, or aside when it comes too late (SEMANTICS S2). What waited
    /// for its turn while others were worked is not late (SEMANTICS S15).
    pub(super) fn send(&mut self, message: Arc<Outbound>, at: DateTime<Utc>) {
        let overdue = self.now > at
            && self.now - at > LATE_AFTER
            && self.env.at_work_since.is_none_or(|since| since - at > LATE_AFTER);
        let now = self.now;
        let conversation = &mut *self.conversation;
        conversation.last_seq = message.id.seq;
        if overdue {
            self.overdue.push(message);
            return;
        }
        push_only(&mut conversation.outbox, unsent(message.id.seq, message, now));
    }

    /// Gives a message up.
    pub(crate) fn bury(&mut self, message: Arc<Outbound>, reason: DeadReason) {
        self.note_message(&message, None, EventKind::DeadLettered { message: message.id });
        let (at, max) = (self.now, self.env.limits.dead_letters.max(1));
        let letters = &mut self.edit().history().dead_letters;
        if letters.len() >= max {
            letters.drain(..=letters.len() - max);
        }
        letters.push(DeadLetter { message, reason, at });
    }

    /// A message has left.
    pub(crate) fn settle_message(&mut self, id: MessageId, at: DateTime<Utc>) {
        if self.take_unsent(id, at).is_some()
            && let Some((place, last)) = self.awaiting(id)
            && last == id
        {
            let outcome = SendOutcome::Sent;
            if !self.keep_sent(place, id, &outcome) {
                self.advance(place, Input::Sent { message: id, outcome }, self.now);
            }
        }
    }

    /// A message never will leave.
    pub(crate) fn give_up(&mut self, id: MessageId, reason: DeadReason, at: DateTime<Utc>) {
        let Some(message) = self.take_unsent(id, at) else { return };
        let now = self.now;
        self.refuse(message, reason, now);
        self.bury_overdue(now);
    }

    /// A refused message takes the branch that its node has for it; without one it is a dead letter
    /// (SEMANTICS D1).
    pub(super) fn refuse(&mut self, message: Arc<Outbound>, reason: DeadReason, at: DateTime<Utc>) {
        if message.content.is_typing() {
            return;
        }
        let mut has_branch = false;
        if let Some((place, last)) = self.awaiting(message.id) {
            let outcome = SendOutcome::from(&reason);
            has_branch = self.has_branch(place, &outcome);
            // Without a branch the session waits for the last piece of a text.
            let decides = has_branch || last == message.id;
            if has_branch {
                self.drop_pieces(message.id, last);
            }
            if decides && !self.keep_sent(place, last, &outcome) {
                self.turn(place, Input::Sent { message: last, outcome }, at, false);
            }
        }
        if !has_branch {
            self.bury(message, reason);
        }
    }

    /// The place of the session that must know what becomes of a message or of the last piece of
    /// its text, and the id of that, unless its time was over before.
    fn awaiting(&self, id: MessageId) -> Option<(usize, MessageId)> {
        let place = self.conversation.sessions.iter().position(|session| {
            session.id == id.session && session.awaited_sending().is_some_and(|sending| sending.has(id.seq))
        })?;
        let session = self.conversation.sessions.get(place)?;
        let timer = self.conversation.timer(session, self.settled);
        let last = session.awaits_sooner_or_later()?;
        timer.is_none_or(|(at, _)| at > self.now).then_some((place, last))
    }

    /// Drops the pieces of a text that follow a refused one.
    fn drop_pieces(&mut self, refused: MessageId, last: MessageId) {
        if refused == last {
            return;
        }
        let follows = |id: MessageId| {
            id.session == last.session && (refused.seq.saturating_add(1)..=last.seq).contains(&id.seq)
        };
        self.overdue.retain(|message| !follows(message.id));
        self.edit().outbox.retain(|unsent| !follows(unsent.message.id));
    }

    /// True if the node that the session at this place sent from has a branch for this.
    fn has_branch(&self, place: usize, outcome: &SendOutcome) -> bool {
        let step = self.conversation.sessions.get(place).and_then(|session| {
            let (flow, version) = session.active();
            let flow = self.version_of(flow, version)?;
            flow.node(flow.find(&session.sending()?.node, NodeIx(session.hint))?)
        });
        step.is_some_and(|step| refusal(step, outcome).is_some())
    }

    /// The flow and version of a message, as far as the conversation still knows the message or its
    /// session.
    pub(crate) fn sender_of(&self, message: MessageId) -> Option<(FlowId, Option<FlowVersion>)> {
        let letters = self.conversation.dead_letters().iter().map(|letter| &letter.message);
        let mut known = self.conversation.outbox.iter().map(|unsent| &unsent.message).chain(letters);
        let known = known.find(|known| known.id == message);
        known.map(|known| known.sender()).or_else(|| self.pinned_to(message.session))
    }

    /// Takes later news of a message of a live session (SEMANTICS D1). Returns whether it took
    /// effect.
    pub(crate) fn report(&mut self, message: MessageId, report: &DeliveryReport) -> bool {
        let Some(place) = self.conversation.sessions.iter().position(|live| live.id == message.session)
        else {
            return false;
        };
        let last = |session: &Session| {
            let sending = session.sending().filter(|sending| sending.has(message.seq))?;
            Some(MessageId { session: session.id, seq: sending.seq })
        };
        // Read by the contact: nothing that comes later means that it did not arrive.
        let is_read = |session: &Session| *report == DeliveryReport::Read && last(session) == Some(message);
        if self.conversation.sessions.get(place).is_some_and(|live| live.is_journalled() || is_read(live)) {
            self.advance(place, Input::Report { message, report: report.clone() }, self.now);
        }
        let Some(outcome) = report.refusal() else { return false };
        let Some(last) = self.conversation.sessions.get(place).and_then(last) else { return false };
        let took_effect = self.has_branch(place, &outcome)
            && !self.has_kept_sent(last, &outcome)
            && (self.keep_sent(place, last, &outcome)
                || self.advance(place, Input::Sent { message: last, outcome }, self.now));
        if took_effect {
            self.drop_pieces(message, last);
            self.edit().outbox.retain(|unsent| unsent.message.id != message);
        }
        took_effect
    }

    /// Takes a dead letter out, for good.
    pub(super) fn take_letter(&mut self, id: MessageId) -> Option<DeadLetter> {
        let place = self.conversation.dead_letters().iter().position(|letter| letter.message.id == id)?;
        Some(self.edit().history().dead_letters.remove(place))
    }

    /// A message that was given up is to be tried once more, behind all others, unless its contact
    /// opted out: then it stays a dead letter (SEMANTICS T10).
    pub(super) fn requeue(&mut self, id: MessageId) -> bool {
        if !self.may_be_written_to(id.session) {
            return false;
        }
        let Some(letter) = self.take_letter(id) else { return false };
        let mut message = (*letter.message).clone();
        message.created_at = self.now;
        let not_before = self.now;
        let conversation = self.edit();
        conversation.last_seq = conversation.last_seq.saturating_add(1);
        conversation.outbox.push(unsent(conversation.last_seq, message.into(), not_before));
        true
    }

    /// A message waits for its pace (SEMANTICS D7): no attempt, and nothing that could make it
    /// late.
    pub(crate) fn pace(&mut self, seq: u64, until: DateTime<Utc>) {
        let waits_already = |unsent: &Unsent| unsent.seq == seq && unsent.not_before == until;
        if self.conversation.outbox.iter().any(waits_already) {
            return;
        }
        let Some(unsent) = self.edit().outbox.iter_mut().find(|unsent| unsent.seq == seq) else { return };
        unsent.not_before = until;
        let message = Arc::clone(&unsent.message);
        let channel = message.account().channel.clone();
        self.note_message(&message, None, EventKind::SendPaced { message: message.id, channel, until });
    }

    pub(super) fn take_unsent(&mut self, id: MessageId, at: DateTime<Utc>) -> Option<Arc<Outbound>> {
        let place = self.conversation.outbox.iter().position(|unsent| unsent.message.id == id)?;
        let settled = self.settled;
        let unsent = self.edit().outbox.remove(place);
        if let Some(held) = self.conversation.held_wait(&unsent, settled, at) {
            self.advance(held, Input::RestartWait, at);
        }
        Some(unsent.message)
    }
}

fn unsent(seq: u64, message: Arc<Outbound>, not_before: DateTime<Utc>) -> Unsent {
    Unsent { seq, message, attempts: 0, not_before, tried_at: None }
}
