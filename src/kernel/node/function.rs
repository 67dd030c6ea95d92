//! `function`: asks the host, and waits for what it says (SEMANTICS D2).

use crate::calls::CallResult;
use crate::flow::Step;
use crate::flow::node::{Function, Port};
use crate::id::CallId;
use crate::kernel::Input;
use crate::kernel::run::{Move, Run, later};
use crate::session::{CallStage, FailureCode, PendingCall, Status};
use crate::value::{Bag, Caps};

pub(super) fn enter(run: &mut Run<'_>, node: &Function) -> Move {
    let args = match run.render_json(&node.args) {
        Ok(args) => args,
        Err(error) => return Move::fail(FailureCode::Expression, error),
    };
    let args = match Bag::from_json(&args, &Caps::of(run.scene.limits)) {
        Ok(args) => args,
        Err(error) => return Move::fail(FailureCode::Variables, format_args!("arguments: {error}")),
    };
    let id = CallId { session: run.session.id, wait: run.next_wait() };
    let now = run.scene.now;
    run.session.call = Some(Box::new(PendingCall {
        id,
        name: node.name.clone(),
        args,
        stage: CallStage::Due(now),
        attempts: 0,
    }));
    Move::Park { status: Status::Calling, deadline: Some(later(now, node.timeout)) }
}

pub(super) fn resume(run: &mut Run<'_>, step: &Step, node: &Function, input: Input) -> Move {
    match input {
        Input::Deadline(wait) if wait == run.session.wait => failed(step, "no answer in time"),
        Input::Result { call, result } if call.session == run.session.id && call.wait == run.session.wait => {
            match result {
                CallResult::Failed { reason } => failed(step, &reason),
                CallResult::Value { value, branch } => {
                    let port = match &branch {
                        None => Port::NEXT,
                        Some(name) => match step.port_named(name) {
                            Some(port) => port,
                            None => {
                                return failed(
                                    step,
                                    &format!(
                                        "the host answered with branch `{name}`, which the node does not have"
                                    ),
                                );
                            }
                        },
                    };
                    match &node.save_to {
                        Some(name) => match run.set_var(name, &value) {
                            Ok(()) => Move::Take(port),
                            Err(error) => failed(step, &format!("the answer {error}")),
                        },
                        None => Move::Take(port),
                    }
                }
            }
        }
        _ => Move::Ignore,
    }
}

/// The `failed` branch; without one the session fails with the cause (SEMANTICS N1).
fn failed(step: &Step, cause: &str) -> Move {
    match step.exit(Function::FAILED) {
        Some(_) => Move::Take(Function::FAILED),
        None => Move::fail(FailureCode::CallFailed, cause),
    }
}
