//! Waits, rounds and timeouts that outlast the longest life of a session (C, S1).

use serde_json::{Value, json};

use super::kit::*;

fn told(flow: &Value) -> String {
    said(&flow.to_string())
}

fn tip() -> Value {
    json!({"id": "hi", "kind": "send_message", "text": "A tip"})
}

fn rest(span: &str) -> Value {
    json!({"id": "rest", "kind": "delay", "for": span})
}

/// A tip in each of so many rounds, with a rest behind it, and the end.
fn rounds(most: u32, span: &str) -> Value {
    flow(
        json!([tip(), rest(span), {"id": "j", "kind": "jump", "target": "hi", "max_jumps": most}, {"id": "e", "kind": "end"}]),
        json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "rest"}, {"from": "rest", "to": "j"}, {"from": "j", "to": "e"}]),
    )
}

/// A tip for each item of a list.
fn for_each(limit: u32, span: &str) -> Value {
    flow(
        json!([{"id": "n", "kind": "for_each", "from": "contact.tags", "limit": limit}, tip(), rest(span), {"id": "e", "kind": "end"}]),
        json!([{"from": "s", "to": "n"}, {"from": "n", "branch": "each", "to": "hi"}, {"from": "hi", "to": "rest"},
               {"from": "rest", "to": "n"}, {"from": "n", "branch": "done", "to": "e"}]),
    )
}

/// C
#[test]
fn rounds_that_no_session_lives_to_end_are_told() {
    assert_eq!(
        told(&rounds(8, "7d")),
        "node \"j\": goes round until 63 days after the start at the earliest, when no session lives (wait_too_long); \
         say `\"lifetime\": \"none\"` in the settings, or wait less"
    );
    assert_eq!(told(&rounds(3, "7d")), "", "28 days");
    assert_eq!(told(&set(rounds(8, "7d"), "settings", json!({"lifetime": "none"}))), "");
    let short = set(rounds(3, "1d"), "settings", json!({"max_lifetime": "2d", "session_ttl_minutes": 60}));
    assert!(told(&short).contains("goes round until 4 days"), "{}", told(&short));
}

/// C: who may leave the rounds by a word does not need the last of them.
#[test]
fn rounds_that_an_answer_ends_are_a_warning_where_nobody_answers() {
    let wait = json!({"id": "rest", "kind": "wait_reply", "timeout": "7d"});
    let asked = flow(
        json!([tip(), wait, {"id": "j", "kind": "jump", "target": "hi", "max_jumps": 8}, {"id": "e", "kind": "end"}]),
        json!([{"from": "s", "to": "hi"}, {"from": "hi", "to": "rest"}, {"from": "rest", "branch": "timeout", "to": "j"},
               {"from": "rest", "branch": "replied", "to": "e"}, {"from": "j", "to": "e"}]),
    );
    assert!(
        told(&asked).starts_with("warning: node \"j\": may go round until 63 days after the start"),
        "{}",
        told(&asked)
    );
}

/// C
#[test]
fn a_full_list_or_a_silent_contact_may_outlive_a_session() {
    assert!(
        told(&for_each(8, "7d")).starts_with("warning: node \"n\": may go round until 56 days"),
        "{}",
        told(&for_each(8, "7d"))
    );
    assert_eq!(told(&for_each(4, "7d")), "");
    assert_eq!(told(&for_each(200, "1h")), "");
    let wait = |id: &str| json!({"id": id, "kind": "wait_reply", "timeout": "20d", "on_timeout": "continue"});
    let silent = flow(
        json!([wait("a"), wait("b"), wait("c")]),
        json!([{"from": "s", "to": "a"}, {"from": "a", "to": "b"}, {"from": "b", "to": "c"}]),
    );
    assert_eq!(
        told(&silent),
        "warning: node \"b\": may end 40 days after the start, when no session lives (may_outlive); \
         say `\"lifetime\": \"none\"` in the settings, or wait less"
    );
}

/// C: the advice is one that can be followed.
#[test]
fn a_wait_beyond_every_life_is_told_the_setting_for_it() {
    let waits = |span: &str, settings: Value| {
        told(&set(one(json!({"id": "n", "kind": "delay", "for": span})), "settings", settings))
    };
    let none = "say `\"lifetime\": \"none\"` in the settings";
    assert!(waits("45d", json!({})).ends_with(&format!("wait less, or {none}")));
    let short = json!({"max_lifetime": "2d"});
    assert!(waits("3d", short).ends_with("wait less, or raise `settings.max_lifetime`"));
    let long = waits("45d", json!({"max_lifetime": "60d"}));
    assert!(long.contains("give a shorter time, or say `\"lifetime\": \"none\"` instead"), "{long}");
    assert_eq!(waits("45d", json!({"lifetime": "none"})), "");
}
