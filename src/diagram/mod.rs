//! Pictures of flows: Mermaid, DOT and SVG, plain, with the path of a session, or with counts. It
//! needs only the public parts of flows and journals. Text of authors and contacts
//! is escaped.

mod card;
mod dot;
mod family;
mod language;
mod layout;
mod mermaid;
mod notes;
mod paint;
mod picture;
mod places;
mod rules;
mod svg;
mod text;

use std::collections::{BTreeMap, BTreeSet};

pub use places::{NodePlace, Places, WayPlace};

use crate::diagram::picture::Picture;
use crate::diagram::svg::Drawing;
use crate::engine::NodeCount;
use crate::flow::Flow;
use crate::id::{FlowVersion, NodeId};
use crate::kernel::{JournalStep, StepEvent};

/// A picture of a flow, to be written in one of three formats. The same flow gives the same text.
///
/// It shows the nodes with their texts, in the first language of the flow's settings, and with
/// their rules: conditions, opening hours, the answers that count; the branches by their names, a
/// choice by its label, a chance with its share; where a session ends without an edge; and what the
/// settings say, such as keywords and a reminder. The way that the flow is made for runs straight
/// down.
///
/// ```
/// use chatflow::diagram::Diagram;
/// use chatflow::flow::{EndDef, FlowDef, SendMessageDef, StartDef, TriggerDef};
/// use chatflow::limits::Limits;
/// use chatflow::Flow;
///
/// let def = FlowDef::new("hello", TriggerDef::Manual)
///     .with_node("start", StartDef::default())
///     .with_node("hi", SendMessageDef::text("Hi {{contact.name}}"))
///     .with_node("done", EndDef::default())
///     .with_edge("start", "hi")
///     .with_edge("hi", "done");
/// let flow = Flow::compile(def, &Limits::default())?;
/// let diagram = Diagram::of(&flow);
/// assert!(diagram.mermaid().starts_with("flowchart TD\n"));
/// assert!(diagram.dot().starts_with("digraph flow {\n"));
/// assert!(diagram.svg().starts_with("<svg xmlns="));
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Diagram<'a> {
    flow: &'a Flow,
    overlay: Overlay,
}

/// The look of a picture, and the marks that are drawn over a flow.
#[derive(Clone, Debug, Default)]
struct Overlay {
    has_title: bool,
    version: Option<FlowVersion>,
    is_dark: bool,
    visited: BTreeSet<String>,
    /// Branches by their nodes.
    taken: BTreeSet<(String, String)>,
    /// From a node to the next, by no branch.
    jumped: BTreeSet<(String, String)>,
    current: Option<String>,
    counts: BTreeMap<String, u64>,
    branch_counts: BTreeMap<(String, String), u64>,
    missed_nodes: BTreeSet<String>,
    missed_ways: BTreeSet<(String, String)>,
}

impl<'a> Diagram<'a> {
    /// The flow as it is.
    pub fn of(flow: &'a Flow) -> Self {
        Self { flow, overlay: Overlay::default() }
    }

    /// With the flow's name above it.
    pub fn titled(mut self) -> Self {
        self.overlay.has_title = true;
        self
    }

    /// With the flow's name and this version above it; the flow does not know its version, which is
    /// the number that publishing gave it.
    pub fn version(mut self, version: FlowVersion) -> Self {
        self.overlay.version = Some(version);
        self.titled()
    }

    /// In colours for a dark page. The background is transparent, as always.
    pub fn dark(mut self) -> Self {
        self.overlay.is_dark = true;
        self
    }

    /// Highlights the path of a session, as its journal tells it: the nodes that it visited, the
    /// ways that it took, and the node that it is at. Steps in other flows that it called are left
    /// out.
    pub fn path<'s>(mut self, steps: impl IntoIterator<Item = &'s JournalStep>) -> Self {
        let overlay = &mut self.overlay;
        let mut jumps_from = None;
        let of_another =
            |step: &&JournalStep| step.called.as_ref().is_some_and(|(flow, _)| flow != self.flow.id());
        for step in steps.into_iter().filter(|step| !of_another(step)) {
            let node = step.node.as_str().to_owned();
            overlay.jumped.extend(jumps_from.take().map(|from| (from, node.clone())));
            overlay.taken.extend(step.branch.as_deref().map(|branch| (node.clone(), branch.to_owned())));
            jumps_from = (step.event == StepEvent::Jumped).then(|| node.clone());
            overlay.visited.insert(node.clone());
            overlay.current = Some(node);
        }
        self
    }

    /// Draws a heat map from journals: how often sessions reached each node, and which
    /// way they went.
    ///
    /// ```
    /// use chatflow::diagram::Diagram;
    /// use chatflow::ops::JournalFilter;
    /// use chatflow::{Engine, Flow, MemoryStore};
    ///
    /// async fn heat_map(bot: &Engine<MemoryStore>, flow: &Flow) -> Result<String, chatflow::Error> {
    ///     let counts = bot.node_counts(JournalFilter::of(flow.id().clone())).await?;
    ///     Ok(Diagram::of(flow).node_counts(&counts).svg())
    /// }
    /// ```
    pub fn node_counts(self, counts: &[NodeCount]) -> Self {
        let nodes = counts.iter().map(|count| (count.node.clone(), count.visits));
        let ways = counts.iter().flat_map(|count| {
            count.branches.iter().map(|(branch, times)| (count.node.clone(), &**branch, *times))
        });
        self.counts(nodes).branch_counts(ways)
    }

    /// With how often each node was visited: the more often, the warmer its colour. A node that is
    /// not named was never visited.
    pub fn counts(mut self, counts: impl IntoIterator<Item = (NodeId, u64)>) -> Self {
        let counts = counts.into_iter().map(|(node, count)| (node.as_str().to_owned(), count));
        self.overlay.counts.extend(counts);
        self
    }

    /// With how often each branch was taken, beside its name.
    pub fn branch_counts<B: Into<String>>(
        mut self,
        counts: impl IntoIterator<Item = (NodeId, B, u64)>,
    ) -> Self {
        let counts = counts
            .into_iter()
            .map(|(node, branch, count)| ((node.as_str().to_owned(), branch.into()), count));
        self.overlay.branch_counts.extend(counts);
        self
    }

    /// Marks the nodes and branches that were missed, for example by every test.
    pub fn missed<B: Into<String>>(
        mut self,
        nodes: impl IntoIterator<Item = NodeId>,
        branches: impl IntoIterator<Item = (NodeId, B)>,
    ) -> Self {
        self.overlay.missed_nodes.extend(nodes.into_iter().map(|node| node.as_str().to_owned()));
        let ways = branches.into_iter().map(|(node, branch)| (node.as_str().to_owned(), branch.into()));
        self.overlay.missed_ways.extend(ways);
        self
    }

    /// Returns a Mermaid flowchart, which GitHub and many wikis draw.
    #[must_use]
    pub fn mermaid(&self) -> String {
        mermaid::write(&self.picture())
    }

    /// Returns a DOT graph, which Graphviz draws.
    #[must_use]
    pub fn dot(&self) -> String {
        dot::write(&self.picture())
    }

    /// Returns an SVG that needs nothing else: laid out, readable on light and on dark ground,
    /// without scripts, links or fonts of its own.
    #[must_use]
    pub fn svg(&self) -> String {
        Drawing::of(&self.picture()).write()
    }

    /// Returns the position of each node and each branch in [`svg`](Self::svg), as data.
    #[must_use]
    pub fn places(&self) -> Places {
        Places::of_picture(&self.picture())
    }

    fn picture(&self) -> Picture {
        Picture::of(self.flow, &self.overlay)
    }
}
