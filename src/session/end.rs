//! The end of a session: one way for all that lead there. Whatever a live session waits for, is
//! asked or has kept ends with it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::session::{EndReason, Failure, FailureCode, Session, SessionEnd, Standing, Status};

/// The way a session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// At an end of its flow, with the outcome that this names.
    Completed(Option<Arc<str>>),
    /// Nobody answered in time.
    Expired,
    /// It could not continue.
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
        self.standing = Standing::Ended(SessionEnd { at, ending });
        self.expires_at = None;
        let kept = self.extras.as_mut().map(|extras| {
            extras.heard = None;
            extras.remind_before = None;
            extras.offered = Vec::new();
            extras.rounds = Vec::new();
            std::mem::take(&mut extras.queue)
        });
        self.prune();
        kept.into_iter().flatten().filter(|queued| !queued.opening).count()
    }

    /// Its end by a fault at its node.
    pub(crate) fn failing(&self, code: FailureCode, message: String) -> Ending {
        let (node, flow) = (self.at.clone(), self.called().map(|(flow, _)| flow.clone()));
        Ending::Failed(Box::new(Failure { code, node, flow, message }))
    }
}
