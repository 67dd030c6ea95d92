//! `send_message`: renders a message into the outbox (SEMANTICS N2, D4).

use std::sync::Arc;

use crate::flow::Step;
use crate::flow::node::{Port, SendMessage};
use crate::id::MessageId;
use crate::kernel::run::{Move, Run};
use crate::kernel::{Effect, destination};
use crate::session::{Content, FailureCode, Opt, Outbound};

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &SendMessage) -> Move {
    let route = match destination::resolve(run, node) {
        Ok(route) => route,
        Err(leave) => return leave,
    };
    let text = match run.render(&node.text) {
        Ok(text) => text,
        Err(error) => return Move::fail(FailureCode::Expression, error),
    };
    if run.scene.unsent + run.sends as usize >= run.scene.limits.unsent_messages {
        let max = run.scene.limits.unsent_messages;
        return Move::fail(FailureCode::UnsentMessages, format_args!("more than {max} messages are unsent"));
    }
    let wait = run.session.wait + 1;
    let options = node
        .options
        .iter()
        .map(|option| Opt {
            payload: crate::kernel::route::payload(run.session.id, wait, &option.id),
            label: option.label.as_ref().to_owned(),
        })
        .collect();
    run.session.asked = Some(Arc::clone(&route));
    let index = run.sends;
    run.sends += 1;
    run.session.sent += 1;
    let message = Outbound {
        id: MessageId { session: run.session.id, seq: run.last_sent() },
        workspace: run.scene.workspace.clone(),
        contact: run.scene.contact.id.clone(),
        flow: run.session.flow.clone(),
        node: step.id.clone(),
        route,
        content: Content::Text { text, options },
        created_at: run.scene.now,
        turn: run.session.turns + 1,
        index,
        count: 0,
        branch: run.session.branch.clone(),
        component: run.component.clone().unwrap_or_else(|| step.title.clone()),
    };
    run.effects.push(Effect::Send(Arc::new(message)));
    Move::Take(Port::NEXT)
}
