//! The crate on a durable store, every guarantee on: keys, message ids, outbox, settle; flows in
//! the same store.

use std::sync::Arc;
use std::time::Duration;

use chatflow::clock::SystemClock;
use chatflow::store::{ConversationStore, FlowStore};
use chatflow::testkit::ManualClock;
use chatflow::{Channel, Engine, FlowId, Inbound, Received, TriggerRequest, Triggered};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::script::{ACCOUNT, Counter, FLOW, Script, Sink};

pub(crate) trait Durable: ConversationStore + FlowStore + Clone + 'static {}
impl<S: ConversationStore + FlowStore + Clone + 'static> Durable for S {}

pub(crate) struct Bot<S> {
    pub(crate) engine: Engine<S>,
    pub(crate) counter: Arc<Counter>,
}

impl<S> Clone for Bot<S> {
    fn clone(&self) -> Self {
        Self { engine: self.engine.clone(), counter: Arc::clone(&self.counter) }
    }
}

/// The runtime on which a host runs its futures.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made")
}

impl<S: Durable> Bot<S> {
    pub(crate) async fn new(store: S, clock: Option<ManualClock>) -> Self {
        let counter = Arc::new(Counter::default());
        let builder = Engine::builder(store.clone()).flow_store(store).transport(Sink(Arc::clone(&counter)));
        let engine = match clock {
            Some(clock) => builder.clock(clock).max_skew(Duration::MAX).build(),
            None => builder.clock(SystemClock).build(),
        };
        engine.flows().ensure(FLOW).await.expect("the flow is right");
        Self { engine, counter }
    }

    pub(crate) async fn trigger(&self, phone: String, context: Value, key: String) {
        let request = TriggerRequest::new("abandoned-cart").phone(phone).context(context).uuid(key);
        match self.engine.trigger(request).await.expect("the trigger is right") {
            Triggered::Started(_) => {}
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn reply(&self, phone: String, text: String, id: String) {
        let inbound = Inbound::text(Channel::WhatsApp, ACCOUNT, phone, text).id(id);
        match self.engine.receive(inbound).await.expect("the message is right") {
            Received::Consumed { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn begin(&self, Script { phone: [phone, ..], context, key, .. }: Script) {
        self.trigger(phone, context, key).await;
    }

    pub(crate) async fn converse(&self, script: Script) {
        let Script {
            phone: [first, second, third],
            context,
            key,
            ids: [id, last_id],
            texts: [text, last_text],
        } = script;
        self.trigger(first, context, key).await;
        self.reply(second, text, id).await;
        self.reply(third, last_text, last_id).await;
    }

    /// The number of live sessions of the flow.
    pub(crate) async fn live(&self) -> u64 {
        let flow = FlowId::new("abandoned-cart").expect("a code");
        self.engine.live_sessions(&flow).await.expect("they can be counted")
    }

    /// One caller: each conversation from its beginning to its end, one after the other.
    pub(crate) async fn one_by_one(&self, scripts: Vec<Script>) {
        for script in scripts {
            self.converse(script).await;
        }
    }

    /// So many callers at once, each with its share of the scripts.
    pub(crate) async fn in_flight(&self, callers: usize, scripts: Vec<Script>, begin_only: bool) {
        let mut shares: Vec<Vec<Script>> = (0..callers).map(|_| Vec::new()).collect();
        for (place, script) in scripts.into_iter().enumerate() {
            shares[place % callers].push(script);
        }
        let tasks: Vec<_> = shares
            .into_iter()
            .map(|share| {
                let bot = self.clone();
                tokio::spawn(async move {
                    for script in share {
                        if begin_only {
                            bot.begin(script).await;
                        } else {
                            bot.converse(script).await;
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("every call is right");
        }
    }
}
