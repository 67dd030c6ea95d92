//! A compiled flow: what the kernel runs on. What must not live here: how it comes to be
//! (`compile`), and what makes sense (`check`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::flow::def::FlowDef;
use crate::flow::form::issue::Issues;
use crate::flow::keyword::Keywords;
use crate::flow::node::{CompiledNode, Start};
use crate::flow::place::{NodeIx, Port};
use crate::flow::settings::Settings;
use crate::flow::settings::last_words::LastWords;
use crate::flow::settings::quiet::QuietHours;
use crate::flow::settings::reminder::Reminder;
use crate::flow::trigger::Trigger;
use crate::id::{FlowId, NodeId};

/// A flow, checked and compiled: immutable, and shared by all its sessions.
///
/// ```
/// use chatflow::Flow;
///
/// let flow = Flow::from_json(r#"{
///     "spec": 1, "code": "hello", "trigger": {"kind": "manual"},
///     "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
///     "nodes": [
///         {"id": "start", "kind": "start"},
///         {"id": "hi", "kind": "send_message", "text": "Hi {{contact.name}}"}
///     ],
///     "edges": [{"from": "start", "to": "hii"}]
/// }"#);
/// assert_eq!(
///     flow.unwrap_err().to_string(),
///     "edges[0]: points to \"hii\", which does not exist; did you mean \"hi\"? (edge_to_nowhere)\n\
///      warning: node \"hi\": cannot be reached (unreachable)",
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Flow {
    pub(super) id: FlowId,
    pub(super) name: Arc<str>,
    pub(super) def: FlowDef,
    pub(super) settings: Settings,
    pub(super) trigger: Trigger,
    pub(super) warnings: Issues,
    pub(super) entry: (NodeIx, NodeId, Start),
    pub(super) keywords: Keywords,
    pub(super) reminder: Option<Reminder>,
    pub(super) last_words: LastWords,
    pub(super) quiet_hours: Option<Box<QuietHours>>,
    pub(super) steps: Box<[Step]>,
    pub(super) index: BTreeMap<NodeId, NodeIx>,
    pub(super) digest: u128,
    /// The body of each loop over a list.
    pub(super) bodies: BTreeMap<NodeIx, BTreeSet<NodeIx>>,
    /// True if a way leads back to where it began.
    pub(super) goes_round: bool,
}

/// A compiled node with its ways out.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) id: NodeId,
    pub(crate) title: Arc<str>,
    pub(crate) node: CompiledNode,
    pub(super) exits: Box<[Exit]>,
}

#[derive(Clone, Debug)]
pub(super) struct Exit {
    pub(super) name: Arc<str>,
    pub(super) to: Option<NodeIx>,
}

impl Flow {
    /// Returns the code that callers know it by.
    #[must_use]
    pub fn id(&self) -> &FlowId {
        &self.id
    }

    /// Returns a hash of its content, whatever its layout and order of keys: what a version is
    /// ([SEMANTICS S13](crate::semantics#s13)).
    #[must_use]
    pub fn digest(&self) -> u128 {
        self.digest
    }

    /// Returns its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the definition that it was compiled from.
    #[must_use]
    pub fn def(&self) -> &FlowDef {
        &self.def
    }

    /// Returns the settings by which its sessions live.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the trigger that starts it.
    #[must_use]
    pub fn trigger(&self) -> &Trigger {
        &self.trigger
    }

    /// Returns the issues that its author should look at; none of it blocks publishing.
    #[must_use]
    pub fn warnings(&self) -> &Issues {
        &self.warnings
    }

    /// Returns the flows that it calls, in the order of its nodes; one may come several times
    /// ([SEMANTICS N9](crate::semantics#n9)).
    pub fn calls(&self) -> impl Iterator<Item = &FlowId> {
        self.steps.iter().filter_map(|step| Some(&step.node.as_call_flow()?.flow))
    }

    /// Returns the branches of a node in their order, each with the node behind it, if an edge
    /// leads there.
    pub fn branches(&self, node: &NodeId) -> impl Iterator<Item = (&str, Option<&NodeId>)> {
        let step = self.index.get(node).and_then(|at| self.node(*at));
        let exits = step.into_iter().flat_map(|step| &step.exits);
        exits.map(|exit| (&*exit.name, exit.to.and_then(|to| self.node(to)).map(|to| &to.id)))
    }

    /// Where every session begins.
    pub(crate) fn start(&self) -> (NodeIx, &Start) {
        (self.entry.0, &self.entry.2)
    }

    /// The node where every session begins.
    pub(crate) fn entry(&self) -> (NodeIx, &NodeId) {
        (self.entry.0, &self.entry.1)
    }

    /// The words that mean something to its sessions.
    pub(crate) fn keywords(&self) -> &Keywords {
        &self.keywords
    }

    /// The words that are said before a session ends.
    pub(crate) fn last_words(&self) -> LastWords {
        self.last_words
    }

    pub(crate) fn has_last_words(&self) -> bool {
        self.last_words != LastWords::default()
    }

    pub(crate) fn reminder(&self) -> Option<Reminder> {
        self.reminder
    }

    pub(crate) fn quiet_hours(&self) -> Option<&QuietHours> {
        self.quiet_hours.as_deref()
    }

    /// True if a node is a loop over a list, or in its body (SEMANTICS N12).
    pub(crate) fn is_in_loop(&self, node: NodeIx, inside: NodeIx) -> bool {
        self.bodies.get(&node).is_some_and(|body| node == inside || body.contains(&inside))
    }

    /// True if a session may come back to a node.
    pub(crate) fn goes_round(&self) -> bool {
        self.goes_round
    }

    pub(crate) fn node(&self, at: NodeIx) -> Option<&Step> {
        self.steps.get(at.as_usize())
    }

    /// The place of a node by its id, looked for first where the caller last saw it.
    pub(crate) fn find(&self, id: &NodeId, hint: NodeIx) -> Option<NodeIx> {
        match self.node(hint) {
            Some(step) if step.id == *id => Some(hint),
            _ => self.index.get(id).copied(),
        }
    }
}

impl Step {
    /// The node behind a branch; none if the branch has no edge.
    pub(crate) fn exit(&self, port: Port) -> Option<NodeIx> {
        self.exits.get(usize::from(port.0))?.to
    }

    /// The branch with a name, as a host's answer gives it.
    pub(crate) fn port_named(&self, branch: &str) -> Option<Port> {
        let at = self.exits.iter().position(|exit| *exit.name == *branch)?;
        u16::try_from(at).ok().map(Port)
    }

    /// A branch's name; none for a branch that the node does not have.
    pub(crate) fn port_name(&self, port: Port) -> Option<&Arc<str>> {
        Some(&self.exits.get(usize::from(port.0))?.name)
    }
}
