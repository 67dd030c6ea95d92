//! A rehearsal or a journalled session, line by line: the texts, and what was done.

use std::fmt;

use chrono::TimeDelta;
use serde_json::Value;

use crate::calls::{Call, CallResult};
use crate::id::NodeId;
use crate::kernel::Input;
use crate::session::{Failure, Message, MessageKind, Outbound, Status};
use crate::store::JournalEntry;

/// A rehearsal or a journalled session, as people would read it. Prints a line for each [`Line`];
/// `. ` continues the line above.
#[derive(Clone, Debug, Default)]
pub struct Transcript(pub(super) Vec<Line>);

/// One thing that happened.
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
    /// The flow asked the host: `! order_status {"order":"A-1"}`.
    Called(Box<Call>),
    /// The host answered: `! = {"status":"packed"}`.
    Answered(CallResult),
    /// A person gave the contact back, with what they found out: `! handed back {"solved":true}`.
    HandedBack(Value),
    /// The present state of the session: `= waiting at answer`.
    Stands {
        /// The state of its life.
        status: Status,
        /// Where.
        node: NodeId,
        /// The word that it ended with.
        outcome: Option<Box<str>>,
        /// The reason for which it failed.
        failure: Option<Box<Failure>>,
    },
    /// Outcome of a trigger or a message that no session took, or an input that reached a session
    /// beside messages: `* unmatched`.
    Untaken(String),
    /// The nodes that a turn came to, in a journal without the texts that it sent: `- ask, wait`.
    Went(Vec<NodeId>),
    /// A hint for the author: `? node "hi": reads "nam", which has no value`.
    Noticed(String),
}

impl Transcript {
    /// A session as its journal has it: its entries in order, as
    /// [`Engine::journal`](crate::Engine::journal) answers them. What was sent is in it if the flow
    /// logs [texts](crate::ops::Logging::Texts); else the nodes that each turn came to take its place
    /// (SEMANTICS Q4).
    #[must_use]
    pub fn of(journal: &[JournalEntry]) -> Self {
        let mut lines = Vec::new();
        let mut before = None;
        for entry in journal {
            let passed = before.map_or(TimeDelta::zero(), |before| entry.at - before);
            if passed >= TimeDelta::seconds(1) {
                lines.push(Line::Passed(passed));
            }
            before = Some(entry.at);
            lines.extend(entry.new.as_ref().and_then(|new| new.opening.as_ref()).map(said));
            lines.extend(reached(&entry.input));
            let nodes: Vec<NodeId> =
                entry.steps.iter().filter(|step| step.entered).map(|step| step.node.clone()).collect();
            if entry.sent.is_empty() && !nodes.is_empty() {
                lines.push(Line::Went(nodes));
            }
            lines.extend(entry.sent.iter().map(|message| Line::Sent(Box::new((**message).clone()))));
        }
        lines.extend(journal.last().map(|last| Line::Stands {
            status: last.status,
            node: last.node.clone(),
            outcome: None,
            failure: last.failure.clone().map(Box::new),
        }));
        Self(lines)
    }

    /// Its lines, the oldest first.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.0
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(text) => marked(f, '>', text),
            Self::Chose(label) => marked(f, '>', &format!("[{label}]")),
            Self::Sent(message) => {
                let labels = message.options().iter().map(|option| format!(" [{}]", option.label));
                let links = message.content.links().iter();
                let links = links.map(|link| format!(" [{}]({})", link.label, link.url));
                marked(f, '<', &(message.content.to_string() + &labels.chain(links).collect::<String>()))
            }
            Self::Passed(time) => write!(f, "@ +{}", span(*time)),
            Self::Called(call) => marked(f, '!', &call.to_string()),
            Self::Answered(CallResult::Value { value, branch: None }) => {
                marked(f, '!', &format!("= {value}"))
            }
            Self::Answered(CallResult::Value { value, branch: Some(branch) }) => {
                marked(f, '!', &format!("{branch} = {value}"))
            }
            Self::Answered(CallResult::Failed { reason }) => marked(f, '!', &format!("failed: {reason}")),
            Self::HandedBack(vars) => marked(f, '!', &format!("handed back {vars}")),
            Self::Stands { status, node, outcome, failure } => {
                write!(f, "= {status} at {node}")?;
                if let Some(failure) = failure {
                    write!(f, ": {}: {}", failure.code.as_str(), failure.message)?;
                }
                outcome.iter().try_for_each(|outcome| write!(f, ", {outcome}"))
            }
            Self::Untaken(what) => marked(f, '*', what),
            Self::Went(nodes) => {
                let nodes: Vec<&str> = nodes.iter().map(NodeId::as_str).collect();
                marked(f, '-', &nodes.join(", "))
            }
            Self::Noticed(what) => marked(f, '?', what),
        }
    }
}

/// Returns the line of a contact's message.
fn said(message: &Message) -> Line {
    match message.kind {
        MessageKind::Choice => Line::Chose(message.text.to_string()),
        MessageKind::Text => Line::Said(message.text.to_string()),
        kind => Line::Said(format!("[{kind}] {}", message.text)),
    }
}

/// Returns the line of an input that reached a session.
fn reached(input: &Input) -> Option<Line> {
    Some(match input {
        Input::Start => return None,
        Input::Reply { message, .. } | Input::Queue { message, .. } => said(message),
        Input::Result { result, .. } => Line::Answered(result.clone()),
        Input::Resume { vars } => Line::HandedBack(vars.to_json()),
        other => Line::Untaken(other.reason()),
    })
}

/// A text behind its mark; its further lines behind a full stop.
fn marked(f: &mut fmt::Formatter<'_>, mark: char, text: &str) -> fmt::Result {
    for (place, line) in text.lines().enumerate() {
        let mark = if place == 0 { format!("{mark} {line}") } else { format!("\n. {line}") };
        f.write_str(mark.trim_end_matches(' '))?;
    }
    if text.is_empty() { write!(f, "{mark}") } else { Ok(()) }
}

/// A time as flows write spans; what is shorter than a second is left out.
fn span(time: TimeDelta) -> String {
    let seconds = time.num_seconds().max(0);
    let units =
        [(seconds / 86_400, 'd'), (seconds / 3_600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let text: String = units.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}
