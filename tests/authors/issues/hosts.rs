//! Issues of the kinds that ask the host, or look at texts, clocks and contacts.

use serde_json::{Value, json};

use super::kit::*;

/// Each check of the kinds that ask the host or look at texts, clocks and contacts: what is wrong,
/// what is told, and what is right.
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
        let mut all = json!({"timezone": "UTC", "hours": {"mon": ["09:00-18:00"]}});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        node("open_hours", all)
    };
    let split = |weight: u32| node("random_split", json!({"branches": [{"label": "a", "weight": weight}]}));
    let cases = [
        (
            http(json!({"url": "ftp://example.com/"})),
            r#"node "n": url: "ftp://example.com/" is not a web address (bad_value)"#,
            http(json!({"url": "HTTP://example.com/{{ vars.said | default('') }}"})),
        ),
        (
            http(json!({"url": "mailto:{{ contact.email }}"})),
            r#"node "n": url: "mailto:{{ contact.email }}" is not a web address (bad_value)"#,
            http(json!({"url": "{{ context.url }}"})),
        ),
        (
            http(json!({"url": " "})),
            r#"node "n": url: must not be blank (bad_value)"#,
            http(json!({"url": "https://{{ context.host }}/"})),
        ),
        (
            http(json!({"headers": {"X-A: 1\r\nX-B": "2"}})),
            r#"is not the name of a header (bad_name)"#,
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
            r#"node "n": method: unknown value "post"; did you mean "POST"? (bad_value)"#,
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
            r#"node "n": save_to: is required (missing_field)"#,
            llm(json!({"fallback": ""})),
        ),
        (
            node("classify", classes(&[])),
            r#"node "n": classes: 0 classes, 1-256 are allowed (bad_value)"#,
            node("classify", classes(&["a"])),
        ),
        (
            node("classify", classes(&["a", "else"])),
            r#"node "n": classes: branch "else" appears twice (duplicate_branch)"#,
            node("classify", classes(&["a", "b"])),
        ),
        (
            node("classify", json!({"classes": [{"id": "a"}], "threshold": 60})),
            r#"node "n": threshold: must be 0 to 1 (bad_value)"#,
            node("classify", json!({"classes": [{"id": "a"}], "threshold": 0.6})),
        ),
        (
            node("recognize_language", json!({"languages": ["en", "English language"]})),
            r#"node "n": languages[1]: "English language" is not a language tag (bad_value)"#,
            node("recognize_language", json!({"languages": ["en"]})),
        ),
        (
            node("recognize_language", json!({"languages": []})),
            r#"node "n": languages: 0 languages, 1-256 are allowed (bad_value)"#,
            node("recognize_language", json!({})),
        ),
        #[cfg(feature = "phone-numbers")]
        (
            node("recognize_phone", json!({"default_region": "Germany"})),
            r#"node "n": default_region: "Germany" is not a region (bad_value)"#,
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
            r#"node "n": branches: branch "a" appears twice (duplicate_branch)"#,
            node("random_split", json!({"branches": [{"label": "a"}, {"label": "b"}]})),
        ),
        #[cfg(feature = "time-zones")]
        (
            hours(json!({"timezone": "Europe/Berlinn"})),
            r#"node "n": timezone: "Europe/Berlinn" is not a time zone; did you mean "Europe/Berlin"? (bad_value)"#,
            hours(json!({"timezone": "Europe/Berlin"})),
        ),
        (
            hours(json!({"hours": {"monday": []}})),
            r#"node "n": hours.monday: "monday" is not a day of the week (bad_value)"#,
            hours(json!({"hours": {"mon": []}})),
        ),
        (
            hours(json!({"hours": {"mon": ["9-18"]}})),
            r#"node "n": hours.mon[0]: "9-18" is not a time range (bad_value)"#,
            hours(json!({"hours": {"mon": ["22:00-02:00"]}})),
        ),
        (
            hours(json!({"dates": {"25.12.2026": []}})),
            r#""25.12.2026" is not a date (bad_value)"#,
            hours(json!({"dates": {"2026-12-25": []}})),
        ),
        (
            node("log", json!({"text": "x", "level": "warn"})),
            r#"node "n": level: unknown value "warn" (bad_value)"#,
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
        #[cfg(feature = "phone-numbers")]
        (json!({"kind": "recognize_phone"}), "not_found"),
        (json!({"kind": "recognize_entities", "types": ["email"]}), "found"),
    ] {
        let mut node = node;
        node["id"] = json!("n");
        let told = said(&one(node).to_string());
        assert!(told.contains(&format!("branch {branch:?} leads nowhere (dead_end)")), "{told}");
        assert!(!told.contains("\"failed\""), "{told}");
    }
}
