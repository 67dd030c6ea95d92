//! Engines whose clocks differ by hours: who may deliver is judged by the server's clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatflow::clock::SystemClock;
use chatflow::{Clock, Engine, MessageId, Outbound, Receipt, SendError, Transport, TriggerRequest};
use chatflow_postgres::PostgresStore;
use chrono::{DateTime, TimeDelta, Utc};
use tokio_postgres::NoTls;

use super::durable_kit::FLOW;
use super::stage::{LEASE, Stage};

/// The system's time, so many hours off.
struct Off(i64);

impl Clock for Off {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::hours(self.0)
    }
}

/// Takes its time, and notes who is on the way.
#[derive(Clone, Default)]
struct Slow(Arc<Mutex<BTreeMap<MessageId, (u32, u32)>>>);

impl Slow {
    /// Counts the sends on their way, and all; answers whether somebody else has it.
    fn note(&self, id: MessageId, change: impl FnOnce(&mut (u32, u32))) {
        change(self.0.lock().expect("no panic").entry(id).or_default());
    }
}

impl Transport for Slow {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        self.note(message.id, |(on_the_way, sent)| {
            *on_the_way += 1;
            *sent += 1;
            assert_eq!(*on_the_way, 1, "two deliver the same message at the same time");
        });
        tokio::time::sleep(LEASE / 8).await;
        self.note(message.id, |(on_the_way, _)| *on_the_way -= 1);
        Ok(Receipt::new())
    }
}

pub(crate) async fn engines_whose_clocks_differ_by_hours_never_deliver_the_same_message() {
    const PEOPLE: u32 = 40;
    let stage = Stage::new().await;
    let slow = Slow::default();
    let mut bots: Vec<Engine<PostgresStore>> = Vec::new();
    for hours in [-5, 0, 5] {
        let store = PostgresStore::connect(stage.config.clone(), NoTls).await.expect("a database");
        let builder =
            Engine::builder(store.clone()).flow_store(store).clock(Off(hours)).transport(slow.clone());
        let builder = builder.max_skew(Duration::from_secs(24 * 60 * 60));
        bots.push(builder.lease(LEASE).deferred_delivery().build());
    }
    bots[0].flows().ensure(FLOW).await.expect("a flow");
    for person in 0..PEOPLE {
        let request = TriggerRequest::new("abandoned-cart").phone(format!("+1415555{person:04}"));
        let context = serde_json::json!({"cart_id": "1", "cart_total": "2"});
        let triggered = bots[0].trigger(request.context(context)).await.expect("an answer");
        assert!(triggered.session().is_some());
    }
    let ticking = bots.iter().flat_map(|bot| [bot, bot]).map(|bot| {
        let bot = bot.clone();
        tokio::spawn(async move {
            let began = tokio::time::Instant::now();
            while began.elapsed() < Duration::from_secs(4) {
                let _ = bot.tick(3).await.expect("an answer");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    });
    for ticker in ticking.collect::<Vec<_>>() {
        ticker.await.expect("no message is on the way twice");
    }
    let sent = slow.0.lock().expect("no panic").clone();
    assert_eq!(sent.len(), PEOPLE as usize);
    assert!(sent.values().all(|counts| *counts == (0, 1)), "each is delivered once: {sent:?}");
}
