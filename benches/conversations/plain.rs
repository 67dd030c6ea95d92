//! The conversation by hand, as one would write it first: an enum and a map. There are no keys, no
//! message ids, no outbox, no flow as data, and nothing survives an error.

use std::collections::HashMap;

use serde_json::Value;

use crate::script::{Counter, Script};

/// One thread, one map; a session has an id and a deadline.
#[derive(Default)]
pub(crate) struct Plain {
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
    Waiting { until: i64 },
    Done,
}

impl Plain {
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
pub(crate) fn millis() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| time.as_millis() as i64)
}
