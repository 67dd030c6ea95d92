//! A reminder: a few messages some time before a session expires at a question (SEMANTICS S6).

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::Value;

use crate::NodeId;
use crate::flow::NodeIx;
use crate::flow::compile::Compile;
use crate::flow::def::FlowDef;
use crate::flow::graph::Graph;
use crate::flow::issue::{Diagnostics, IssueCode};
use crate::flow::node::{NodeKind, Port};
use crate::flow::path::Path;
use crate::flow::read::{Fields, Read};
use crate::flow::span::Span;

/// A reminder, as it is written: `{"before": "5m", "node": "remind"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReminderDef {
    /// How long before the session expires.
    pub before: Span,
    /// The first node of its branch.
    pub node: String,
}

/// A compiled reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reminder {
    pub(crate) before: TimeDelta,
    pub(crate) node: NodeIx,
}

impl ReminderDef {
    /// `ttl`: how long a session lives without an interaction.
    pub(crate) fn compile(&self, ttl: TimeDelta, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Reminder> {
        let before = self.before.as_delta();
        if before >= ttl {
            let message =
                format!("{} is not shorter than a session lives without an interaction", self.before);
            let fix = "remind later, or raise `session_ttl_minutes`";
            cx.found.add(IssueCode::BadValue, &at.key("before"), message, fix);
        }
        Some(Reminder { before, node: cx.side_entry(&at.key("node"), "leads", &self.node)? })
    }
}

impl Read for ReminderDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(value, at, found)?;
        let (before, node) = (fields.required("before"), fields.required("node"));
        fields.close();
        Some(Self { before: before?, node: node? })
    }
}

/// A reminder runs beside a wait: it sends, sets and branches, and neither waits nor leads into the
/// talk itself.
pub(crate) fn check(
    def: &FlowDef,
    graph: &Graph,
    first: NodeIx,
    talk: &BTreeSet<NodeIx>,
    found: &mut Diagnostics,
) {
    for at in graph.reached(first) {
        let Some(node) = def.nodes.get(at.as_usize()) else { continue };
        let why = match &node.kind {
            NodeKind::End(_) => continue,
            NodeKind::SendMessage(_) | NodeKind::SetVariables(_) | NodeKind::Branch(_)
                if talk.contains(&at) =>
            {
                "stands in the reminder's branch and in the talk".to_owned()
            }
            NodeKind::SendMessage(_) if graph.has_other_exit(at, Port::NEXT) => {
                "has more ways than one, which a reminder does not wait for".to_owned()
            }
            NodeKind::SendMessage(_) | NodeKind::SetVariables(_) | NodeKind::Branch(_) => continue,
            other => format!("is of kind `{}`, which a reminder cannot have", other.as_str()),
        };
        found.node = NodeId::new(&node.id).ok();
        let fix = "let the reminder's branch send, set variables and branch, and share no node but an end";
        found.add(IssueCode::ReminderPath, &Path::Root.key("nodes").item(at.as_usize()), why, fix);
        found.node = None;
    }
}
