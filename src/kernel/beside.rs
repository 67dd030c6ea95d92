//! Nodes that run beside a waiting session: a reminder, an answer to a side question, and what is
//! said last (SEMANTICS S6, I6, S21).

use std::sync::Arc;

use crate::flow::{Flow, NodeIx};
use crate::id::NodeId;
use crate::kernel::Effect;
use crate::kernel::node;
use crate::kernel::turn::{Move, Run};
use crate::session::{FailureCode, Route, Standing, Status};

/// A fault of a node: its kind, and a sentence.
type Fault = (FailureCode, String);

impl<'a> Run<'a> {
    /// Enters nodes until no edge leads on; or says what went wrong.
    pub(super) fn walk_beside(&mut self, first: Option<NodeIx>) -> Result<(), Fault> {
        let flow = self.flow;
        let mut next = first;
        while let Some((at, step)) = next.and_then(|at| Some((at, flow.node(at)?))) {
            if step.node.is_end() {
                return Ok(());
            }
            self.session.at = step.id.clone();
            self.session.hint = at.0;
            if !self.visit() {
                let most = self.env.limits.nodes_per_turn;
                return Err((FailureCode::NodesPerTurn, format!("more than {most} nodes in a turn")));
            }
            self.entered = true;
            let leave = node::enter(self, step);
            let event = leave.event();
            next = match leave {
                Move::Take(port) => {
                    self.book_step(step, event, step.port_name(port));
                    step.exit(port)
                }
                Move::Fail(code, message) => {
                    self.because(|_| message.clone());
                    self.book_step(step, event, None);
                    return Err((code, message));
                }
                Move::Park(Standing::Sending(sending)) => {
                    self.session.stand_behind(sending);
                    None
                }
                _ => None,
            };
        }
        Ok(())
    }

    /// Walks from a node, and returns to where it was.
    pub(super) fn run_beside(&mut self, first: Option<NodeIx>) -> Result<(), Fault> {
        let session = &*self.session;
        let stood = (session.at.clone(), session.hint, session.branch.clone(), session.asked.clone());
        let (was_beside, entered) = (std::mem::replace(&mut self.beside, true), self.entered);
        let walked = self.walk_beside(first);
        (self.beside, self.entered) = (was_beside, entered);
        if walked.is_ok() {
            (self.session.at, self.session.hint, self.session.branch, self.session.asked) = stood;
        }
        walked
    }

    /// A word that says something: its branch runs, and the question that the session is at is
    /// put once more (SEMANTICS I6).
    pub(super) fn say_aside(&mut self, first: &NodeId, route: Option<Arc<Route>>) -> bool {
        let Some(first) = self.flow.find(first, NodeIx(u32::MAX)) else { return false };
        if self.session.status() == Status::Handoff {
            return false;
        }
        if self.session.turns >= self.env.limits.turns_per_session {
            let text = format!("more than {} turns", self.env.limits.turns_per_session);
            return self.fail(FailureCode::TurnsPerSession, text);
        }
        if route.is_some() {
            self.session.route = route;
        }
        let said = self.run_beside(Some(first)).and_then(|()| self.ask_again());
        if let Err((code, message)) = said {
            self.fail(code, message);
        }
        true
    }

    fn ask_again(&mut self) -> Result<(), Fault> {
        if self.session.status() != Status::Waiting {
            return Ok(());
        }
        let flow = self.flow;
        let at = flow.find(&self.session.at, NodeIx(self.session.hint));
        match at.and_then(|at| flow.node(at)).map(|step| node::ask_again(self, step)) {
            Some(Err(Move::Fail(code, message))) => Err((code, message)),
            _ => Ok(()),
        }
    }

    /// Says what a flow says before a session ends, once. A fault in that says nothing, and leaves
    /// the end as it is.
    pub(super) fn say_last(&mut self, ending: fn(&Flow) -> Option<NodeIx>) {
        if std::mem::replace(&mut self.is_parting, true) {
            return;
        }
        self.visited = 0;
        let stood = (self.session.at.clone(), self.session.hint);
        if let Some(first) = ending(self.flow) {
            self.walk_last(first);
        } else if let Some(first) = ending(self.root).filter(|_| self.is_waited_for()) {
            let (flow, name) = (self.flow, self.flow_name);
            (self.flow, self.flow_name) = (self.root, self.env.flow_name);
            let active = self.session.extras().active.take();
            self.exchange_with_root();
            self.walk_last(first);
            self.exchange_with_root();
            self.session.extras().active = active;
            (self.flow, self.flow_name) = (flow, name);
        }
        (self.session.at, self.session.hint) = stood;
    }

    fn walk_last(&mut self, first: NodeIx) {
        let (kept, sends, sent) = (self.effects.len(), self.sends, self.session.sent);
        if self.run_beside(Some(first)).is_err() {
            let mut place = 0;
            self.effects.retain(|effect| {
                place += 1;
                place <= kept || matches!(effect, Effect::Note(_))
            });
            (self.sends, self.session.sent) = (sends, sent);
        }
    }

    /// True if the flow that was started waits for what it called.
    fn is_waited_for(&self) -> bool {
        let (flow, version) = (&self.session.flow, self.session.version);
        self.session.frames().first().is_some_and(|frame| frame.flow == *flow && frame.version == version)
    }

    /// Puts the names of the flow that was started in the place of those of the one that it is
    /// in, or back.
    fn exchange_with_root(&mut self) {
        let session = &mut *self.session;
        if let Some(frame) = session.extras.as_mut().and_then(|extras| extras.frames.first_mut()) {
            std::mem::swap(&mut session.context, &mut frame.context);
            std::mem::swap(&mut session.vars, &mut frame.vars);
        }
    }
}
