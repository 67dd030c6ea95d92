//! `send_message`: renders a message into the outbox (SEMANTICS N2, D4).

use crate::flow::Step;
use crate::flow::node::{Port, SendMessage};
use crate::kernel::destination;
use crate::kernel::run::{Move, Run};
use crate::session::{Content, FailureCode, Opt};

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &SendMessage) -> Move {
    let route = match destination::resolve(run, node) {
        Ok(route) => route,
        Err(leave) => return leave,
    };
    let text = match run.render(&node.text) {
        Ok(text) => text,
        Err(error) => return Move::fail(FailureCode::Expression, error),
    };
    let wait = run.offered_wait();
    let options = node
        .options
        .iter()
        .map(|option| Opt {
            payload: crate::kernel::route::payload(run.session.id, wait, &option.id),
            label: option.label.as_ref().to_owned(),
        })
        .collect();
    match run.send(step, route, Content::Text { text, options }) {
        Ok(_) => Move::Take(Port::NEXT),
        Err(leave) => leave,
    }
}
