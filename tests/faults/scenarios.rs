//! The conversations that are broken at every place.

use chatflow::session::Profile;
use chatflow::{Channel, Completed, Inbound, Received, SessionRef, TriggerRequest, Triggered};
use chrono::TimeDelta;
use serde_json::json;

use crate::kit::{Host, Setup};

pub(crate) const ADA: &str = "+14155550123";
const BOB: &str = "+14155550124";
pub(crate) const SHOP: &str = "+15550100";

/// A flow from its nodes, in a row; `branch` edges besides.
pub(crate) fn flow(code: &str, nodes: &str, edges: &str) -> String {
    format!(
        r#"{{"spec": 1, "code": "{code}", "name": "{code}", "trigger": {{"kind": "manual"}},
            "settings": {{"sender": {{"channel": "whatsapp", "account": "{SHOP}"}}}},
            "nodes": [{{"id": "start", "kind": "start"}}, {nodes}], "edges": [{edges}]}}"#
    )
}

/// The flows that scenarios run, by code.
pub(crate) fn flows(codes: &[&str]) -> Vec<String> {
    let all = [
        flow(
            "ask",
            r#"{"id": "hi", "kind": "send_message", "text": "Hi {{context.name}}"},
               {"id": "how", "kind": "send_message", "text": "How are you?"},
               {"id": "wait", "kind": "wait_reply", "timeout": "10m", "save_to": "mood"},
               {"id": "thanks", "kind": "send_message", "text": "{{vars.mood}}, I see"},
               {"id": "again", "kind": "wait_reply", "timeout": "10m", "save_to": "more"},
               {"id": "bye", "kind": "send_message", "text": "Bye: {{vars.more}}"},
               {"id": "gone", "kind": "send_message", "text": "Nobody there"}"#,
            r#"{"from": "start", "to": "hi"}, {"from": "hi", "to": "how"}, {"from": "how", "to": "wait"},
               {"from": "wait", "to": "thanks"}, {"from": "wait", "branch": "timeout", "to": "gone"},
               {"from": "thanks", "to": "again"}, {"from": "again", "to": "bye"}"#,
        ),
        flow(
            "once",
            r#"{"id": "one", "kind": "send_message", "text": "One"},
               {"id": "two", "kind": "send_message", "text": "Two"},
               {"id": "three", "kind": "send_message", "text": "Three"}"#,
            r#"{"from": "start", "to": "one"}, {"from": "one", "to": "two"}, {"from": "two", "to": "three"}"#,
        ),
        flow(
            "later",
            r#"{"id": "rest", "kind": "delay", "for": "2m"},
               {"id": "up", "kind": "send_message", "text": "Up again"}"#,
            r#"{"from": "start", "to": "rest"}, {"from": "rest", "to": "up"}"#,
        ),
        flow(
            "lookup",
            r#"{"id": "look", "kind": "function", "function": "later", "args": {}, "save_to": "found", "timeout": "20m"},
               {"id": "wait", "kind": "wait_reply", "timeout": "10m", "save_to": "said"},
               {"id": "tell", "kind": "send_message", "text": "{{vars.found}} and {{vars.said}}"}"#,
            r#"{"from": "start", "to": "look"}, {"from": "look", "to": "wait"}, {"from": "wait", "to": "tell"}"#,
        ),
        flow(
            "quick",
            r#"{"id": "first", "kind": "send_message", "text": "Looking"},
               {"id": "look", "kind": "function", "function": "now", "args": {}, "save_to": "found", "timeout": "20m"},
               {"id": "tell", "kind": "send_message", "text": "Found {{vars.found}}"},
               {"id": "sorry", "kind": "send_message", "text": "Sorry"}"#,
            r#"{"from": "start", "to": "first"}, {"from": "first", "to": "look"}, {"from": "look", "to": "tell"},
               {"from": "look", "branch": "failed", "to": "sorry"}"#,
        ),
        flow(
            "help",
            r#"{"id": "hi", "kind": "send_message", "text": "What is wrong, {{contact.name | default('you')}}?"},
               {"id": "wait", "kind": "wait_reply", "save_to": "what"},
               {"id": "agent", "kind": "handoff", "timeout": "2h", "vars": ["solved"]},
               {"id": "back", "kind": "send_message", "text": "Solved: {{vars.solved}}"},
               {"id": "more", "kind": "wait_reply", "save_to": "more"},
               {"id": "bye", "kind": "send_message", "text": "Bye"},
               {"id": "still", "kind": "send_message", "text": "Still there?"}"#,
            r#"{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}, {"from": "wait", "to": "agent"},
               {"from": "agent", "to": "back"}, {"from": "back", "to": "more"}, {"from": "more", "to": "bye"}"#,
        )
        .replace(
            r#""settings": {"#,
            r#""settings": {"reminder": {"before": "5m", "node": "still"},
                "keywords": [{"words": ["again"], "action": "restart"}, {"words": ["quit"], "action": "cancel"}], "#,
        ),
        flow(
            "sure",
            r#"{"id": "one", "kind": "send_message", "text": "One"},
               {"id": "ask", "kind": "send_message", "text": "Sure?"},
               {"id": "wait", "kind": "wait_reply", "timeout": "10m", "save_to": "said"},
               {"id": "two", "kind": "send_message", "text": "{{vars.said}}, then"},
               {"id": "never", "kind": "send_message", "text": "Never"}"#,
            r#"{"from": "start", "to": "one"}, {"from": "one", "to": "ask"}, {"from": "ask", "to": "wait"},
               {"from": "ask", "branch": "failed", "to": "never"}, {"from": "wait", "to": "two"},
               {"from": "two", "branch": "window_closed", "to": "never"}"#,
        ),
        flow(
            "other",
            r#"{"id": "q", "kind": "send_message", "text": "Other question"},
               {"id": "wait", "kind": "wait_reply", "timeout": "10m", "save_to": "answer"},
               {"id": "a", "kind": "send_message", "text": "Other {{vars.answer}}"}"#,
            r#"{"from": "start", "to": "q"}, {"from": "q", "to": "wait"}, {"from": "wait", "to": "a"}"#,
        ),
        flow(
            "detour",
            r#"{"id": "before", "kind": "send_message", "text": "First of all"},
               {"id": "call", "kind": "call_flow", "flow": "other", "output": [{"name": "colour", "expr": "answer"}]},
               {"id": "after", "kind": "send_message", "text": "It is {{vars.colour}}"},
               {"id": "gone", "kind": "send_message", "text": "Some other time"}"#,
            r#"{"from": "start", "to": "before"}, {"from": "before", "to": "call"}, {"from": "call", "to": "after"},
               {"from": "call", "branch": "expired", "to": "gone"}"#,
        ),
    ];
    let all = [all.as_slice(), &more_flows()].concat();
    let named = |flow: &String| codes.iter().any(|code| flow.contains(&format!(r#""code": "{code}""#)));
    all.into_iter().filter(named).collect()
}

/// Flows with questions, with host calls of each kind, with called flows.
fn more_flows() -> [String; 5] {
    [
        flow(
            "form",
            r#"{"id": "n", "kind": "ask", "text": "How many?", "expect": "number", "retries": 1, "debounce": "50s",
                "error_text": "A number, please", "save_to": "n"},
               {"id": "sure", "kind": "ask", "text": "Are you sure?", "save_to": "sure",
                "choices": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]},
               {"id": "tag", "kind": "update_contact", "add_tags": ["{{vars.sure}}"]},
               {"id": "done", "kind": "send_message", "text": "{{vars.n}}, {{contact.tags | join(',')}}"}"#,
            r#"{"from": "start", "to": "n"}, {"from": "n", "to": "sure"}, {"from": "sure", "to": "tag"},
               {"from": "tag", "to": "done"}"#,
        ),
        flow(
            "outer",
            r#"{"id": "form", "kind": "call_flow", "flow": "form", "output": [{"name": "n", "expr": "n"}]},
               {"id": "end", "kind": "send_message", "text": "In all {{vars.n}}"}"#,
            r#"{"from": "start", "to": "form"}, {"from": "form", "to": "end"}"#,
        )
        .replace(
            r#""settings": {"#,
            r#""settings": {"keywords": [{"words": ["agent"], "action": "handoff"}], "#,
        ),
        flow(
            "around",
            r#"{"id": "ask", "kind": "call_flow", "flow": "sure"},
               {"id": "end", "kind": "send_message", "text": "Around"}"#,
            r#"{"from": "start", "to": "ask"}, {"from": "ask", "to": "end"}"#,
        ),
        flow(
            "calls",
            r#"{"id": "web", "kind": "http_request", "url": "https://host/stock", "save_to": "web", "timeout": "20m"},
               {"id": "draft", "kind": "llm", "prompt": "{{vars.web.body}}", "save_to": "draft", "timeout": "20m"},
               {"id": "class", "kind": "classify", "classes": [{"id": "one"}, {"id": "two"}], "save_to": "class", "timeout": "20m"},
               {"id": "tongue", "kind": "recognize_language", "update_contact": true, "timeout": "20m"},
               {"id": "tell", "kind": "send_message", "text": "{{vars.draft}} {{vars.class}} {{contact.language}}"},
               {"id": "other", "kind": "send_message", "text": "Other"}"#,
            r#"{"from": "start", "to": "web"}, {"from": "web", "to": "draft"}, {"from": "web", "branch": "failed", "to": "other"},
               {"from": "draft", "to": "class"}, {"from": "draft", "branch": "failed", "to": "other"},
               {"from": "class", "branch": "one", "to": "tongue"}, {"from": "class", "branch": "two", "to": "other"},
               {"from": "class", "branch": "else", "to": "other"}, {"from": "class", "branch": "failed", "to": "other"},
               {"from": "tongue", "to": "tell"}, {"from": "tongue", "branch": "failed", "to": "other"}"#,
        ),
        flow(
            "leave",
            r#"{"id": "wait", "kind": "wait_reply"},
               {"id": "out", "kind": "update_contact", "consent": "opt_out"},
               {"id": "bye", "kind": "send_message", "text": "As you wish"}"#,
            r#"{"from": "start", "to": "wait"}, {"from": "wait", "to": "out"}, {"from": "out", "to": "bye"}"#,
        ),
    ]
}

/// A conversation, told by its host.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) flows: &'static [&'static str],
    pub(crate) deferred: bool,
    pub(crate) inline_calls: bool,
    pub(crate) tell: fn(&mut Host),
}

impl Scenario {
    pub(crate) fn setup(&self, whole: bool) -> Setup {
        Setup { whole, deferred: self.deferred, inline_calls: self.inline_calls }
    }
}

pub(crate) fn trigger(flow: &str, key: Option<&str>) -> TriggerRequest {
    let request = TriggerRequest::new(flow).phone(ADA).context(json!({"name": "Ada"}));
    match key {
        Some(key) => request.uuid(key),
        None => request,
    }
}

pub(crate) fn says(id: &str, text: &str) -> Inbound {
    Inbound::text(Channel::WhatsApp, SHOP, ADA, text).id(id)
}

fn start(host: &mut Host, flow: &str, key: Option<&str>) -> SessionRef {
    let answer = host.call(async |engine| engine.trigger(trigger(flow, key)).await);
    let session = answer.session().cloned().unwrap_or_else(|| panic!("{answer:?}"));
    host.answers.push(session.clone());
    session
}

/// Ticks until the call was really made.
fn make_call(host: &mut Host) {
    host.tick();
    while host.world.desk.asked().is_empty() {
        host.world.pass(TimeDelta::seconds(2));
        host.tick();
    }
}

/// Messages that were written before arrive, in the clean run and in all others.
fn deliver(host: &mut Host) {
    host.world.pass(TimeDelta::seconds(61));
    host.tick();
}

fn reply(host: &mut Host, id: &str, text: &str) -> Received {
    let answer = host.call(async |engine| engine.receive(says(id, text)).await);
    match answer {
        Received::Duplicate { first } => *first,
        answer => answer,
    }
}

fn consumed(answer: &Received) {
    assert!(matches!(answer, Received::Consumed { .. }), "{answer:?}");
}

fn complete(host: &mut Host) {
    let call = host.world.desk.last();
    let answer = host
        .call(async |engine| engine.complete(call.clone(), chatflow::CallResult::value("an order")).await);
    assert!(matches!(answer, Completed::Resumed | Completed::Stale));
}

/// Waits until the call of this node was made, and answers it.
fn answer(host: &mut Host, node: &str, result: serde_json::Value) {
    let made = |host: &Host| host.world.desk.asked().into_iter().find(|call| call.node.as_str() == node);
    host.tick();
    for _ in 0..10 {
        if let Some(call) = made(host) {
            let result = || chatflow::CallResult::value(result.clone());
            let _ = host.call(async |engine| engine.complete(call.reference.clone(), result()).await);
            return;
        }
        host.world.pass(TimeDelta::seconds(62));
        host.tick();
    }
    panic!("`{node}` does not ask");
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    [first_scenarios(), more_scenarios()].into_iter().flatten().collect()
}

fn more_scenarios() -> Vec<Scenario> {
    let plain = |name, flows, tell| Scenario { name, flows, deferred: false, inline_calls: false, tell };
    vec![
        plain("questions, and an answer that is none", &["form"], |host| {
            start(host, "form", Some("k1"));
            for (id, text) in [("m1", "many"), ("m2", "3"), ("m3", "yes")] {
                deliver(host);
                consumed(&reply(host, id, text));
                host.world.pass(TimeDelta::minutes(6));
                host.tick();
            }
        }),
        plain("a person in the middle of a called flow's question", &["form", "outer"], |host| {
            let asked = start(host, "outer", Some("k1"));
            deliver(host);
            consumed(&reply(host, "m1", "3"));
            let word = reply(host, "m2", "agent");
            assert!(matches!(word, Received::Keyword { .. }), "{word:?}");
            host.world.pass(TimeDelta::hours(2));
            host.tick();
            let contact = asked.contact_id;
            let _ = host.call(async |engine| engine.resume_from_handoff(&contact, json!({})).await);
            host.world.pass(TimeDelta::minutes(6));
            host.tick();
            deliver(host);
            consumed(&reply(host, "m3", "no"));
        }),
        plain("a message of a called flow that did not arrive", &["sure", "around"], |host| {
            let session = start(host, "around", Some("k1")).session_id;
            deliver(host);
            let asked = host.world.wire.taken();
            let asked = asked.iter().find(|sent| sent.text() == "Sure?").expect("it was asked").id;
            assert_eq!(asked.session, session);
            let failed = || chatflow::session::DeliveryReport::Failed { code: "131047".into() };
            let _ = host.call(async |engine| engine.report(asked, failed()).await);
        }),
        plain("calls of every kind", &["calls"], |host| {
            start(host, "calls", Some("k1"));
            answer(host, "web", json!({"status": 200, "body": "stock"}));
            answer(host, "draft", json!("A draft"));
            answer(host, "class", json!("one"));
            answer(host, "tongue", json!("pt"));
        }),
        plain("a contact that leaves in the middle", &["leave", "other"], |host| {
            start(host, "other", Some("k1"));
            deliver(host);
            start(host, "leave", Some("k2"));
            consumed(&reply(host, "m1", "leave me alone"));
            deliver(host);
            let refused = host.call(async |engine| engine.trigger(trigger("other", Some("k3"))).await);
            assert!(matches!(refused, Triggered::Refused(_)), "{refused:?}");
        }),
    ]
}

fn first_scenarios() -> Vec<Scenario> {
    let plain = |name, flows, tell| Scenario { name, flows, deferred: false, inline_calls: false, tell };
    vec![
        plain("a trigger with a key", &["ask"], |host| {
            let first = start(host, "ask", Some("k1"));
            let again = start(host, "ask", Some("k1"));
            assert_eq!(first.session_id, again.session_id);
        }),
        plain("a trigger without a key", &["ask"], |host| {
            start(host, "ask", None);
        }),
        plain("several messages in a turn, then the end", &["once"], |host| {
            start(host, "once", Some("k1"));
        }),
        plain("a contact that is known starts again", &["once", "other"], |host| {
            start(host, "once", Some("k1"));
            start(host, "other", Some("k2"));
        }),
        plain("two replies", &["ask"], |host| {
            start(host, "ask", Some("k1"));
            consumed(&reply(host, "m1", "fine"));
            consumed(&reply(host, "m2", "all well"));
            assert!(matches!(reply(host, "m2", "all well"), Received::Consumed { .. }));
        }),
        plain("a timeout by tick", &["ask"], |host| {
            start(host, "ask", Some("k1"));
            host.world.pass(TimeDelta::minutes(13));
            host.tick();
        }),
        plain("a delay", &["later"], |host| {
            start(host, "later", Some("k1"));
            host.world.pass(TimeDelta::minutes(2));
            host.tick();
        }),
        plain("a call that is answered at once", &["quick"], |host| {
            start(host, "quick", Some("k1"));
            host.tick();
        }),
        Scenario {
            name: "a call that is answered at once, inline",
            flows: &["quick"],
            deferred: false,
            inline_calls: true,
            tell: |host| {
                start(host, "quick", Some("k1"));
            },
        },
        plain("a call that is answered later, and a reply", &["lookup"], |host| {
            start(host, "lookup", Some("k1"));
            make_call(host);
            complete(host);
            consumed(&reply(host, "m1", "red"));
        }),
        plain("a message that is queued while a call runs", &["lookup"], |host| {
            start(host, "lookup", Some("k1"));
            make_call(host);
            let queued = reply(host, "m1", "red");
            assert!(matches!(queued, Received::Queued { .. }), "{queued:?}");
            complete(host);
        }),
        plain("a call that nobody answers", &["lookup"], |host| {
            start(host, "lookup", Some("k1"));
            make_call(host);
            host.world.pass(TimeDelta::minutes(25));
            host.tick();
        }),
        plain("a cancellation", &["ask"], |host| {
            let answer = start(host, "ask", Some("k1"));
            deliver(host);
            let session = answer.session_id;
            let _ = host.call(async |engine| engine.cancel(session).await);
        }),
        plain("two sessions of one contact", &["ask", "other"], |host| {
            start(host, "ask", Some("k1"));
            host.world.pass(TimeDelta::seconds(1));
            start(host, "other", Some("k2"));
            consumed(&reply(host, "m1", "blue"));
            consumed(&reply(host, "m2", "fine"));
        }),
        plain("sends that the session waits for", &["sure"], |host| {
            start(host, "sure", Some("k1"));
            deliver(host);
            consumed(&reply(host, "m1", "yes"));
        }),
        Scenario {
            name: "delivery by tick",
            flows: &["ask"],
            deferred: true,
            inline_calls: false,
            tell: |host| {
                start(host, "ask", Some("k1"));
                host.tick();
                consumed(&reply(host, "m1", "fine"));
                host.tick();
            },
        },
        plain("expiry, and a reply that comes too late", &["ask"], |host| {
            start(host, "ask", Some("k1"));
            consumed(&reply(host, "m1", "fine"));
            deliver(host);
            host.world.pass(TimeDelta::minutes(40));
            let late = reply(host, "m2", "still there?");
            assert!(matches!(late, Received::Unmatched), "{late:?}");
        }),
        plain("a called flow that comes back", &["other", "detour"], |host| {
            start(host, "detour", Some("k1"));
            consumed(&reply(host, "m1", "blue"));
        }),
        plain("silence in a called flow", &["other", "detour"], |host| {
            start(host, "detour", Some("k1"));
            host.world.pass(TimeDelta::minutes(13));
            host.tick();
        }),
        plain("an opt-out", &["once", "ask"], |host| {
            let answer = start(host, "once", Some("k1"));
            deliver(host);
            let contact = answer.contact_id;
            host.call(async |engine| engine.opt_out(&contact).await);
            let refused = host.call(async |engine| engine.trigger(trigger("ask", Some("k2"))).await);
            assert!(matches!(refused, Triggered::Refused(_)), "{refused:?}");
        }),
        plain("a handoff beside a session that is called, and back", &["help", "lookup"], |host| {
            start(host, "lookup", Some("k1"));
            make_call(host);
            let asked = start(host, "help", Some("k2"));
            consumed(&reply(host, "m1", "it is broken"));
            let read = reply(host, "m2", "hello?");
            assert!(matches!(read, Received::Handoff { .. }), "{read:?}");
            complete(host);
            host.world.pass(TimeDelta::minutes(90));
            host.tick();
            let contact = asked.contact_id;
            assert!(host.call(async |engine| engine.touch(&contact).await));
            host.world.pass(TimeDelta::minutes(90));
            host.tick();
            let vars = || json!({"solved": "yes"});
            let _ = host.call(async |engine| engine.resume_from_handoff(&contact, vars()).await);
        }),
        plain("a handoff that nobody ends", &["help", "other"], |host| {
            start(host, "other", Some("k1"));
            start(host, "help", Some("k2"));
            consumed(&reply(host, "m1", "it is broken"));
            host.world.pass(TimeDelta::minutes(125));
            host.tick();
        }),
        plain("a handoff by the host", &["ask"], |host| {
            let asked = start(host, "ask", Some("k1"));
            let (session, contact) = (asked.session_id, asked.contact_id);
            deliver(host);
            let _ = host.call(async |engine| engine.handoff(session).await);
            host.world.pass(TimeDelta::minutes(20));
            host.tick();
            let _ = host.call(async |engine| engine.resume_from_handoff(&contact, json!({})).await);
            consumed(&reply(host, "m1", "fine"));
        }),
        plain("a reminder, and an answer", &["help"], |host| {
            start(host, "help", Some("k1"));
            host.world.pass(TimeDelta::minutes(26));
            host.tick();
            consumed(&reply(host, "m1", "it is broken"));
        }),
        plain("keywords that begin anew and end", &["help"], |host| {
            start(host, "help", Some("k1"));
            deliver(host);
            for (id, word) in [("m1", "again"), ("m2", "quit"), ("m3", "stop")] {
                // Known by another name the contact is asked in other words.
                let message = || says(id, word).profile(Profile::new().name("Ada"));
                let done = host.call(async |engine| engine.receive(message()).await);
                let is_keyword = |done: &Received| matches!(done, Received::Keyword { .. });
                assert!(
                    is_keyword(&done) || matches!(&done, Received::Duplicate { first } if is_keyword(first)),
                    "{done:?}"
                );
                deliver(host);
            }
        }),
        plain("a campaign", &["once"], |host| {
            let requests =
                || [ADA, BOB, ADA].map(|phone| TriggerRequest::new("once").phone(phone).campaign("c"));
            host.call(async |engine| {
                let mut campaign = engine.trigger_many(2, requests());
                let mut failed = None;
                while let Some(outcome) = campaign.next().await {
                    failed = outcome.err().or(failed);
                }
                failed.map_or(Ok(()), Err)
            });
        }),
    ]
}
