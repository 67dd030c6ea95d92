//! Messages that start a flow, and the closeness of their match (SEMANTICS I4).

use chatflow::flow::{Rank, Trigger};
use chatflow::{Channel, Flow};
use serde_json::{Value, json};

fn trigger(rules: Value) -> Trigger {
    let flow = json!({
        "spec": 1, "code": "c",
        "trigger": {"kind": "inbound", "channel": "whatsapp", "rules": rules, "priority": 7, "campaign": "required"},
        "nodes": [{"id": "s", "kind": "start"}], "edges": []
    });
    Flow::from_json(&flow.to_string()).unwrap().trigger().clone()
}

fn of(rules: Value, text: &str) -> Option<Rank> {
    trigger(rules).matches(Some(text), None, false)
}

#[test]
fn i4_the_closest_rule_gives_the_rank_wherever_it_stands() {
    let all = trigger(json!([
        {"match": "fallback"}, {"match": "any"}, {"match": "first_contact"}, {"match": "contains", "text": "men"},
        {"match": "regex", "text": "^m.n"}, {"match": "starts_with", "text": "me"}, {"match": "exact", "text": "menu"},
        {"match": "payload", "text": "MENU"}
    ]));
    assert_eq!(all.matches(Some("menu"), Some("MENU"), true), Some(Rank::Payload));
    assert_eq!(all.matches(Some("menu"), Some("menu"), true), Some(Rank::Exact), "a payload has its case");
    assert_eq!(all.matches(Some("menus"), None, true), Some(Rank::StartsWith));
    assert_eq!(all.matches(Some("mint"), None, true), Some(Rank::Regex));
    assert_eq!(all.matches(Some("a menu"), None, true), Some(Rank::Contains));
    assert_eq!(all.matches(Some("hi"), None, true), Some(Rank::FirstContact));
    assert_eq!(all.matches(Some("hi"), None, false), Some(Rank::Any));
    assert_eq!(all.matches(None, None, false), Some(Rank::Any), "a picture has no text");
    assert!(Rank::Payload > Rank::Exact && Rank::Any > Rank::Fallback);
}

#[test]
fn i4_a_text_is_trimmed_and_compared_without_case() {
    let exact = |wanted: &str, text: &str| of(json!([{"match": "exact", "text": wanted}]), text).is_some();
    assert!(exact("Menü", "  MENÜ\n"));
    assert!(exact("STRASSE", "straße"));
    assert!(exact(" menu ", "menu"));
    assert!(!exact("menu", "menu please"));
    assert!(!exact("menu", ""));
    assert_eq!(of(json!([{"match": "regex", "text": "ORDER \\d+"}]), "my order 12"), Some(Rank::Regex));
}

#[test]
fn i4_no_rules_match_any_message_and_rules_match_only_theirs() {
    assert_eq!(of(json!([]), "hello"), Some(Rank::Any));
    assert_eq!(of(json!([{"match": "contains", "text": "menu"}]), "hello"), None);
    assert_eq!(of(json!([{"match": "first_contact"}]), "hello"), None);
    assert_eq!(of(json!([{"match": "fallback"}]), "hello"), Some(Rank::Fallback));
}

#[test]
fn i4_a_trigger_tells_its_channel_its_priority_and_its_campaign() {
    let trigger = trigger(json!([]));
    assert_eq!(trigger.channel(), Some(&Channel::WhatsApp));
    assert_eq!((trigger.priority(), trigger.needs_campaign(), trigger.is_manual()), (7, true, false));
}

#[test]
fn t1_no_message_starts_a_manual_flow() {
    let json = r#"{"spec": 1, "code": "c", "trigger": {"kind": "manual"}, "nodes": [{"id": "s", "kind": "start"}], "edges": []}"#;
    let flow = Flow::from_json(json).unwrap();
    assert!(flow.trigger().is_manual());
    assert_eq!(flow.trigger().matches(Some("menu"), Some("menu"), true), None);
}
