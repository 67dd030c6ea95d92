//! The events of a talk, line by line.

use std::fmt;

use chrono::TimeDelta;
use serde_json::Value;

use super::act::Act;
use super::expected;
use super::read::{Talk, TalkLine, TalkPart};
use super::shown::shown;
use super::text::{heard, marked};
use crate::calls::{Call, CallResult};
use crate::id::{FlowId, NodeId};
use crate::session::{Failure, Outbound, Status};

/// One thing that happened. It prints as a line of a talk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Line {
    /// The contact said something: `> hello`.
    Said(String),
    /// The contact chose an option: `> [Yes]`.
    Chose(String),
    /// The flow said something: `< Hi, shall we? [Yes] [No]`.
    Sent(Box<Outbound>),
    /// Time passed: `@ +31m`.
    Passed(TimeDelta),
    /// The flow asked the host: `~ order_status {"order":"A-1"}`.
    Called(Box<Call>),
    /// The host answered: `! now {"status":"packed"}`.
    Answered(CallResult),
    /// A person gave the contact back, with what they found out: `! back {"solved":true}`.
    HandedBack(Value),
    /// Something else was done, as its own line says: `! context {"name":"Ada"}`.
    Acted(Act),
    /// The present state of the session: `= waiting at answer`.
    State {
        /// The state of its life.
        status: Status,
        /// Where.
        node: NodeId,
        /// The called flow that the node is of; None: the session's own.
        called: Option<FlowId>,
        /// The word that it ended with.
        outcome: Option<Box<str>>,
        /// The reason it failed.
        failure: Option<Box<Failure>>,
    },
    /// Outcome of a trigger or a message that no session took: `* unmatched`.
    NotTaken(String),
    /// An input that reached a session beside messages, in a journal: `# timed out`.
    Reached(String),
    /// The nodes that a turn came to, in a journal without the texts that it sent: `# ask, wait`.
    Visited(Vec<NodeId>),
    /// A hint for the author: `? node "hi": reads "nam", which has no value`.
    Noticed(String),
}

impl Line {
    /// Returns the mark that it begins with.
    #[must_use]
    pub fn mark(&self) -> char {
        match self {
            Self::Said(_) | Self::Chose(_) => '>',
            Self::Acted(act) => act.to_string().chars().next().unwrap_or('!'),
            Self::Sent(_) => '<',
            Self::Passed(_) => '@',
            Self::Called(_) => '~',
            Self::Answered(_) | Self::HandedBack(_) => '!',
            Self::State { .. } => '=',
            Self::NotTaken(_) => '*',
            Self::Reached(_) | Self::Visited(_) => '#',
            Self::Noticed(_) => '?',
        }
    }

    /// Returns true if an expected line of a talk matches this one: `< Hi …`, `= waiting at
    /// menu`.
    #[must_use]
    pub fn fits(&self, expected: &str) -> bool {
        let expected = Talk::parse(expected);
        let parts = expected.iter().flat_map(Talk::lines).map(TalkLine::part).collect::<Vec<_>>();
        match (&parts[..], self.heard()) {
            ([TalkPart::Heard { mark, text }], Some(heard)) => {
                *mark == self.mark() && expected::fits(*mark, text, &heard)
            }
            _ => false,
        }
    }

    /// The text after the mark of a line that tells the result of an act; None for an act.
    pub(crate) fn heard(&self) -> Option<String> {
        Some(match self {
            Self::Sent(message) => shown(message),
            Self::Called(call) => call.to_string(),
            Self::State { status, node, called, outcome, failure } => {
                let mut text = format!("{status} at {node}");
                text.extend(called.iter().map(|flow| format!(" of {flow}")));
                let why = failure.iter().map(|why| format!(": {}: {}", why.code.as_str(), why.message));
                text.extend(why);
                text.extend(outcome.iter().map(|outcome| format!(", {outcome}")));
                text
            }
            Self::NotTaken(what) | Self::Noticed(what) => what.clone(),
            _ => return None,
        })
    }

    /// The act that it is, if it is one.
    pub(crate) fn act(&self) -> Option<Act> {
        Some(match self {
            Self::Said(text) => Act::Say(text.clone()),
            Self::Chose(label) => Act::Choose(label.clone()),
            Self::Passed(time) => Act::Pass(*time),
            Self::Answered(result) => answer(result),
            Self::HandedBack(vars) => Act::Back(vars.clone()),
            Self::Acted(act) => act.clone(),
            _ => return None,
        })
    }
}

/// The act by which a host answers so.
pub(super) fn answer(result: &CallResult) -> Act {
    match result {
        CallResult::Value { value, branch: None } => Act::Now(value.clone()),
        CallResult::Value { value, branch: Some(branch) } => {
            Act::Branch { branch: branch.clone(), value: value.clone() }
        }
        CallResult::Failed { reason } => Act::Failed(reason.clone()),
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(act) = self.act() {
            return write!(f, "{act}");
        }
        match (self, self.heard()) {
            (Self::Sent(_), Some(text)) => marked(f, '<', &heard(&text)),
            (_, Some(text)) => marked(f, self.mark(), &text),
            (Self::Visited(nodes), None) => {
                let nodes: Vec<&str> = nodes.iter().map(NodeId::as_str).collect();
                write!(f, "# {}", nodes.join(", "))
            }
            (Self::Reached(what), None) => write!(f, "# {}", what.lines().collect::<Vec<_>>().join(" ")),
            (_, None) => Ok(()),
        }
    }
}
