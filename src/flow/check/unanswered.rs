//! Forms whose answers no question takes (SEMANTICS C).

use crate::flow::check::graph::Graph;
use crate::flow::check::report::report;
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::node::{Accept, Blocking, NodeDef, NodeKind, ReplyKind};
use crate::flow::place::NodeIx;

/// Warns of a message with a form where the contact's next word is always heard by questions that
/// take no forms: the form belongs to the first of them.
pub(super) fn check(def: &FlowDef, graph: &Graph, found: &mut Diagnostics) {
    let opens_form =
        |node: &NodeDef| matches!(&node.kind, NodeKind::SendMessage(send) if send.message.opens_form());
    let is_question = |node: &NodeDef| matches!(node.kind.blocking(), Blocking::Reply { .. });
    let node_at = |at: NodeIx| def.nodes.get(at.as_usize());
    for (place, _) in def.nodes.iter().enumerate().filter(|(_, node)| opens_form(node)) {
        let place = NodeIx::of(place);
        let reached = graph.reached_by(place, |from, _| !node_at(from).is_some_and(is_question));
        let questions: Vec<_> =
            reached.into_iter().filter_map(node_at).filter(|node| is_question(node)).collect();
        let takes_form = |node: &&NodeDef| match &node.kind {
            NodeKind::WaitReply(wait) => Accept::of(wait.accept.as_deref()).accepts(ReplyKind::Form),
            _ => false,
        };
        if !questions.is_empty() && !questions.iter().any(takes_form) {
            let message = "sends a form, and the question behind it takes no form".to_owned();
            let fix = "wait for it by a `wait_reply` that accepts `form`";
            report(def, place, found, IssueCode::FormNotTaken, message, fix);
        }
    }
}
