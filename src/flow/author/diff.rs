//! Differences between two versions of a flow: nodes, edges, settings.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::flow::def::{EdgeDef, FlowDef};
use crate::gather::Gather;

/// The differences between two definitions, such as two versions of a flow
/// ([SEMANTICS Q6](crate::semantics#q6)). Prints a line for each. What an editor keeps (`ui`) makes
/// none, nor does the order of nodes and edges.
///
/// ```
/// use chatflow::flow::{EndDef, FlowDef, FlowDiff, SendMessageDef, StartDef, TriggerDef};
///
/// let flow = |text: &str| {
///     FlowDef::new("hello", TriggerDef::Manual)
///         .with_node("start", StartDef::default())
///         .with_node("hi", SendMessageDef::text(text))
///         .with_edge("start", "hi")
/// };
/// let diff = FlowDiff::of(&flow("Hi"), &flow("Hello").with_node("end", EndDef::default()).with_edge("hi", "end"));
/// assert_eq!(diff.to_string(), "+ node end (end)\n~ node hi, text: \"Hi\" -> \"Hello\"\n+ edge hi -> end\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FlowDiff {
    /// Nodes that are new, with their kinds, by id.
    pub added: BTreeMap<String, String>,
    /// Nodes that are gone, with their kinds, by id.
    pub removed: BTreeMap<String, String>,
    /// Nodes that are in both, with the fields that differ, by id.
    pub changed: BTreeMap<String, Vec<FieldChange>>,
    /// Edges that are new.
    pub edges_added: Vec<EdgeDef>,
    /// Edges that are gone.
    pub edges_removed: Vec<EdgeDef>,
    /// Everything else that differs: `name`, `trigger.priority`, `settings.language`.
    pub settings: Vec<FieldChange>,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FieldChange {
    /// Where it is, such as `text` or `sender.account`. A list is one field.
    pub field: String,
    /// The old value; `null`: absent.
    pub old: Value,
    /// The new value; `null`: absent.
    pub new: Value,
}

impl FlowDiff {
    /// Returns the differences of `new` from `old`.
    #[must_use]
    pub fn of(old: &FlowDef, new: &FlowDef) -> Self {
        let (old_file, new_file) = (old.written(), new.written());
        let (was, is) = (nodes(old, &old_file), nodes(new, &new_file));
        let only_in = |these: &BTreeMap<String, Value>, those: &BTreeMap<String, Value>| {
            let gone = these.iter().filter(|(id, _)| !those.contains_key(*id));
            gone.map(|(id, node)| (id.clone(), kind(node))).gather()
        };
        let in_both = was.iter().filter_map(|(id, old)| Some((id, old, is.get(id)?)));
        let changed = in_both.filter(|(_, old, new)| old != new);
        let edges = |some: &FlowDef, others: &FlowDef| {
            let is_new = |edge: &&EdgeDef| !others.edges.iter().any(|other| same_way(edge, other));
            some.edges.iter().filter(is_new).cloned().collect()
        };
        Self {
            added: only_in(&is, &was),
            removed: only_in(&was, &is),
            changed: changed.map(|(id, old, new)| (id.clone(), fields(old, new))).gather(),
            edges_added: edges(new, old),
            edges_removed: edges(old, new),
            settings: fields(&rest(old_file), &rest(new_file)),
        }
    }

    /// Returns true if nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn same_way(one: &EdgeDef, other: &EdgeDef) -> bool {
    (&one.from, &one.branch, &one.to) == (&other.from, &other.branch, &other.to)
}

/// The nodes of a flow as its file has them, without what an editor keeps with them.
fn nodes(def: &FlowDef, written: &Value) -> BTreeMap<String, Value> {
    let nodes = written.get("nodes").and_then(Value::as_array);
    let plain = |node: &Value| {
        let mut node = node.clone();
        if let Some(fields) = node.as_object_mut() {
            fields.remove("ui");
        }
        node
    };
    def.nodes.iter().map(|node| node.id.clone()).zip(nodes.into_iter().flatten().map(plain)).gather()
}

fn kind(node: &Value) -> String {
    node.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A definition without its nodes and edges.
fn rest(mut written: Value) -> Value {
    if let Some(fields) = written.as_object_mut() {
        fields.retain(|name, _| !["$schema", "nodes", "edges", "ui"].contains(&name.as_str()));
    }
    written
}

fn fields(old: &Value, new: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(String::new(), old, new, &mut found);
    found
}

fn compare(field: String, old: &Value, new: &Value, found: &mut Vec<FieldChange>) {
    if old == new {
        return;
    }
    let (Value::Object(was), Value::Object(is)) = (old, new) else {
        found.push(FieldChange { field, old: old.clone(), new: new.clone() });
        return;
    };
    let inside = |name: &String| if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
    for (name, old) in was {
        compare(inside(name), old, is.get(name).unwrap_or(&Value::Null), found);
    }
    for (name, new) in is.iter().filter(|(name, _)| !was.contains_key(*name)) {
        compare(inside(name), &Value::Null, new, found);
    }
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, old, new } = self;
        match (old, new) {
            (Value::Null, new) => write!(f, "{field}: {new}"),
            (old, Value::Null) => write!(f, "{field}: {old} removed"),
            (old, new) => write!(f, "{field}: {old} -> {new}"),
        }
    }
}

impl fmt::Display for FlowDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = |edge: &EdgeDef| {
            let branch = edge.branch.as_ref().map(|branch| format!(" by {branch}")).unwrap_or_default();
            format!("{} -> {}{branch}", edge.from, edge.to)
        };
        self.added.iter().try_for_each(|(id, kind)| writeln!(f, "+ node {id} ({kind})"))?;
        self.removed.iter().try_for_each(|(id, kind)| writeln!(f, "- node {id} ({kind})"))?;
        for (id, changes) in &self.changed {
            changes.iter().try_for_each(|change| writeln!(f, "~ node {id}, {change}"))?;
        }
        self.edges_added.iter().try_for_each(|edge| writeln!(f, "+ edge {}", way(edge)))?;
        self.edges_removed.iter().try_for_each(|edge| writeln!(f, "- edge {}", way(edge)))?;
        self.settings.iter().try_for_each(|change| writeln!(f, "~ {change}"))
    }
}
