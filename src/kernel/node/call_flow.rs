//! `call_flow`: enters another flow, and keeps what it came to (SEMANTICS N9).

use serde_json::Value;

use crate::flow::Step;
use crate::flow::expr::EvalError;
use crate::flow::node::{Assign, CallFlow};
use crate::kernel::inputs::accept_inputs;
use crate::kernel::turn::FlowEntrance;
use crate::kernel::turn::{Move, Run};
use crate::observer::EventKind;
use crate::session::FailureCode;
use crate::value::PackedMap;

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &CallFlow) -> Move {
    match entry(run, node) {
        Ok(entry) => Move::Call(Box::new(entry)),
        Err((code, why)) => run.call_failed(step, node, code, why),
    }
}

fn entry(run: &mut Run<'_>, node: &CallFlow) -> Result<FlowEntrance, (FailureCode, String)> {
    let most = run.env.limits.subflow_frames;
    if !node.is_terminal && run.session.frames().len() >= most {
        return Err((FailureCode::SubflowDepth, format!("more than {most} flows wait for one they called")));
    }
    let Some(callee) = run.find(&node.flow, None) else {
        return Err((FailureCode::SubflowOffline, format!("flow `{}` is not online", node.flow)));
    };
    let given = context_of(run, node)?;
    let (context, dropped) = accept_inputs(callee.flow.start().1, given, run.env.limits)
        .map_err(|error| (FailureCode::SubflowInput, format!("flow `{}`: {error}", node.flow)))?;
    for key in dropped {
        run.note(EventKind::InputDropped { session: run.session.id, key: key.into() });
    }
    Ok(FlowEntrance {
        flow: node.flow.clone(),
        version: callee.version,
        context,
        is_terminal: node.is_terminal,
    })
}

/// The context that the called flow gets.
fn context_of(run: &mut Run<'_>, node: &CallFlow) -> Result<PackedMap, (FailureCode, String)> {
    let frames = run.session.frames().iter().map(|frame| frame.context.byte_len()).sum::<usize>();
    let own = if node.is_terminal { 0 } else { run.session.context.byte_len() };
    let pack_limits = run.limits_beside(frames + own);
    let mut context = PackedMap::new();
    for (name, assign) in &node.input {
        if let Some(value) = value(run, assign).map_err(|error| unread("input", name, &error))? {
            context =
                context.with(name, &value, &pack_limits).map_err(|error| too_much("input", name, &error))?;
        }
    }
    Ok(context)
}

/// The variables of the caller, with what is kept of the flow that it called; to be evaluated while
/// the session is still in that one.
pub(in crate::kernel) fn output(
    run: &mut Run<'_>,
    node: &CallFlow,
) -> Result<PackedMap, (FailureCode, String)> {
    let (mut vars, waiting) = match run.session.frames() {
        [waiting @ .., caller] => {
            (caller.vars.clone(), waiting.iter().map(|frame| frame.vars.byte_len()).sum())
        }
        [] => (PackedMap::new(), 0),
    };
    let pack_limits = run.limits_beside(waiting);
    for (name, assign) in &node.output {
        vars = match value(run, assign).map_err(|error| unread("output", name, &error))? {
            Some(value) => {
                vars.with(name, &value, &pack_limits).map_err(|error| too_much("output", name, &error))?
            }
            None => vars.without(name),
        };
    }
    Ok(vars)
}

fn value(run: &mut Run<'_>, assign: &Assign) -> Result<Option<Value>, EvalError> {
    Ok(match assign {
        Assign::Delete => None,
        Assign::Json(template) => Some(run.render_json(template)?),
        Assign::Expr(expr) => Some(run.evaluate(expr)?),
    })
}

fn unread(what: &str, name: &str, error: &EvalError) -> (FailureCode, String) {
    (FailureCode::Expression, format!("{what} `{name}`: {error}"))
}

fn too_much(what: &str, name: &str, error: &impl std::fmt::Display) -> (FailureCode, String) {
    (FailureCode::Variables, format!("{what} `{name}` {error}"))
}
