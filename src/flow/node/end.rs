//! `end`: where a session is complete.

use std::sync::Arc;

use serde::Serialize;

use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::lang::context::Compile;
use crate::flow::node::{Blocking, NodeContract, PortName, ReminderStep};

/// The end of a session. It has no branch.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{"id": "bought", "kind": "end", "outcome": "bought"}"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EndDef {
    /// A word for how it ended, for reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// A compiled end.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) outcome: Option<Arc<str>>,
}

impl NodeContract for EndDef {
    type Compiled = End;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self { outcome: fields.optional("outcome") }
    }

    fn ports(&self) -> Vec<PortName> {
        Vec::new()
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<End> {
        if let Some(outcome) = &self.outcome {
            cx.name(&at.key("outcome"), outcome)?;
        }
        Some(End { outcome: self.outcome.as_deref().map(Arc::from) })
    }

    fn blocking(&self) -> Blocking<'_> {
        Blocking::Ends
    }

    fn aside(&self) -> ReminderStep {
        ReminderStep::Ends
    }
}
