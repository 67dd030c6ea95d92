//! Flows that call flows: how one is entered, how its caller continues, and what becomes of a fault
//! or of silence in it (SEMANTICS N9). The session is one throughout: who waits is kept in its
//! frames.

use crate::flow::node::{CallFlow, Port};
use crate::flow::{NodeIx, Step};
use crate::kernel::Callee;
use crate::kernel::node::call_flow;
use crate::kernel::turn::{FlowEntrance, Move, Run};
use crate::observer::EventKind;
use crate::session::{Ending, FailureCode, Frame};
use crate::value::PackLimits;

/// A flow that waits for what it called, and the node where it does.
struct Caller<'a> {
    frame: usize,
    flow: Callee<'a>,
    at: NodeIx,
    step: &'a Step,
    call: &'a CallFlow,
}

impl<'a> Run<'a> {
    /// Begins a called flow; answers its start.
    pub(super) fn enter_flow(&mut self, step: &Step, entry: FlowEntrance) -> Option<NodeIx> {
        let Some(callee) = self.find(&entry.flow, Some(entry.version)) else {
            let text = format!("version {} of flow `{}` is not stored", entry.version, entry.flow);
            return self.fault(FailureCode::MissingNode, text);
        };
        if entry.is_terminal && self.session.frames().is_empty() {
            self.session.keep_results(&self.root.settings().results);
        }
        let (flow, version) = self.session.active();
        let (flow, version, digest) = (flow.clone(), version, Some(self.flow.digest()));
        let context = std::mem::replace(&mut self.session.context, entry.context);
        let vars = std::mem::take(&mut self.session.vars);
        let extras = self.session.extras();
        let jumps = std::mem::take(&mut extras.jumps);
        let rounds = std::mem::take(&mut extras.rounds);
        if entry.is_terminal {
            if extras.frames.is_empty() {
                extras.begun.get_or_insert(context);
            }
        } else {
            extras.frames.push(Frame {
                flow,
                version,
                digest,
                node: step.id.clone(),
                context,
                vars,
                jumps,
                rounds,
            });
        }
        self.stand_in(callee);
        Some(callee.flow.start().0)
    }

    /// The flow has come to an end: its caller continues behind the call, or the session ends.
    pub(super) fn finish(&mut self, ending: Ending) -> Option<NodeIx> {
        match (ending, self.session.frames().len().checked_sub(1)) {
            (Ending::Completed(outcome), Some(frame)) => {
                self.outcome = outcome;
                self.give_back(frame)
            }
            (Ending::Expired, Some(_)) => self.expire(),
            (ending, _) => {
                self.end(ending);
                None
            }
        }
    }

    /// Nobody answered in time: the nearest caller with an edge for that continues, or the session
    /// expires.
    pub(super) fn expire(&mut self) -> Option<NodeIx> {
        match self.catcher(|_| CallFlow::EXPIRED) {
            Some(caller) => self.go_on(&caller, Move::Take(CallFlow::EXPIRED)),
            None => {
                self.end(Ending::Expired);
                None
            }
        }
    }

    /// A fault: the nearest caller with an edge for it continues, or the session fails (SEMANTICS
    /// S9). What was sent before it stays sent when a caller continues, since the turn does not
    /// fail.
    pub(super) fn fault(&mut self, code: FailureCode, message: String) -> Option<NodeIx> {
        let caller = if code.is_of_session() { None } else { self.catcher(CallFlow::failed) };
        let Some(caller) = caller else {
            self.fail(code, message);
            return None;
        };
        self.note_failed(code);
        self.go_on(&caller, Move::Take(caller.call.failed()))
    }

    /// Returns the move by which a node is left whose call could not be made, or whose output could
    /// not be kept.
    pub(super) fn call_failed(
        &mut self,
        step: &Step,
        call: &CallFlow,
        code: FailureCode,
        why: String,
    ) -> Move {
        if code.is_of_session() || step.exit(call.failed()).is_none() {
            return Move::Fail(code, why);
        }
        self.note_failed(code);
        Move::Take(call.failed())
    }

    /// Returns the limits of variables, or of a context, of which those that wait have so many
    /// bytes already.
    pub(super) fn limits_beside(&self, waiting: usize) -> PackLimits {
        let whole = PackLimits::of(self.env.limits);
        PackLimits { bytes: whole.bytes.saturating_sub(waiting), ..whole }
    }

    fn note_failed(&mut self, code: FailureCode) {
        let (flow, node) = (self.session.active().0.clone(), self.session.at.clone());
        self.note(EventKind::SubflowFailed { session: self.session.id, flow, node, code });
    }

    fn give_back(&mut self, frame: usize) -> Option<NodeIx> {
        let Some(caller) = self.caller(frame) else {
            let text = "the flow that called is not stored any more".to_owned();
            return self.fault(FailureCode::MissingNode, text);
        };
        let output = call_flow::output(self, caller.call);
        match output {
            Ok(vars) => {
                self.return_to(&caller);
                self.session.vars = vars;
                self.leave(caller.at, caller.step, Move::Take(Port::NEXT))
            }
            Err((code, why)) => {
                self.return_to(&caller);
                let leave = self.call_failed(caller.step, caller.call, code, why);
                self.leave(caller.at, caller.step, leave)
            }
        }
    }

    fn go_on(&mut self, caller: &Caller<'a>, leave: Move) -> Option<NodeIx> {
        self.return_to(caller);
        self.leave(caller.at, caller.step, leave)
    }

    /// The nearest caller with an edge from this branch. One whose flow is not stored any more has
    /// none.
    fn catcher(&mut self, branch: impl Fn(&CallFlow) -> Port) -> Option<Caller<'a>> {
        if self.session.turns >= self.env.limits.turns_per_session {
            return None;
        }
        let mut callers = (0..self.session.frames().len()).rev().filter_map(|frame| self.caller(frame));
        callers.find(|caller| caller.step.exit(branch(caller.call)).is_some())
    }

    fn caller(&mut self, frame: usize) -> Option<Caller<'a>> {
        let waiting = self.session.frames().get(frame)?;
        let (id, version, node) = (waiting.flow.clone(), waiting.version, waiting.node.clone());
        let flow = if (&id, version) == (&self.session.flow, self.session.version) {
            Callee { flow: self.root, version, name: self.env.flow_name }
        } else {
            self.find(&id, Some(version))?
        };
        let at = flow.flow.find(&node, NodeIx(0))?;
        let step = flow.flow.node(at)?;
        let call = step.node.as_call_flow()?;
        Some(Caller { frame, flow, at, step, call })
    }

    /// The session is a caller's again, at the node that called.
    fn return_to(&mut self, caller: &Caller<'a>) {
        self.outcome = None;
        let extras = self.session.extras();
        extras.frames.truncate(caller.frame + 1);
        if let Some(frame) = extras.frames.pop() {
            extras.jumps = frame.jumps;
            extras.rounds = frame.rounds;
            self.session.context = frame.context;
            self.session.vars = frame.vars;
            self.session.at = frame.node;
            self.session.hint = caller.at.0;
        }
        self.entered = false;
        self.stand_in(caller.flow);
    }

    fn stand_in(&mut self, flow: Callee<'a>) {
        let is_root = *flow.flow.id() == self.session.flow && flow.version == self.session.version;
        let extras = self.session.extras();
        extras.active = (!is_root).then(|| (flow.flow.id().clone(), flow.version));
        extras.active_digest = (!is_root).then(|| flow.flow.digest());
        self.session.prune();
        self.flow = flow.flow;
        self.flow_name = flow.name;
        self.calls_changed = true;
    }
}
