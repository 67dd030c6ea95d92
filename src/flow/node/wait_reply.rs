//! `wait_reply`: the session stands still until the contact writes, or a time has passed (SEMANTICS N3).

use std::sync::Arc;

use chrono::TimeDelta;
use serde::Serialize;

use crate::flow::compile::Compile;
use crate::flow::issue::IssueCode;
use crate::flow::node::{Kind, Pace, Port, PortName};
use crate::flow::path::Path;
use crate::flow::read::{Fields, words};
use crate::flow::span::Span;

/// A wait for a reply. Branches: `replied`, which an edge without a branch takes, and `timeout`.
///
/// Without `timeout` the session waits for as long as its TTL. Without an edge for `timeout` the session expires then.
///
/// ```
/// chatflow::NodeDef::from_json(r#"{
///     "id": "wait", "kind": "wait_reply",
///     "timeout": "30m", "save_to": "answer", "accept": ["text", "choice"]
/// }"#)?;
/// # Ok::<(), chatflow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WaitReplyDef {
    /// How long; the session's TTL if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// The variable that takes the reply's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_to: Option<String>,
    /// The kinds of replies it takes; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept: Option<Vec<ReplyKind>>,
    /// What happens when the time has passed; `branch` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_timeout: Option<OnTimeout>,
    /// Whether a reply on another channel or account counts; it does not if absent (SEMANTICS I3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_channel: Option<bool>,
    /// Whether keywords interrupt it; they do if absent. Words of opting out always do (SEMANTICS I6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keywords: Option<KeywordMode>,
}

words! {
    /// Whether keywords interrupt a question.
    KeywordMode {
        /// They do.
        On = "on",
        /// What they say is the answer.
        Off = "off",
    }
}

words! {
    /// A kind of reply.
    ReplyKind {
        /// Text.
        Text = "text",
        /// One of the choices that were offered.
        Choice = "choice",
        /// A picture, a recording, a film, a document.
        Media = "media",
        /// A place.
        Location = "location",
    }
}

words! {
    /// What happens when no reply came in time.
    OnTimeout {
        /// The session leaves by `timeout`, or expires if no edge is there.
        Branch = "branch",
        /// The session goes on by `replied`, with `reply.timed_out` true.
        Continue = "continue",
    }
}

/// The kinds of replies that a wait takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accept(u8);

impl Accept {
    fn of(kinds: Option<&[ReplyKind]>) -> Self {
        kinds.map_or(Self(u8::MAX), |kinds| Self(kinds.iter().fold(0, |set, kind| set | 1 << *kind as u8)))
    }

    pub(crate) fn accepts(self, kind: ReplyKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

/// A compiled wait.
#[derive(Clone, Debug)]
pub(crate) struct WaitReply {
    pub(crate) timeout: Option<TimeDelta>,
    pub(crate) save_to: Option<Arc<str>>,
    pub(crate) accept: Accept,
    pub(crate) on_timeout: OnTimeout,
    pub(crate) any_channel: bool,
    pub(crate) keywords_off: bool,
}

impl WaitReply {
    pub(crate) const REPLIED: Port = Port(0);
    pub(crate) const TIMEOUT: Port = Port(1);
}

impl Kind for WaitReplyDef {
    type Compiled = WaitReply;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            timeout: fields.optional("timeout"),
            save_to: fields.optional("save_to"),
            accept: fields.optional("accept"),
            on_timeout: fields.optional("on_timeout"),
            any_channel: fields.optional("any_channel"),
            keywords: fields.optional("keywords"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["replied".into(), "timeout".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<WaitReply> {
        let timeout = self.timeout.as_ref().map(|span| cx.wait(&at.key("timeout"), span));
        let save_to = self.save_to.as_deref().map(|name| cx.variable(&at.key("save_to"), name));
        let on_timeout = self.on_timeout.unwrap_or(OnTimeout::Branch);
        if self.accept.as_ref().is_some_and(Vec::is_empty) {
            cx.found.add(
                IssueCode::BadValue,
                &at.key("accept"),
                "accepts nothing",
                "name a kind, or leave it out",
            );
        }
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
        Some(WaitReply {
            timeout,
            save_to: save_to.flatten(),
            accept: Accept::of(self.accept.as_deref()),
            on_timeout,
            any_channel: self.any_channel == Some(true),
            keywords_off: self.keywords == Some(KeywordMode::Off),
        })
    }

    fn pace(&self) -> Pace<'_> {
        let timer = match self.on_timeout {
            _ if self.timeout.is_none() => None,
            Some(OnTimeout::Continue) => Some(WaitReply::REPLIED),
            _ => Some(WaitReply::TIMEOUT),
        };
        Pace::Reply { timer }
    }

    fn writes(&self) -> Vec<&str> {
        self.save_to.as_deref().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_takes_what_it_names_and_everything_if_it_names_nothing() {
        let choice = Accept::of(Some(&[ReplyKind::Choice]));
        assert!(choice.accepts(ReplyKind::Choice) && !choice.accepts(ReplyKind::Text));
        assert!(ReplyKind::WORDS.iter().all(|(_, kind)| Accept::of(None).accepts(*kind)));
    }
}
