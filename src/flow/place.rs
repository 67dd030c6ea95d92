//! Places by number: of a node in its flow, of a branch in its node. What is stored names both by
//! their words.

/// A node's place in its compiled flow. It differs from version to version: what is stored names
/// nodes by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeIx(pub(crate) u32);

impl NodeIx {
    pub(crate) fn of(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(crate) fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// A branch of a node, by its place in the node's list of branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port(pub(crate) u16);

impl Port {
    /// The only branch of most kinds.
    pub(crate) const NEXT: Self = Self(0);
}
