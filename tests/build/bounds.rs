//! Promises to hosts at compile time: engines and their futures cross threads, outcomes are
//! compared, logged and sent on.

use std::fmt::{Debug, Display};

use chatflow::id::FlowVersion;
use chatflow::ops::{
    Cancelled, DeadLetterEntry, EraseOptions, FlowStatus, Imported, Progress, Reported, SessionFilter,
};
use chatflow::store::{DynStore, MemoryStore};
use chatflow::{
    Builder, Channel, Completed, ContactId, Engine, Error, FlowId, Inbound, Received, Refusal, SessionId,
    SessionRef, Ticked, TriggerRequest, Triggered,
};
use serde::Serialize;
use serde_json::{json, to_value};

fn shared<T: Send + Sync>(_: &T) {}
fn sent<T: Send>(_: T) {}
fn plain<T: Clone + Debug + PartialEq + Serialize + Send + Sync + 'static>() {}
fn logged<T: Display>() {}

#[test]
fn an_engine_and_its_futures_cross_threads() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<Engine<MemoryStore>>();
    is_shared::<Engine<DynStore>>();
    is_shared::<Error>();
    fn is_sent<T: Send>() {}
    is_sent::<Builder<MemoryStore>>();
    let bot = Engine::builder(MemoryStore::new()).build();
    shared(&bot);
    sent(bot.trigger(TriggerRequest::new("f")));
    sent(bot.receive(Inbound::text(Channel::Sms, "555", "+14155550123", "Hi")));
    sent(bot.tick(1));
    sent(bot.flows().ensure("{}"));
    sent(bot.flows().ensure_on("{}", []));
}

/// A future is moved whole where a host pins, boxes or spawns it: what a call seldom does is boxed
/// on its own. The feature `tracing` adds some 500 bytes to those that have a span.
#[test]
fn futures_of_calls_are_small() {
    let bot = Engine::builder(MemoryStore::new()).build();
    let message = Inbound::text(Channel::Sms, "555", "+14155550123", "Hi");
    let session = SessionId(uuid::Uuid::nil());
    let (contact, flow) = (ContactId::new("c").unwrap(), FlowId::new("f").unwrap());
    let flows = bot.flows();
    let sizes = [
        ("trigger", size_of_val(&bot.trigger(TriggerRequest::new("f")))),
        ("receive", size_of_val(&bot.receive(message))),
        ("tick", size_of_val(&bot.tick(1))),
        ("cancel", size_of_val(&bot.cancel(session))),
        ("opt_out", size_of_val(&bot.opt_out(&contact))),
        ("handoff", size_of_val(&bot.handoff(session))),
        ("touch", size_of_val(&bot.touch(&contact))),
        ("pause", size_of_val(&bot.pause(&contact, None))),
        ("contact", size_of_val(&bot.contact(&contact))),
        ("merge", size_of_val(&bot.merge(&contact, &contact))),
        ("erase", size_of_val(&bot.erase(&contact, EraseOptions::default()))),
        ("release", size_of_val(&bot.release(&contact))),
        ("session", size_of_val(&bot.session(session))),
        ("sessions", size_of_val(&bot.sessions(SessionFilter::all()))),
        ("publish", size_of_val(&flows.publish(&flow))),
        ("ensure", size_of_val(&flows.ensure("{}"))),
        ("migrate", size_of_val(&bot.migrate(session, FlowVersion(2), &[]))),
    ];
    let large: Vec<_> = sizes.into_iter().filter(|(_, size)| *size > 1_024).collect();
    assert_eq!(large, [], "call, and its bytes");
}

#[test]
fn outcomes_are_compared_logged_and_serialised() {
    plain::<SessionRef>();
    plain::<Triggered>();
    plain::<Received>();
    plain::<Refusal>();
    plain::<Completed>();
    plain::<Cancelled>();
    plain::<Reported>();
    plain::<Ticked>();
    plain::<Progress>();
    plain::<FlowStatus>();
    plain::<Imported>();
    plain::<DeadLetterEntry>();
    logged::<SessionRef>();
    logged::<Refusal>();
}

/// SEMANTICS T9
#[test]
fn a_refusal_says_why_in_words_and_in_json() {
    let refused = Triggered::Refused(Refusal::Cooldown { until: "2026-05-07T08:14:23Z".parse().unwrap() });
    assert_eq!(refused.to_string(), "refused: the flow may run again from 2026-05-07T08:14:23Z");
    assert_eq!(
        to_value(&refused).unwrap(),
        json!({"outcome": "refused", "reason": "cooldown", "until": "2026-05-07T08:14:23Z"})
    );
}

/// SEMANTICS I2
#[test]
fn a_duplicate_tells_what_the_message_came_to_first() {
    let session = SessionId(uuid::Uuid::nil());
    let again = Received::Duplicate { first: Box::new(Received::Consumed { session }) };
    assert_eq!(again.to_string(), format!("duplicate: taken by session {session}"));
    assert_eq!(
        to_value(&again).unwrap(),
        json!({"outcome": "duplicate", "first": {"outcome": "consumed", "session": session}})
    );
}

/// Hashes have 128 bits, more than a JSON value's number takes.
#[test]
fn what_a_host_keeps_or_shows_becomes_a_json_value() {
    const FLOW: &str = r#"{"spec": 1, "code": "f", "name": "F", "trigger": {"kind": "manual"},
        "nodes": [{"id": "start", "kind": "start"}, {"id": "wait", "kind": "wait_reply"}],
        "edges": [{"from": "start", "to": "wait"}]}"#;
    let bot = Engine::builder(MemoryStore::new()).build();
    let status = pollster::block_on(bot.flows().ensure(FLOW)).unwrap();
    let shown = to_value(&status).unwrap();
    assert_eq!(shown["state"], "published");
    assert_eq!(shown["versions"][0]["digest"].as_str().unwrap().len(), 32);
    let kept: Vec<chatflow::store::VersionEntry> = serde_json::from_value(shown["versions"].clone()).unwrap();
    assert_eq!(kept, status.versions);
    let remembered = json!({
        "contact": {"id": "ada", "addresses": []}, "last_at": "2026-05-07T08:14:23Z", "sessions": [], "last_seq": 0,
        "remembered": [{"id": "f".repeat(32), "at": "2026-05-07T08:14:23Z", "verdict": "unmatched"}]
    });
    let conversation: chatflow::session::Conversation = serde_json::from_value(remembered.clone()).unwrap();
    assert_eq!(to_value(&conversation).unwrap(), remembered);
}

/// SEMANTICS C: the alternate form reaches the issues through the error.
#[test]
fn the_alternate_form_of_an_error_shows_how_to_fix_a_flow() {
    let error = Error::from(chatflow::Flow::from_json("{}").unwrap_err());
    let Error::Issues(issues) = &error else { panic!("{error}") };
    assert_eq!(error.to_string(), format!("flow has errors\n{issues}"));
    assert_eq!(format!("{error:#}"), format!("flow has errors\n{issues:#}"));
    assert_ne!(format!("{error:#}"), error.to_string());
}
