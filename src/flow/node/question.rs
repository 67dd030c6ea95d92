//! The question that a session waits at: the part that every node shares at which the contact has
//! the word (SEMANTICS I3, I10, N3). What must not live here: what becomes of the reply, which is
//! the kind's.

use chrono::TimeDelta;

use crate::flow::answer::ReplyKind;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::words;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::node::timeout::{Timeout, TimeoutDef};
use crate::flow::node::{Blocking, Port};

words! {
    /// The behaviour when no reply came in time.
    OnTimeout {
        /// The session leaves by `timeout`, or expires if no edge is there.
        Branch = "branch",
        /// The session leaves by `replied` or `valid`, with `reply.timed_out` true.
        Continue = "continue",
    }
}

words! {
    /// The effect of keywords on a question; those that opt out always interrupt it
    /// ([SEMANTICS I6](crate::semantics#i6)).
    KeywordMode {
        /// They do.
        On = "on",
        /// Any text is the answer.
        Off = "off",
    }
}

/// The kinds of replies that a question takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accept(u8);

impl Accept {
    /// The kinds of reply that a question takes if it names none: what people mean as an answer.
    const ALL: &[ReplyKind] = &[
        ReplyKind::Text,
        ReplyKind::Choice,
        ReplyKind::Media,
        ReplyKind::Location,
        ReplyKind::Form,
        ReplyKind::Order,
        ReplyKind::Contacts,
    ];
    /// The kinds of reply that a checked question takes.
    pub(crate) const CHECKED: &[ReplyKind] =
        &[ReplyKind::Text, ReplyKind::Choice, ReplyKind::Media, ReplyKind::Location];

    pub(crate) fn of(kinds: Option<&[ReplyKind]>) -> Self {
        Self(kinds.unwrap_or(Self::ALL).iter().fold(0, |set, kind| set | 1 << *kind as u8))
    }

    pub(crate) fn accepts(self, kind: ReplyKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

/// A compiled question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) accept: Accept,
    pub(crate) any_channel: bool,
    pub(crate) keywords_off: bool,
    /// True if it takes what the flow offers by buttons, lists or forms (SEMANTICS I9).
    pub(crate) takes_offers: bool,
    pub(crate) timeout: Option<Timeout>,
    pub(crate) on_timeout: OnTimeout,
    /// The time that it listens on after a text (SEMANTICS I10).
    pub(crate) debounce: Option<TimeDelta>,
    /// Where a reply leads; where time leads that has passed.
    pub(crate) replied: Port,
    pub(crate) timed_out: Port,
}

/// The fields of a question, as a node's definition has them.
pub(crate) struct QuestionFields<'d> {
    pub(crate) timeout: Option<&'d TimeoutDef>,
    pub(crate) on_timeout: Option<OnTimeout>,
    pub(crate) any_channel: Option<bool>,
    pub(crate) keywords: Option<KeywordMode>,
    pub(crate) debounce: Option<&'d Span>,
    pub(crate) replied: Port,
    pub(crate) timed_out: Port,
}

impl QuestionFields<'_> {
    pub(crate) fn compile(&self, accept: Accept, at: &Path<'_>, cx: &mut Compile<'_>) -> Question {
        let timeout = self.timeout.and_then(|timeout| timeout.compile(&at.key("timeout"), cx));
        let on_timeout = self.on_timeout.unwrap_or(OnTimeout::Branch);
        if on_timeout == OnTimeout::Continue && self.timeout.is_none() {
            let fix = "add `timeout`, or remove `on_timeout`";
            cx.found.add(
                IssueCode::TimeoutBranch,
                &at.key("on_timeout"),
                "has no meaning without a timeout",
                fix,
            );
        }
        if cx.is_contactless {
            let message = "waits for a reply, but the flow runs without a contact";
            let fix = "remove the wait, or let the start node need a contact";
            cx.found.add(IssueCode::WaitWithoutContact, at, message, fix);
        }
        let takes_choice = [ReplyKind::Choice, ReplyKind::Form].into_iter().any(|kind| accept.accepts(kind));
        Question {
            accept,
            takes_offers: cx.has_offers && takes_choice,
            any_channel: self.any_channel == Some(true),
            keywords_off: self.keywords == Some(KeywordMode::Off),
            timeout,
            on_timeout,
            debounce: self.debounce.map(|span| debounce(span, &at.key("debounce"), cx)),
            replied: self.replied,
            timed_out: self.timed_out,
        }
    }

    pub(crate) fn blocking(&self) -> Blocking<'static> {
        let timer = match self.on_timeout {
            _ if self.timeout.is_none() => None,
            Some(OnTimeout::Continue) => Some(self.replied),
            _ => Some(self.timed_out),
        };
        Blocking::Reply { timer }
    }
}

fn debounce(span: &Span, at: &Path<'_>, cx: &mut Compile<'_>) -> TimeDelta {
    const MOST: TimeDelta = TimeDelta::seconds(60);
    if span.as_delta() > MOST {
        let message = format!("{span} is longer than 60 seconds");
        cx.found.add(IssueCode::BadSpan, at, message, "give 1-60 seconds, such as 5s");
    }
    span.as_delta().min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_takes_what_it_names_and_everything_if_it_names_nothing() {
        let choice = Accept::of(Some(&[ReplyKind::Choice]));
        assert!(choice.accepts(ReplyKind::Choice) && !choice.accepts(ReplyKind::Text));
        let unnamed = ReplyKind::WORDS.iter().filter(|(_, kind)| !Accept::of(None).accepts(*kind));
        assert_eq!(unnamed.map(|(word, _)| *word).collect::<Vec<_>>(), ["other"]);
    }
}
