//! Traces of people whom nobody knows in the tables (SEMANTICS S19).

use std::time::Duration;

use chatflow::testkit::{ManualClock, Recorder};
use chatflow::wire::whatsapp::{WebhookReader, WhatsAppEvent};
use chatflow::{Account, Channel, Clock, Engine, Inbound, Received};
use chatflow_postgres::PostgresStore;
use chrono::TimeDelta;
use tokio_postgres::NoTls;

use super::server::client;
use super::stage::Stage;

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

pub(crate) async fn a_stranger_leaves_not_one_row() {
    let stage = Stage::new().await;
    let store = PostgresStore::connect(stage.config.clone(), NoTls).await.expect("a database");
    let clock = ManualClock::default();
    let builder = Engine::builder(store.clone()).flow_store(store).transport(Recorder::new());
    let bot = builder.clock(clock.clone()).max_skew(Duration::MAX).build();
    let account = Account::new(Channel::WhatsApp, "+15550100").expect("an account");
    bot.flows().ensure_on(GREETING, [account]).await.expect("a flow");
    bot.flows().set_logging(&"greet".parse().expect("an id"), true).await.expect("a flow");
    for number in 0..20 {
        let from = format!("+14157770{number:03}");
        let hello = Inbound::text(Channel::WhatsApp, "+15550100", from, "hi").id(format!("wamid.{number}"));
        let hello = match number % 3 {
            0 => webhook(number, clock.now().timestamp()),
            1 => hello.contact_id(format!("person-{number}")),
            _ => hello,
        };
        assert!(matches!(bot.receive(hello).await.expect("an answer"), Received::Started { .. }));
    }
    let tables = client(&stage.config).await;
    let count = "SELECT (SELECT count(*) FROM chatflow_conversation) + (SELECT count(*) FROM chatflow_alias)
        + (SELECT count(*) FROM chatflow_session) + (SELECT count(*) FROM chatflow_journal)
        + (SELECT count(*) FROM chatflow_key)";
    let before: i64 = tables.query_one(count, &[]).await.expect("tables").get(0);
    assert!(before >= 60, "{before}");
    for _ in 0..24 {
        clock.advance(TimeDelta::days(5));
        while bot.tick(100).await.expect("an answer").worked > 0 {}
    }
    let after: i64 = tables.query_one(count, &[]).await.expect("tables").get(0);
    assert_eq!(after, 0);
}
