//! Everything that an author is told while drawing: issues, branches, places, previews.

use chatflow::diagram::{Diagram, Places};
use chatflow::flow::NodeDef;
use chatflow::flow::draft::{Answered, Draft};
use chatflow::ops::Rehearsal;
use chatflow::talk::Line;
use chatflow::{Channel, Flow, Outbound};
use serde_json::{Value, json};

use crate::Answered as Answer;
use crate::answer::{bad, optional};

pub(crate) fn check(flow: &str) -> Value {
    let (issues, compiled) = match Flow::from_json(flow) {
        Ok(flow) => (flow.warnings().clone(), true),
        Err(issues) => (issues, false),
    };
    json!({"issues": issues, "runs": compiled})
}

/// The branches of a node, and the one of an edge that names none.
pub(crate) fn ports(node: &str) -> Value {
    match NodeDef::from_json(node) {
        Ok(node) => json!({"branches": node.branches(), "plain": node.default_branch()}),
        Err(_) => Value::Null,
    }
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

/// Renders by a flow of one message, so that a preview is what a contact would get: a text, an
/// expression, or a node that sends.
pub(crate) fn preview(request: &Value) -> Answer {
    let node = match (request.get("node"), optional(request, "text"), optional(request, "expr")) {
        (Some(node), ..) => node.clone(),
        (None, Some(text), _) => json!({"id": "say", "kind": "send_message", "text": text}),
        (None, None, Some(expr)) => {
            json!({"id": "say", "kind": "send_message", "text": format!("{{{{ {expr} }}}}")})
        }
        (None, None, None) => return Err(bad("text", "or `expr` or `node` must be given")),
    };
    let variables: Vec<Value> = request
        .get("vars")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let mut nodes = vec![json!({"id": " start", "kind": "start"})];
    let mut edges = Vec::new();
    let mut last = " start";
    if !variables.is_empty() {
        nodes.push(json!({"id": " set", "kind": "set_variables", "variables": variables}));
        edges.push(json!({"from": last, "to": " set"}));
        last = " set";
    }
    edges.push(json!({"from": last, "to": node["id"]}));
    // Each branch of the node leads to an end: what it leads to is not looked at.
    nodes.push(json!({"id": " end", "kind": "end"}));
    let times_out = node.get("timeout").is_some() && node.get("on_timeout").is_none();
    let ways = ports(&node.to_string());
    let branches = ways["branches"].as_array().into_iter().flatten();
    for branch in branches.filter(|branch| *branch != "timeout" || times_out) {
        edges.push(json!({"from": node["id"], "branch": branch, "to": " end"}));
    }
    nodes.push(node);
    let channel = optional(request, "channel").unwrap_or("web");
    let is_phone = channel.parse::<Channel>().is_ok_and(|channel| channel.is_phone());
    let account = if is_phone { "+15550100" } else { "preview" };
    let flow = json!({
        "spec": 1, "code": "preview", "trigger": {"kind": "manual"}, "nodes": nodes, "edges": edges,
        "settings": {"sender": {"channel": channel, "account": account}},
    });
    let mut run = Rehearsal::of(&flow.to_string())?;
    run.start(request.get("context").cloned().unwrap_or_else(|| json!({})))?;
    let sent: Vec<&Outbound> = run
        .transcript()
        .lines()
        .iter()
        .filter_map(|line| if let Line::Sent(message) = line { Some(&**message) } else { None })
        .collect();
    let text = sent.first().map(|message| message.text().to_owned()).unwrap_or_default();
    let contents: Vec<Value> = sent.iter().map(|message| json!(message.content)).collect();
    let failure = run.session().and_then(|session| session.failure().map(|why| why.message.to_string()));
    Ok(json!({"text": text, "contents": contents, "failure": failure}))
}

/// A flow from a description: what to ask a model, behind the guide, and what its answer comes to.
pub(crate) fn draft(request: &Value) -> Answer {
    let mut draft = Draft::from_requirement(optional(request, "requirement").unwrap_or_default());
    let Some(answer) = optional(request, "answer") else { return Ok(json!({"prompt": draft.request()})) };
    Ok(match draft.answer(answer) {
        Answered::Flow(flow) => json!({"flow": flow.def().to_json(), "warnings": flow.warnings()}),
        Answered::Repair { prompt, .. } => json!({"prompt": prompt, "repair": true}),
        Answered::GivenUp(issues) => json!({"issues": issues}),
    })
}
