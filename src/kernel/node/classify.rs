//! `classify`: asks the host for the class of a text, and takes its branch (SEMANTICS D2).

use serde_json::Value;

use crate::flow::Step;
use crate::flow::node::{Classify, Port};
use crate::kernel::Input;
use crate::kernel::node::call::{self, Meaning};
use crate::kernel::turn::{Move, Run};
use crate::session::CallKind;

pub(super) fn enter(run: &mut Run<'_>, node: &Classify) -> Move {
    call::enter(run, CallKind::Classify, CallKind::Classify.as_str().into(), &node.call)
}

pub(super) fn resume(run: &mut Run<'_>, step: &Step, node: &Classify, input: Input) -> Move {
    call::answer(run, step, &node.call, input, |value| meaning(node, value)).leave(step, &node.call)
}

fn meaning(node: &Classify, answer: &Value) -> Meaning {
    let (class, score) = match answer {
        Value::Object(answer) => (answer.get("class").unwrap_or(&Value::Null), answer.get("score")),
        class => (class, None),
    };
    let is_sure = match (node.threshold, score.and_then(Value::as_f64)) {
        (Some(least), Some(score)) => score >= least,
        _ => true,
    };
    match class {
        Value::String(class) if is_sure => Meaning::Take(port_of(node, class)),
        Value::String(_) | Value::Null => Meaning::Take(node.else_port()),
        _ => Meaning::Refused("the host's answer names no class".into()),
    }
}

fn port_of(node: &Classify, class: &str) -> Port {
    let place = node.classes.iter().position(|id| **id == *class);
    place.and_then(|place| u16::try_from(place).ok()).map_or(node.else_port(), Port)
}
