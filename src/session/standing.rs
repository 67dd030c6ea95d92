//! The state of a session's life, with all that belongs to that state alone: a session that is not
//! in a call has none, one that has ended has no deadline.

use chrono::{DateTime, Utc};

use crate::session::{EndReason, Ending, Failure, Handoff, PendingCall, Sending, Session, Status};

/// The state of a session's life (SEMANTICS S).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In the middle of a turn.
    Running,
    /// At a question.
    Waiting(Wait),
    /// Until a point in time.
    Delayed(Wait),
    /// Until the host answers a call.
    Calling(OpenCall),
    /// Until it is known what becomes of a message (SEMANTICS D1).
    Sending(Box<Sending>),
    /// With a person of the host.
    Handoff(Handover),
    /// At its end.
    Ended(SessionEnd),
}

/// A wait for an answer or for time to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// The node's own deadline.
    pub(crate) deadline: Option<DateTime<Utc>>,
    /// The message that it is right behind: later news of it may lead back (SEMANTICS D1).
    pub(crate) behind: Option<Box<Sending>>,
}

/// A call that has no answer yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenCall {
    pub(crate) call: Box<PendingCall>,
    /// The node's own deadline.
    pub(crate) deadline: Option<DateTime<Utc>>,
}

/// A handoff in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handover {
    pub(crate) handoff: Box<Handoff>,
    /// The time at which it ends by itself.
    pub(crate) deadline: Option<DateTime<Utc>>,
}

/// The place where a session continues after a handoff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspended {
    pub(crate) parked_at: DateTime<Utc>,
    pub(crate) stop: Stop,
}

/// A place where a session can be handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At a question.
    Waiting(Wait),
    /// Until a point in time.
    Delayed(Wait),
    /// Until the host answers a call.
    Calling(OpenCall),
    /// Until it is known what becomes of a message.
    Sending(Box<Sending>),
}

/// The end of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionEnd {
    pub(crate) at: DateTime<Utc>,
    pub(crate) ending: Ending,
}

impl Wait {
    pub(crate) fn until(deadline: Option<DateTime<Utc>>) -> Self {
        Self { deadline, behind: None }
    }
}

impl Standing {
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Running => Status::Running,
            Self::Waiting(_) => Status::Waiting,
            Self::Delayed(_) => Status::Delayed,
            Self::Calling(_) | Self::Sending(_) => Status::Calling,
            Self::Handoff(_) => Status::Handoff,
            Self::Ended(end) => end.ending.status(),
        }
    }

    fn deadline(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Waiting(wait) | Self::Delayed(wait) => wait.deadline,
            Self::Calling(open) => open.deadline,
            Self::Handoff(handover) => handover.deadline,
            Self::Running | Self::Sending(_) | Self::Ended(_) => None,
        }
    }

    fn deadline_mut(&mut self) -> Option<&mut Option<DateTime<Utc>>> {
        match self {
            Self::Waiting(wait) | Self::Delayed(wait) => Some(&mut wait.deadline),
            Self::Calling(open) => Some(&mut open.deadline),
            Self::Handoff(handover) => Some(&mut handover.deadline),
            Self::Running | Self::Sending(_) | Self::Ended(_) => None,
        }
    }
}

impl Stop {
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Waiting(_) => Status::Waiting,
            Self::Delayed(_) => Status::Delayed,
            Self::Calling(_) | Self::Sending(_) => Status::Calling,
        }
    }

    /// The node's own deadline.
    pub(crate) fn deadline(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Waiting(wait) | Self::Delayed(wait) => wait.deadline,
            Self::Calling(open) => open.deadline,
            Self::Sending(_) => None,
        }
    }

    /// The same with its deadline where `to` puts it.
    pub(crate) fn delayed(mut self, to: impl FnOnce(DateTime<Utc>) -> DateTime<Utc>) -> Self {
        match &mut self {
            Self::Waiting(wait) | Self::Delayed(wait) => wait.deadline = wait.deadline.map(to),
            Self::Calling(open) => open.deadline = open.deadline.map(to),
            Self::Sending(_) => {}
        }
        self
    }

    pub(crate) fn call(&self) -> Option<&PendingCall> {
        match self {
            Self::Calling(open) => Some(&open.call),
            _ => None,
        }
    }

    pub(crate) fn sending(&self) -> Option<&Sending> {
        match self {
            Self::Waiting(wait) | Self::Delayed(wait) => wait.behind.as_deref(),
            Self::Sending(sending) => Some(sending),
            Self::Calling(_) => None,
        }
    }
}

impl From<Stop> for Standing {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Waiting(wait) => Self::Waiting(wait),
            Stop::Delayed(wait) => Self::Delayed(wait),
            Stop::Calling(open) => Self::Calling(open),
            Stop::Sending(sending) => Self::Sending(sending),
        }
    }
}

impl Session {
    /// Returns the stage of its life.
    #[must_use]
    pub fn status(&self) -> Status {
        self.standing.status()
    }

    /// Returns the node's own deadline.
    #[must_use]
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        self.standing.deadline()
    }

    /// Returns the call it waits for.
    #[must_use]
    pub fn call(&self) -> Option<&PendingCall> {
        match &self.standing {
            Standing::Calling(open) => Some(&open.call),
            _ => None,
        }
    }

    /// Returns the handoff that it is in.
    #[must_use]
    pub fn handoff(&self) -> Option<&Handoff> {
        match &self.standing {
            Standing::Handoff(handover) => Some(&handover.handoff),
            _ => None,
        }
    }

    fn ended(&self) -> Option<&SessionEnd> {
        match &self.standing {
            Standing::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// Returns the time at which it ended.
    #[must_use]
    pub fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.ended().map(|end| end.at)
    }

    /// Returns the reason for which it failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.ended()?.ending {
            Ending::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// Returns the reason for which it was ended, when it did not end by itself.
    #[must_use]
    pub fn ended_by(&self) -> Option<EndReason> {
        match &self.ended()?.ending {
            Ending::Cancelled(reason) => Some(*reason),
            _ => None,
        }
    }

    /// Returns the outcome that its end node names.
    #[must_use]
    pub fn outcome(&self) -> Option<&str> {
        match &self.ended()?.ending {
            Ending::Completed(outcome) => outcome.as_deref(),
            _ => None,
        }
    }

    /// The message with a way for a refusal that it waits for, is right behind, or will be when it
    /// is handed back.
    pub(crate) fn sending(&self) -> Option<&Sending> {
        match &self.standing {
            Standing::Waiting(wait) | Standing::Delayed(wait) => wait.behind.as_deref(),
            Standing::Sending(sending) => Some(sending),
            Standing::Handoff(handover) => handover.handoff.suspended.as_ref()?.stop.sending(),
            Standing::Running | Standing::Calling(_) | Standing::Ended(_) => None,
        }
    }

    /// Forgets that message.
    pub(crate) fn take_sending(&mut self) -> Option<Box<Sending>> {
        match &mut self.standing {
            Standing::Waiting(wait) | Standing::Delayed(wait) => wait.behind.take(),
            Standing::Sending(_) => match std::mem::replace(&mut self.standing, Standing::Running) {
                Standing::Sending(sending) => Some(sending),
                _ => None,
            },
            _ => None,
        }
    }

    /// Is behind this message no more, if it is right behind it.
    pub(crate) fn forget_sending(&mut self, seq: u64) {
        let behind = match &mut self.standing {
            Standing::Waiting(wait) | Standing::Delayed(wait) => &mut wait.behind,
            Standing::Handoff(handover) => match &mut handover.handoff.suspended {
                Some(Suspended { stop: Stop::Waiting(wait) | Stop::Delayed(wait), .. }) => &mut wait.behind,
                _ => return,
            },
            _ => return,
        };
        if behind.as_ref().is_some_and(|sending| sending.seq == seq) {
            *behind = None;
        }
    }

    /// Notes the message that it is right behind, where it waits.
    pub(crate) fn stand_behind(&mut self, sending: Box<Sending>) {
        if let Standing::Waiting(wait) | Standing::Delayed(wait) = &mut self.standing {
            wait.behind = Some(sending);
        }
    }

    /// Stops at its node, from `at` on.
    pub(crate) fn park(&mut self, standing: Standing, at: DateTime<Utc>) {
        self.standing = standing;
        self.parked_at = at;
    }

    /// Continues from where it stopped; a question is answered by that.
    pub(crate) fn unpark(&mut self) {
        if let Standing::Waiting(_) = self.standing {
            self.answered = self.wait;
        }
        self.standing = Standing::Running;
    }

    /// Moves the node's own deadline, if there is one; None takes it away.
    pub(crate) fn move_deadline(&mut self, to: impl FnOnce(DateTime<Utc>) -> Option<DateTime<Utc>>) {
        if let Some(deadline) = self.standing.deadline_mut() {
            *deadline = deadline.and_then(to);
        }
    }

    /// The handoff that it is in gets this deadline.
    pub(crate) fn prolong_handoff(&mut self, until: DateTime<Utc>) {
        if let Standing::Handoff(handover) = &mut self.standing {
            handover.deadline = Some(until);
        }
    }

    /// The call that it waits for, to say how far it has come.
    pub(crate) fn open_call(&mut self) -> Option<&mut PendingCall> {
        match &mut self.standing {
            Standing::Calling(open) => Some(&mut open.call),
            _ => None,
        }
    }

    /// Takes it out of where it stopped, if it can be handed over there.
    pub(crate) fn suspend(&mut self) -> Option<Suspended> {
        let stop = match std::mem::replace(&mut self.standing, Standing::Running) {
            Standing::Waiting(wait) => Stop::Waiting(wait),
            Standing::Delayed(wait) => Stop::Delayed(wait),
            Standing::Calling(open) => Stop::Calling(open),
            Standing::Sending(sending) => Stop::Sending(sending),
            other => {
                self.standing = other;
                return None;
            }
        };
        Some(Suspended { parked_at: self.parked_at, stop })
    }

    /// Takes it out of its handoff.
    pub(crate) fn leave_handoff(&mut self) -> Option<Box<Handoff>> {
        match std::mem::replace(&mut self.standing, Standing::Running) {
            Standing::Handoff(handover) => Some(handover.handoff),
            other => {
                self.standing = other;
                None
            }
        }
    }
}
