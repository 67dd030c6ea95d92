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
use crate::flow::node::{CompiledNode, Port};
pub(super) use question::takes;
pub(super) use send_message::{has_refusal, refusal};

use crate::kernel::Input;
use crate::kernel::turn::{Move, Run};
use crate::session::Ending;

pub(super) fn enter(run: &mut Run<'_>, step: &Step) -> Move {
    match &step.node {
        CompiledNode::Start(_) => Move::Take(Port::NEXT),
        CompiledNode::End(end) => Move::End(Ending::Completed(end.outcome.clone())),
        CompiledNode::SendMessage(node) => send_message::enter(run, step, node),
        CompiledNode::WaitReply(node) => wait_reply::enter(run, node),
        CompiledNode::Ask(node) => ask::enter(run, step, node),
        CompiledNode::Branch(node) => branch::enter(run, step, node),
        CompiledNode::Jump(node) => jump::enter(run, step, node),
        CompiledNode::SetVariables(node) => set_variables::enter(run, node),
        CompiledNode::ForEach(node) => for_each::enter(run, step, node),
        CompiledNode::Delay(node) => delay::enter(run, step, node),
        CompiledNode::Function(node) => function::enter(run, node),
        CompiledNode::HttpRequest(node) => http_request::enter(run, step, node),
        CompiledNode::Llm(node) => llm::enter(run, node),
        CompiledNode::Classify(node) => classify::enter(run, node),
        CompiledNode::RecognizeLanguage(node) => recognize_language::enter(run, node),
        CompiledNode::RecognizePhone(node) => recognize::phone(run, node),
        CompiledNode::RecognizeEntities(node) => recognize::entities(run, node),
        CompiledNode::UpdateContact(node) => update_contact::enter(run, step, node),
        CompiledNode::RandomSplit(node) => random_split::enter(run, step, node),
        CompiledNode::OpenHours(node) => open_hours::enter(run, node),
        CompiledNode::Log(node) => log::enter(run, step, node),
        CompiledNode::CallFlow(node) => call_flow::enter(run, step, node),
        CompiledNode::Handoff(node) => handoff::enter(run, node),
        CompiledNode::Typing(node) => typing::enter(run, step, node),
    }
}

/// Puts the question of the session's node once more; nothing where it only waits.
pub(super) fn ask_again(run: &mut Run<'_>, step: &Step) -> Result<(), Move> {
    match &step.node {
        CompiledNode::Ask(node) => ask::say(run, step, node, &node.message).map(drop),
        _ => Ok(()),
    }
}

pub(super) fn resume(run: &mut Run<'_>, step: &Step, input: Input) -> Move {
    match &step.node {
        CompiledNode::Start(_) | CompiledNode::Delay(_) => delay::resume(run, &input),
        CompiledNode::SendMessage(_) => send_message::resume(run, step, &input),
        CompiledNode::WaitReply(node) => wait_reply::resume(run, step, node, input),
        CompiledNode::Ask(node) => ask::resume(run, step, node, input),
        CompiledNode::Function(node) => function::resume(run, step, node, input),
        CompiledNode::HttpRequest(node) => http_request::resume(run, step, node, input),
        CompiledNode::Llm(node) => llm::resume(run, step, node, input),
        CompiledNode::Classify(node) => classify::resume(run, step, node, input),
        CompiledNode::RecognizeLanguage(node) => recognize_language::resume(run, step, node, input),
        _ => Move::Ignore,
    }
}
