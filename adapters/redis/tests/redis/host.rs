//! A host's conversations: from any executor, and nothing of a stranger stays.

use chatflow::clock::SystemClock;
use chatflow::ops::EraseOptions;
use chatflow::store::{ConversationStore, Purge};
use chatflow::{Channel, Clock, Engine, Inbound, Receipt, Received, TriggerRequest, send_fn};
use chatflow_redis::RedisStore;
use chrono::TimeDelta;
use libtest_mimic::Trial;

use crate::kit::{Keys, block_on, trial};

const FLOW: &str = include_str!("../../../../examples/flows/nps_survey.json");

fn bot(store: RedisStore) -> Engine<RedisStore> {
    Engine::builder(store).transport(send_fn(async |_| Ok(Receipt::new()))).build()
}

/// The store's work is done in the runtime that it was connected in, from any executor.
fn a_conversation_is_held_from_any_executor() {
    let keys = Keys::new();
    let bot = bot(block_on(keys.store()));
    pollster::block_on(async {
        bot.flows().ensure(FLOW).await.unwrap();
        let _ = bot.trigger(TriggerRequest::new("nps-survey").phone("+14155550123")).await.unwrap();
        for text in ["9", "The shoes!"] {
            let said = Inbound::text(Channel::Sms, "+15550100", "+14155550123", text);
            assert!(matches!(bot.receive(said).await.unwrap(), Received::Consumed { .. }));
        }
    });
}

/// An erased contact leaves the hash of its trigger's key, until that expires; then nothing.
async fn an_erased_contact_leaves_nothing() {
    let keys = Keys::new();
    let (store, now) = (keys.store().await, SystemClock.now());
    let bot = bot(store.clone());
    bot.flows().ensure(FLOW).await.unwrap();
    let flows = keys.names().await;
    let request = TriggerRequest::new("nps-survey").phone("+14155550123").uuid("order-1");
    let started = bot.trigger(request).await.unwrap();
    assert!(keys.names().await.len() > flows.len() + 5, "it is kept");
    let contact = started.session().unwrap().contact_id.clone();
    let _ = bot.erase(&contact, EraseOptions::new()).await.unwrap();
    let left = async || {
        let mut left = keys.names().await;
        left.retain(|key| !flows.contains(key));
        left.len()
    };
    assert_eq!(left().await, 2, "the hash of a key, and when it expires");
    let old = now - TimeDelta::days(1);
    let purge = Purge {
        now: now + TimeDelta::days(2),
        ended_before: old,
        journal_before: old,
        counts_before: old,
        limit: 10,
    };
    assert_eq!(store.purge(&purge).await.unwrap().keys, 1);
    assert_eq!(left().await, 0);
}

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("host::a_conversation_is_held_from_any_executor", || {
            a_conversation_is_held_from_any_executor();
            Ok(())
        }),
        trial("host::an_erased_contact_leaves_nothing", an_erased_contact_leaves_nothing),
    ]
}
