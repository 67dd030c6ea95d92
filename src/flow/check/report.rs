//! An issue of a node as a whole, at its place.

use crate::flow::def::FlowDef;
use crate::flow::form::issue::{Diagnostics, IssueCode};
use crate::flow::form::path::Path;
use crate::flow::place::NodeIx;
use crate::id::NodeId;

/// Reports an issue of the node at a place.
pub(crate) fn report(
    def: &FlowDef,
    node: NodeIx,
    found: &mut Diagnostics,
    code: IssueCode,
    message: String,
    fix: &str,
) {
    found.node = def.nodes.get(node.as_usize()).and_then(|node| NodeId::new(&node.id).ok());
    found.add(code, &Path::Root.key("nodes").item(node.as_usize()), message, fix);
    found.node = None;
}
