//! GPTBots' second version: a POST is a turn.

use std::sync::{Arc, Mutex};

use chatflow::testkit::{CountingIds, ManualClock};
use chatflow::wire::gptbots::{Acknowledgement, TurnMessage, WebhookMessage, acknowledged_turn};
use chatflow::{
    Channel, Engine, Inbound, MemoryStore, Outbound, Receipt, SendError, Transport, TriggerRequest,
};
use chrono::TimeDelta;
use pollster::block_on;
use serde_json::Value;

use super::kit::again;
use super::whatsapp::message;

/// A host that posts turns to a receiver, which answers with these statuses and then takes all.
#[derive(Clone, Default)]
struct Webhook(Arc<Mutex<(Vec<String>, Vec<u16>)>>);

impl Webhook {
    fn post(&self, messages: &[&Outbound]) -> Vec<Result<Receipt, SendError>> {
        let Some(body) = TurnMessage::of(messages) else {
            return messages.iter().map(|_| Ok(Receipt::new())).collect();
        };
        let mut state = self.0.lock().unwrap();
        state.0.push(serde_json::to_string(&body).unwrap());
        let status = state.1.pop().unwrap_or(200);
        let taken = serde_json::to_vec(&Acknowledgement::success()).unwrap();
        acknowledged_turn(messages, status, &taken)
    }

    fn posted(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().0)
    }
}

impl Transport for Webhook {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        self.post(&[message]).pop().unwrap()
    }

    async fn send_turn(&self, messages: &[&Outbound]) -> Option<Vec<Result<Receipt, SendError>>> {
        Some(self.post(messages))
    }
}

const FLOW: &str = r#"{"spec": 1, "code": "hello", "name": "Hello", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
    "nodes": [{"id": "start", "kind": "start", "name": "Begin"}, {"id": "a", "kind": "send_message", "text": "Hello"},
        {"id": "t", "kind": "typing", "for": "1s"},
        {"id": "b", "kind": "send_message", "media": {"type": "audio", "url": "https://shop.example/hello.ogg"}},
        {"id": "c", "kind": "send_message", "text": "Sure?", "options": [{"id": "1", "label": "Yes"}]},
        {"id": "w", "kind": "wait_reply", "name": "Sure"}, {"id": "d", "kind": "send_message", "text": "Bye"}],
    "edges": [{"from": "start", "to": "a"}, {"from": "a", "to": "t"}, {"from": "t", "to": "b"}, {"from": "b", "to": "c"},
        {"from": "c", "to": "w"}, {"from": "w", "to": "d"}]}"#;

/// W3, D9
#[test]
fn gptbots_gets_a_turn_in_one_post() {
    let (webhook, clock) = (Webhook::default(), ManualClock::default());
    let builder = Engine::builder(MemoryStore::new()).transport(webhook.clone()).ids(CountingIds::new());
    let bot = builder.clock(clock.clone()).build();
    block_on(bot.flows().ensure(FLOW)).unwrap();
    webhook.0.lock().unwrap().1.push(503);
    let request = TriggerRequest::new("hello").contact_id("ada").phone("+14155550123");
    drop(block_on(bot.trigger(request)).unwrap());
    clock.advance(TimeDelta::seconds(2));
    assert_eq!(block_on(bot.tick(10)).unwrap().worked, 1);
    let posted = webhook.posted();
    let [first, repeat] = &posted[..] else { panic!("{posted:?}") };
    let wanted = concat!(
        r#"{"create_time":1778141663,"conversation_id":"ada","message_id":"SESSION-1","output":["#,
        r#"{"from_component_name":"Begin","content":{"text":"Hello"}},"#,
        r#"{"from_component_name":"t","content":{"audio":[{"audio":"https://shop.example/hello.ogg"}]}},"#,
        r#"{"from_component_name":"b","content":{"text":"Sure?\n- Yes"}}]}"#
    );
    let body: Value = serde_json::from_str(first).unwrap();
    let session = body["message_id"].as_str().unwrap().rsplit_once('-').unwrap().0;
    assert_eq!(first.replace(session, "SESSION"), wanted);
    assert_eq!(repeat, first, "the same body under the same id");

    drop(block_on(bot.receive(Inbound::text(Channel::WhatsApp, "+15550100", "+14155550123", "1"))).unwrap());
    let posted = webhook.posted();
    assert!(posted.len() == 1 && posted[0].contains(r#""content":{"text":"Bye"}"#), "{posted:?}");
}

/// W3
#[test]
fn what_a_contact_may_answer_and_open_is_in_the_words() {
    for (content, text) in [
        (
            r#""text": "Which?", "options": [{"id": "t", "label": "Tea"}, {"id": "c", "label": "Cup"}]"#,
            "Which?\n- Tea\n- Cup",
        ),
        (
            r#""text": "Which?", "list": {"button": "See", "sections": [{"rows": [{"id": "h", "label": "Hours", "description": "today"}]}]}"#,
            "Which?\n- Hours: today",
        ),
        (
            r#""text": "Pay now", "buttons": [{"label": "Pay", "url": "https://pay.example/1"}]"#,
            "Pay now\nPay: https://pay.example/1",
        ),
        (
            r#""card": {"title": "Shirt", "subtitle": "blue", "image": "https://x.example/s.png", "buttons": [{"label": "Shop", "url": "https://x.example/7"}]}"#,
            "Shirt\nblue\nhttps://x.example/s.png\nShop: https://x.example/7",
        ),
        (
            r#""media": {"type": "image", "url": "https://x.example/a.png", "caption": "cap"}"#,
            "cap\nhttps://x.example/a.png",
        ),
    ] {
        let message = message(content, "+14155550123");
        assert_eq!(WebhookMessage::of(&message).text.as_deref(), Some(text), "{content}");
        let turn = TurnMessage::of(&[&message]).unwrap();
        assert_eq!(turn.output[0].content.text.as_deref(), Some(text), "{content}");
    }
}

/// W3
#[test]
fn a_turn_of_the_second_version_is_read_and_written_again() {
    again::<TurnMessage>(include_str!("gptbots/turn.json"));
    assert_eq!(TurnMessage::of(&[]), None);
}

/// W3: serializers write null for what is not there, and numbers where a text is documented.
#[test]
fn what_a_receiver_gets_may_be_null_or_of_a_close_type() {
    let message = |flow_output: &str, time: &str| {
        let body = format!(
            r#"{{"message_id": "1", "message_type": "ANSWER", "text": null, "flow_output": {flow_output},
                "create_time": {time}, "conversation_id": "c"}}"#
        );
        serde_json::from_str::<WebhookMessage>(&body)
    };
    for (flow_output, count) in [("null", 0), ("[null]", 0), (r#"[{"content": "a", "branch": 1}, null]"#, 1)]
    {
        let read = message(flow_output, r#""1679587005""#).unwrap();
        assert_eq!((read.flow_output.len(), read.create_time), (count, 1_679_587_005), "{flow_output}");
        assert!(read.flow_output.first().is_none_or(|first| first.branch.as_deref() == Some("1")));
    }
    for time in ["null", r#""soon""#, r#""""#, "{}", "1e300"] {
        assert!(message("[]", time).is_err(), "{time}");
    }
    let turn = r#"{"create_time": "7", "conversation_id": "c", "message_id": "1", "usage": null,
        "output": [null, {"from_component_branch": 2, "content": {"text": "hi", "audio": null}}]}"#;
    let turn: TurnMessage = serde_json::from_str(turn).unwrap();
    assert_eq!((turn.create_time, turn.output.len()), (7, 1));
    assert_eq!(turn.output[0].from_component_branch.as_deref(), Some("2"));
}
