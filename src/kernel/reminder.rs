//! A reminder: some nodes beside a wait, which stays as it is (SEMANTICS S6).

use crate::flow::{NodeIx, OnTimeout, Reminder, Step};
use crate::kernel::node;
use crate::kernel::turn::{Move, Run};
use crate::session::{FailureCode, Standing, Status};

impl Run<'_> {
    /// Says whether the wait that the session stands at is one to remind of: one at which the
    /// session would expire.
    pub(super) fn arm_reminder(&mut self, reminder: Reminder) {
        let session = &mut *self.session;
        let reminded = session.extras.as_ref().is_some_and(|extras| extras.reminded == session.wait);
        let expires = match session.deadline() {
            Some(deadline) if session.expires_at.is_none_or(|at| deadline < at) => {
                let at = self.flow.find(&session.at, NodeIx(session.hint));
                !at.and_then(|at| self.flow.node(at)).is_some_and(goes_on_by_timeout)
            }
            _ => true,
        };
        let arms = session.status() == Status::Waiting && !reminded && expires;
        session.extras().remind_before = arms.then(|| reminder.before.num_seconds());
        if arms && self.root.quiet_hours().is_some() {
            self.remind_aloud();
        }
    }

    /// The flow that the session has come to reminds of nothing.
    pub(super) fn disarm_reminder(&mut self) {
        if let Some(extras) = &mut self.session.extras {
            extras.remind_before = None;
        }
    }

    /// Runs the reminder's branch, once for this wait.
    pub(super) fn remind(&mut self, wait: u32) -> bool {
        let session = &mut *self.session;
        let (now_at, is_asked) = (session.wait, session.status() == Status::Waiting);
        let Some(extras) = session.extras.as_mut().filter(|extras| extras.remind_before.is_some()) else {
            return false;
        };
        if wait != now_at || !is_asked {
            return false;
        }
        extras.remind_before = None;
        extras.reminded = wait;
        self.beside = true;
        let stood = (session.at.clone(), session.hint, session.branch.clone(), session.asked.clone());
        if self.session.turns < self.env.limits.turns_per_session {
            self.walk_beside();
        }
        if self.session.status().is_live() {
            (self.session.at, self.session.hint, self.session.branch, self.session.asked) = stood;
        }
        true
    }

    fn walk_beside(&mut self) {
        let flow = self.flow;
        let mut next = flow.reminder().map(|reminder| reminder.node);
        while let Some((at, step)) = next.and_then(|at| Some((at, flow.node(at)?))) {
            if step.node.is_end() {
                return;
            }
            self.session.at = step.id.clone();
            self.session.hint = at.0;
            if !self.visit() {
                let most = self.env.limits.nodes_per_turn;
                self.fail(FailureCode::NodesPerTurn, format!("more than {most} nodes in a turn"));
                return;
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
                    self.fail(code, message);
                    None
                }
                Move::Park(Standing::Sending(sending)) => {
                    self.session.stand_behind(sending);
                    None
                }
                _ => None,
            };
        }
    }
}

fn goes_on_by_timeout(step: &Step) -> bool {
    let continues = step.node.question().is_some_and(|question| question.on_timeout == OnTimeout::Continue);
    continues || step.port_named("timeout").is_some_and(|port| step.exit(port).is_some())
}
