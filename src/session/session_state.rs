//! One run of a flow with a contact: where it stands, what it knows, until when it lives.
//! The kernel alone changes it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::address::{Account, Address};
use crate::channel::Channel;
use crate::id::{CallId, FlowId, FlowVersion, NodeId, SessionId, TriggerKey};
use crate::value::{Bag, Packed};

/// Where a session is in its life (SEMANTICS S).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// In the middle of a turn; never stored.
    Running,
    /// At a question, until the contact answers or a deadline passes.
    Waiting,
    /// Until a point in time.
    Delayed,
    /// Until the host answers a call.
    Calling,
    /// With a person of the host's.
    Handoff,
    /// Came to an end of the flow.
    Completed,
    /// Nobody answered in time.
    Expired,
    /// Could not go on; see [`Session::failure`].
    Failed,
    /// Ended from outside; see [`Session::ended_by`].
    Cancelled,
}

impl Status {
    /// Whether the session goes on: `running`, `waiting`, `delayed`, `calling` or `handoff`.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Waiting | Self::Delayed | Self::Calling | Self::Handoff)
    }

    /// The name, as in the stored form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Delayed => "delayed",
            Self::Calling => "calling",
            Self::Handoff => "handoff",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a session was started with (SEMANTICS T3 `trigger`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Origin {
    /// The caller's idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<TriggerKey>,
    /// The caller's correlation id, not unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_id: Option<Arc<str>>,
    /// When the event happened, as the caller claims; decides nothing (SEMANTICS T7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_time: Option<DateTime<Utc>>,
    /// The campaign that the trigger belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Arc<str>>,
    /// Whether a message of the contact started it, not a call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inbound: bool,
    /// Whether it may write to a contact that opted out (SEMANTICS T10).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transactional: bool,
}

/// Where a session's messages go: the account they leave from, the address they reach (SEMANTICS D4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Channel and account.
    #[serde(flatten)]
    pub account: Account,
    /// The contact's address there.
    pub to: Address,
}

/// What kind of thing a contact sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessageKind {
    /// Text.
    Text,
    /// An option of a message that was chosen.
    Choice,
    /// An image, a sound, a film, a document or a sticker.
    Media,
    /// A place.
    Location,
}

impl MessageKind {
    /// The name, as flows write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Choice => "choice",
            Self::Media => "media",
            Self::Location => "location",
        }
    }
}

/// What a contact sent, without the envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Its kind.
    pub kind: MessageKind,
    /// The text, the label of a choice, the caption of a medium; empty when there is none.
    pub text: Arc<str>,
    /// The id of the option that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Arc<str>>,
    /// What the host says of a medium, such as `{"url": …, "mime": …}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Packed>,
    /// A place, such as `{"latitude": …, "longitude": …}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Packed>,
}

/// What a flow reads as `reply`: the latest answer, or that none came (SEMANTICS T3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reply {
    /// The message; none after a time-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The question's deadline passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timed_out: bool,
    /// Texts that came while nothing was asked, and that something was sent after (SEMANTICS I5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Arc<str>>,
}

/// A message that waits for the session's next question (SEMANTICS I5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The message.
    pub message: Message,
    /// How many messages the session had sent when it came: it answers the next question only if none followed.
    pub sent: u32,
    /// Where it came from.
    pub route: Arc<Route>,
    /// Whether it is the message that started the session: never reported as missed (SEMANTICS I4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opening: bool,
}

/// How far a host call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStage {
    /// To be made at or after this instant.
    Due(DateTime<Utc>),
    /// Handed over at this instant; the host answers later.
    Handed(DateTime<Utc>),
}

/// A call that a session waits for (SEMANTICS D2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PendingCall {
    /// Its id: the host's idempotency key.
    pub id: CallId,
    /// The function's name.
    pub name: Arc<str>,
    /// Its arguments, an object.
    pub args: Bag,
    /// How far it has come.
    pub stage: CallStage,
    /// How often it was made.
    #[serde(default)]
    pub attempts: u32,
}

impl PendingCall {
    /// When it is to be made; none once it is handed over.
    #[must_use]
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        match self.stage {
            CallStage::Due(at) => Some(at),
            CallStage::Handed(_) => None,
        }
    }
}

/// Why a session failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The kind of fault.
    pub code: FailureCode,
    /// The node it happened at.
    pub node: NodeId,
    /// What happened, for people. Holds no value of the contact's.
    pub message: String,
}

/// The kinds of fault that end a session (SEMANTICS S9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureCode {
    /// A turn visited more nodes than [`Limits::nodes_per_turn`](crate::Limits::nodes_per_turn).
    NodesPerTurn,
    /// The session had more turns than [`Limits::turns_per_session`](crate::Limits::turns_per_session).
    TurnsPerSession,
    /// Variables outgrew [`Limits::variable_bytes`](crate::Limits::variable_bytes) or [`Limits::depth`](crate::Limits::depth).
    Variables,
    /// More messages are unsent than [`Limits::unsent_messages`](crate::Limits::unsent_messages).
    UnsentMessages,
    /// There was nowhere to send to (SEMANTICS D4).
    NoDestination,
    /// An expression or a template could not be evaluated.
    Expression,
    /// A host call failed, or was not answered in time, and no `failed` branch is there.
    CallFailed,
    /// A delay's instant could not be read.
    BadInstant,
    /// The flow or the node that the session stands at is not there.
    MissingNode,
    /// The conversation outgrew [`Limits::conversation_bytes`](crate::Limits::conversation_bytes).
    ConversationSize,
}

impl FailureCode {
    /// The name, as in the stored form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NodesPerTurn => "nodes_per_turn",
            Self::TurnsPerSession => "turns_per_session",
            Self::Variables => "variables",
            Self::UnsentMessages => "unsent_messages",
            Self::NoDestination => "no_destination",
            Self::Expression => "expression",
            Self::CallFailed => "call_failed",
            Self::BadInstant => "bad_instant",
            Self::MissingNode => "missing_node",
            Self::ConversationSize => "conversation_size",
        }
    }
}

/// Who ended a session that did not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EndReason {
    /// The host cancelled it.
    Cancelled,
    /// Its flow was unpublished with `Terminate` (SEMANTICS L4).
    FlowTerminated,
    /// Another flow with `per_contact: interrupt` took its place (SEMANTICS T6).
    Interrupted,
    /// The contact opted out (SEMANTICS T10).
    OptedOut,
}

/// One run of a flow with a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub(crate) id: SessionId,
    pub(crate) flow: FlowId,
    pub(crate) version: FlowVersion,
    pub(crate) status: Status,
    /// The node it stands at, or ended at.
    #[serde(rename = "node")]
    pub(crate) at: NodeId,
    /// Where that node was in the compiled flow; only a hint.
    #[serde(skip)]
    pub(crate) hint: u32,
    /// Grows when a wait, a delay or a call is entered; fences deadlines, calls and choices (SEMANTICS S4).
    pub(crate) wait: u32,
    /// The wait number of the question that was last answered or timed out: choices up to here are stale (SEMANTICS I9).
    #[serde(default)]
    pub(crate) answered: u32,
    pub(crate) turns: u32,
    /// Messages that it sent.
    pub(crate) sent: u32,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) last_interaction_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// The end of the longest life it may have: nothing moves it (SEMANTICS S1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends_by: Option<DateTime<Utc>>,
    /// The node's own deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deadline: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<DateTime<Utc>>,
    /// Since when it stands where it stands.
    pub(crate) parked_at: DateTime<Utc>,
    /// The outbox number of the last message before the wait: the wait's deadline does not pass before it is settled (SEMANTICS N3).
    #[serde(default)]
    pub(crate) sent_before: u64,
    #[serde(default, skip_serializing_if = "Bag::is_empty")]
    pub(crate) context: Bag,
    #[serde(default, skip_serializing_if = "Bag::is_empty")]
    pub(crate) vars: Bag,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Box<Origin>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) route: Option<Arc<Route>>,
    /// Where the last message went: a question takes answers from there (SEMANTICS I3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asked: Option<Arc<Route>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reply: Option<Box<Reply>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) call: Option<Box<PendingCall>>,
    /// Whatever few sessions need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rare: Option<Box<Rare>>,
    /// The last branch taken that was not plainly the next node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) branch: Option<Arc<str>>,
}

/// Parts of a session that most sessions do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rare {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) jumps: Vec<(NodeId, u32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) queue: Vec<Queued>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended_by: Option<EndReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<Arc<str>>,
}

impl Session {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The flow it runs.
    #[must_use]
    pub fn flow(&self) -> &FlowId {
        &self.flow
    }

    /// The version it started on, and stays on (SEMANTICS S5).
    #[must_use]
    pub fn version(&self) -> FlowVersion {
        self.version
    }

    /// Where it is in its life.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// The node it stands at, or ended at.
    #[must_use]
    pub fn node(&self) -> &NodeId {
        &self.at
    }

    /// How many waits, delays and calls it has entered.
    #[must_use]
    pub fn wait_number(&self) -> u32 {
        self.wait
    }

    /// How many turns it has had.
    #[must_use]
    pub fn turns(&self) -> u32 {
        self.turns
    }

    /// When it started.
    #[must_use]
    pub fn started_at(&self) -> DateTime<Utc> {
        self.started_at
    }

    /// When a turn last advanced it (SEMANTICS S1).
    #[must_use]
    pub fn last_interaction_at(&self) -> DateTime<Utc> {
        self.last_interaction_at
    }

    /// When it expires: its TTL, or the node's own deadline if that is later (SEMANTICS S3). None: never.
    #[must_use]
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        let ttl = self.expires_at?;
        let expires_at = self.deadline.map_or(ttl, |deadline| ttl.max(deadline));
        Some(self.ends_by.map_or(expires_at, |ends_by| expires_at.min(ends_by)))
    }

    /// The node's own deadline.
    #[must_use]
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        self.deadline
    }

    /// When it ended.
    #[must_use]
    pub fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.ended_at
    }

    /// What it was started with, as given and read-only.
    #[must_use]
    pub fn context(&self) -> &Bag {
        &self.context
    }

    /// What the flow has written.
    #[must_use]
    pub fn vars(&self) -> &Bag {
        &self.vars
    }

    /// What started it.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// The latest answer.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_deref()
    }

    /// The call it waits for.
    #[must_use]
    pub fn call(&self) -> Option<&PendingCall> {
        self.call.as_deref()
    }

    /// Why it failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.rare.as_ref()?.failure.as_ref()
    }

    /// Who ended it, when it did not end by itself.
    #[must_use]
    pub fn ended_by(&self) -> Option<EndReason> {
        self.rare.as_ref()?.ended_by
    }

    /// The outcome that its end node names.
    #[must_use]
    pub fn outcome(&self) -> Option<&str> {
        self.rare.as_ref()?.outcome.as_deref()
    }

    pub(crate) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(crate) fn queue(&self) -> &[Queued] {
        self.rare.as_ref().map_or(&[], |rare| &rare.queue)
    }

    /// About how many bytes it holds of what grows.
    pub(crate) fn weight(&self) -> usize {
        let queue = self.queue().iter().map(|queued| queued.message.text.len()).sum::<usize>();
        let reply = self.reply.as_ref().map_or(0, |reply| {
            reply.message.as_ref().map_or(0, |message| message.text.len())
                + reply.missed.iter().map(|text| text.len()).sum::<usize>()
        });
        let call = self.call.as_ref().map_or(0, |call| call.args.byte_len());
        size_of::<Self>() + self.context.byte_len() + self.vars.byte_len() + queue + reply + call
    }

    /// The channel its messages go to.
    #[must_use]
    pub fn channel(&self) -> Option<&Channel> {
        self.route.as_ref().map(|route| &route.account.channel)
    }
}
