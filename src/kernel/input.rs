//! Inputs of sessions.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::calls::CallResult;
use crate::id::{CallId, FlowVersion, MessageId, NodeId};
use crate::session::{DeliveryReport, EndReason, Message, Route, SendOutcome};
use crate::value::PackedMap;

/// Something that reaches a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Input {
    /// It begins, at the flow's start node.
    Start,
    /// The contact answers the question that it is at.
    Reply {
        /// The contact's message.
        message: Message,
        /// Where it came from; the session's messages go there from now on
        /// ([SEMANTICS D4](crate::semantics#d4)).
        route: Arc<Route>,
    },
    /// The deadline of the node that it is at has passed; the number of the wait that the deadline
    /// was set for ([SEMANTICS S4](crate::semantics#s4)).
    Deadline(u32),
    /// Its TTL has passed.
    Expiry,
    /// The host answers the call that it waits for.
    Result {
        /// The call.
        call: CallId,
        /// Its result.
        result: CallResult,
    },
    /// Outcome of the message that it waits for, or is right behind
    /// ([SEMANTICS D1](crate::semantics#d1)).
    Sent {
        /// The message.
        message: MessageId,
        /// Its outcome.
        outcome: SendOutcome,
    },
    /// It is ended from outside.
    End(EndReason),
    /// It leaves its node for another one of its flow ([SEMANTICS I6](crate::semantics#i6)).
    Jump {
        /// The node.
        node: NodeId,
        /// Where the word came from that took it there.
        route: Option<Arc<Route>>,
    },
    /// It says something, and stays where it is ([SEMANTICS I6](crate::semantics#i6)).
    Say {
        /// The first node of what it says.
        node: NodeId,
        /// Where the word came from that asked for it.
        route: Option<Arc<Route>>,
    },
    /// It is handed over to a person, and afterwards is where it is now
    /// ([SEMANTICS S10](crate::semantics#s10)).
    Handoff,
    /// It comes back from a person.
    Resume {
        /// The person's findings: variables to write.
        vars: PackedMap,
    },
    /// The contact or the person said something: the handoff's time begins anew. No turn.
    #[serde(rename = "touch")]
    ProlongHandoff,
    /// Another session of the contact came back from a person: what was to happen happens later, by
    /// the time for which this one was suspended. No turn.
    #[serde(rename = "thaw")]
    ShiftTimers {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// The time to remind has come; the number of the wait it was set for
    /// ([SEMANTICS S6](crate::semantics#s6)).
    Reminder(u32),
    /// The contact said something that nothing asked for: kept for the next question
    /// ([SEMANTICS I5](crate::semantics#i5)). No turn.
    Queue {
        /// The contact's message.
        message: Message,
        /// Where it came from.
        route: Arc<Route>,
    },
    /// A later report of the channel on one of its messages: noted in its journal. No turn.
    Report {
        /// The message.
        message: MessageId,
        /// The channel's report.
        report: DeliveryReport,
    },
    /// The call that it waits for was handed over, to be answered later: the node's time runs from
    /// here ([SEMANTICS D2](crate::semantics#d2)). No turn.
    Handed(CallId),
    /// The call that it waits for could not be made, and is to be made once more. No turn.
    CallLater {
        /// The call.
        call: CallId,
        /// When.
        until: DateTime<Utc>,
    },
    /// The last message before its wait is settled, after the wait's deadline had passed: the
    /// wait's time runs from here ([SEMANTICS N3](crate::semantics#n3)). No turn.
    #[serde(rename = "held")]
    RestartWait,
    /// It continues on another version of its flow, at a node of the kind that it is at
    /// ([SEMANTICS S5](crate::semantics#s5)). No turn: wait number and deadline stay.
    Migrate {
        /// The version.
        version: FlowVersion,
        /// The node there.
        node: NodeId,
        /// A hash of the version's content ([SEMANTICS S13](crate::semantics#s13)).
        #[serde(default, with = "crate::hex::option", skip_serializing_if = "Option::is_none")]
        digest: Option<u128>,
        /// The loops that it is in: the node of each, the node there, and the name that the item is
        /// read by there ([SEMANTICS N12](crate::semantics#n12)).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        loops: Vec<(NodeId, NodeId, Arc<str>)>,
    },
}

impl Input {
    /// Returns its name, as in the stored form.
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
            Self::Say { .. } => "say",
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
