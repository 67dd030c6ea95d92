//! A small flow, and an engine on a store.

use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{Channel, Engine, Inbound, TriggerRequest};
use chatflow_sqlite::SqliteStore;
use pollster::block_on;

pub(crate) const FLOW: &str = r#"{"spec": 1, "code": "hi", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "sms", "account": "+15550100"}},
    "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Who are you?"},
              {"id": "wait", "kind": "wait_reply", "timeout": "10m"},
              {"id": "bye", "kind": "send_message", "text": "Hello {{reply.text}}"}],
    "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}, {"from": "wait", "to": "bye"}]}"#;

pub(crate) const ANN: &str = "+14155550123";

/// An engine that keeps all in this store.
pub(crate) fn bot(store: &SqliteStore, outbox: &Recorder, clock: &ManualClock) -> Engine<SqliteStore> {
    let bot = Engine::builder(store.clone()).flow_store(store.clone());
    bot.transport(outbox.clone()).clock(clock.clone()).build()
}

pub(crate) fn trigger() -> TriggerRequest {
    TriggerRequest::new("hi").phone(ANN).uuid("event-1")
}

pub(crate) fn says(bot: &Engine<SqliteStore>, text: &str) -> bool {
    let inbound = Inbound::text(Channel::Sms, "+15550100", ANN, text);
    matches!(block_on(bot.receive(inbound)), Ok(chatflow::Received::Consumed { .. }))
}
