//! The flow files of the examples, the way from JSON to a flow and back, and hostile files.

use std::fs;
use std::sync::LazyLock;

use chatflow::flow::gallery::{FlowTemplate, templates};
use chatflow::flow::{FlowDef, IssueCode};
use chatflow::limits::Limits;
use chatflow::{Engine, Flow, MemoryStore, TriggerRequest, Triggered};
use pollster::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::build_kit::is_for_this_build;

/// Every field of the format, each with a value that is not its default.
fn everything() -> Value {
    json!({
        "$schema": "../flow.schema.json", "spec": 1, "code": "all", "name": "All", "remark": "r", "ui": [1, null, {"deep": {"er": 1.25}}],
        "trigger": {
            "kind": "inbound", "channel": "kiosk-7", "priority": -3, "campaign": "required",
            "rules": [{"match": "exact", "text": "Menu"}, {"match": "regex", "text": "a|b"}, {"match": "fallback"}]
        },
        "settings": {
            "session_ttl_minutes": 0, "ttl_mode": "fixed", "max_lifetime": "90m", "language": "de",
            "undefined": "keep", "sender": {"channel": "web", "account": "a"},
            "concurrency": {"per_contact": "reject"}, "reentry": {"cooldown": "24h"}, "max_message_age": "1d"
        },
        "nodes": [
            {"id": "start", "kind": "start", "name": "Begin", "ui": null, "input_policy": "any",
             "inputs": [{"name": "a", "type": "integer", "required": false, "default": 7, "example": 8},
                        {"name": "b", "type": "any", "default": null}, {"name": "c", "default": {"x": [1, 2.5, "t"]}}],
             "contact_from": "p", "contact_id_from": "c", "contact": "needed"},
            {"id": "hi", "kind": "send_message", "text": "{{ a }}", "action": "from_to", "channel": "sms",
             "from": "+1", "to": "{{ b }}", "options": [{"id": "1", "label": "One"}]},
            {"id": "wait", "kind": "wait_reply", "timeout": "1h30m", "save_to": "w", "accept": ["text", "media"],
             "on_timeout": "branch", "any_channel": true},
            {"id": "pick", "kind": "branch", "branches": [
                {"label": "1", "when": {"all": [
                    {"any": [{"expr": "a > 1"}, {"not": {"op": "exists", "value": "context.a"}}]},
                    {"value": "{{ a }}", "op": "number_between", "to": 1, "and": "{{ b }}"},
                    {"value": "x", "op": "in_list", "list": ["X", 2, -3.5], "ignore_case": true},
                    {"op": "option_payload", "to": "1"}]}}]},
            {"id": "set", "kind": "set_variables", "variables": [
                {"name": "x", "value": null}, {"name": "y", "value": ["{{ a }}", 1, {"k": "v"}]},
                {"name": "z", "expr": "1 + 1"}]},
            {"id": "later", "kind": "delay", "for": "45s"},
            {"id": "then", "kind": "delay", "until": "2026-05-07T08:00:00Z"},
            {"id": "call", "kind": "function", "function": "f", "args": {"n": "{{ a }}", "o": [true]},
             "save_to": "r", "timeout": "30s", "branches": ["other"]},
            {"id": "back", "kind": "jump", "target": "wait", "max_jumps": 2},
            {"id": "done", "kind": "end", "outcome": "fine"}
        ],
        "edges": [
            {"from": "start", "to": "hi", "ui": {"bend": [1, 2]}}, {"from": "hi", "branch": "next", "to": "wait"},
            {"from": "wait", "branch": "replied", "to": "pick"}, {"from": "wait", "branch": "timeout", "to": "done"},
            {"from": "pick", "branch": "1", "to": "set"}, {"from": "pick", "branch": "else", "to": "back"},
            {"from": "set", "to": "later"}, {"from": "later", "to": "then"}, {"from": "then", "to": "call"},
            {"from": "call", "branch": "other", "to": "back"}, {"from": "back", "to": "done"}
        ]
    })
}

#[test]
fn every_example_compiles_without_an_error_or_a_warning() {
    let mut files: Vec<_> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/flows"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    for FlowTemplate { code, json, .. } in templates() {
        files.retain(|file| file != json);
        if !is_for_this_build(json) {
            continue;
        }
        match Flow::from_json(json) {
            Ok(flow) => assert!(flow.warnings().is_empty(), "{code}:\n{:#}", flow.warnings()),
            Err(issues) => panic!("{code}:\n{issues:#}"),
        }
    }
    assert_eq!(files, Vec::<String>::new(), "not in the gallery");
}

/// Flows as authors write them, each of which is talked with in `tests/golden` or `tests/gallery`.
#[test]
fn flows_that_authors_write_are_published_without_a_warning() {
    let golden = |code: &str| {
        let file = format!("{}/tests/golden/{code}.flow.json", env!("CARGO_MANIFEST_DIR"));
        fs::read_to_string(file).unwrap()
    };
    let gallery = |code: &str| chatflow::flow::gallery::template(code).unwrap().json.to_owned();
    let flows = [
        gallery("order_picker"),
        golden("assessment"),
        gallery("insurance_claim"),
        gallery("appointment_reminder"),
        gallery("catalogue"),
        gallery("side_questions"),
        golden("drip_60_days"),
        gallery("course_by_mail"),
        gallery("escalation"),
        golden("damage_album"),
        golden("language_menu"),
        gallery("product_question"),
        golden("goods"),
        golden("carousel"),
    ];
    for flow in flows.iter().filter(|flow| is_for_this_build(flow)) {
        let bot = Engine::builder(MemoryStore::new()).build();
        let imported = block_on(bot.flows().import(flow)).unwrap();
        let code = imported.status.flow;
        if flow.contains(r#""kind": "inbound""#) {
            let account = chatflow::Account::new(chatflow::Channel::WhatsApp, "+15550100").unwrap();
            block_on(bot.flows().bind(&code, Some(account))).unwrap();
        }
        let _ = block_on(bot.flows().publish(&code)).unwrap();
        let warnings = Flow::from_json(flow).unwrap();
        assert!(warnings.warnings().is_empty(), "{code}:\n{:#}", warnings.warnings());
    }
}

#[test]
fn every_field_of_the_format_is_read_and_compiled() {
    check(&everything());
    let flow = Flow::from_json(&everything().to_string());
    assert!(flow.as_ref().is_ok_and(|flow| flow.warnings().is_empty()), "{:#}", flow.unwrap_err());
}

#[test]
fn export_gives_the_json_that_import_took() {
    let examples = templates().iter().map(|template| serde_json::from_str(template.json).unwrap());
    for json in examples.chain([everything()]) {
        let json: Value = json;
        let def = FlowDef::from_json(&json.to_string()).unwrap();
        assert_eq!(serde_json::to_value(&def).unwrap(), json);
        assert_eq!(FlowDef::from_json(&def.to_json()).unwrap(), def);
        assert_eq!(serde_json::from_value::<FlowDef>(json).unwrap(), def);
    }
}

#[test]
fn a_flow_is_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Flow>();
    shared::<FlowDef>();
}

// Hostile files.

#[track_caller]
fn refused(json: &str) -> IssueCode {
    let issues = Flow::from_json(json).unwrap_err();
    assert!(issues.has_errors());
    issues.errors().next().unwrap().code
}

#[test]
fn deep_and_large_files_are_refused_before_they_cost_anything() {
    assert_eq!(refused(&"[".repeat(100_000)), IssueCode::TooDeep);
    assert_eq!(refused(&"{\"a\":".repeat(100_000)), IssueCode::TooDeep);
    assert_eq!(refused(&format!("[{}]", "[],".repeat(10 << 20))), IssueCode::TooLarge);
    assert_eq!(refused(&"\"".repeat(1 << 20)), IssueCode::NotJson);
    assert_eq!(refused(""), IssueCode::NotJson);
    assert_eq!(refused("{} {}"), IssueCode::NotJson);
    assert_eq!(refused("null"), IssueCode::WrongType);
}

#[test]
fn a_file_with_nothing_but_issues_has_a_bounded_list_of_them() {
    let fields: Vec<String> = (0..50_000).map(|n| format!("\"f{n}\": 1")).collect();
    let issues = Flow::from_json(&format!("{{{}}}", fields.join(","))).unwrap_err();
    assert_eq!(issues.len(), 1_001);
    assert_eq!(issues.iter().last().unwrap().code, IssueCode::MoreIssues);
}

#[test]
fn a_key_that_is_given_twice_is_found_wherever_it_is() {
    let mut json = everything().to_string();
    json = json.replacen("\"bend\":", "\"bend\": 0, \"bend\":", 1);
    let issues = Flow::from_json(&json).unwrap_err();
    assert_eq!(issues.to_string(), "edges[0].ui.bend: appears twice (duplicate_key)");
}

#[test]
fn suggestions_for_a_thousand_wrong_names_are_not_made() {
    let nodes: Vec<Value> = (0..1_000).map(|n| json!({"id": format!("{n:->30}"), "kind": "end"})).collect();
    let edges: Vec<Value> =
        (0..4_000).map(|n| json!({"from": format!("{n:+>30}"), "to": format!("{n:*>30}")})).collect();
    let flow = json!({"spec": 1, "code": "c", "trigger": {"kind": "manual"}, "nodes": nodes, "edges": edges});
    assert_eq!(Flow::from_json(&flow.to_string()).unwrap_err().len(), 1_001);
}

#[test]
fn a_flow_can_not_be_made_of_regular_expressions() {
    let dear = "[a]".repeat(30);
    let rules = vec![json!({"match": "regex", "text": dear}); 3_000];
    let flow = json!({"spec": 1, "code": "c", "trigger": {"kind": "inbound", "channel": "web", "rules": rules},
                      "nodes": [{"id": "s", "kind": "start"}], "edges": []});
    let issues = Flow::from_json(&flow.to_string()).unwrap_err();
    let first = issues.iter().next().unwrap().to_string();
    assert!(first.starts_with("trigger.rules[4].text: is one too many"), "{first}");
}

/// A line of sends and waits, of so many nodes.
fn line(nodes: usize) -> String {
    let mut list = vec![json!({"id": "n0", "kind": "start"})];
    let mut edges = Vec::new();
    for n in 1..nodes {
        list.push(match n % 4 {
            0 => json!({"id": format!("n{n}"), "kind": "wait_reply", "save_to": format!("v{n}")}),
            1 => json!({"id": format!("n{n}"), "kind": "send_message", "text": "Hi {{ context.name | default('x') }}, {{ context.n }}"}),
            2 => json!({"id": format!("n{n}"), "kind": "set_variables", "variables": [{"name": "x", "expr": "n + 1"}]}),
            _ => json!({"id": format!("n{n}"), "kind": "branch", "branches": [
                {"label": "1", "when": {"value": "{{ reply.text | trim }}", "op": "string_equals", "to": "1"}}]}),
        });
        let from = format!("n{}", n - 1);
        let to = format!("n{n}");
        if (n - 1) % 4 == 3 {
            edges.push(json!({"from": from, "branch": "1", "to": to}));
            edges.push(json!({"from": from, "branch": "else", "to": to}));
        } else {
            edges.push(json!({"from": from, "to": to}));
        }
    }
    if (nodes - 1) % 4 == 3 {
        let from = format!("n{}", nodes - 1);
        edges.push(json!({"from": from, "branch": "1", "to": format!("n{}", nodes - 4)}));
        edges.push(json!({"from": from, "branch": "else", "to": format!("n{}", nodes - 4)}));
    }
    json!({"spec": 1, "code": "line", "trigger": {"kind": "manual"}, "nodes": list, "edges": edges})
        .to_string()
}

#[test]
fn ten_thousand_nodes_are_too_many_unless_the_host_says_otherwise() {
    let json = line(10_001);
    let large = Limits { flow_bytes: 16 << 20, ..Limits::default() };
    let issues = Flow::from_json_within(&json, &large).unwrap_err();
    assert_eq!(
        issues.iter().map(|issue| issue.code).collect::<Vec<_>>(),
        [IssueCode::TooManyNodes, IssueCode::TooManyEdges]
    );
    let wide = Limits { nodes: 20_000, edges: 40_000, ..large };
    Flow::from_json_within(&json, &wide).unwrap();
}

#[test]
fn a_flow_of_a_thousand_nodes_compiles() {
    Flow::from_json(&line(1_000)).unwrap();
}

// Properties.

/// Any JSON, with the words of the format in it more often than chance would have them.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        "[a-z_]{0,8}",
        prop::sample::select(vec![
            "start",
            "end",
            "send_message",
            "wait_reply",
            "branch",
            "jump",
            "delay",
            "function",
            "set_variables",
            "1",
            "else",
            "30m",
            "0s",
            "{{ a",
            "{{ reply.text }}",
            "manual",
            "inbound",
            "whatsapp",
            "string_equals",
            "(",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,12}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let key = prop_oneof![
        3 => prop::sample::select(vec![
            "id", "kind", "name", "ui", "text", "options", "label", "branches", "when", "all", "any", "not", "value",
            "op", "to", "and", "list", "expr", "target", "max_jumps", "variables", "for", "until", "function", "args",
            "timeout", "save_to", "from", "branch", "inputs", "rules", "match", "channel",
        ])
        .prop_map(str::to_owned),
        1 => "[a-z]{0,4}",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Puts `new` in the place of the value at a position, counted depth first; `None` takes it out of
/// its object or list.
fn replace(value: &mut Value, at: &mut usize, new: Option<&Value>) -> bool {
    let (mut emptied, mut place) = (None, 0);
    match value {
        Value::Array(list) => {
            for item in list.iter_mut() {
                if *at == 0 {
                    emptied = Some(place);
                    break;
                }
                *at -= 1;
                if replace(item, at, new) {
                    return true;
                }
                place += 1;
            }
            match (emptied, new) {
                (Some(place), Some(new)) => list[place] = new.clone(),
                (Some(place), None) => drop(list.remove(place)),
                _ => return false,
            }
        }
        Value::Object(object) => {
            let keys: Vec<String> = object.keys().cloned().collect();
            for key in keys {
                if *at == 0 {
                    match new {
                        Some(new) => drop(object.insert(key, new.clone())),
                        None => drop(object.remove(&key)),
                    }
                    return true;
                }
                *at -= 1;
                if replace(object.get_mut(&key).unwrap(), at, new) {
                    return true;
                }
            }
            return false;
        }
        _ => return false,
    }
    true
}

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&chatflow::flow::schema()).unwrap());

/// A flow, or issues with an error that print; whatever is read as a definition is written as it
/// was, and fits the schema.
fn check(json: &Value) {
    let text = json.to_string();
    match Flow::from_json(&text) {
        Ok(flow) => assert!(!flow.warnings().has_errors()),
        Err(issues) => {
            assert!(issues.has_errors());
            assert!(!format!("{issues}{issues:#}").is_empty());
            assert!(issues.iter().all(|issue| !issue.message.is_empty() && !issue.fix.is_empty()));
        }
    }
    if let Ok(def) = FlowDef::from_json(&text) {
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(&def).unwrap(), read);
        assert!(SCHEMA.is_valid(&read), "the schema refuses {read}");
        let again = FlowDef::from_json(&def.to_json()).unwrap();
        assert_eq!(again, def);
        let (a, b) = (Flow::from_json(&text), Flow::compile(def, &Limits::default()));
        assert_eq!(a.map(|_| ()).map_err(|e| e.to_string()), b.map(|_| ()).map_err(|e| e.to_string()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_gives_a_flow_or_issues(json in any_json()) {
        check(&json);
    }

    #[test]
    fn a_mutated_flow_gives_a_flow_or_issues(
        which in 0..=templates().len(),
        edits in prop::collection::vec((0..200_usize, prop::option::of(any_json())), 1..4),
    ) {
        let mut json = match templates().get(which) {
            Some(template) => serde_json::from_str(template.json).unwrap(),
            None => everything(),
        };
        for (mut at, new) in edits {
            replace(&mut json, &mut at, new.as_ref());
        }
        check(&json);
    }

    #[test]
    fn a_number_is_exported_as_it_was_imported(number in any::<f64>().prop_filter("JSON has no other", |n| n.is_finite())) {
        let json = format!(
            r#"{{"spec": 1, "code": "c", "trigger": {{"kind": "manual"}}, "nodes": [], "edges": [], "ui": {number:e}}}"#
        );
        let def = FlowDef::from_json(&json).unwrap();
        prop_assert_eq!(FlowDef::from_json(&def.to_json()).unwrap(), def);
    }

    #[test]
    fn any_text_gives_issues(text in "\\PC{0,200}") {
        prop_assert!(Flow::from_json(&text).is_err());
    }
}

/// An example is held to the type of its input, and no session gets it.
#[test]
fn an_example_of_an_input_is_of_its_type() {
    let flow = |example: &str| {
        Flow::from_json(&format!(
            r#"{{"spec": 1, "code": "a", "trigger": {{"kind": "manual"}},
                "nodes": [{{"id": "start", "kind": "start", "inputs": [
                    {{"name": "total", "type": "number", "default": 0, "example": {example}}},
                    {{"name": "cart_id", "type": "string"}}]}}],
                "edges": []}}"#
        ))
    };
    let issues = flow(r#""much""#).unwrap_err();
    let issue = issues.iter().next().unwrap();
    assert_eq!((&*issue.path, issue.code), ("nodes[0].inputs[0].example", IssueCode::BadValue));
    let flow = flow("129.5").unwrap();
    assert_eq!(json!(flow.def().example_context()), json!({"total": 129.5}));
    let bot = Engine::builder(MemoryStore::new()).build();
    block_on(bot.flows().ensure(&flow.def().to_json())).unwrap();
    let Triggered::Started(session) =
        block_on(bot.trigger(TriggerRequest::new("a").phone("+14155550123"))).unwrap()
    else {
        panic!("it starts")
    };
    let record = block_on(bot.session(session.session_id)).unwrap().unwrap();
    assert_eq!(record.session().context().to_json(), json!({"total": 0}));
}
