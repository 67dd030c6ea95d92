//! `recognize_phone` and `recognize_entities`: what a text holds, told without anybody's help.

use std::sync::Arc;

use serde_json::Value;

use crate::address::Home;
use crate::flow::expr::EvalError;
use crate::flow::node::{Port, RecognizeEntities, RecognizePhone};
use crate::flow::recognize::{PhoneFinder, Writing, entities as entities_in};
use crate::flow::region::HomeRegion;
use crate::flow::template::Template;
use crate::kernel::turn::{Move, Run};
use crate::session::FailureCode;

pub(super) fn phone(run: &mut Run<'_>, node: &RecognizePhone) -> Move {
    let text = match text(run, &node.text) {
        Ok(text) => text,
        Err(leave) => return leave,
    };
    let home = match home(run, node.home.as_ref()) {
        Ok(home) => home,
        Err(error) => return Move::fail(FailureCode::Expression, error),
    };
    match PhoneFinder::at_home(home).first(&text) {
        Some(number) => save(run, node.save_to.as_ref(), &number.to_json(), RecognizePhone::FOUND),
        None => Move::Take(RecognizePhone::NOT_FOUND),
    }
}

pub(super) fn entities(run: &mut Run<'_>, node: &RecognizeEntities) -> Move {
    let text = match text(run, &node.text) {
        Ok(text) => text,
        Err(leave) => return leave,
    };
    let home = match home(run, node.home.as_ref()) {
        Ok(home) => home,
        Err(error) => return Move::fail(FailureCode::Expression, error),
    };
    let speech = run.speech();
    let phones = node.with_phones.then(|| PhoneFinder::at_home(home));
    let writing = Writing {
        language: speech.language(),
        marks: speech.marks(),
        calendar: &|| speech.calendar(),
        is_thai: speech.counts_as_thai(),
    };
    let found = entities_in(&text, &node.types, phones, &writing);
    let port = if found.is_empty() { RecognizePhone::NOT_FOUND } else { RecognizePhone::FOUND };
    save(run, node.save_to.as_ref(), &Value::Array(found), port)
}

/// The region where telephone numbers without a calling code are at home.
pub(super) fn home(run: &mut Run<'_>, region: Option<&HomeRegion>) -> Result<Option<Home>, EvalError> {
    Ok(match region {
        None => None,
        Some(HomeRegion::Fixed(home)) => Some(*home),
        Some(HomeRegion::From(template)) => Home::of(&run.render(template)?),
    })
}

/// The text to look at; of a long one the beginning.
fn text(run: &mut Run<'_>, template: &Template) -> Result<String, Move> {
    let mut text = run.render(template).map_err(|error| Move::fail(FailureCode::Expression, error))?;
    let most = run.env.limits.text_bytes.min(text.len());
    text.truncate((0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default());
    Ok(text)
}

fn save(run: &mut Run<'_>, name: Option<&Arc<str>>, value: &Value, port: Port) -> Move {
    let Some(name) = name else { return Move::Take(port) };
    match run.set_var(name, value) {
        Ok(()) => Move::Take(port),
        Err(error) => Move::fail(FailureCode::Variables, format_args!("variable `{name}` {error}")),
    }
}
