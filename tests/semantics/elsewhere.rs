//! Flows that another process publishes, where they are kept in the store of the conversations:
//! what `Loaded` says of the catalogue is heeded by the very call that reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use chatflow::store::{ConversationStore, FlowStore, Loaded, Lookup, MemoryFlows};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{Engine, Error, MemoryStore, StoreError, TriggerRequest, Triggered};
use pollster::block_on;

use crate::handing_on::hand_on;
use crate::kit::{ADA, BOB, flow};

/// A store that keeps flows too.
#[derive(Default)]
struct Shared {
    conversations: MemoryStore,
    flows: Arc<MemoryFlows>,
    /// Added to what it says of the catalogue.
    ahead: AtomicU64,
    loads: AtomicUsize,
}

impl ConversationStore for Shared {
    hand_on! { conversations: commit, settle, lease_due, live, purge, erase }
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let revision = self.flows.revision(&lookup.workspace).await?;
        let catalogue = Some(revision + self.ahead.load(Ordering::SeqCst));
        Ok(Loaded { catalogue, ..self.conversations.load(lookup).await? })
    }
}

/// An engine in a process of its own, at an instant that does not move.
fn process(shared: &Arc<Shared>) -> Engine<Arc<Shared>> {
    Engine::builder(Arc::clone(shared))
        .flow_store(Arc::clone(&shared.flows))
        .clock(ManualClock::default())
        .transport(Recorder::new())
        .build()
}

async fn started(engine: &Engine<Arc<Shared>>, flow: &str, phone: &str) -> Result<u32, Error> {
    match engine.trigger(TriggerRequest::new(flow).phone(phone)).await? {
        Triggered::Started(session) => Ok(session.flow_version.0),
        other => panic!("{other:?}"),
    }
}

/// L2.
#[test]
fn a_publish_in_one_process_is_seen_by_the_next_call_in_every_other() {
    let shared = Arc::new(Shared::default());
    let (here, there) = (process(&shared), process(&shared));
    block_on(async {
        let none = there.trigger(TriggerRequest::new("menu").phone(ADA)).await;
        assert!(matches!(none, Err(Error::FlowNotFound(_))), "{none:?}");

        let first = flow("menu").send("hi", "first").wait("answer").json();
        here.flows().ensure(&first).await.unwrap();
        assert_eq!(started(&there, "menu", ADA).await.unwrap(), 1);

        let second = flow("menu").send("hi", "second").wait("answer").json();
        here.flows().ensure(&second).await.unwrap();
        assert_eq!(started(&there, "menu", BOB).await.unwrap(), 2);
    });
}

/// L2: a store that never agrees with the flow store costs each call one reading, and no answer.
#[test]
fn a_catalogue_that_stays_behind_is_read_again_once() {
    let shared = Arc::new(Shared::default());
    let engine = process(&shared);
    block_on(async {
        engine.flows().ensure(&flow("menu").send("hi", "first").wait("answer").json()).await.unwrap();
        shared.ahead.store(5, Ordering::SeqCst);
        shared.loads.store(0, Ordering::SeqCst);
        assert_eq!(started(&engine, "menu", ADA).await.unwrap(), 1);
        assert_eq!(shared.loads.load(Ordering::SeqCst), 2);
    });
}
