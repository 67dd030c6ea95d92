//! A reminder: some nodes beside a wait, which stays as it is (SEMANTICS S6).

use crate::flow::{NodeIx, OnTimeout, Reminder, Step};
use crate::kernel::turn::Run;
use crate::session::Status;

impl Run<'_> {
    /// Says whether the wait that the session is at is one to remind of: one at which the
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
        let first = self.flow.reminder().map(|reminder| reminder.node);
        if self.session.turns < self.env.limits.turns_per_session
            && let Err((code, message)) = self.run_beside(first)
        {
            self.fail(code, message);
        }
        true
    }
}

fn goes_on_by_timeout(step: &Step) -> bool {
    let continues = step.node.question().is_some_and(|question| question.on_timeout == OnTimeout::Continue);
    continues || step.port_named("timeout").is_some_and(|port| step.exit(port).is_some())
}
