//! The reason a session failed: a code for programs, a node, a sentence for people.

use serde::{Deserialize, Serialize};

use crate::id::{FlowId, NodeId};

/// The reason a session failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The kind of fault.
    pub code: FailureCode,
    /// The node it happened at.
    pub node: NodeId,
    /// The called flow that the node is of; None: the session's own
    /// ([SEMANTICS N9](crate::semantics#n9)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowId>,
    /// A sentence for people. Holds no value of the contact's.
    pub message: String,
}

/// The kinds of fault that end a session ([SEMANTICS S9](crate::semantics#s9)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureCode {
    /// A turn visited more nodes than
    /// [`Limits::nodes_per_turn`](crate::limits::Limits::nodes_per_turn).
    NodesPerTurn,
    /// The session had more turns than
    /// [`Limits::turns_per_session`](crate::limits::Limits::turns_per_session).
    TurnsPerSession,
    /// Variables outgrew [`Limits::variable_bytes`](crate::limits::Limits::variable_bytes) or
    /// [`Limits::depth`](crate::limits::Limits::depth).
    Variables,
    /// More messages are unsent than
    /// [`Limits::unsent_messages`](crate::limits::Limits::unsent_messages).
    UnsentMessages,
    /// There was nowhere to send to ([SEMANTICS D4](crate::semantics#d4)).
    NoDestination,
    /// An expression or a template could not be evaluated.
    Expression,
    /// The contact gave no valid answer, as often as it was asked, and no `invalid` branch is
    /// there.
    InvalidAnswer,
    /// A host call failed, or was not answered in time, and no `failed` branch is there.
    CallFailed,
    /// A change of the contact does not fit the limits of a profile.
    Contact,
    /// A message came out such that it makes no sense: a medium without an address, a place without
    /// degrees.
    BadContent,
    /// There is nothing to choose from, and no `empty` branch is there
    /// ([SEMANTICS N10](crate::semantics#n10)).
    NoChoices,
    /// A delay's instant could not be read.
    BadInstant,
    /// The flow or the node of the session does not exist.
    MissingNode,
    /// The conversation outgrew
    /// [`Limits::conversation_bytes`](crate::limits::Limits::conversation_bytes).
    ConversationSize,
    /// The flow to be called is not online, and no `failed` branch is there
    /// ([SEMANTICS N9](crate::semantics#n9)).
    SubflowOffline,
    /// The flow to be called does not take the inputs that it was given.
    SubflowInput,
    /// Calls are nested more deeply than
    /// [`Limits::subflow_frames`](crate::limits::Limits::subflow_frames).
    SubflowDepth,
}

impl FailureCode {
    /// Returns the name, as in the stored form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NodesPerTurn => "nodes_per_turn",
            Self::TurnsPerSession => "turns_per_session",
            Self::Variables => "variables",
            Self::UnsentMessages => "unsent_messages",
            Self::NoDestination => "no_destination",
            Self::Expression => "expression",
            Self::InvalidAnswer => "invalid_answer",
            Self::CallFailed => "call_failed",
            Self::Contact => "contact",
            Self::BadContent => "bad_content",
            Self::NoChoices => "no_choices",
            Self::BadInstant => "bad_instant",
            Self::MissingNode => "missing_node",
            Self::ConversationSize => "conversation_size",
            Self::SubflowOffline => "subflow_offline",
            Self::SubflowInput => "subflow_input",
            Self::SubflowDepth => "subflow_depth",
        }
    }

    /// True if it is a maximum of the session as a whole: no caller continues after that (SEMANTICS
    /// S7).
    pub(crate) fn is_of_session(self) -> bool {
        matches!(
            self,
            Self::NodesPerTurn
                | Self::TurnsPerSession
                | Self::Variables
                | Self::UnsentMessages
                | Self::ConversationSize
        )
    }
}

impl std::fmt::Display for FailureCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
