//! `random_split`: goes one way of several by chance (SEMANTICS N8).

use serde::Serialize;
use serde_json::Value;

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::node::{NodeContract, Port, PortName};

/// A choice of ways by chance, each as likely as its weight says. Branches: each label; every one
/// needs an edge.
///
/// The draw depends on the session, the node and how often the session has come to it, and on
/// nothing else: a replay takes the same way.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "which", "kind": "random_split",
///     "branches": [{"label": "short", "weight": 9}, {"label": "long"}]
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RandomSplitDef {
    /// The ways.
    pub branches: Vec<SplitBranchDef>,
}

/// One way of a split: `{"label": "short", "weight": 9}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SplitBranchDef {
    /// The branch's name: 1-64 bytes, unique in its node.
    pub label: String,
    /// Its weight beside the others, 1-1,000; 1 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
}

/// A compiled split: arm `i` leaves by port `i`.
#[derive(Clone, Debug)]
pub(crate) struct RandomSplit {
    weights: Box<[u32]>,
}

/// As many as a `branch` may have.
const MOST_ARMS: usize = 256;
const MOST_WEIGHT: u32 = 1_000;

impl RandomSplit {
    pub(crate) fn total(&self) -> u32 {
        self.weights.iter().sum()
    }

    /// The branch for a number below the total.
    pub(crate) fn port_of(&self, drawn: u32) -> Port {
        let mut left = drawn;
        for (weight, port) in self.weights.iter().zip(0..) {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return Port(port),
            }
        }
        Port::NEXT
    }
}

impl RandomSplitDef {
    /// With one more way.
    #[must_use]
    pub fn with_branch(mut self, label: impl Into<String>, weight: u32) -> Self {
        self.branches.push(SplitBranchDef { label: label.into(), weight: Some(weight) });
        self
    }
}

impl NodeContract for RandomSplitDef {
    type Compiled = RandomSplit;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self { branches: fields.required("branches").unwrap_or_default() }
    }

    fn ports(&self) -> Vec<PortName> {
        self.branches.iter().take(MOST_ARMS).map(|arm| arm.label.clone().into()).collect()
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<RandomSplit> {
        let list = at.key("branches");
        if self.branches.is_empty() || self.branches.len() > MOST_ARMS {
            let message = format!("{} branches, 1-{MOST_ARMS} are allowed", self.branches.len());
            cx.found.add(IssueCode::BadValue, &list, message, "add a branch, or split the node");
            return None;
        }
        cx.distinct(&list, "branch", self.branches.iter().map(|arm| arm.label.as_str()));
        let mut weights = Vec::with_capacity(self.branches.len());
        for (index, arm) in self.branches.iter().enumerate() {
            let at = list.item(index);
            cx.short_name(&at.key("label"), &arm.label);
            let weight = arm.weight.unwrap_or(1);
            if !(1..=MOST_WEIGHT).contains(&weight) {
                let message = format!("is {weight}, 1-{MOST_WEIGHT} are allowed");
                let fix = "give a number from 1, or remove the branch";
                cx.found.add(IssueCode::BadValue, &at.key("weight"), message, fix);
            }
            weights.push(weight.clamp(1, MOST_WEIGHT));
        }
        Some(RandomSplit { weights: weights.into() })
    }

    fn has_default_port(&self) -> bool {
        false
    }

    fn needs_edge(&self, _port: Port) -> bool {
        true
    }
}

impl Read for SplitBranchDef {
    const EXAMPLE: &'static str = r#"{"label": "a", "weight": 50}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let label = fields.required("label").unwrap_or_default();
        let weight = fields.optional("weight");
        fields.close();
        Some(Self { label, weight })
    }
}
