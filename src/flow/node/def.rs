//! A node as it is written: an id, a title, and the fields of its kind.

use serde::Serialize;
use serde_json::Value;

use crate::flow::form::diagnostics::{Diagnostics, did_you_mean};
use crate::flow::form::issue::{IssueCode, Issues, Repair};
use crate::flow::form::json;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Fields, Read};
use crate::flow::node::NodeKind;
use crate::id::NodeId;
use crate::limits::Limits;

/// A node, as it is written: `{"id": "hi", "kind": "send_message", "text": "Hi"}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NodeDef {
    /// Its id, unique in the flow.
    pub id: String,
    /// Its kind, with the fields of that kind.
    #[serde(flatten)]
    pub kind: NodeKind,
    /// Its title; the id if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The data that an editor keeps about it, such as its place on a canvas.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ui: Option<Value>,
}

impl NodeDef {
    /// A node without a title of its own.
    pub fn new(id: impl Into<String>, kind: impl Into<NodeKind>) -> Self {
        Self { id: id.into(), kind: kind.into(), name: None, ui: None }
    }

    /// Returns the branches that it may be left by, in their order; an edge names one of them.
    /// Those that its fields name are among them, such as the ids of choices.
    ///
    /// ```
    /// use chatflow::flow::NodeDef;
    ///
    /// let wait = NodeDef::from_json(r#"{"id": "wait", "kind": "wait_reply"}"#)?;
    /// assert_eq!(wait.branches(), ["replied", "timeout"]);
    /// # Ok::<(), chatflow::flow::Issues>(())
    /// ```
    #[must_use]
    pub fn branches(&self) -> Vec<String> {
        self.kind.ports().into_iter().map(Into::into).collect()
    }

    /// Returns the branch that an edge leaves by which names none: the first, if the kind allows
    /// it.
    ///
    /// ```
    /// use chatflow::flow::NodeDef;
    ///
    /// let wait = NodeDef::from_json(r#"{"id": "wait", "kind": "wait_reply"}"#)?;
    /// assert_eq!(wait.default_branch().as_deref(), Some("replied"));
    /// let round = NodeDef::from_json(r#"{"id": "round", "kind": "for_each", "from": "vars.items"}"#)?;
    /// assert_eq!(round.default_branch(), None);
    /// # Ok::<(), chatflow::flow::Issues>(())
    /// ```
    #[must_use]
    pub fn default_branch(&self) -> Option<String> {
        let first = self.kind.ports().into_iter().next();
        first.filter(|_| self.kind.has_default_port()).map(Into::into)
    }

    /// Reads one node.
    ///
    /// # Errors
    /// Every [`Issue`](crate::flow::Issue) of its form. Whether it fits its flow is checked with
    /// the flow.
    pub fn from_json(json: &str) -> Result<Self, Issues> {
        let mut found = Diagnostics::default();
        let value = json::parse(json, &Limits::default(), &mut found);
        let node = value.and_then(|value| Self::read(&value, &Path::Root, &mut found));
        match node {
            Some(node) if found.len() == 0 => Ok(node),
            _ => Err(found.into_issues()),
        }
    }
}

impl Read for NodeDef {
    const EXAMPLE: &'static str = r#"{"id": "hi", "kind": "send_message", "text": "Hi"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        found.node = value.get("id").and_then(Value::as_str).and_then(|id| NodeId::new(id).ok());
        let node = read_node(value, at, found);
        found.node = None;
        node
    }
}

fn read_node(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<NodeDef> {
    let mut fields = Fields::of::<NodeDef>(value, at, found)?;
    let (id, word) = (fields.required("id"), fields.tag("kind", NodeKind::DOCS));
    let (name, ui) = (fields.optional("name"), fields.optional("ui"));
    let id = id.unwrap_or_default();
    let unread = |id| Some(NodeDef::new(id, NodeKind::plain_end()));
    let Some(word) = word else { return unread(id) };
    let Some(kind) = NodeKind::read(&word, &mut fields) else {
        let known = NodeKind::WORDS;
        let meant = found.meant(&word, known.iter().copied());
        let message = format!("unknown kind {:?}{}", brief(&word), did_you_mean(meant));
        let (at, fix) = (at.key("kind"), format!("write one of {}", known.join(", ")));
        found.add_repairable(IssueCode::UnknownKind, &at, message, fix, Repair::replace(&at, meant));
        return unread(id);
    };
    fields.close();
    Some(NodeDef { id, kind, name, ui })
}
