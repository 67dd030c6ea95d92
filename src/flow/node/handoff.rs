//! `handoff`: a person of the host takes over, and the engine is silent (SEMANTICS S10).

use chrono::TimeDelta;
use serde::{Serialize, Serializer};
use serde_json::Value;
#[cfg(feature = "schema")]
use serde_json::json;

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
#[cfg(feature = "schema")]
use crate::flow::form::schema::SchemaDefinitions;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;
use crate::flow::node::{Blocking, NodeContract, Port, PortName};

/// A handoff to a person. Branches: `next`, `timeout`, and `returned`, which goes before `next`
/// when the person gives the contact back.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "agent", "kind": "handoff",
///     "queue": "billing", "note": "{{ contact.name }} asks about order {{ vars.order }}", "timeout": "8h", "vars": ["solved"]
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HandoffDef {
    /// The duration after the contact's latest message, or the latest
    /// [`Engine::touch`](crate::Engine::touch): 24 hours if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<HandoffTimeout>,
    /// The people that it is for, a template: a team, a skill, as the host names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// A note to the person, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Variables that the person may find out, so that the flow may read them without a warning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vars: Option<Vec<String>>,
}

/// The time that a handoff lasts when nobody says anything: `"8h"`, or `"never"` (also `"0"`) to
/// end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandoffTimeout {
    /// As long as the session may live.
    Never,
    /// So long.
    After(Span),
}

impl Serialize for HandoffTimeout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_str("never"),
            Self::After(span) => span.serialize(serializer),
        }
    }
}

impl Read for HandoffTimeout {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::String(text) if text == "never" || text == "0" => Some(Self::Never),
            other => Span::read(other, at, found).map(Self::After),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        book.refer::<Self>(|book| json!({"anyOf": [{"enum": ["never", "0"]}, Span::schema(book)]}))
    }
}

/// A compiled handoff.
#[derive(Clone, Debug)]
pub(crate) struct HandoffNode {
    pub(crate) timeout: Option<TimeDelta>,
    pub(crate) queue: Option<Template>,
    pub(crate) note: Option<Template>,
}

impl HandoffNode {
    /// The time that a handoff lasts if nobody says otherwise.
    pub(crate) const TIMEOUT_AFTER: TimeDelta = TimeDelta::hours(24);
    pub(crate) const TIMEOUT: Port = Port(1);
    pub(crate) const RETURNED: Port = Port(2);
}

impl NodeContract for HandoffDef {
    type Compiled = HandoffNode;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            timeout: fields.optional("timeout"),
            queue: fields.optional("queue"),
            note: fields.optional("note"),
            vars: fields.optional("vars"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into(), "timeout".into(), "returned".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<HandoffNode> {
        if cx.is_contactless {
            let message = "hands a contact over, but the flow runs without one";
            let fix = "remove the handoff, or let the start node need a contact";
            cx.found.add(IssueCode::WaitWithoutContact, at, message, fix);
        }
        let timeout = match &self.timeout {
            None => Some(HandoffNode::TIMEOUT_AFTER),
            Some(HandoffTimeout::Never) => None,
            Some(HandoffTimeout::After(span)) => Some(cx.wait(&at.key("timeout"), span)),
        };
        let list = at.key("vars");
        for (index, name) in self.vars.iter().flatten().enumerate() {
            cx.variable(&list.item(index), name);
        }
        let queue = self.queue.as_deref().map(|queue| cx.required_template(&at.key("queue"), queue));
        let note = self.note.as_deref().map(|note| cx.required_template(&at.key("note"), note));
        Some(HandoffNode { timeout, queue: queue.flatten(), note: note.flatten() })
    }

    fn blocking(&self) -> Blocking<'_> {
        let timer = (self.timeout != Some(HandoffTimeout::Never)).then_some(HandoffNode::TIMEOUT);
        Blocking::Reply { timer }
    }

    fn writes(&self) -> Vec<&str> {
        self.vars.iter().flatten().map(String::as_str).collect()
    }
}
