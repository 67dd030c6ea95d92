//! Checks of the flows that a flow calls: that they are there, that none needs a contact where
//! there is none, and that no way through them leads back to it with no wait in between (SEMANTICS
//! C, T2). A flow that calls itself directly is checked without the others (`check`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::flow::check::graph::{EdgeKind, is_left_at_once};
use crate::flow::compiled::{Flow, Step};
use crate::flow::form::diagnostics::{Diagnostics, did_you_mean};
use crate::flow::form::issue::{IssueCode, Issues, Repair};
use crate::flow::form::path::{Path, brief};
use crate::flow::node::{Blocking, ContactMode};
use crate::flow::place::{NodeIx, Port};
use crate::id::{FlowId, NodeId};

/// Checks that nothing keeps a flow from going online for the flows that it calls. `is_known` tells
/// whether there is one with this code, `names` all codes that there are, `online` finds the
/// version of one that would be called.
pub(crate) fn check_calls<'f>(
    flow: &'f Flow,
    is_known: impl Fn(&FlowId) -> bool,
    names: impl Fn() -> Vec<FlowId>,
    online: impl Fn(&FlowId) -> Option<&'f Flow>,
) -> Result<(), Issues> {
    let mut found = Diagnostics::default();
    let reached = Reached::from(flow, online);
    for (place, step) in flow.steps.iter().enumerate() {
        let Some(call) = step.node.as_call_flow() else { continue };
        found.node = Some(step.id.clone());
        if call.flow != flow.id && !is_known(&call.flow) {
            let names = names();
            let meant = found.meant(call.flow.as_str(), names.iter().map(FlowId::as_str));
            let words = did_you_mean(meant);
            let message = format!("there is no flow {:?}{words}", brief(call.flow.as_str()));
            let at = Path::Root.key("nodes");
            let at = at.item(place);
            let at = at.key("flow");
            let fix = "import that flow first, or name another one";
            let repair = Repair::replace(&at, meant);
            found.add_repairable(IssueCode::UnknownSubflow, &at, message, fix, repair);
        }
        if flow.start().1.contact == ContactMode::None
            && let Some((callee, needy)) = reached.needy(&call.flow)
        {
            let (callee, needy) = (brief(callee.as_str()), brief(needy.id.as_str()));
            let message = format!(
                "leads to {needy:?} of flow {callee:?}, which needs one, but the flow runs without a contact"
            );
            let fix = "call a flow that only sends by from_to, or let the start node need a contact";
            let list = Path::Root.key("nodes");
            found.add(IssueCode::WaitWithoutContact, &list.item(place).key("flow"), message, fix);
        }
    }
    for (place, callee) in reached.calls_at_once(flow) {
        let Some(walk) = reached.walk(callee, &flow.id) else { continue };
        found.node = flow.node(place).map(|step| NodeId::clone(&step.id));
        let names: Vec<String> = walk.iter().map(|id| format!("{:?}", brief(id.as_str()))).collect();
        let message = format!("{:?} -> {} never waits", brief(flow.id.as_str()), names.join(" -> "));
        let fix = "put a wait before one of the calls";
        let list = Path::Root.key("nodes");
        found.add(IssueCode::EndlessRecursion, &list.item(place.as_usize()), message, fix);
    }
    if found.has_errors() { Err(found.into_issues()) } else { Ok(()) }
}

/// The flows that can be reached by calls.
struct Reached<'f> {
    flows: BTreeMap<&'f FlowId, &'f Flow>,
    /// Those of them that can come to their end with no wait.
    passing: BTreeSet<&'f FlowId>,
}

impl<'f> Reached<'f> {
    fn from(flow: &'f Flow, online: impl Fn(&FlowId) -> Option<&'f Flow>) -> Self {
        let mut flows = BTreeMap::from([(&flow.id, flow)]);
        let mut callers: BTreeMap<&FlowId, Vec<&FlowId>> = BTreeMap::new();
        let mut queue = VecDeque::from([flow]);
        while let Some(caller) = queue.pop_front() {
            for callee in caller.calls() {
                callers.entry(callee).or_default().push(&caller.id);
                if !flows.contains_key(callee)
                    && let Some(called) = online(callee)
                {
                    flows.insert(&called.id, called);
                    queue.push_back(called);
                }
            }
        }
        let mut reached = Self { flows, passing: BTreeSet::new() };
        let mut queue: VecDeque<&FlowId> = reached.flows.keys().copied().collect();
        while let Some(next) = queue.pop_front() {
            let Some(flow) = reached.flows.get(next) else { continue };
            if !reached.passing.contains(next) && reached.rush(flow).ends {
                reached.passing.insert(&flow.id);
                queue.extend(callers.get(next).into_iter().flatten());
            }
        }
        reached
    }

    /// A node that needs a contact, of a flow or of those that it calls.
    fn needy(&self, from: &FlowId) -> Option<(&'f FlowId, &'f Step)> {
        let mut seen = BTreeSet::from([from]);
        let mut queue = VecDeque::from([from]);
        while let Some(flow) = queue.pop_front().and_then(|next| self.flows.get(next)) {
            if let Some(step) = flow.steps.iter().find(|step| step.node.needs_contact()) {
                return Some((&flow.id, step));
            }
            queue.extend(flow.calls().filter(|callee| seen.insert(*callee)));
        }
        None
    }

    fn calls_at_once(&self, flow: &'f Flow) -> Vec<(NodeIx, &'f FlowId)> {
        self.rush(flow).calls
    }

    /// The flows that are entered one after the other, with no wait, from one to another.
    fn walk(&self, from: &'f FlowId, to: &FlowId) -> Option<Vec<&'f FlowId>> {
        let mut came_from: BTreeMap<&FlowId, Option<&FlowId>> = BTreeMap::from([(from, None)]);
        let mut queue = VecDeque::from([from]);
        while let Some(next) = queue.pop_front() {
            if next == to {
                let mut walk = vec![next];
                let mut at = next;
                while let Some(Some(before)) = came_from.get(at) {
                    walk.push(before);
                    at = before;
                }
                walk.reverse();
                return Some(walk);
            }
            let Some(flow) = self.flows.get(next) else { continue };
            for (_, callee) in self.calls_at_once(flow) {
                if !came_from.contains_key(callee) {
                    came_from.insert(callee, Some(next));
                    queue.push_back(callee);
                }
            }
        }
        None
    }

    /// Returns how far a flow comes from its start with no wait.
    fn rush(&self, flow: &'f Flow) -> Unwaited<'f> {
        let mut rush = Unwaited { calls: Vec::new(), ends: false };
        let mut seen = BTreeSet::from([flow.entry.0]);
        let mut queue = VecDeque::from([flow.entry.0]);
        while let Some(place) = queue.pop_front() {
            let ways = self.ways(flow, place, &mut rush);
            queue.extend(ways.into_iter().filter(|next| seen.insert(*next)));
        }
        rush
    }

    /// Where a node leads at once. A branch without an edge is the flow's end.
    fn ways(&self, flow: &'f Flow, place: NodeIx, rush: &mut Unwaited<'f>) -> Vec<NodeIx> {
        let (Some(step), Some(def)) = (flow.node(place), flow.def.nodes.get(place.as_usize())) else {
            return Vec::new();
        };
        let blocking = def.kind.blocking();
        let mut passes = false;
        let mut ways = Vec::new();
        rush.ends |= matches!(blocking, Blocking::Ends);
        ways.extend(step.node.as_jump().map(|jump| jump.target));
        if let Some(call) = step.node.as_call_flow() {
            rush.calls.push((place, &call.flow));
            passes = self.passing.contains(&call.flow);
            rush.ends |= passes && call.is_terminal;
        }
        for (port, exit) in (0..).map(Port).zip(&step.exits) {
            if exit.to.is_none() && step.node.falls_back(port) {
                continue;
            }
            let comes_back = passes && port == Port::NEXT;
            match exit.to {
                Some(to) if comes_back || is_left_at_once(&blocking, EdgeKind::Edge(port)) => ways.push(to),
                None if comes_back
                    || matches!(
                        blocking,
                        Blocking::Runs | Blocking::Jumps { .. } | Blocking::Rounds { .. }
                    ) =>
                {
                    rush.ends = true
                }
                _ => {}
            }
        }
        ways
    }
}

/// The part of a flow that happens with no wait.
struct Unwaited<'f> {
    /// The flows that it calls.
    calls: Vec<(NodeIx, &'f FlowId)>,
    /// True if it comes to its end.
    ends: bool,
}
