//! `log`: tells those who watch what the author wants them to know.

use crate::flow::Step;
use crate::flow::node::{Log, Port};
use crate::kernel::turn::{Move, Run};
use crate::observer::EventKind;
use crate::session::FailureCode;

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &Log) -> Move {
    match run.render(&node.text) {
        Ok(text) => {
            let (session, node, level) = (run.session.id, step.id.clone(), node.level);
            run.note(EventKind::Logged { session, node, level, text: text.into() });
            Move::Take(Port::NEXT)
        }
        Err(error) => Move::fail(FailureCode::Expression, error),
    }
}
