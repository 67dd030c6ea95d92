//! Where a session is in a list that it goes through (SEMANTICS N12).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::value::{Node, Packed};

/// A `for_each` that a session is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rounds {
    /// The node.
    pub(crate) node: NodeId,
    /// The name that the item is read by.
    pub(crate) name: Arc<str>,
    /// The list, as it was when the loop began.
    pub(crate) items: Packed,
    /// The place of the item that it is at.
    pub(crate) at: usize,
}

impl Rounds {
    /// The item that it is at.
    pub(crate) fn item(&self) -> Option<Node<'_>> {
        self.items.as_node().at(self.at)
    }

    pub(crate) fn count(&self) -> usize {
        self.items.as_node().len()
    }

    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.name.len() + self.items.byte_len()
    }
}
