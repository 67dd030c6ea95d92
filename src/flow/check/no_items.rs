//! Choices that are made of data alone, where nothing is said for a list without an item
//! (SEMANTICS N10).

use std::collections::BTreeSet;

use crate::flow::check::graph::Graph;
use crate::flow::check::report::report_repairable;
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::{IssueCode, Repair};
use crate::flow::place::NodeIx;

const EMPTY: &str = "empty";

/// Warns of messages that offer what a list has and nothing else, without an edge from `empty`.
pub(super) fn check(def: &FlowDef, graph: &Graph, reached: &BTreeSet<NodeIx>, found: &mut Diagnostics) {
    for place in reached {
        let Some(node) = def.nodes.get(place.as_usize()) else { continue };
        let has_edge = graph.exits(*place).iter().any(|exit| &*exit.name == EMPTY && exit.to.is_some());
        if node.kind.needs_items() && !has_edge {
            let message = "fails the session where its list has no item".to_owned();
            let repair = Some(Repair::Lead { branch: EMPTY.to_owned() });
            let fix = "add an edge from `empty`";
            report_repairable(def, *place, found, IssueCode::NoEmptyEdge, message, (fix, repair));
        }
    }
}
