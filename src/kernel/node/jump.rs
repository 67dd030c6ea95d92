//! `jump`: back to a node, so many times in a session; then onwards (SEMANTICS N6).

use crate::flow::Step;
use crate::flow::node::{Jump, Port};
use crate::kernel::turn::{Move, Run};

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &Jump) -> Move {
    let jumps = &mut run.session.extras().jumps;
    let made = match jumps.iter_mut().find(|(id, _)| *id == step.id) {
        Some((_, count)) if *count >= node.max => {
            run.because(|_| format!("all {} jumps are made", node.max));
            return Move::Take(Port::NEXT);
        }
        Some((_, count)) => {
            *count = count.saturating_add(1);
            *count
        }
        None => {
            jumps.push((step.id.clone(), 1));
            1
        }
    };
    run.because(|_| format!("jump {made} of {}", node.max));
    Move::Jump(node.target)
}
