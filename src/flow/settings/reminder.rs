//! A reminder: a few messages some time before a session expires at a question (SEMANTICS S6).

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::Value;

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::place::NodeIx;

/// A reminder, as it is written: `{"before": "5m", "node": "remind"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReminderDef {
    /// The time before the session expires.
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
        Some(Reminder { before, node: cx.side_entry(&at.key("node"), "points", &self.node)? })
    }
}

impl Read for ReminderDef {
    const EXAMPLE: &'static str = r#"{"before": "10m", "node": "remind"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (before, node) = (fields.required("before"), fields.required("node"));
        fields.close();
        Some(Self { before: before?, node: node? })
    }
}
