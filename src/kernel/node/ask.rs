//! `ask`: sends its question, and hears answers until one is valid (SEMANTICS N4).

use serde_json::Value;

use crate::flow::Step;
use crate::flow::answer::{Expect, RawReply, ReplyMeaning, shows_places};
use crate::flow::content;
use crate::flow::expr::EvalError;
use crate::flow::node::{Ask, Port};
use crate::flow::template::Template;
use crate::kernel::content::{Audience, offer_unseen, render_content};
use crate::kernel::node::question::{self, Word};
use crate::kernel::node::recognize::home;
use crate::kernel::offer::offered_choices;
use crate::kernel::turn::{Move, Run};
use crate::kernel::{Input, destination};
use crate::session::{Content, FailureCode, Message};
use crate::value::Packed;

pub(super) fn enter(run: &mut Run<'_>, step: &Step, node: &Ask) -> Move {
    match say(run, step, node, &node.message) {
        Ok(true) => {}
        Ok(false) => return Move::fail(FailureCode::BadContent, "the question came out blank"),
        Err(leave) => return leave,
    }
    run.next_wait();
    // What came before the question is no answer to it: it has been missed.
    question::take_queued(run, &node.question);
    question::park(run, &node.question)
}

pub(super) fn resume(run: &mut Run<'_>, step: &Step, node: &Ask, input: Input) -> Move {
    let by_time = matches!(input, Input::Deadline(_));
    let message = match question::hear(run, &node.question, input) {
        Word::Reply(message) => message,
        Word::Part => return Move::Stay,
        Word::TimedOut => return question::time_out(run, step, &node.question),
        Word::None => return Move::Ignore,
    };
    match understand(run, node, &message) {
        Ok(Some(meant)) => accept(run, step, node, message, meant),
        // The question's time passed while the contact was speaking.
        Ok(None) if by_time && run.session.deadline().is_some_and(|deadline| deadline <= run.env.now) => {
            question::time_out(run, step, &node.question)
        }
        Ok(None) => refuse(run, step, node, message),
        Err(error) => Move::fail(FailureCode::Expression, error),
    }
}

/// Sends the question, or what is said to an answer that is none. Returns whether there was
/// anything to say.
pub(super) fn say(
    run: &mut Run<'_>,
    step: &Step,
    node: &Ask,
    message: &content::CompiledMessage,
) -> Result<bool, Move> {
    let route = destination::reply(run)?;
    let route = destination::fitting(run, route, message)?;
    let empty = node.empty.filter(|empty| step.exit(*empty).is_some());
    let to = Audience { channel: &route.account.channel, asks: true, may_be_empty: empty.is_some() };
    let content = render(run, node, message, &to).map_err(|leave| match (leave, empty) {
        (Move::Fail(FailureCode::NoChoices, _), Some(empty)) => Move::Take(empty),
        (leave, _) => leave,
    })?;
    let subject = run.subject(node.subject.as_deref(), to.channel)?;
    run.send_fitted(step, route, (content, subject), false).map(|sent| sent.is_some())
}

/// The message, with what it offers kept, where that is made of data.
fn render(
    run: &mut Run<'_>,
    node: &Ask,
    message: &content::CompiledMessage,
    to: &Audience<'_>,
) -> Result<Content, Move> {
    let content = render_content(run, message, to)?;
    if node.expect.choices().is_none_or(|choices| choices.live.is_none()) {
        return Ok(content);
    }
    if let Some(unseen) = &node.unseen {
        offer_unseen(run, unseen, to)?;
    }
    let wait = run.offered_wait();
    let offered =
        run.session.extras.as_mut().and_then(|extras| {
            extras.offered.iter_mut().find(|offered| offered.asked && offered.wait == wait)
        });
    if let Some(offered) = offered {
        offered.numbered = shows_places(content.text(), offered.choices.len());
    }
    Ok(content)
}

/// Returns the meaning of a message; none if it is no answer.
fn understand(run: &mut Run<'_>, node: &Ask, message: &Message) -> Result<Option<ReplyMeaning>, EvalError> {
    let said = RawReply {
        kind: question::reply_kind(message.kind),
        text: &message.text,
        payload: message.payload.as_deref(),
        mime: None,
        home: match &node.expect {
            Expect::Phone(region) => home(run, region.as_ref())?,
            _ => None,
        },
    };
    let offered = node.expect.choices().and_then(|choices| offered_choices(run.session, choices));
    if let (Expect::Media { .. }, Some(medium)) = (&node.expect, &message.media) {
        // Of an album each is of the types that are asked for.
        let album = message.details.as_ref().map_or(&[][..], |details| &details.album);
        // A medium is of its type of MIME, and of the kind that its message says.
        let is_one = |medium: &Packed| {
            ["mime", "type"].into_iter().any(|field| {
                let said = RawReply { mime: text_of(medium, field), ..said };
                node.expect.understand(said, &run.speech()) == Some(ReplyMeaning::Medium)
            })
        };
        let are_of_types = is_one(medium) && album.iter().all(is_one);
        return Ok(are_of_types.then_some(ReplyMeaning::Medium));
    }
    let meant = match offered {
        Some(choices) => choices.understand(said, run.speech().language()),
        None => node.expect.understand(said, &run.speech()),
    };
    if let (Some(ReplyMeaning::Value(value)), Some(bounds)) = (&meant, node.expect.bounds()) {
        let (min, max) = (end(run, value, bounds.min.as_ref())?, end(run, value, bounds.max.as_ref())?);
        if !node.expect.within(value, min.as_deref(), max.as_deref(), run.own_zone()) {
            return Ok(None);
        }
    }
    Ok(meant)
}

fn text_of<'m>(medium: &'m Packed, field: &str) -> Option<&'m str> {
    medium.as_node().get(field)?.as_str()
}

/// The text of an end of what is allowed: of a number as JSON writes it.
fn end(run: &mut Run<'_>, value: &Value, end: Option<&Template>) -> Result<Option<String>, EvalError> {
    match end {
        Some(end) if value.is_number() => Ok(run.number(end)?.map(|number| number.to_string())),
        Some(end) => run.render(end).map(Some),
        None => Ok(None),
    }
}

fn accept(run: &mut Run<'_>, step: &Step, node: &Ask, mut message: Message, meant: ReplyMeaning) -> Move {
    run.session.answered = run.session.wait;
    let mut items = None;
    let (value, port) = match meant {
        ReplyMeaning::Value(value) => (value, Ask::VALID),
        ReplyMeaning::Medium => (json(message.media.as_ref()), Ask::VALID),
        ReplyMeaning::Place => (json(message.location.as_ref()), Ask::VALID),
        ReplyMeaning::Several(ids) => {
            items = question::items(run, &ids);
            let ids = ids.iter().map(|id| Value::String(id.as_ref().to_owned()));
            (ids.collect(), Ask::VALID)
        }
        ReplyMeaning::Choice { place, id } => {
            message.payload = Some(id.clone());
            let written = node.expect.choices().and_then(|choices| match choices.live {
                Some(_) => choices.place_of(&id),
                None => Some(place),
            });
            let port = written.map_or(Ask::VALID, |place| choice_port(step, place));
            (Value::String(id.as_ref().to_owned()), port)
        }
    };
    question::note(run, message);
    if let (Some(items), Some(reply)) = (items, &mut run.session.reply) {
        reply.item = Some(items);
    }
    if let Some(name) = &node.save_to
        && let Err(error) = run.set_var(name, &value)
    {
        return Move::fail(FailureCode::Variables, format_args!("variable `{name}` {error}"));
    }
    Move::Take(port)
}

/// The choice's own branch, where it has an edge.
fn choice_port(step: &Step, place: usize) -> Port {
    let own = Ask::choice(place);
    if step.exit(own).is_some() { own } else { Ask::VALID }
}

fn json(packed: Option<&Packed>) -> Value {
    packed.map_or(Value::Null, Packed::to_json)
}

/// Asks again, as often as the node says.
fn refuse(run: &mut Run<'_>, step: &Step, node: &Ask, message: Message) -> Move {
    question::note(run, message);
    let heard = run.session.extras().heard.get_or_insert_default();
    heard.invalid = heard.invalid.saturating_add(1);
    let attempts = heard.invalid;
    run.because(|_| format!("no valid answer, attempt {attempts}"));
    if attempts <= node.retries {
        let message = node.again.as_deref().unwrap_or(&node.message);
        let Err(leave) = say(run, step, node, message) else { return Move::Stay };
        run.session.answered = run.session.wait;
        return leave;
    }
    run.session.answered = run.session.wait;
    if step.exit(Ask::INVALID).is_some() {
        return Move::Take(Ask::INVALID);
    }
    Move::fail(FailureCode::InvalidAnswer, format_args!("no valid answer in {attempts} attempts"))
}
