//! The stored form of a session: flat, as every release has written it, whatever the session is in
//! memory. Fields that contradict each other are read as the legal state that is nearest:
//!
//! - `status` decides; what does not belong to it is dropped: a `call` of one that is not
//!   `calling`, a `handoff` of one that is not in one, the deadline, the expiry and the messages
//!   that one waited for that has ended, the end of one that is live.
//! - `calling` without a call or a message to wait for waits for a call that was handed over at
//!   `parked_at`, under the number of its wait.
//! - `handoff` without one is a handoff since `parked_at`, for as long as the deadline says. What
//!   it suspends is at a question unless it is said to be somewhere else where a session can stop.
//! - An end without `ended_at` was at the last interaction; `failed` without a failure has the code
//!   `missing_node`; `cancelled` without a reason was cancelled by the host.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{CallId, FlowId, FlowVersion, NodeId, SessionId};
use crate::session::{
    CallKind, CallStage, EndReason, Ending, Extras, Failure, FailureCode, Frame, Handoff, Handover,
    Journalled, LeftOpen, Offered, OpenCall, Opening, Origin, PartialReply, PendingCall, Queued, Reply,
    Rounds, Route, Sending, Session, SessionEnd, Standing, Status, Stop, Suspended, Wait,
};
use crate::value::PackedMap;

/// A session as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Session")]
struct FlatSession<'a> {
    id: SessionId,
    flow: Cow<'a, FlowId>,
    version: FlowVersion,
    #[serde(default, with = "crate::hex::option", skip_serializing_if = "Option::is_none")]
    digest: Option<u128>,
    status: Status,
    node: Cow<'a, NodeId>,
    wait: u32,
    #[serde(default)]
    answered: u32,
    turns: u32,
    sent: u32,
    started_at: DateTime<Utc>,
    last_interaction_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends_by: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deadline: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    parked_at: DateTime<Utc>,
    #[serde(default)]
    sent_before: u64,
    #[serde(default, skip_serializing_if = "PackedMap::is_empty")]
    context: Cow<'a, PackedMap>,
    #[serde(default, skip_serializing_if = "PackedMap::is_empty")]
    vars: Cow<'a, PackedMap>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Cow<'a, Origin>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    route: Option<Cow<'a, Arc<Route>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<Cow<'a, Arc<Route>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<Cow<'a, Reply>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<Cow<'a, PendingCall>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rare: Option<Box<FlatExtras<'a>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branch: Option<Cow<'a, Arc<str>>>,
}

/// The parts that few sessions have, as they are stored.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename = "Extras")]
struct FlatExtras<'a> {
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    jumps: Cow<'a, [(NodeId, u32)]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    visits: Cow<'a, [(NodeId, u32)]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    queue: Cow<'a, [Queued]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Cow<'a, Failure>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_by: Option<EndReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<Cow<'a, Arc<str>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heard: Option<Cow<'a, PartialReply>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    frames: Cow<'a, [Frame]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    active: Option<Cow<'a, (FlowId, FlowVersion)>>,
    #[serde(default, with = "crate::hex::option", skip_serializing_if = "Option::is_none")]
    active_digest: Option<u128>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<Cow<'a, PackedMap>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handoff: Option<FlatHandoff>,
    #[serde(default, skip_serializing_if = "is_zero")]
    still_millis: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remind_before: Option<i64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    reminded: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sending: Option<Cow<'a, Sending>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    results: Option<Cow<'a, PackedMap>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    journal: Option<Cow<'a, Journalled>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened: Option<Cow<'a, Opening>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    offered: Cow<'a, [Offered]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    rounds: Cow<'a, [Rounds]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_open: Option<Cow<'a, LeftOpen>>,
}

/// A handoff as it is stored; the message that a session waits for is not in it.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Handoff")]
struct FlatHandoff {
    since: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    queue: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stood: Option<FlatStop>,
}

/// The place where a session was handed over, as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Suspended")]
struct FlatStop {
    status: Status,
    parked_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deadline: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<Box<PendingCall>>,
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

impl Serialize for Session {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FlatSession::of(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Session {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        FlatSession::deserialize(deserializer).map(FlatSession::into_session)
    }
}

impl Serialize for Handoff {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FlatHandoff::of(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Handoff {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        FlatHandoff::deserialize(deserializer).map(|handoff| handoff.into_handoff(None))
    }
}

impl<'a> FlatSession<'a> {
    fn of(session: &'a Session) -> Self {
        Self {
            id: session.id,
            flow: Cow::Borrowed(&session.flow),
            version: session.version,
            digest: session.digest,
            status: session.status(),
            node: Cow::Borrowed(&session.at),
            wait: session.wait,
            answered: session.answered,
            turns: session.turns,
            sent: session.sent,
            started_at: session.started_at,
            last_interaction_at: session.last_interaction_at,
            expires_at: session.expires_at,
            ends_by: session.ends_by,
            deadline: session.deadline(),
            ended_at: session.ended_at(),
            parked_at: session.parked_at,
            sent_before: session.sent_before,
            context: Cow::Borrowed(&session.context),
            vars: Cow::Borrowed(&session.vars),
            origin: session.origin.as_deref().map(Cow::Borrowed),
            route: session.route.as_ref().map(Cow::Borrowed),
            asked: session.asked.as_ref().map(Cow::Borrowed),
            reply: session.reply.as_deref().map(Cow::Borrowed),
            call: session.call().map(Cow::Borrowed),
            rare: FlatExtras::of(session).map(Box::new),
            branch: session.branch.as_ref().map(Cow::Borrowed),
        }
    }

    fn into_session(mut self) -> Session {
        let standing = self.standing();
        let is_over = matches!(standing, Standing::Ended(_));
        Session {
            id: self.id,
            flow: self.flow.into_owned(),
            version: self.version,
            digest: self.digest,
            standing,
            at: self.node.into_owned(),
            hint: 0,
            wait: self.wait,
            answered: self.answered,
            turns: self.turns,
            sent: self.sent,
            started_at: self.started_at,
            last_interaction_at: self.last_interaction_at,
            expires_at: self.expires_at.filter(|_| !is_over),
            ends_by: self.ends_by,
            parked_at: self.parked_at,
            sent_before: self.sent_before,
            context: self.context.into_owned(),
            vars: self.vars.into_owned(),
            origin: self.origin.map(|origin| Box::new(origin.into_owned())),
            route: self.route.map(Cow::into_owned),
            asked: self.asked.map(Cow::into_owned),
            reply: self.reply.map(|reply| Box::new(reply.into_owned())),
            extras: self.rare.and_then(|extras| extras.into_extras(is_over)).map(Box::new),
            branch: self.branch.map(Cow::into_owned),
        }
    }

    /// Takes out the part that belongs to the session's node.
    fn standing(&mut self) -> Standing {
        let (deadline, call) = (self.deadline, self.call.take().map(|call| Box::new(call.into_owned())));
        let rare = self.rare.as_deref_mut();
        let (sending, handoff) = rare.map_or((None, None), |rare| (rare.sending.take(), rare.handoff.take()));
        let sending = sending.map(|sending| Box::new(sending.into_owned()));
        match self.status {
            Status::Running => Standing::Running,
            Status::Waiting => Standing::Waiting(Wait { deadline, behind: sending }),
            Status::Delayed => Standing::Delayed(Wait { deadline, behind: sending }),
            Status::Calling => {
                let stop = calling(call, sending, deadline);
                stop.unwrap_or_else(|| Stop::Calling(OpenCall { call: self.lost_call(), deadline })).into()
            }
            Status::Handoff => {
                let handoff = match handoff {
                    Some(handoff) => handoff.into_handoff(sending),
                    None => Handoff::new(self.parked_at, None),
                };
                Standing::Handoff(Handover { handoff: Box::new(handoff), deadline })
            }
            Status::Completed | Status::Expired | Status::Failed | Status::Cancelled => {
                let at = self.ended_at.unwrap_or(self.last_interaction_at);
                Standing::Ended(SessionEnd { at, ending: self.ending() })
            }
        }
    }

    /// A call that the record does not have.
    fn lost_call(&self) -> Box<PendingCall> {
        Box::new(PendingCall {
            id: CallId { session: self.id, wait: self.wait },
            kind: CallKind::default(),
            name: "".into(),
            args: PackedMap::default(),
            stage: CallStage::Handed(self.parked_at),
            attempts: 0,
        })
    }

    fn ending(&mut self) -> Ending {
        let rare = self.rare.as_deref_mut();
        match self.status {
            Status::Failed => {
                let failure = rare.and_then(|rare| rare.failure.take()).map(Cow::into_owned);
                Ending::Failed(Box::new(failure.unwrap_or_else(|| Failure {
                    code: FailureCode::MissingNode,
                    node: self.node.clone().into_owned(),
                    flow: None,
                    message: "the record does not say why".to_owned(),
                })))
            }
            Status::Cancelled => {
                Ending::Cancelled(rare.and_then(|rare| rare.ended_by).unwrap_or(EndReason::Cancelled))
            }
            Status::Expired => Ending::Expired,
            _ => Ending::Completed(rare.and_then(|rare| rare.outcome.take()).map(Cow::into_owned)),
        }
    }
}

/// A session that waits for a call or, if it has none, for what becomes of a message. None: for
/// nothing.
fn calling(
    call: Option<Box<PendingCall>>,
    sending: Option<Box<Sending>>,
    deadline: Option<DateTime<Utc>>,
) -> Option<Stop> {
    match call {
        Some(call) => Some(Stop::Calling(OpenCall { call, deadline })),
        None => sending.map(Stop::Sending),
    }
}

impl<'a> FlatExtras<'a> {
    /// None: the session has none of it.
    fn of(session: &'a Session) -> Option<Self> {
        let own = Self::of_standing(session);
        let Some(extras) = session.extras.as_deref() else { return own };
        Some(Self {
            jumps: Cow::Borrowed(&extras.jumps),
            visits: Cow::Borrowed(&extras.visits),
            queue: Cow::Borrowed(&extras.queue),
            heard: extras.heard.as_ref().map(Cow::Borrowed),
            frames: Cow::Borrowed(&extras.frames),
            active: extras.active.as_ref().map(Cow::Borrowed),
            active_digest: extras.active_digest,
            begun: extras.begun.as_ref().map(Cow::Borrowed),
            still_millis: extras.still_millis,
            remind_before: extras.remind_before,
            reminded: extras.reminded,
            results: extras.results.as_ref().map(Cow::Borrowed),
            journal: extras.journal.as_ref().map(Cow::Borrowed),
            opened: extras.opened.as_deref().map(Cow::Borrowed),
            offered: Cow::Borrowed(&extras.offered),
            rounds: Cow::Borrowed(&extras.rounds),
            left_open: extras.left_open.as_deref().map(Cow::Borrowed),
            ..own.unwrap_or_default()
        })
    }

    /// The part that belongs to a session's node.
    fn of_standing(session: &'a Session) -> Option<Self> {
        let own = match &session.standing {
            Standing::Running | Standing::Calling(_) => return None,
            Standing::Waiting(_) | Standing::Delayed(_) | Standing::Sending(_) => {
                Self { sending: Some(Cow::Borrowed(session.sending()?)), ..Self::default() }
            }
            Standing::Handoff(handover) => Self {
                handoff: Some(FlatHandoff::of(&handover.handoff)),
                sending: session.sending().map(Cow::Borrowed),
                ..Self::default()
            },
            Standing::Ended(end) => match &end.ending {
                Ending::Completed(outcome) => {
                    Self { outcome: Some(Cow::Borrowed(outcome.as_ref()?)), ..Self::default() }
                }
                Ending::Expired => return None,
                Ending::Failed(failure) => {
                    Self { failure: Some(Cow::Borrowed(&**failure)), ..Self::default() }
                }
                Ending::Cancelled(reason) => Self { ended_by: Some(*reason), ..Self::default() },
            },
        };
        Some(own)
    }

    /// None: nothing is left of it.
    fn into_extras(self, is_over: bool) -> Option<Extras> {
        let extras = Extras {
            jumps: self.jumps.into_owned(),
            visits: self.visits.into_owned(),
            queue: if is_over { Vec::new() } else { self.queue.into_owned() },
            heard: self.heard.filter(|_| !is_over).map(Cow::into_owned),
            frames: self.frames.into_owned(),
            active: self.active.map(Cow::into_owned),
            active_digest: self.active_digest,
            begun: self.begun.map(Cow::into_owned),
            still_millis: self.still_millis,
            remind_before: self.remind_before.filter(|_| !is_over),
            reminded: self.reminded,
            results: self.results.map(Cow::into_owned),
            journal: self.journal.map(Cow::into_owned),
            opened: self.opened.map(|opening| Box::new(opening.into_owned())),
            offered: if is_over { Vec::new() } else { self.offered.into_owned() },
            rounds: if is_over { Vec::new() } else { self.rounds.into_owned() },
            left_open: self.left_open.filter(|_| !is_over).map(|left| Box::new(left.into_owned())),
        };
        (extras != Extras::default()).then_some(extras)
    }
}

impl FlatHandoff {
    fn of(handoff: &Handoff) -> Self {
        let Handoff { since, queue, note, timeout, suspended } = handoff.clone();
        let stood = suspended.map(|Suspended { parked_at, stop }| {
            let (status, deadline) = (stop.status(), stop.deadline());
            let call = match stop {
                Stop::Calling(open) => Some(open.call),
                _ => None,
            };
            FlatStop { status, parked_at, deadline, call }
        });
        Self { since, queue, note, timeout, stood }
    }

    fn into_handoff(self, sending: Option<Box<Sending>>) -> Handoff {
        let suspended = self.stood.map(|FlatStop { status, parked_at, deadline, call }| {
            let at_question = |behind| Stop::Waiting(Wait { deadline, behind });
            let stop = match status {
                Status::Calling => calling(call, sending, deadline).unwrap_or_else(|| at_question(None)),
                Status::Delayed => Stop::Delayed(Wait { deadline, behind: sending }),
                _ => at_question(sending),
            };
            Suspended { parked_at, stop }
        });
        let Self { since, queue, note, timeout, .. } = self;
        Handoff { since, queue, note, timeout, suspended }
    }
}

#[cfg(test)]
mod tests;
