//! The words that are said once before a session ends by a fault, or because nobody answered
//! (SEMANTICS S21).

use serde::Serialize;
use serde_json::Value;

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::place::NodeIx;

/// The branch that runs before a session ends, as it is written: `{"node": "sorry"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastWordsDef {
    /// The first node of the branch.
    pub node: String,
}

/// Where what is said last begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LastWords {
    /// Of a session that failed.
    pub(crate) on_error: Option<NodeIx>,
    /// Of one that expired.
    pub(crate) on_expire: Option<NodeIx>,
}

impl LastWordsDef {
    pub(crate) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<NodeIx> {
        cx.side_entry(&at.key("node"), "points", &self.node)
    }
}

impl Read for LastWordsDef {
    const EXAMPLE: &'static str = r#"{"node": "sorry"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let node = fields.required("node");
        fields.close();
        Some(Self { node: node? })
    }
}
