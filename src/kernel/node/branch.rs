//! `branch`: the first rule that is true, else `else` (SEMANTICS N5).

use crate::flow::node::{Branch, Port};
use crate::kernel::run::{Move, Run};
use crate::session::FailureCode;

pub(super) fn enter(run: &mut Run<'_>, node: &Branch) -> Move {
    for ((label, when), port) in node.arms.iter().zip(0..) {
        match run.test(when) {
            Ok(true) => return Move::Take(Port(port)),
            Ok(false) => {}
            Err(error) => {
                return Move::fail(FailureCode::Expression, format_args!("branch `{label}`: {error}"));
            }
        }
    }
    Move::Take(node.else_port())
}
