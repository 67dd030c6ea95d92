//! Processes whose clock is far from the server's (SEMANTICS S20).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatflow::clock::SystemClock;
use chatflow::observer::EventKind;
use chatflow::store::{ConversationStore, DynStore};
use chatflow::testkit::Recorder;
use chatflow::{
    Builder, Channel, Clock, Engine, Error, Event, Inbound, Observer, Received, SessionId, Status,
    TriggerRequest,
};
use chatflow_postgres::PostgresStore;
use chrono::{DateTime, TimeDelta, Utc};
use libtest_mimic::Trial;

use crate::kit::{Database, Layout, trial};

const FLOW: &str = r#"{"spec": 1, "code": "hi", "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "sms", "account": "+15550100"}},
    "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Who are you?"},
              {"id": "wait", "kind": "wait_reply"}, {"id": "bye", "kind": "send_message", "text": "Bye"}],
    "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}, {"from": "wait", "to": "bye"}]}"#;

/// The system's time, so far off.
struct Off(TimeDelta);

impl Clock for Off {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<&'static str>>>);

impl Observer for Seen {
    fn observe(&self, event: &Event) {
        if let EventKind::ClockSkew { .. } = event.kind {
            self.0.lock().unwrap().push(event.kind.name());
        }
    }
}

async fn process(
    database: &Database,
    off: TimeDelta,
    with: impl FnOnce(Builder<PostgresStore>) -> Builder<PostgresStore>,
) -> Engine<PostgresStore> {
    let builder = Engine::builder(database.store().await).clock(Off(off)).transport(Recorder::new());
    with(builder).build()
}

fn person(number: usize) -> String {
    format!("+14155550{number:03}")
}

/// A process whose clock is right, in a database where so many people are asked something.
async fn scene(database: &Database, people: usize) -> (Engine<PostgresStore>, Vec<SessionId>) {
    let right = process(database, TimeDelta::zero(), |builder| builder).await;
    let _ = right.flows().ensure(FLOW).await.unwrap();
    let mut sessions = Vec::new();
    for number in 0..people {
        let request = TriggerRequest::new("hi").phone(person(number)).uuid(format!("key {number}"));
        sessions.push(right.trigger(request).await.unwrap().session().unwrap().session_id);
    }
    (right, sessions)
}

async fn state(bot: &Engine<PostgresStore>, session: SessionId) -> Option<Status> {
    Some(bot.session(session).await.unwrap()?.session().status())
}

/// SEMANTICS S20: a process whose clock is 400 days ahead would end every session in one tick.
async fn a_tick_far_off_ends_nothing() {
    let database = Database::new(Layout::Plain).await;
    let (right, sessions) = scene(&database, 40).await;
    for off in [TimeDelta::days(400), TimeDelta::days(-400), TimeDelta::minutes(10), TimeDelta::minutes(-10)]
    {
        let seen = Seen::default();
        let wrong = process(&database, off, |builder| builder.observer(seen.clone())).await;
        for _ in 0..2 {
            let error = wrong.tick(100).await.unwrap_err();
            assert!(matches!(error, Error::ClockSkew { .. }), "{off}: {error}");
            let Error::ClockSkew { engine, store } = error else { unreachable!() };
            assert!(((engine - store) - off).abs() < TimeDelta::minutes(1), "{off}: {engine} {store}");
        }
        assert_eq!(*seen.0.lock().unwrap(), ["clock_skew"; 2]);
        for session in &sessions {
            assert_eq!(state(&right, *session).await, Some(Status::Waiting), "{off}");
        }
    }
    assert_eq!(right.tick(100).await.unwrap().worked, 0, "nothing is due, and nothing was put off");
    assert!(right.tick(100).await.unwrap().next_due.is_some_and(|due| due > SystemClock.now()));
    let trusting = process(&database, TimeDelta::days(400), |builder| builder.max_skew(Duration::MAX)).await;
    while trusting.tick(100).await.unwrap().worked > 0 {}
    assert_ne!(state(&right, sessions[0]).await, Some(Status::Waiting), "this is what it protects from");
}

/// SEMANTICS S20: calls of such a process are taken at the server's time, its first call too.
async fn calls_far_off_go_by_the_server() {
    for off in [TimeDelta::days(400), TimeDelta::days(-400)] {
        let database = Database::new(Layout::Plain).await;
        let (right, sessions) = scene(&database, 3).await;
        let wrong = process(&database, off, |builder| builder).await;
        let says =
            |number: usize, id: &str| Inbound::text(Channel::Sms, "+15550100", person(number), "Ann").id(id);
        let taken = wrong.receive(says(0, "m0")).await.unwrap();
        assert_eq!(taken, Received::Consumed { session: sessions[0] }, "{off}");
        assert!(matches!(right.receive(says(0, "m0")).await.unwrap(), Received::Duplicate { .. }));
        let other = process(&database, off, |builder| builder).await;
        let again = TriggerRequest::new("hi").phone(person(1)).uuid("key 1");
        let again = other.trigger(again).await.unwrap().session().unwrap().clone();
        assert_eq!((again.session_id, again.replayed), (sessions[1], true), "{off}");
        let new = TriggerRequest::new("hi").phone(person(9)).uuid("key 9");
        let new = other.trigger(new).await.unwrap().session().unwrap().session_id;
        for process in [&wrong, &other] {
            process.store().flush().await.unwrap();
        }
        assert_eq!(right.tick(100).await.unwrap().worked, 0, "{off}");
        for session in [sessions[1], sessions[2], new] {
            assert_eq!(state(&right, session).await, Some(Status::Waiting), "{off}");
        }
        let due = right.tick(100).await.unwrap().next_due.unwrap() - SystemClock.now();
        assert!(due > TimeDelta::minutes(28) && due < TimeDelta::minutes(31), "{off}: {due}");
        let cancelled = wrong.cancel(new).await.unwrap();
        assert_eq!(cancelled, chatflow::ops::Cancelled::Cancelled, "{off}");
    }
}

/// Rule 26 of the store's contract: whatever takes the store's place tells the server's time.
async fn the_time_is_the_servers() {
    let database = Database::new(Layout::Plain).await;
    let store = database.store().await;
    let near =
        |time: Option<DateTime<Utc>>| (time.unwrap() - SystemClock.now()).abs() < TimeDelta::minutes(1);
    assert!(near(store.time().await.unwrap()));
    assert!(near(DynStore::new(store.clone()).time().await.unwrap()));
    let mut client = database.client().await;
    let transaction = client.transaction().await.unwrap();
    let within = store.in_tx(&transaction);
    let first = within.time().await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(within.time().await.unwrap() > first, "not that of the transaction's begin");
    assert!(near(first));
}

/// SEMANTICS S20: in a transaction of the host too.
async fn a_call_in_a_transaction_goes_by_the_server() {
    let database = Database::new(Layout::Plain).await;
    let (right, sessions) = scene(&database, 1).await;
    let wrong = process(&database, TimeDelta::days(400), |builder| builder).await;
    let mut client = database.client().await;
    let transaction = client.transaction().await.unwrap();
    let inbound = Inbound::text(Channel::Sms, "+15550100", person(0), "Ann").id("m0");
    let taken = wrong.on(wrong.store().in_tx(&transaction)).receive(inbound).await.unwrap();
    assert_eq!(taken, Received::Consumed { session: sessions[0] });
    transaction.commit().await.unwrap();
    assert_eq!(state(&right, sessions[0]).await, Some(Status::Completed));
}

pub fn trials() -> Vec<Trial> {
    vec![
        trial("skew::a_tick_far_off_ends_nothing", a_tick_far_off_ends_nothing),
        trial("skew::calls_far_off_go_by_the_server", calls_far_off_go_by_the_server),
        trial("skew::the_time_is_the_servers", the_time_is_the_servers),
        trial("skew::a_call_in_a_transaction_goes_by_the_server", a_call_in_a_transaction_goes_by_the_server),
    ]
}
