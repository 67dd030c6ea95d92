//! The results of ended sessions (SEMANTICS Q8).

use std::sync::Arc;

use chatflow::flow::{FlowDef, IssueCode, Severity};
use chatflow::limits::Limits;
use chatflow::ops::{ResultRow, SessionFilter};
use chatflow::{Flow, MemoryStore, Status, TriggerRequest};
use pollster::block_on;
use serde_json::{Value, json};

use crate::kit::*;
use crate::operators_kit;

fn rows(world: &World, flow: &str) -> Vec<ResultRow> {
    block_on(world.bot.results(&id(flow), SessionFilter::all())).unwrap()
}

/// The values of the only session that has ended.
fn values(world: &World, flow: &str) -> Value {
    let rows = rows(world, flow);
    assert_eq!(rows.len(), 1);
    json!(rows[0].values)
}

fn sets(flow: Sketch, id: &str, name: &str, value: Value) -> Sketch {
    flow.node(id, "set_variables", json!({"variables": [{"name": name, "value": value}]}))
}

/// Q8
#[test]
fn q8_results_stay_with_ended_sessions() {
    let store = Arc::new(MemoryStore::new());
    block_on(operators_kit::results_stay(async || Arc::clone(&store)));
}

/// Q8
#[test]
fn q8_pages_of_results_have_no_gaps_and_no_repeats() {
    let store = Arc::new(MemoryStore::new());
    block_on(operators_kit::pages_of_results(async || Arc::clone(&store)));
}

/// Q8, S14
#[test]
fn q8_results_of_a_version_that_is_not_readable_here_are_read_elsewhere() {
    let store = Arc::new(MemoryStore::new());
    block_on(operators_kit::results_of_what_is_not_readable_here(async || Arc::clone(&store)));
}

/// Q8, N9: they are those of the flow that was started, wherever the session ended.
#[test]
fn q8_results_are_those_of_the_flow_that_was_started() {
    let child =
        sets(flow("child").set("results", json!(["mood"])), "set", "mood", json!("child's")).wait("w");
    let root = |call: Value| {
        let root = flow("root").set("results", json!(["mood", "deep"]));
        sets(root, "set", "mood", json!("root's")).node("call", "call_flow", call)
    };
    for terminal in [false, true] {
        let world = World::with([child.clone(), root(json!({"flow": "child", "terminal": terminal}))]);
        let session = world.start("root").session_id;
        block_on(world.bot.cancel(session)).unwrap();
        assert_eq!(values(&world, "root"), json!({"mood": "root's"}), "terminal: {terminal}");
        assert_eq!(rows(&world, "child"), [], "it was called, not started");

        let world = World::with([child.clone(), root(json!({"flow": "child", "terminal": terminal}))]);
        world.start("root");
        world.say("fine");
        assert_eq!(values(&world, "root"), json!({"mood": "root's"}), "terminal: {terminal}");
    }
    let output = json!({"flow": "child", "output": [{"name": "deep", "expr": "vars.mood"}]});
    let world = World::with([child, root(output)]);
    world.start("root");
    world.say("fine");
    assert_eq!(values(&world, "root"), json!({"mood": "root's", "deep": "child's"}));
}

/// Q8: a flow that takes its own place has the results of its last round.
#[test]
fn q8_a_flow_that_begins_anew_has_the_results_of_its_last_round() {
    let again = flow("again")
        .set("results", json!(["mood", "round"]))
        .start("inputs", json!([{"name": "round", "type": "number", "default": 1}]));
    let again = again.node("wait", "wait_reply", json!({"save_to": "mood"})).node(
        "call",
        "call_flow",
        json!({"flow": "again", "terminal": true, "input": [{"name": "round", "expr": "round + 1"}]}),
    );
    let world = World::with([again]);
    let session = world.start("again").session_id;
    world.say("fine");
    world.say("better");
    block_on(world.bot.cancel(session)).unwrap();
    assert_eq!(values(&world, "again"), json!({"round": 1}), "the third round has heard nothing");
}

/// Q8: expired, failed by a limit, completed: each has what it had.
#[test]
fn q8_results_are_kept_however_a_session_ends() {
    let asks = |code: &str| sets(flow(code).set("results", json!(["a", "b"])), "set", "a", json!("x"));
    let long = "y".repeat(1_000);
    let grows = sets(asks("grows").wait("wait"), "more", "b", json!(format!("{{{{ reply.text }}}}{long}")));
    let fails = asks("fails").wait("wait").send("bad", "{{ 1 / 0 }}");
    let limits = Limits { variable_bytes: 800, ..Limits::default() };
    let world = World::built(|builder| builder.limits(limits));
    world.publish([grows, fails, asks("expires").wait("wait")]);
    for flow in ["grows", "fails", "expires"] {
        let session = world.start(flow).session_id;
        match flow {
            "expires" => world.tick_after(hours(1)),
            _ => drop(world.say("fine")),
        }
        let row = rows(&world, flow).remove(0);
        let status = if flow == "expires" { Status::Expired } else { Status::Failed };
        assert_eq!((row.session, row.status, row.failure.is_some()), (session, status, flow != "expires"));
        assert_eq!(json!(row.values), json!({"a": "x"}), "{flow}");
    }
}

/// Q8: a conversation that has grown too large ends its session with what it has.
#[test]
fn q8_results_of_a_conversation_that_grew_too_large_are_kept() {
    let limits = Limits { conversation_bytes: 4_000, ..Limits::default() };
    let world = World::built(|builder| builder.limits(limits));
    let talks = sets(flow("f").set("results", json!(["a"])), "set", "a", json!("x")).wait("wait");
    world.publish([talks.node("more", "wait_reply", json!({"save_to": "b"}))]);
    world.start("f");
    world.say(&"y".repeat(4_000));
    let row = rows(&world, "f").remove(0);
    assert_eq!(row.failure.unwrap().to_string(), "conversation_size");
    assert_eq!(json!(row.values), json!({"a": "x"}));
}

/// Q8: names are checked when the flow is published, and the issue says which field.
#[test]
fn q8_names_of_results_are_checked() {
    let asks = |results: Value| {
        let flow = flow("f").set("results", results).start("inputs", json!([{"name": "order"}]));
        flow.node("wait", "wait_reply", json!({"save_to": "mood"})).json()
    };
    let good = Flow::from_json(&asks(json!(["mood", "order"]))).unwrap();
    assert!(good.warnings().is_empty());
    assert_eq!(good.settings().results.iter().map(|name| &**name).collect::<Vec<_>>(), ["mood", "order"]);
    assert_eq!(FlowDef::from_json(&good.def().to_json()).unwrap(), *good.def());

    let said = |results: Value| {
        let issues = match Flow::from_json(&asks(results)) {
            Ok(flow) => flow.warnings().clone(),
            Err(issues) => issues,
        };
        issues.iter().map(|issue| (issue.severity, issue.code, issue.path.clone())).collect::<Vec<_>>()
    };
    let at = |place: usize| format!("settings.results[{place}]");
    let (warning, error) = (Severity::Warning, Severity::Error);
    assert_eq!(said(json!(["mood", "mod"])), [(warning, IssueCode::UndeclaredVariable, at(1))]);
    assert_eq!(said(json!(["my mood"])), [(error, IssueCode::BadName, at(0))]);
    assert_eq!(said(json!(["reply"])), [(error, IssueCode::BadName, at(0))]);
    let list = "settings.results".to_owned();
    assert_eq!(said(json!(["mood", "mood"])), [(error, IssueCode::DuplicateBranch, list.clone())]);
    assert_eq!(said(json!("mood")), [(error, IssueCode::WrongType, list.clone())]);
    assert_eq!(said(json!([1])), [(error, IssueCode::WrongType, at(0))]);
    let many: Vec<String> = (0..101).map(|number| format!("v{number}")).collect();
    assert!(said(json!(many)).contains(&(error, IssueCode::BadValue, list)));
    let warned = Flow::from_json(&asks(json!(["mod"]))).unwrap();
    assert_eq!(
        warned.warnings().iter().next().unwrap().to_string(),
        "warning: settings.results[0]: `mod` is not an input of the start node, and no node sets it; \
         did you mean \"mood\"? (undeclared_variable)"
    );
}

/// Q8: erasing a contact takes its results along.
#[test]
fn q8_results_go_with_an_erased_contact() {
    let world = World::with([sets(flow("f").set("results", json!(["a"])), "set", "a", json!("x"))]);
    let session = world.begin(TriggerRequest::new("f").phone(ADA));
    assert_eq!(values(&world, "f"), json!({"a": "x"}));
    block_on(world.bot.erase(&session.contact_id, chatflow::ops::EraseOptions::new())).unwrap();
    assert_eq!(rows(&world, "f"), []);
}
