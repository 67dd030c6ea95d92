//! Fields that contradict each other, and issues that are found together.

use chatflow::Flow;
use chatflow::flow::{FlowDef, Issue, Severity};
use chatflow::limits::Limits;
use serde_json::{Value, json};

use super::cases::{circles, people, structure};
use super::kit::*;

#[test]
fn values_that_contradict_each_other_are_told() {
    let start = |fields: Value| {
        let mut start = json!({"id": "s", "kind": "start"});
        start.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        with_start(start, json!([]), json!([]))
    };
    let inbound = json!({"kind": "inbound", "channel": "sms", "rules": [{"match": "any", "text": "x"}]});
    let compare = |fields: Value| {
        let mut when = json!({"value": "{{ reply.text }}", "op": "string_equals", "to": "x"});
        when.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        first(arm(when))
    };
    let node = |fields: Value| {
        let mut node = json!({"id": "n"});
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        first(one(node))
    };
    let told = [
        first(set(
            start(json!({"contact": "none"})),
            "trigger",
            json!({"kind": "inbound", "channel": "sms"}),
        )),
        first(set(end(), "trigger", inbound)),
        first(start(json!({"inputs": [{"name": "a", "type": "number", "default": "1"}]}))),
        first(start(json!({"inputs": [{"name": "a"}, {"name": "a"}]}))),
        compare(json!({"and": 1})),
        compare(json!({"op": "in_list"})),
        compare(json!({"op": "number_less", "ignore_case": true})),
        node(json!({"kind": "send_message", "text": "Hi", "action": "reply", "to": "x"})),
        node(json!({"kind": "send_message", "text": "Hi", "action": "from_to"})),
        node(json!({"kind": "send_message", "text": "?", "options": [{"id": "1", "label": "{{ x"}]})),
        node(json!({"kind": "wait_reply", "accept": []})),
        node(json!({"kind": "wait_reply", "on_timeout": "continue"})),
        node(json!({"kind": "delay", "for": "1m", "until": "x"})),
        node(json!({"kind": "delay"})),
        node(json!({"kind": "set_variables", "variables": [{"name": "a", "value": 1, "expr": "1"}]})),
        node(json!({"kind": "set_variables", "variables": [{"name": "reply", "value": 1}]})),
        node(json!({"kind": "jump", "target": "n", "max_jumps": 0})),
        node(json!({"kind": "function", "function": "f", "branches": ["failed"]})),
        node(json!({"kind": "branch", "branches": []})),
    ];
    let expected = [
        r#"node "s": contact: cannot be `none`: a message that starts the flow has a contact (bad_value)"#,
        "trigger.rules[0].text: has no meaning for `any` (bad_value)",
        r#"node "s": inputs[0].default: is not of type `number` (bad_value)"#,
        r#"node "s": inputs: input "a" appears twice (duplicate_branch)"#,
        r#"node "n": branches[0].when.and: has no meaning for `string_equals` (bad_value)"#,
        r#"node "n": branches[0].when.to: has no meaning for `in_list` (bad_value)"#,
        r#"node "n": branches[0].when.ignore_case: has no meaning for `number_less` (bad_value)"#,
        r#"node "n": to: has no meaning for a reply (bad_value)"#,
        r#"node "n": to: is required (missing_field)"#,
        r#"node "n": options[0].label: is not a template: expected `}}` for the `{{` at character 1 (bad_template)"#,
        r#"node "n": accept: accepts nothing (bad_value)"#,
        r#"node "n": on_timeout: has no meaning without a timeout (timeout_branch)"#,
        r#"node "n": until: is given together with `for` (bad_value)"#,
        r#"node "n": for: is required (missing_field)"#,
        r#"node "n": variables[0]: has both `value` and `expr` (bad_value)"#,
        r#"node "n": variables[0].name: "reply" is taken: the language gives it a meaning (bad_name)"#,
        r#"node "n": max_jumps: must be at least 1 (bad_value)"#,
        r#"node "n": branches: branch "failed" appears twice (duplicate_branch)"#,
        r#"node "n": branches: 0 branches, 1-256 are allowed (bad_value)"#,
    ];
    assert_eq!(told, expected);
}

#[test]
fn keywords_and_reminders_that_do_not_fit_their_flow_are_told() {
    let talk = || {
        let say = |id: &str| json!({"id": id, "kind": "send_message", "text": "Hi"});
        let nodes = json!([say("n"), {"id": "w", "kind": "wait_reply"}, say("side"), say("after")]);
        let edges =
            json!([{"from": "s", "to": "n"}, {"from": "n", "to": "w"}, {"from": "side", "to": "after"}]);
        flow(nodes, edges)
    };
    let all = |settings: Value| said(&set(talk(), "settings", settings).to_string());
    let short = |settings: Value| {
        let told = all(settings);
        told.lines().map(|line| line.split("; ").next().unwrap().to_owned()).collect::<Vec<_>>().join("\n")
    };
    let keyword = |keyword: Value| {
        let side = json!({"words": ["side"], "action": "jump", "node": "side"});
        short(json!({"keywords": [side, keyword]}))
    };
    let reminder = |reminder: Value| short(json!({"reminder": reminder}));
    let right = [
        keyword(json!({"words": ["menu", "help"], "action": "jump", "node": "n"})),
        keyword(json!({"words": ["agent"], "action": "handoff"})),
        reminder(json!({"before": "29m", "node": "side"})),
    ];
    assert_eq!(right, ["", "", ""]);
    let wrong = [
        keyword(json!({"words": [], "action": "cancel"})),
        keyword(json!({"words": [" "], "action": "cancel"})),
        keyword(json!({"words": ["x".repeat(65)], "action": "cancel"})),
        keyword(json!({"words": ["quit", "QUIT"], "action": "cancel"})),
        keyword(json!({"words": ["side"], "action": "cancel"})),
        keyword(json!({"words": ["menu"], "action": "jump"})),
        keyword(json!({"words": ["menu"], "action": "jump", "node": "m"})),
        keyword(json!({"words": ["menu"], "action": "jump", "node": "s"})),
        keyword(json!({"words": ["menu"], "action": "cancel", "node": "n"})),
        keyword(json!({"words": ["menu"], "action": "skip"})),
        reminder(json!({"before": "30m", "node": "side"})),
        reminder(json!({"before": "5m", "node": "sid"})),
        reminder(json!({"before": "5m", "node": "n"})),
        first(one(json!({"id": "n", "kind": "handoff", "timeout": "later"}))),
        first(one(json!({"id": "n", "kind": "handoff", "timeout": "31d"}))),
        first(one(json!({"id": "n", "kind": "handoff", "vars": ["2x"]}))),
        first(with_start(
            json!({"id": "s", "kind": "start", "contact": "none"}),
            json!([{"id": "n", "kind": "handoff"}]),
            json!([{"from": "s", "to": "n"}]),
        )),
        first(flow(
            json!([{"id": "n", "kind": "handoff", "timeout": "never"}, {"id": "m", "kind": "end"}]),
            json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "timeout", "to": "m"}]),
        )),
    ];
    let expected = [
        r#"settings.keywords[1].words: has no word (bad_value)"#,
        r#"settings.keywords[1].words[0]: must be a word of 1-64 bytes (bad_value)"#,
        r#"settings.keywords[1].words[0]: must be a word of 1-64 bytes (bad_value)"#,
        r#"settings.keywords[1].words[1]: gives the keyword "QUIT" a second meaning (duplicate_branch)"#,
        r#"settings.keywords[1].words[0]: gives the keyword "side" a second meaning (duplicate_branch)"#,
        r#"settings.keywords[1].node: is required (missing_field)"#,
        r#"settings.keywords[1].node: jumps to "m", which does not exist (edge_to_nowhere)"#,
        r#"settings.keywords[1].node: jumps to the start (into_start)"#,
        r#"settings.keywords[1].node: has no meaning without a jump (bad_value)"#,
        r#"settings.keywords[1].action: unknown value "skip" (bad_value)"#,
        r#"settings.reminder.before: 30m is not shorter than a session lives without an interaction (bad_value)"#,
        r#"settings.reminder.node: points to "sid", which does not exist"#,
        r#"warning: node "side": cannot be reached (unreachable)"#,
        r#"warning: node "after": cannot be reached (unreachable)"#,
        r#"node "n": is in the reminder's branch and in the talk (reminder_path)"#,
        r#"node "w": is of kind `wait_reply`, which a reminder cannot have (reminder_path)"#,
        r#"warning: node "side": cannot be reached (unreachable)"#,
        r#"warning: node "after": cannot be reached (unreachable)"#,
        r#"node "n": timeout: "later" is not a time span (bad_span)"#,
        r#"node "n": timeout: 31d is longer than a session may live (wait_too_long)"#,
        r#"node "n": vars[0]: "2x" is not a variable name: 1-64 letters, digits and `_`, no digit first (bad_name)"#,
        r#"node "n": hands a contact over, but the flow runs without one (wait_without_contact)"#,
        r#"edges[1]: leaves "n" by `timeout`, but it has no timeout (timeout_branch)"#,
    ];
    assert_eq!(wrong.join("\n"), expected.join("\n"));
}

#[test]
fn all_issues_are_found_at_once() {
    let issues = Flow::from_json(
        r#"{"spec": 1, "code": "", "trigger": {"kind": "inbound", "channel": "WhatsApp"}, "nodes": [
            {"id": "s", "kind": "start"},
            {"id": "hi", "kind": "send_message", "text": 1, "options": [{"id": "", "label": " "}]},
            {"id": "w", "kind": "wait_reply", "timeout": "soon", "save_to": "2x"},
            {"id": "b", "kind": "branch", "branches": [
                {"label": "1", "when": {"value": "{{", "op": "is"}},
                {"label": "2", "when": {"expr": "("}}]},
            {"id": "j", "kind": "jump"}
        ], "edges": [{"from": "s"}]}"#,
    );
    let issues = issues.unwrap_err();
    let found: Vec<(&str, &str)> =
        issues.iter().map(|issue| (issue.path.as_str(), issue.code.as_str())).collect();
    assert_eq!(
        found,
        [
            ("trigger.channel", "bad_value"),
            ("nodes[1].text", "wrong_type"),
            ("nodes[2].timeout", "bad_span"),
            ("nodes[3].branches[0].when.op", "bad_value"),
            ("nodes[4].target", "missing_field"),
            ("edges[0].to", "missing_field"),
            ("code", "bad_name"),
            ("nodes[1].options[0].id", "bad_name"),
            ("nodes[1].options[0].label", "bad_value"),
            ("nodes[2].save_to", "bad_name"),
            ("nodes[3].branches[1].when.expr", "bad_expression"),
        ]
    );
}

#[test]
fn an_issue_is_told_to_machines_too() {
    let issues = Flow::from_json(&one(json!({"id": "n", "kind": "wait_reply", "timout": "30m"})).to_string());
    let issues = issues.unwrap_err();
    assert_eq!(
        serde_json::to_value(&issues).unwrap(),
        json!([{
        "severity": "error", "code": "unknown_field", "node": "n", "path": "nodes[1].timout",
        "message": "unknown field; did you mean \"timeout\"?",
                "fix": "rename it to `timeout`",
                "repair": {"do": "rename", "path": "nodes[1].timout", "to": "timeout"},
                "line": 1, "column": 110
            }])
    );
    let issue: &Issue = issues.errors().next().unwrap();
    assert_eq!(issue.severity, Severity::Error);
    assert_eq!(
        issue.to_string(),
        "node \"n\": timout: unknown field; did you mean \"timeout\"? (unknown_field)"
    );
}

/// A field by another product's name is one mistake, and told as one.
#[test]
fn a_field_that_is_missing_under_its_name_is_told_once() {
    let flow = json!({"spec": 1, "code": "a", "trigger": {"kind": "manual"},
        "nodes": [{"id": "start", "kind": "start"}, {"id": "n", "type": "end"},
                  {"id": "call", "kind": "http_request", "uri": "https://example.com"}],
        "edges": [{"source": "start", "target": "call"}]});
    let issues = Flow::from_json(&flow.to_string()).unwrap_err();
    assert_eq!(
        format!("{issues:#}"),
        "node \"n\": kind: is required, but is written \"type\" (missing_field); rename `type` to `kind`\n\
         node \"call\": url: is required, but is written \"uri\" (missing_field); rename `uri` to `url`\n\
         edges[0].from: is required, but is written \"source\" (missing_field); rename `source` to `from`\n\
         edges[0].to: is required, but is written \"target\" (missing_field); rename `target` to `to`"
    );
    let first = serde_json::to_value(issues.iter().next().unwrap()).unwrap();
    assert_eq!(first["repair"], json!({"do": "rename", "path": "nodes[1].type", "to": "kind"}));
    let option = json!({"id": "a", "name": "B", "title": "A"});
    let offers = one(json!({"id": "n", "kind": "send_message", "text": "Well?", "options": [option]}));
    let issues = Flow::from_json(&offers.to_string()).unwrap_err();
    let told: Vec<_> = issues.errors().map(|issue| (&*issue.path, issue.code.as_str())).collect();
    let of = "nodes[1].options[0]";
    assert_eq!(
        told,
        [(&*format!("{of}.label"), "missing_field"), (&*format!("{of}.title"), "unknown_field")]
    );
    let asked = one(json!({"id": "n", "kind": "ask", "text": "How many?", "type": "number"}));
    let issues = Flow::from_json(&asked.to_string()).unwrap_err();
    assert!(issues.to_string().contains("type: unknown field; did you mean \"expect\"?"), "{issues}");
}

#[test]
fn a_definition_that_is_built_is_checked_like_one_that_is_read() {
    for Case { code, wrong, .. } in structure().into_iter().chain(circles()).chain(people()) {
        let def: FlowDef = FlowDef::from_json(&wrong).unwrap();
        let built = match Flow::compile(def, &Limits::default()) {
            Ok(flow) => format!("{:#}", flow.warnings()),
            Err(issues) => format!("{issues:#}"),
        };
        assert_eq!(built, said(&wrong), "{code}");
    }
}

/// An issue is found again in the file; and an edge to nowhere is told beside a node that cannot be
/// read, as long as all ids can.
#[test]
fn an_issue_names_line_and_column() {
    let text = "{\"spec\": 1, \"code\": \"a\", \"trigger\": {\"kind\": \"manual\"},\n \"nodes\": [\n  {\"id\": \"start\", \"kind\": \"start\"},\n  \
                {\"id\": \"grüß\", \"kind\": \"wait_reply\", \"timeout\": 7},\n  {\"id\": \"done\", \"kind\": \"finish\"}],\n \"edges\": [\n  \
                {\"from\": \"start\", \"to\": \"x\"}]}";
    let issues = Flow::from_json(text).unwrap_err();
    let places: Vec<_> = issues.iter().map(|issue| (&*issue.path, issue.line, issue.column)).collect();
    assert_eq!(
        places,
        [
            ("nodes[1].timeout", Some(4), Some(40)),
            ("nodes[2].kind", Some(5), Some(18)),
            ("edges[0]", Some(7), Some(3)),
        ]
    );
    for (broken, place) in [
        ("{\"spec\": 1,}", (Some(1), Some(12))),
        ("{\n \"code\": \"grüß\",,\n}", (Some(2), Some(17))),
        ("", (Some(1), Some(1))),
    ] {
        let issues = Flow::from_json(broken).unwrap_err();
        let issue = issues.iter().next().unwrap();
        assert_eq!((issue.line, issue.column), place, "{broken:?}: {issue}");
    }
    let built = Flow::compile(
        FlowDef::from_json(
            r#"{"spec": 1, "code": "a", "trigger": {"kind": "manual"}, "nodes": [], "edges": []}"#,
        )
        .unwrap(),
        &Limits::default(),
    );
    assert_eq!(built.unwrap_err().iter().next().unwrap().line, None, "nothing was read");
}

fn codes_of(flow: &Value) -> Vec<(String, &'static str)> {
    let issues = match Flow::from_json(&flow.to_string()) {
        Ok(flow) => flow.warnings().clone(),
        Err(issues) => issues,
    };
    issues.iter().map(|issue| (issue.path.clone(), issue.code.as_str())).collect()
}

/// A part that cannot be read keeps no check from the rest of the flow, and nothing is told that
/// only seems wrong because of it (SEMANTICS C).
#[test]
fn checks_that_do_not_hang_on_a_broken_part_are_made() {
    let nodes = |broken: Value| {
        json!([
            {"id": "s", "kind": "start"}, broken, {"id": "w", "kind": "wait_reply"},
            {"id": "b", "kind": "branch", "branches": [{"label": "a", "when": {"expr": "true"}}]},
            {"id": "e", "kind": "end"}, {"id": "behind", "kind": "end"},
        ])
    };
    let edges = json!([
        {"from": "s", "to": "w"}, {"from": "w", "to": "b"},
        {"from": "b", "branch": "a", "to": "x"}, {"from": "b", "branch": "a", "to": "e"},
        {"from": "b", "branch": "nope", "to": "e"}, {"from": "w", "branch": "timeout", "to": "nowhere"},
        {"from": "x", "branch": "whatever", "to": "s"}, {"from": "x", "to": "behind"},
    ]);
    let told = [
        ("edges[3]", "duplicate_edge"),
        ("edges[4]", "unknown_branch"),
        ("edges[5]", "edge_to_nowhere"),
        ("edges[6]", "into_start"),
        ("edges[5]", "timeout_branch"),
        ("nodes[3]", "missing_else"),
    ];
    for (broken, own) in [
        (json!({"id": "x", "kind": "frobnicate"}), ("nodes[1].kind", "unknown_kind")),
        (json!({"id": "x", "kind": "send_message", "text": 7}), ("nodes[1].text", "wrong_type")),
        (json!({"id": "x", "kind": "jump", "target": 7}), ("nodes[1].target", "wrong_type")),
    ] {
        let flow = with_all(&nodes(broken), &edges);
        let expected: Vec<(String, &str)> =
            [own].into_iter().chain(told).map(|(path, code)| (path.to_owned(), code)).collect();
        assert_eq!(codes_of(&flow), expected, "{flow}");
    }
}

fn with_all(nodes: &Value, edges: &Value) -> Value {
    json!({"spec": 1, "code": "c", "trigger": {"kind": "manual"}, "nodes": nodes, "edges": edges,
        "settings": {"sender": {"channel": "pigeon", "account": "a"}}})
}

/// A part that cannot be read is one issue, however much of the flow leads through it.
#[test]
fn a_broken_part_makes_nothing_else_look_wrong() {
    let right = json!({"spec": 1, "code": "c", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "pigeon", "account": "a"}},
        "nodes": [
            {"id": "s", "kind": "start", "inputs": [{"name": "cart"}]},
            {"id": "hi", "kind": "send_message", "text": "{{ context.cart }}"},
            {"id": "w", "kind": "wait_reply", "timeout": "5m", "save_to": "said"},
            {"id": "b", "kind": "branch", "branches": [{"label": "a", "when": {"expr": "vars.said == 'a'"}}]},
            {"id": "each", "kind": "for_each", "from": "context.cart"},
            {"id": "item", "kind": "send_message", "text": "{{ item }}"},
            {"id": "back", "kind": "jump", "target": "w"},
            {"id": "aside", "kind": "end"}, {"id": "e", "kind": "end"}],
        "edges": [
            {"from": "s", "to": "hi"}, {"from": "hi", "to": "w"}, {"from": "w", "to": "b"},
            {"from": "w", "branch": "timeout", "to": "e"}, {"from": "b", "branch": "a", "to": "each"},
            {"from": "b", "branch": "else", "to": "back"}, {"from": "each", "branch": "each", "to": "item"},
            {"from": "item", "to": "each"}, {"from": "each", "branch": "done", "to": "e"},
            {"from": "back", "to": "aside"}]});
    assert_eq!(codes_of(&right), []);
    for place in 0..9 {
        for (field, value) in [("kind", json!("frobnicate")), ("name", json!(7)), ("id", json!(7))] {
            let mut flow = right.clone();
            flow["nodes"][place][field] = value;
            let told: Vec<String> = codes_of(&flow).into_iter().map(|(path, _)| path).collect();
            assert_eq!(told, [format!("nodes[{place}].{field}")], "{flow}");
        }
        let mut flow = right.clone();
        flow["nodes"][place] = json!(7);
        let told: Vec<String> = codes_of(&flow).into_iter().map(|(path, _)| path).collect();
        assert_eq!(told, [format!("nodes[{place}]")], "{flow}");
    }
    for place in 0..10 {
        let mut flow = right.clone();
        flow["edges"][place]["to"] = json!(7);
        let told: Vec<String> = codes_of(&flow).into_iter().map(|(path, _)| path).collect();
        assert_eq!(told, [format!("edges[{place}].to")], "{flow}");
    }
    for (field, value) in [("trigger", json!(7)), ("settings", json!(7)), ("spec", json!("1"))] {
        let mut flow = right.clone();
        flow[field] = value;
        let told: Vec<String> = codes_of(&flow).into_iter().map(|(path, _)| path).collect();
        assert_eq!(told, [field], "{flow}");
    }
}
