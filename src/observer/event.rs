//! Events: what happened in a conversation, as data with stable names.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::channel::Channel;
use crate::error::MissingReason;
use crate::flow::LogLevel;
use crate::id::{CallId, ContactId, FlowId, FlowVersion, MessageId, NodeId, SessionId, WorkspaceId};
use crate::session::{EndReason, FailureCode, Status};

/// Something that happened in a conversation ([SEMANTICS E2](crate::semantics#e2)). Serialises as
/// an object whose `kind` is an object with the [name](EventKind::name) of the kind as its `event`;
/// durations are `{"secs": …, "nanos": …}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The contact.
    pub contact: ContactId,
    /// The conversation's time of it.
    pub at: DateTime<Utc>,
    /// The session that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The flow that it is about: that of the session, for messages and calls the one that sends or
    /// asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowId>,
    /// The version that the session was pinned to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<FlowVersion>,
    /// The call that led to it.
    pub cause: Cause,
    /// Of a commit: how often the call decided, from 1. Of a delayed message: how often it was
    /// tried, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Of what time brought: how long after it was due it was done. Of a message that left: how
    /// long after its turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<Duration>,
    /// The time that what led to it took.
    pub took: Timings,
    /// The kind, with what it tells.
    pub kind: EventKind,
}

/// The time that the parts of a call took, by [`Clock::elapsed`](crate::Clock::elapsed). Nothing is
/// measured without an observer ([SEMANTICS E5](crate::semantics#e5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Timings {
    /// Of events of a commit: the decision that was committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decide: Option<Duration>,
    /// Of events of a commit: the store, from its load to its commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<Duration>,
    /// Of a message that was handed over: the transport.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<Duration>,
    /// Of a host call that was made: the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<Duration>,
}

/// The call of the engine that led to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// [`Engine::trigger`](crate::Engine::trigger), alone or in a campaign.
    Trigger,
    /// [`Engine::receive`](crate::Engine::receive).
    Receive,
    /// [`Engine::complete`](crate::Engine::complete).
    Complete,
    /// [`Engine::cancel`](crate::Engine::cancel).
    Cancel,
    /// [`Engine::report`](crate::Engine::report).
    Report,
    /// [`Engine::handoff`](crate::Engine::handoff),
    /// [`Engine::resume_from_handoff`](crate::Engine::resume_from_handoff) or
    /// [`Engine::touch`](crate::Engine::touch).
    Handoff,
    /// [`Engine::migrate`](crate::Engine::migrate).
    Migrate,
    /// A change of the contact: opting in or out, its profile, groups, addresses, merging, pausing.
    Contact,
    /// Trying a dead letter again, or dropping it.
    DeadLetter,
    /// [`Engine::tick`](crate::Engine::tick) or [`Engine::run`](crate::Engine::run).
    Tick,
}

impl Cause {
    /// Returns the stable name, such as `trigger`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Receive => "receive",
            Self::Complete => "complete",
            Self::Cancel => "cancel",
            Self::Report => "report",
            Self::Handoff => "handoff",
            Self::Migrate => "migrate",
            Self::Contact => "contact",
            Self::DeadLetter => "dead_letter",
            Self::Tick => "tick",
        }
    }
}

/// The kinds of events. Each has a stable [name](Self::name), which is its `event` when it is
/// serialised ([SEMANTICS E3](crate::semantics#e3)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A session began.
    SessionStarted {
        /// The session.
        session: SessionId,
        /// Its flow.
        flow: FlowId,
        /// The version it is pinned to.
        version: FlowVersion,
    },
    /// This contact and another one turned out to be one; the other is no more
    /// ([SEMANTICS A5](crate::semantics#a5)).
    ContactsMerged {
        /// The other one.
        from: ContactId,
    },
    /// A message named addresses beside its sender's that are none; they were left out, the message
    /// was taken ([SEMANTICS A4](crate::semantics#a4)).
    AddressLeftOut {
        /// Number of addresses left out.
        count: u8,
    },
    /// A session's turn ended.
    Turn {
        /// The session.
        session: SessionId,
        /// The number of the turn, from 1.
        turn: u32,
        /// The node that it is at now.
        node: NodeId,
        /// Its current status.
        status: Status,
    },
    /// A session ended.
    SessionEnded {
        /// The session.
        session: SessionId,
        /// Its last status.
        status: Status,
        /// The outcome that its end node names.
        outcome: Option<Arc<str>>,
        /// The kind of fault, if it failed.
        failure: Option<FailureCode>,
        /// The reason it was ended, if it did not end by itself.
        ended_by: Option<EndReason>,
    },
    /// A session went to another version of its flow ([SEMANTICS S5](crate::semantics#s5)).
    Migrated {
        /// The session.
        session: SessionId,
        /// The version that it ran on.
        from: FlowVersion,
        /// The version that it runs on.
        to: FlowVersion,
    },
    /// A trigger was refused.
    Refused {
        /// The reason, as [`Refusal::code`](crate::Refusal::code) names it.
        reason: &'static str,
    },
    /// An inbound message was taken, or recognised as a repeat.
    Received {
        /// The answer's name, such as `consumed`: that of [`Received`](crate::Received) when it is
        /// serialised.
        outcome: &'static str,
    },
    /// No flow took an inbound message.
    Unmatched,
    /// A decision was committed. It comes after the events of what was decided.
    Committed,
    /// A decision was not committed, since somebody else changed the conversation first; it is
    /// decided again.
    Conflict,
    /// An undeclared input was dropped ([SEMANTICS T4](crate::semantics#t4)).
    InputDropped {
        /// The session.
        session: SessionId,
        /// The input's name.
        key: Arc<str>,
    },
    /// A template or an expression read a name that has no value
    /// ([SEMANTICS N7](crate::semantics#n7)).
    UndefinedVariable {
        /// The session.
        session: SessionId,
        /// The node that reads.
        node: NodeId,
        /// The name.
        name: Arc<str>,
    },
    /// An operator or a filter came to nothing: a comparison of what has no order, which is false,
    /// a number out of range, a time that is none ([SEMANTICS U12](crate::semantics#u12)).
    NoResult {
        /// The session.
        session: SessionId,
        /// The node that calculates or compares.
        node: NodeId,
        /// The operator or the filter, such as `<`, `number_greater` or `add`.
        operator: Arc<str>,
    },
    /// Choices that did not fit as they came were adjusted ([SEMANTICS N10](crate::semantics#n10)).
    ChoicesAdjusted {
        /// The session.
        session: SessionId,
        /// The node that offers it.
        node: NodeId,
        /// `cut`: more than the channel carries, or than are looked at; `label_cut`: a label or a
        /// description that is too long; `no_label`: its id is shown; `bad_id` and `same_id`: left
        /// out; `same_label`: two that nobody can tell apart in words.
        why: &'static str,
        /// Number of choices concerned.
        count: u32,
    },
    /// A part of a message was longer than its channel carries, or had more items, and was cut
    /// ([SEMANTICS D8](crate::semantics#d8)).
    ContentCut {
        /// The session.
        session: SessionId,
        /// The node that sends.
        node: NodeId,
        /// The part, such as `text`, `caption` or `options`.
        part: &'static str,
    },
    /// A message was not sent, since its channel would refuse it
    /// ([SEMANTICS D8](crate::semantics#d8)).
    ContentRefused {
        /// The session.
        session: SessionId,
        /// The node that sends.
        node: NodeId,
        /// The part, such as `text` or `parameters`.
        part: &'static str,
        /// The fault in that part.
        fault: ContentFault,
    },
    /// A list to be gone through has more items than the node takes
    /// ([SEMANTICS N12](crate::semantics#n12)).
    ListCut {
        /// The session.
        session: SessionId,
        /// The node that goes through it.
        node: NodeId,
        /// The number of its items.
        given: u32,
        /// The number of those that are taken.
        kept: u32,
    },
    /// A called flow failed, and its caller leaves by `failed`
    /// ([SEMANTICS N9](crate::semantics#n9)).
    SubflowFailed {
        /// The session.
        session: SessionId,
        /// The flow whose node failed.
        flow: FlowId,
        /// The node.
        node: NodeId,
        /// The kind of fault.
        code: FailureCode,
    },
    /// A choice of an earlier question came ([SEMANTICS I9](crate::semantics#i9)).
    StaleChoice {
        /// The session.
        session: SessionId,
    },
    /// A queued message answers no question: the session sent another one since, or ended
    /// ([SEMANTICS I5](crate::semantics#i5)).
    Missed {
        /// The session.
        session: SessionId,
    },
    /// A session was handed over to a person ([SEMANTICS S10](crate::semantics#s10)). Whom it is
    /// for and what to know is in [`Session::handoff`](crate::Session::handoff).
    HandedOff {
        /// The session.
        session: SessionId,
        /// The node that it is at.
        node: NodeId,
    },
    /// A flow changed its contact.
    ContactChanged {
        /// The session.
        session: SessionId,
        /// The node that did it.
        node: NodeId,
    },
    /// The host changed the contact ([SEMANTICS Q2](crate::semantics#q2)).
    ContactUpdated,
    /// The bot was paused for the contact, or its pause has another end now
    /// ([SEMANTICS Q3](crate::semantics#q3)).
    Paused {
        /// When it ends by itself.
        until: Option<DateTime<Utc>>,
    },
    /// The pause is over.
    Unpaused,
    /// A flow has something to say to those who run it.
    Logged {
        /// The session.
        session: SessionId,
        /// The node that says it.
        node: NodeId,
        /// Its level of importance.
        level: LogLevel,
        /// The text, rendered: it holds what the author put into it.
        text: Arc<str>,
    },
    /// The conversation's time is more than an hour ahead of the clock
    /// ([SEMANTICS S8](crate::semantics#s8)).
    ClockBehind,
    /// The transport took a message.
    Delivered {
        /// The message.
        message: MessageId,
        /// The channel that it left by.
        channel: Channel,
    },
    /// The transport did not take a message.
    SendFailed {
        /// The message.
        message: MessageId,
        /// The channel that it was to leave by.
        channel: Channel,
        /// `retry`, `rejected` or `window_closed`.
        result: &'static str,
    },
    /// The transport could not take a message yet.
    SendDelayed {
        /// The message.
        message: MessageId,
        /// When it is tried again.
        until: DateTime<Utc>,
    },
    /// A message waits for its turn by the pace ([SEMANTICS D7](crate::semantics#d7)); nothing was
    /// tried.
    SendPaced {
        /// The message.
        message: MessageId,
        /// The channel that it is to leave by.
        channel: Channel,
        /// When its turn comes.
        until: DateTime<Utc>,
    },
    /// A message was given up.
    DeadLettered {
        /// The message.
        message: MessageId,
    },
    /// The host reported what became of a message.
    Reported {
        /// The message.
        message: MessageId,
        /// `delivered`, `read` or the channel's code of failure.
        status: Arc<str>,
    },
    /// A host call is made.
    Called {
        /// The call.
        call: CallId,
    },
    /// The host answered a call, or failed to.
    CallDone {
        /// The call.
        call: CallId,
        /// `now`, `later`, `retry` or `failed`.
        result: &'static str,
    },
    /// A conversation was set aside ([SEMANTICS S9](crate::semantics#s9)).
    Quarantined,
    /// A conversation was left untouched, since a version that it needs cannot be used here
    /// ([SEMANTICS S14](crate::semantics#s14)).
    VersionMissing {
        /// The flow.
        flow: FlowId,
        /// The version.
        version: FlowVersion,
        /// The reason.
        reason: MissingReason,
    },
    /// The store told a time that is too far from that of the engine's clock
    /// ([SEMANTICS S20](crate::semantics#s20)). It is about the process: its `contact` is the nil
    /// UUID, its `workspace` that of the engine which asked.
    ClockSkew {
        /// Time of the engine's clock.
        engine: DateTime<Utc>,
        /// Time of the store's clock.
        store: DateTime<Utc>,
    },
}

impl EventKind {
    /// Returns the stable name, in snake case ([SEMANTICS E3](crate::semantics#e3)).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SessionStarted { .. } => "session_started",
            Self::Turn { .. } => "turn",
            Self::SessionEnded { .. } => "session_ended",
            Self::ContactsMerged { .. } => "contacts_merged",
            Self::AddressLeftOut { .. } => "address_left_out",
            Self::Migrated { .. } => "migrated",
            Self::Refused { .. } => "refused",
            Self::Received { .. } => "received",
            Self::Unmatched => "unmatched",
            Self::Committed => "committed",
            Self::Conflict => "conflict",
            Self::InputDropped { .. } => "input_dropped",
            Self::UndefinedVariable { .. } => "undefined_variable",
            Self::NoResult { .. } => "no_result",
            Self::ChoicesAdjusted { .. } => "choices_adjusted",
            Self::ContentCut { .. } => "content_cut",
            Self::ContentRefused { .. } => "content_refused",
            Self::ListCut { .. } => "list_cut",
            Self::SubflowFailed { .. } => "subflow_failed",
            Self::StaleChoice { .. } => "stale_choice",
            Self::Missed { .. } => "missed",
            Self::HandedOff { .. } => "handed_off",
            Self::ContactChanged { .. } => "contact_changed",
            Self::ContactUpdated => "contact_updated",
            Self::Paused { .. } => "paused",
            Self::Unpaused => "unpaused",
            Self::Logged { .. } => "logged",
            Self::ClockBehind => "clock_behind",
            Self::Delivered { .. } => "delivered",
            Self::SendFailed { .. } => "send_failed",
            Self::SendDelayed { .. } => "send_delayed",
            Self::SendPaced { .. } => "send_paced",
            Self::DeadLettered { .. } => "dead_lettered",
            Self::Reported { .. } => "reported",
            Self::Called { .. } => "called",
            Self::CallDone { .. } => "call_done",
            Self::Quarantined => "quarantined",
            Self::VersionMissing { .. } => "version_missing",
            Self::ClockSkew { .. } => "clock_skew",
        }
    }

    /// Returns the session that it is about.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::SessionStarted { session, .. }
            | Self::Turn { session, .. }
            | Self::SessionEnded { session, .. }
            | Self::Migrated { session, .. }
            | Self::InputDropped { session, .. }
            | Self::UndefinedVariable { session, .. }
            | Self::NoResult { session, .. }
            | Self::ChoicesAdjusted { session, .. }
            | Self::ListCut { session, .. }
            | Self::ContentCut { session, .. }
            | Self::ContentRefused { session, .. }
            | Self::SubflowFailed { session, .. }
            | Self::StaleChoice { session }
            | Self::Missed { session }
            | Self::HandedOff { session, .. }
            | Self::ContactChanged { session, .. }
            | Self::Logged { session, .. } => Some(*session),
            Self::Delivered { message, .. }
            | Self::SendFailed { message, .. }
            | Self::SendDelayed { message, .. }
            | Self::SendPaced { message, .. }
            | Self::DeadLettered { message }
            | Self::Reported { message, .. } => Some(message.session),
            Self::Called { call } | Self::CallDone { call, .. } => Some(call.session),
            _ => None,
        }
    }
}

/// The reason a channel would refuse a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentFault {
    /// A part that a message makes no sense without came out blank.
    Empty,
    /// The channel does not have messages of this form.
    Lacking,
    /// A part came out as what it cannot be, such as degrees that are no number.
    Invalid,
}

impl ContentFault {
    /// Returns the stable name, such as `empty`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Lacking => "lacking",
            Self::Invalid => "invalid",
        }
    }

    /// The fault of a part, as a sentence ends.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Empty => "came out blank",
            Self::Lacking => "cannot be sent on this channel",
            Self::Invalid => "came out invalid",
        }
    }
}

/// An event before it is known whose it is: what the decision or the delivery knows of it.
#[derive(Clone, Debug)]
pub(crate) struct PendingEvent {
    pub(crate) at: DateTime<Utc>,
    /// The session, where the kind does not name it.
    pub(crate) session: Option<SessionId>,
    pub(crate) of: Option<(FlowId, Option<FlowVersion>)>,
    pub(crate) attempt: Option<u32>,
    pub(crate) lag: Option<Duration>,
    pub(crate) took: Timings,
    pub(crate) kind: EventKind,
}

impl PendingEvent {
    pub(crate) fn new(at: DateTime<Utc>, kind: EventKind) -> Self {
        Self { at, session: None, of: None, attempt: None, lag: None, took: Timings::default(), kind }
    }

    /// The event, of this contact.
    pub(crate) fn event(self, workspace: &WorkspaceId, contact: &ContactId, cause: Cause) -> Event {
        let Self { at, session, of, attempt, lag, took, kind } = self;
        let (flow, version) = of.map_or((None, None), |(flow, version)| (Some(flow), version));
        Event {
            workspace: workspace.clone(),
            contact: contact.clone(),
            at,
            session: session.or_else(|| kind.session()),
            flow,
            version,
            cause,
            attempt,
            lag,
            took,
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SEMANTICS E3: every name, as hosts store it; `name` and the serialised form are the same.
    #[test]
    fn every_kind_has_a_stable_name() {
        let session = SessionId(uuid::Uuid::from_u128(1));
        let message = MessageId { session, seq: 1 };
        let call = CallId { session, wait: 1 };
        let node = NodeId::new("n").unwrap();
        let flow = FlowId::new("f").unwrap();
        let (version, status) = (FlowVersion(1), Status::Waiting);
        let (channel, text) = (Channel::WhatsApp, Arc::<str>::from("t"));
        let code = FailureCode::Expression;
        let until = DateTime::UNIX_EPOCH;
        let kinds = [
            (EventKind::SessionStarted { session, flow: flow.clone(), version }, "session_started"),
            (EventKind::Turn { session, turn: 1, node: node.clone(), status }, "turn"),
            (
                EventKind::SessionEnded {
                    session,
                    status,
                    outcome: Some(text.clone()),
                    failure: Some(code),
                    ended_by: Some(EndReason::Keyword),
                },
                "session_ended",
            ),
            (EventKind::Migrated { session, from: version, to: version }, "migrated"),
            (EventKind::Refused { reason: "busy" }, "refused"),
            (EventKind::Received { outcome: "consumed" }, "received"),
            (EventKind::Unmatched, "unmatched"),
            (EventKind::Committed, "committed"),
            (EventKind::Conflict, "conflict"),
            (EventKind::InputDropped { session, key: text.clone() }, "input_dropped"),
            (
                EventKind::UndefinedVariable { session, node: node.clone(), name: text.clone() },
                "undefined_variable",
            ),
            (EventKind::NoResult { session, node: node.clone(), operator: text.clone() }, "no_result"),
            (EventKind::ContentCut { session, node: node.clone(), part: "text" }, "content_cut"),
            (
                EventKind::ContentRefused {
                    session,
                    node: node.clone(),
                    part: "text",
                    fault: ContentFault::Empty,
                },
                "content_refused",
            ),
            (
                EventKind::ChoicesAdjusted { session, node: node.clone(), why: "cut", count: 1 },
                "choices_adjusted",
            ),
            (EventKind::ListCut { session, node: node.clone(), given: 9, kept: 5 }, "list_cut"),
            (
                EventKind::SubflowFailed { session, flow: flow.clone(), node: node.clone(), code },
                "subflow_failed",
            ),
            (EventKind::StaleChoice { session }, "stale_choice"),
            (EventKind::Missed { session }, "missed"),
            (EventKind::HandedOff { session, node: node.clone() }, "handed_off"),
            (EventKind::ContactChanged { session, node: node.clone() }, "contact_changed"),
            (EventKind::ContactUpdated, "contact_updated"),
            (EventKind::Paused { until: Some(until) }, "paused"),
            (EventKind::Unpaused, "unpaused"),
            (EventKind::Logged { session, node, level: LogLevel::Info, text: text.clone() }, "logged"),
            (EventKind::ClockBehind, "clock_behind"),
            (EventKind::Delivered { message, channel: channel.clone() }, "delivered"),
            (EventKind::SendFailed { message, channel: channel.clone(), result: "retry" }, "send_failed"),
            (EventKind::SendPaced { message, channel, until }, "send_paced"),
            (EventKind::SendDelayed { message, until }, "send_delayed"),
            (EventKind::DeadLettered { message }, "dead_lettered"),
            (EventKind::Reported { message, status: text }, "reported"),
            (EventKind::Called { call }, "called"),
            (EventKind::CallDone { call, result: "now" }, "call_done"),
            (EventKind::Quarantined, "quarantined"),
            (
                EventKind::VersionMissing { flow, version, reason: MissingReason::NotStored },
                "version_missing",
            ),
            (EventKind::ClockSkew { engine: until, store: until }, "clock_skew"),
        ];
        for (kind, name) in kinds {
            assert_eq!(kind.name(), name);
            assert_eq!(serde_json::to_value(&kind).unwrap()["event"], name);
        }
    }
}
