//! `send_message`: renders a message into the outbox (SEMANTICS N2, D4).

use crate::flow::Step;
use crate::flow::node::{Port, SendMessage};
use crate::kernel::content::render_content;
use crate::kernel::destination;
use crate::kernel::run::{Move, Run};

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &SendMessage) -> Move {
    let route = match destination::resolve(run, node) {
        Ok(route) => route,
        Err(leave) => return leave,
    };
    let content = match render_content(run, &node.message) {
        Ok(content) => content,
        Err(leave) => return leave,
    };
    match run.send(step, route, content) {
        Ok(_) => Move::Take(Port::NEXT),
        Err(leave) => leave,
    }
}
