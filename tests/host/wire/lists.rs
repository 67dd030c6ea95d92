//! Qyvo's lists: sessions of late, flows to choose from, one flow.

use chatflow::flow::{Flow, TriggerDef};
use chatflow::ops::SessionFilter;
use chatflow::session::Profile;
use chatflow::store::DynStore;
use chatflow::testkit::{CountingIds, ManualClock};
use chatflow::wire::qyvo;
use chatflow::{Channel, Engine, Inbound, MemoryStore, TriggerRequest};
use chrono::TimeDelta;
use pollster::block_on;
use serde_json::{Value, json};

use super::kit::{again, minified};

const FLOW: &str = r#"{"spec": 1, "code": "cart", "name": "Abandoned cart 30min", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
    "nodes": [{"id": "start", "kind": "start"}, {"id": "node_3", "kind": "wait_reply"}],
    "edges": [{"from": "start", "to": "node_3"}]}"#;

fn shop() -> (Engine<DynStore>, ManualClock) {
    let clock = ManualClock::default();
    let builder = Engine::builder(DynStore::new(MemoryStore::new())).ids(CountingIds::new());
    let bot = builder.clock(clock.clone()).build();
    block_on(bot.flows().ensure(FLOW)).unwrap();
    (bot, clock)
}

fn list(bot: &Engine<DynStore>) -> String {
    let sessions = block_on(bot.sessions_with_contacts(SessionFilter::all())).unwrap();
    let answer = qyvo::recent_sessions(&sessions, &block_on(bot.flows().list()).unwrap());
    assert_eq!(answer.status, 200);
    answer.body
}

/// W1
#[test]
fn a_session_of_late_has_its_contact_in_the_same_answer() {
    let (bot, clock) = shop();
    let context = json!({"cart_id": "987654321", "cart_total": "129.00", "trigger_source": "shop"});
    let ada = TriggerRequest::new("cart").contact_id("01J1Y").phone("+14155550123").context(context);
    drop(block_on(bot.trigger(ada.profile(Profile::new().name("Romain")))).unwrap());
    let written = include_str!("qyvo/sessions.json");
    assert_eq!(list(&bot).replace("00000000-0000-0000-0000-000000000001", "SESSION"), minified(written));
    again::<Vec<qyvo::FlowSession>>(written);

    clock.advance(TimeDelta::minutes(5));
    let bo = TriggerRequest::new("cart").contact_id("bo").phone("+46701234567");
    drop(block_on(bot.trigger(bo.profile(Profile::new().email("bo@example.com")))).unwrap());
    drop(block_on(bot.receive(Inbound::text(Channel::WhatsApp, "+15550100", "14155550123", "Yes"))).unwrap());
    let now: Vec<Value> = serde_json::from_str(&list(&bot)).unwrap();
    let said = |session: &Value, fields: [&str; 4]| fields.map(|field| session[field].clone());
    let fields = ["contact_phone", "contact_email", "status", "completed_at"];
    assert_eq!(
        said(&now[0], fields),
        [json!("+46701234567"), json!("bo@example.com"), json!("running"), Value::Null]
    );
    assert_eq!(said(&now[1], fields)[2..], [json!("completed"), json!("2026-05-07T08:19:23+00:00")]);
    assert_eq!(now[1]["expires_at"], Value::Null);

    block_on(bot.erase(&"01J1Y".parse().unwrap(), chatflow::ops::EraseOptions::default())).unwrap();
    assert!(!list(&bot).contains("Romain"));
}

/// W1: a cancelled session has failed there, and a flow that is gone goes by its code.
#[test]
fn a_session_has_one_of_four_words() {
    let (bot, clock) = shop();
    let begin = |phone: &str| {
        let started = block_on(bot.trigger(TriggerRequest::new("cart").phone(phone))).unwrap();
        started.session().unwrap().session_id
    };
    let (first, _) = (begin("+14155550101"), begin("+14155550102"));
    let _ = block_on(bot.cancel(first)).unwrap();
    clock.advance(TimeDelta::hours(1));
    assert_eq!(block_on(bot.tick(10)).unwrap().worked, 1);
    begin("+14155550103");
    let listed = block_on(bot.sessions_with_contacts(SessionFilter::all())).unwrap();
    let words: Vec<String> = listed.iter().map(|one| qyvo::FlowSession::of(one, &[]).status).collect();
    assert_eq!(words, ["running", "expired", "failed"]);
    assert_eq!(qyvo::FlowSession::of(&listed[0], &[]).flow_name, "cart");
}

/// W1
#[test]
fn a_list_has_at_most_a_hundred_sessions_newest_first() {
    let (bot, clock) = shop();
    for number in 0..120 {
        clock.advance(TimeDelta::seconds(1));
        let request = TriggerRequest::new("cart")
            .contact_id(format!("c{number}"))
            .phone(format!("+1415555{number:04}"));
        drop(block_on(bot.trigger(request)).unwrap());
    }
    let listed: Vec<qyvo::FlowSession> = serde_json::from_str(&list(&bot)).unwrap();
    assert_eq!((listed.len(), &*listed[0].contact_id, &*listed[99].contact_id), (100, "c119", "c20"));
    assert_eq!(listed[99].contact_phone.as_deref(), Some("+14155550020"));
}

/// W1
#[test]
fn flows_are_chosen_from_and_looked_at() {
    let (bot, _) = shop();
    block_on(bot.flows().create("draft", "Not yet", TriggerDef::Manual)).unwrap();
    let flows = block_on(bot.flows().list()).unwrap();
    assert_eq!(qyvo::flow_choices(&flows).body, r#"[{"id":"cart","label":"Abandoned cart 30min"}]"#);
    let asked = qyvo::GetFlow::from_json(br#"{"flow_id": "cart"}"#).unwrap();
    let id = asked.flow_id.parse().unwrap();
    let flow = block_on(bot.flows().get(&id)).unwrap().unwrap();
    let text = block_on(bot.flows().export(&id, flow.online)).unwrap();
    let def = Flow::from_json(&text).unwrap();
    let details = qyvo::FlowDetails::of(&flow, &def.def().trigger, 7);
    let written = include_str!("qyvo/flow.json");
    assert_eq!(qyvo::flow_details(Some(&details)).body, minified(written));
    again::<qyvo::FlowDetails>(written);
    let draft = flows.iter().find(|flow| flow.flow.as_str() == "draft").unwrap();
    let details = qyvo::FlowDetails::of(draft, &TriggerDef::any_message(Channel::Sms), 0);
    assert_eq!((&*details.status, &*details.trigger_type, details.published_at), ("draft", "inbound", None));
    assert_eq!(qyvo::flow_details(None).status, 404);
    assert_eq!(qyvo::GetFlow::from_json(b"{}").unwrap_err().status, 422);
}
