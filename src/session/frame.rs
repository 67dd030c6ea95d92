//! A flow that called another one, and waits for it: the part that it needs to continue.

use serde::{Deserialize, Serialize};

use crate::id::{FlowId, FlowVersion, NodeId};
use crate::session::Rounds;
use crate::value::PackedMap;

/// A flow of a session that waits for the flow that it called (SEMANTICS N9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frame {
    pub(crate) flow: FlowId,
    pub(crate) version: FlowVersion,
    /// A hash of that version's content (SEMANTICS S13).
    #[serde(default, with = "crate::hex::option", skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<u128>,
    /// The node that called.
    pub(crate) node: NodeId,
    #[serde(default, skip_serializing_if = "PackedMap::is_empty")]
    pub(crate) context: PackedMap,
    #[serde(default, skip_serializing_if = "PackedMap::is_empty")]
    pub(crate) vars: PackedMap,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) jumps: Vec<(NodeId, u32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rounds: Vec<Rounds>,
}

impl Frame {
    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.context.byte_len() + self.vars.byte_len()
    }
}
