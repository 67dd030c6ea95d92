//! Messages that ask for what no question behind them takes, and conditions on choices that no
//! message offers (SEMANTICS C).

use crate::flow::check::graph::Graph;
use crate::flow::check::report::report;
use crate::flow::content::TextDef;
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::{Diagnostics, did_you_mean};
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::brief;
use crate::flow::lang::condition::{ConditionDef, Operand};
use crate::flow::lang::normal::normal;
use crate::flow::lang::operator::Operator;
use crate::flow::node::{Accept, AnswerKind, AskDef, Blocking, NodeDef, NodeKind, ReplyKind};
use crate::flow::place::NodeIx;
use crate::flow::trigger::TriggerDef;

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
    check_choices(def, found);
    for (place, node) in def.nodes.iter().enumerate() {
        if let NodeKind::Ask(ask) = &node.kind {
            check_ask(def, graph, (NodeIx::of(place), ask), found);
        }
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

/// Warns of a question for a place that takes no place, and of one for an address or a number with
/// a button that is none, unless the first wrong answer leads on.
fn check_ask(def: &FlowDef, graph: &Graph, (place, ask): (NodeIx, &AskDef), found: &mut Diagnostics) {
    let expect = ask.answer.expect;
    if ask.message.asks_for(ReplyKind::Location) && expect != Some(AnswerKind::Location) {
        let message = "asks for a place, and takes no place for an answer".to_owned();
        let fix = "say `\"expect\": \"location\"`";
        report(def, place, found, IssueCode::AnswerNotTaken, message, fix);
    }
    let could_be: fn(char) -> bool = match expect {
        Some(AnswerKind::Email) => |c| c == '@' || c == '\u{ff20}',
        Some(AnswerKind::Phone | AnswerKind::Number) => char::is_numeric,
        Some(AnswerKind::Url) => |c| c == '.' || c == '\u{3002}',
        _ => return,
    };
    let leads_on = || {
        let goes =
            |name: &str| graph.exits(place).iter().any(|exit| &*exit.name == name && exit.to.is_some());
        ask.retries == Some(0) && goes("invalid")
    };
    let lost = ask.message.written_choices().find(|(id, label)| {
        !label.texts().chain([*id]).any(|text| text.contains("{{") || text.contains(could_be))
    });
    if let Some((id, _)) = lost.filter(|_| !leads_on()) {
        let message = format!("offers {:?}, which is no answer that it takes", brief(id));
        let fix =
            "remove the button, or say `\"retries\": 0` and lead an edge from `invalid` to a `branch` on it";
        report(def, place, found, IssueCode::AnswerNotTaken, message, fix);
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

/// True if one of the messages of a flow offers choices or a form.
pub(crate) fn has_offers(def: &FlowDef) -> bool {
    let kinds = [ReplyKind::Choice, ReplyKind::Form];
    def.nodes.iter().any(|node| match &node.kind {
        NodeKind::SendMessage(send) => kinds.iter().any(|kind| send.message.asks_for(*kind)),
        _ => false,
    })
}

/// Warns of an id that is compared with the chosen one, is not offered, and is the label of a
/// choice or close to an id. Other ids may be those of what a channel or another flow offers.
fn check_choices(def: &FlowDef, found: &mut Diagnostics) {
    let compared: Vec<_> = def
        .nodes
        .iter()
        .enumerate()
        .flat_map(|(place, node)| match &node.kind {
            NodeKind::Branch(branch) => {
                let mut ids = Vec::new();
                branch.branches.iter().for_each(|arm| chosen_ids(&arm.when, &mut ids));
                ids.into_iter().map(|id| (NodeIx::of(place), id)).collect()
            }
            _ => Vec::new(),
        })
        .collect();
    if compared.is_empty() {
        return;
    }
    let Some(offered) = offered(def) else { return };
    let by_rule: Vec<_> = match &def.trigger {
        TriggerDef::Inbound(inbound) => {
            inbound.rules.iter().flatten().filter_map(|rule| rule.text.as_deref()).collect()
        }
        TriggerDef::Manual => Vec::new(),
    };
    for (place, id) in compared {
        if by_rule.contains(&id) || offered.iter().any(|(known, _)| *known == id) {
            continue;
        }
        let wanted = normal(id);
        let by_label = offered.iter().find(|(_, label)| label.texts().any(|text| normal(text) == wanted));
        let meant = match by_label {
            Some((known, _)) => Some(*known),
            None => found.meant(id, offered.iter().map(|(known, _)| *known)),
        };
        if meant.is_some() {
            let message =
                format!("compares with {:?}, which no message offers{}", brief(id), did_you_mean(meant));
            report(def, place, found, IssueCode::UnknownChoice, message, "compare with the id of a choice");
        }
    }
}

/// The ids that a condition compares with the chosen one, as far as they are written out.
fn chosen_ids<'d>(when: &'d ConditionDef, ids: &mut Vec<&'d str>) {
    match when {
        ConditionDef::All(list) | ConditionDef::Any(list) => {
            list.iter().for_each(|when| chosen_ids(when, ids))
        }
        ConditionDef::Not(inner) => chosen_ids(inner, ids),
        ConditionDef::Compare(compare) if compare.op == Operator::OptionPayload => {
            if let Some(Operand::Text(id)) = &compare.to
                && !id.contains("{{")
            {
                ids.push(id);
            }
        }
        ConditionDef::Compare(_) | ConditionDef::Expr(_) => {}
    }
}

/// All that the flow offers. None: not all of it is written in it.
fn offered(def: &FlowDef) -> Option<Vec<(&str, &TextDef)>> {
    let mut offered = Vec::new();
    for node in &def.nodes {
        let message = match &node.kind {
            NodeKind::SendMessage(send) => &send.message,
            NodeKind::Ask(ask) => {
                let choices = ask.answer.choices.iter().flat_map(|choices| choices.iter());
                for choice in choices {
                    if choice.from.is_some() {
                        return None;
                    }
                    offered.push((choice.id.as_str(), &choice.label));
                }
                &ask.message
            }
            NodeKind::CallFlow(_) | NodeKind::Handoff(_) => return None,
            _ => continue,
        };
        if message.offers_more() {
            return None;
        }
        offered.extend(message.written_choices());
    }
    Some(offered)
}
