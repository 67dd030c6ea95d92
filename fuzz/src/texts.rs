//! Texts of authors: flows, expressions and templates, talks.

use chatflow::Flow;
use chatflow::diagram::Diagram;
use chatflow::flow::FlowDef;
use chatflow::ops::Rehearsal;
use chatflow::talk::Talk;
use serde_json::json;

/// A flow file is a flow or has issues, each of which can be told; a flow can be drawn, and what it
/// is written as is the same flow.
pub fn flows(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(def) = FlowDef::from_json(text) {
        let written = serde_json::to_string(&def).expect("a definition is JSON");
        let again = FlowDef::from_json(&written).expect("what is written can be read");
        assert_eq!(serde_json::to_string(&again).expect("JSON"), written);
    }
    match Flow::from_json(text) {
        Ok(flow) => assert!(!Diagram::of(&flow).svg().is_empty()),
        Err(issues) => assert!(!format!("{issues}{issues:#}").is_empty()),
    }
}

/// A template and an expression are refused or have a value; a session that reads one ends.
pub fn expressions(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (template, expression) = text.split_once('\u{0}').unwrap_or((text, text));
    let flow = json!({
        "spec": 1, "code": "fuzz", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "sms", "account": "+15550100"}},
        "nodes": [
            {"id": "start", "kind": "start"},
            {"id": "set", "kind": "set_variables", "variables": [{"name": "x", "expr": expression}]},
            {"id": "way", "kind": "branch", "branches": [{"label": "yes", "when": {"expr": expression}}]},
            {"id": "say", "kind": "send_message", "text": template}
        ],
        "edges": [
            {"from": "start", "to": "set"}, {"from": "set", "to": "way"},
            {"from": "way", "branch": "yes", "to": "say"}, {"from": "way", "branch": "else", "to": "say"}
        ]
    });
    let Ok(run) = Rehearsal::of(&flow.to_string()) else { return };
    let mut run = run.at(chrono::DateTime::UNIX_EPOCH);
    let context = json!({
        "name": "Ada", "n": 3, "price": "12.50", "list": [{"id": 1, "price": {"amount": 2.5}}, "b", null],
        "when": "2026-05-07T08:14:23+00:00", "deep": {"a": {"b": [true, 1e300, -7]}}
    });
    if run.start(context).is_ok() {
        let session = run.session().expect("it was started");
        assert!(!session.status().is_live(), "{session:?}");
    }
}

/// A talk is refused with its place, or printed as it was read.
pub fn talks(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Talk::parse(text) {
        Ok(talk) => {
            let printed = talk.to_string();
            let again = Talk::parse(&printed).expect("what is printed can be read");
            assert_eq!(again.to_string(), printed);
            assert_eq!(again.lines().len(), talk.lines().len());
        }
        Err(bad) => assert!(!bad.to_string().is_empty()),
    }
}
