//! `wait_reply`: the session waits until the contact writes, or a time has passed (SEMANTICS
//! N3).

use std::sync::Arc;

use chrono::TimeDelta;
use serde::Serialize;

use crate::flow::answer::ReplyKind;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::node::question::{self, Accept, KeywordMode, OnTimeout, Question};
use crate::flow::node::timeout::TimeoutDef;
use crate::flow::node::{Blocking, NodeContract, Port, PortName};

/// A wait for a reply. Branches: `replied`, which an edge without a branch takes, and `timeout`.
///
/// Without `timeout` the session waits for as long as its TTL. Without an edge for `timeout` the
/// session expires then.
///
/// With `debounce` it listens on for that long after a text: what people write in pieces is one
/// reply.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "wait", "kind": "wait_reply", "debounce": "5s",
///     "timeout": "30m", "save_to": "answer", "accept": ["text", "choice"]
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WaitReplyDef {
    /// The time that it waits, `30m`, or the time until which it waits,
    /// `{"until": "next 09:00 mon-fri"}`; the session's TTL if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<TimeoutDef>,
    /// The variable that takes the reply's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_to: Option<String>,
    /// The kinds of replies it takes; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept: Option<Vec<ReplyKind>>,
    /// The behaviour when the time has passed; `branch` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_timeout: Option<OnTimeout>,
    /// True if a reply on another channel or account counts; it does not if absent
    /// ([SEMANTICS I3](crate::semantics#i3)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_channel: Option<bool>,
    /// The effect of keywords on it: they interrupt it if absent. Words of opting out always do
    /// ([SEMANTICS I6](crate::semantics#i6)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keywords: Option<KeywordMode>,
    /// The time that it listens on after a text, 1-60 seconds; it does not if absent
    /// ([SEMANTICS I10](crate::semantics#i10)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debounce: Option<Span>,
}

/// A compiled wait.
#[derive(Clone, Debug)]
pub(crate) struct WaitReply {
    pub(crate) question: Question,
    pub(crate) save_to: Option<Arc<str>>,
}

impl WaitReply {
    pub(crate) const REPLIED: Port = Port(0);
    pub(crate) const TIMEOUT: Port = Port(1);
}

impl WaitReplyDef {
    fn question(&self) -> question::QuestionFields<'_> {
        question::QuestionFields {
            timeout: self.timeout.as_ref(),
            on_timeout: self.on_timeout,
            any_channel: self.any_channel,
            keywords: self.keywords,
            debounce: self.debounce.as_ref(),
            replied: WaitReply::REPLIED,
            timed_out: WaitReply::TIMEOUT,
        }
    }
}

impl NodeContract for WaitReplyDef {
    type Compiled = WaitReply;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            timeout: fields.optional("timeout"),
            save_to: fields.optional("save_to"),
            accept: fields.optional("accept"),
            on_timeout: fields.optional("on_timeout"),
            any_channel: fields.optional("any_channel"),
            keywords: fields.optional("keywords"),
            debounce: fields.optional("debounce"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["replied".into(), "timeout".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<WaitReply> {
        let save_to = self.save_to.as_deref().map(|name| cx.variable(&at.key("save_to"), name));
        if self.accept.as_ref().is_some_and(Vec::is_empty) {
            cx.found.add(
                IssueCode::BadValue,
                &at.key("accept"),
                "accepts nothing",
                "name a kind, or leave it out",
            );
        }
        let question = self.question().compile(Accept::of(self.accept.as_deref()), at, cx);
        Some(WaitReply { question, save_to: save_to.flatten() })
    }

    fn blocking(&self) -> Blocking<'_> {
        self.question().blocking()
    }

    fn longest(&self, _port: Port) -> Option<TimeDelta> {
        self.timeout.as_ref()?.longest()
    }

    fn writes(&self) -> Vec<&str> {
        self.save_to.as_deref().into_iter().collect()
    }
}
