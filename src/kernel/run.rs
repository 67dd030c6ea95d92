//! The loop of a turn: enter a node, take a branch, until a node parks or the session ends.
//! What a node does is in `node/`; nothing here knows a kind of node.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::node::{Port, SendMessage};
use crate::flow::{Flow, NodeIx, Step, TtlMode};
use crate::id::{FlowVersion, MessageId, SessionId};
use crate::kernel::decision::end_without_flow;
use crate::kernel::journal::{JournalStep, StepEvent};
use crate::kernel::{Effect, Input, Scene, node, take_aside};
use crate::observer::EventKind;
use crate::session::{
    Failure, FailureCode, Journalled, Message, Origin, Queued, Reply, Route, SendOutcome, Sending, Session,
    Status,
};
use crate::value::Bag;

/// What a session starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// The version it is pinned to.
    pub version: FlowVersion,
    /// What the flow reads as `context`; the start node's policy has been applied.
    #[serde(default, skip_serializing_if = "Bag::is_empty")]
    pub context: Bag,
    /// What started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Box<Origin>>,
    /// Where its messages go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Arc<Route>>,
    /// The message that started it (SEMANTICS I4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Message>,
    /// Whether it is journalled (SEMANTICS L6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub journal: bool,
}

impl NewSession {
    /// A session with an empty context, started by a call.
    #[must_use]
    pub fn new(id: SessionId, version: FlowVersion) -> Self {
        Self { id, version, context: Bag::new(), origin: None, route: None, opening: None, journal: false }
    }
}

/// A session at its flow's start node; [`advance`](super::advance) it with [`Input::Start`].
#[must_use]
pub fn start(flow: &Flow, new: NewSession, now: DateTime<Utc>) -> Session {
    let (hint, at) = flow.entry();
    let mut session = Session {
        id: new.id,
        flow: flow.id().clone(),
        version: new.version,
        status: Status::Running,
        at: at.clone(),
        hint: hint.0,
        wait: 0,
        answered: 0,
        turns: 0,
        sent: 0,
        started_at: now,
        last_interaction_at: now,
        expires_at: None,
        ends_by: None,
        deadline: None,
        ended_at: None,
        parked_at: now,
        sent_before: 0,
        context: new.context,
        vars: Bag::new(),
        origin: new.origin,
        route: new.route,
        asked: None,
        reply: None,
        call: None,
        rare: None,
        branch: None,
    };
    if new.journal {
        session.rare().journal = Some(Journalled::default());
    }
    if let Some(message) = new.opening {
        if let Some(route) = session.route.clone() {
            session.rare().queue.push(Queued { message: message.clone(), sent: 0, route, opening: true });
        }
        session.reply = Some(Box::new(Reply { message: Some(message), ..Reply::default() }));
    }
    session
}

/// How a node is left.
pub(super) enum Move {
    /// By this branch.
    Take(Port),
    /// To this node, without an edge.
    Jump(NodeIx),
    /// Not: the session stays here, in this state, until then at the latest.
    Park { status: Status, deadline: Option<DateTime<Utc>> },
    /// Not: the session waits on for what it waits for, until then as before.
    Stay,
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

    fn event(&self) -> StepEvent {
        match self {
            Self::Take(_) => StepEvent::Left,
            Self::Jump(_) => StepEvent::Jumped,
            Self::Park { .. } | Self::Stay | Self::Ignore => StepEvent::Parked,
            Self::End(_) => StepEvent::Ended,
            Self::Fail(..) => StepEvent::Failed,
        }
    }
}

/// A turn in progress.
pub(super) struct Run<'a> {
    pub(super) flow: &'a Flow,
    pub(super) session: &'a mut Session,
    pub(super) scene: &'a Scene<'a>,
    pub(super) effects: Vec<Effect>,
    /// Messages of this turn.
    pub(super) sends: u32,
    /// Of them those that only show that somebody is writing: no answer is asked by them, and none is overtaken.
    pub(super) signs: u32,
    /// The title of the node that led here.
    pub(super) component: Option<Arc<str>>,
    visited: u32,
    steps: Vec<JournalStep>,
    /// Whether the session came to the node that it stands at in this turn.
    entered: bool,
    /// Why the node is left that the session stands at.
    why: Option<Arc<str>>,
}

/// What a turn leaves beside the session.
pub(crate) struct Outcome {
    pub(crate) effects: Vec<Effect>,
    pub(crate) steps: Vec<JournalStep>,
    /// Whether the input was taken, with a turn or without.
    pub(crate) taken: bool,
}

impl Outcome {
    /// What a session took without a turn, if it did.
    pub(crate) fn aside(taken: bool) -> Self {
        Self { effects: Vec::new(), steps: Vec::new(), taken }
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
        session,
        scene,
        effects: Vec::new(),
        sends: 0,
        signs: 0,
        component: None,
        visited: 0,
        steps: Vec::new(),
        entered: false,
        why: None,
    };
    let taken = run.take(input);
    if taken {
        run.close();
    }
    Outcome { effects: run.effects, steps: run.steps, taken }
}

impl<'a> Run<'a> {
    fn take(&mut self, input: Input) -> bool {
        if !self.session.status.is_live() {
            return false;
        }
        match input {
            Input::Expiry => return self.end(Status::Expired),
            Input::End(reason) => {
                self.session.rare().ended_by = Some(reason);
                return self.end(Status::Cancelled);
            }
            _ => {}
        }
        let flow = self.flow;
        let found =
            flow.find(&self.session.at, NodeIx(self.session.hint)).and_then(|at| Some((at, flow.node(at)?)));
        let Some((at, step)) = found else {
            let text =
                format!("node `{}` is not in version {} of the flow", self.session.at, self.session.version);
            return self.fail(FailureCode::MissingNode, text);
        };
        if self.session.status == Status::Running {
            let begins = input == Input::Start;
            if begins {
                self.walk(at);
            }
            return begins;
        }
        self.because(|_| input.reason());
        let was_sent = matches!(input, Input::Sent { outcome: SendOutcome::Sent, .. });
        match input {
            Input::Sent { message, outcome: SendOutcome::Failed { .. } }
                if self.session.status != Status::Calling =>
            {
                self.take_back(message)
            }
            input => match node::resume(self, step, input) {
                Move::Ignore => false,
                leave => self.go_on(at, step, leave, was_sent),
            },
        }
    }

    /// Leaves the node that the session stands at. `was_sent`: because its message was taken.
    fn go_on(&mut self, at: NodeIx, step: &'a Step, leave: Move, was_sent: bool) -> bool {
        if self.session.turns >= self.scene.limits.turns_per_session {
            let text = format!("more than {} turns", self.scene.limits.turns_per_session);
            return self.fail(FailureCode::TurnsPerSession, text);
        }
        let sending = self.session.take_sending();
        if let Move::Stay = leave {
            self.note_step(step, leave.event(), None);
            return true;
        }
        self.session.status = Status::Running;
        self.session.deadline = None;
        self.session.call = None;
        self.session.forget_heard();
        if let Some(next) = self.leave(at, step, leave) {
            self.walk(next);
        }
        let stands_behind = was_sent
            && self.visited == 1
            && matches!(self.session.status, Status::Waiting | Status::Delayed)
            && step.exit(SendMessage::FAILED).is_some();
        if stands_behind {
            self.session.rare().sending = sending;
        }
        true
    }

    /// A message that did not arrive takes the `failed` branch of its node while the session has only come to stand
    /// right behind it (SEMANTICS D1).
    fn take_back(&mut self, message: MessageId) -> bool {
        let flow = self.flow;
        let is_latest = |sending: &&Sending| (self.session.id, sending.seq) == (message.session, message.seq);
        let Some(sending) = self.session.sending().filter(is_latest) else { return false };
        let found = flow.find(&sending.node, NodeIx(self.session.hint));
        let Some((at, step)) = found.and_then(|at| Some((at, flow.node(at)?))) else { return false };
        if step.exit(SendMessage::FAILED).is_none() {
            return false;
        }
        if self.session.status == Status::Waiting {
            self.session.answered = self.session.wait;
        }
        self.go_on(at, step, Move::Take(SendMessage::FAILED), false)
    }

    /// Enters nodes until one parks the session or ends it.
    fn walk(&mut self, mut at: NodeIx) {
        let flow = self.flow;
        loop {
            self.visited += 1;
            let Some(step) = flow.node(at) else {
                self.fail(FailureCode::MissingNode, "an edge leads nowhere".to_owned());
                return;
            };
            self.session.at = step.id.clone();
            self.session.hint = at.0;
            if self.visited > self.scene.limits.nodes_per_turn {
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

    /// Leaves a node. Answers where to; None when the turn is over.
    fn leave(&mut self, at: NodeIx, step: &'a Step, leave: Move) -> Option<NodeIx> {
        let mut taken = None;
        let event = leave.event();
        let next = match leave {
            Move::Take(port) => {
                taken = step.port_name(port);
                if let Some(name) = taken.filter(|name| name.as_ref() != "next") {
                    self.session.branch = Some(Arc::clone(name));
                }
                let exit = step.exit(port);
                if exit.is_none() {
                    self.end(Status::Completed);
                }
                exit
            }
            Move::Jump(target) => Some(target),
            Move::Park { status, deadline } => {
                self.park(status, deadline);
                None
            }
            Move::End(status) => {
                self.end(status);
                None
            }
            Move::Fail(code, message) => {
                self.session.at = step.id.clone();
                self.session.hint = at.0;
                self.because(|_| message.clone());
                self.fail(code, message);
                None
            }
            Move::Stay | Move::Ignore => None,
        };
        self.note_step(step, event, taken);
        self.component = Some(Arc::clone(&step.title));
        next
    }

    fn note_step(&mut self, step: &Step, event: StepEvent, branch: Option<&Arc<str>>) {
        if self.scene.journal {
            let (node, entered, why) = (step.id.clone(), self.entered, self.why.take());
            self.steps.push(JournalStep { node, entered, event, branch: branch.cloned(), why });
        }
    }

    fn park(&mut self, status: Status, deadline: Option<DateTime<Utc>>) {
        self.session.status = status;
        self.session.parked_at = self.scene.now;
        self.session.deadline = deadline;
    }

    fn end(&mut self, status: Status) -> bool {
        self.session.status = status;
        self.session.deadline = None;
        self.session.call = None;
        self.session.forget_heard();
        self.session.take_sending();
        true
    }

    /// Ends the session as failed; what this turn would have sent is not sent (SEMANTICS S7, S9).
    pub(super) fn fail(&mut self, code: FailureCode, message: String) -> bool {
        self.effects.retain(|effect| !matches!(effect, Effect::Send(_)));
        self.session.sent -= self.sends - self.signs;
        (self.sends, self.signs) = (0, 0);
        let node = self.session.at.clone();
        self.session.rare().failure = Some(Failure { code, node, message });
        self.end(Status::Failed)
    }

    /// Books the turn: counters, the sliding TTL (SEMANTICS S1), the end.
    fn close(&mut self) {
        let now = self.scene.now;
        let settings = self.flow.settings();
        let session = &mut *self.session;
        session.turns += 1;
        if session.status.is_live() {
            let lifetime = settings.max_lifetime.min(span(self.scene.limits.max_lifetime));
            let last = later(session.started_at, lifetime);
            let from = match settings.ttl_mode {
                TtlMode::Sliding => now,
                TtlMode::Fixed => session.started_at,
            };
            session.last_interaction_at = now;
            session.expires_at = Some(settings.ttl.map_or(last, |ttl| later(from, ttl).min(last)));
            session.ends_by = Some(last);
            if session.deadline.is_some_and(|deadline| deadline > last) {
                session.deadline = None;
                session.expires_at = Some(last);
            }
        } else {
            if session.status != Status::Expired && session.status != Status::Cancelled {
                session.last_interaction_at = now;
            }
            session.expires_at = None;
            session.ended_at = Some(now);
        }
        let count = self.sends;
        for effect in &mut self.effects {
            if let Effect::Send(message) = effect
                && let Some(message) = Arc::get_mut(message)
            {
                message.count = count;
            }
        }
    }

    /// The next wait number: a wait, a delay or a call is being entered (SEMANTICS S4).
    pub(super) fn next_wait(&mut self) -> u32 {
        self.session.wait += 1;
        self.session.wait
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
