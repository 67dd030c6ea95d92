//! The conversation on the crate.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use chatflow::{Channel, Engine, Inbound, MemoryStore, Received, TriggerRequest, Triggered};
use serde_json::Value;

use crate::script::{ACCOUNT, Counter, FLOW, Script, Sink};

/// Runs a future that is always ready.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// The crate, every guarantee on: keys, message ids, outbox, settle.
pub(crate) struct OnCrate {
    pub(crate) engine: Engine<MemoryStore>,
    pub(crate) counter: Arc<Counter>,
}

impl OnCrate {
    pub(crate) fn new() -> Self {
        let counter = Arc::new(Counter::default());
        let engine = Engine::builder(MemoryStore::new()).transport(Sink(Arc::clone(&counter))).build();
        now(engine.flows().ensure(FLOW)).expect("the flow is right");
        Self { engine, counter }
    }

    pub(crate) fn trigger(&self, phone: String, context: Value, key: String) {
        let request = TriggerRequest::new("abandoned-cart").phone(phone).context(context).uuid(key);
        match now(self.engine.trigger(request)).expect("the trigger is right") {
            Triggered::Started(_) => {}
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn reply(&self, phone: String, text: String, id: String) {
        let inbound = Inbound::text(Channel::WhatsApp, ACCOUNT, phone, text).id(id);
        match now(self.engine.receive(inbound)).expect("the message is right") {
            Received::Consumed { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn begin(&self, Script { phone: [phone, ..], context, key, .. }: Script) {
        self.trigger(phone, context, key);
    }

    pub(crate) fn converse(&self, script: Script) {
        let Script {
            phone: [first, second, third],
            context,
            key,
            ids: [id, last_id],
            texts: [text, last_text],
        } = script;
        self.trigger(first, context, key);
        self.reply(second, text, id);
        self.reply(third, last_text, last_id);
    }
}
