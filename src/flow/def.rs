//! A flow as it is written: what a canvas saves and a file holds, spec 1.
//! Form only. Whether it makes sense is checked when it becomes a [`Flow`](crate::Flow).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::{IssueCode, Issues};
use crate::flow::form::json;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::node::{ContactMode, NodeDef, NodeKind};
use crate::flow::settings::SettingsDef;
use crate::flow::trigger::TriggerDef;
use crate::gather::Gather;
use crate::limits::Limits;

/// A flow, as it is written. Optional fields stay absent, so that export gives the JSON that import
/// took ([SEMANTICS L7](crate::semantics#l7)).
///
/// ```
/// use chatflow::flow::{EndDef, FlowDef, SendMessageDef, StartDef, TriggerDef};
///
/// let built = FlowDef::new("hello", TriggerDef::Manual)
///     .with_node("start", StartDef::default())
///     .with_node("hi", SendMessageDef::text("Hi {{contact.name}}"))
///     .with_node("done", EndDef::default())
///     .with_edge("start", "hi")
///     .with_edge("hi", "done");
/// let read = FlowDef::from_json(r#"{
///     "spec": 1, "code": "hello", "trigger": {"kind": "manual"},
///     "nodes": [
///         {"id": "start", "kind": "start"},
///         {"id": "hi", "kind": "send_message", "text": "Hi {{contact.name}}"},
///         {"id": "done", "kind": "end"}
///     ],
///     "edges": [{"from": "start", "to": "hi"}, {"from": "hi", "to": "done"}]
/// }"#)?;
/// assert_eq!(built, read);
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FlowDef {
    /// The address of the JSON Schema of flow files, for editors only.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The number of the format: 1.
    pub spec: u32,
    /// The code that callers know the flow by.
    pub code: String,
    /// Its name for people; the code if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A remark of its author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// The trigger that starts it.
    pub trigger: TriggerDef,
    /// The settings by which its sessions live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<SettingsDef>,
    /// Its nodes.
    pub nodes: Vec<NodeDef>,
    /// The ways between them.
    pub edges: Vec<EdgeDef>,
    /// The data that an editor keeps about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ui: Option<Value>,
}

/// A way from a node's branch to another node: `{"from": "pick", "branch": "yes", "to": "done"}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EdgeDef {
    /// The node it leaves.
    pub from: String,
    /// The branch it leaves by. If absent: `next`, or `replied` of a wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The node it goes to.
    pub to: String,
    /// The data that an editor keeps about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ui: Option<Value>,
}

/// The number of the format that this release reads and writes.
pub(crate) const SPEC: u32 = 1;

impl FlowDef {
    /// A flow without nodes.
    pub fn new(code: impl Into<String>, trigger: TriggerDef) -> Self {
        Self {
            schema: None,
            spec: SPEC,
            code: code.into(),
            name: None,
            remark: None,
            trigger,
            settings: None,
            nodes: Vec::new(),
            edges: Vec::new(),
            ui: None,
        }
    }

    /// A blank flow: a start that leads to an end.
    ///
    /// ```
    /// use chatflow::flow::{Flow, FlowDef, TriggerDef};
    ///
    /// assert!(Flow::from_json(&FlowDef::blank("hours", TriggerDef::Manual).to_json()).is_ok());
    /// ```
    pub fn blank(code: impl Into<String>, trigger: TriggerDef) -> Self {
        Self::new(code, trigger)
            .with_node("start", NodeKind::plain_start())
            .with_node("end", NodeKind::plain_end())
            .with_edge("start", "end")
    }

    /// Returns a context for those who try the flow out: of each input of its start its `example`,
    /// as far as it has one.
    ///
    /// ```
    /// let flow = chatflow::flow::FlowDef::from_json(r#"{
    ///     "spec": 1, "code": "hello", "trigger": {"kind": "manual"},
    ///     "nodes": [{"id": "start", "kind": "start", "inputs": [
    ///         {"name": "first_name", "default": "there", "example": "Ada"},
    ///         {"name": "cart_id"}
    ///     ]}],
    ///     "edges": []
    /// }"#)?;
    /// assert_eq!(serde_json::Value::from(flow.example_context()), serde_json::json!({"first_name": "Ada"}));
    /// # Ok::<(), chatflow::flow::Issues>(())
    /// ```
    #[must_use]
    pub fn example_context(&self) -> Map<String, Value> {
        let start = self.nodes.iter().find_map(|node| node.kind.as_start());
        let inputs = start.and_then(|start| start.inputs.as_deref()).unwrap_or_default();
        inputs.iter().filter_map(|input| Some((input.name.clone(), input.example.clone()?))).gather()
    }

    /// With one more node.
    #[must_use]
    pub fn with_node(mut self, id: impl Into<String>, kind: impl Into<NodeKind>) -> Self {
        self.nodes.push(NodeDef::new(id, kind));
        self
    }

    /// With one more edge, from a node's first branch.
    #[must_use]
    pub fn with_edge(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.edges.push(EdgeDef { from: from.into(), branch: None, to: to.into(), ui: None });
        self
    }

    /// With one more edge, from a branch by its name.
    #[must_use]
    pub fn with_branch(
        mut self,
        from: impl Into<String>,
        branch: impl Into<String>,
        to: impl Into<String>,
    ) -> Self {
        let branch = Some(branch.into());
        self.edges.push(EdgeDef { from: from.into(), branch, to: to.into(), ui: None });
        self
    }

    /// With settings.
    #[must_use]
    pub fn with_settings(mut self, settings: SettingsDef) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Reads a flow's JSON.
    ///
    /// # Errors
    /// Every issue of its form: no JSON, too large or too deep, unknown and missing fields, wrong
    /// types. Whether it makes sense as a whole is for [`Flow::compile`](crate::Flow::compile).
    pub fn from_json(json: &str) -> Result<Self, Issues> {
        let mut found = Diagnostics::default();
        let def = json::parse(json, &Limits::default(), &mut found)
            .and_then(|value| Self::read(&value, &Path::Root, &mut found));
        match def {
            Some(def) if found.len() == 0 => Ok(def),
            _ => Err(found.into_issues()),
        }
    }

    /// Returns the flow's JSON, fields in the order of the format: equal flows give equal texts.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Cannot fail: every key is text, and no field's serialiser fails.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Returns the definition as a flow file has it. It is read from the text, whose writer is
    /// there anyway: a second serialiser of all that a flow says is 9 KB of a page's module under
    /// gzip.
    pub(crate) fn written(&self) -> Value {
        serde_json::from_str(&self.to_json()).unwrap_or_default()
    }

    /// True if its sessions run without a contact.
    pub(crate) fn is_contactless(&self) -> bool {
        let mut starts = self.nodes.iter().filter_map(|node| node.kind.as_start());
        starts.any(|start| start.contact == Some(ContactMode::None))
    }

    pub(crate) fn check_spec(&self, found: &mut Diagnostics) {
        if self.spec != SPEC {
            let message = format!("is {}, only {SPEC} is known", self.spec);
            found.add(IssueCode::BadSpec, &Path::Root.key("spec"), message, "export the flow for spec 1");
        }
    }
}

/// The definition as far as it can be read: what cannot be read is an issue, and takes a default
/// or is left out.
pub(crate) fn read_loosely(value: &Value, limits: &Limits, found: &mut Diagnostics) -> Option<FlowDef> {
    let at = Path::Root;
    for (field, most, code) in
        [("nodes", limits.nodes, IssueCode::TooManyNodes), ("edges", limits.edges, IssueCode::TooManyEdges)]
    {
        let given = value.get(field).and_then(Value::as_array).map_or(0, Vec::len);
        if given > most {
            found.add(
                code,
                &at.key(field),
                format!("{given} {field}, at most {most} are allowed"),
                "split the flow",
            );
        }
    }
    if found.has_errors() { None } else { FlowDef::read(value, &at, found) }
}

impl Read for FlowDef {
    const EXAMPLE: &'static str = r#"{"spec": 1, "code": "hello", "trigger": {"kind": "manual"}, "nodes": [{"id": "start", "kind": "start"}], "edges": []}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let def = Self {
            schema: fields.optional("$schema"),
            spec: fields.required("spec").unwrap_or(SPEC),
            code: fields.required("code").unwrap_or_default(),
            name: fields.optional("name"),
            remark: fields.optional("remark"),
            trigger: fields.required("trigger").unwrap_or(TriggerDef::Manual),
            settings: fields.optional("settings"),
            nodes: fields.required("nodes").unwrap_or_default(),
            edges: fields.required("edges").unwrap_or_default(),
            ui: fields.optional("ui"),
        };
        fields.close();
        Some(def)
    }
}

impl Read for EdgeDef {
    const EXAMPLE: &'static str = r#"{"from": "start", "to": "hi"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (from, branch) = (fields.required("from"), fields.optional("branch"));
        let (to, ui) = (fields.required("to"), fields.optional("ui"));
        fields.close();
        Some(Self { from: from?, branch, to: to?, ui })
    }
}

impl<'de> Deserialize<'de> for FlowDef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found = Diagnostics::default();
        let value = json::read(deserializer, &mut found)?;
        match Self::read(&value, &Path::Root, &mut found) {
            Some(def) if found.len() == 0 => Ok(def),
            _ => Err(D::Error::custom(found.into_issues())),
        }
    }
}
