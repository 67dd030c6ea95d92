//! `function`: asks the host, and waits for what it says (SEMANTICS D2).

use std::sync::Arc;

use crate::flow::Step;
use crate::flow::node::{Function, Port};
use crate::kernel::Input;
use crate::kernel::node::call::{self, Meaning};
use crate::kernel::turn::{Move, Run};
use crate::session::CallKind;

pub(super) fn enter(run: &mut Run<'_>, node: &Function) -> Move {
    call::enter(run, CallKind::Function, Arc::clone(&node.name), &node.call)
}

pub(super) fn resume(run: &mut Run<'_>, step: &Step, node: &Function, input: Input) -> Move {
    call::answer(run, step, &node.call, input, |_| Meaning::Take(Port::NEXT)).leave(step, &node.call)
}
