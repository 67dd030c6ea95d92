//! `ask`: a question that is put again until it is answered (SEMANTICS N4). What counts as an
//! answer is in `answer`.

mod answer;
mod media_types;

use std::sync::Arc;

use chrono::TimeDelta;
use serde::Serialize;

pub use answer::{AnswerDef, AnswerKind, ChoiceDef, SeveralDef};

use answer::{EMPTY, FIXED};

use crate::flow::answer::{Expect, shows_places};
use crate::flow::content::{
    Capacity, ChannelCapacity, CompiledMessage, Local, MessageDef, Offers, OptionDef, PlacedText, TextDef,
    compile_options, is_written_list, parts,
};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::Fields;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;
use crate::flow::node::question::{self, Accept, KeywordMode, OnTimeout, Question};
use crate::flow::node::timeout::TimeoutDef;
use crate::flow::node::{Blocking, NodeContract, Port, PortName};

/// A question with its answer checked. Branches: `valid`, which an edge without a branch takes,
/// `invalid`, `timeout`, the id of each choice that is written out, unless an answer may be
/// `several`, and `empty` where there are choices made of data.
///
/// It sends its text, waits, and takes an answer that [is one](AnswerDef); to any other it sends
/// `error_text`, or asks again, and after so many `retries` takes `invalid`. A choice without an
/// edge of its own takes `valid`. Without an edge for `invalid` the session fails, without one for
/// `timeout` it expires. The time counts from the question, not from the last attempt; buttons stay
/// good while it asks.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "age", "kind": "ask", "text": "How old are you?",
///     "expect": "number", "whole": true, "min": 18, "max": 120, "save_to": "age",
///     "retries": 1, "error_text": "{{ reply.text }}? A number from 18, please.", "timeout": "10m"
/// }"#)?;
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "size", "kind": "ask", "text": "Which size?", "choices": [
///         {"id": "s", "label": "Small", "synonyms": ["little"]}, {"id": "l", "label": "Large"}
///     ], "keywords": "off", "debounce": "3s"
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AskDef {
    /// The question, in any form of message but `options`: what there is to choose from are
    /// `choices`.
    #[serde(flatten)]
    pub message: MessageDef,
    /// The answer that counts.
    #[serde(flatten)]
    pub answer: Box<AnswerDef>,
    /// Number of times that it asks again, at most 10; twice if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// The text after an invalid answer, a template; by default the question again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_text: Option<TextDef>,
    /// The variable that takes the answer: a number, a text, the id of the choice, the medium, the
    /// place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_to: Option<String>,
    /// The time that it waits, `30m`, or the time until which it waits,
    /// `{"first_of": ["23h", "next 08:00"]}`; the session's TTL if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<TimeoutDef>,
    /// The behaviour when the time has passed; `branch` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_timeout: Option<OnTimeout>,
    /// True if an answer on another channel or account counts; it does not if absent
    /// ([SEMANTICS I3](crate::semantics#i3)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_channel: Option<bool>,
    /// The effect of keywords while it asks: they act if absent
    /// ([SEMANTICS I6](crate::semantics#i6)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keywords: Option<KeywordMode>,
    /// The time that it listens on after a text, 1-60 seconds; it does not if absent
    /// ([SEMANTICS I10](crate::semantics#i10)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debounce: Option<Span>,
}

/// A compiled question with its check.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) question: Question,
    pub(crate) message: CompiledMessage,
    /// The subject, where it is a letter.
    pub(crate) subject: Option<Box<Local<Template>>>,
    pub(crate) expect: Expect,
    pub(crate) retries: u32,
    /// The message that is sent instead of the question when it is asked again.
    pub(crate) again: Option<Box<CompiledMessage>>,
    pub(crate) save_to: Option<Arc<str>>,
    /// Choices that are made of data or rendered, where the message does not show it.
    pub(crate) unseen: Option<Box<Offers>>,
    /// The branch for where there is nothing to choose from.
    pub(crate) empty: Option<Port>,
}

impl Ask {
    pub(crate) const VALID: Port = Port(0);
    pub(crate) const INVALID: Port = Port(1);
    const TIMEOUT: Port = Port(2);

    /// The branch of the choice at a place.
    pub(crate) fn choice(place: usize) -> Port {
        Port(u16::try_from(FIXED.len().saturating_add(place)).unwrap_or(u16::MAX))
    }
}

impl AskDef {
    /// A question to be answered in words.
    #[must_use]
    pub fn text(text: impl Into<TextDef>) -> Self {
        Self { message: MessageDef::text(text), ..Self::default() }
    }

    fn question(&self) -> question::QuestionFields<'_> {
        question::QuestionFields {
            timeout: self.timeout.as_ref(),
            on_timeout: self.on_timeout,
            any_channel: self.any_channel,
            keywords: self.keywords,
            debounce: self.debounce.as_ref(),
            replied: Ask::VALID,
            timed_out: Ask::TIMEOUT,
        }
    }

    /// The choices as they are listed below a plain text.
    fn options(&self) -> Vec<OptionDef> {
        let choices = self.answer.choices.iter().flatten();
        choices.map(ChoiceDef::as_option).collect()
    }

    /// The choices that the message does not show, if they have to be made.
    fn unseen(&self, expect: Option<&Expect>, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Box<Offers>> {
        let is_live = expect.and_then(Expect::choices).is_some_and(|choices| choices.live.is_some());
        if !is_live || self.message.is_plain() {
            return None;
        }
        // Nobody sees their labels.
        let (fit, most) = (ChannelCapacity::of(None), Capacity::UNSEEN);
        let options = compile_options(&self.options(), &at.key("choices"), most, &fit, cx);
        options.map(Box::new)
    }

    /// The number of choices that have a branch.
    fn branches(&self) -> usize {
        if self.answer.several.is_some() { 0 } else { self.answer.written().count() }
    }

    fn has_data(&self) -> bool {
        self.answer.has_data() || self.message.has_data()
    }

    /// A picture alone shows nothing to choose from.
    fn check_shown(&self, at: &Path<'_>, found: &mut Diagnostics) {
        let count = self.answer.choices.as_ref().map_or(0, |choices| choices.len());
        let mut labels = self.answer.written().filter_map(|choice| choice.label.texts().next());
        if count > 0 && self.message.hides(&mut labels) {
            let message = "are not shown: the message is no text and has no buttons";
            let fix = "send a picture, a film or a document as `header` of `buttons`, or as a message before";
            found.add(IssueCode::ChoicesUnseen, &at.key("choices"), message, fix);
        }
    }

    fn question_message(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<CompiledMessage> {
        if self.message.options.is_some() {
            let message = "has no meaning for a question that is checked";
            let fix = "name what there is to choose from in `choices`";
            cx.found.add(IssueCode::BadValue, &at.key("options"), message, fix);
            return None;
        }
        // A form and an order answer no question that is checked. One article may be asked about.
        let orders = self.message.products.as_ref().is_some_and(|products| products.id.is_none());
        let beyond = [
            ("form", self.message.opens_form(), "answers at a `wait_reply` that accepts `form`"),
            ("products", orders, "order at a `wait_reply` that accepts `order`"),
        ];
        if let Some((field, _, answer)) = beyond.into_iter().find(|(_, is_given, _)| *is_given) {
            let field = if self.message.template.is_some() { "template" } else { field };
            let message = "has no meaning for a question that is checked";
            let fix = format!("send it, and take its {answer}");
            cx.found.add(IssueCode::BadValue, &at.key(field), message, fix);
            return None;
        }
        let channel = cx.channel.clone();
        let options = if self.message.is_plain() { self.options() } else { Vec::new() };
        self.message.compile_offering(&options, &at.key("choices"), at, channel.as_ref(), cx)
    }

    /// True if the question's text shows the place of each choice in the list.
    fn shows_places(&self) -> bool {
        let count = self.answer.choices.as_ref().map_or(0, |choices| choices.len());
        count > 0 && self.message.text.iter().flat_map(TextDef::texts).any(|text| shows_places(text, count))
    }

    /// A button that is no choice would be an answer that is never valid.
    fn check_offers(&self, at: &Path<'_>, found: &mut Diagnostics) {
        let Some(choices) = self.answer.choices.as_ref().filter(|_| !self.answer.has_data()) else { return };
        for (field, id) in self.message.offers() {
            if !choices.iter().any(|choice| choice.id == id) {
                let message = format!("offers {:?}, which is not one of the `choices`", brief(id));
                let fix = "name it in `choices` too, with the same id";
                found.add(IssueCode::BadValue, &at.key(field), message, fix);
            }
        }
    }

    fn retries(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> u32 {
        const USUAL: u32 = 2;
        const MOST: u32 = 10;
        let retries = self.retries.unwrap_or(USUAL);
        if retries > MOST {
            let message = format!("is {retries}, at most {MOST} are allowed");
            cx.found.add(IssueCode::BadValue, &at.key("retries"), message, "ask again less often");
        }
        retries
    }
}

/// Returns the message for an answer that is none, with the choices below the question.
fn error_message(
    text: &TextDef,
    question: Option<&CompiledMessage>,
    at: &Path<'_>,
    cx: &mut Compile<'_>,
) -> Option<CompiledMessage> {
    let (fit, place) = (ChannelCapacity::of(cx.channel.as_ref()), at.key("error_text"));
    let text = text.template(&place, cx)?;
    let options = match question {
        Some(CompiledMessage::Text { options, .. }) => options.clone(),
        _ => Offers::default(),
    };
    let capacity = fit.capacity;
    let most = if options.is_empty() { capacity.text } else { capacity.text_with_options };
    fit.message_text(&place, &text, most, "shorten it", cx);
    Some(CompiledMessage::Text { text, options })
}

impl NodeContract for AskDef {
    type Compiled = Ask;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            message: MessageDef::read(fields),
            answer: Box::new(AnswerDef::read(fields)),
            retries: fields.optional("retries"),
            error_text: fields.optional("error_text"),
            save_to: fields.optional("save_to"),
            timeout: fields.optional("timeout"),
            on_timeout: fields.optional("on_timeout"),
            any_channel: fields.optional("any_channel"),
            keywords: fields.optional("keywords"),
            debounce: fields.optional("debounce"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        let choices = self.answer.written().take(self.branches()).map(|choice| choice.id.clone().into());
        let empty = self.has_data().then(|| PortName::from(EMPTY));
        FIXED.into_iter().map(PortName::from).chain(choices).chain(empty).collect()
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Ask> {
        let expect = self.answer.compile((self.message.is_plain(), self.shows_places()), at, cx);
        let message = self.question_message(at, cx);
        let channel = cx.channel.clone();
        let subject = self.message.compile_subject(at, channel.as_ref(), cx);
        let unseen = self.unseen(expect.as_ref(), at, cx);
        self.check_offers(at, cx.found);
        self.check_shown(at, cx.found);
        let again = self.error_text.as_ref().map(|text| error_message(text, message.as_ref(), at, cx));
        let save_to = self.save_to.as_deref().map(|name| cx.variable(&at.key("save_to"), name));
        let retries = self.retries(at, cx);
        let question = self.question().compile(Accept::of(Some(Accept::CHECKED)), at, cx);
        Some(Ask {
            question,
            message: message?,
            subject,
            expect: expect?,
            retries,
            again: again.flatten().map(Box::new),
            save_to: save_to.flatten(),
            unseen,
            empty: self.at_once(),
        })
    }

    fn blocking(&self) -> Blocking<'_> {
        self.question().blocking()
    }

    fn at_once(&self) -> Option<Port> {
        self.has_data().then(|| Ask::choice(self.branches()))
    }

    fn sends(&self) -> bool {
        true
    }

    fn needs_items(&self) -> bool {
        let of_data = self.answer.choices.iter().flatten().filter_map(|choice| choice.from.as_deref());
        let has_some = self.answer.written().next().is_some() || of_data.into_iter().any(is_written_list);
        self.message.needs_items() || (self.answer.has_data() && !has_some)
    }

    fn sends_free_text(&self) -> bool {
        !self.message.is_template()
    }

    fn longest(&self, _port: Port) -> Option<TimeDelta> {
        self.timeout.as_ref()?.longest()
    }

    fn texts_mut(&mut self) -> Vec<PlacedText<'_>> {
        let mut texts = self.message.texts_mut();
        texts.extend(self.error_text.iter_mut().map(|text| ("error_text".to_owned(), text)));
        for (place, choice) in self.answer.choices.iter_mut().flatten().enumerate() {
            let (at, is_data) = (format!("choices[{place}]"), choice.from.is_some());
            let own = [("label", Some(&mut choice.label)), ("description", choice.description.as_mut())];
            texts.extend(parts(&at, is_data, own));
        }
        texts
    }

    fn writes(&self) -> Vec<&str> {
        self.save_to.as_deref().into_iter().collect()
    }
}
