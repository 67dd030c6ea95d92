//! The common part of every node that asks the host: parks the session, takes the answer once,
//! tells a failure (SEMANTICS D2, N1). What is asked, and what an answer means, is the node's.

use std::sync::Arc;

use serde_json::Value;

use crate::calls::CallResult;
use crate::flow::Step;
use crate::flow::node::{HostCall, Port};
use crate::id::CallId;
use crate::kernel::Input;
use crate::kernel::time::later;
use crate::kernel::turn::{Move, Run};
use crate::session::{CallKind, CallStage, FailureCode, OpenCall, PendingCall, Standing};
use crate::value::{PackLimits, PackedMap};

/// Asks for what the node says.
pub(super) fn enter(run: &mut Run<'_>, kind: CallKind, name: Arc<str>, call: &HostCall) -> Move {
    match render(run, call) {
        Ok(args) => park(run, kind, name, call, &args),
        Err(leave) => leave,
    }
}

pub(super) fn render(run: &mut Run<'_>, call: &HostCall) -> Result<Value, Move> {
    run.render_json(&call.args).map_err(|error| Move::fail(FailureCode::Expression, error))
}

/// Asks, and waits until the host answers.
pub(super) fn park(run: &mut Run<'_>, kind: CallKind, name: Arc<str>, call: &HostCall, args: &Value) -> Move {
    let args = match PackedMap::from_json(args, &PackLimits::of(run.env.limits)) {
        Ok(args) => args,
        Err(error) => return Move::fail(FailureCode::Variables, format_args!("arguments: {error}")),
    };
    let id = CallId { session: run.session.id, wait: run.next_wait() };
    let now = run.env.now;
    let stage = CallStage::Due(now);
    let deadline = Some(later(now, call.timeout));
    let call = Box::new(PendingCall { id, kind, name, args, stage, attempts: 0 });
    Move::Park(Standing::Calling(OpenCall { call, deadline }))
}

/// Meaning of an answer to a node.
pub(super) enum Meaning {
    /// It is kept, and the session leaves by this branch.
    Take(Port),
    /// It is no answer to what was asked.
    Refused(String),
    /// It says that what was asked for did not work. It is kept.
    Failure(String),
}

/// The answer that an input brought.
pub(super) enum CallAnswer {
    /// Nothing that belongs to the call.
    None,
    /// The session leaves by this branch.
    Leave(Port),
    /// The call failed, and why.
    Failed(String),
}

impl CallAnswer {
    /// The way on: a failure takes `failed`, and fails the session where that leads nowhere.
    pub(super) fn leave(self, step: &Step, call: &HostCall) -> Move {
        match self {
            Self::None => Move::Ignore,
            Self::Leave(port) => Move::Take(port),
            Self::Failed(cause) => failed(step, call, cause),
        }
    }
}

pub(super) fn failed(step: &Step, call: &HostCall, cause: impl ToString) -> Move {
    match step.exit(call.failed) {
        Some(_) => Move::Take(call.failed),
        None => Move::fail(FailureCode::CallFailed, cause),
    }
}

/// Takes what an input brings to the call: its deadline, or the host's answer. A branch that the
/// host names goes before the node's own reading of the answer.
pub(super) fn answer(
    run: &mut Run<'_>,
    step: &Step,
    call: &HostCall,
    input: Input,
    meaning: impl FnOnce(&Value) -> Meaning,
) -> CallAnswer {
    let answer = read(run, step, call, input, meaning);
    if let CallAnswer::Failed(cause) = &answer {
        run.because(|_| cause.clone());
    }
    answer
}

fn read(
    run: &mut Run<'_>,
    step: &Step,
    call: &HostCall,
    input: Input,
    meaning: impl FnOnce(&Value) -> Meaning,
) -> CallAnswer {
    let result = match input {
        Input::Deadline(wait) if wait == run.session.wait => {
            return CallAnswer::Failed("no answer in time".into());
        }
        Input::Result { call, result } if call.session == run.session.id && call.wait == run.session.wait => {
            result
        }
        _ => return CallAnswer::None,
    };
    let (value, meaning) = match result {
        CallResult::Failed { reason } => return CallAnswer::Failed(reason),
        CallResult::Value { value, branch: None } => {
            let meaning = meaning(&value);
            (value, meaning)
        }
        CallResult::Value { value, branch: Some(name) } => match step.port_named(&name) {
            Some(port) => (value, Meaning::Take(port)),
            None => {
                let cause = format!("the host answered with branch `{name}`, which the node does not have");
                return CallAnswer::Failed(cause);
            }
        },
    };
    if let Meaning::Refused(cause) = meaning {
        return CallAnswer::Failed(cause);
    }
    if let Err(cause) = save(run, call, &value) {
        return CallAnswer::Failed(cause);
    }
    match meaning {
        Meaning::Take(port) => CallAnswer::Leave(port),
        Meaning::Refused(cause) | Meaning::Failure(cause) => CallAnswer::Failed(cause),
    }
}

/// Keeps an answer where the node wants it.
pub(super) fn save(run: &mut Run<'_>, call: &HostCall, value: &Value) -> Result<(), String> {
    let Some(name) = &call.save_to else { return Ok(()) };
    run.set_var(name, value).map_err(|error| format!("the answer {error}"))
}
