//! Everything outside a rehearsed flow: time, ids, the channel, the host. All of it is in memory
//! and answers at once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::calls::{Answer, Call, CallResult, Calls};
use crate::clock::{Clock, Ids};
use crate::error::{CallError, SendError};
use crate::id::NodeId;
use crate::observer::{Event, EventKind, Observer};
use crate::session::Outbound;
use crate::transport::{Receipt, Transport};

/// The ports of a rehearsal. Clones are the same stage.
#[derive(Clone, Debug)]
pub(super) struct Stage(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: DateTime<Utc>,
    minted: u128,
    seen: Vec<Seen>,
    /// The host's answers to the next calls of each node.
    answers: BTreeMap<NodeId, VecDeque<CallResult>>,
}

/// An entry onto the stage; they are kept in order.
#[derive(Debug)]
pub(super) enum Seen {
    Sent(Outbound),
    Called { call: Call, answer: Option<CallResult> },
    Event(EventKind),
}

impl Stage {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        let state = State { now, minted: 0, seen: Vec::new(), answers: BTreeMap::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, now: DateTime<Utc>) {
        self.state().now = now;
    }

    /// Answers the next call of a node like this.
    pub(super) fn expect(&self, node: NodeId, answer: CallResult) {
        self.state().answers.entry(node).or_default().push_back(answer);
    }

    /// Takes all that was seen since the last look.
    pub(super) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state().seen)
    }
}

impl Clock for Stage {
    fn now(&self) -> DateTime<Utc> {
        self.state().now
    }
}

impl Ids for Stage {
    fn mint(&self, _now: DateTime<Utc>) -> Uuid {
        let mut state = self.state();
        state.minted += 1;
        Uuid::from_u128(state.minted)
    }
}

impl Transport for Stage {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        self.state().seen.push(Seen::Sent(message.clone()));
        Ok(Receipt::new())
    }
}

impl Calls for Stage {
    async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let mut state = self.state();
        let answer = state.answers.get_mut(&call.node).and_then(VecDeque::pop_front);
        state.seen.push(Seen::Called { call: call.clone(), answer: answer.clone() });
        Ok(answer.map_or(Answer::Later, Answer::Now))
    }
}

impl Observer for Stage {
    fn observe(&self, event: &Event) {
        self.state().seen.push(Seen::Event(event.kind.clone()));
    }
}
