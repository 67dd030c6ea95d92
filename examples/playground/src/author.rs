//! Everything that an author is told while drawing: issues, branches, places, previews.

use chatflow::Flow;
use chatflow::diagram::{Diagram, Places};
use chatflow::flow::NodeDef;
use chatflow::flow::draft::{Answered, Draft};
use chatflow::flow::gallery;
use chatflow::ops::Rehearsal;
use chatflow::talk::Line;
use serde_json::{Map, Value, json};

use crate::Answered as Answer;
use crate::answer::{bad, optional};

/// The filters of templates, a row each.
const FILTERS: &str = include_str!("../../../src/flow/lang/expr/filter/table.md");

pub(crate) fn templates() -> Value {
    let of = |template: &gallery::FlowTemplate| {
        let picture = Flow::from_json(template.json).map(|flow| Diagram::of(&flow).svg()).ok();
        json!({
            "code": template.code, "name": template.name, "description": template.description,
            "manual": template.is_manual, "json": template.json, "picture": picture,
        })
    };
    gallery::templates().iter().map(of).collect()
}

pub(crate) fn filters() -> Value {
    let cells = |row: &str| -> Vec<String> {
        row.replace("\\|", "\u{1}")
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.replace('\u{1}', "|").trim().to_owned())
            .collect()
    };
    let filters: Vec<Value> =
        FILTERS.lines().filter(|row| row.starts_with("| `")).map(|row| json!(cells(row))).collect();
    json!(filters)
}

pub(crate) fn check(flow: &str) -> Value {
    let (issues, compiled) = match Flow::from_json(flow) {
        Ok(flow) => (flow.warnings().clone(), Some(flow)),
        Err(issues) => (issues, None),
    };
    let written: Value = serde_json::from_str(flow).unwrap_or_default();
    let nodes = written.get("nodes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let branches: Map<String, Value> = nodes
        .iter()
        .filter_map(|node| Some((node.get("id")?.as_str()?.to_owned(), node)))
        .map(|(id, node)| {
            let read = NodeDef::from_json(&node.to_string());
            (id, read.map_or(Value::Null, |node| json!(node.branches())))
        })
        .collect();
    json!({"issues": issues, "branches": branches, "runs": compiled.is_some()})
}

pub(crate) fn arrange(request: &Value) -> Answer {
    let rows = |field: &str| request.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let (nodes, ways) = (rows("nodes"), rows("ways"));
    let text = |row: &Value, at: usize| row.get(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let nodes: Vec<(String, f64, f64)> = nodes
        .iter()
        .map(|row| {
            let length = |at: usize| row.get(at).and_then(Value::as_f64).unwrap_or(1.0);
            (text(row, 0), length(1), length(2))
        })
        .collect();
    let ways: Vec<[String; 3]> = ways.iter().map(|row| [text(row, 0), text(row, 1), text(row, 2)]).collect();
    let places = Places::arrange(
        nodes.iter().map(|(id, width, height)| (&**id, *width, *height)),
        ways.iter().map(|[from, branch, to]| (&**from, &**branch, &**to)),
    );
    Ok(json!(places))
}

pub(crate) fn picture(flow: &str) -> Answer {
    Ok(json!(Diagram::of(&Flow::from_json(flow)?).svg()))
}

/// Renders by a flow of one message, so that a preview is what a contact would get.
pub(crate) fn preview(request: &Value) -> Answer {
    let shown = match (optional(request, "text"), optional(request, "expr")) {
        (Some(text), _) => text.to_owned(),
        (None, Some(expr)) => format!("{{{{ {expr} }}}}"),
        (None, None) => return Err(bad("text", "or `expr` must be given")),
    };
    let variables: Vec<Value> = request
        .get("vars")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let mut nodes = vec![json!({"id": "start", "kind": "start"})];
    let mut last = "start";
    let mut edges = Vec::new();
    if !variables.is_empty() {
        nodes.push(json!({"id": "set", "kind": "set_variables", "variables": variables}));
        edges.push(json!({"from": last, "to": "set"}));
        last = "set";
    }
    nodes.push(json!({"id": "say", "kind": "send_message", "text": shown}));
    edges.push(json!({"from": last, "to": "say"}));
    let flow = json!({
        "spec": 1, "code": "preview", "trigger": {"kind": "manual"}, "nodes": nodes, "edges": edges,
        "settings": {"sender": {"channel": "web", "account": "preview"}},
    });
    let mut run = Rehearsal::of(&flow.to_string())?;
    run.start(request.get("context").cloned().unwrap_or_else(|| json!({})))?;
    let said = run.transcript().lines().iter().find_map(|line| match line {
        Line::Sent(message) => Some(message.text().to_owned()),
        _ => None,
    });
    let failure = run.session().and_then(|session| session.failure().map(|why| why.message.to_string()));
    Ok(json!({"text": said.unwrap_or_default(), "failure": failure}))
}

/// A flow from a description: what to ask a model, and what its answer comes to.
pub(crate) fn draft(request: &Value) -> Answer {
    let mut draft = Draft::from_requirement(optional(request, "requirement").unwrap_or_default());
    let Some(answer) = optional(request, "answer") else { return Ok(json!({"prompt": draft.prompt()})) };
    Ok(match draft.answer(answer) {
        Answered::Flow(flow) => json!({"flow": flow.def().to_json(), "warnings": flow.warnings()}),
        Answered::Repair(prompt) => json!({"prompt": prompt, "repair": true}),
        Answered::GivenUp(issues) => json!({"issues": issues}),
    })
}
