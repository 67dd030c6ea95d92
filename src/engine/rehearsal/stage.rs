//! Everything outside a rehearsed flow: time, ids, the channel, the host. All of it is in memory
//! and answers at once.

use std::collections::{BTreeMap, HashMap, VecDeque};
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
pub(super) struct Stage(Arc<Mutex<StageState>>);

#[derive(Debug)]
struct StageState {
    now: DateTime<Utc>,
    minted: u128,
    seen: Vec<StageEvent>,
    /// The host's answers to the next calls of each node.
    answers: BTreeMap<NodeId, VecDeque<CallResult>>,
    /// Those to the next calls of any node.
    next_answers: VecDeque<Result<Answer, CallError>>,
    /// Those to every call of a function, a kind or a node of this name.
    stubs: HashMap<String, CallResult>,
    /// The channel's refusals of the next messages.
    refusals: VecDeque<SendError>,
}

/// An entry onto the stage; they are kept in order.
#[derive(Debug)]
pub(super) enum StageEvent {
    Sent(Outbound),
    Called { call: Call, answer: Option<CallResult> },
    Event(EventKind),
}

impl Stage {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        let state = StageState {
            now,
            minted: 0,
            seen: Vec::new(),
            answers: BTreeMap::new(),
            next_answers: VecDeque::new(),
            stubs: HashMap::new(),
            refusals: VecDeque::new(),
        };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, StageState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, now: DateTime<Utc>) {
        self.state().now = now;
    }

    /// Answers the next call of a node like this.
    pub(super) fn expect(&self, node: NodeId, answer: CallResult) {
        self.state().answers.entry(node).or_default().push_back(answer);
    }

    /// Answers the next call of any node like this.
    pub(super) fn expect_next(&self, answer: Result<Answer, CallError>) {
        self.state().next_answers.push_back(answer);
    }

    /// Answers every call of a function, a kind or a node of this name like this.
    pub(super) fn stub(&self, name: &str, answer: CallResult) {
        self.state().stubs.insert(name.to_owned(), answer);
    }

    /// Refuses the next message.
    pub(super) fn refuse(&self, error: SendError) {
        self.state().refusals.push_back(error);
    }

    /// Takes all that was seen since the last look.
    pub(super) fn take(&self) -> Vec<StageEvent> {
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
        let mut state = self.state();
        state.seen.push(StageEvent::Sent(message.clone()));
        state.refusals.pop_front().map_or_else(|| Ok(Receipt::new()), Err)
    }
}

impl Calls for Stage {
    async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let mut state = self.state();
        let own = state.answers.get_mut(&call.node).and_then(VecDeque::pop_front);
        let next = match own {
            Some(own) => Some(Ok(Answer::Now(own))),
            None => state.next_answers.pop_front(),
        };
        let stub = |state: &StageState| {
            state.stubs.get(call.node.as_str()).or(state.stubs.get(call.name())).cloned()
        };
        let answer = next.or_else(|| stub(&state).map(Answer::Now).map(Ok)).unwrap_or(Ok(Answer::Later));
        let told = match &answer {
            Ok(Answer::Now(result)) => Some(result.clone()),
            Err(CallError::Failed { reason } | CallError::Retry { reason }) => {
                Some(CallResult::failed(reason))
            }
            _ => None,
        };
        state.seen.push(StageEvent::Called { call: call.clone(), answer: told });
        answer
    }
}

impl Observer for Stage {
    fn observe(&self, event: &Event) {
        self.state().seen.push(StageEvent::Event(event.kind.clone()));
    }
}
