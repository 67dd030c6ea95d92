//! The end of a session: one way for all that lead there. Whatever a live session waits for, is
//! asked or has kept ends with it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::session::{EndReason, Failure, FailureCode, Session, Status};

/// How a session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// At an end of its flow, with the outcome that this names.
    Completed(Option<Arc<str>>),
    /// Nobody answered in time.
    Expired,
    /// It could not go on.
    Failed(Box<Failure>),
    /// From outside.
    Cancelled(EndReason),
}

impl Ending {
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Completed(_) => Status::Completed,
            Self::Expired => Status::Expired,
            Self::Failed(_) => Status::Failed,
            Self::Cancelled(_) => Status::Cancelled,
        }
    }
}

impl Session {
    /// Ends it, in place of an end that it may have come to before. Returns how many messages it
    /// had kept for a question that it never came to (SEMANTICS I5).
    #[must_use]
    pub(crate) fn end(&mut self, ending: Ending, at: DateTime<Utc>) -> usize {
        self.status = ending.status();
        self.deadline = None;
        self.expires_at = None;
        self.call = None;
        self.ended_at = Some(at);
        self.forget_heard();
        let kept = self.extras.as_mut().map(|extras| {
            extras.handoff = None;
            extras.remind_before = None;
            extras.sending = None;
            (extras.outcome, extras.failure, extras.ended_by) = (None, None, None);
            std::mem::take(&mut extras.queue)
        });
        match ending {
            Ending::Completed(None) | Ending::Expired => {}
            Ending::Completed(outcome) => self.extras().outcome = outcome,
            Ending::Failed(failure) => self.extras().failure = Some(*failure),
            Ending::Cancelled(reason) => self.extras().ended_by = Some(reason),
        }
        kept.into_iter().flatten().filter(|queued| !queued.opening).count()
    }

    /// Its end by a fault where it stands.
    pub(crate) fn failing(&self, code: FailureCode, message: String) -> Ending {
        let (node, flow) = (self.at.clone(), self.called().map(|(flow, _)| flow.clone()));
        Ending::Failed(Box::new(Failure { code, node, flow, message }))
    }
}
