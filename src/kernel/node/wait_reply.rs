//! `wait_reply`: the session waits for what the contact says (SEMANTICS N3).

use serde_json::Value;

use crate::flow::Step;
use crate::flow::node::WaitReply;
use crate::kernel::Input;
use crate::kernel::node::question::{self, Word};
use crate::kernel::turn::{Move, Run};
use crate::session::{FailureCode, Message, MessageKind};

pub(super) fn enter(run: &mut Run<'_>, node: &WaitReply) -> Move {
    question::reopen(run, &node.question);
    run.next_wait();
    match question::hear_queued(run, &node.question) {
        Some(message) => answer(run, node, message),
        None => question::park(run, &node.question),
    }
}

pub(super) fn resume(run: &mut Run<'_>, step: &Step, node: &WaitReply, input: Input) -> Move {
    match question::hear(run, &node.question, input) {
        Word::Reply(message) => answer(run, node, message),
        Word::Part => Move::Stay,
        Word::TimedOut => {
            question::leave_open(run, &node.question);
            question::time_out(run, step, &node.question)
        }
        Word::None => Move::Ignore,
    }
}

fn answer(run: &mut Run<'_>, node: &WaitReply, message: Message) -> Move {
    if !matches!(message.kind, MessageKind::Choice | MessageKind::Form) {
        question::leave_open(run, &node.question);
    }
    run.session.answered = run.session.wait;
    let text = node.save_to.as_ref().map(|name| (name, Value::String(message.text.as_ref().to_owned())));
    question::note(run, message);
    if let Some((name, text)) = text
        && let Err(error) = run.set_var(name, &text)
    {
        return Move::fail(FailureCode::Variables, format_args!("variable `{name}` {error}"));
    }
    Move::Take(WaitReply::REPLIED)
}
