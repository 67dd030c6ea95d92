//! The pure core: from a session and an input to the next session and its effects. Nothing here
//! awaits, reads a clock, draws randomness, does I/O or panics; the same arguments give the same
//! turn.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod aside;
mod content;
mod count;
mod decide;
mod destination;
mod frames;
mod handoff;
mod hash;
mod inputs;
mod journal;
mod library;
mod message;
mod migrate;
mod node;
mod outcome;
mod reminder;
mod replay;
mod run;
mod scope;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::calls::CallResult;
use crate::flow::Flow;
use crate::id::{CallId, FlowVersion, MessageId, NodeId, WorkspaceId};
use crate::limits::Limits;
use crate::observer::EventKind;
use crate::session::{
    Contact, ContactChange, DeliveryReport, EndReason, Message, Outbound, Route, SendOutcome, Session,
};
use crate::value::Bag;

pub(crate) use aside::take_aside;
pub(crate) use count::added_up;
pub use count::{CountDelta, Counted};
pub use decide::Refusal;
pub(crate) use decide::{
    Act, Action, Arrival, Book, CarriedOptOut, Change, Decision, DeliveryResult, Environment, Flows, Found,
    InboundAnswer, Migrate, Operation, Outgoing, Output, Pinned, Policy, Published, Release, SendException,
    Skew, Step, Target, Trigger, TriggerAnswer, Unusable, decide, destination, own_choice,
};
pub(crate) use hash::{address_hash, fingerprint, key_hash, message_hash};
pub(crate) use inputs::{accept_inputs, default_inputs};
pub use journal::{CalledFlow, JournalEntry, JournalStep, Seen, StepEvent};
pub use library::{Callee, Library};
pub use outcome::{Received, SessionRef, Triggered};
pub use replay::{ReplayError, replay};
pub use run::{NewSession, start};
pub(crate) use run::{later, run, span};

/// What reaches a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Input {
    /// It begins, at the flow's start node.
    Start,
    /// The contact answers the question it stands at.
    Reply {
        /// What was said.
        message: Message,
        /// Where it came from; the session's messages go there from now on (SEMANTICS D4).
        route: Arc<Route>,
    },
    /// The deadline of the node it stands at has passed; the number of the wait that the deadline
    /// was set for (SEMANTICS S4).
    Deadline(u32),
    /// Its TTL has passed.
    Expiry,
    /// The host answers the call that it waits for.
    Result {
        /// Which call.
        call: CallId,
        /// What it came to.
        result: CallResult,
    },
    /// What became of the message that it waits for, or stands right behind (SEMANTICS D1).
    Sent {
        /// Which message.
        message: MessageId,
        /// What it came to.
        outcome: SendOutcome,
    },
    /// It is ended from outside.
    End(EndReason),
    /// It leaves where it stands for a node of its flow (SEMANTICS I6).
    Jump {
        /// The node.
        node: NodeId,
        /// Where the word came from that took it there.
        route: Option<Arc<Route>>,
    },
    /// It is handed over to a person, and afterwards stands where it stands now (SEMANTICS S10).
    Handoff,
    /// It comes back from a person.
    Resume {
        /// What the person found out: variables to write.
        vars: Bag,
    },
    /// The contact or the person said something: the handoff's time begins anew. No turn.
    #[serde(rename = "touch")]
    ProlongHandoff,
    /// Another session of the contact came back from a person: what was to happen happens later, by
    /// as long as this one stood still. No turn.
    #[serde(rename = "thaw")]
    ShiftTimers {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// The time to remind has come; the number of the wait it was set for (SEMANTICS S6).
    Reminder(u32),
    /// The contact said something that nothing asked for: kept for the next question (SEMANTICS
    /// I5). No turn.
    Queue {
        /// What was said.
        message: Message,
        /// Where it came from.
        route: Arc<Route>,
    },
    /// What the channel tells later of one of its messages: noted in its journal. No turn.
    Report {
        /// Which message.
        message: MessageId,
        /// What the channel tells.
        report: DeliveryReport,
    },
    /// The call that it waits for was handed over, to be answered later: the node's time runs from
    /// here (SEMANTICS D2). No turn.
    Handed(CallId),
    /// The call that it waits for could not be made, and is to be made once more. No turn.
    CallLater {
        /// Which call.
        call: CallId,
        /// When.
        until: DateTime<Utc>,
    },
    /// The last message before its wait is settled, after the wait's deadline had passed: the
    /// wait's time runs from here (SEMANTICS N3). No turn.
    #[serde(rename = "held")]
    RestartWait,
    /// It goes on with another version of its flow, at a node of the same kind as the one it stands
    /// at (SEMANTICS S5). No turn: wait number and deadline stay.
    Migrate {
        /// The version.
        version: FlowVersion,
        /// The node there.
        node: NodeId,
        /// A hash of the version's content (SEMANTICS S13).
        #[serde(default, with = "crate::hex::option", skip_serializing_if = "Option::is_none")]
        digest: Option<u128>,
    },
}

impl Input {
    /// Its name, as in the stored form.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Reply { .. } => "reply",
            Self::Deadline(_) => "deadline",
            Self::Expiry => "expiry",
            Self::Result { .. } => "result",
            Self::Sent { .. } => "sent",
            Self::End(_) => "end",
            Self::Jump { .. } => "jump",
            Self::Handoff => "handoff",
            Self::Resume { .. } => "resume",
            Self::ProlongHandoff => "touch",
            Self::ShiftTimers { .. } => "thaw",
            Self::Reminder(_) => "reminder",
            Self::Queue { .. } => "queue",
            Self::Report { .. } => "report",
            Self::Handed(_) => "handed",
            Self::CallLater { .. } => "call_later",
            Self::RestartWait => "held",
            Self::Migrate { .. } => "migrate",
        }
    }
}

/// What a turn happens in: everything that it may read beside flow, session and input.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The conversation's time of the turn.
    pub now: DateTime<Utc>,
    /// The tenant.
    pub workspace: &'a WorkspaceId,
    /// The contact.
    pub contact: &'a Contact,
    /// The flow's name now; it changes without a new version (SEMANTICS S5).
    pub flow_name: &'a str,
    /// The flows that it may call.
    pub flows: &'a dyn Library,
    /// The maxima.
    pub limits: &'a Limits,
    /// The number of the message that was last put into the conversation's outbox.
    pub last_seq: u64,
    /// How many messages of the conversation are unsent.
    pub unsent: usize,
    /// Whether to report the nodes that are visited.
    pub journal: bool,
}

/// What a turn came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Turn {
    /// The session as it is now.
    pub session: Session,
    /// What is to be done, in order. A turn that failed sends nothing and changes no contact.
    pub effects: Vec<Effect>,
    /// The nodes that it visited, if they were asked for.
    pub steps: Vec<JournalStep>,
}

/// Something that a turn wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Send this message to the contact.
    Send(Arc<Outbound>),
    /// Change the contact.
    Contact(ContactChange),
    /// Tell those who watch.
    Note(EventKind),
}

/// Runs a session from where it stands to its next wait, or to its end.
///
/// Total and deterministic: it answers for every session and every input, and the same for the same
/// arguments. An input that does not fit where the session stands (an old deadline, an answer to
/// another call, anything for an ended session) leaves it as it is, with no effect. A fault of the
/// flow ends the session as `failed`, with its cause; it is never an error.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chatflow::kernel::{Effect, Input, NewSession, Scene, advance, start};
/// use chatflow::{Account, Channel, Flow, FlowVersion, SessionId, Status};
///
/// let flow = Flow::from_json(r#"{"spec": 1, "code": "hello", "name": "Hello", "trigger": {"kind": "manual"},
///     "settings": {"sender": {"channel": "sms", "account": "555"}},
///     "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Hello!"}],
///     "edges": [{"from": "start", "to": "hi"}]}"#)?;
/// let mut contact = chatflow::Contact::new("ada".parse()?);
/// contact.addresses.push(chatflow::Address::new(&Account::new(Channel::Sms, "555")?, "+14155550123")?);
/// let now = "2026-05-07T08:14:23Z".parse()?;
/// let scene = Scene {
///     now, workspace: &Default::default(), contact: &contact, flow_name: flow.name(), flows: &(),
///     limits: &Default::default(), last_seq: 0, unsent: 0, journal: false,
/// };
/// let session = start(&flow, NewSession::new(SessionId(uuid::Uuid::nil()), FlowVersion(1)), now);
/// let turn = advance(&flow, session, Input::Start, &scene);
/// assert_eq!(turn.session.status(), Status::Completed);
/// assert!(matches!(&turn.effects[..], [Effect::Send(message)] if message.text() == "Hello!"));
/// # Ok(())
/// # }
/// ```
pub fn advance(flow: &Flow, mut session: Session, input: Input, scene: &Scene<'_>) -> Turn {
    let outcome = run(flow, &mut session, input, scene);
    Turn { session, effects: outcome.effects, steps: outcome.steps }
}
