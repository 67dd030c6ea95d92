//! The loop of a turn: enter a node, take a branch, until a node parks or the session ends. What a
//! node does is in `node/`, how a session begins in `begin` beside, how a turn is booked in
//! `close`.

mod close;

use std::borrow::Cow;
use std::sync::Arc;

use crate::flow::{Flow, NodeIx, Step};
use crate::id::MessageId;
use crate::kernel::aside::take_aside;
use crate::kernel::ending::{end_without_flow, missed_notes};
use crate::kernel::environment::{Turn, TurnEnvironment};
use crate::kernel::input::Input;
use crate::kernel::node;
use crate::kernel::turn::{Move, Run, TurnOutcome};
use crate::list::ShortList;
use crate::session::{Ending, FailureCode, SendOutcome, Sending, Session, Status};

/// Runs a session from where it is to its next wait, or to its end.
///
/// Total and deterministic: it answers for every session and every input, and the same for the same
/// arguments. An input that does not fit the session's node (an old deadline, an answer to
/// another call, anything for an ended session) leaves it as it is, with no effect. A fault of the
/// flow ends the session as `failed`, with its cause; it is never an error.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chatflow::id::FlowVersion;
/// use chatflow::kernel::{Effect, Input, NewSession, TurnEnvironment, advance, start};
/// use chatflow::{Account, Channel, Flow, SessionId, Status};
///
/// let flow = Flow::from_json(r#"{"spec": 1, "code": "hello", "name": "Hello", "trigger": {"kind": "manual"},
///     "settings": {"sender": {"channel": "sms", "account": "555"}},
///     "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Hello!"}],
///     "edges": [{"from": "start", "to": "hi"}]}"#)?;
/// let mut contact = chatflow::session::Contact::new("ada".parse()?);
/// contact.addresses.push(chatflow::Address::new(&Account::new(Channel::Sms, "555")?, "+14155550123")?);
/// let now = "2026-05-07T08:14:23Z".parse()?;
/// let env = TurnEnvironment {
///     now, workspace: &Default::default(), contact: &contact, flow_name: flow.name(), flows: &(),
///     limits: &Default::default(), last_seq: 0, unsent: 0, journal: false,
/// };
/// let session = start(&flow, NewSession::new(SessionId(uuid::Uuid::nil()), FlowVersion(1)), now);
/// let turn = advance(&flow, session, Input::Start, &env);
/// assert_eq!(turn.session.status(), Status::Completed);
/// assert!(matches!(&turn.effects[..], [Effect::Send(message)] if message.text() == "Hello!"));
/// # Ok(())
/// # }
/// ```
pub fn advance(flow: &Flow, mut session: Session, input: Input, env: &TurnEnvironment<'_>) -> Turn {
    let outcome = run(flow, &mut session, input, env);
    Turn { session, effects: outcome.effects.into_iter().collect(), steps: outcome.steps }
}

/// Takes an input to a session whose version may not be stored any more.
pub(crate) fn take(
    flow: Option<&Flow>,
    session: &mut Session,
    input: Input,
    env: &TurnEnvironment<'_>,
) -> TurnOutcome {
    match flow {
        Some(flow) => run(flow, session, input, env),
        None if input.is_aside() => TurnOutcome::aside(take_aside(session, input, env.now)),
        None if !session.status().is_live() => TurnOutcome::aside(false),
        None => {
            let missed = end_without_flow(session, &input, env.now);
            let effects = missed_notes(session.id, missed).collect();
            TurnOutcome { effects, ..TurnOutcome::aside(true) }
        }
    }
}

/// [`advance`](super::advance), in place.
pub(crate) fn run(
    flow: &Flow,
    session: &mut Session,
    input: Input,
    env: &TurnEnvironment<'_>,
) -> TurnOutcome {
    if input.is_aside() {
        return TurnOutcome::aside(take_aside(session, input, env.now));
    }
    let mut run = Run {
        flow,
        flow_name: env.flow_name,
        root: flow,
        session,
        env,
        contact: Cow::Borrowed(env.contact),
        effects: ShortList::None,
        sends: 0,
        signs: 0,
        component: None,
        calls_changed: false,
        called: Vec::new(),
        outcome: None,
        beside: false,
        visited: 0,
        has_reply: false,
        steps: Vec::new(),
        entered: false,
        why: None,
        left_open: None,
        item: None,
        is_parting: false,
    };
    let taken = run.take(input);
    if taken {
        run.close();
    }
    let Run { effects, steps, calls_changed, called, .. } = run;
    TurnOutcome { effects, steps, taken, calls_changed, called }
}

impl<'a> Run<'a> {
    fn take(&mut self, input: Input) -> bool {
        if !self.session.status().is_live() {
            return false;
        }
        let is_known = self.open();
        if self.root.quiet_hours().is_some() && self.puts_off(&input) {
            return true;
        }
        match input {
            Input::Expiry => return self.pass_away(),
            Input::End(reason) => return self.end(Ending::Cancelled(reason)),
            Input::Handoff => return self.hand_over(),
            Input::Reminder(wait) => return self.remind(wait),
            Input::Say { node, route } => return self.say_aside(&node, route),
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
        if self.session.status() == Status::Running {
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
            input if self.session.status() == Status::Handoff => self.after_handoff(step, &input),
            Input::Sent { message, outcome }
                if outcome != SendOutcome::Sent && self.session.status() != Status::Calling =>
            {
                return self.take_back(message, &outcome);
            }
            input => node::resume(self, step, input),
        };
        match leave {
            Move::Ignore => false,
            leave => self.go_on_from(at, step, leave, was_sent),
        }
    }

    /// Leaves the session's node. `was_sent`: because its message was taken.
    fn go_on_from(&mut self, at: NodeIx, step: &'a Step, leave: Move, was_sent: bool) -> bool {
        if self.session.turns >= self.env.limits.turns_per_session {
            let text = format!("more than {} turns", self.env.limits.turns_per_session);
            return self.fail(FailureCode::TurnsPerSession, text);
        }
        let is_back = matches!(leave, Move::Back(_));
        let (sending, flow) = (self.session.take_sending(), self.flow);
        if let Move::Stay = leave {
            self.book_step(step, leave.event(), None);
            return true;
        }
        self.session.unpark();
        if !is_back {
            self.session.forget_heard();
        }
        let next = self.leave(at, step, leave);
        let is_taken = self.go_on_at(next);
        let stands_behind = was_sent
            && self.visited == 1
            && self.sends == 0
            && std::ptr::eq(self.flow, flow)
            && matches!(self.session.status(), Status::Waiting | Status::Delayed)
            && node::has_refusal(step);
        if let Some(sending) = sending.filter(|_| stands_behind) {
            self.session.stand_behind(sending);
        }
        is_taken
    }

    /// Turns to the called flow that the session is in, if it is in one. False: that flow is not
    /// there.
    fn open(&mut self) -> bool {
        let Some((flow, version)) = self.session.called().cloned() else { return true };
        let found = self.find(&flow, Some(version));
        if let Some(called) = found {
            self.flow = called.flow;
            self.flow_name = called.name;
        }
        found.is_some()
    }

    /// The node that the session is at.
    fn place(&self) -> Option<(NodeIx, &'a Step)> {
        let at = self.flow.find(&self.session.at, NodeIx(self.session.hint))?;
        Some((at, self.flow.node(at)?))
    }

    /// The TTL has passed, which a caller may have an edge for; the longest life is the end for all
    /// (SEMANTICS S1).
    fn pass_away(&mut self) -> bool {
        let is_final = self.session.ends_by.is_some_and(|last| self.env.now >= last);
        if is_final || self.session.frames().is_empty() {
            return self.end(Ending::Expired);
        }
        let next = self.expire();
        self.go_on_at(next)
    }

    fn go_on_at(&mut self, next: Option<NodeIx>) -> bool {
        if let Some(next) = next {
            self.session.take_sending();
            self.session.unpark();
            self.session.forget_heard();
            self.walk(next);
        }
        true
    }

    /// A message that did not arrive takes the `failed` branch of its node while the session has
    /// only come right behind it (SEMANTICS D1).
    fn take_back(&mut self, message: MessageId, outcome: &SendOutcome) -> bool {
        let flow = self.flow;
        let is_latest = |sending: &&Sending| (self.session.id, sending.seq) == (message.session, message.seq);
        let Some(sending) = self.session.sending().filter(is_latest) else { return false };
        let found = flow.find(&sending.node, NodeIx(self.session.hint));
        let Some((at, step)) = found.and_then(|at| Some((at, flow.node(at)?))) else { return false };
        let Some(port) = node::refusal(step, outcome) else { return false };
        self.go_on_from(at, step, Move::Take(port), false)
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
            if !self.session.rounds().is_empty() {
                self.leave_loops(at);
            }
            if !fits {
                self.fail(
                    FailureCode::NodesPerTurn,
                    format!("more than {} nodes in a turn", self.env.limits.nodes_per_turn),
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

    /// Lets go of the lists whose loops a session has left (SEMANTICS N12).
    fn leave_loops(&mut self, at: NodeIx) {
        let flow = self.flow;
        let rounds = &mut self.session.extras().rounds;
        while let Some(last) = rounds.last() {
            let node = flow.find(&last.node, NodeIx(0));
            if node.is_some_and(|node| flow.is_in_loop(node, at)) {
                break;
            }
            rounds.pop();
        }
    }

    /// Leaves a node. Returns where to; None when the turn is over.
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
            Move::Take(port) => step.exit(port).or_else(|| self.finish(Ending::Completed(None))),
            Move::Jump(target) => Some(target),
            Move::Call(entry) => self.enter_flow(step, *entry),
            Move::Park(standing) => {
                self.park(standing);
                None
            }
            Move::Back(stop) => {
                self.park(stop.into());
                None
            }
            Move::End(ending) => self.finish(ending),
            Move::Fail(code, message) => {
                self.session.at = step.id.clone();
                self.session.hint = at.0;
                self.fault(code, message)
            }
            Move::Stay | Move::Ignore => None,
        }
    }
}
