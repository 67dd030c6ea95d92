//! `branch`: the first rule that is true, else `else` (SEMANTICS N5).

use crate::flow::Step;
use crate::flow::node::{Branch, NodeKind, Port};
use crate::kernel::turn::{Move, Run};
use crate::session::FailureCode;

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &Branch) -> Move {
    for ((label, when), port) in node.arms.iter().zip(0..) {
        match run.test(when) {
            Ok(true) => {
                run.because(|run| rule(run, step, label));
                return Move::Take(Port(port));
            }
            Ok(false) => {}
            Err(error) => {
                return Move::fail(FailureCode::Expression, format_args!("branch `{label}`: {error}"));
            }
        }
    }
    run.because(|_| "no rule holds".to_owned());
    Move::Take(node.else_port())
}

/// The rule of an arm, as its author wrote it: names and patterns, no value of the contact's.
fn rule(run: &Run<'_>, step: &Step, label: &str) -> String {
    let nodes = &run.flow.def().nodes;
    let written = nodes.iter().find(|node| node.id == step.id.as_str()).and_then(|node| match &node.kind {
        NodeKind::Branch(branch) => branch.branches.iter().find(|arm| arm.label == label),
        _ => None,
    });
    let rule = written.and_then(|arm| serde_json::to_string(&arm.when).ok());
    format!("`{label}` holds: {}", rule.unwrap_or_default())
}
