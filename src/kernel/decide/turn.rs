//! Turns of a decision: each is applied to the conversation, and what it leaves is collected, to be
//! written as one.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::Alias;
use crate::flow::{Flow, Reentry};
use crate::gather::Arrange;
use crate::id::{FlowVersion, SessionId};
use crate::kernel::begin::{NewSession, start};
use crate::kernel::decide::decision::Decision;
use crate::kernel::ending::{fail, missed_notes};
use crate::kernel::journal::{JournalEntry, JournalStep, Logged};
use crate::kernel::run::take;
use crate::kernel::{CountDelta, CounterSubject, Effect, Input, TurnEnvironment};
use crate::list::{ShortList, push_only};
use crate::observer::EventKind;
use crate::session::{ContactChange, Conversation, EndReason, FailureCode, ReentryMark, Session, Status};

impl Decision<'_> {
    /// Starts a session and runs it to its first wait.
    pub(crate) fn start(&mut self, flow: &Flow, mut new: NewSession) {
        let now = self.now;
        let (id, version) = (new.id, new.version);
        let pinned = self.pinned(flow.id(), version);
        new.journal = pinned.is_some_and(|pinned| pinned.logging);
        new.texts = new.journal && pinned.is_some_and(|pinned| pinned.texts);
        let journalled = new.journal.then(|| Box::new(new.clone()));
        let session = start(flow, new, now);
        let has_reentry = flow.settings().reentry != Reentry::Always;
        self.out.started.push((id, session.flow.clone(), version));
        push_only(&mut self.out.add_aliases, Alias::Session(id));
        let started = self.env.observed.then(|| session.flow.clone());
        if self.env.counted {
            self.out.counts.push(CountDelta::once(
                session.flow.clone(),
                version,
                CounterSubject::Started,
                now,
            ));
        }
        let conversation = self.edit();
        if has_reentry {
            let marks = &mut conversation.history().marks;
            marks.retain(|mark| mark.flow != session.flow);
            marks.push(ReentryMark { flow: session.flow.clone(), at: now });
        }
        push_only(&mut conversation.sessions, session);
        let place = conversation.sessions.len() - 1;
        if let Some(flow) = started {
            self.note(EventKind::SessionStarted { session: id, flow, version });
        }
        self.advance(place, Input::Start, now);
        if journalled.is_some()
            && let Some(first) = self.out.journal.iter_mut().rev().find(|entry| entry.session == id)
        {
            first.new = journalled;
        }
    }

    /// Takes an input to the session at this place. Returns whether it took it.
    pub(crate) fn advance(&mut self, place: usize, input: Input, at: DateTime<Utc>) -> bool {
        let is_taken = self.turn(place, input, at, false);
        self.bury_overdue(at);
        is_taken
    }

    /// `is_quiet`: what it leads to is not said, whatever the input.
    pub(super) fn turn(&mut self, place: usize, input: Input, at: DateTime<Utc>, is_quiet: bool) -> bool {
        let Some(session) = self.conversation.sessions.get(place) else { return false };
        let Some(pinned) = self.pinned(&session.flow, session.version) else { return false };
        let is_quiet = is_quiet || self.keeps_quiet(session, &input);
        let unsent = self.conversation.outbox.iter().filter(|unsent| unsent.seq > self.settled).count();
        let last_seq = self.conversation.last_seq;
        let (journal, version) = (session.is_journalled(), session.version);
        let texts = journal && session.logs_texts();
        let logged = journal.then(|| logged(&input, version, last_seq, unsent));
        let (is_aside, flow) = (input.is_aside(), pinned.flow_of(session.digest));
        let conversation = &mut *self.conversation;
        let Conversation { contact, sessions, .. } = conversation;
        let Some(session) = sessions.get_mut(place) else { return false };
        let env = TurnEnvironment {
            now: at,
            workspace: self.env.workspace,
            contact,
            flow_name: pinned.name,
            flows: self.env.flows,
            limits: self.env.limits,
            last_seq,
            unsent,
            journal: journal || self.env.counted,
        };
        let mut outcome = take(flow, session, input, &env);
        if !outcome.taken {
            return false;
        }
        if is_quiet {
            outcome.effects.retain(|effect| !matches!(effect, Effect::Send(_)));
            self.unsaid.extend(session.awaits());
        }
        if !is_aside {
            let max = self.env.limits.conversation_bytes;
            hold_to_size(conversation, place, &mut outcome.effects, (max, at), flow);
        }
        self.out.changed = true;
        if outcome.calls_changed {
            self.note_calls(place);
        }
        if self.env.counted {
            self.count_nodes(place, &outcome.steps, at);
        }
        if let Some(logged) = logged {
            self.log(place, Logged { called: outcome.called, ..*logged }, pinned.name, at, outcome.steps);
        }
        let opted_out = self.book_effects(place, outcome.effects, texts, at);
        if !is_aside {
            self.close(place, at);
        }
        if let Some(turn) = opted_out.filter(|_| self.conversation.contact.opted_out_at.is_some()) {
            self.end_opted_out(turn, at);
        }
        true
    }

    /// Books what a turn wants done. `texts`: what it sends is journalled. Returns the session
    /// and the turn that opted the contact out.
    fn book_effects(
        &mut self,
        place: usize,
        effects: ShortList<Effect>,
        texts: bool,
        at: DateTime<Utc>,
    ) -> Option<(SessionId, u32)> {
        match effects {
            ShortList::None => None,
            ShortList::One(effect) => self.book_effect(place, effect, texts, at),
            ShortList::Several(effects) => {
                let mut opted_out = None;
                for effect in effects {
                    opted_out = self.book_effect(place, effect, texts, at).or(opted_out);
                }
                opted_out
            }
        }
    }

    fn book_effect(
        &mut self,
        place: usize,
        effect: Effect,
        texts: bool,
        at: DateTime<Utc>,
    ) -> Option<(SessionId, u32)> {
        match effect {
            Effect::Send(message) => {
                if texts && let Some(entry) = self.out.journal.last_mut() {
                    entry.sent.push(Arc::clone(&message));
                }
                self.send(message, at);
                None
            }
            Effect::Contact(change) => {
                // The kernel made the same change in the turn, so it fits.
                let limits = self.env.limits;
                let _ = self.edit().contact.change(&change, at, limits);
                let session = self.conversation.sessions.get(place);
                let session = session.filter(|_| change == ContactChange::OptOut);
                session.map(|session| (session.id, session.turns))
            }
            Effect::Note(kind) => {
                self.note_at(at, kind);
                None
            }
        }
    }

    /// Ends what a contact that opts out is in, and drops what it was still to be sent, but for the
    /// messages of the turn that did it: they are the answer. Transactional sessions continue
    /// (SEMANTICS T10).
    fn end_opted_out(&mut self, (by, turn): (SessionId, u32), at: DateTime<Utc>) {
        for place in (0..self.conversation.sessions.len()).rev() {
            let Some(session) = self.conversation.sessions.get(place) else { continue };
            if !session.origin.as_ref().is_some_and(|origin| origin.transactional) {
                self.advance(place, Input::End(EndReason::OptedOut), at);
            }
        }
        let Conversation { sessions, outbox, .. } = self.edit();
        outbox.retain(|unsent| {
            let message = &unsent.message;
            let goes_on = sessions.iter().any(|session| session.id == message.session());
            goes_on || (message.session() == by && message.turn == turn)
        });
    }

    /// Counts the nodes that the session at this place has just come to.
    fn count_nodes(&mut self, place: usize, steps: &[JournalStep], at: DateTime<Utc>) {
        let Some(session) = self.conversation.sessions.get(place) else { return };
        let own = (&session.flow, session.version);
        for step in steps.iter().filter(|step| step.entered) {
            let (flow, version) = step.called.as_ref().map_or(own, |(flow, version)| (flow, *version));
            let entered = CounterSubject::Entered(step.node.clone());
            self.out.counts.push(CountDelta::once(flow.clone(), version, entered, at));
        }
    }

    /// Writes down what the session at this place has just taken.
    fn log(
        &mut self,
        place: usize,
        logged: Logged,
        flow_name: &str,
        at: DateTime<Utc>,
        steps: Vec<JournalStep>,
    ) {
        let Conversation { contact, sessions, .. } = &mut *self.conversation;
        if let Some(session) = sessions.get_mut(place) {
            self.out.journal.push(JournalEntry::of(session, logged, contact, flow_name, at, steps));
        }
    }

    fn note_calls(&mut self, place: usize) {
        let Some(session) = self.conversation.sessions.get(place) else { return };
        let mut versions: Vec<_> =
            session.versions().skip(1).map(|(flow, version)| (flow.clone(), version)).collect();
        versions.arrange_by(Ord::cmp);
        versions.dedup();
        let id = session.id;
        self.out.called.retain(|(of, _)| *of != id);
        self.out.called.push((id, versions));
    }

    /// Books what became of the session at this place; an ended one leaves the record for the
    /// archive.
    fn close(&mut self, place: usize, at: DateTime<Utc>) {
        if self.env.observed {
            self.note_turn(place, at);
        }
        let conversation = &mut *self.conversation;
        let Some(session) = conversation.sessions.get(place) else { return };
        match session.status() {
            Status::Handoff => {
                conversation.fall_silent(at);
            }
            status if status.is_live() => {}
            _ => {
                let session = conversation.sessions.remove(place);
                if self.env.counted {
                    let ended = CounterSubject::Ended(session.status());
                    self.out.counts.push(CountDelta::once(session.flow.clone(), session.version, ended, at));
                }
                self.out.called.retain(|(of, _)| *of != session.id);
                self.out.ended.push(Arc::new(session));
            }
        }
    }

    /// Notes the turn of the session at this place, and its end.
    fn note_turn(&mut self, place: usize, at: DateTime<Utc>) {
        let Some(session) = self.conversation.sessions.get(place) else { return };
        let (id, status) = (session.id, session.status());
        let turn = EventKind::Turn { session: id, turn: session.turns, node: session.at.clone(), status };
        let ended = (!status.is_live()).then(|| EventKind::SessionEnded {
            session: id,
            status,
            outcome: session.outcome().map(Into::into),
            failure: session.failure().map(|failure| failure.code),
            ended_by: session.ended_by(),
        });
        self.note_at(at, turn);
        if let Some(ended) = ended {
            self.note_at(at, ended);
        }
    }

    /// True if what the input leads to is not said: time alone writes nothing to a contact who
    /// opted out, but for the answer to what was said in pieces (SEMANTICS T10, I10).
    fn keeps_quiet(&self, session: &Session, input: &Input) -> bool {
        let is_time = match input {
            Input::Deadline(_) => session.window().is_none(),
            Input::Reminder(_) | Input::Expiry => true,
            _ => false,
        };
        is_time && !self.may_be_written_to(session.id)
    }

    /// Ends the session at this place from outside, and drops what it has not sent (SEMANTICS D1).
    pub(crate) fn end(&mut self, place: usize, reason: EndReason, at: DateTime<Utc>) {
        let Some(id) = self.conversation.sessions.get(place).map(|session| session.id) else { return };
        if self.advance(place, Input::End(reason), at) {
            self.edit().outbox.retain(|unsent| unsent.message.session() != id);
        }
    }

    /// Ends every live session from outside.
    pub(crate) fn end_all(&mut self, reason: EndReason) {
        for place in (0..self.conversation.sessions.len()).rev() {
            self.end(place, reason, self.now);
        }
    }
}

/// The part of an input that the journal keeps.
#[cold]
fn logged(input: &Input, version: FlowVersion, last_seq: u64, unsent: usize) -> Box<Logged> {
    Box::new(Logged { input: input.clone(), version, last_seq, unsent, called: Vec::new() })
}

/// Fails the session at this place if its turn makes the conversation larger than `max` bytes
/// (SEMANTICS S9): then nothing is sent.
fn hold_to_size(
    conversation: &mut Conversation,
    place: usize,
    effects: &mut ShortList<Effect>,
    (max, at): (usize, DateTime<Utc>),
    flow: Option<&Flow>,
) {
    if conversation.weight() + weight_of(effects) <= max {
        return;
    }
    let Some(session) = conversation.sessions.get_mut(place) else { return };
    effects.retain(|effect| matches!(effect, Effect::Note(_)));
    let why = format!("the conversation exceeds {max} bytes");
    let missed = fail(session, FailureCode::ConversationSize, why, at);
    effects.extend(missed_notes(session.id, missed));
    if let Some(flow) = flow {
        session.keep_results(&flow.settings().results);
    }
}

fn weight_of(effects: &[Effect]) -> usize {
    let text = |effect: &Effect| match effect {
        Effect::Send(message) => message.weight(),
        Effect::Contact(_) | Effect::Note(_) => 0,
    };
    effects.iter().map(text).sum()
}
