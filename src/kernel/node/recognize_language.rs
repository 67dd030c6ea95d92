//! `recognize_language`: asks the host for the language of a text (SEMANTICS D2).

use crate::flow::Step;
use crate::flow::node::RecognizeLanguage;
use crate::kernel::Input;
use crate::kernel::node::call::{self, CallAnswer, Meaning};
use crate::kernel::turn::{Move, Run};
use crate::session::{CallKind, ContactChange};

pub(super) fn enter(run: &mut Run<'_>, node: &RecognizeLanguage) -> Move {
    let kind = CallKind::RecognizeLanguage;
    call::enter(run, kind, kind.as_str().into(), &node.call)
}

pub(super) fn resume(run: &mut Run<'_>, step: &Step, node: &RecognizeLanguage, input: Input) -> Move {
    let mut language = None;
    let answer = call::answer(run, step, &node.call, input, |value| {
        match value.as_str().and_then(|tag| Some((tag, node.port_of(tag)?))) {
            Some((tag, port)) => {
                language = Some(tag.to_owned());
                Meaning::Take(port)
            }
            None => Meaning::Refused("the host's answer is not a language tag".into()),
        }
    });
    if let (CallAnswer::Leave(_), Some(language), true) = (&answer, language, node.update_contact) {
        if let Err(leave) = run.change_contact(ContactChange::Language(Some(language))) {
            return leave;
        }
        run.note_contact(step);
    }
    answer.leave(step, &node.call)
}
