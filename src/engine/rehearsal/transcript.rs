//! What was said and done in a rehearsal, line by line.

use std::fmt;

use chrono::TimeDelta;
use serde_json::Value;

use crate::calls::{Call, CallResult};
use crate::id::NodeId;
use crate::session::{Failure, Outbound, Status};

/// A rehearsal, as people would read it. Prints a line for each [`Line`]; `. ` goes on with the line above.
#[derive(Clone, Debug, Default)]
pub struct Transcript(pub(super) Vec<Line>);

/// One thing that happened in a rehearsal.
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
    /// How the session stands now: `= waiting at answer`.
    Stands {
        /// Whether it lives, and how.
        status: Status,
        /// Where.
        node: NodeId,
        /// The word that it ended with.
        outcome: Option<Box<str>>,
        /// Why it failed.
        failure: Option<Box<Failure>>,
    },
    /// What became of a trigger or a message that no session took: `* unmatched`.
    Untaken(String),
    /// What an author should look at: `? node "hi": reads "nam", which has no value`.
    Noticed(String),
}

impl Transcript {
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
            Self::Noticed(what) => marked(f, '?', what),
        }
    }
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
