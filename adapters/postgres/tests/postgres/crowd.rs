//! Many callers of one contact at the same moment.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatflow::observer::EventKind;
use chatflow::ops::Reported;
use chatflow::session::DeliveryReport;
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{Channel, Engine, Event, Inbound, MessageId, Observer, Received, TriggerRequest};
use chatflow_postgres::PostgresStore;
use libtest_mimic::Trial;

use crate::kit::{Database, Layout, trial};

const FLOW: &str = r#"{"spec": 1, "code": "hi", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "sms", "account": "+15550100"}},
    "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Who are you?"},
              {"id": "wait", "kind": "wait_reply"}],
    "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}]}"#;
const ANN: &str = "+14155550123";
const CALLERS: usize = 64;

/// The attempts after which somebody else was faster.
#[derive(Clone, Default)]
struct Conflicts(Arc<Mutex<Vec<u32>>>);

impl Observer for Conflicts {
    fn observe(&self, event: &Event) {
        if matches!(event.kind, EventKind::Conflict) {
            self.0.lock().unwrap().extend(event.attempt);
        }
    }
}

/// SEMANTICS S17, I8: each of 64 messages of one contact at once is taken, by several processes as
/// by one; no call loses more than the races after which it decides under the row's lock.
async fn a_burst_of_one_contact_is_taken_whole() {
    for processes in [1, 2, 4] {
        let conflicts = Conflicts::default();
        let database = Database::new(Layout::Plain).await;
        let clock = ManualClock::default();
        let mut bots: Vec<Arc<Engine<PostgresStore>>> = Vec::new();
        for _ in 0..processes {
            let store = database.store().await;
            let bot = Engine::builder(store.clone()).flow_store(store);
            let bot = bot
                .transport(Recorder::new())
                .clock(clock.clone())
                .max_skew(Duration::MAX)
                .timer(tokio::time::sleep);
            bots.push(Arc::new(bot.observer(conflicts.clone()).build()));
        }
        let _ = bots[0].flows().ensure(FLOW).await.unwrap();
        let _ = bots[0].trigger(TriggerRequest::new("hi").phone(ANN)).await.unwrap();
        let calls: Vec<_> = (0..CALLERS)
            .map(|number| {
                let bot = Arc::clone(&bots[number % processes]);
                tokio::spawn(async move {
                    let inbound = Inbound::text(Channel::Sms, "+15550100", ANN, format!("text {number}"));
                    bot.receive(inbound.id(format!("m{number}"))).await
                })
            })
            .collect();
        let mut taken = 0;
        for call in calls {
            match call.await.unwrap() {
                Ok(Received::Consumed { .. }) => taken += 1,
                Ok(Received::Unmatched) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(taken, 1);
        let lost = conflicts.0.lock().unwrap();
        assert!(lost.iter().all(|attempt| *attempt <= 3), "{lost:?}");
    }
}

/// SEMANTICS S17: so are the reports of what became of its messages.
async fn a_burst_of_reports_is_taken_whole() {
    for processes in [1, 2, 4] {
        let database = Database::new(Layout::Plain).await;
        let clock = ManualClock::default();
        let mut bots: Vec<Arc<Engine<PostgresStore>>> = Vec::new();
        for _ in 0..processes {
            let bot = Engine::builder(database.store().await).transport(Recorder::new()).clock(clock.clone());
            bots.push(Arc::new(bot.max_skew(Duration::MAX).timer(tokio::time::sleep).build()));
        }
        let _ = bots[0].flows().ensure(FLOW).await.unwrap();
        bots[0].flows().set_logging(&"hi".parse().unwrap(), true).await.unwrap();
        let started = bots[0].trigger(TriggerRequest::new("hi").phone(ANN)).await.unwrap();
        let session = started.session().unwrap().session_id;
        let calls: Vec<_> = (0..CALLERS)
            .map(|number| {
                let bot = Arc::clone(&bots[number % processes]);
                let message = MessageId { session, seq: 1 };
                tokio::spawn(async move { bot.report(message, DeliveryReport::Delivered).await })
            })
            .collect();
        for call in calls {
            let told = call.await.unwrap();
            assert!(matches!(told, Ok(Reported::Noted)), "{told:?}");
        }
        let journal = bots[0].journal(session).await.unwrap();
        assert!(journal.len() >= CALLERS, "{}", journal.len());
    }
}

/// SEMANTICS S17: a caller inside a transaction of its own holds what it wrote there, and so
/// waits in no line behind a caller who waits for just that.
async fn a_transaction_of_the_host_does_not_wait_behind_who_waits_for_it() {
    let database = Database::new(Layout::Plain).await;
    let store = database.store().await;
    let bot = Engine::builder(store.clone()).transport(Recorder::new()).build();
    let _ = bot.flows().ensure(FLOW).await.unwrap();
    let _ = bot.trigger(TriggerRequest::new("hi").phone(ANN)).await.unwrap();
    let says = |id: &str| Inbound::text(Channel::Sms, "+15550100", ANN, "text").id(id);

    let mut client = database.client().await;
    let transaction = client.transaction().await.unwrap();
    let inside = bot.on(store.in_tx(&transaction));
    assert!(matches!(inside.receive(says("m1")).await.unwrap(), Received::Consumed { .. }));
    let (outside, late) = (bot.clone(), says("m2"));
    let waiting = tokio::spawn(async move { outside.receive(late).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished(), "it waits for what the transaction wrote");
    let again = tokio::time::timeout(Duration::from_secs(5), inside.receive(says("m3"))).await;
    assert!(matches!(again.expect("it does not wait"), Ok(Received::Unmatched)));
    transaction.commit().await.unwrap();
    assert!(matches!(waiting.await.unwrap(), Ok(Received::Unmatched)));
}

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_burst_of_one_contact_is_taken_whole", a_burst_of_one_contact_is_taken_whole),
        trial("a_burst_of_reports_is_taken_whole", a_burst_of_reports_is_taken_whole),
        trial(
            "a_transaction_of_the_host_does_not_wait_behind_who_waits_for_it",
            a_transaction_of_the_host_does_not_wait_behind_who_waits_for_it,
        ),
    ]
}
