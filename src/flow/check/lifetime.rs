//! Delays, rounds and timeouts that outlast the longest life of a session (SEMANTICS C, S1).

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::flow::check::graph::{EdgeKind, Graph};
use crate::flow::check::report::report;
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::span::Span;
use crate::flow::node::Blocking;
use crate::flow::place::{NodeIx, Port};
use crate::gather::Gather;
use crate::limits::Limits;

const FIX: &str = "say `\"lifetime\": \"none\"` in the settings, or wait less";

/// A walk through a flow, by the time that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WalkPace {
    /// As soon as a session can be anywhere.
    Soonest,
    /// As a contact walks who never answers, through lists that are full.
    Silent,
}

/// A place of a walk at which no session lives any more.
struct LatePlace {
    node: NodeIx,
    /// The time since the start.
    after: TimeDelta,
    /// True if its rounds take so long, rather than the node itself.
    goes_round: bool,
}

/// The ways of a flow and the longest life of its sessions.
struct LifetimeCheck<'a> {
    def: &'a FlowDef,
    graph: &'a Graph,
    lifetime: TimeDelta,
}

/// Reports what certainly ends after the longest life, however soon a session comes to it.
pub(super) fn check_certain(
    def: &FlowDef,
    graph: &Graph,
    entry: Option<NodeIx>,
    limits: &Limits,
    found: &mut Diagnostics,
) {
    if let Some((check, entry)) = LifetimeCheck::of(def, graph, entry, limits) {
        check.report_certain(entry, found);
    }
}

/// The same, and where nothing is certain, warns of the first place that a silent contact does not
/// live to see.
pub(super) fn check(
    def: &FlowDef,
    graph: &Graph,
    entry: Option<NodeIx>,
    limits: &Limits,
    found: &mut Diagnostics,
) {
    let Some((check, entry)) = LifetimeCheck::of(def, graph, entry, limits) else { return };
    if check.report_certain(entry, found) {
        return;
    }
    if let Some(place) = check.late_places(entry, WalkPace::Silent).first() {
        let days = place.after.num_days();
        let verb = if place.goes_round { "may go round until" } else { "may end" };
        let message = format!("{verb} {days} days after the start, when no session lives");
        report(def, place.node, found, IssueCode::MayOutlive, message, FIX);
    }
}

impl<'a> LifetimeCheck<'a> {
    /// None: sessions live as long as it takes, or there is no start.
    fn of(
        def: &'a FlowDef,
        graph: &'a Graph,
        entry: Option<NodeIx>,
        limits: &Limits,
    ) -> Option<(Self, NodeIx)> {
        let settings = def.settings.as_ref();
        if settings.is_some_and(|settings| settings.lifetime.is_some()) {
            return None;
        }
        let longest = TimeDelta::from_std(limits.max_lifetime).unwrap_or(TimeDelta::MAX);
        let named = settings.and_then(|settings| settings.max_lifetime.as_ref()).map(Span::as_delta);
        let lifetime = named.unwrap_or(longest).min(longest);
        Some((Self { def, graph, lifetime }, entry?))
    }

    /// True if there was something to report.
    fn report_certain(&self, entry: NodeIx, found: &mut Diagnostics) -> bool {
        let is_certain = |place: &LatePlace| !place.goes_round || !self.has_other_way_out(place.node);
        let late: Vec<_> =
            self.late_places(entry, WalkPace::Soonest).into_iter().filter(is_certain).collect();
        for place in &late {
            let days = place.after.num_days();
            let verb = if place.goes_round { "goes round until" } else { "ends" };
            let message =
                format!("{verb} {days} days after the start at the earliest, when no session lives");
            report(self.def, place.node, found, IssueCode::WaitTooLong, message, FIX);
        }
        !late.is_empty()
    }

    fn blocking(&self, node: NodeIx) -> Blocking<'_> {
        self.def.nodes.get(node.as_usize()).map_or(Blocking::Ends, |node| node.kind.blocking())
    }

    /// The time that a session is at a node before it leaves this way. None: it does not.
    fn time(&self, pace: WalkPace, node: NodeIx, way: EdgeKind) -> Option<TimeDelta> {
        let kind = &self.def.nodes.get(node.as_usize())?.kind;
        match (pace, kind.blocking(), way) {
            (WalkPace::Silent, Blocking::Reply { timer }, EdgeKind::Edge(port)) if timer == Some(port) => {
                kind.longest(port)
            }
            (WalkPace::Silent, Blocking::Reply { .. } | Blocking::Ends, _) => None,
            _ => Some(kind.shortest()),
        }
    }

    /// The time of the rounds that a session goes before it leaves this way.
    fn rounds(&self, pace: WalkPace, node: NodeIx, way: EdgeKind) -> TimeDelta {
        let (first, rounds) = match (self.blocking(node), way) {
            (Blocking::Jumps { most, .. }, EdgeKind::Edge(_)) => {
                let jump = self.graph.ways(node).find(|(_, way)| *way == EdgeKind::Jump);
                (jump.map(|(to, _)| to), most)
            }
            (Blocking::Rounds { most }, EdgeKind::Edge(Port(1))) if pace == WalkPace::Silent => {
                let body = self.graph.ways(node).find(|(_, way)| *way == EdgeKind::Edge(Port(0)));
                (body.map(|(to, _)| to), most)
            }
            _ => return TimeDelta::zero(),
        };
        let round = first.and_then(|first| self.distance(pace, first, node)).unwrap_or_default();
        i32::try_from(rounds).ok().and_then(|rounds| round.checked_mul(rounds)).unwrap_or(TimeDelta::MAX)
    }

    /// The time of the shortest way between two nodes.
    fn distance(&self, pace: WalkPace, from: NodeIx, to: NodeIx) -> Option<TimeDelta> {
        let mut ways = BTreeSet::from([(TimeDelta::zero(), from)]);
        let mut seen = BTreeSet::new();
        while let Some((since, node)) = ways.pop_first() {
            if node == to {
                return Some(since);
            }
            if seen.insert(node) {
                ways.extend(self.graph.ways(node).filter_map(|(next, way)| {
                    Some((since.checked_add(&self.time(pace, node, way)?)?, next))
                }));
            }
        }
        None
    }

    /// The first places on each way that a session does not live to leave. What takes longer than a
    /// life alone is told where it is written.
    fn late_places(&self, entry: NodeIx, pace: WalkPace) -> Vec<LatePlace> {
        let mut ways = BTreeSet::from([(TimeDelta::zero(), entry)]);
        let mut seen = BTreeSet::new();
        let mut late: Vec<LatePlace> = Vec::new();
        while let Some((since, node)) = ways.pop_first() {
            if !seen.insert(node) {
                continue;
            }
            let own = self.graph.ways(node).map(|(to, way)| (Some(to), way));
            // A delay may be the last of a way.
            for (to, way) in own.chain([(None, EdgeKind::Edge(Port::NEXT))]) {
                let Some(time) = self.time(pace, node, way) else { continue };
                let until = since.checked_add(&time).unwrap_or(TimeDelta::MAX);
                let after = until.checked_add(&self.rounds(pace, node, way)).unwrap_or(TimeDelta::MAX);
                if after <= self.lifetime {
                    ways.extend(to.map(|to| (after, to)));
                } else if time <= self.lifetime && late.last().is_none_or(|last| last.node != node) {
                    late.push(LatePlace { node, after, goes_round: until <= self.lifetime });
                }
            }
        }
        late
    }

    /// True if a session can leave the rounds of a jump by another way than its last one.
    fn has_other_way_out(&self, jump: NodeIx) -> bool {
        let first = self.graph.ways(jump).find(|(_, way)| *way == EdgeKind::Jump);
        let Some((first, _)) = first else { return false };
        let comes_back = |node: &NodeIx| self.distance(WalkPace::Soonest, *node, jump).is_some();
        let inside: BTreeSet<NodeIx> = self.graph.reached(first).into_iter().filter(comes_back).gather();
        inside.iter().filter(|node| **node != jump).any(|node| {
            let stops = matches!(self.blocking(*node), Blocking::Reply { .. })
                && self.graph.exits(*node).iter().any(|exit| exit.to.is_none());
            stops || self.graph.ways(*node).any(|(to, _)| !inside.contains(&to))
        })
    }
}
