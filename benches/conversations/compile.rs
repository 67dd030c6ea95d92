//! P6: reading, checking and compiling a flow of 1,000 nodes.

use chatflow::Flow;
use serde_json::json;

use crate::measure::timed;
use crate::median::median;

const NODES: usize = 1_000;
/// Start and end; three nodes to a question.
const QUESTIONS: usize = (NODES - 2) / 3;
const PASSES: usize = 25;

pub(crate) fn run() {
    let json = line().to_string();
    let times = (0..PASSES).map(|_| {
        let time = timed(|| drop(Flow::from_json(&json).expect("the flow is right")));
        time as f64 / 1e6
    });
    let (time, spread) = median(times.collect());
    println!(
        "P6: {NODES} nodes ({} KiB) are read, checked and compiled in {time:.1} ms (spread {spread:.0} %)",
        json.len() >> 10
    );
}

/// Questions one after the other, each with a branch on its answer.
fn line() -> serde_json::Value {
    let mut nodes = vec![json!({"id": "start", "kind": "start"})];
    let mut edges = vec![json!({"from": "start", "to": "ask0"})];
    for n in 0..QUESTIONS {
        let (ask, wait, pick, next) =
            (format!("ask{n}"), format!("wait{n}"), format!("pick{n}"), format!("ask{}", n + 1));
        nodes.push(json!({"id": ask, "kind": "send_message", "text": "Question {{context.name}}: {{vars.answer | default('none')}}?"}));
        nodes.push(json!({"id": wait, "kind": "wait_reply", "save_to": "answer"}));
        nodes.push(json!({"id": pick, "kind": "branch",
            "branches": [{"label": "yes", "when": {"value": "{{reply.text}}", "op": "string_equals", "to": "yes"}}]}));
        edges.push(json!({"from": ask, "to": wait}));
        edges.push(json!({"from": wait, "to": pick}));
        edges.push(json!({"from": pick, "branch": "yes", "to": next}));
        edges.push(json!({"from": pick, "branch": "else", "to": next}));
    }
    nodes.push(json!({"id": format!("ask{}", QUESTIONS), "kind": "end"}));
    json!({"spec": 1, "code": "line", "trigger": {"kind": "manual"}, "nodes": nodes, "edges": edges})
}
