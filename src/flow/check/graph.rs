//! A flow's nodes and the ways between them: a petgraph for the checks, a flat table of exits for
//! the kernel. What must not live here: whether the graph makes sense (`check`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{EdgeFiltered, EdgeRef, IntoEdges};

use crate::flow::compiled::Exit;
use crate::flow::def::{EdgeDef, FlowDef};
use crate::flow::form::diagnostics::{Diagnostics, Unread, did_you_mean};
use crate::flow::form::issue::{IssueCode, Repair};
use crate::flow::form::path::{Path, brief};
use crate::flow::node::{Blocking, NodeDef};
use crate::flow::place::{NodeIx, Port};
use crate::gather::{Arrange, Gather};

/// The ways of a flow, as far as they lead somewhere.
pub(crate) struct Graph {
    graph: DiGraph<(), EdgeKind>,
    exits: Vec<Vec<Exit>>,
}

/// The way from one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EdgeKind {
    /// By an edge from a branch.
    Edge(Port),
    /// By a jump, which is limited.
    Jump,
}

/// The nodes that an edge leaves and points to; one that does not exist is an issue.
fn ends(
    index: &BTreeMap<&str, NodeIx>,
    edge: &EdgeDef,
    at: &Path<'_>,
    found: &mut Diagnostics,
) -> (Option<NodeIx>, Option<NodeIx>) {
    let mut node = |code, key: &str, verb: &str, id: &str| {
        let place = index.get(id).copied();
        if place.is_none() {
            let meant = found.meant(id, index.keys().copied());
            let message = format!("{verb} {:?}, which does not exist{}", brief(id), did_you_mean(meant));
            let fix = "name a node of this flow, or remove the edge";
            found.add_repairable(code, at, message, fix, Repair::replace(&at.key(key), meant));
        }
        place
    };
    let from = node(IssueCode::EdgeFromNowhere, "from", "leaves", &edge.from);
    (from, node(IssueCode::EdgeToNowhere, "to", "points to", &edge.to))
}

impl Graph {
    /// The graph of a definition. An edge that leads nowhere is an issue and left out. The branches
    /// of a node that could not be read are not known.
    pub(crate) fn of(
        def: &FlowDef,
        index: &BTreeMap<&str, NodeIx>,
        unread: Option<&Unread>,
        found: &mut Diagnostics,
    ) -> Self {
        let mut graph = DiGraph::with_capacity(def.nodes.len(), def.edges.len());
        let mut exits = Vec::with_capacity(def.nodes.len());
        for node in &def.nodes {
            graph.add_node(());
            exits.push(
                node.kind
                    .ports()
                    .into_iter()
                    .map(|name| Exit { name: name.as_ref().into(), to: None })
                    .collect(),
            );
        }
        let mut built = Self { graph, exits };
        let list = Path::Root.key("edges");
        for (place, edge) in def.edges.iter().enumerate() {
            let at = list.item(place);
            let (from, to) = match unread {
                // It may be the id of a node that could not be read.
                Some(unread) if !unread.has_ids => {
                    (index.get(&*edge.from).copied(), index.get(&*edge.to).copied())
                }
                _ => ends(index, edge, &at, found),
            };
            if to.is_some_and(|to| is_start(def, to)) {
                let fix = "lead the edge to the node after the start";
                found.add(IssueCode::IntoStart, &at, "leads to the start", fix);
            }
            let Some(from) = from else { continue };
            if unread.is_some_and(|unread| unread.nodes.contains(&from.as_usize())) && !is_start(def, from) {
                if let Some(to) = to {
                    built.graph.add_edge(vertex(from), vertex(to), EdgeKind::Edge(Port::NEXT));
                }
            } else {
                built.add_edge(def, edge, (from, to), &at, found);
            }
        }
        let list = Path::Root.key("nodes");
        for (place, node) in def.nodes.iter().enumerate() {
            let Blocking::Jumps { target, .. } = node.kind.blocking() else { continue };
            let Some(to) = index.get(target) else { continue };
            if is_start(def, *to) {
                found.node = crate::id::NodeId::new(&node.id).ok();
                let fix = "jump to the node after the start";
                found.add(IssueCode::IntoStart, &list.item(place).key("target"), "jumps to the start", fix);
                found.node = None;
            }
            built.graph.add_edge(NodeIndex::new(place), vertex(*to), EdgeKind::Jump);
        }
        built
    }

    fn add_edge(
        &mut self,
        def: &FlowDef,
        edge: &EdgeDef,
        (from, to): (NodeIx, Option<NodeIx>),
        at: &Path<'_>,
        found: &mut Diagnostics,
    ) {
        let Some(node) = def.nodes.get(from.as_usize()) else { return };
        let Some(exits) = self.exits.get_mut(from.as_usize()) else { return };
        let Some(port) = port_of(node, edge, exits, at, found) else { return };
        let Some(exit) = exits.get_mut(usize::from(port.0)) else { return };
        if exit.to.is_some() {
            let message =
                format!("is a second edge from branch {:?} of {:?}", brief(&exit.name), brief(&node.id));
            found.add(IssueCode::DuplicateEdge, at, message, "keep one of the two");
        } else if let Some(to) = to {
            exit.to = Some(to);
            self.graph.add_edge(vertex(from), vertex(to), EdgeKind::Edge(port));
        }
    }

    /// The body of each loop over a list: what its first branch leads to and its second does not
    /// (SEMANTICS N12).
    pub(crate) fn bodies(&self, def: &FlowDef) -> BTreeMap<NodeIx, BTreeSet<NodeIx>> {
        let loops = def.nodes.iter().enumerate().map(|(place, node)| (NodeIx::of(place), node));
        let loops = loops.filter(|(_, node)| matches!(node.kind.blocking(), Blocking::Rounds { .. }));
        let behind = |node: NodeIx, port: Port| {
            let first = self.exits(node).get(usize::from(port.0)).and_then(|exit| exit.to);
            first.map(|first| self.reached_by(first, |from, _| from != node)).unwrap_or_default()
        };
        let body = |node: NodeIx| {
            let done = behind(node, Port(1));
            behind(node, Port(0))
                .into_iter()
                .filter(|inside| *inside != node && !done.contains(inside))
                .gather()
        };
        loops.map(|(node, _)| (node, body(node))).gather()
    }

    /// The exits of each node, in the order of the nodes.
    pub(crate) fn into_exits(self) -> impl Iterator<Item = Box<[Exit]>> {
        self.exits.into_iter().map(Vec::into_boxed_slice)
    }

    pub(crate) fn exits(&self, node: NodeIx) -> &[Exit] {
        self.exits.get(node.as_usize()).map_or(&[], Vec::as_slice)
    }

    /// True if an edge leaves a node by another branch than this one.
    pub(crate) fn has_other_exit(&self, node: NodeIx, than: Port) -> bool {
        let exits = self.exits(node).iter().enumerate();
        exits.filter(|(port, _)| *port != usize::from(than.0)).any(|(_, exit)| exit.to.is_some())
    }

    /// The ways out of a node.
    pub(crate) fn ways(&self, node: NodeIx) -> impl Iterator<Item = (NodeIx, EdgeKind)> {
        self.graph.edges(vertex(node)).map(|edge| (place(edge.target()), *edge.weight()))
    }

    /// The nodes that some way leads to.
    pub(crate) fn reached(&self, from: NodeIx) -> BTreeSet<NodeIx> {
        self.reached_by(from, |_, _| true)
    }

    /// The nodes that are reached by the ways that `keep` keeps.
    pub(crate) fn reached_by(
        &self,
        from: NodeIx,
        keep: impl Fn(NodeIx, EdgeKind) -> bool,
    ) -> BTreeSet<NodeIx> {
        let kept =
            EdgeFiltered::from_fn(&self.graph, |edge: petgraph::graph::EdgeReference<'_, EdgeKind>| {
                keep(place(edge.source()), *edge.weight())
            });
        let mut walk = petgraph::visit::Bfs::new(&kept, vertex(from));
        let mut reached = BTreeSet::new();
        while let Some(node) = walk.next(&kept) {
            reached.insert(place(node));
        }
        reached
    }

    /// Sets of nodes that can be walked in a loop by the ways that `keep` keeps; each with one
    /// such loop.
    pub(crate) fn loops(&self, keep: impl Fn(NodeIx, NodeIx, EdgeKind) -> bool) -> Vec<GraphLoop> {
        let kept =
            EdgeFiltered::from_fn(&self.graph, |edge: petgraph::graph::EdgeReference<'_, EdgeKind>| {
                keep(place(edge.source()), place(edge.target()), *edge.weight())
            });
        // Kosaraju's algorithm, because petgraph's Tarjan recurses once per node.
        let components = kosaraju_scc(&kept).into_iter();
        let mut loops: Vec<GraphLoop> = components
            .filter_map(|nodes| {
                let members: BTreeSet<NodeIx> = nodes.into_iter().map(place).gather();
                let first = *members.first()?;
                let next =
                    |node| kept.edges(vertex(node)).map(|edge| place(edge.target())).collect::<Vec<_>>();
                let walk = shortest_circle(first, &members, next)?;
                Some(GraphLoop { members, walk })
            })
            .collect();
        loops.arrange_by_key(|cycle| cycle.walk.first().copied());
        loops
    }
}

/// Nodes that can be walked forever.
pub(crate) struct GraphLoop {
    /// All of them.
    pub(crate) members: BTreeSet<NodeIx>,
    /// One way round, its first node not repeated.
    pub(crate) walk: Vec<NodeIx>,
}

/// Breadth first from `first` back to itself; `None` for a lone node without a way to itself.
fn shortest_circle(
    first: NodeIx,
    members: &BTreeSet<NodeIx>,
    next: impl Fn(NodeIx) -> Vec<NodeIx>,
) -> Option<Vec<NodeIx>> {
    let mut came_from = BTreeMap::new();
    let mut queue = VecDeque::from([first]);
    while let Some(node) = queue.pop_front() {
        for to in next(node) {
            if to == first {
                let mut walk = vec![node];
                let mut at = node;
                while at != first {
                    at = *came_from.get(&at)?;
                    walk.push(at);
                }
                walk.reverse();
                return Some(walk);
            }
            if members.contains(&to) && !came_from.contains_key(&to) {
                came_from.insert(to, node);
                queue.push_back(to);
            }
        }
    }
    None
}

/// The branch that an edge leaves by.
fn port_of(
    node: &NodeDef,
    edge: &EdgeDef,
    exits: &[Exit],
    at: &Path<'_>,
    found: &mut Diagnostics,
) -> Option<Port> {
    let id = brief(&node.id);
    let known = exits.iter().map(|exit| exit.name.as_ref());
    let fix = format!("use one of its branches: {}", known.clone().collect::<Vec<_>>().join(", "));
    let (message, fix, repair) = match &edge.branch {
        _ if exits.is_empty() => {
            (format!("leaves {id:?}, which is an end"), "remove the edge".to_owned(), None)
        }
        Some(branch) => match exits.iter().position(|exit| *exit.name == **branch) {
            Some(port) => return u16::try_from(port).ok().map(Port),
            None => {
                let meant = found.meant(branch, known);
                let (branch, words) = (brief(branch), did_you_mean(meant));
                let message = format!("leaves {id:?} by branch {branch:?}, which it does not have{words}");
                (message, fix, Repair::replace(&at.key("branch"), meant))
            }
        },
        None if node.kind.has_default_port() => return Some(Port::NEXT),
        None => (format!("leaves {id:?} by no branch"), fix, None),
    };
    found.add_repairable(IssueCode::UnknownBranch, at, message, fix, repair);
    None
}

fn is_start(def: &FlowDef, node: NodeIx) -> bool {
    def.nodes.get(node.as_usize()).is_some_and(|node| node.kind.as_start().is_some())
}

fn vertex(node: NodeIx) -> NodeIndex {
    NodeIndex::new(node.as_usize())
}

fn place(vertex: NodeIndex) -> NodeIx {
    NodeIx::of(vertex.index())
}

/// True if a session can leave a node this way in the turn in which it came.
pub(crate) fn is_left_at_once(blocking: &Blocking<'_>, way: EdgeKind) -> bool {
    match blocking {
        Blocking::Runs | Blocking::Jumps { .. } | Blocking::Rounds { .. } => true,
        Blocking::Calls { failed, .. } => way == EdgeKind::Edge(*failed),
        Blocking::Ends | Blocking::Timed | Blocking::Reply { .. } => false,
    }
}
