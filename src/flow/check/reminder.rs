//! The branch of a reminder runs beside a wait, so it can do less than the talk (SEMANTICS S6).

use std::collections::BTreeSet;

use crate::NodeId;
use crate::flow::check::graph::Graph;
use crate::flow::def::FlowDef;
use crate::flow::form::issue::{Diagnostics, IssueCode};
use crate::flow::form::path::Path;
use crate::flow::node::Aside;
use crate::flow::place::{NodeIx, Port};

/// A reminder runs beside a wait: it sends, sets and branches, and neither waits nor leads into the
/// talk itself.
pub(crate) fn check(
    def: &FlowDef,
    graph: &Graph,
    first: NodeIx,
    talk: &BTreeSet<NodeIx>,
    found: &mut Diagnostics,
) {
    for at in graph.reached(first) {
        let Some(node) = def.nodes.get(at.as_usize()) else { continue };
        let why = match node.kind.aside() {
            Aside::Never => format!("is of kind `{}`, which a reminder cannot have", node.kind.as_str()),
            Aside::Runs | Aside::RunsOn if talk.contains(&at) => {
                "stands in the reminder's branch and in the talk".to_owned()
            }
            Aside::RunsOn if graph.has_other_exit(at, Port::NEXT) => {
                "has more ways than one, which a reminder does not wait for".to_owned()
            }
            Aside::Ends | Aside::Runs | Aside::RunsOn => continue,
        };
        found.node = NodeId::new(&node.id).ok();
        let fix = "let the reminder's branch send, set variables and branch, and share no node but an end";
        found.add(IssueCode::ReminderPath, &Path::Root.key("nodes").item(at.as_usize()), why, fix);
        found.node = None;
    }
}
