//! `jump`: back, or elsewhere, a limited number of times in a session (SEMANTICS N6).

use serde::Serialize;

use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::lang::context::Compile;
use crate::flow::node::{Blocking, NodeContract, PortName};
use crate::flow::place::NodeIx;

/// A jump to another node. Branch: `next`, taken when all jumps are used up.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{"id": "again", "kind": "jump", "target": "ask", "max_jumps": 3}"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JumpDef {
    /// The id of the node to go to.
    pub target: String,
    /// The maximum number of jumps in a session; once if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_jumps: Option<u32>,
}

/// A compiled jump.
#[derive(Clone, Debug)]
pub(crate) struct Jump {
    pub(crate) target: NodeIx,
    pub(crate) max: u32,
}

impl JumpDef {
    /// A jump to a node, so many times in a session.
    #[must_use]
    pub fn to(target: impl Into<String>, max_jumps: u32) -> Self {
        Self { target: target.into(), max_jumps: Some(max_jumps) }
    }
}

impl NodeContract for JumpDef {
    type Compiled = Jump;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            target: fields.required("target").unwrap_or_default(),
            max_jumps: fields.optional("max_jumps"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Jump> {
        let max = self.max_jumps.unwrap_or(1);
        if max == 0 {
            let fix = "give a number from 1, or remove the node";
            cx.found.add(IssueCode::BadValue, &at.key("max_jumps"), "must be at least 1", fix);
        }
        Some(Jump { target: cx.node(&at.key("target"), "jumps", &self.target)?, max })
    }

    fn blocking(&self) -> Blocking<'_> {
        Blocking::Jumps { target: &self.target, most: self.max_jumps.unwrap_or(1) }
    }
}
