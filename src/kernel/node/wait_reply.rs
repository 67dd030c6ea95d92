//! `wait_reply`: the session waits for what the contact says (SEMANTICS N3).

use serde_json::Value;

use crate::address::AccountRef;
use crate::flow::node::WaitReply;
use crate::flow::{OnTimeout, ReplyKind, Step};
use crate::kernel::Input;
use crate::kernel::run::{Move, Run, later};
use crate::observer::EventKind;
use crate::session::{FailureCode, Message, MessageKind, Queued, Route, Session, Status};

pub(super) fn enter(run: &mut Run<'_>, node: &WaitReply) -> Move {
    run.next_wait();
    if let Some(queued) = take_queued(run, node) {
        run.session.route = Some(queued.route);
        run.because(|_| "a message that had come before".to_owned());
        return answer(run, node, queued.message);
    }
    run.session.sent_before = if run.session.sent > 0 { run.last_sent() } else { 0 };
    Move::Park {
        status: Status::Waiting,
        deadline: node.timeout.map(|timeout| later(run.scene.now, timeout)),
    }
}

pub(super) fn resume(run: &mut Run<'_>, step: &Step, node: &WaitReply, input: Input) -> Move {
    match input {
        Input::Reply { message, route } if accepts(run, node, &message, &route) => {
            run.session.route = Some(route);
            answer(run, node, message)
        }
        Input::Deadline(wait) if wait == run.session.wait => {
            run.session.answered = run.session.wait;
            let reply = run.session.reply.get_or_insert_default();
            reply.message = None;
            reply.timed_out = true;
            match node.on_timeout {
                OnTimeout::Continue => Move::Take(WaitReply::REPLIED),
                OnTimeout::Branch if step.exit(WaitReply::TIMEOUT).is_some() => {
                    Move::Take(WaitReply::TIMEOUT)
                }
                OnTimeout::Branch => Move::End(Status::Expired),
            }
        }
        _ => Move::Ignore,
    }
}

/// Whether a wait takes a message: of an accepted kind, on the channel and account it asked on (SEMANTICS I3).
fn accepts(run: &Run<'_>, node: &WaitReply, message: &Message, route: &Route) -> bool {
    takes(node, run.session, message.kind, route.account.as_ref())
}

/// The same, for routing.
pub(in crate::kernel) fn takes(
    node: &WaitReply,
    session: &Session,
    kind: MessageKind,
    account: AccountRef<'_>,
) -> bool {
    let kind = match kind {
        MessageKind::Text => ReplyKind::Text,
        MessageKind::Choice => ReplyKind::Choice,
        MessageKind::Media => ReplyKind::Media,
        MessageKind::Location => ReplyKind::Location,
    };
    let asked = session.asked.as_ref().or(session.route.as_ref());
    let asked_here = || asked.is_none_or(|asked| account == asked.account);
    node.accept.accepts(kind) && (node.any_channel || asked_here())
}

fn answer(run: &mut Run<'_>, node: &WaitReply, message: Message) -> Move {
    run.session.answered = run.session.wait;
    let text = node.save_to.as_ref().map(|name| (name, Value::String(message.text.as_ref().to_owned())));
    let reply = run.session.reply.get_or_insert_default();
    reply.message = Some(message);
    reply.timed_out = false;
    if let Some((name, text)) = text
        && let Err(error) = run.set_var(name, &text)
    {
        return Move::fail(FailureCode::Variables, format_args!("variable `{name}` {error}"));
    }
    Move::Take(WaitReply::REPLIED)
}

/// A message that came before the question answers it only if nothing was sent since; else it was missed
/// (SEMANTICS I4, I5).
fn take_queued(run: &mut Run<'_>, node: &WaitReply) -> Option<Queued> {
    if run.session.queue().is_empty() {
        return None;
    }
    let mut queue = std::mem::take(&mut run.session.rare().queue).into_iter();
    let mut taken = None;
    for queued in queue.by_ref() {
        if queued.sent == run.session.sent && accepts(run, node, &queued.message, &queued.route) {
            taken = Some(queued);
            break;
        }
        if !queued.opening {
            let session = run.session.id;
            run.note(EventKind::Missed { session });
            run.session.reply.get_or_insert_default().missed.push(queued.message.text);
        }
    }
    run.session.rare().queue = queue.collect();
    taken
}
