//! `for_each`: once for each item of a list, by the edges of the canvas (SEMANTICS N12).

use std::sync::Arc;

use serde::Serialize;

use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::lang::context::Compile;
use crate::flow::lang::expr::Expr;
use crate::flow::node::{Blocking, NodeContract, Port, PortName};

/// Once for each item of a list. Branches: `each`, which needs an edge, and `done`.
///
/// The nodes that `each` leads to and `done` does not are its body. A way back from the body takes
/// the next item; `item` is read by its name, its place from 0 as `index`. A session that comes to
/// another node has left the loop, and begins it anew when it comes back.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{"id": "lines", "kind": "for_each", "from": "context.lines", "as": "line", "limit": 20}"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ForEachDef {
    /// The list, an expression. It is read once, when the loop begins.
    pub from: String,
    /// The name of the item; `item` if absent.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The most items, 1-1,000; 30 if absent. The others are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A compiled loop.
#[derive(Clone, Debug)]
pub(crate) struct ForEach {
    pub(crate) from: Expr,
    pub(crate) name: Arc<str>,
    pub(crate) limit: usize,
}

impl ForEach {
    pub(crate) const EACH: Port = Port(0);
    pub(crate) const DONE: Port = Port(1);
}

impl ForEachDef {
    const USUAL: u32 = 30;
    const MOST: u32 = 1_000;

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("item")
    }

    fn limit(&self) -> u32 {
        self.limit.unwrap_or(Self::USUAL)
    }
}

impl NodeContract for ForEachDef {
    type Compiled = ForEach;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            from: fields.required("from").unwrap_or_default(),
            name: fields.optional("as"),
            limit: fields.optional("limit"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["each".into(), "done".into()]
    }

    fn has_default_port(&self) -> bool {
        false
    }

    fn needs_edge(&self, port: Port) -> bool {
        port == ForEach::EACH
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<ForEach> {
        let limit = self.limit();
        if !(1..=Self::MOST).contains(&limit) {
            let message = format!("is {limit}, 1-{} are allowed", Self::MOST);
            cx.found.add(IssueCode::BadValue, &at.key("limit"), message, "give a number of items");
        }
        let from = cx.expression(&at.key("from"), &self.from);
        let name = cx.variable(&at.key("as"), self.name());
        Some(ForEach { from: from?, name: name?, limit: usize::try_from(limit).unwrap_or(usize::MAX) })
    }

    fn blocking(&self) -> Blocking<'_> {
        Blocking::Rounds { most: self.limit() }
    }

    fn writes(&self) -> Vec<&str> {
        vec![self.name(), "index"]
    }
}
