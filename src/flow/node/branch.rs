//! `branch`: the first condition that holds decides, else `else` (SEMANTICS N5).

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::condition::{Condition, ConditionDef};
use crate::flow::lang::context::Compile;
use crate::flow::node::{NodeContract, Port, PortName, ReminderStep};

/// A choice of ways. Branches: each label, and `else`; every one needs an edge.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "pick", "kind": "branch",
///     "branches": [
///         {"label": "yes", "when": {"any": [
///             {"op": "option_payload", "to": "yes"},
///             {"value": "{{ reply.text | trim }}", "op": "string_equals", "to": "yes", "ignore_case": true}
///         ]}},
///         {"label": "rich", "when": {"value": "{{ context.cart_total }}", "op": "number_greater", "to": 100}},
///         {"label": "known", "when": {"expr": "contact.name and not contact.tags"}}
///     ]
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BranchDef {
    /// The ways, in the order they are tried.
    pub branches: Vec<BranchCaseDef>,
}

/// One way of a branch: `{"label": "yes", "when": CONDITION}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BranchCaseDef {
    /// The branch's name: 1-64 bytes, unique in its node, not `else`.
    pub label: String,
    /// When it is taken.
    pub when: ConditionDef,
}

/// A compiled branch: arm `i` leaves by port `i`, and `else` by the last.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) arms: Box<[(Arc<str>, Condition)]>,
}

/// More would be a table, which is a host's function.
const MOST_ARMS: usize = 256;

impl Branch {
    pub(crate) fn else_port(&self) -> Port {
        Port(u16::try_from(self.arms.len()).unwrap_or(u16::MAX))
    }
}

impl BranchDef {
    /// With one more way.
    #[must_use]
    pub fn with_case(mut self, label: impl Into<String>, when: ConditionDef) -> Self {
        self.branches.push(BranchCaseDef { label: label.into(), when });
        self
    }
}

impl NodeContract for BranchDef {
    type Compiled = Branch;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self { branches: fields.required("branches").unwrap_or_default() }
    }

    fn ports(&self) -> Vec<PortName> {
        let labels = self.branches.iter().take(MOST_ARMS).map(|arm| arm.label.clone().into());
        labels.chain(["else".into()]).collect()
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Branch> {
        let list = at.key("branches");
        if self.branches.is_empty() || self.branches.len() > MOST_ARMS {
            let message = format!("{} branches, 1-{MOST_ARMS} are allowed", self.branches.len());
            cx.found.add(IssueCode::BadValue, &list, message, "add a branch, or split the node");
            return None;
        }
        cx.distinct(&list, "branch", self.branches.iter().map(|arm| arm.label.as_str()));
        let mut arms = Vec::with_capacity(self.branches.len());
        for (index, arm) in self.branches.iter().enumerate() {
            let at = list.item(index);
            cx.short_name(&at.key("label"), &arm.label);
            if arm.label == "else" {
                let fix = "give it another label: `else` is taken when no condition holds";
                cx.found.add(IssueCode::BadValue, &at.key("label"), "cannot be \"else\"", fix);
            }
            arms.push(
                arm.when.compile(&at.key("when"), cx).map(|when| (Arc::from(arm.label.as_str()), when)),
            );
        }
        Some(Branch { arms: arms.into_iter().collect::<Option<_>>()? })
    }

    fn has_default_port(&self) -> bool {
        false
    }

    fn needs_edge(&self, _port: Port) -> bool {
        true
    }

    fn is_else(&self, port: Port) -> bool {
        usize::from(port.0) == self.branches.len()
    }

    fn aside(&self) -> ReminderStep {
        ReminderStep::Runs
    }
}

impl Read for BranchCaseDef {
    const EXAMPLE: &'static str = r#"{"label": "yes", "when": {"op": "exists", "value": "context.cart_id"}}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (label, when) = (fields.required("label"), fields.required("when"));
        fields.close();
        // A condition that cannot be read has its issue; this one adds none.
        let when = when.unwrap_or_else(|| ConditionDef::Expr("true".into()));
        Some(Self { label: label.unwrap_or_default(), when })
    }
}
