//! `typing`: a sign of writing goes the way of the messages, and counts as none of them.

use crate::flow::Step;
use crate::flow::node::{Port, Typing};
use crate::kernel::destination;
use crate::kernel::turn::{Move, Run};
use crate::session::Content;

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &Typing) -> Move {
    let sent = destination::reply(run)
        .and_then(|route| run.send(step, route, Content::Typing { seconds: node.seconds }, None));
    match sent {
        Ok(_) => Move::Take(Port::NEXT),
        Err(leave) => leave,
    }
}
