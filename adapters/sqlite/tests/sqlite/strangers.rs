//! Traces of people whom nobody knows in the file (SEMANTICS S19).

use chatflow::testkit::{ManualClock, Recorder};
use chatflow::wire::whatsapp::{WebhookReader, WhatsAppEvent};
use chatflow::{Account, Channel, Clock, Engine, FlowId, Inbound, Received, TriggerRequest};
use chatflow_sqlite::SqliteStore;
use chrono::TimeDelta;
use pollster::block_on;
use rusqlite::Connection;

use crate::folder::Folder;

const GREETING: &str = r#"{"spec": 1, "code": "greet", "name": "Greet",
    "trigger": {"kind": "inbound", "channel": "whatsapp", "rules": [{"match": "any"}]},
    "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
    "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Hello!"}],
    "edges": [{"from": "start", "to": "hi"}]}"#;

/// A webhook of WhatsApp with a message of somebody, by name.
fn webhook(number: u32, at: i64) -> Inbound {
    let body = format!(
        r#"{{"object": "whatsapp_business_account", "entry": [{{"id": "1", "changes": [{{"field": "messages",
        "value": {{"messaging_product": "whatsapp",
            "metadata": {{"display_phone_number": "15550100", "phone_number_id": "+15550100"}},
            "contacts": [{{"profile": {{"name": "Ann"}}, "wa_id": "14157770{number:03}"}}],
            "messages": [{{"from": "14157770{number:03}", "id": "wamid.{number}", "timestamp": "{at}",
                "type": "text", "text": {{"body": "hi"}}}}]}}}}]}}]}}"#
    );
    match WebhookReader::default().read(body.as_bytes()).expect("a webhook").remove(0).event {
        WhatsAppEvent::Inbound(inbound) => *inbound,
        other => panic!("{other:?}"),
    }
}

/// SEMANTICS S19: not one row, be it that they came by name or with an id.
#[test]
fn a_stranger_leaves_not_one_row() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).unwrap();
    let clock = ManualClock::default();
    let builder = Engine::builder(store.clone()).flow_store(store).transport(Recorder::new());
    let bot = builder.clock(clock.clone()).build();
    block_on(bot.flows().ensure_on(GREETING, [Account::new(Channel::WhatsApp, "+15550100").unwrap()]))
        .unwrap();
    block_on(bot.flows().set_logging(&FlowId::new("greet").unwrap(), true)).unwrap();
    let manual = GREETING.replace("greet", "call").replace(
        r#""kind": "inbound", "channel": "whatsapp", "rules": [{"match": "any"}]"#,
        r#""kind": "manual""#,
    );
    block_on(bot.flows().ensure(&manual)).unwrap();
    for number in 0..20 {
        let from = format!("+14157770{number:03}");
        let hello = Inbound::text(Channel::WhatsApp, "+15550100", from, "hi").id(format!("wamid.{number}"));
        let hello = match number % 3 {
            0 => webhook(number, clock.now().timestamp()),
            1 => hello.contact_id(format!("person-{number}")),
            _ => hello,
        };
        assert!(matches!(block_on(bot.receive(hello)).unwrap(), Received::Started { .. }));
    }
    let called = block_on(bot.trigger(TriggerRequest::new("call").phone("+14155550123"))).unwrap();
    assert!(called.session().is_some());
    let file = Connection::open(folder.file()).unwrap();
    let rows = |table: &str| -> i64 {
        file.query_row(&format!("SELECT count(*) FROM chatflow_{table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((rows("conversation"), rows("session"), rows("journal")), (21, 21, 20));
    for _ in 0..120 {
        clock.advance(TimeDelta::days(1));
        while block_on(bot.tick(100)).unwrap().worked > 0 {}
    }
    let left = ["conversation", "alias", "session", "journal", "key"].map(rows);
    assert_eq!(left, [1, 1, 0, 0, 0], "who asked to be written to");
}
