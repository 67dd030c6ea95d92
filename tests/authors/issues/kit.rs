//! Flows to be wrong in one place, and what is said of them.

use chatflow::Flow;
use chatflow::flow::IssueCode;
use serde_json::{Value, json};

pub(crate) struct Case {
    pub(crate) code: IssueCode,
    /// A flow that breaks the rule, and perhaps others because of it.
    pub(crate) wrong: String,
    /// A flow that is close to it and breaks no rule.
    pub(crate) right: String,
}

pub(crate) fn case(code: IssueCode, wrong: impl ToString, right: impl ToString) -> Case {
    Case { code, wrong: wrong.to_string(), right: right.to_string() }
}

/// A manual flow of a start node `s`, the given nodes and edges, that sends on a channel without
/// limits of its own.
pub(crate) fn flow(nodes: Value, edges: Value) -> Value {
    with_start(json!({"id": "s", "kind": "start"}), nodes, edges)
}

pub(crate) fn with_start(start: Value, nodes: Value, edges: Value) -> Value {
    let mut all = vec![start];
    all.extend(nodes.as_array().unwrap().iter().cloned());
    json!({"spec": 1, "code": "c", "trigger": {"kind": "manual"}, "nodes": all, "edges": edges,
        "settings": {"sender": {"channel": "pigeon", "account": "a"}}})
}

/// A flow of a start node and one more, `n`.
pub(crate) fn one(node: Value) -> Value {
    flow(json!([node]), json!([{"from": "s", "to": "n"}]))
}

/// A flow with one field more, or another; settings beside those that it has.
pub(crate) fn set(mut flow: Value, field: &str, value: Value) -> Value {
    match (flow.get_mut(field), value) {
        (Some(Value::Object(has)), Value::Object(more)) => has.extend(more),
        (_, value) => {
            flow.as_object_mut().unwrap().insert(field.to_owned(), value);
        }
    }
    flow
}

pub(crate) fn without(mut flow: Value, field: &str) -> Value {
    flow.as_object_mut().unwrap().remove(field);
    flow
}

/// Sent from WhatsApp, by any trigger.
pub(crate) fn on_whatsapp(flow: Value) -> Value {
    set(flow, "settings", json!({"sender": {"channel": "whatsapp", "account": "a"}}))
}

pub(crate) fn end() -> Value {
    one(json!({"id": "n", "kind": "end"}))
}

pub(crate) fn send(text: &str) -> Value {
    one(json!({"id": "n", "kind": "send_message", "text": text}))
}

pub(crate) fn arm(when: Value) -> Value {
    flow(
        json!([{"id": "n", "kind": "branch", "branches": [{"label": "1", "when": when}]}, {"id": "e", "kind": "end"}]),
        json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "1", "to": "e"},
               {"from": "n", "branch": "else", "to": "e"}]),
    )
}

pub(crate) fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({"expr": "true"}), |inner, _| json!({"not": inner}))
}

/// With a sender that takes free texts at any time.
pub(crate) fn on_sms(flow: Value) -> Value {
    set(flow, "settings", json!({"sender": {"channel": "sms", "account": "a"}}))
}

/// The issues of a flow, errors and warnings.
pub(crate) fn said(json: &str) -> String {
    match Flow::from_json(json) {
        Ok(flow) => format!("{:#}", flow.warnings()),
        Err(issues) => format!("{issues:#}"),
    }
}

pub(crate) fn first(flow: Value) -> String {
    said(&flow.to_string())
        .lines()
        .next()
        .unwrap_or_default()
        .split("; ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// A call of a flow.
pub(crate) fn call(flow: &str) -> Value {
    json!({"id": "call", "kind": "call_flow", "flow": flow})
}
