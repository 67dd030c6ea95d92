//! The behaviour of each kind of node when a session enters it, and when an input reaches a session
//! that is at it. One file per kind; this file only tells them apart.

mod ask;
mod branch;
mod call;
pub(super) mod call_flow;
mod classify;
mod delay;
mod for_each;
mod function;
mod handoff;
mod http_request;
mod jump;
mod llm;
mod log;
mod open_hours;
mod question;
mod random_split;
mod recognize;
mod recognize_language;
mod send_message;
mod set_variables;
mod times;
mod typing;
mod update_contact;
mod wait_reply;

use crate::flow::Step;
use crate::flow::node::{Node, Port};
pub(super) use question::takes;
pub(super) use send_message::{has_refusal, refusal};

use crate::kernel::Input;
use crate::kernel::turn::{Move, Run};
use crate::session::Ending;

pub(super) fn enter(run: &mut Run<'_>, step: &Step) -> Move {
    match &step.node {
        Node::Start(_) => Move::Take(Port::NEXT),
        Node::End(end) => Move::End(Ending::Completed(end.outcome.clone())),
        Node::SendMessage(node) => send_message::enter(run, step, node),
        Node::WaitReply(node) => wait_reply::enter(run, node),
        Node::Ask(node) => ask::enter(run, step, node),
        Node::Branch(node) => branch::enter(run, step, node),
        Node::Jump(node) => jump::enter(run, step, node),
        Node::SetVariables(node) => set_variables::enter(run, node),
        Node::ForEach(node) => for_each::enter(run, step, node),
        Node::Delay(node) => delay::enter(run, step, node),
        Node::Function(node) => function::enter(run, node),
        Node::HttpRequest(node) => http_request::enter(run, step, node),
        Node::Llm(node) => llm::enter(run, node),
        Node::Classify(node) => classify::enter(run, node),
        Node::RecognizeLanguage(node) => recognize_language::enter(run, node),
        Node::RecognizePhone(node) => recognize::phone(run, node),
        Node::RecognizeEntities(node) => recognize::entities(run, node),
        Node::UpdateContact(node) => update_contact::enter(run, step, node),
        Node::RandomSplit(node) => random_split::enter(run, step, node),
        Node::OpenHours(node) => open_hours::enter(run, node),
        Node::Log(node) => log::enter(run, step, node),
        Node::CallFlow(node) => call_flow::enter(run, step, node),
        Node::Handoff(node) => handoff::enter(run, node),
        Node::Typing(node) => typing::enter(run, step, node),
    }
}

/// Puts the question of the session's node once more; nothing where it only waits.
pub(super) fn ask_again(run: &mut Run<'_>, step: &Step) -> Result<(), Move> {
    match &step.node {
        Node::Ask(node) => ask::say(run, step, node, &node.message).map(drop),
        _ => Ok(()),
    }
}

pub(super) fn resume(run: &mut Run<'_>, step: &Step, input: Input) -> Move {
    match &step.node {
        Node::Start(_) | Node::Delay(_) => delay::resume(run, &input),
        Node::SendMessage(_) => send_message::resume(run, step, &input),
        Node::WaitReply(node) => wait_reply::resume(run, step, node, input),
        Node::Ask(node) => ask::resume(run, step, node, input),
        Node::Function(node) => function::resume(run, step, node, input),
        Node::HttpRequest(node) => http_request::resume(run, step, node, input),
        Node::Llm(node) => llm::resume(run, step, node, input),
        Node::Classify(node) => classify::resume(run, step, node, input),
        Node::RecognizeLanguage(node) => recognize_language::resume(run, step, node, input),
        _ => Move::Ignore,
    }
}
