//! An issue of a node as a whole, at its place.

use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::{IssueCode, Repair};
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
    report_repairable(def, node, found, code, message, (fix, None));
}

/// Reports an issue that may be repaired by one press.
pub(crate) fn report_repairable(
    def: &FlowDef,
    node: NodeIx,
    found: &mut Diagnostics,
    code: IssueCode,
    message: String,
    (fix, repair): (&str, Option<Repair>),
) {
    found.node = def.nodes.get(node.as_usize()).and_then(|node| NodeId::new(&node.id).ok());
    found.add_repairable(code, &Path::Root.key("nodes").item(node.as_usize()), message, fix, repair);
    found.node = None;
}
