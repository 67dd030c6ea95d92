//! Loops of a flow that never wait, that visit too many nodes in one turn, or that send for as
//! long as the contact is silent.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::check::graph::{EdgeKind, Graph, GraphLoop, is_left_at_once};
use crate::flow::check::report::report;
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::brief;
use crate::flow::node::Blocking;
use crate::flow::place::{NodeIx, Port};
use crate::gather::Gather;
use crate::limits::Limits;

/// Reports each loop once, by the first rule that it breaks.
pub(crate) fn check(
    def: &FlowDef,
    graph: &Graph,
    limits: &Limits,
    reached: &BTreeSet<NodeIx>,
    found: &mut Diagnostics,
) {
    let loops = LoopCheck { def, graph, reached, bodies: graph.bodies(def) };
    let endless = loops.check_endless(found);
    loops.check_long(&endless, limits, found);
    loops.check_timers(&endless, found);
}

/// The graph of a flow, as the rules of loops ask of it.
struct LoopCheck<'a> {
    def: &'a FlowDef,
    graph: &'a Graph,
    reached: &'a BTreeSet<NodeIx>,
    /// The nodes that the loops over lists visit for each item.
    bodies: BTreeMap<NodeIx, BTreeSet<NodeIx>>,
}

impl LoopCheck<'_> {
    fn blocking(&self, node: NodeIx) -> Blocking<'_> {
        self.def.nodes.get(node.as_usize()).map_or(Blocking::Ends, |node| node.kind.blocking())
    }

    fn at_once(&self, node: NodeIx) -> Option<Port> {
        self.def.nodes.get(node.as_usize()).and_then(|node| node.kind.at_once())
    }

    /// True if a session can take this way in the turn in which it came to the node.
    fn runs(&self, node: NodeIx, way: EdgeKind) -> bool {
        is_left_at_once(&self.blocking(node), way)
            || matches!(way, EdgeKind::Edge(port) if self.at_once(node) == Some(port))
    }

    /// True if a session can take this way without a word of the contact.
    fn is_taken_in_silence(&self, node: NodeIx, way: EdgeKind) -> bool {
        match (self.blocking(node), way) {
            (_, EdgeKind::Jump) | (Blocking::Ends, _) => false,
            (Blocking::Reply { timer }, EdgeKind::Edge(port)) => {
                timer == Some(port) || self.at_once(node) == Some(port)
            }
            // The called flow is checked by itself.
            (Blocking::Calls { failed, .. }, EdgeKind::Edge(port)) => failed == port,
            _ => true,
        }
    }

    /// True for a way back from the body of a loop over a list, which is taken as often as the
    /// list has items.
    fn is_round(&self, from: NodeIx, to: NodeIx) -> bool {
        self.bodies.get(&to).is_some_and(|body| body.contains(&from))
    }

    fn is_walked(&self, cycle: &GraphLoop) -> bool {
        cycle.members.iter().any(|node| self.reached.contains(node))
    }

    /// True for a loop that sessions come to, and that shares no node with those reported.
    fn is_news(&self, cycle: &GraphLoop, reported: &BTreeSet<NodeIx>) -> bool {
        self.is_walked(cycle) && cycle.members.is_disjoint(reported)
    }

    /// Reports loops that never wait; returns their nodes.
    fn check_endless(&self, found: &mut Diagnostics) -> BTreeSet<NodeIx> {
        let mut endless = self
            .graph
            .loops(|from, to, way| way != EdgeKind::Jump && !self.is_round(from, to) && self.runs(from, way));
        endless.retain(|cycle| self.is_walked(cycle));
        for cycle in &endless {
            let message = format!("{} never waits", walk(self.def, cycle));
            let fix = "put a wait into the loop, or go back by a `jump` with `max_jumps`";
            report(self.def, start_of(cycle), found, IssueCode::EndlessLoop, message, fix);
        }
        endless.iter().flat_map(|cycle| cycle.members.iter().copied()).gather()
    }

    /// Reports loops that can visit more nodes than a turn may.
    fn check_long(&self, reported: &BTreeSet<NodeIx>, limits: &Limits, found: &mut Diagnostics) {
        let loops = self.graph.loops(|from, _, way| self.runs(from, way));
        for cycle in loops.iter().filter(|cycle| self.is_news(cycle, reported)) {
            let visits = self.visits(cycle);
            if visits >= u64::from(limits.nodes_per_turn) {
                let most = limits.nodes_per_turn;
                let message = format!(
                    "{} can visit {visits} nodes in one turn, fewer than {most} are allowed",
                    walk(self.def, cycle)
                );
                let fix = "lower `max_jumps` or `limit`, or put a wait into the loop";
                report(self.def, start_of(cycle), found, IssueCode::LongLoop, message, fix);
            }
        }
    }

    /// The most nodes that one turn visits in a loop. Between two jumps no node is met twice, or
    /// the loop would be endless.
    fn visits(&self, cycle: &GraphLoop) -> u64 {
        let jumps = cycle.members.iter().map(|node| match self.blocking(*node) {
            Blocking::Jumps { most, .. } => u64::from(most),
            _ => 0,
        });
        let goes_round =
            |node: &NodeIx| self.bodies.get(node).is_some_and(|body| !body.is_disjoint(&cycle.members));
        let lists = cycle.members.iter().filter_map(|node| match self.blocking(*node) {
            Blocking::Rounds { most } if goes_round(node) => Some(u64::from(most)),
            _ => None,
        });
        let rounds = lists.fold(jumps.sum::<u64>().saturating_add(1), u64::saturating_mul);
        rounds.saturating_mul(cycle.members.len() as u64)
    }

    /// Reports loops that send without a word of the contact.
    fn check_timers(&self, reported: &BTreeSet<NodeIx>, found: &mut Diagnostics) {
        let sends = |node: &NodeIx| self.def.nodes.get(node.as_usize()).is_some_and(|node| node.kind.sends());
        let loops =
            self.graph.loops(|from, to, way| !self.is_round(from, to) && self.is_taken_in_silence(from, way));
        for cycle in loops.iter().filter(|cycle| self.is_news(cycle, reported)) {
            if cycle.members.iter().any(sends) {
                let message =
                    format!("{} never stops sending while the contact is silent", walk(self.def, cycle));
                let fix = "go back by a `jump` with `max_jumps`, or wait for a reply without a timeout";
                report(self.def, start_of(cycle), found, IssueCode::TimerLoop, message, fix);
            }
        }
    }
}

fn start_of(cycle: &GraphLoop) -> NodeIx {
    cycle.walk.first().copied().unwrap_or(NodeIx(0))
}

/// `"a" -> "b" -> "a"`, cut in the middle if it is long.
fn walk(def: &FlowDef, cycle: &GraphLoop) -> String {
    const SHOWN: usize = 8;
    let name = |node: &NodeIx| def.nodes.get(node.as_usize()).map(|node| format!("{:?}", brief(&node.id)));
    let mut names: Vec<String> = cycle.walk.iter().take(SHOWN).filter_map(name).collect();
    if cycle.walk.len() > SHOWN {
        names.push("…".into());
    }
    names.extend(cycle.walk.first().and_then(name));
    names.join(" -> ")
}
