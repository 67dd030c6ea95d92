//! Messages that ask for what no question behind them takes (SEMANTICS C).

use crate::flow::check::graph::Graph;
use crate::flow::check::report::report;
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::node::{Accept, AnswerKind, Blocking, NodeDef, NodeKind, ReplyKind};
use crate::flow::place::NodeIx;

/// The kinds of answers that a message asks for by its form.
const ASKED: [(ReplyKind, &str); 4] = [
    (ReplyKind::Form, "a form"),
    (ReplyKind::Choice, "choices"),
    (ReplyKind::Location, "a question for a place"),
    (ReplyKind::Order, "goods"),
];

/// Warns of a message to the contact, whose next word is always heard by questions that take no
/// such answer: it belongs to the first of them. Of a form also where no question is behind it.
pub(super) fn check(def: &FlowDef, graph: &Graph, found: &mut Diagnostics) {
    for (place, node) in def.nodes.iter().enumerate() {
        let NodeKind::SendMessage(send) = &node.kind else { continue };
        if send.to.is_some() {
            continue;
        }
        let place = NodeIx::of(place);
        let asked: Vec<_> = ASKED.iter().filter(|(kind, _)| send.message.asks_for(*kind)).collect();
        let next = if asked.is_empty() { Vec::new() } else { next_nodes(def, graph, place) };
        for (kind, what) in asked {
            let questions: Vec<_> = next.iter().filter(|node| is_question(node)).collect();
            let is_lost = match questions.is_empty() {
                // An approved message is often alone, and its answer starts another flow.
                true => *kind == ReplyKind::Form && !send.message.is_template() && !calls(&next),
                false => !questions.iter().any(|node| takes(node, *kind)),
            };
            if is_lost {
                warn(def, place, (*kind, what), !questions.is_empty(), found);
            }
        }
    }
}

fn warn(
    def: &FlowDef,
    place: NodeIx,
    (kind, what): (ReplyKind, &str),
    is_asked: bool,
    found: &mut Diagnostics,
) {
    let (code, word) = match kind {
        ReplyKind::Form => (IssueCode::FormNotTaken, "form"),
        kind => (IssueCode::AnswerNotTaken, kind.as_str()),
    };
    let message = match is_asked {
        true => format!("sends {what}, and the question behind it takes no {word}"),
        false => format!("sends {what}, and no question behind it takes the answer"),
    };
    let fix = format!("wait for it by a `wait_reply` that accepts `{word}`");
    report(def, place, found, code, message, &fix);
}

fn is_question(node: &NodeDef) -> bool {
    matches!(node.kind.blocking(), Blocking::Reply { .. })
}

/// The nodes behind a message, up to the first question on each way.
fn next_nodes<'d>(def: &'d FlowDef, graph: &Graph, place: NodeIx) -> Vec<&'d NodeDef> {
    let node_at = |at: NodeIx| def.nodes.get(at.as_usize());
    let reached = graph.reached_by(place, |from, _| !node_at(from).is_some_and(is_question));
    reached.into_iter().filter_map(node_at).collect()
}

/// True if another flow, which may ask, is called.
fn calls(behind: &[&NodeDef]) -> bool {
    behind.iter().any(|node| matches!(node.kind, NodeKind::CallFlow(_)))
}

/// True if a question takes such an answer.
fn takes(node: &NodeDef, kind: ReplyKind) -> bool {
    match (&node.kind, kind) {
        (NodeKind::WaitReply(wait), kind) => Accept::of(wait.accept.as_deref()).accepts(kind),
        (NodeKind::Ask(ask), ReplyKind::Choice) => {
            !matches!(ask.answer.expect, Some(AnswerKind::Media | AnswerKind::Location))
        }
        (NodeKind::Ask(ask), ReplyKind::Location) => ask.answer.expect == Some(AnswerKind::Location),
        (NodeKind::Ask(_), _) => false,
        // A person takes anything.
        _ => true,
    }
}
