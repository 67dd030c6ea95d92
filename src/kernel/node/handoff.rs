//! `handoff`: the contact goes to a person, and the session waits for what becomes of it (SEMANTICS
//! S10).

use std::sync::Arc;

use crate::flow::node::Handoff as Node;
use crate::flow::template::Template;
use crate::kernel::time::later;
use crate::kernel::turn::{Move, Run};
use crate::session::{FailureCode, Handoff, Handover, Standing};

pub(super) fn enter(run: &mut Run<'_>, node: &Node) -> Move {
    let now = run.env.now;
    let mut handoff = Handoff::new(now, node.timeout);
    for (template, place) in [(&node.queue, &mut handoff.queue), (&node.note, &mut handoff.note)] {
        match template.as_ref().map(|template| render(run, template)).transpose() {
            Ok(text) => *place = text,
            Err(leave) => return leave,
        }
    }
    run.next_wait();
    run.note_handoff();
    let deadline = node.timeout.map(|timeout| later(now, timeout));
    Move::Park(Standing::Handoff(Handover { handoff: Box::new(handoff), deadline }))
}

fn render(run: &mut Run<'_>, template: &Template) -> Result<Arc<str>, Move> {
    run.render(template).map(Into::into).map_err(|error| Move::fail(FailureCode::Expression, error))
}
