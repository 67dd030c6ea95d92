//! The conversation, on the crate and by hand.

use std::collections::HashMap;
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

/// The same, by hand: an enum and a map. A session has an id and a deadline; there are no keys, no
/// message ids, no outbox, no flow as data, and nothing survives an error.
#[derive(Default)]
pub(crate) struct ByHand {
    sessions: HashMap<String, Session>,
    next: u64,
    pub(crate) counter: Counter,
}

struct Session {
    _id: u64,
    state: State,
    context: Value,
}

enum State {
    Waiting { until: u64 },
    Done,
}

impl ByHand {
    pub(crate) fn trigger(&mut self, phone: String, context: Value) {
        let text = |name: &str| context[name].as_str().unwrap_or_default();
        let message = format!(
            "Hi {}, your cart {} totals {}. Reply 1 to check out or 2 for an agent.",
            text("first_name"),
            text("cart_id"),
            text("cart_total")
        );
        self.counter.take(&message);
        self.next += 1;
        let state = State::Waiting { until: millis() + 30 * 60 * 1000 };
        self.sessions.insert(phone, Session { _id: self.next, state, context });
    }

    pub(crate) fn reply(&mut self, phone: &str, text: &str) {
        let Some(session) = self.sessions.get_mut(phone) else { return };
        let now = millis();
        match session.state {
            State::Waiting { until } if now < until => {}
            _ => return,
        }
        let message = match text.trim() {
            "1" => {
                session.state = State::Done;
                format!(
                    "Checkout: https://shop.example/c/{}",
                    session.context["cart_id"].as_str().unwrap_or_default()
                )
            }
            "2" => {
                session.state = State::Done;
                "An agent will write to you.".to_owned()
            }
            _ => {
                session.state = State::Waiting { until: now + 30 * 60 * 1000 };
                "Sorry, please answer 1 or 2.".to_owned()
            }
        };
        self.counter.take(&message);
    }

    pub(crate) fn begin(&mut self, Script { phone: [phone, ..], context, .. }: Script) {
        self.trigger(phone, context);
    }

    pub(crate) fn converse(&mut self, script: Script) {
        let Script { phone: [first, second, third], context, texts: [text, last_text], .. } = script;
        self.trigger(first, context);
        self.reply(&second, &text);
        self.reply(&third, &last_text);
    }
}

#[expect(clippy::disallowed_methods, reason = "the hand-written host reads its own clock")]
fn millis() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| time.as_millis() as u64)
}
