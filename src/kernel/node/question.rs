//! A question that a session waits at, of any kind of node (SEMANTICS I3, I5, I10, N3). What
//! becomes of the reply is the node's.

use std::sync::Arc;

use serde_json::Value;

use crate::address::AccountRef;
use crate::flow::Step;
use crate::flow::node::{OnTimeout, Question, ReplyKind, Timeout};
use crate::kernel::Input;
use crate::kernel::node::times;
use crate::kernel::time::later;
use crate::kernel::turn::{Move, Run};
use crate::observer::EventKind;
use crate::session::{
    Ending, FailureCode, LeftOpen, Message, MessageDetails, MessageKind, Queued, Route, Session, Standing,
    Wait,
};
use crate::value::{PackLimits, Packed};

/// Maximum number of texts that begin the window of a question anew (SEMANTICS I10).
const MOST_RESTARTS: usize = 5;

/// Meaning of an input to a question.
pub(super) enum Word {
    /// The reply.
    Reply(Message),
    /// A part of it.
    Part,
    /// Its time has passed.
    TimedOut,
    /// Nothing.
    None,
}

/// Remembers a question that is left without a choice, where it takes one (SEMANTICS I9).
pub(super) fn leave_open(run: &mut Run<'_>, question: &Question) {
    if question.takes_offers {
        let (flow, node) = (run.flow.id().clone(), run.session.at.clone());
        run.left_open = Some(Box::new(LeftOpen { flow, node, answered: run.session.answered }));
    }
}

/// A question that the session comes back to, or that no text answers, takes what was offered for
/// the one before it that was left without a choice.
pub(super) fn reopen(run: &mut Run<'_>, question: &Question) {
    let kept = run.session.take_left_open();
    let Some(left) = run.left_open.take().or(kept) else { return };
    let is_same = left.node == run.session.at && left.flow == *run.flow.id();
    if is_same || !question.accept.accepts(ReplyKind::Text) {
        run.session.answered = left.answered;
    }
}

/// Waits until the contact answers, or the question's time has passed.
pub(super) fn park(run: &mut Run<'_>, question: &Question) -> Move {
    run.left_open = None;
    run.session.take_left_open();
    run.session.forget_offers();
    run.session.sent_before = if run.session.sent > 0 { run.last_sent() } else { 0 };
    let deadline = match &question.timeout {
        None => None,
        Some(Timeout::After(span)) => Some(later(run.env.now, *span)),
        Some(Timeout::Until(until)) => match times::first(run, until) {
            Ok(at) => at.filter(|at| times::is_lived_to(run, *at)).map(|at| at.max(run.env.now)),
            Err(error) => return Move::fail(FailureCode::Expression, error),
        },
    };
    Move::Park(Standing::Waiting(Wait::until(deadline)))
}

/// Returns the meaning of an input to the question that the session waits at.
pub(super) fn hear(run: &mut Run<'_>, question: &Question, input: Input) -> Word {
    match input {
        Input::Reply { message, route } if accepts(run, question, &message, &route) => {
            run.session.route = Some(route);
            collect(run, question, message)
        }
        Input::Deadline(wait) if wait == run.session.wait => match run.session.window() {
            Some(until) if run.env.now < until => Word::None,
            Some(_) => {
                run.because(|_| "the contact said no more".to_owned());
                Word::Reply(join(run))
            }
            None => Word::TimedOut,
        },
        _ => Word::None,
    }
}

/// The reply, if it came before the question; a part of it is kept.
pub(super) fn hear_queued(run: &mut Run<'_>, question: &Question) -> Option<Message> {
    while let Some(queued) = take_queued(run, question) {
        run.session.route = Some(queued.route);
        if let Word::Reply(message) = collect(run, question, queued.message) {
            run.because(|_| "a message that had come before".to_owned());
            return Some(message);
        }
    }
    None
}

/// A choice says its whole label, also where its channel showed less of it (SEMANTICS N10).
fn in_full(session: &Session, message: Message) -> Message {
    let Some(id) = message.payload.as_deref().filter(|_| message.kind == MessageKind::Choice) else {
        return message;
    };
    let chosen = session.offered().iter().rev().find_map(|offered| offered.choice(id));
    let Some(whole) = chosen.map(|choice| choice.whole.as_ref().unwrap_or(&choice.label)) else {
        return message;
    };
    if whole.is_empty() { message } else { Message { text: Arc::clone(whole), ..message } }
}

/// Takes the reply, or a part of it while the question listens on (SEMANTICS I10).
fn collect(run: &mut Run<'_>, question: &Question, message: Message) -> Word {
    let message = in_full(run.session, message);
    let is_part = matches!(message.kind, MessageKind::Text | MessageKind::Media);
    let Some(debounce) = question.debounce.filter(|_| is_part) else {
        let (media, _) = close_window(run);
        return Word::Reply(with_album(message, media));
    };
    let until = later(run.env.now, debounce);
    let until = run.session.ends_by.map_or(until, |last| until.min(last));
    let (most, most_media) = (run.env.limits.text_bytes, run.env.limits.variable_bytes);
    let heard = run.session.extras().heard.get_or_insert_default();
    let is_said = message.kind == MessageKind::Text || !message.text.is_empty();
    let has_room = message.media.is_none_or(|medium| heard.push_medium(medium, most_media));
    heard.note(message.id, message.details);
    if (is_said && !heard.push(message.text, most)) || !has_room {
        return Word::Reply(join(run));
    }
    if heard.count() <= MOST_RESTARTS + 1 {
        heard.until = Some(until);
    }
    Word::Part
}

/// The texts and media of the window as one.
fn join(run: &mut Run<'_>) -> Message {
    let (media, (id, details)) = close_window(run);
    let parts = run.session.reply.as_ref().map_or(&[][..], |reply| &reply.parts);
    let text = Message { id, details, ..Message::text(parts.join("\n")) };
    match media.first().cloned() {
        Some(first) => with_album(Message { kind: MessageKind::Media, media: Some(first), ..text }, media),
        None => text,
    }
}

/// The message, with the media that came in its window.
fn with_album(message: Message, album: Vec<Packed>) -> Message {
    if album.is_empty() {
        return message;
    }
    let details = message.details.as_deref().cloned().unwrap_or_default();
    Message { details: Some(Arc::new(MessageDetails { album, ..details })), ..message }
}

/// Ends the window: its texts are the parts of the reply. Returns its media, and what is known of
/// the last message.
fn close_window(run: &mut Run<'_>) -> (Vec<Packed>, Envelope) {
    let heard = run.session.extras.as_mut().and_then(|extras| extras.heard.as_mut());
    let (parts, media, envelope, latest) = heard.map_or_else(Default::default, |heard| {
        heard.until = None;
        let details = heard.details.take();
        let latest = heard.latest.take().max(details.as_ref().and_then(|details| details.at));
        let envelope = (heard.id.take(), details);
        (std::mem::take(&mut heard.parts), std::mem::take(&mut heard.media), envelope, latest)
    });
    let reply = run.session.reply.get_or_insert_default();
    reply.parts = parts.into();
    reply.latest = reply.latest.max(latest);
    (media, envelope)
}

/// The id of a message, and what else the channel says of it.
type Envelope = (Option<Arc<str>>, Option<Arc<MessageDetails>>);

/// Notes the reply, for the flow to read.
pub(super) fn note(run: &mut Run<'_>, message: Message) {
    let item = message.payload.as_deref().and_then(|id| item(run.session, id)).cloned();
    let reply = run.session.reply.get_or_insert_default();
    reply.replace(Some(message));
    reply.item = item;
    reply.timed_out = false;
    run.has_reply = true;
    forget_offers(run);
}

/// Lets go of what is answered, unless the session may come back to the question.
fn forget_offers(run: &mut Run<'_>) {
    if run.left_open.is_none() {
        run.session.forget_offers();
    }
}

/// The item that an offered choice was made of (SEMANTICS N10).
fn item<'s>(session: &'s Session, id: &str) -> Option<&'s Packed> {
    session.offered().iter().rev().find_map(|offered| offered.choice(id)?.item.as_ref())
}

/// The items of several, if any was made of one.
pub(super) fn items(run: &Run<'_>, ids: &[Arc<str>]) -> Option<Packed> {
    let items: Value = ids.iter().filter_map(|id| Some(item(run.session, id)?.to_json())).collect();
    let pack_limits =
        PackLimits { depth: run.env.limits.depth.saturating_add(3), ..PackLimits::of(run.env.limits) };
    let has_any = items.as_array().is_some_and(|items| !items.is_empty());
    has_any.then(|| Packed::from_json(&items, &pack_limits).ok()).flatten()
}

pub(super) fn time_out(run: &mut Run<'_>, step: &Step, question: &Question) -> Move {
    run.session.answered = run.session.wait;
    let reply = run.session.reply.get_or_insert_default();
    reply.replace(None);
    reply.parts = Box::default();
    reply.item = None;
    reply.timed_out = true;
    forget_offers(run);
    match question.on_timeout {
        OnTimeout::Continue => Move::Take(question.replied),
        OnTimeout::Branch if step.exit(question.timed_out).is_some() => Move::Take(question.timed_out),
        OnTimeout::Branch => Move::End(Ending::Expired),
    }
}

/// True if a question takes a message: of an accepted kind, on the channel and account it was asked
/// on (SEMANTICS I3).
fn accepts(run: &Run<'_>, question: &Question, message: &Message, route: &Route) -> bool {
    takes(question, run.session, message.kind, route.account.as_ref())
}

/// The same, for routing.
pub(in crate::kernel) fn takes(
    question: &Question,
    session: &Session,
    kind: MessageKind,
    account: AccountRef<'_>,
) -> bool {
    let asked = session.asked.as_ref().or(session.route.as_ref());
    let asked_here = || asked.is_none_or(|asked| account == asked.account);
    let is_taken = kind != MessageKind::Reaction && question.accept.accepts(reply_kind(kind));
    is_taken && (question.any_channel || asked_here())
}

pub(super) fn reply_kind(kind: MessageKind) -> ReplyKind {
    match kind {
        MessageKind::Text => ReplyKind::Text,
        MessageKind::Choice => ReplyKind::Choice,
        MessageKind::Media => ReplyKind::Media,
        MessageKind::Location => ReplyKind::Location,
        MessageKind::Form => ReplyKind::Form,
        MessageKind::Order => ReplyKind::Order,
        MessageKind::Contacts => ReplyKind::Contacts,
        MessageKind::Reaction | MessageKind::Other => ReplyKind::Other,
    }
}

/// A message that came before the question answers it only if nothing was sent since; else it was
/// missed (SEMANTICS I4, I5).
pub(super) fn take_queued(run: &mut Run<'_>, question: &Question) -> Option<Queued> {
    if run.session.queue().is_empty() {
        return None;
    }
    let mut queue = std::mem::take(&mut run.session.extras().queue).into_iter();
    let mut taken = None;
    for queued in queue.by_ref() {
        if queued.sent == run.session.sent && accepts(run, question, &queued.message, &queued.route) {
            taken = Some(queued);
            break;
        }
        if !queued.opening {
            let session = run.session.id;
            run.note(EventKind::Missed { session });
            run.session.reply.get_or_insert_default().missed.push(queued.message.text);
        }
    }
    run.session.extras().queue = queue.collect();
    taken
}
