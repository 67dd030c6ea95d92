//! The host's side of the engine: it takes messages, watches turns, and answers calls.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chatflow::calls::{Answer, Call};
use chatflow::observer::EventKind;
use chatflow::talk::Act;
use chatflow::{
    CallError, CallResult, Calls, Event, Observer, Outbound, Receipt, SendError, SessionId, Status, Transport,
};
use serde_json::Value;

use super::record::Recording;

/// Something that the player is to see.
pub(crate) enum Seen {
    /// A message to the contact.
    Sent(Outbound),
    /// A turn of a session ended.
    Turn(Turn),
    /// The flow asks the host, and the player is to answer.
    Asked(Call),
    /// Something that the flow's author should look at.
    Noticed(String),
}

/// The end of a turn.
pub(crate) struct Turn {
    pub session: SessionId,
    /// The session's turn, from 1.
    pub number: u32,
    pub status: Status,
}

/// Events since it was last asked. Clones share it: one is the engine's transport, one its
/// observer.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    turns: HashMap<SessionId, u32>,
}

impl Log {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the events, the messages of a turn before its end: an engine tells of a turn when it
    /// is committed, and sends after that.
    pub(crate) fn take(&self) -> Vec<Seen> {
        let (mut ordered, mut turns) = (Vec::new(), Vec::new());
        for seen in std::mem::take(&mut self.state().seen) {
            let earlier = match &seen {
                Seen::Sent(message) => {
                    let is_later =
                        |turn: &Turn| turn.session == message.session() && turn.number >= message.turn;
                    turns.iter().position(is_later).unwrap_or(turns.len())
                }
                Seen::Turn(_) => 0,
                Seen::Asked(_) | Seen::Noticed(_) => turns.len(),
            };
            ordered.extend(turns.drain(..earlier).map(Seen::Turn));
            match seen {
                Seen::Turn(turn) => turns.push(turn),
                other => ordered.push(other),
            }
        }
        ordered.extend(turns.into_iter().map(Seen::Turn));
        ordered
    }
}

impl Transport for Log {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        self.state().seen.push(Seen::Sent(message.clone()));
        Ok(Receipt::new())
    }
}

impl Observer for Log {
    fn observe(&self, event: &Event) {
        if let Some(notice) = event.kind.notice() {
            self.state().seen.push(Seen::Noticed(notice));
        }
        if let EventKind::Turn { session, status, .. } = event.kind {
            let mut state = self.state();
            let count = state.turns.entry(session).or_default();
            *count += 1;
            let turn = Turn { session, number: *count, status };
            state.seen.push(Seen::Turn(turn));
        }
    }
}

/// Answers calls from a table; what is not in it a person at the terminal is asked.
pub(crate) struct Functions {
    pub answers: HashMap<String, Value>,
    /// Where they see it; None: nobody is there, and the call fails.
    pub person: Option<Log>,
    pub recording: Recording,
}

impl Calls for Functions {
    async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let known = self.answers.get(call.node.as_str()).or_else(|| self.answers.get(call.name()));
        match (known, &self.person) {
            (Some(answer), _) => {
                let result = result(answer);
                self.recording.answer(act(&result));
                Ok(Answer::Now(result))
            }
            (None, Some(person)) => {
                person.state().seen.push(Seen::Asked(call.clone()));
                Ok(Answer::Later)
            }
            (None, None) => {
                let (name, node) = (call.name(), &call.node);
                let why = format!(
                    "`--functions` has no answer for `{name}`, and there is no `--answer {node}=JSON`"
                );
                self.recording.answer(Act::Failed(why.clone()));
                Err(CallError::failed(why))
            }
        }
    }
}

/// The lines by which a talk says that the host answers so.
pub(crate) fn act(result: &CallResult) -> Act {
    match result.clone() {
        CallResult::Value { value, branch: None } => Act::Now(value),
        CallResult::Value { value, branch: Some(branch) } => Act::Branch { branch, value },
        CallResult::Failed { reason } => Act::Failed(reason),
    }
}

/// The result that an answer of the table, or of the player, gives.
pub(crate) fn result(answer: &Value) -> CallResult {
    let text = |field: &str| answer.get(field).and_then(Value::as_str);
    match (text("$failed"), text("$branch")) {
        (Some(why), _) => CallResult::failed(why),
        (None, Some(branch)) => CallResult::branch(answer.get("$value").cloned().unwrap_or_default(), branch),
        (None, None) => CallResult::value(answer.clone()),
    }
}
