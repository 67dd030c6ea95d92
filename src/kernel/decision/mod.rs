//! One decision on one conversation: turns are applied to it one after the other, and what they
//! leave beside the record is collected, to be committed as one.

mod delivery;
mod upkeep;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::address::Alias;
use crate::error::{Error, MissingReason};
use crate::flow::{Flow, Reentry};
use crate::id::{ContactId, FlowId, FlowVersion, MessageId, SessionId, WorkspaceId};
use crate::kernel::journal::{JournalEntry, JournalStep, Logged};
use crate::kernel::route::{Asked, wait_node};
use crate::kernel::run::{NewSession, start, take};
use crate::kernel::{CountDelta, Counted, Effect, Input, Library, Scene};
use crate::limits::Limits;
use crate::observer::{Cause, EventKind, Noted};
use crate::session::{
    ContactChange, Conversation, EndReason, FailureCode, Outbound, ReentryMark, Session, Status,
};

/// A conversation further ahead of the clock than this is reported (SEMANTICS S8).
const CLOCK_BEHIND: TimeDelta = TimeDelta::hours(1);

/// The flows that a decision may need, as they are now.
pub(crate) trait Flows: Library {
    /// A version of a flow. None: it has not been fetched yet.
    fn pinned(&self, flow: &FlowId, version: FlowVersion) -> Option<Pinned<'_>>;
}

/// A version of a flow, and what is true of the flow now.
#[derive(Clone, Copy)]
pub(crate) struct Pinned<'a> {
    pub(crate) flow: Result<&'a Arc<Flow>, Unusable<'a>>,
    /// A hash of its content, if it is stored (SEMANTICS S13).
    pub(crate) digest: Option<u128>,
    pub(crate) name: &'a str,
    pub(crate) logging: bool,
    /// Whether the journal has what is sent.
    pub(crate) texts: bool,
    /// Whether its sessions are to be cancelled (SEMANTICS L4).
    pub(crate) terminated: bool,
}

/// The reason for which a version cannot be used here (SEMANTICS S14).
#[derive(Clone, Copy)]
pub(crate) struct Unusable<'a> {
    pub(crate) reason: &'a MissingReason,
    /// The version that is lacking, if it is of a flow that the version calls (SEMANTICS N9).
    pub(crate) callee: Option<(&'a FlowId, FlowVersion)>,
}

impl Unusable<'_> {
    /// What is lacking where this version was to be used.
    pub(crate) fn named(self, flow: &FlowId, version: FlowVersion) -> (FlowId, FlowVersion, MissingReason) {
        let (flow, version) = self.callee.unwrap_or((flow, version));
        (flow.clone(), version, self.reason.clone())
    }
}

impl<'a> Pinned<'a> {
    /// True if a session with this digest is pinned to it (SEMANTICS S13).
    pub(crate) fn is(&self, digest: Option<u128>) -> bool {
        digest.is_none() || digest == self.digest
    }

    /// The flow, for a session with this digest.
    fn flow_of(&self, digest: Option<u128>) -> Option<&'a Flow> {
        self.flow.ok().filter(|_| self.is(digest)).map(|flow| &**flow)
    }
}

/// The reason for which a decision cannot be made with the flows as they are.
pub(crate) enum Unready {
    /// These versions have not been fetched.
    Fetch(Vec<(FlowId, FlowVersion)>),
    /// A version that a session needs cannot be used here (SEMANTICS S14).
    Missing(FlowId, FlowVersion, MissingReason),
    /// By the store's clock something is due, by the engine's, which is far behind, it is not
    /// (SEMANTICS S20).
    InDoubt(Skew),
}

/// Two clocks that are further apart than they may be (SEMANTICS S20).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skew {
    pub(crate) engine: DateTime<Utc>,
    pub(crate) store: DateTime<Utc>,
}

impl From<Skew> for Error {
    fn from(skew: Skew) -> Self {
        Self::ClockSkew { engine: skew.engine, store: skew.store }
    }
}

/// What a decision happens in.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) workspace: &'a WorkspaceId,
    pub(crate) limits: &'a Limits,
    pub(crate) flows: &'a dyn Flows,
    /// Whether anybody watches.
    pub(crate) observed: bool,
    /// Whether nodes and sessions are counted (SEMANTICS Q9).
    pub(crate) counted: bool,
    /// The time for which a stranger is kept (SEMANTICS S19).
    pub(crate) retention: Duration,
    /// Since when what is due has been worked without a gap; None: nobody works it (SEMANTICS S15).
    pub(crate) at_work_since: Option<DateTime<Utc>>,
    /// Set where the engine's clock is far behind the store's, by which this is decided (SEMANTICS
    /// S20).
    pub(crate) skew: Option<Skew>,
    /// The call that is decided on.
    pub(crate) cause: Cause,
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
    /// True if a version that a session needs cannot be used here (SEMANTICS S14), or nobody knows
    /// what is due (S20): time does nothing then.
    is_stranded: bool,
    /// True if a session needs a version that was terminated (SEMANTICS L4).
    has_terminated: bool,
    pub(crate) started: Vec<(SessionId, FlowId, FlowVersion)>,
    pub(crate) ended: Vec<Session>,
    /// Sessions that called a flow or came back from one, with the versions that they need beside
    /// their own.
    pub(crate) called: Vec<(SessionId, Vec<(FlowId, FlowVersion)>)>,
    pub(crate) journal: Vec<JournalEntry>,
    /// What it adds to counters, as it came.
    pub(crate) counts: Vec<CountDelta>,
    pub(crate) events: Vec<Noted>,
    pub(crate) add_aliases: Vec<Alias>,
    pub(crate) drop_aliases: Vec<Alias>,
    /// Messages of the turn that just ended which come too late to be sent.
    overdue: Vec<Arc<Outbound>>,
    /// Messages that sessions wait for and that are not said to who opted out.
    unsaid: Vec<MessageId>,
    /// True while what time brings is applied.
    is_timed: bool,
    /// The flow that was last asked for, by the address of its id: sessions share it with their
    /// compiled flow.
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
            is_stranded: false,
            has_terminated: false,
            started: Vec::new(),
            ended: Vec::new(),
            called: Vec::new(),
            journal: Vec::new(),
            counts: Vec::new(),
            events: Vec::new(),
            add_aliases: Vec::new(),
            drop_aliases: Vec::new(),
            overdue: Vec::new(),
            unsaid: Vec::new(),
            is_timed: false,
            last_pinned: Cell::new(None),
        };
        if now > clock && now - clock > CLOCK_BEHIND {
            decision.note(EventKind::ClockBehind);
        }
        decision
    }

    /// A conversation with a contact that is new.
    pub(crate) fn first(ground: Ground<'a>, contact: ContactId, now: DateTime<Utc>) -> Self {
        Self::new(ground, Arc::new(Conversation::new(contact, now)), 0, now)
    }

    /// Whether all is there and known that the decision needs: time, and the versions that its live
    /// sessions need. The session of a terminated one needs none, as it is to end (SEMANTICS L4).
    pub(crate) fn ready(&mut self) -> Result<(), Unready> {
        if let Some(skew) = self.ground.skew.filter(|skew| self.has_due_after(skew.engine)) {
            self.is_stranded = true;
            return Err(Unready::InDoubt(skew));
        }
        let is_usable = |flow: &FlowId, version, digest| {
            let pinned = self.pinned(flow, version);
            pinned.is_some_and(|pinned| !pinned.terminated && pinned.flow_of(digest).is_some())
        };
        match self.conversation.sessions.iter().all(|session| session.has_pins(is_usable)) {
            true => Ok(()),
            false => self.look_for_versions(),
        }
    }

    #[cold]
    fn look_for_versions(&mut self) -> Result<(), Unready> {
        let (mut fetch, mut missing, mut has_terminated) = (Vec::new(), None, false);
        for (flow, version, digest) in self.conversation.sessions.iter().flat_map(Session::pins) {
            let pinned = self.pinned(flow, version);
            has_terminated |= pinned.is_some_and(|pinned| pinned.terminated);
            match pinned {
                None => fetch.push((flow.clone(), version)),
                Some(pinned) if pinned.flow_of(digest).is_some() => {}
                Some(Pinned { terminated: true, digest: stored, .. })
                    if digest.is_none() || digest == stored => {}
                Some(Pinned { flow: Err(unusable), digest: stored, .. })
                    if digest.is_none() || stored.is_none() || digest == stored =>
                {
                    missing.get_or_insert_with(|| unusable.named(flow, version));
                }
                Some(_) => {
                    missing.get_or_insert_with(|| (flow.clone(), version, MissingReason::NotStored));
                }
            }
        }
        self.has_terminated = has_terminated;
        if !fetch.is_empty() {
            return Err(Unready::Fetch(fetch));
        }
        let Some((flow, version, reason)) = missing else { return Ok(()) };
        self.is_stranded = true;
        Err(Unready::Missing(flow, version, reason))
    }

    pub(crate) fn note(&mut self, kind: EventKind) {
        self.note_at(self.now, kind);
    }

    /// Notes what became of a message of this flow, whose session may be over.
    pub(crate) fn note_message(&mut self, message: &Outbound, attempt: Option<u32>, kind: EventKind) {
        if self.ground.observed {
            self.note(kind);
            if let Some(noted) = self.events.last_mut() {
                noted.of.get_or_insert_with(|| (message.flow.clone(), None));
                noted.attempt = attempt;
            }
        }
    }

    fn note_at(&mut self, at: DateTime<Utc>, kind: EventKind) {
        if self.ground.observed {
            let noted = Noted {
                of: kind.session().and_then(|session| self.pinned_to(session)),
                lag: self.is_timed.then(|| (self.now - at).to_std().unwrap_or_default()),
                ..Noted::new(at, kind)
            };
            self.events.push(noted);
        }
    }

    /// The flow and version of a session, live or ended by this decision.
    fn pinned_to(&self, id: SessionId) -> Option<(FlowId, Option<FlowVersion>)> {
        let mut sessions = self.conversation.sessions.iter().chain(&self.ended);
        let session = sessions.find(|session| session.id == id)?;
        Some((session.flow.clone(), Some(session.version)))
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

    /// A version of a flow, if it can be used here.
    pub(crate) fn version_of(&self, flow: &FlowId, version: FlowVersion) -> Option<&'a Flow> {
        self.pinned(flow, version)?.flow_of(None)
    }

    /// The flow that a session was started with, if it can be used here.
    pub(crate) fn own_flow(&self, session: &Session) -> Option<&'a Flow> {
        self.pinned(&session.flow, session.version)?.flow_of(session.digest)
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
        let pinned = self.pinned(flow.id(), version);
        new.journal = pinned.is_some_and(|pinned| pinned.logging);
        new.texts = new.journal && pinned.is_some_and(|pinned| pinned.texts);
        let journalled = new.journal.then(|| Box::new(new.clone()));
        let session = start(flow, new, now);
        let has_reentry = flow.settings().reentry != Reentry::Always;
        self.started.reserve_exact(1);
        self.started.push((id, session.flow.clone(), version));
        self.add_aliases.push(Alias::Session(id));
        let started = self.ground.observed.then(|| session.flow.clone());
        if self.ground.counted {
            self.counts.push(CountDelta::once(session.flow.clone(), version, Counted::Started, now));
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
        if let Some(flow) = started {
            self.note(EventKind::SessionStarted { session: id, flow, version });
        }
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

    /// `is_quiet`: what it leads to is not said, whatever the input.
    fn turn(&mut self, place: usize, input: Input, at: DateTime<Utc>, is_quiet: bool) -> bool {
        let Some(session) = self.conversation.sessions.get(place) else { return false };
        let Some(pinned) = self.pinned(&session.flow, session.version) else { return false };
        let is_quiet = is_quiet || self.keeps_quiet(session, &input);
        let unsent = self.conversation.outbox.iter().filter(|unsent| unsent.seq > self.settled).count();
        let last_seq = self.conversation.last_seq;
        let (journal, version) = (session.is_journalled(), session.version);
        let texts = journal && session.logs_texts();
        let logged =
            journal.then(|| Logged { input: input.clone(), version, last_seq, unsent, called: Vec::new() });
        let (is_aside, flow) = (input.is_aside(), pinned.flow_of(session.digest));
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
            journal: journal || self.ground.counted,
        };
        let mut outcome = take(flow, session, input, &scene);
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
            if let Some(flow) = flow {
                session.keep_results(&flow.settings().results);
            }
        }
        self.changed = true;
        if outcome.calls_changed {
            self.note_calls(place);
        }
        if self.ground.counted {
            self.count_nodes(place, &outcome.steps, at);
        }
        if let Some(logged) = logged {
            self.log(place, Logged { called: outcome.called, ..logged }, pinned.name, at, outcome.steps);
        }
        let mut opted_out = None;
        for effect in outcome.effects {
            match effect {
                Effect::Send(message) => {
                    if texts && let Some(entry) = self.journal.last_mut() {
                        entry.sent.push(Arc::clone(&message));
                    }
                    self.send(message, at);
                }
                Effect::Contact(change) => {
                    if change == ContactChange::OptOut {
                        let session = self.conversation.sessions.get(place);
                        opted_out = session.map(|session| (session.id, session.turns));
                    }
                    // The kernel made the same change in the turn, so it fits.
                    let limits = self.ground.limits;
                    let _ = self.edit().contact.change(&change, at, limits);
                }
                Effect::Note(kind) => self.note_at(at, kind),
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

    /// Ends what a contact that opts out is in, and drops what it was still to be sent, but for the
    /// messages of the turn that did it: they are the answer. Transactional sessions go on
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
            let entered = Counted::Entered(step.node.clone());
            self.counts.push(CountDelta::once(flow.clone(), version, entered, at));
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
        let Conversation { contact, sessions, .. } = Arc::make_mut(&mut self.conversation);
        if let Some(session) = sessions.get_mut(place) {
            self.journal.push(JournalEntry::of(session, logged, contact, flow_name, at, steps));
        }
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

    /// Books what became of the session at this place; an ended one leaves the record for the
    /// archive.
    fn close(&mut self, place: usize, at: DateTime<Utc>) {
        if self.ground.observed {
            self.note_turn(place, at);
        }
        let conversation = Arc::make_mut(&mut self.conversation);
        let Some(session) = conversation.sessions.get(place) else { return };
        match session.status {
            Status::Handoff => {
                conversation.fall_silent(at);
            }
            status if status.is_live() => {}
            _ => {
                let session = conversation.sessions.remove(place);
                if self.ground.counted {
                    let ended = Counted::Ended(session.status);
                    self.counts.push(CountDelta::once(session.flow.clone(), session.version, ended, at));
                }
                self.called.retain(|(of, _)| *of != session.id);
                // Sessions are large: without this, room is made for four (1,600 instructions a
                // conversation).
                self.ended.reserve_exact(1);
                self.ended.push(session);
            }
        }
    }

    /// Notes the turn of the session at this place, and its end.
    fn note_turn(&mut self, place: usize, at: DateTime<Utc>) {
        let Some(session) = self.conversation.sessions.get(place) else { return };
        let (id, status) = (session.id, session.status);
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

    /// Whether what the input leads to is not said: time alone writes nothing to a contact who
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

fn weight_of(effects: &[Effect]) -> usize {
    let text = |effect: &Effect| match effect {
        Effect::Send(message) => message.weight(),
        Effect::Contact(_) | Effect::Note(_) => 0,
    };
    effects.iter().map(text).sum()
}

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
    session.extras().failure = Some(crate::session::Failure { code, node, flow, message });
    session.status = Status::Failed;
    session.deadline = None;
    session.call = None;
    session.take_sending();
    session.expires_at = None;
    session.ended_at = Some(at);
}
