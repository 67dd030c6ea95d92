//! A branch that runs beside a waiting session can do less than the talk: that of a reminder, of
//! a word that says something, of what is said last (SEMANTICS S6, I6, S21).

use std::collections::BTreeSet;

use crate::flow::check::graph::Graph;
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::node::ReminderStep;
use crate::flow::place::{NodeIx, Port};
use crate::id::NodeId;

/// A branch that runs beside the place where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SideBranch {
    /// A reminder.
    Reminder,
    /// The words of a keyword.
    Word,
    /// The last words.
    End,
}

impl SideBranch {
    /// Its kind, and whose branch it has.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Reminder => ("a reminder", "the reminder's branch"),
            Self::Word => ("a keyword that says something", "the branch of a keyword"),
            Self::End => ("what is said last", "the branch of what is said last"),
        }
    }
}

/// A reminder runs beside a wait: it sends, sets and branches, and neither waits nor leads into the
/// talk itself.
pub(crate) fn check(
    def: &FlowDef,
    graph: &Graph,
    (first, kind): (NodeIx, SideBranch),
    talk: &BTreeSet<NodeIx>,
    found: &mut Diagnostics,
) {
    let (who, whose) = kind.words();
    for at in graph.reached(first) {
        let Some(node) = def.nodes.get(at.as_usize()) else { continue };
        let why = match node.kind.aside() {
            ReminderStep::Never => format!("is of kind `{}`, which {who} cannot have", node.kind.as_str()),
            ReminderStep::Runs | ReminderStep::RunsOn if talk.contains(&at) => {
                format!("is in {whose} and in the talk")
            }
            ReminderStep::RunsOn if graph.has_other_exit(at, Port::NEXT) => {
                format!("has more ways than one, which {who} does not wait for")
            }
            ReminderStep::Ends | ReminderStep::Runs | ReminderStep::RunsOn => continue,
        };
        found.node = NodeId::new(&node.id).ok();
        let fix = format!("let {whose} send, set variables and branch, and share no node but an end");
        found.add(IssueCode::ReminderPath, &Path::Root.key("nodes").item(at.as_usize()), why, fix);
        found.node = None;
    }
}
