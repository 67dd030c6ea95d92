//! One decision on one conversation: turns are applied to it one after the other, and what they leave beside the record
//! is collected, to be committed as one.

use std::cell::Cell;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::address::Alias;
use crate::flow::{Flow, NodeIx, Reentry};
use crate::id::{ContactId, FlowId, FlowVersion, MessageId, SessionId, WorkspaceId};
use crate::kernel::journal::{JournalEntry, JournalStep, Logged};
use crate::kernel::node::refusal;
use crate::kernel::route::{Asked, wait_node};
use crate::kernel::run::{NewSession, later, span, start, take};
use crate::kernel::{Effect, Input, Library, Scene};
use crate::limits::Limits;
use crate::observer::EventKind;
use crate::session::{
    ContactChange, Conversation, DeadLetter, DeadReason, DeliveryReport, EndReason, FailureCode, Outbound,
    ReentryMark, SendOutcome, Session, Status, Timer, Unsent, Verdict,
};

/// A message that is due later than this after it should have been sent is not sent any more (SEMANTICS S2).
const LATE_AFTER: TimeDelta = TimeDelta::hours(1);
/// A conversation further ahead of the clock than this is reported (SEMANTICS S8).
const CLOCK_BEHIND: TimeDelta = TimeDelta::hours(1);

/// How long dead letters are kept (SEMANTICS S12).
const DEAD_LETTER_RETENTION: TimeDelta = TimeDelta::days(30);

/// The flows that a decision may need, as they are now.
pub(crate) trait Flows: Library {
    /// A version of a flow. None: it has not been fetched yet.
    fn pinned(&self, flow: &FlowId, version: FlowVersion) -> Option<Pinned<'_>>;
}

/// A version of a flow, and what is true of the flow now.
#[derive(Clone, Copy)]
pub(crate) struct Pinned<'a> {
    /// None: the store has no such definition any more.
    pub(crate) flow: Option<&'a Arc<Flow>>,
    pub(crate) name: &'a str,
    pub(crate) logging: bool,
    /// Whether its sessions are to be cancelled (SEMANTICS L4).
    pub(crate) terminated: bool,
}

/// What a decision happens in.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) workspace: &'a WorkspaceId,
    pub(crate) limits: &'a Limits,
    pub(crate) flows: &'a dyn Flows,
    /// Whether anybody watches.
    pub(crate) observed: bool,
}

/// A conversation while it is decided on.
pub(crate) struct Decision<'a> {
    pub(crate) ground: Ground<'a>,
    pub(crate) conversation: Arc<Conversation>,
    /// The conversation's time (SEMANTICS S8).
    pub(crate) now: DateTime<Utc>,
    pub(crate) settled: u64,
    /// Whether there is anything to commit.
    pub(crate) changed: bool,
    pub(crate) started: Vec<(SessionId, FlowId, FlowVersion)>,
    pub(crate) ended: Vec<Session>,
    /// Sessions that called a flow or came back from one, with the versions that they need beside their own.
    pub(crate) called: Vec<(SessionId, Vec<(FlowId, FlowVersion)>)>,
    pub(crate) journal: Vec<JournalEntry>,
    pub(crate) events: Vec<(DateTime<Utc>, EventKind)>,
    pub(crate) add_aliases: Vec<Alias>,
    pub(crate) drop_aliases: Vec<Alias>,
    /// Messages of the turn that just ended which come too late to be sent.
    overdue: Vec<Arc<Outbound>>,
    /// Messages that sessions wait for and that are not said to who opted out.
    unsaid: Vec<MessageId>,
    /// The flow that was last asked for, by the address of its id: sessions share it with their compiled flow.
    last_pinned: Cell<Option<((usize, FlowVersion), Pinned<'a>)>>,
}

impl<'a> Decision<'a> {
    /// Takes up a conversation at the clock's time, or at its own if that is later.
    pub(crate) fn new(
        ground: Ground<'a>,
        conversation: Arc<Conversation>,
        settled: u64,
        clock: DateTime<Utc>,
    ) -> Self {
        let now = clock.max(conversation.last_at);
        let mut decision = Self {
            ground,
            conversation,
            now,
            settled,
            changed: false,
            started: Vec::new(),
            ended: Vec::new(),
            called: Vec::new(),
            journal: Vec::new(),
            events: Vec::new(),
            add_aliases: Vec::new(),
            drop_aliases: Vec::new(),
            overdue: Vec::new(),
            unsaid: Vec::new(),
            last_pinned: Cell::new(None),
        };
        if now - clock > CLOCK_BEHIND {
            decision.note(EventKind::ClockBehind);
        }
        decision
    }

    /// A conversation with a contact that is new.
    pub(crate) fn first(ground: Ground<'a>, contact: ContactId, now: DateTime<Utc>) -> Self {
        Self::new(ground, Arc::new(Conversation::new(contact, now)), 0, now)
    }

    /// The versions that its live sessions need and that have not been fetched.
    pub(crate) fn missing(&self) -> Vec<(FlowId, FlowVersion)> {
        let mut missing = Vec::new();
        self.conversation.sessions.iter().flat_map(Session::versions).for_each(|(flow, version)| {
            if self.pinned(flow, version).is_none() {
                missing.push((flow.clone(), version));
            }
        });
        missing
    }

    pub(crate) fn note(&mut self, kind: EventKind) {
        if self.ground.observed {
            self.events.push((self.now, kind));
        }
    }

    /// A version of a flow; asked for several times in a decision, mostly for the same one.
    pub(crate) fn pinned(&self, flow: &FlowId, version: FlowVersion) -> Option<Pinned<'a>> {
        let key = (flow.as_str().as_ptr().addr(), version);
        match self.last_pinned.get() {
            Some((last, pinned)) if last == key => Some(pinned),
            _ => {
                let pinned = self.ground.flows.pinned(flow, version)?;
                self.last_pinned.set(Some((key, pinned)));
                Some(pinned)
            }
        }
    }

    /// A version of a flow, if there is one.
    pub(crate) fn version_of(&self, flow: &FlowId, version: FlowVersion) -> Option<&'a Flow> {
        self.pinned(flow, version)?.flow.map(|flow| &**flow)
    }

    /// The question that a session waits at.
    pub(crate) fn asked_by(&self, session: &Session) -> Option<Asked<'a>> {
        let (flow, version) = session.active();
        wait_node(self.version_of(flow, version)?, session)
    }

    /// The record, to be changed.
    pub(crate) fn edit(&mut self) -> &mut Conversation {
        self.changed = true;
        Arc::make_mut(&mut self.conversation)
    }

    /// Starts a session and runs it to its first wait.
    pub(crate) fn start(&mut self, flow: &Flow, mut new: NewSession) {
        let now = self.now;
        let (id, version) = (new.id, new.version);
        new.journal = self.pinned(flow.id(), version).is_some_and(|pinned| pinned.logging);
        let journalled = new.journal.then(|| Box::new(new.clone()));
        let session = start(flow, new, now);
        let has_reentry = flow.settings().reentry != Reentry::Always;
        self.started.push((id, session.flow.clone(), version));
        self.add_aliases.push(Alias::Session(id));
        if self.ground.observed {
            self.note(EventKind::SessionStarted { session: id, flow: session.flow.clone(), version });
        }
        let conversation = self.edit();
        if has_reentry {
            let marks = &mut conversation.history().marks;
            marks.retain(|mark| mark.flow != session.flow);
            marks.push(ReentryMark { flow: session.flow.clone(), at: now });
        }
        if conversation.sessions.capacity() == 0 {
            conversation.sessions.reserve_exact(1);
        }
        conversation.sessions.push(session);
        let place = conversation.sessions.len() - 1;
        self.advance(place, Input::Start, now);
        if journalled.is_some()
            && let Some(first) = self.journal.iter_mut().rev().find(|entry| entry.session == id)
        {
            first.new = journalled;
        }
    }

    /// Takes an input to the session at this place. Answers whether it took it.
    pub(crate) fn advance(&mut self, place: usize, input: Input, at: DateTime<Utc>) -> bool {
        let is_taken = self.turn(place, input, at, false);
        self.bury_overdue(at);
        is_taken
    }

    /// Each may lead to a turn that sends others, at the same time.
    fn bury_overdue(&mut self, at: DateTime<Utc>) {
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

    /// `is_quiet`: what it leads to is not said, whatever the input.
    fn turn(&mut self, place: usize, input: Input, at: DateTime<Utc>, is_quiet: bool) -> bool {
        let Some(session) = self.conversation.sessions.get(place) else { return false };
        let Some(pinned) = self.pinned(&session.flow, session.version) else { return false };
        let is_quiet = is_quiet || self.keeps_quiet(session, &input);
        let unsent = self.conversation.outbox.iter().filter(|unsent| unsent.seq > self.settled).count();
        let last_seq = self.conversation.last_seq;
        let (journal, version) = (session.is_journalled(), session.version);
        let logged =
            journal.then(|| Logged { input: input.clone(), version, last_seq, unsent, called: Vec::new() });
        let is_aside = input.is_aside();
        let conversation = Arc::make_mut(&mut self.conversation);
        let Conversation { contact, sessions, .. } = conversation;
        let Some(session) = sessions.get_mut(place) else { return false };
        let scene = Scene {
            now: at,
            workspace: self.ground.workspace,
            contact,
            flow_name: pinned.name,
            flows: self.ground.flows,
            limits: self.ground.limits,
            last_seq,
            unsent,
            journal,
        };
        let mut outcome = take(pinned.flow.map(|flow| &**flow), session, input, &scene);
        if !outcome.taken {
            return false;
        }
        if is_quiet {
            outcome.effects.retain(|effect| !matches!(effect, Effect::Send(_)));
            self.unsaid.extend(session.awaits());
        }
        let max = self.ground.limits.conversation_bytes;
        if !is_aside
            && conversation.weight() + weight_of(&outcome.effects) > max
            && let Some(session) = conversation.sessions.get_mut(place)
        {
            outcome.effects.retain(|effect| matches!(effect, Effect::Note(_)));
            fail(session, FailureCode::ConversationSize, format!("the conversation exceeds {max} bytes"), at);
        }
        self.changed = true;
        if outcome.calls_changed {
            self.note_calls(place);
        }
        if let Some(logged) = logged {
            self.log(place, Logged { called: outcome.called, ..logged }, pinned.name, at, outcome.steps);
        }
        let mut opted_out = None;
        for effect in outcome.effects {
            match effect {
                Effect::Send(message) => self.send(message, at),
                Effect::Contact(change) => {
                    if change == ContactChange::OptOut {
                        let session = self.conversation.sessions.get(place);
                        opted_out = session.map(|session| (session.id, session.turns));
                    }
                    // The kernel made the same change in the turn, so it fits.
                    let limits = self.ground.limits;
                    let _ = self.edit().contact.change(&change, at, limits);
                }
                Effect::Note(kind) if self.ground.observed => self.events.push((at, kind)),
                Effect::Note(_) => {}
            }
        }
        if !is_aside {
            self.close(place, at);
        }
        if let Some(turn) = opted_out.filter(|_| self.conversation.contact.opted_out_at.is_some()) {
            self.end_opted_out(turn, at);
        }
        true
    }

    /// Ends what a contact that opts out is in, and drops what it was still to be sent, but for the messages of the turn
    /// that did it: they are the answer. Transactional sessions go on (SEMANTICS T10).
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

    /// Writes down what the session at this place has just taken.
    fn log(
        &mut self,
        place: usize,
        logged: Logged,
        flow_name: &str,
        at: DateTime<Utc>,
        steps: Vec<JournalStep>,
    ) {
        let Conversation { contact, sessions, .. } = Arc::make_mut(&mut self.conversation);
        if let Some(session) = sessions.get_mut(place) {
            self.journal.push(JournalEntry::of(session, logged, contact, flow_name, at, steps));
        }
    }

    /// Puts a message into the outbox, or aside when it comes too late (SEMANTICS S2).
    fn send(&mut self, message: Arc<Outbound>, at: DateTime<Utc>) {
        let overdue = self.now - at > LATE_AFTER;
        let now = self.now;
        let conversation = Arc::make_mut(&mut self.conversation);
        conversation.last_seq = message.id.seq;
        if overdue {
            self.overdue.push(message);
            return;
        }
        if conversation.outbox.capacity() == 0 {
            conversation.outbox.reserve_exact(1);
        }
        conversation.outbox.push(Unsent { seq: message.id.seq, message, attempts: 0, not_before: now });
    }

    /// Gives a message up.
    pub(crate) fn bury(&mut self, message: Arc<Outbound>, reason: DeadReason) {
        self.note(EventKind::DeadLettered { message: message.id });
        let (at, max) = (self.now, self.ground.limits.dead_letters.max(1));
        let letters = &mut self.edit().history().dead_letters;
        if letters.len() >= max {
            letters.drain(..=letters.len() - max);
        }
        letters.push(DeadLetter { message, reason, at });
    }

    fn note_calls(&mut self, place: usize) {
        let Some(session) = self.conversation.sessions.get(place) else { return };
        let mut versions: Vec<_> =
            session.versions().skip(1).map(|(flow, version)| (flow.clone(), version)).collect();
        versions.sort();
        versions.dedup();
        let id = session.id;
        self.called.retain(|(of, _)| *of != id);
        self.called.push((id, versions));
    }

    /// Books what became of the session at this place; an ended one leaves the record for the archive.
    fn close(&mut self, place: usize, at: DateTime<Utc>) {
        let conversation = Arc::make_mut(&mut self.conversation);
        let Some(session) = conversation.sessions.get(place) else { return };
        if self.ground.observed {
            let turn = EventKind::Turn {
                session: session.id,
                turn: session.turns,
                node: session.at.clone(),
                status: session.status,
            };
            self.events.push((at, turn));
        }
        match session.status {
            Status::Handoff => conversation.fall_silent(at),
            status if status.is_live() => {}
            _ => {
                let session = conversation.sessions.remove(place);
                self.called.retain(|(of, _)| *of != session.id);
                // Sessions are large: without this, room is made for four (1,600 instructions a conversation).
                self.ended.reserve_exact(1);
                self.ended.push(session);
            }
        }
    }

    /// Whether what the input leads to is not said: time alone writes nothing to a contact who opted out, but for the
    /// answer to what was said in pieces (SEMANTICS T10, I10).
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

    /// Applies what is due, the earliest first, each at its own time and not at `now` (SEMANTICS S2).
    pub(crate) fn apply_due(&mut self) {
        while let Some(place) = self.terminated() {
            self.end(place, EndReason::FlowTerminated, self.now);
        }
        self.break_silence(self.now);
        while let Some((at, timer, place)) = self.next_timer().filter(|(at, ..)| *at <= self.now) {
            let Some(session) = self.conversation.sessions.get(place) else { return };
            let input = match timer {
                Timer::Deadline => Input::Deadline(session.wait),
                Timer::Reminder => Input::Reminder(session.wait),
                Timer::Expiry => Input::Expiry,
            };
            if !self.advance(place, input, at) && !self.advance(place, Input::Expiry, at) {
                return;
            }
            self.break_silence(at);
        }
    }

    /// The place of a session that needs a version that was terminated (SEMANTICS L4).
    fn terminated(&self) -> Option<usize> {
        let is_terminated = |session: &Session| {
            let mut versions = session.versions();
            versions.any(|(flow, version)| self.pinned(flow, version).is_some_and(|pinned| pinned.terminated))
        };
        self.conversation.sessions.iter().position(is_terminated)
    }

    fn next_timer(&self) -> Option<(DateTime<Utc>, Timer, usize)> {
        let conversation = &self.conversation;
        let timer = |(place, session): (usize, &Session)| {
            let (at, timer) = conversation.timer(session, self.settled)?;
            Some((at, timer, place))
        };
        conversation.sessions.iter().enumerate().filter_map(timer).min()
    }

    /// A message has left.
    pub(crate) fn settle_message(&mut self, id: MessageId, at: DateTime<Utc>) {
        if self.take_unsent(id, at).is_some()
            && let Some(place) = self.awaiting(id)
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

    /// A refused message takes the branch that its node has for it; without one it is a dead letter (SEMANTICS D1).
    fn refuse(&mut self, message: Arc<Outbound>, reason: DeadReason, at: DateTime<Utc>) {
        if message.content.is_typing() {
            return;
        }
        let mut has_branch = false;
        if let Some(place) = self.awaiting(message.id) {
            let outcome = SendOutcome::from(&reason);
            has_branch = self.has_branch(place, &outcome);
            if !self.keep_sent(place, message.id, &outcome) {
                self.turn(place, Input::Sent { message: message.id, outcome }, at, false);
            }
        }
        if !has_branch {
            self.bury(message, reason);
        }
    }

    /// The place of the session that must know what becomes of a message, unless its time was over before.
    fn awaiting(&self, id: MessageId) -> Option<usize> {
        let place = self
            .conversation
            .sessions
            .iter()
            .position(|session| session.awaits_sooner_or_later() == Some(id))?;
        let session = self.conversation.sessions.get(place)?;
        let timer = self.conversation.timer(session, self.settled);
        timer.is_none_or(|(at, _)| at > self.now).then_some(place)
    }

    /// Whether the node that the session at this place sent from has a branch for this.
    fn has_branch(&self, place: usize, outcome: &SendOutcome) -> bool {
        let step = self.conversation.sessions.get(place).and_then(|session| {
            let (flow, version) = session.active();
            let flow = self.pinned(flow, version)?.flow?;
            flow.node(flow.find(&session.sending()?.node, NodeIx(session.hint))?)
        });
        step.is_some_and(|step| refusal(step, outcome).is_some())
    }

    /// Takes later news of a message of a live session (SEMANTICS D1). Answers whether it took effect.
    pub(crate) fn report(&mut self, message: MessageId, report: &DeliveryReport) -> bool {
        let Some(place) = self.conversation.sessions.iter().position(|live| live.id == message.session)
        else {
            return false;
        };
        if self.conversation.sessions.get(place).is_some_and(Session::is_journalled) {
            self.advance(place, Input::Report { message, report: report.clone() }, self.now);
        }
        let DeliveryReport::Failed { code } = report else { return false };
        let outcome = SendOutcome::Failed { reason: code.clone() };
        let is_latest =
            |session: &Session| session.sending().is_some_and(|sending| sending.seq == message.seq);
        let took_effect = self.conversation.sessions.get(place).is_some_and(is_latest)
            && self.has_branch(place, &outcome)
            && !self.has_kept_sent(message, &outcome)
            && (self.keep_sent(place, message, &outcome)
                || self.advance(place, Input::Sent { message, outcome }, self.now));
        if took_effect {
            self.edit().outbox.retain(|unsent| unsent.message.id != message);
        }
        took_effect
    }

    /// A message that was given up is to be tried once more, behind all others.
    pub(crate) fn requeue(&mut self, message: Arc<Outbound>) {
        let not_before = self.now;
        let conversation = self.edit();
        conversation.last_seq += 1;
        conversation.outbox.push(Unsent { seq: conversation.last_seq, message, attempts: 0, not_before });
    }

    fn take_unsent(&mut self, id: MessageId, at: DateTime<Utc>) -> Option<Arc<Outbound>> {
        let place = self.conversation.outbox.iter().position(|unsent| unsent.message.id == id)?;
        let settled = self.settled;
        let unsent = self.edit().outbox.remove(place);
        if let Some(held) = self.conversation.held_wait(&unsent, settled, at) {
            self.advance(held, Input::Held, at);
        }
        Some(unsent.message)
    }

    /// Keeps what an input came to, so that a repeat is recognised.
    pub(crate) fn remember(&mut self, id: u128, verdict: Verdict) {
        let (now, limits) = (self.now, self.ground.limits);
        self.edit().remembered.remember(id, now, verdict, limits.remembered_ids);
    }

    /// Forgets what is past its retention: ids of messages (SEMANTICS I2), dead letters (S12).
    pub(crate) fn forget(&mut self) {
        let (now, limits) = (self.now, self.ground.limits);
        let oldest =
            now.checked_sub_signed(span(limits.remember_ids_for)).unwrap_or(DateTime::<Utc>::MIN_UTC);
        if self.conversation.remembered.span().is_some_and(|(first, _)| first < oldest) {
            self.edit().remembered.forget_before(oldest);
        }
        let old_letter = |letter: &DeadLetter| now - letter.at > DEAD_LETTER_RETENTION;
        if self.conversation.dead_letters().first().is_some_and(old_letter) {
            self.edit().history().dead_letters.retain(|letter| !old_letter(letter));
        }
    }

    /// Makes the record ready to be written: what is settled is forgotten, time moves on.
    pub(crate) fn finish(&mut self) -> Option<DateTime<Utc>> {
        self.break_silence(self.now);
        let (settled, now) = (self.settled, self.now);
        let conversation = Arc::make_mut(&mut self.conversation);
        conversation.prune(settled);
        conversation.last_at = now;
        let due_at = conversation.due_at(settled);
        due_at.or_else(|| self.idle_until())
    }

    /// When an idle conversation has something to forget (SEMANTICS S12).
    pub(crate) fn idle_until(&self) -> Option<DateTime<Utc>> {
        let newest = self.conversation.remembered.span().map(|(_, newest)| newest);
        let ids = newest.map(|at| later(at, span(self.ground.limits.remember_ids_for)));
        let letters =
            self.conversation.dead_letters().last().map(|letter| later(letter.at, DEAD_LETTER_RETENTION));
        ids.into_iter().chain(letters).min().map(|at| later(at, TimeDelta::milliseconds(1)))
    }
}

fn weight_of(effects: &[Effect]) -> usize {
    let text = |effect: &Effect| match effect {
        Effect::Send(message) => message.weight(),
        Effect::Contact(_) | Effect::Note(_) => 0,
    };
    effects.iter().map(text).sum()
}

/// Ends a session whose version is not stored any more, whatever reaches it.
pub(super) fn end_without_flow(session: &mut Session, input: &Input, at: DateTime<Utc>) -> bool {
    if let Input::End(reason) = input {
        session.rare().ended_by = Some(*reason);
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
    session.rare().failure = Some(crate::session::Failure { code, node, flow, message });
    session.status = Status::Failed;
    session.deadline = None;
    session.call = None;
    session.take_sending();
    session.expires_at = None;
    session.ended_at = Some(at);
}
