//! Hostile flows, values and texts, each within a budget of memory and CPU time: nothing aborts,
//! stalls or swells.

use std::time::Duration;

use chatflow::diagram::Diagram;
use chatflow::flow::IssueCode;
use chatflow::ops::SessionFilter;
use chatflow::session::FailureCode;
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{Channel, Engine, Flow, Inbound, MemoryStore, Received, Session, Status, TriggerRequest};
use cpu_time::ThreadTime;
use pollster::block_on;
use serde_json::{Value, json};

use crate::allocator;

/// The most that one attack may hold, and how long it may take on one core in a build without
/// optimisation.
const MOST_BYTES: i64 = 64 << 20;
const MOST_TIME: Duration = Duration::from_secs(2);

/// Runs an attack within the budget.
fn within_budget<T>(attack: impl FnOnce() -> T) -> T {
    let before = allocator::start_peak();
    let start = ThreadTime::now();
    let outcome = attack();
    let (time, bytes) = (start.elapsed(), allocator::peak() - before);
    assert!(time < MOST_TIME, "took {time:?}");
    assert!(bytes < MOST_BYTES, "held {bytes} bytes");
    outcome
}

fn codes(json: &str) -> Vec<IssueCode> {
    match Flow::from_json(json) {
        Ok(flow) => flow.warnings().iter().map(|issue| issue.code).collect(),
        Err(issues) => issues.iter().map(|issue| issue.code).collect(),
    }
}

/// A flow of start, the given nodes in a row, and nothing else.
fn row(nodes: &[Value]) -> String {
    let mut all = vec![json!({"id": "start", "kind": "start"})];
    let mut edges = Vec::new();
    let mut last = "start".to_owned();
    for (place, node) in nodes.iter().enumerate() {
        let mut node = node.clone();
        let id = format!("n{place}");
        node["id"] = json!(id);
        edges.push(json!({"from": last, "to": id}));
        last = id;
        all.push(node);
    }
    let settings = json!({"sender": {"channel": "sms", "account": "555"}});
    json!({"spec": 1, "code": "f", "trigger": {"kind": "manual"}, "settings": settings, "nodes": all, "edges": edges})
        .to_string()
}

fn expr(source: &str) -> Value {
    json!({"kind": "set_variables", "variables": [{"name": "x", "expr": source}]})
}

/// Runs a flow to its first wait with this context; answers the session and what was said.
fn run(flow: &str, context: Value) -> (Session, Vec<String>) {
    let channel = Recorder::new();
    let bot =
        Engine::builder(MemoryStore::new()).transport(channel.clone()).clock(ManualClock::default()).build();
    block_on(bot.flows().ensure(flow)).expect("the flow can be published");
    let request = TriggerRequest::new("f").phone("+14155550123").context(context);
    let started = block_on(bot.trigger(request)).expect("the trigger is right");
    let id = started.session().expect("it starts").session_id;
    let session = block_on(bot.session(id)).expect("the store works").expect("it is there").session().clone();
    (session, channel.take_texts())
}

#[test]
fn nested_json_is_refused() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(within_budget(|| codes(&deep)), [IssueCode::TooDeep]);
    }
}

#[test]
fn a_large_file_is_refused_before_it_is_parsed() {
    let large = format!("[{}[]]", "[],".repeat(3 << 20));
    assert_eq!(within_budget(|| codes(&large)), [IssueCode::TooLarge]);
}

#[test]
fn ten_thousand_nodes_are_refused() {
    let nodes: Vec<Value> = (0..10_000).map(|_| json!({"kind": "end"})).collect();
    let flow = row(&nodes);
    assert!(within_budget(|| codes(&flow)).contains(&IssueCode::TooManyNodes));
}

#[test]
fn nested_expressions_are_refused_and_long_ones_end() {
    let sources = [
        format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("{}1{}", "(".repeat(4_000), ")".repeat(4_000)),
        format!("{}1{}", "[".repeat(4_000), "]".repeat(4_000)),
        format!("{}1", "not ".repeat(4_000)),
        format!("{}1", "-".repeat(8_000)),
        format!("{}1", "1 if 1 else ".repeat(1_000)),
    ];
    for source in sources {
        let flow = row(&[expr(&source)]);
        let is_nested = source.starts_with(['(', '[']) || source.contains("else");
        assert_eq!(
            within_budget(|| codes(&flow)).contains(&IssueCode::BadExpression),
            is_nested,
            "{source:.9}"
        );
        if !is_nested {
            let (session, _) = within_budget(|| run(&flow, json!({})));
            assert!(!session.status().is_live(), "{source:.9}");
        }
    }
}

#[test]
fn a_text_that_doubles_ends_its_session() {
    let mut nodes = vec![expr("'0123456789'")];
    nodes.extend((0..60).map(|_| expr("vars.x ~ vars.x")));
    let flow = row(&nodes);
    let (session, said) = within_budget(|| run(&flow, json!({})));
    assert_eq!(session.status(), Status::Failed);
    assert_eq!(session.failure().map(|failure| failure.code), Some(FailureCode::Expression));
    assert!(said.is_empty());
}

#[test]
fn a_value_that_nests_itself_ends_its_session() {
    let nest = json!({"kind": "set_variables", "variables": [{"name": "x", "expr": "[vars.x]"}]});
    let flow = row(&vec![nest; 60]);
    let (session, _) = within_budget(|| run(&flow, json!({})));
    assert_eq!(session.failure().map(|failure| failure.code), Some(FailureCode::Variables));
}

#[test]
fn filters_can_not_swell_a_text() {
    let text = "a".repeat(9_000);
    for source in [
        "context.t | replace('a', context.t)",
        "context.t | replace('', context.t)",
        "context.t | split('') | join(context.t)",
        "context.t | truncate(9223372036854775807)",
        "1 | round(9223372036854775807)",
        "9223372036854775807 * 9223372036854775807",
        "-9223372036854775807 // -1",
    ] {
        let flow = row(&[expr(source), json!({"kind": "end"})]);
        let (session, _) = within_budget(|| run(&flow, json!({"t": text})));
        assert!(matches!(session.status(), Status::Completed | Status::Failed), "{source}");
        assert!(session.vars().byte_len() < 64 << 10, "{source}");
    }
}

#[test]
fn patterns_are_linear_and_small() {
    let branch = |pattern: &str| {
        let when = json!({"value": "{{ context.t }}", "op": "string_contains_match", "to": pattern});
        json!({"kind": "branch", "branches": [{"label": "yes", "when": when}]})
    };
    let flow = |pattern: &str| {
        let mut flow: Value = serde_json::from_str(&row(&[branch(pattern)])).expect("JSON");
        for label in ["yes", "else"] {
            flow["edges"]
                .as_array_mut()
                .expect("a list")
                .push(json!({"from": "n0", "branch": label, "to": label}));
            flow["nodes"].as_array_mut().expect("a list").push(json!({"id": label, "kind": "end"}));
        }
        flow.to_string()
    };
    let huge = flow(r"(\w{1000}){1000}");
    assert!(within_budget(|| codes(&huge)).contains(&IssueCode::BadRegex));
    for (pattern, text) in [("(a+)+$", "a".repeat(9_000) + "!"), (".*[^A-Z]|[A-Z]", "A".repeat(9_000))] {
        let flow = flow(pattern);
        let (session, _) = within_budget(|| run(&flow, json!({"t": text})));
        assert_eq!(session.status(), Status::Completed);
    }
}

#[test]
fn what_people_write_is_never_evaluated() {
    let bomb = "{{ 7 * 7 }} {% for x in y %} {{ 'a' ~ 'b' }}";
    let flow = row(&[json!({"kind": "send_message", "text": "You said {{ context.t }}"}), expr("context.t")]);
    let (session, said) = within_budget(|| run(&flow, json!({"t": bomb})));
    assert_eq!(said, [format!("You said {bomb}")]);
    assert_eq!(session.vars().get("x").and_then(|value| value.as_str()), Some(bomb));
}

#[test]
fn contexts_and_texts_beyond_their_limits_leave_nothing() {
    let bot = Engine::builder(MemoryStore::new()).clock(ManualClock::default()).build();
    block_on(bot.flows().ensure(&row(&[json!({"kind": "wait_reply"})]))).expect("the flow can be published");
    let deep = (0..500).fold(json!(1), |inner, _| json!([inner]));
    for context in [json!({"t": "a".repeat(1 << 20)}), json!({"t": deep}), json!([1, 2])] {
        let request = TriggerRequest::new("f").phone("+14155550123").context(context);
        let error = within_budget(|| block_on(bot.trigger(request))).expect_err("it is refused");
        assert_eq!(error.code(), "invalid_input");
        assert!(error.to_string().starts_with("`context"), "{error}");
    }
    let message = Inbound::text(Channel::Sms, "555", "+14155550123", "a".repeat((16 << 10) + 1));
    let error = within_budget(|| block_on(bot.receive(message))).expect_err("it is refused");
    assert_eq!(error.to_string(), "`text` must have at most 16384 bytes");
    assert!(block_on(bot.sessions(SessionFilter::all())).expect("the store works").is_empty());
    let message = Inbound::text(Channel::Sms, "555", "+14155550123", "a");
    assert_eq!(block_on(bot.receive(message)).expect("it is right"), Received::Unmatched);
}

#[test]
fn ten_thousand_edges_are_refused() {
    let mut flow: Value = serde_json::from_str(&row(&[json!({"kind": "end"})])).expect("JSON");
    flow["edges"] = (0..10_000).map(|_| json!({"from": "start", "to": "n0"})).collect();
    assert!(within_budget(|| codes(&flow.to_string())).contains(&IssueCode::TooManyEdges));
}

#[test]
fn huge_texts_are_refused() {
    let long = "a{{ context.t }}".repeat(50_000);
    let flow = row(&[json!({"kind": "send_message", "text": long})]);
    assert!(within_budget(|| Flow::from_json(&flow)).is_err());
    for field in ["name", "id"] {
        let mut flow: Value = serde_json::from_str(&row(&[json!({"kind": "end"})])).expect("JSON");
        flow["nodes"][1][field] = json!("x".repeat(900_000));
        assert!(within_budget(|| Flow::from_json(&flow.to_string())).is_err(), "{field}");
    }
}

#[test]
fn nested_conditions_are_refused() {
    let deep = (0..60).fold(json!({"expr": "true"}), |inner, _| json!({"not": inner}));
    let flow = row(&[json!({"kind": "branch", "branches": [{"label": "a", "when": deep}]})]);
    assert!(within_budget(|| Flow::from_json(&flow)).is_err());
}

#[test]
fn jumps_that_lead_to_one_another_are_refused_or_end_their_session() {
    let jump = |place: usize| json!({"kind": "jump", "target": format!("n{}", (place + 1) % 50), "max_jumps": u32::MAX});
    let flow = row(&(0..50).map(jump).collect::<Vec<_>>());
    if within_budget(|| Flow::from_json(&flow)).is_ok() {
        let (session, said) = within_budget(|| run(&flow, json!({})));
        assert_eq!(session.status(), Status::Failed);
        assert!(said.is_empty());
    }
}

/// Everything that can be drawn, each within the budget; answers how long each is.
fn drawn(flow: &Flow) -> [usize; 3] {
    let diagram = Diagram::of(flow);
    [within_budget(|| diagram.svg()), within_budget(|| diagram.mermaid()), within_budget(|| diagram.dot())]
        .map(|text| text.len())
}

/// A thousand nodes, each with so many ways to nodes that a step of its own finds.
fn web(kind: &Value, ways: &[&str], to: impl Fn(usize, usize) -> usize) -> Flow {
    let mut nodes = vec![json!({"id": "start", "kind": "start"})];
    let mut edges = vec![json!({"from": "start", "to": "n0"})];
    for place in 0..998 {
        let mut node = kind.clone();
        node["id"] = json!(format!("n{place}"));
        nodes.push(node);
        edges.push(json!({"from": format!("n{place}"), "branch": ways[0], "to": format!("n{}", place + 1)}));
        edges.extend(ways[1..].iter().enumerate().map(|(way, branch)| {
            let to = to(place, way).min(998);
            json!({"from": format!("n{place}"), "branch": branch, "to": format!("n{to}")})
        }));
    }
    nodes.push(json!({"id": "n998", "kind": "end"}));
    let flow = json!({"spec": 1, "code": "f", "trigger": {"kind": "manual"}, "nodes": nodes, "edges": edges});
    Flow::from_json(&flow.to_string()).unwrap_or_else(|issues| panic!("{issues}"))
}

#[test]
fn pictures_of_tangled_flows_are_bounded() {
    let when = json!({"expr": "true"});
    let arms: Vec<Value> = ["a", "b", "c"].map(|label| json!({"label": label, "when": when})).to_vec();
    let branch = json!({"kind": "branch", "branches": arms});
    let wait = json!({"kind": "wait_reply", "timeout": "1m"});
    let forward = |step: usize| move |place: usize, way: usize| place + 1 + (place * step + way * 131) % 900;
    for flow in [
        web(&branch, &["a", "b", "c", "else"], forward(7)),
        web(&branch, &["a", "b", "c", "else"], |_, _| 998),
        web(&wait, &["replied", "timeout"], |place, _| place * 37 % 998),
        web(&wait, &["replied", "timeout"], |place, _| place),
    ] {
        for length in drawn(&flow) {
            assert!(length < 8 << 20, "{length} bytes");
        }
    }
}

#[test]
fn pictures_of_wide_flows_are_bounded() {
    let mut nodes = vec![json!({"id": "start", "kind": "start"})];
    let mut edges = vec![json!({"from": "start", "to": "b0"})];
    for fan in 0..4 {
        let arm = |arm: usize| json!({"label": format!("{arm}"), "when": {"expr": "true"}});
        nodes.push(json!({"id": format!("b{fan}"), "kind": "branch", "branches": (0..240).map(arm).collect::<Vec<_>>()}));
        for arm in 0..240 {
            let id = format!("n{fan}-{arm}");
            nodes.push(json!({"id": id, "kind": "send_message", "name": "<&\"".repeat(60), "text": "a ".repeat(200)}));
            edges.push(json!({"from": format!("b{fan}"), "branch": format!("{arm}"), "to": id}));
            edges.push(json!({"from": id, "to": "done"}));
        }
        let next = if fan == 3 { "done".to_owned() } else { format!("b{}", fan + 1) };
        edges.push(json!({"from": format!("b{fan}"), "branch": "else", "to": next}));
    }
    nodes.push(json!({"id": "done", "kind": "end"}));
    let settings = json!({"sender": {"channel": "sms", "account": "555"}});
    let flow = json!({"spec": 1, "code": "f", "trigger": {"kind": "manual"}, "settings": settings, "nodes": nodes, "edges": edges});
    let flow = Flow::from_json(&flow.to_string()).unwrap_or_else(|issues| panic!("{issues}"));
    for length in drawn(&flow) {
        assert!(length < 8 << 20, "{length} bytes");
    }
}
