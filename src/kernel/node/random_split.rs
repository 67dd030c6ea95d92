//! `random_split`: draws a way from the session, the node and the visit, so that a replay draws the
//! same (SEMANTICS N8).

use crate::flow::Step;
use crate::flow::node::RandomSplit;
use crate::kernel::hash::draw;
use crate::kernel::turn::{Move, Run};

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &RandomSplit) -> Move {
    let visit = count_visit(run, step);
    let (drawn, total) = (draw(run.session.id, &step.id, visit, node.total()), node.total());
    run.because(|_| format!("drew {drawn} of 0 to {} at visit {visit}", total.saturating_sub(1)));
    Move::Take(node.port_of(drawn))
}

/// The number of this visit of the session to the node, from 1.
fn count_visit(run: &mut Run<'_>, step: &Step) -> u32 {
    let visits = &mut run.session.extras().visits;
    match visits.iter_mut().find(|(node, _)| *node == step.id) {
        Some((_, count)) => {
            *count = count.saturating_add(1);
            *count
        }
        None => {
            visits.push((step.id.clone(), 1));
            1
        }
    }
}
