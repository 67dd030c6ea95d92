//! `llm`: asks the host for a model's answer; the author's own text may take its place (SEMANTICS
//! D2).

use serde_json::Value;

use crate::flow::Step;
use crate::flow::node::{Llm, Port};
use crate::kernel::Input;
use crate::kernel::node::call::{self, CallAnswer, Meaning};
use crate::kernel::turn::{Move, Run};
use crate::session::{CallKind, FailureCode};

pub(super) fn enter(run: &mut Run<'_>, node: &Llm) -> Move {
    call::enter(run, CallKind::Llm, CallKind::Llm.as_str().into(), &node.call)
}

pub(super) fn resume(run: &mut Run<'_>, step: &Step, node: &Llm, input: Input) -> Move {
    let answer = call::answer(run, step, &node.call, input, |value| match value {
        Value::String(_) => Meaning::Take(Port::NEXT),
        _ => Meaning::Refused("the host's answer is not a text".into()),
    });
    let (CallAnswer::Failed(_), Some(fallback)) = (&answer, &node.fallback) else {
        return answer.leave(step, &node.call);
    };
    match run.render(fallback) {
        Ok(text) => match call::save(run, &node.call, &text.into()) {
            Ok(()) => Move::Take(Port::NEXT),
            Err(cause) => call::failed(step, &node.call, cause),
        },
        Err(error) => Move::fail(FailureCode::Expression, error),
    }
}
