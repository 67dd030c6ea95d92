//! Messages on their way to the contact, and those that did not arrive.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::address::{Account, Address};
use crate::id::{ContactId, FlowId, FlowVersion, MessageId, NodeId, SessionId, WorkspaceId};
use crate::session::{Content, ReplyOption};

/// One message to the contact, as a transport gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outbound {
    /// The same for every attempt.
    pub id: MessageId,
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The contact.
    pub contact: ContactId,
    /// The flow that sends.
    pub flow: FlowId,
    /// The node that sends.
    pub node: NodeId,
    /// Channel, account and address.
    pub route: Arc<crate::session::Route>,
    /// The content of the message.
    pub content: Content,
    /// The subject of a letter: one line; none on a channel that has no letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Box<str>>,
    /// The channel's id of the contact's message that it answers, if its turn took one that has an
    /// id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<Arc<str>>,
    /// When the turn that sends was decided.
    pub created_at: DateTime<Utc>,
    /// The session's turn that sends, from 1.
    pub turn: u32,
    /// Its place among the messages of its turn, from 0.
    pub index: u32,
    /// Number of messages in its turn.
    pub count: u32,
    /// The last branch that was taken before it, when one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Arc<str>>,
    /// The title of the node that led to it.
    pub component: Arc<str>,
    /// The version of the flow that sends; 0 in a record of an older release.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub(crate) version: u32,
}

fn is_unknown(version: &u32) -> bool {
    *version == 0
}

impl Outbound {
    /// Returns the session that sends.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.id.session
    }

    /// The flow that sends, and its version.
    pub(crate) fn sender(&self) -> (FlowId, Option<FlowVersion>) {
        (self.flow.clone(), Some(self.version).filter(|version| *version > 0).map(FlowVersion))
    }

    /// Returns the account that it leaves from.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.route.account
    }

    /// Returns the address that it goes to.
    #[must_use]
    pub fn to(&self) -> &Address {
        &self.route.to
    }

    /// Sends it to another address.
    pub(crate) fn redirect(&mut self, to: &Address) {
        let account = self.route.account.clone();
        self.route = Arc::new(crate::session::Route { account, to: to.clone() });
    }

    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.content.weight() + self.subject.as_ref().map_or(0, |subject| subject.len())
    }

    /// Returns the text, of whatever content ([`Content::text`]).
    #[must_use]
    pub fn text(&self) -> &str {
        self.content.text()
    }

    /// Returns the options that the contact can choose from; empty when it is free to say anything.
    #[must_use]
    pub fn options(&self) -> &[ReplyOption] {
        self.content.options()
    }
}

/// A message in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    /// Its place in the outbox. A message that is requeued keeps its id and gets another place.
    pub seq: u64,
    /// The message.
    pub message: Arc<Outbound>,
    /// Number of attempts to send it.
    #[serde(default)]
    pub attempts: u32,
    /// When it is tried next.
    pub not_before: DateTime<Utc>,
    /// When it was tried first, if it failed under a pace: what it waited before is not counted
    /// ([SEMANTICS D7](crate::semantics#d7)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<DateTime<Utc>>,
}

/// The reason a message was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeadReason {
    /// The transport refused it; holds what it said.
    Rejected(String),
    /// The channel's messaging window was closed.
    WindowClosed,
    /// It was tried until its time was up; holds what the transport last said.
    GaveUp(String),
    /// It became due so long ago that it makes no sense any more
    /// ([SEMANTICS S2](crate::semantics#s2)).
    TooLate,
}

impl fmt::Display for DeadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(why) => write!(f, "rejected: {why}"),
            Self::WindowClosed => f.write_str("the window was closed"),
            Self::GaveUp(why) => write!(f, "given up: {why}"),
            Self::TooLate => f.write_str("too late"),
        }
    }
}

/// A message that was given up ([SEMANTICS D1](crate::semantics#d1)): listed, requeued or dropped
/// by an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The message.
    pub message: Arc<Outbound>,
    /// The reason.
    pub reason: DeadReason,
    /// When it was given up.
    pub at: DateTime<Utc>,
}

/// The earliest unsettled message of each destination: what is behind it waits for it (SEMANTICS
/// D1).
pub(crate) fn heads(outbox: &[Unsent], settled: u64) -> impl Iterator<Item = &Unsent> {
    let unsettled = move |unsent: &&Unsent| unsent.seq > settled;
    outbox.iter().enumerate().filter(move |(_, unsent)| unsettled(unsent)).filter_map(
        move |(place, unsent)| {
            let route = &unsent.message.route;
            let is_first =
                !outbox.iter().take(place).filter(unsettled).any(|earlier| earlier.message.route == *route);
            is_first.then_some(unsent)
        },
    )
}
