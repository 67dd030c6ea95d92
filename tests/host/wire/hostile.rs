//! Bodies that no product would send: whatever is in them, the wire formats answer, lose nothing
//! and never panic.

use std::fs;
use std::path::Path;

use chatflow::testkit::ManualClock;
use chatflow::wire::whatsapp::{AccountEvent, InvalidWebhook, WebhookReader, WhatsAppEvent};
use chatflow::{Engine, Inbound, MemoryStore};
use pollster::block_on;
use serde_json::{Value, json};

/// Values that take the place of what is right.
fn wrong() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-7),
        json!(1.5e300),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}\u{202e}\u{feff}👩‍👩‍👧"),
        json!("x".repeat(20_000)),
        json!([]),
        json!([[[[]]]]),
        json!({}),
        json!({"id": {"id": {"id": []}}}),
    ]
}

/// Each place in a value.
fn places(value: &Value, here: String, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, item)| places(item, format!("{here}/{place}"), found))
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, item)| places(item, format!("{here}/{name}"), found))
        }
        _ => {}
    }
    found.push(here);
}

/// The value without what lies at a place.
fn without(value: &Value, place: &str) -> Value {
    let mut less = value.clone();
    let (parent, last) = place.rsplit_once('/').unwrap_or_default();
    match less.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.remove(last)),
        Some(Value::Array(items)) => drop(items.remove(last.parse().unwrap())),
        _ => {}
    }
    less
}

fn read(body: &str) -> Result<Vec<AccountEvent>, InvalidWebhook> {
    let by_number = WebhookReader::default().by_number().read(body.as_bytes());
    let news = WebhookReader::default().read(body.as_bytes());
    assert_eq!(by_number.is_ok(), news.is_ok());
    news
}

/// W4: a message whose parts are of another type, or are not there, is told as it is.
#[test]
fn a_webhook_that_is_wrong_anywhere_loses_nothing_and_never_panics() {
    let bot = Engine::builder(MemoryStore::new()).clock(ManualClock::default()).build();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/wire/whatsapp");
    let (mut bodies, mut refused) = (0, 0);
    for name in [
        "in-text-advertisement",
        "in-interactive-form",
        "in-document",
        "in-order",
        "in-user-without-number",
        "in-changed-user-id",
        "in-user-id-update",
        "status-delivered",
        "status-failed",
        "many-entries",
    ] {
        let right: Value =
            serde_json::from_str(&fs::read_to_string(folder.join(format!("{name}.json"))).unwrap()).unwrap();
        let mut all = Vec::new();
        places(&right, String::new(), &mut all);
        for place in &all {
            let wrongs = wrong().into_iter().map(|value| {
                let mut body = right.clone();
                *body.pointer_mut(place).unwrap() = value;
                body
            });
            // A list that lost its only item says nothing.
            let is_item = place.rsplit('/').next().is_some_and(|name| name.parse::<usize>().is_ok());
            let less = (!is_item).then(|| without(&right, place));
            for body in wrongs.chain(less) {
                bodies += 1;
                let Ok(news) = read(&body.to_string()) else {
                    let is_told = ["", "/object", "/entry"].contains(&place.as_str());
                    assert!(is_told, "{name} {place}: {body}");
                    refused += 1;
                    continue;
                };
                // What is above the messages may be empty on purpose.
                let is_inside = place.matches('/').count() > 6;
                assert!(!is_inside || !news.is_empty(), "{name} {place}: {body}");
                for news in news {
                    if let WhatsAppEvent::Inbound(inbound) = news.event {
                        drop(block_on(bot.receive(*inbound)));
                    }
                }
            }
        }
    }
    assert!(bodies > 4_700 && refused > 350, "{bodies} {refused}");
}

/// W4
#[test]
fn a_neighbour_of_what_is_wrong_is_read_all_the_same() {
    let message = |id: &str, from: Value| json!({"from": from, "id": id, "timestamp": "1764400000", "type": "text", "text": {"body": "hi"}});
    let value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550100200", "phone_number_id": "1"},
        "contacts": [7, {"wa_id": {}}, {"profile": {"name": "Ada"}, "wa_id": "14155550123"}],
        "messages": [null, 7, message("a", json!("14155550123")), {"type": "text"}, message("b", json!("nobody")), message("c", json!(14155550124_u64))],
        "statuses": [{}, {"id": "x", "status": "delivered", "biz_opaque_callback_data": "00000000-0000-4000-8000-000000000001-3", "pricing": "free", "conversation": []}],
        "surprise": {"is": "kept"}});
    let body = json!({"object": "whatsapp_business_account", "entry": [
        "what", {"id": "1"}, {"id": "1", "changes": {}}, {"id": "1", "changes": [1, {"field": "messages"}, {"value": {}}, {"value": value, "field": "messages"}]}]});
    let kinds: Vec<&str> = read(&body.to_string())
        .unwrap()
        .iter()
        .map(|news| match &news.event {
            WhatsAppEvent::Inbound(_) => "inbound",
            WhatsAppEvent::Report { .. } => "report",
            WhatsAppEvent::Unknown { field, .. } => match &**field {
                "entry" => "entry",
                "changes" => "changes",
                _ => "unknown",
            },
            _ => "other",
        })
        .collect();
    let wanted = [
        "entry", "entry", "changes", "changes", "changes", "changes", "unknown", "unknown", "inbound",
        "unknown", "unknown", "inbound", "unknown", "report", "unknown", "unknown",
    ];
    assert_eq!(kinds, wanted);
}

/// W4
#[test]
fn a_body_that_is_no_webhook_says_which_field_breaks_which_rule() {
    let deep = "[".repeat(100_000);
    for (body, told) in [
        ("", "`body` must be JSON: EOF while parsing a value at line 1 column 0"),
        ("[]", "`body` must be a JSON object"),
        ("{}", "`object` must be `whatsapp_business_account`"),
        (r#"{"object": "page", "entry": []}"#, "`object` must be `whatsapp_business_account`"),
        (r#"{"object": "whatsapp_business_account"}"#, "`entry` must be an array"),
        (&deep, "`body` must be JSON: recursion limit exceeded at line 1 column 128"),
    ] {
        assert_eq!(read(body).unwrap_err().to_string(), told);
    }
    assert!(WebhookReader::default().read(b"\xff\xfe").is_err());
}

/// W4: ten thousand people in one body are found by what they are called, not one by one.
#[test]
fn a_huge_webhook_is_read_in_a_moment() {
    let people: Vec<Value> = (0..10_000)
        .map(|n| json!({"profile": {"name": format!("P{n}")}, "wa_id": format!("4670{n:07}")}))
        .collect();
    let messages: Vec<Value> = (0..10_000).map(|n| json!({"from": format!("4670{n:07}"), "id": format!("m{n}"), "type": "text", "text": {"body": "hi"}})).collect();
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages",
        "value": {"metadata": {"phone_number_id": "1"}, "contacts": people, "messages": messages}}]}]});
    let news = WebhookReader::default().read(body.to_string().as_bytes()).unwrap();
    let is_named =
        |news: &AccountEvent| matches!(&news.event, WhatsAppEvent::Inbound(inbound) if named(inbound));
    assert!(news.len() == 10_000 && news.iter().all(is_named));
}

fn named(inbound: &Inbound) -> bool {
    format!("{inbound:?}").contains("name: Some(\"P")
}
