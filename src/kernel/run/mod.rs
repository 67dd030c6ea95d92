//! The loop of a turn: enter a node, take a branch, until a node parks or the session ends. What a
//! node does is in `node/`, how a session begins in `begin`, how a turn is booked in `close`.

mod begin;
mod close;

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::flow::node::{Port, SendMessage};
use crate::flow::{Flow, NodeIx, Step};
use crate::id::{FlowId, FlowVersion, MessageId};
use crate::kernel::decide::end_without_flow;
use crate::kernel::frames::Entry;
use crate::kernel::journal::{CalledFlow, JournalStep, StepEvent};
use crate::kernel::{Callee, Effect, Input, Scene, node, take_aside};
use crate::observer::EventKind;
use crate::session::{
    Contact, ContactChange, Failure, FailureCode, SendOutcome, Sending, Session, Status, Suspended,
};

pub use begin::{NewSession, start};

/// How a node is left.
pub(super) enum Move {
    /// By this branch.
    Take(Port),
    /// To this node, without an edge.
    Jump(NodeIx),
    /// Into another flow.
    Call(Box<Entry>),
    /// Not: the session stays here, in this state, until then at the latest.
    Park { status: Status, deadline: Option<DateTime<Utc>> },
    /// Not: the session waits on for what it waits for, until then as before.
    Stay,
    /// Back to where the session stood before.
    Back(Suspended),
    /// The session ends.
    End(Status),
    /// The session fails.
    Fail(FailureCode, String),
    /// The input does not fit here; nothing changes.
    Ignore,
}

impl Move {
    pub(super) fn fail(code: FailureCode, message: impl ToString) -> Self {
        Self::Fail(code, message.to_string())
    }

    pub(super) fn event(&self) -> StepEvent {
        match self {
            Self::Take(_) => StepEvent::Left,
            Self::Jump(_) => StepEvent::Jumped,
            Self::Call(_) => StepEvent::Called,
            Self::Park { .. } | Self::Stay | Self::Back(_) | Self::Ignore => StepEvent::Parked,
            Self::End(_) => StepEvent::Ended,
            Self::Fail(..) => StepEvent::Failed,
        }
    }
}

/// A turn in progress.
pub(super) struct Run<'a> {
    /// The flow that the session stands in.
    pub(super) flow: &'a Flow,
    /// Its name now.
    pub(super) flow_name: &'a str,
    /// The flow that was started.
    pub(super) root: &'a Flow,
    pub(super) session: &'a mut Session,
    pub(super) scene: &'a Scene<'a>,
    /// The contact as this turn has made it.
    pub(super) contact: Cow<'a, Contact>,
    pub(super) effects: Vec<Effect>,
    /// Messages of this turn.
    pub(super) sends: u32,
    /// Of them those that only show that somebody is writing: no answer is asked by them, and none
    /// is overtaken.
    pub(super) signs: u32,
    /// The title of the node that led here.
    pub(super) component: Option<&'a Arc<str>>,
    /// Whether the session needs other versions of flows than before.
    pub(super) calls_changed: bool,
    /// The called flows that were looked up, for the journal.
    called: Vec<CalledFlow>,
    /// Whether it runs beside a wait, which stays as it is (SEMANTICS S6).
    pub(super) beside: bool,
    visited: u32,
    steps: Vec<JournalStep>,
    /// Whether the session came to the node that it stands at in this turn.
    pub(super) entered: bool,
    /// Why the node is left that the session stands at.
    why: Option<Arc<str>>,
}

/// What a turn leaves beside the session.
pub(crate) struct Outcome {
    pub(crate) effects: Vec<Effect>,
    pub(crate) steps: Vec<JournalStep>,
    /// Whether the input was taken, with a turn or without.
    pub(crate) taken: bool,
    /// Whether the session needs other versions of flows than before.
    pub(crate) calls_changed: bool,
    /// The called flows that the turn looked up, if the nodes that it visits are reported.
    pub(crate) called: Vec<CalledFlow>,
}

impl Outcome {
    /// What a session took without a turn, if it did.
    pub(crate) fn aside(taken: bool) -> Self {
        let (effects, steps, called) = (Vec::new(), Vec::new(), Vec::new());
        Self { effects, steps, taken, calls_changed: false, called }
    }
}

/// Takes an input to a session whose version may not be stored any more.
pub(crate) fn take(flow: Option<&Flow>, session: &mut Session, input: Input, scene: &Scene<'_>) -> Outcome {
    match flow {
        Some(flow) => run(flow, session, input, scene),
        None if input.is_aside() => Outcome::aside(take_aside(session, input, scene.now)),
        None => Outcome::aside(end_without_flow(session, &input, scene.now)),
    }
}

/// [`advance`](super::advance), in place.
pub(crate) fn run(flow: &Flow, session: &mut Session, input: Input, scene: &Scene<'_>) -> Outcome {
    if input.is_aside() {
        return Outcome::aside(take_aside(session, input, scene.now));
    }
    let mut run = Run {
        flow,
        flow_name: scene.flow_name,
        root: flow,
        session,
        scene,
        contact: Cow::Borrowed(scene.contact),
        effects: Vec::new(),
        sends: 0,
        signs: 0,
        component: None,
        calls_changed: false,
        called: Vec::new(),
        beside: false,
        visited: 0,
        steps: Vec::new(),
        entered: false,
        why: None,
    };
    let taken = run.take(input);
    if taken {
        run.close();
    }
    let Run { effects, steps, calls_changed, called, .. } = run;
    Outcome { effects, steps, taken, calls_changed, called }
}

impl<'a> Run<'a> {
    fn take(&mut self, input: Input) -> bool {
        if !self.session.status.is_live() {
            return false;
        }
        let is_known = self.open();
        match input {
            Input::Expiry => return self.pass_away(),
            Input::End(reason) => {
                self.session.extras().ended_by = Some(reason);
                return self.end(Status::Cancelled);
            }
            Input::Handoff => return self.hand_over(),
            Input::Reminder(wait) => return self.remind(wait),
            _ => {}
        }
        let Some((at, step)) = self.place().filter(|_| is_known) else {
            let (flow, version) = self.session.active();
            let text = match is_known {
                true => format!("node `{}` is not in version {version} of the flow", self.session.at),
                false => format!("version {version} of flow `{flow}` is not stored"),
            };
            let next = self.fault(FailureCode::MissingNode, text);
            return self.go_on_at(next);
        };
        if self.session.status == Status::Running {
            let begins = matches!(input, Input::Start);
            if begins {
                self.walk(at);
            }
            return begins;
        }
        self.because(|_| input.reason());
        let was_sent = matches!(input, Input::Sent { outcome: SendOutcome::Sent, .. });
        let leave = match input {
            Input::Jump { node, route } => self.jump(&node, route),
            input if self.session.status == Status::Handoff => self.after_handoff(step, &input),
            Input::Sent { message, outcome: SendOutcome::Failed { .. } }
                if self.session.status != Status::Calling =>
            {
                return self.take_back(message);
            }
            input => node::resume(self, step, input),
        };
        match leave {
            Move::Ignore => false,
            leave => self.go_on_from(at, step, leave, was_sent),
        }
    }

    /// Leaves the node that the session stands at. `was_sent`: because its message was taken.
    fn go_on_from(&mut self, at: NodeIx, step: &'a Step, leave: Move, was_sent: bool) -> bool {
        if self.session.turns >= self.scene.limits.turns_per_session {
            let text = format!("more than {} turns", self.scene.limits.turns_per_session);
            return self.fail(FailureCode::TurnsPerSession, text);
        }
        let is_back = matches!(leave, Move::Back(_));
        let (sending, flow) = (self.session.take_sending(), self.flow);
        if let Move::Stay = leave {
            self.book_step(step, leave.event(), None);
            return true;
        }
        self.unpark();
        if !is_back {
            self.session.forget_heard();
        }
        let next = self.leave(at, step, leave);
        let is_taken = self.go_on_at(next);
        let stands_behind = was_sent
            && self.visited == 1
            && self.sends == 0
            && std::ptr::eq(self.flow, flow)
            && matches!(self.session.status, Status::Waiting | Status::Delayed)
            && step.exit(SendMessage::FAILED).is_some();
        if (stands_behind || is_back) && self.session.status.is_live() {
            self.session.extras().sending = sending;
        }
        is_taken
    }

    /// Turns to the called flow that the session stands in, if it does; whether there is such a
    /// flow.
    fn open(&mut self) -> bool {
        let Some((flow, version)) = self.session.called().cloned() else { return true };
        let found = self.find(&flow, Some(version));
        if let Some(called) = found {
            self.flow = called.flow;
            self.flow_name = called.name;
        }
        found.is_some()
    }

    /// A flow that is called, or that called: a version of it, or the one that is online.
    pub(super) fn find(&mut self, flow: &FlowId, version: Option<FlowVersion>) -> Option<Callee<'a>> {
        let found = self.scene.flows.find(flow, version)?;
        if self.scene.journal {
            self.called.push(CalledFlow::of(&found, version.is_none()));
        }
        Some(found)
    }

    /// Where the session stands.
    fn place(&self) -> Option<(NodeIx, &'a Step)> {
        let at = self.flow.find(&self.session.at, NodeIx(self.session.hint))?;
        Some((at, self.flow.node(at)?))
    }

    /// The TTL has passed, which a caller may have an edge for; the longest life is the end for all
    /// (SEMANTICS S1).
    fn pass_away(&mut self) -> bool {
        let is_final = self.session.ends_by.is_some_and(|last| self.scene.now >= last);
        if is_final || self.session.frames().is_empty() {
            return self.end(Status::Expired);
        }
        let next = self.expire();
        self.go_on_at(next)
    }

    fn go_on_at(&mut self, next: Option<NodeIx>) -> bool {
        if let Some(next) = next {
            self.session.take_sending();
            self.unpark();
            self.session.forget_heard();
            self.walk(next);
        }
        true
    }

    fn unpark(&mut self) {
        if self.session.status == Status::Waiting {
            self.session.answered = self.session.wait;
        }
        self.session.status = Status::Running;
        self.session.deadline = None;
        self.session.call = None;
    }

    /// A message that did not arrive takes the `failed` branch of its node while the session has
    /// only come to stand right behind it (SEMANTICS D1).
    fn take_back(&mut self, message: MessageId) -> bool {
        let flow = self.flow;
        let is_latest = |sending: &&Sending| (self.session.id, sending.seq) == (message.session, message.seq);
        let Some(sending) = self.session.sending().filter(is_latest) else { return false };
        let found = flow.find(&sending.node, NodeIx(self.session.hint));
        let Some((at, step)) = found.and_then(|at| Some((at, flow.node(at)?))) else { return false };
        if step.exit(SendMessage::FAILED).is_none() {
            return false;
        }
        self.go_on_from(at, step, Move::Take(SendMessage::FAILED), false)
    }

    /// Enters nodes until one parks the session or ends it.
    fn walk(&mut self, mut at: NodeIx) {
        loop {
            let fits = self.visit();
            let flow = self.flow;
            let Some(step) = flow.node(at) else {
                self.fail(FailureCode::MissingNode, "an edge leads nowhere".to_owned());
                return;
            };
            self.session.at = step.id.clone();
            self.session.hint = at.0;
            if !fits {
                self.fail(
                    FailureCode::NodesPerTurn,
                    format!("more than {} nodes in a turn", self.scene.limits.nodes_per_turn),
                );
                return;
            }
            self.entered = true;
            let leave = node::enter(self, step);
            match self.leave(at, step, leave) {
                Some(next) => at = next,
                None => return,
            }
        }
    }

    /// Counts a node. Answers whether the turn may have so many.
    pub(super) fn visit(&mut self) -> bool {
        self.visited += 1;
        self.visited <= self.scene.limits.nodes_per_turn
    }

    /// Leaves a node. Answers where to; None when the turn is over.
    pub(super) fn leave(&mut self, at: NodeIx, step: &'a Step, leave: Move) -> Option<NodeIx> {
        let taken = match &leave {
            Move::Take(port) => step.port_name(*port),
            _ => None,
        };
        if let Some(name) = taken.filter(|name| name.as_ref() != "next") {
            self.session.branch = Some(Arc::clone(name));
        }
        if let Move::Fail(_, message) = &leave {
            self.because(|_| message.clone());
        }
        self.book_step(step, leave.event(), taken);
        match leave {
            Move::Take(port) => step.exit(port).or_else(|| self.finish(Status::Completed)),
            Move::Jump(target) => Some(target),
            Move::Call(entry) => self.enter_flow(step, *entry),
            Move::Park { status, deadline } => {
                self.park(status, deadline);
                None
            }
            Move::Back(suspended) => {
                self.session.call = suspended.call;
                self.park(suspended.status, suspended.deadline);
                None
            }
            Move::End(status) => self.finish(status),
            Move::Fail(code, message) => {
                self.session.at = step.id.clone();
                self.session.hint = at.0;
                self.fault(code, message)
            }
            Move::Stay | Move::Ignore => None,
        }
    }

    /// Writes down what happened at a node, if there is a journal.
    pub(super) fn book_step(&mut self, step: &'a Step, event: StepEvent, branch: Option<&Arc<str>>) {
        if self.scene.journal {
            let (node, entered, why) = (step.id.clone(), self.entered, self.why.take());
            let (branch, called) = (branch.cloned(), self.session.called().cloned());
            self.steps.push(JournalStep { node, entered, event, branch, why, called });
        }
        self.component = Some(&step.title);
    }

    pub(super) fn park(&mut self, status: Status, deadline: Option<DateTime<Utc>>) {
        self.session.status = status;
        self.session.parked_at = self.scene.now;
        self.session.deadline = deadline;
    }

    pub(super) fn end(&mut self, status: Status) -> bool {
        self.session.status = status;
        self.session.deadline = None;
        self.session.call = None;
        self.session.forget_heard();
        node::miss_queued(self);
        if let Some(extras) = &mut self.session.extras {
            extras.handoff = None;
            extras.remind_before = None;
            extras.sending = None;
        }
        true
    }

    /// Ends the session as failed; what this turn would have sent or changed is not (SEMANTICS S7,
    /// S9).
    pub(super) fn fail(&mut self, code: FailureCode, message: String) -> bool {
        self.effects.retain(|effect| matches!(effect, Effect::Note(_)));
        self.session.sent = self.session.sent.saturating_sub(self.sends.saturating_sub(self.signs));
        (self.sends, self.signs) = (0, 0);
        let node = self.session.at.clone();
        let flow = self.session.called().map(|(flow, _)| flow.clone());
        self.session.extras().failure = Some(Failure { code, node, flow, message });
        self.end(Status::Failed)
    }

    /// The number of the wait that choices of a message belong to: the one that it is sent at, or
    /// the next.
    pub(super) fn offered_wait(&self) -> u32 {
        let is_asked = self.beside || self.session.status == Status::Waiting;
        if is_asked { self.session.wait } else { self.session.wait.saturating_add(1) }
    }

    /// The next wait number: a wait, a delay or a call is being entered (SEMANTICS S4).
    pub(super) fn next_wait(&mut self) -> u32 {
        self.session.wait = self.session.wait.saturating_add(1);
        self.session.wait
    }

    /// Changes the contact, for the rest of the turn and for good.
    pub(super) fn change_contact(&mut self, change: ContactChange) -> Result<(), Move> {
        let changed = self.contact.to_mut().change(&change, self.scene.now, self.scene.limits);
        changed.map_err(|rule| Move::fail(FailureCode::Contact, rule))?;
        self.effects.push(Effect::Contact(change));
        Ok(())
    }

    /// Says, in the journal if there is one, why the node is left as it is.
    pub(super) fn because(&mut self, why: impl FnOnce(&Self) -> String) {
        if self.scene.journal {
            self.why = Some(why(self).into());
        }
    }

    pub(super) fn note(&mut self, kind: EventKind) {
        self.effects.push(Effect::Note(kind));
    }
}

/// A later instant; the last one there is when it would be beyond.
pub(crate) fn later(from: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    from.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A host's duration as the calendar's; the longest there is when it would be beyond.
pub(crate) fn span(duration: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
