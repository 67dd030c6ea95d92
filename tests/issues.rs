//! What authors are told: for each code a flow that trips it, and one that does not.
//! Every word of the answers stands in `issues.txt`; `UPDATE=1` rewrites it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use chatflow::{Flow, FlowDef, Issue, IssueCode, Issues, Limits, Severity};
use serde_json::{Value, json};

struct Case {
    code: IssueCode,
    /// A flow that breaks the rule, and perhaps others because of it.
    wrong: String,
    /// A flow that is close to it and breaks no rule.
    right: String,
}

fn case(code: IssueCode, wrong: impl ToString, right: impl ToString) -> Case {
    Case { code, wrong: wrong.to_string(), right: right.to_string() }
}

/// A manual flow of a start node `s`, the given nodes and edges.
fn flow(nodes: Value, edges: Value) -> Value {
    with_start(json!({"id": "s", "kind": "start"}), nodes, edges)
}

fn with_start(start: Value, nodes: Value, edges: Value) -> Value {
    let mut all = vec![start];
    all.extend(nodes.as_array().unwrap().iter().cloned());
    json!({"spec": 1, "code": "c", "trigger": {"kind": "manual"}, "nodes": all, "edges": edges})
}

/// A flow of a start node and one more, `n`.
fn one(node: Value) -> Value {
    flow(json!([node]), json!([{"from": "s", "to": "n"}]))
}

/// A flow with one field more, or another.
fn set(mut flow: Value, field: &str, value: Value) -> Value {
    flow.as_object_mut().unwrap().insert(field.to_owned(), value);
    flow
}

fn without(mut flow: Value, field: &str) -> Value {
    flow.as_object_mut().unwrap().remove(field);
    flow
}

/// Sent from WhatsApp, whoever starts it.
fn on_whatsapp(flow: Value) -> Value {
    set(flow, "settings", json!({"sender": {"channel": "whatsapp", "account": "a"}}))
}

fn end() -> Value {
    one(json!({"id": "n", "kind": "end"}))
}

fn send(text: &str) -> Value {
    one(json!({"id": "n", "kind": "send_message", "text": text}))
}

fn arm(when: Value) -> Value {
    flow(
        json!([{"id": "n", "kind": "branch", "branches": [{"label": "1", "when": when}]}, {"id": "e", "kind": "end"}]),
        json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "1", "to": "e"},
               {"from": "n", "branch": "else", "to": "e"}]),
    )
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({"expr": "true"}), |inner, _| json!({"not": inner}))
}

fn form() -> Vec<Case> {
    use IssueCode::*;
    vec![
        case(NotJson, "{\"spec\": 1,}", end()),
        case(
            TooLarge,
            format!("{}{}", end(), " ".repeat(1 << 20)),
            format!("{}{}", end(), " ".repeat(1_000)),
        ),
        case(TooDeep, arm(nested(17)), arm(nested(16))),
        case(DuplicateKey, end().to_string().replace("\"spec\":1", "\"spec\":1,\"spec\":1"), end()),
        case(
            UnknownField,
            one(json!({"id": "n", "kind": "wait_reply", "timout": "30m", "colour": "red"})),
            one(json!({"id": "n", "kind": "wait_reply", "timeout": "30m", "ui": {"colour": "red"}})),
        ),
        case(
            WrongType,
            one(json!({"id": "n", "kind": "wait_reply", "timeout": 30, "accept": "text", "save_to": null})),
            one(
                json!({"id": "n", "kind": "wait_reply", "timeout": "30s", "accept": ["text"], "save_to": "x"}),
            ),
        ),
        case(
            MissingField,
            without(one(json!({"id": "n", "kind": "send_message"})), "code"),
            one(json!({"id": "n", "kind": "send_message", "text": "Hi"})),
        ),
        case(BadSpec, set(end(), "spec", json!(2)), end()),
        case(
            BadName,
            one(json!({"id": "n", "kind": "wait_reply", "save_to": "my answer"})),
            one(json!({"id": "n", "kind": "wait_reply", "save_to": "my_answer"})),
        ),
        case(
            BadValue,
            set(
                one(json!({"id": "n", "kind": "wait_reply", "accept": ["texts"]})),
                "settings",
                json!({"session_ttl_minutes": 100_000, "ttl_mode": "slidng"}),
            ),
            set(
                one(json!({"id": "n", "kind": "wait_reply", "accept": ["text"]})),
                "settings",
                json!({"session_ttl_minutes": 43_200, "ttl_mode": "sliding"}),
            ),
        ),
        case(
            BadSpan,
            one(json!({"id": "n", "kind": "delay", "for": "5 minutes"})),
            one(json!({"id": "n", "kind": "delay", "for": "5m"})),
        ),
        case(UnknownKind, one(json!({"id": "n", "kind": "send_mesage", "text": "Hi"})), send("Hi")),
        case(BadTemplate, send("Hi {{ contact.name"), send("Hi {{ contact.name }}")),
        case(BadExpression, arm(json!({"expr": "1 +"})), arm(json!({"expr": "1 + 1"}))),
        case(
            BadRegex,
            arm(json!({"value": "{{ reply.text }}", "op": "string_matches", "to": "(a"})),
            arm(json!({"value": "{{ reply.text }}", "op": "string_matches", "to": "(a)"})),
        ),
        case(
            ChannelLimit,
            set(
                one(json!({"id": "n", "kind": "send_message", "text": "x".repeat(1_025),
                           "options": [{"id": "1", "label": "More than twenty characters"}]})),
                "trigger",
                json!({"kind": "inbound", "channel": "whatsapp"}),
            ),
            set(
                one(json!({"id": "n", "kind": "send_message", "text": "x".repeat(1_024),
                           "options": [{"id": "1", "label": "Just twenty letters."}]})),
                "trigger",
                json!({"kind": "inbound", "channel": "whatsapp"}),
            ),
        ),
    ]
}

fn many(nodes: usize, edges: usize) -> Value {
    let nodes: Vec<Value> = (1..nodes).map(|n| json!({"id": format!("n{n}"), "kind": "end"})).collect();
    let edges: Vec<Value> = (0..edges).map(|_| json!({"from": "s", "to": "n1"})).collect();
    flow(json!(nodes), json!(edges))
}

fn structure() -> Vec<Case> {
    use IssueCode::*;
    let two_ends = json!([{"id": "n", "kind": "end"}, {"id": "m", "kind": "end"}]);
    let wait = |timeout: &str| {
        flow(
            json!([{"id": "n", "kind": "wait_reply", "timeout": timeout}, {"id": "e", "kind": "end"}]),
            json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "timeout", "to": "e"}]),
        )
    };
    vec![
        case(TooManyNodes, many(1_001, 1), wait("1m")),
        case(TooManyEdges, many(2, 4_001), wait("1m")),
        case(
            NoEntry,
            json!({"spec": 1, "code": "c", "trigger": {"kind": "manual"},
                   "nodes": [{"id": "n", "kind": "end"}], "edges": []}),
            end(),
        ),
        case(ManyEntries, one(json!({"id": "n", "kind": "start"})), end()),
        case(
            DuplicateNode,
            flow(
                json!([{"id": "n", "kind": "end"}, {"id": "n", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}]),
            ),
            end(),
        ),
        case(
            DuplicateBranch,
            one(json!({"id": "n", "kind": "send_message", "text": "?",
                       "options": [{"id": "1", "label": "Yes"}, {"id": "1", "label": "No"}]})),
            one(json!({"id": "n", "kind": "send_message", "text": "?",
                       "options": [{"id": "1", "label": "Yes"}, {"id": "2", "label": "No"}]})),
        ),
        case(
            DuplicateEdge,
            flow(
                two_ends.clone(),
                json!([{"from": "s", "to": "n"}, {"from": "s", "branch": "next", "to": "m"}]),
            ),
            end(),
        ),
        case(
            EdgeFromNowhere,
            flow(
                json!([{"id": "n", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}, {"from": "x", "to": "n"}]),
            ),
            end(),
        ),
        case(
            EdgeToNowhere,
            flow(
                json!([{"id": "again", "kind": "jump", "target": "agein"}]),
                json!([{"from": "s", "to": "again"}, {"from": "again", "to": "x"}]),
            ),
            flow(
                json!([{"id": "hi", "kind": "send_message", "text": "Hi"}, {"id": "again", "kind": "jump", "target": "hi"}]),
                json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "again"}]),
            ),
        ),
        case(
            IntoStart,
            flow(
                json!([{"id": "w", "kind": "wait_reply"}, {"id": "j", "kind": "jump", "target": "s"}]),
                json!([{"from": "s", "to": "w"}, {"from": "w", "to": "j"}, {"from": "j", "to": "s"}]),
            ),
            flow(
                json!([{"id": "w", "kind": "wait_reply"}, {"id": "j", "kind": "jump", "target": "w"}]),
                json!([{"from": "s", "to": "w"}, {"from": "w", "to": "j"}, {"from": "j", "to": "w"}]),
            ),
        ),
        case(
            UnknownBranch,
            flow(
                json!([{"id": "w", "kind": "wait_reply"}, {"id": "n", "kind": "end"}]),
                json!([{"from": "s", "to": "w"}, {"from": "w", "branch": "reply", "to": "n"}, {"from": "w", "to": "n"},
                       {"from": "n", "to": "w"}]),
            ),
            flow(
                json!([{"id": "w", "kind": "wait_reply"}, {"id": "n", "kind": "end"}]),
                json!([{"from": "s", "to": "w"}, {"from": "w", "branch": "replied", "to": "n"}]),
            ),
        ),
        case(
            DeadEnd,
            one(json!({"id": "n", "kind": "function", "function": "f", "branches": ["2"]})),
            flow(
                json!([{"id": "n", "kind": "function", "function": "f", "branches": ["2"]}, {"id": "e", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "2", "to": "e"}]),
            ),
        ),
        case(
            MissingElse,
            flow(
                json!([{"id": "n", "kind": "branch", "branches": [{"label": "1", "when": {"expr": "true"}}]},
                       {"id": "e", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "1", "to": "e"}]),
            ),
            arm(json!({"expr": "true"})),
        ),
        case(Unreachable, flow(two_ends, json!([{"from": "s", "to": "n"}])), end()),
        case(
            TimeoutBranch,
            flow(
                json!([{"id": "n", "kind": "wait_reply"}, {"id": "e", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "timeout", "to": "e"}]),
            ),
            wait("1m"),
        ),
        case(
            WaitTooLong,
            set(wait("31d"), "settings", json!({"session_ttl_minutes": 60})),
            set(wait("30d"), "settings", json!({"session_ttl_minutes": 60})),
        ),
    ]
}

fn circles() -> Vec<Case> {
    use IssueCode::*;
    let circle = |middle: Value, branch: &str| {
        flow(
            json!([{"id": "hi", "kind": "send_message", "text": "Hi"}, middle]),
            json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "m"}, {"from": "m", "branch": branch, "to": "hi"}]),
        )
    };
    let set_x = json!({"id": "m", "kind": "set_variables", "variables": [{"name": "x", "value": 1}]});
    let jumps = |max: u32| {
        flow(
            json!([{"id": "hi", "kind": "send_message", "text": "Hi"},
                   {"id": "m", "kind": "jump", "target": "hi", "max_jumps": max}]),
            json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "m"}]),
        )
    };
    vec![
        case(EndlessLoop, circle(set_x, "next"), circle(json!({"id": "m", "kind": "wait_reply"}), "replied")),
        case(
            EndlessRecursion,
            flow(
                json!([{"id": "hi", "kind": "send_message", "text": "Hi"}, call("c")]),
                json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "call"}]),
            ),
            flow(
                json!([{"id": "w", "kind": "wait_reply"}, call("c")]),
                json!([{"from": "s", "to": "w"}, {"from": "w", "to": "call"}]),
            ),
        ),
        case(LongLoop, jumps(49), jumps(48)),
        case(
            TimerLoop,
            circle(json!({"id": "m", "kind": "wait_reply", "timeout": "1h"}), "timeout"),
            flow(
                json!([{"id": "hi", "kind": "send_message", "text": "Hi"},
                       {"id": "m", "kind": "wait_reply", "timeout": "1h"},
                       {"id": "j", "kind": "jump", "target": "hi", "max_jumps": 3}]),
                json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "m"}, {"from": "m", "branch": "timeout", "to": "j"}]),
            ),
        ),
    ]
}

/// A flow whose reminder begins at a node.
fn reminding(node: Value) -> Value {
    let wait = json!({"id": "w", "kind": "wait_reply"});
    let reminder = json!({"reminder": {"before": "5m", "node": node["id"]}});
    set(flow(json!([wait, node]), json!([{"from": "s", "to": "w"}])), "settings", reminder)
}

fn people() -> Vec<Case> {
    use IssueCode::*;
    let alone = |node: Value| {
        with_start(
            json!({"id": "s", "kind": "start", "contact": "none"}),
            json!([node]),
            json!([{"from": "s", "to": "n"}]),
        )
    };
    let declared = |text: &str| {
        with_start(
            json!({"id": "s", "kind": "start", "inputs": [{"name": "cart_id"}]}),
            json!([{"id": "n", "kind": "send_message", "text": text}]),
            json!([{"from": "s", "to": "n"}]),
        )
    };
    vec![
        case(
            ReminderPath,
            reminding(json!({"id": "n", "kind": "wait_reply"})),
            reminding(json!({"id": "n", "kind": "send_message", "text": "Still there?"})),
        ),
        case(
            WaitWithoutContact,
            alone(json!({"id": "n", "kind": "wait_reply"})),
            alone(json!({"id": "n", "kind": "delay", "for": "1m"})),
        ),
        case(
            NoDestination,
            alone(json!({"id": "n", "kind": "send_message", "text": "Hi"})),
            alone(json!({"id": "n", "kind": "send_message", "text": "Hi", "to": "+15550100"})),
        ),
        case(
            WindowMayBeClosed,
            on_whatsapp(one(json!({"id": "n", "kind": "send_message", "text": "Hi"}))),
            on_whatsapp(flow(
                json!([{"id": "n", "kind": "send_message", "text": "Hi"}, {"id": "e", "kind": "end"}]),
                json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "window_closed", "to": "e"}]),
            )),
        ),
        case(
            UndeclaredVariable,
            declared("{{ context.cart }} {{ cart_ids }} {{ vars.x }} {{ y | default('') }}"),
            declared("{{ context.cart_id }} {{ cart_id }} {{ contact.name }}"),
        ),
    ]
}

/// Questions whose answers are checked.
fn answers() -> Vec<Case> {
    use IssueCode::*;
    let ask = |fields: Value| {
        let mut node = json!({"id": "n", "kind": "ask", "text": "What?"});
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        node
    };
    let asked = |fields: Value| on_sms(one(ask(fields)));
    let sizes =
        |other: Value| json!({"choices": [{"id": "s", "label": "Small", "synonyms": ["1", "wee"]}, other]});
    let again = |fields: Value, branch: &str| {
        let edges = json!([{"from": "s", "to": "n"}, {"from": "n", "branch": branch, "to": "n"}]);
        on_sms(flow(json!([ask(fields)]), edges))
    };
    vec![
        case(
            BadValue,
            asked(
                json!({"expect": "nummer", "whole": true, "retries": 11, "options": [], "keywords": "none"}),
            ),
            asked(json!({"expect": "number", "whole": true, "retries": 10, "keywords": "off"})),
        ),
        case(
            BadValue,
            asked(
                json!({"expect": "number", "min": "few", "max": "{{ context.most }}", "pattern": "[0-9]", "formats": ["%Y"]}),
            ),
            asked(json!({"expect": "number", "min": "1", "max": "{{ context.most }}", "decimal": ","})),
        ),
        case(
            BadValue,
            asked(
                json!({"expect": "date", "min": "2026-05-07", "max": "2026-05-06", "formats": ["%d/%m/%Y", "dd.mm.yyyy", "%d/%m"]}),
            ),
            asked(
                json!({"expect": "date", "min": "2026-05-07", "max": "2026-05-07", "formats": ["%d/%m/%Y", "%d.%m.%y"]}),
            ),
        ),
        case(
            BadValue,
            asked(json!({"min_length": 5, "max_length": 4, "choices": [], "expect": "text"})),
            asked(json!({"min_length": 5, "max_length": 5})),
        ),
        case(
            BadValue,
            asked(json!({"expect": "media", "media_types": ["image/*", "a picture", "/png"]})),
            asked(json!({"expect": "media", "media_types": ["image/*", "audio", "application/pdf"]})),
        ),
        case(BadRegex, asked(json!({"pattern": "(a"})), asked(json!({"pattern": "(a)"}))),
        case(
            MissingField,
            asked(json!({"expect": "choice"})),
            asked(sizes(json!({"id": "l", "label": "Large"}))),
        ),
        case(
            DuplicateBranch,
            asked(sizes(json!({"id": "invalid", "label": "WEE "}))),
            asked(sizes(json!({"id": "none", "label": "None"}))),
        ),
        case(
            ChannelLimit,
            asked(sizes(json!({"id": "l", "label": "More than twenty characters"}))),
            asked(sizes(json!({"id": "l", "label": "Just twenty letters."}))),
        ),
        case(BadSpan, asked(json!({"debounce": "61s"})), asked(json!({"debounce": "60s"}))),
        case(TimerLoop, again(json!({"timeout": "1h"}), "timeout"), again(json!({"timeout": "1h"}), "valid")),
        case(
            TimeoutBranch,
            again(json!({"timeout": "1h", "on_timeout": "continue"}), "timeout"),
            again(json!({}), "invalid"),
        ),
    ]
}

/// With a sender that takes free texts at any time.
fn on_sms(flow: Value) -> Value {
    set(flow, "settings", json!({"sender": {"channel": "sms", "account": "a"}}))
}

fn cases() -> Vec<Case> {
    [form(), structure(), circles(), people(), answers()].into_iter().flatten().collect()
}

/// What is said about a flow, errors and warnings.
fn said(json: &str) -> String {
    match Flow::from_json(json) {
        Ok(flow) => format!("{:#}", flow.warnings()),
        Err(issues) => format!("{issues:#}"),
    }
}

#[test]
fn every_issue_says_what_is_wrong_and_how_to_mend_it() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/issues.txt");
    let mut all = String::new();
    for Case { code, wrong, .. } in cases() {
        let said = said(&wrong);
        assert!(said.contains(&format!("({code})")), "{code} is not tripped:\n{said}");
        all += &format!("# {code}\n{said}\n\n");
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(golden, &all).unwrap();
    }
    assert_eq!(all, std::fs::read_to_string(golden).unwrap(), "UPDATE=1 rewrites the file");
}

/// One issue of each code that a flow's file can have, and of those that hang on accounts.
fn examples() -> BTreeMap<IssueCode, Issue> {
    let of_files = cases().into_iter().filter_map(|Case { code, wrong, .. }| {
        let issues = Flow::from_json(&wrong).map_or_else(|issues| issues, |flow| flow.warnings().clone());
        issues.iter().find(|issue| issue.code == code).cloned()
    });
    let of_accounts = on_accounts().into_iter().filter_map(|issues| issues.iter().next().cloned());
    let mut found = BTreeMap::new();
    for issue in of_files.chain(of_accounts) {
        found.entry(issue.code).or_insert(issue);
    }
    found
}

/// The table of `IssueCode`'s documentation, made from the codes and from what they say of the flows above.
#[test]
fn the_table_of_codes_is_what_the_codes_say() {
    let examples = examples();
    let cell = |text: &str| {
        let short: String = text.chars().take(120).collect();
        let cut = if short.len() < text.len() { "…" } else { "" };
        format!("{short}{cut}").replace('|', "\\|").replace('<', "\\<").replace('[', "\\[")
    };
    let mut table = String::from(
        "| code | severity | what it means | for example | how to mend that |\n|---|---|---|---|---|\n",
    );
    for code in IssueCode::ALL {
        let severity = if code.severity() == Severity::Error { "error" } else { "warning" };
        let example =
            examples.get(code).map(|issue| (issue.to_string(), issue.fix.clone())).unwrap_or_default();
        let example = (example.0.replace(&format!(" ({code})"), ""), example.1);
        let (said, fix) = (cell(&example.0), cell(&example.1));
        table += &format!("| `{code}` | {severity} | {} | {said} | {fix} |\n", code.meaning());
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/src/flow/issues.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(page, &table).unwrap();
    }
    assert_eq!(table, std::fs::read_to_string(page).unwrap(), "UPDATE=1 rewrites the file");
}

#[test]
fn a_flow_that_keeps_the_rule_has_no_issue() {
    for Case { code, right, .. } in cases() {
        assert_eq!(said(&right), "", "{code}");
    }
}

/// C: of each code a flow that has it, and one close to it that has not.
#[test]
fn every_code_has_a_flow_that_trips_it_and_one_that_does_not() {
    let cases = cases();
    let of_files = cases.iter().map(|Case { code, wrong, right }| {
        let read =
            |json: &str| Flow::from_json(json).map_or_else(|issues| issues, |flow| flow.warnings().clone());
        (*code, read(wrong), read(right))
    });
    let mut tripped = BTreeMap::new();
    for (code, wrong, right) in of_files.chain(beyond_one_file()) {
        let issues: Vec<&Issue> = wrong.iter().filter(|issue| issue.code == code).collect();
        assert!(!issues.is_empty(), "{code} is not tripped by\n{wrong}");
        assert!(right.is_empty(), "{code} is not alone: {right}");
        tripped.entry(code).or_insert(0);
    }
    let missing: Vec<_> = IssueCode::ALL.iter().filter(|code| !tripped.contains_key(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What one file does not have: more issues than are listed, and what hangs on accounts and on other flows.
fn beyond_one_file() -> Vec<(IssueCode, Issues, Issues)> {
    use IssueCode::*;
    let read =
        |json: Value| Flow::from_json(&json.to_string()).map_or_else(|issues| issues, |_| Issues::default());
    let nowhere = |count: usize| (0..count).map(|n| json!({"from": n.to_string(), "to": "s"})).collect();
    let [unbound, twice] = on_accounts();
    let calls = |code: &str| {
        let bot = chatflow::Engine::builder(chatflow::MemoryStore::new()).build();
        let _ = pollster::block_on(bot.flows().import(&set(end(), "code", json!("address")).to_string()))
            .unwrap();
        let flow = set(one(json!({"id": "n", "kind": "call_flow", "flow": code})), "code", json!("caller"));
        match pollster::block_on(bot.flows().ensure(&flow.to_string())) {
            Err(chatflow::Error::Issues(issues)) => issues,
            other => other.map(|_| Issues::default()).unwrap(),
        }
    };
    vec![
        (MoreIssues, read(flow(json!([]), nowhere(1_001))), read(end())),
        // That the same flow goes online once it is bound to accounts of its own, `on_accounts` says itself.
        (UnboundAccount, unbound, Issues::default()),
        (TwoAnyTriggers, twice, Issues::default()),
        (UnknownSubflow, calls("adress"), calls("address")),
    ]
}

/// C: each issue has a code, its place, what is wrong, and how to mend it; one of a node names it.
#[test]
fn every_issue_has_a_place_and_a_fix() {
    for Case { wrong, .. } in cases() {
        let issues = Flow::from_json(&wrong).map_or_else(|issues| issues, |flow| flow.warnings().clone());
        for issue in &issues {
            assert!(!issue.message.is_empty() && !issue.fix.is_empty(), "{issue:?}");
            assert_eq!(issue.severity, issue.code.severity(), "{issue:?}");
            let is_in_node = issue.path.starts_with("nodes[");
            let is_of_id = issue.path.ends_with(".id") || issue.path.ends_with(']');
            assert!(!is_in_node || is_of_id || issue.node.is_some(), "{issue:?}");
        }
    }
}

/// C: errors block publishing, warnings do not; and a draft is kept whatever is wrong with it.
#[test]
fn errors_block_publishing_and_warnings_do_not() {
    let mut blocked = 0;
    for Case { code, wrong, right } in cases() {
        let bot = chatflow::Engine::builder(chatflow::MemoryStore::new()).build();
        let publish = |json: &str| {
            let is_inbound = json.contains(r#""kind":"inbound""#);
            let accounts = ["whatsapp", "sms"]
                .iter()
                .filter(|channel| json.contains(&format!(r#""channel":"{channel}""#)));
            let accounts = accounts
                .map(|name| chatflow::Account::new(chatflow::Channel::parse(name).unwrap(), "a").unwrap());
            match is_inbound {
                true => pollster::block_on(bot.flows().ensure_on(json, accounts)),
                false => pollster::block_on(bot.flows().ensure(json)),
            }
        };
        let published = publish(&wrong);
        match code.severity() {
            Severity::Error => assert!(published.is_err(), "{code} does not block"),
            Severity::Warning => assert!(published.is_ok(), "{code} blocks: {published:?}"),
        }
        blocked += usize::from(published.is_err());
        let published = publish(&right);
        assert!(published.is_ok(), "{code}: {published:?}");
    }
    assert!(blocked > 40, "{blocked}");
}

/// C, sentence by sentence: which code tells of it.
#[test]
fn every_sentence_of_the_checks_has_its_code() {
    use IssueCode::*;
    let sentences = [
        ("no entry", vec![NoEntry]),
        ("more than one start", vec![ManyEntries]),
        ("edge to nowhere", vec![EdgeToNowhere, EdgeFromNowhere]),
        ("duplicate node or branch", vec![DuplicateNode, DuplicateBranch, DuplicateEdge]),
        ("unreachable node", vec![Unreachable]),
        ("a cycle with no wait in it", vec![EndlessLoop, LongLoop]),
        ("a cycle that sends and that timers alone can walk", vec![TimerLoop]),
        ("missing else", vec![MissingElse]),
        ("branch with no edge", vec![DeadEnd]),
        ("timeout branch without timeout", vec![TimeoutBranch]),
        ("wait longer than max_lifetime", vec![WaitTooLong]),
        ("undeclared variable", vec![UndeclaredVariable]),
        ("template, expression or regex that does not parse", vec![BadTemplate, BadExpression, BadRegex]),
        ("channel limits", vec![ChannelLimit]),
        ("no certain destination", vec![NoDestination]),
        ("free text that may fall outside WhatsApp's window", vec![WindowMayBeClosed]),
        ("unbound account", vec![UnboundAccount]),
        ("unknown subflow", vec![UnknownSubflow]),
        ("recursion without a wait", vec![EndlessRecursion]),
        ("size limits", vec![TooLarge, TooDeep, TooManyNodes, TooManyEdges]),
        // Elsewhere in the contract: T2, L5, S6.
        ("a wait in a flow that runs without a contact", vec![WaitWithoutContact]),
        ("two online `any` flows on one account", vec![TwoAnyTriggers]),
        ("a reminder is a branch of sends and set_variables", vec![ReminderPath]),
        // Of the form, and of the list itself.
        (
            "what can not be read",
            vec![NotJson, DuplicateKey, UnknownField, WrongType, MissingField, BadSpec, BadName],
        ),
        ("what makes no sense", vec![BadValue, BadSpan, UnknownKind, IntoStart, UnknownBranch, MoreIssues]),
    ];
    let told: BTreeMap<IssueCode, &str> =
        sentences.iter().flat_map(|(sentence, codes)| codes.iter().map(|code| (*code, *sentence))).collect();
    let untold: Vec<_> = IssueCode::ALL.iter().filter(|code| !told.contains_key(code)).collect();
    assert!(untold.is_empty(), "{untold:?}");
    let warnings: Vec<_> =
        IssueCode::ALL.iter().filter(|code| code.severity() == Severity::Warning).collect();
    assert_eq!(warnings, [&WindowMayBeClosed, &UndeclaredVariable]);
}

/// L5: what keeps a right flow from going online where it is bound: nothing is bound, or another takes it all.
fn on_accounts() -> [Issues; 2] {
    let any = |code: &str| {
        let flow = set(one(json!({"id": "n", "kind": "end"})), "code", json!(code));
        set(flow, "trigger", json!({"kind": "inbound", "channel": "whatsapp"})).to_string()
    };
    let account = |name: &str| chatflow::Account::new(chatflow::Channel::WhatsApp, name).unwrap();
    let refused = |outcome: Result<_, chatflow::Error>| match outcome {
        Err(chatflow::Error::Issues(issues)) => issues,
        other => panic!("{other:?}"),
    };
    pollster::block_on(async {
        let bot = chatflow::Engine::builder(chatflow::MemoryStore::new()).build();
        let first = bot.flows().import(&any("first")).await.unwrap().status.flow;
        let unbound = refused(bot.flows().publish(&first).await);
        bot.flows().bind(&first, [account("+1"), account("+2")]).await.unwrap();
        assert_eq!(bot.flows().publish(&first).await.unwrap().online, Some(chatflow::FlowVersion(1)));

        let second = bot.flows().import(&any("second")).await.unwrap().status.flow;
        bot.flows().bind(&second, [account("+2")]).await.unwrap();
        let twice = refused(bot.flows().publish(&second).await);
        bot.flows().bind(&second, [account("+3")]).await.unwrap();
        assert!(bot.flows().publish(&second).await.is_ok());
        [unbound, twice]
    })
}

#[test]
fn a_flow_that_messages_start_needs_an_account_that_no_other_takes_all_of() {
    assert_eq!(
        on_accounts().map(|issues| issues.to_string()),
        [
            "trigger: is bound to no whatsapp account (unbound_account)",
            "trigger: takes any message on whatsapp:+2, and so does flow \"first\" (two_any_triggers)"
        ]
    );
}

/// A flow of one call, or of two nodes of which the second is a call, or of none.
fn calls(code: &str, nodes: Value) -> String {
    let mut edges = vec![];
    let mut before = json!("s");
    for node in nodes.as_array().unwrap() {
        edges.push(json!({"from": before, "to": node["id"]}));
        before = node["id"].clone();
    }
    set(flow(nodes, json!(edges)), "code", json!(code)).to_string()
}

fn call(flow: &str) -> Value {
    json!({"id": "call", "kind": "call_flow", "flow": flow})
}

/// C, N9: what keeps a right flow from going online for the flows that it calls.
#[test]
fn a_flow_calls_flows_that_are_there_and_not_itself_through_them_with_no_wait() {
    let bot = chatflow::Engine::builder(chatflow::MemoryStore::new()).build();
    let publish = |json: String| match pollster::block_on(bot.flows().ensure(&json)) {
        Err(chatflow::Error::Issues(issues)) => format!("{issues:#}"),
        other => other.map(|status| status.flow.to_string()).unwrap(),
    };
    let import = |json: String| drop(pollster::block_on(bot.flows().import(&json)).unwrap());
    let wait = || json!({"id": "w", "kind": "wait_reply"});
    let say = || json!({"id": "say", "kind": "send_message", "text": "Hi"});

    import(calls("address", json!([wait()])));
    assert_eq!(
        publish(calls("a", json!([say(), call("adress")]))),
        "node \"call\": flow: there is no flow \"adress\"; did you mean \"address\"? (unknown_subflow); \
         import that flow first, or name another one"
    );
    assert_eq!(publish(calls("a", json!([say(), call("address")]))), "a", "it need not be online");

    import(calls("b", json!([wait()])));
    assert_eq!(publish(calls("a", json!([say(), call("b")]))), "a");
    assert_eq!(publish(calls("c", json!([call("a")]))), "c");
    assert_eq!(
        publish(calls("b", json!([say(), call("c")]))),
        "node \"call\": \"b\" -> \"c\" -> \"a\" -> \"b\" never waits (endless_recursion); \
         put a wait before one of the calls"
    );
    assert_eq!(publish(calls("b", json!([wait(), call("c")]))), "b");

    // What a call comes back from without a wait is walked through; a terminal one does not come back.
    let then = |first: Value| {
        let mut again = call("d");
        again["id"] = json!("again");
        publish(calls("d", json!([first, again])))
    };
    publish(calls("quick", json!([say()])));
    publish(calls("slow", json!([say(), wait()])));
    publish(calls("through", json!([call("quick")])));
    let endless = "\"d\" -> \"d\" never waits (endless_recursion)";
    assert_eq!(then(call("slow")), "d");
    assert!(then(call("through")).contains(endless), "{}", then(call("through")));
    let mut terminal = call("slow");
    terminal["terminal"] = json!(true);
    terminal["id"] = json!("last");
    let failing = flow(
        json!([terminal, call("e")]),
        json!([{"from": "s", "to": "last"}, {"from": "last", "branch": "failed", "to": "call"}]),
    );
    assert!(publish(set(failing, "code", json!("e")).to_string()).contains("calls its own flow"));
}

/// N9
#[test]
fn a_terminal_call_leaves_by_failed_alone_and_keeps_nothing() {
    let terminal = |fields: Value, branch: &str| {
        let mut node = json!({"id": "n", "kind": "call_flow", "flow": "other", "terminal": true});
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let edge = json!({"from": "n", "branch": branch, "to": "e"});
        first(flow(json!([node, {"id": "e", "kind": "end"}]), json!([{"from": "s", "to": "n"}, edge])))
    };
    assert_eq!(terminal(json!({}), "failed"), "");
    assert_eq!(
        terminal(json!({}), "next"),
        "edges[1]: leaves \"n\" by branch \"next\", which it does not have (unknown_branch)"
    );
    assert_eq!(
        terminal(json!({"output": [{"name": "a", "expr": "vars.a"}]}), "failed"),
        "node \"n\": output: has no meaning for a terminal call (bad_value)"
    );
}

fn first(flow: Value) -> String {
    said(&flow.to_string())
        .lines()
        .next()
        .unwrap_or_default()
        .split("; ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

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
        node(json!({"kind": "send_message", "text": "?", "options": [{"id": "1", "label": "{{ x }}"}]})),
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
        r#"node "s": contact: can not be `none`: a message that starts the flow has a contact (bad_value)"#,
        "trigger.rules[0].text: has no meaning for `any` (bad_value)",
        r#"node "s": inputs[0].default: is not of type `number` (bad_value)"#,
        r#"node "s": inputs: name the input "a" twice (duplicate_branch)"#,
        r#"node "n": branches[0].when.and: has no meaning for `string_equals` (bad_value)"#,
        r#"node "n": branches[0].when.to: has no meaning for `in_list` (bad_value)"#,
        r#"node "n": branches[0].when.ignore_case: has no meaning for `number_less` (bad_value)"#,
        r#"node "n": to: has no meaning for a reply (bad_value)"#,
        r#"node "n": to: is missing (missing_field)"#,
        r#"node "n": options[0].label: can not be a template (bad_value)"#,
        r#"node "n": accept: accepts nothing (bad_value)"#,
        r#"node "n": on_timeout: has no meaning without a timeout (timeout_branch)"#,
        r#"node "n": until: stands beside `for` (bad_value)"#,
        r#"node "n": for: is missing (missing_field)"#,
        r#"node "n": variables[0]: has both `value` and `expr` (bad_value)"#,
        r#"node "n": variables[0].name: "reply" is taken: the language gives it a meaning (bad_name)"#,
        r#"node "n": max_jumps: must be at least 1 (bad_value)"#,
        r#"node "n": branches: name the branch "failed" twice (duplicate_branch)"#,
        r#"node "n": branches: are 0, 1-256 are allowed (bad_value)"#,
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
        r#"settings.keywords[1].node: is missing (missing_field)"#,
        r#"settings.keywords[1].node: jumps to "m", which is no node (edge_to_nowhere)"#,
        r#"settings.keywords[1].node: jumps to the start (into_start)"#,
        r#"settings.keywords[1].node: has no meaning without a jump (bad_value)"#,
        r#"settings.keywords[1].action: "skip" is not one of its words (bad_value)"#,
        r#"settings.reminder.before: 30m is not shorter than a session lives without an interaction (bad_value)"#,
        r#"settings.reminder.node: leads to "sid", which is no node"#,
        r#"node "side": can not be reached (unreachable)"#,
        r#"node "after": can not be reached (unreachable)"#,
        r#"node "n": stands in the reminder's branch and in the talk (reminder_path)"#,
        r#"node "w": is of kind `wait_reply`, which a reminder can not have (reminder_path)"#,
        r#"node "side": can not be reached (unreachable)"#,
        r#"node "after": can not be reached (unreachable)"#,
        r#"node "n": timeout: "later" is not a time span (bad_span)"#,
        r#"node "n": timeout: 31d is longer than a session may live (wait_too_long)"#,
        r#"node "n": vars[0]: "2x" is no variable: 1-64 letters, digits and `_`, no digit first (bad_name)"#,
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
            {"id": "hi", "kind": "send_message", "text": 1, "options": [{"id": "", "label": "{{ x }}"}]},
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
                "fix": "remove it; known are id, kind, name, ui, timeout, save_to, accept, on_timeout, any_channel, keywords, debounce"
            }])
    );
    let issue: &Issue = issues.errors().next().unwrap();
    assert_eq!(issue.severity, Severity::Error);
    assert_eq!(
        issue.to_string(),
        "node \"n\": timout: unknown field; did you mean \"timeout\"? (unknown_field)"
    );
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

/// What is said of a message in a flow that messages of a channel start, place and rule.
fn of_message(channel: &str, message: Value) -> String {
    let mut node = json!({"id": "n", "kind": "send_message"});
    node.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    first(set(one(node), "trigger", json!({"kind": "inbound", "channel": channel})))
        .trim_start_matches("node \"n\": ")
        .to_owned()
}

/// C
#[test]
fn what_a_channel_does_not_carry_is_told() {
    let buttons = |count: usize, label: &str| -> Value {
        let each = (0..count).map(|n| json!({"id": n.to_string(), "label": label}));
        json!({"text": "?", "buttons": each.collect::<Vec<_>>()})
    };
    let replies = |count: usize| -> Value {
        let each = (0..count).map(|n| json!({"id": n.to_string(), "label": "x"}));
        json!({"text": "?", "quick_replies": each.collect::<Vec<_>>()})
    };
    let reply =
        |label: usize| json!({"text": "?", "quick_replies": [{"id": "1", "label": "x".repeat(label)}]});
    let list = |count: usize, label: &str, description: &str| -> Value {
        let row = |n: usize| json!({"id": n.to_string(), "label": label, "description": description});
        let rows: Vec<Value> = (0..count).map(row).collect();
        json!({"text": "?", "list": {"button": "Open", "sections": [{"rows": rows}]}})
    };
    let body = |length: usize| json!({"text": "x".repeat(length), "buttons": [{"id": "1", "label": "x"}]});
    let image =
        |caption: usize| json!({"media": {"type": "image", "url": "u", "caption": "x".repeat(caption)}});
    let link = json!({"label": "x", "url": "u"});
    let both = json!({"text": "?", "buttons": [{"id": "1", "label": "x"}, link]});
    let template = json!({"template": {"name": "t", "language": "en"}});
    let card = json!({"card": {"title": "x".repeat(81)}});
    let place = json!({"location": {"latitude": 1, "longitude": 2}});
    let told = [
        of_message("whatsapp", buttons(3, "twenty characters ok")),
        of_message("whatsapp", buttons(4, "x")),
        of_message("whatsapp", buttons(1, "twenty-one characters")),
        of_message("whatsapp", body(1_024)),
        of_message("whatsapp", body(1_025)),
        of_message("whatsapp", both.clone()),
        of_message("messenger", both),
        of_message("whatsapp", list(10, &"x".repeat(24), &"x".repeat(72))),
        of_message("whatsapp", list(11, "x", "x")),
        of_message("whatsapp", list(1, &"x".repeat(25), "x")),
        of_message("whatsapp", list(1, "x", &"x".repeat(73))),
        of_message("whatsapp", image(1_024)),
        of_message("whatsapp", image(1_025)),
        of_message("whatsapp", template.clone()),
        of_message("whatsapp", replies(1)),
        of_message("messenger", replies(13)),
        of_message("instagram", replies(14)),
        of_message("messenger", replies(14)),
        of_message("instagram", replies(13)),
        of_message("messenger", reply(20)),
        of_message("messenger", reply(21)),
        of_message("instagram", reply(21)),
        of_message("whatsapp", json!({"text": "x".repeat(4_096)})),
        of_message("whatsapp", json!({"text": "x".repeat(4_097)})),
        of_message("messenger", image(1)),
        of_message("messenger", card.clone()),
        of_message("sms", card),
        of_message("sms", list(1, "x", "x")),
        of_message("sms", place.clone()),
        of_message("sms", template.clone()),
        of_message("web", template),
        of_message("kiosk-7", place),
        of_message("instagram", json!({"media": {"type": "sticker", "url": "u"}})),
    ];
    let expected = [
        "",
        "buttons: are 4, at most 3 are allowed on whatsapp (channel_limit)",
        "buttons[0].label: has 21 characters, at most 20 are allowed (channel_limit)",
        "",
        "text: has 1025 characters, at most 1024 are allowed on whatsapp (channel_limit)",
        "buttons: has buttons with `url` beside others, which can not be on whatsapp (channel_limit)",
        "",
        "",
        "list: are 11, at most 10 are allowed on whatsapp (channel_limit)",
        "list.sections[0].rows[0].label: has 25 characters, at most 24 are allowed (channel_limit)",
        "list.sections[0].rows[0].description: has 73 characters, at most 72 are allowed on whatsapp (channel_limit)",
        "",
        "media.caption: has 1025 characters, at most 1024 are allowed on whatsapp (channel_limit)",
        "",
        "quick_replies: can not be sent on whatsapp (channel_limit)",
        "",
        "quick_replies: are 14, at most 13 are allowed on instagram (channel_limit)",
        "quick_replies: are 14, at most 13 are allowed on messenger (channel_limit)",
        "",
        "",
        "quick_replies[0].label: has 21 characters, at most 20 are allowed (channel_limit)",
        "quick_replies[0].label: has 21 characters, at most 20 are allowed (channel_limit)",
        "",
        "text: has 4097 characters, at most 4096 are allowed on whatsapp (channel_limit)",
        "media.caption: can not be sent on messenger (channel_limit)",
        "card.title: has 81 characters, at most 80 are allowed on messenger (channel_limit)",
        "card: can not be sent on sms (channel_limit)",
        "list: can not be sent on sms (channel_limit)",
        "location: can not be sent on sms (channel_limit)",
        "template: can not be sent on sms (channel_limit)",
        "template: can not be sent on web (channel_limit)",
        "",
        "media: can not be sent on instagram (channel_limit)",
    ];
    assert_eq!(told, expected);
}

/// I9: what names a choice stays short enough for a payload of 200 bytes, wherever the choice stands.
#[test]
fn the_id_of_a_choice_has_at_most_64_bytes() {
    let told = |bytes: usize| {
        let option = json!({"id": "x".repeat(bytes), "label": "x"});
        let ask = one(json!({"id": "n", "kind": "ask", "text": "?", "choices": [option.clone()]}));
        [
            of_message("web", json!({"text": "?", "options": [option]})),
            of_message("web", json!({"text": "?", "buttons": [option]})),
            of_message("web", json!({"text": "?", "quick_replies": [option]})),
            of_message(
                "whatsapp",
                json!({"text": "?", "list": {"button": "x", "sections": [{"rows": [option]}]}}),
            ),
            of_message("web", json!({"card": {"title": "x", "buttons": [option]}})),
            of_message("whatsapp", json!({"template": {"name": "t", "language": "en", "buttons": [option]}})),
            first(on_sms(ask)),
        ]
    };
    assert_eq!(told(64), [""; 7]);
    for told in told(65) {
        assert!(told.contains("must have at most 64 bytes (bad_name)"), "{told}");
    }
}

/// N2, T3
#[test]
fn a_message_that_contradicts_itself_is_told() {
    let button = json!([{"id": "1", "label": "x"}]);
    let told = [
        of_message("web", json!({"text": "?", "media": {"type": "image", "url": "u"}})),
        of_message("web", json!({"text": "?", "buttons": button, "quick_replies": button})),
        of_message("web", json!({"buttons": button})),
        of_message("web", json!({"text": "?", "buttons": []})),
        of_message("web", json!({"text": "?", "buttons": [{"label": "x"}]})),
        of_message("web", json!({"text": "?", "buttons": [{"id": "1", "label": "x", "url": "u"}]})),
        of_message("web", json!({"text": "?", "list": {"button": "x", "sections": []}})),
        of_message("web", json!({"text": {}})),
        of_message("web", json!({"text": {"english": "Hi"}})),
        of_message("web", json!({"text": {"en": "Hi", "EN": "Ho"}})),
        of_message("web", json!({"text": {"en": "Hi", "de": " "}})),
        of_message("web", json!({"text": {"en": "Hi", "de": 1}})),
        of_message("web", json!({"location": {"latitude": 91, "longitude": 0}})),
        of_message("web", json!({"media": {"type": "gif", "url": "u"}})),
        of_message("web", json!({"media": {"type": "image", "url": " "}})),
    ];
    let expected = [
        "text: stands beside `media` (bad_value)",
        "quick_replies: stands beside `buttons` (bad_value)",
        "text: is missing (missing_field)",
        "buttons: has no button (bad_value)",
        "buttons[0].id: is missing (missing_field)",
        "buttons[0].url: stands beside `id` (bad_value)",
        "list.sections: has no row (bad_value)",
        "text: has no language (bad_value)",
        "text.english: \"english\" is no language tag (bad_name)",
        "text.en: is there in other letters already (duplicate_key)",
        "text.de: must not be blank (bad_value)",
        "text.de: must be text, not a number (wrong_type)",
        "location.latitude: must be from -90 to 90, not 91 (bad_value)",
        "media.type: \"gif\" is not one of its words (bad_value)",
        "media.url: must not be blank (bad_value)",
    ];
    assert_eq!(told, expected);
}

/// C: the warning comes where a day may have passed since the contact wrote, and nowhere else.
#[test]
fn a_text_may_be_sent_within_a_day_of_the_contacts_last_word() {
    let row = |nodes: Value, edges: Value, inbound: bool| {
        let flow = flow(nodes, edges);
        let flow = if inbound {
            set(flow, "trigger", json!({"kind": "inbound", "channel": "whatsapp"}))
        } else {
            on_whatsapp(flow)
        };
        first(flow)
    };
    let hi = json!({"id": "hi", "kind": "send_message", "text": "Hi"});
    let after = |node: Value, branch: &str| {
        let id = node["id"].clone();
        (json!([node, hi]), json!([{"from": "s", "to": id}, {"from": id, "branch": branch, "to": "hi"}]))
    };
    let (wait, delay) = (
        |timeout: &str| json!({"id": "w", "kind": "wait_reply", "timeout": timeout}),
        |span: &str| json!({"id": "d", "kind": "delay", "for": span}),
    );
    let told = |(nodes, edges): (Value, Value), inbound| !row(nodes, edges, inbound).is_empty();
    assert!(told(after(delay("24h"), "next"), true));
    assert!(!told(after(delay("23h59m"), "next"), true));
    assert!(told(after(wait("1d"), "timeout"), true));
    assert!(!told(after(wait("1d"), "replied"), true));
    assert!(
        !told(after(wait("1h"), "replied"), false),
        "a reply opens the window of a flow that a call starts"
    );
    assert!(told(after(wait("1h"), "timeout"), false));
    let until = json!({"id": "d", "kind": "delay", "until": "{{ contact.fields.at }}"});
    assert!(told(after(until, "next"), true));
    let jumps = |most: u32| {
        let nodes = json!([hi, {"id": "d", "kind": "delay", "for": "10h"},
                           {"id": "j", "kind": "jump", "target": "hi", "max_jumps": most}]);
        (nodes, json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "d"}, {"from": "d", "to": "j"}]))
    };
    assert!(told(jumps(3), true), "three times ten hours");
    assert!(!told(jumps(2), true), "twice");
    let template = json!({"id": "hi", "kind": "send_message", "template": {"name": "t", "language": "en"}});
    let edges = json!([{"from": "s", "to": "hi"}]);
    assert!(!told((json!([template]), edges.clone()), false));
    let elsewhere =
        json!({"id": "hi", "kind": "send_message", "text": "x", "action": "from_to", "to": "+15550100"});
    assert!(!told((json!([elsewhere]), edges), false));
}

/// Each check of the kinds that ask the host or look at texts, clocks and contacts: what is wrong, what is told, and what
/// is right.
#[test]
fn what_the_host_is_asked_and_what_a_text_holds_is_checked() {
    let node = |kind: &str, fields: Value| {
        let mut node = json!({"id": "n", "kind": kind});
        node.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let mut edges = vec![json!({"from": "s", "to": "n"})];
        for branch in ["found", "not_found", "open", "closed", "a", "b", "en", "else"] {
            edges.push(json!({"from": "n", "branch": branch, "to": "e"}));
        }
        let nodes = json!([node, {"id": "e", "kind": "end"}]);
        // Only the edges of branches that the node has.
        let has = |edge: &Value| match edge["branch"].as_str() {
            None => true,
            Some(branch) => {
                let with = flow(
                    nodes.clone(),
                    json!([{"from": "s", "to": "n"}, {"from": "n", "branch": branch, "to": "e"}]),
                );
                !said(&with.to_string()).contains("unknown_branch")
            }
        };
        let mut edges: Vec<Value> = edges.into_iter().filter(has).collect();
        if edges.len() == 1 {
            edges.push(json!({"from": "n", "to": "e"}));
        }
        flow(nodes, json!(edges))
    };
    let http = |fields: Value| {
        let mut all = json!({"url": "https://example.com/"});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        node("http_request", all)
    };
    let llm = |fields: Value| {
        let mut all = json!({"prompt": "Hi", "save_to": "said"});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        node("llm", all)
    };
    let classes = |ids: &[&str]| {
        let classes: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        json!({"classes": classes})
    };
    let hours = |fields: Value| {
        let mut all = json!({"timezone": "Europe/Berlin", "hours": {"mon": ["09:00-18:00"]}});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        node("open_hours", all)
    };
    let split = |weight: u32| node("random_split", json!({"branches": [{"label": "a", "weight": weight}]}));
    let cases = [
        (
            http(json!({"url": "ftp://example.com/"})),
            r#"node "n": url: "ftp://example.com/" is no web address (bad_value)"#,
            http(json!({"url": "HTTP://example.com/{{ vars.said | default('') }}"})),
        ),
        (
            http(json!({"url": "mailto:{{ contact.email }}"})),
            r#"node "n": url: "mailto:{{ contact.email }}" is no web address (bad_value)"#,
            http(json!({"url": "{{ context.url }}"})),
        ),
        (
            http(json!({"url": " "})),
            r#"node "n": url: must not be blank (bad_value)"#,
            http(json!({"url": "https://{{ context.host }}/"})),
        ),
        (
            http(json!({"headers": {"X-A: 1\r\nX-B": "2"}})),
            r#"is no name of a header (bad_name)"#,
            http(json!({"headers": {"X-A": "{{ context.a }}"}})),
        ),
        (
            http(json!({"headers": {"X-A": "1\nX-B: 2"}})),
            r#"node "n": headers.X-A: has a control character (bad_value)"#,
            http(json!({"headers": {"X-A": "1 2"}})),
        ),
        (
            http(json!({"query": {"n": 1}})),
            r#"node "n": query.n: must be text (wrong_type)"#,
            http(json!({"query": {"n": "1"}})),
        ),
        (
            http(json!({"body": {"n": 1}})),
            r#"node "n": body: has no meaning for GET (bad_value)"#,
            http(json!({"body": {"n": 1}, "method": "PUT"})),
        ),
        (
            http(json!({"method": "post"})),
            r#"node "n": method: "post" is not one of its words; did you mean "POST"? (bad_value)"#,
            http(json!({"method": "POST"})),
        ),
        (
            llm(json!({"temperature": 2.5})),
            r#"node "n": temperature: must be 0 to 2 (bad_value)"#,
            llm(json!({"temperature": 2})),
        ),
        (
            llm(json!({"max_tokens": 0})),
            r#"node "n": max_tokens: must be at least 1 (bad_value)"#,
            llm(json!({"max_tokens": 1})),
        ),
        (
            node("llm", json!({"prompt": "Hi"})),
            r#"node "n": save_to: is missing (missing_field)"#,
            llm(json!({"fallback": ""})),
        ),
        (
            node("classify", classes(&[])),
            r#"node "n": classes: are 0, 1-256 are allowed (bad_value)"#,
            node("classify", classes(&["a"])),
        ),
        (
            node("classify", classes(&["a", "else"])),
            r#"node "n": classes: name the branch "else" twice (duplicate_branch)"#,
            node("classify", classes(&["a", "b"])),
        ),
        (
            node("classify", json!({"classes": [{"id": "a"}], "threshold": 60})),
            r#"node "n": threshold: must be 0 to 1 (bad_value)"#,
            node("classify", json!({"classes": [{"id": "a"}], "threshold": 0.6})),
        ),
        (
            node("recognize_language", json!({"languages": ["en", "English language"]})),
            r#"node "n": languages[1]: "English language" is no language tag (bad_value)"#,
            node("recognize_language", json!({"languages": ["en"]})),
        ),
        (
            node("recognize_language", json!({"languages": []})),
            r#"node "n": languages: are 0, 1-256 are allowed (bad_value)"#,
            node("recognize_language", json!({})),
        ),
        (
            node("recognize_phone", json!({"default_region": "Germany"})),
            r#"node "n": default_region: "Germany" is no region (bad_value)"#,
            node("recognize_phone", json!({"default_region": "DE"})),
        ),
        (
            node("recognize_entities", json!({"types": []})),
            r#"node "n": types: looks for nothing (bad_value)"#,
            node("recognize_entities", json!({"types": ["email"]})),
        ),
        (
            node("update_contact", json!({"set": {}})),
            r#"node "n": set: is missing: nothing is changed (missing_field)"#,
            node("update_contact", json!({"set": {"name": null}})),
        ),
        (
            node("update_contact", json!({"set": {"name": 1}})),
            r#"node "n": set.name: must be text, not a number (wrong_type)"#,
            node("update_contact", json!({"consent": "opt_out"})),
        ),
        (
            node("update_contact", json!({"add_tags": [" "]})),
            r#"node "n": add_tags[0]: must not be blank (bad_value)"#,
            node("update_contact", json!({"add_tags": ["vip"]})),
        ),
        (split(0), r#"node "n": branches[0].weight: is 0, 1-1000 are allowed (bad_value)"#, split(1_000)),
        (
            node("random_split", json!({"branches": [{"label": "a"}, {"label": "a"}]})),
            r#"node "n": branches: name the branch "a" twice (duplicate_branch)"#,
            node("random_split", json!({"branches": [{"label": "a"}, {"label": "b"}]})),
        ),
        (
            hours(json!({"timezone": "Europe/Berlinn"})),
            r#"node "n": timezone: "Europe/Berlinn" is no time zone; did you mean "Europe/Berlin"? (bad_value)"#,
            hours(json!({"timezone": "UTC"})),
        ),
        (
            hours(json!({"hours": {"monday": []}})),
            r#"node "n": hours.monday: "monday" is no day of the week (bad_value)"#,
            hours(json!({"hours": {"mon": []}})),
        ),
        (
            hours(json!({"hours": {"mon": ["9-18"]}})),
            r#"node "n": hours.mon[0]: "9-18" is no time of a day (bad_value)"#,
            hours(json!({"hours": {"mon": ["22:00-02:00"]}})),
        ),
        (
            hours(json!({"dates": {"25.12.2026": []}})),
            r#""25.12.2026" is no date (bad_value)"#,
            hours(json!({"dates": {"2026-12-25": []}})),
        ),
        (
            node("log", json!({"text": "x", "level": "warn"})),
            r#"node "n": level: "warn" is not one of its words (bad_value)"#,
            node("log", json!({"text": "x", "level": "warning"})),
        ),
    ];
    for (wrong, told, right) in cases {
        let said_of_wrong = said(&wrong.to_string());
        assert!(said_of_wrong.contains(told), "{told}\nis not in\n{said_of_wrong}");
        assert_eq!(said(&right.to_string()), "", "{right}");
    }
}

/// N: the ways out that a session may take have to lead somewhere.
#[test]
fn branches_of_splits_hours_classes_and_searches_need_edges() {
    for (node, branch) in [
        (json!({"kind": "random_split", "branches": [{"label": "a"}]}), "a"),
        (json!({"kind": "open_hours", "timezone": "UTC", "hours": {}}), "closed"),
        (json!({"kind": "classify", "classes": [{"id": "a"}]}), "else"),
        (json!({"kind": "recognize_language", "languages": ["en"]}), "en"),
        (json!({"kind": "recognize_phone"}), "not_found"),
        (json!({"kind": "recognize_entities"}), "found"),
    ] {
        let mut node = node;
        node["id"] = json!("n");
        let told = said(&one(node).to_string());
        assert!(told.contains(&format!("branch {branch:?} leads nowhere (dead_end)")), "{told}");
        assert!(!told.contains("\"failed\""), "{told}");
    }
}
