//! `send_message`: renders a message into the outbox, and waits for what becomes of it where the
//! flow has a way for a refusal (SEMANTICS N2, D1, D4).

use crate::flow::Step;
use crate::flow::node::{Port, SendMessage};
use crate::kernel::Input;
use crate::kernel::content::{Audience, render_content};
use crate::kernel::destination;
use crate::kernel::turn::{Move, Run};
use crate::session::{FailureCode, SendOutcome, Sending, Standing};

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &SendMessage) -> Move {
    let route = destination::resolve(run, node);
    let route = match route.and_then(|route| destination::fitting(run, route, &node.message)) {
        Ok(route) => route,
        Err(leave) => return leave,
    };
    let may_be_empty = step.exit(SendMessage::EMPTY).is_some();
    let fails = step.exit(SendMessage::FAILED).is_some();
    let to = Audience { channel: &route.account.channel, asks: false, may_be_empty };
    let content = match render_content(run, &node.message, &to) {
        Ok(content) => content,
        Err(Move::Fail(FailureCode::NoChoices, _)) if may_be_empty => return Move::Take(SendMessage::EMPTY),
        Err(Move::Fail(FailureCode::BadContent, _)) => {
            return Move::Take(if fails { SendMessage::FAILED } else { Port::NEXT });
        }
        Err(leave) => return leave,
    };
    let subject = match run.subject(node.subject.as_deref(), to.channel) {
        Ok(subject) => subject,
        Err(leave) => return leave,
    };
    match run.send_fitted(step, route, (content, subject), fails) {
        Ok(Some((last, pieces))) if has_refusal(step) => {
            let sending = Sending { seq: last.seq, node: step.id.clone(), pieces };
            Move::Park(Standing::Sending(Box::new(sending)))
        }
        Ok(None) if fails => Move::Take(SendMessage::FAILED),
        Ok(_) => Move::Take(Port::NEXT),
        Err(leave) => leave,
    }
}

pub(super) fn resume(run: &Run<'_>, step: &Step, input: &Input) -> Move {
    match input {
        Input::Sent { message, outcome } if run.session.awaits() == Some(*message) => {
            Move::Take(refusal(step, outcome).unwrap_or(Port::NEXT))
        }
        _ => Move::Ignore,
    }
}

/// True if the flow has a way for a refusal.
pub(in crate::kernel) fn has_refusal(step: &Step) -> bool {
    [SendMessage::FAILED, SendMessage::WINDOW_CLOSED].iter().any(|port| step.exit(*port).is_some())
}

/// The branch that a refusal takes. None: the flow continues, and the message is a dead letter.
pub(in crate::kernel) fn refusal(step: &Step, outcome: &SendOutcome) -> Option<Port> {
    let ports: &[Port] = match outcome {
        SendOutcome::Sent => &[],
        SendOutcome::Failed { .. } => &[SendMessage::FAILED],
        SendOutcome::WindowClosed => &[SendMessage::WINDOW_CLOSED, SendMessage::FAILED],
    };
    ports.iter().copied().find(|port| step.exit(*port).is_some())
}
