//! Everything outside a flow that is tried out: the clock, the channel and the host, all of them
//! in the hands of the author.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chatflow::calls::{Answer, Call};
use chatflow::{
    CallError, CallResult, Calls, Clock, Event, Observer, Outbound, Receipt, SendError, Transport,
};
use chrono::{DateTime, Utc};

/// The channel's way of taking messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Delivery {
    #[default]
    Taken,
    /// Not now: it is tried again.
    Retried,
    /// Never.
    Rejected,
    /// The messaging window is closed: only approved templates are taken.
    WindowClosed,
}

impl Delivery {
    pub(crate) const WORDS: &[(&str, Self)] = &[
        ("taken", Self::Taken),
        ("retried", Self::Retried),
        ("rejected", Self::Rejected),
        ("window_closed", Self::WindowClosed),
    ];

    pub(crate) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, delivery)| *delivery == self).map_or("taken", |(word, _)| word)
    }
}

/// The ports of a talk. Clones are the same stage.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Mutex<State>>);

pub(crate) struct State {
    pub(crate) now: DateTime<Utc>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) delivery: Delivery,
    /// The answers that the host gives at once, by node or by name.
    pub(crate) rules: BTreeMap<String, CallResult>,
}

/// An entry onto the stage; they are kept in order.
pub(crate) enum Seen {
    Sent(Outbound, Delivery),
    Called(Call, Option<CallResult>),
    Event(Event),
}

impl Stage {
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        let state = State { now, seen: Vec::new(), delivery: Delivery::Taken, rules: BTreeMap::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state().seen)
    }
}

impl Clock for Stage {
    fn now(&self) -> DateTime<Utc> {
        self.state().now
    }
}

impl Transport for Stage {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let mut state = self.state();
        let is_template = message.content.kind() == "template";
        let delivery = match state.delivery {
            Delivery::WindowClosed if is_template => Delivery::Taken,
            delivery => delivery,
        };
        state.seen.push(Seen::Sent(message.clone(), delivery));
        match delivery {
            Delivery::Taken => Ok(Receipt::new()),
            Delivery::Retried => Err(SendError::retry("the channel does not answer")),
            Delivery::Rejected => Err(SendError::rejected("the channel refuses it")),
            Delivery::WindowClosed => Err(SendError::WindowClosed),
        }
    }
}

impl Calls for Stage {
    async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let mut state = self.state();
        let known = state.rules.get(call.node.as_str()).or_else(|| state.rules.get(call.name())).cloned();
        state.seen.push(Seen::Called(call.clone(), known.clone()));
        Ok(known.map_or(Answer::Later, Answer::Now))
    }
}

impl Observer for Stage {
    fn observe(&self, event: &Event) {
        self.state().seen.push(Seen::Event(event.clone()));
    }
}
