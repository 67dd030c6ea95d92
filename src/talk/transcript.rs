//! A rehearsal or a journalled session, line by line.

use std::fmt;

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::act::Act;
use super::line::Line;
use crate::id::NodeId;
use crate::kernel::Input;
use crate::session::{Message, MessageKind};
use crate::store::JournalEntry;
use crate::value::Packed;

/// A rehearsal or a journalled session, as people would read it. Prints a line for each [`Line`];
/// `. ` continues the line above.
#[derive(Clone, Debug, Default)]
pub struct Transcript(pub(crate) Vec<Line>);

impl Transcript {
    /// A session as its journal has it: its entries in order, as
    /// [`Engine::journal`](crate::Engine::journal) answers them. What was sent is in it if the flow
    /// logs [texts](crate::ops::Logging::Texts); else the nodes that each turn came to take its
    /// place ([SEMANTICS Q4](crate::semantics#q4)).
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
            if let Some(new) = &entry.new {
                let context = Some(new.context.to_json()).filter(|_| !new.context.is_empty());
                lines.extend(context.map(|context| Line::Acted(Act::Context(context))));
                lines.extend(new.opening.as_ref().map(said));
            }
            lines.extend(reached(&entry.input));
            let nodes: Vec<NodeId> =
                entry.steps.iter().filter(|step| step.entered).map(|step| step.node.clone()).collect();
            if entry.sent.is_empty() && !nodes.is_empty() {
                lines.push(Line::Visited(nodes));
            }
            lines.extend(entry.sent.iter().map(|message| Line::Sent(Box::new((**message).clone()))));
        }
        lines.extend(journal.last().map(|last| Line::State {
            status: last.status,
            node: last.node.clone(),
            called: None,
            outcome: None,
            failure: last.failure.clone().map(Box::new),
        }));
        Self(lines)
    }

    /// Returns its lines, the oldest first.
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

/// Returns the line of a contact's message.
fn said(message: &Message) -> Line {
    let details = message.details.as_ref();
    let value = match message.kind {
        MessageKind::Media => message.media.as_ref(),
        MessageKind::Location => message.location.as_ref(),
        _ => details.and_then(|details| details.body.as_ref()),
    };
    let json = |value: &Packed| value.to_json();
    let meta = details.and_then(|details| details.meta.as_ref());
    sent(message.kind, &message.text, value.map(json), meta.map(json))
}

/// Returns the line of a message of a kind, with its text, its value and the host's words on it.
pub(crate) fn sent(kind: MessageKind, text: &str, value: Option<Value>, meta: Option<Value>) -> Line {
    let (name, text) = (kind.as_str().to_owned(), text.to_owned());
    let mut object = match kind {
        MessageKind::Choice => return Line::Chose(text),
        MessageKind::Text if meta.is_none() => return Line::Said(text),
        MessageKind::Text => Map::from_iter([(name, Value::from(text))]),
        _ => {
            let caption =
                Some(("caption".to_owned(), Value::from(text.as_str()))).filter(|_| !text.is_empty());
            Map::from_iter([(name, value.unwrap_or_default())].into_iter().chain(caption))
        }
    };
    object.extend(meta.map(|meta| ("meta".to_owned(), meta)));
    Line::Acted(Act::Send(Value::Object(object)))
}

/// Returns the line of an input that reached a session.
fn reached(input: &Input) -> Option<Line> {
    Some(match input {
        Input::Start => return None,
        Input::Reply { message, .. } | Input::Queue { message, .. } => said(message),
        Input::Result { result, .. } => Line::Answered(result.clone()),
        Input::Resume { vars } => Line::HandedBack(vars.to_json()),
        other => Line::Reached(other.reason()),
    })
}
