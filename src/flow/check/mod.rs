//! The rules of a flow as a whole: where it begins, that every way leads on, that no loop runs
//! away (SEMANTICS C). What must not live here: the rules of one node, which are its kind's.

mod channels;
pub(crate) mod graph;
mod lifetime;
mod loops;
mod no_items;
pub(crate) mod recursion;
mod reminder;
mod report;
mod unanswered;
pub(crate) mod undeclared;
mod untranslated;
mod window;

use std::collections::BTreeSet;

pub(crate) use reminder::SideBranch;
pub(crate) use unanswered::has_offers;

use crate::flow::check::graph::{Graph, is_left_at_once};
use crate::flow::check::report::{report, report_repairable};
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::{Diagnostics, Unread};
use crate::flow::form::issue::{IssueCode, Repair};
use crate::flow::form::path::{Path, brief};
use crate::flow::node::{Blocking, NodeDef};
use crate::flow::place::{NodeIx, Port};
use crate::flow::trigger::TriggerDef;
use crate::gather::Gather;
use crate::limits::Limits;

/// Where sessions come to beside the start and the edges.
pub(crate) struct SideEntries {
    /// By keywords.
    pub(crate) jumps: Vec<NodeIx>,
    /// Without leaving the current node.
    pub(crate) beside: Vec<(NodeIx, SideBranch)>,
}

/// Checks what does not hang on the parts of a flow that could not be read. A node that could not
/// be read is an end here: nothing is known of its ways but the edges that are written down.
pub(crate) fn check_rest(
    def: &FlowDef,
    graph: &Graph,
    unread: &Unread,
    limits: &Limits,
    found: &mut Diagnostics,
) {
    check_timeouts(def, found);
    let mut starts = nodes(def).filter(|(_, node)| node.kind.as_start().is_some());
    let entry = starts.next().map(|(entry, _)| entry);
    if entry.is_some() || (unread.nodes.is_empty() && unread.has_ids) {
        check_entry(def, found);
    }
    let Some(entry) = entry else { return };
    let reached = graph.reached(entry);
    if unread.has_ids && unread.has_edges {
        check_exits(def, graph, &reached, found);
        loops::check(def, graph, limits, &reached, found);
    }
    if unread.has_head {
        lifetime::check_certain(def, graph, Some(entry), limits, found);
        check_sender(def, &reached, found);
        untranslated::check(def, graph, found);
        check_recursion(def, graph, entry, found);
    }
    found.node = None;
}

/// Checks the graph; the start node, if there is one.
pub(crate) fn check(
    def: &FlowDef,
    graph: &Graph,
    sides: &SideEntries,
    limits: &Limits,
    found: &mut Diagnostics,
) -> Option<NodeIx> {
    let entry = check_entry(def, found);
    let reached = match entry {
        Some(entry) => check_reached(def, graph, sides, entry, found),
        None => nodes(def).map(|(place, _)| place).gather(),
    };
    check_exits(def, graph, &reached, found);
    check_timeouts(def, found);
    if let Some(entry) = entry {
        window::check(def, graph, entry, found);
    }
    lifetime::check(def, graph, entry, limits, found);
    check_sender(def, &reached, found);
    channels::check(def, found);
    untranslated::check(def, graph, found);
    unanswered::check(def, graph, found);
    no_items::check(def, graph, &reached, found);
    loops::check(def, graph, limits, &reached, found);
    check_loops(def, graph, &reached, found);
    if let Some(entry) = entry {
        check_recursion(def, graph, entry, found);
    }
    found.node = None;
    entry
}

fn nodes(def: &FlowDef) -> impl Iterator<Item = (NodeIx, &NodeDef)> {
    def.nodes.iter().enumerate().map(|(place, node)| (NodeIx::of(place), node))
}

fn check_entry(def: &FlowDef, found: &mut Diagnostics) -> Option<NodeIx> {
    let mut starts = nodes(def).filter(|(_, node)| node.kind.as_start().is_some());
    let Some((entry, first)) = starts.next() else {
        let fix = "add a node of kind `start`";
        found.add(IssueCode::NoEntry, &Path::Root.key("nodes"), "no node is a start", fix);
        return None;
    };
    for (extra, _) in starts {
        let message = format!("is a second start, {:?} is one already", brief(&first.id));
        report(def, extra, found, IssueCode::ManyEntries, message, "keep one start");
    }
    Some(entry)
}

/// Of a node that nothing leads to it does no harm where a way is missing.
fn check_exits(def: &FlowDef, graph: &Graph, reached: &BTreeSet<NodeIx>, found: &mut Diagnostics) {
    for (place, node) in nodes(def).filter(|(place, _)| reached.contains(place)) {
        for (port, exit) in graph.exits(place).iter().enumerate() {
            let Ok(port) = u16::try_from(port) else { continue };
            if exit.to.is_none() && node.kind.wants_edge(Port(port)) {
                let message = "fails the session where its template gives what cannot be read".to_owned();
                let fix = "add an edge from `invalid`";
                report(def, place, found, IssueCode::NoInvalidEdge, message, fix);
            }
            if exit.to.is_some() || !node.kind.needs_edge(Port(port)) {
                continue;
            }
            let repair = Some(Repair::Lead { branch: exit.name.to_string() });
            if node.kind.is_else(Port(port)) {
                let fix = "add an edge from `else`, for when no condition holds";
                let message = "its `else` leads nowhere".into();
                report_repairable(def, place, found, IssueCode::MissingElse, message, (fix, repair));
            } else {
                let message = format!("branch {:?} leads nowhere", brief(&exit.name));
                let fix = "add an edge from it, or remove the branch";
                report_repairable(def, place, found, IssueCode::DeadEnd, message, (fix, repair));
            }
        }
    }
}

/// The caller who triggers the flow has to say where its messages leave from. Told once a flow, of
/// the first node that sends; where no contact is needed, that is an error of each.
fn check_sender(def: &FlowDef, reached: &BTreeSet<NodeIx>, found: &mut Diagnostics) {
    let has_sender = def.settings.as_ref().is_some_and(|settings| settings.sender.is_some());
    if has_sender || def.is_contactless() || def.trigger != TriggerDef::Manual {
        return;
    }
    let sends = |(place, node): &(NodeIx, &NodeDef)| reached.contains(place) && node.kind.needs_sender();
    if let Some((first, _)) = nodes(def).find(sends) {
        let message =
            "has nothing to send from, unless the trigger says so: the flow has no `settings.sender`";
        let fix = "give `settings.sender`, or name the account in each trigger";
        report(def, first, found, IssueCode::NoSender, message.to_owned(), fix);
    }
}

/// An edge for a timeout that never comes.
fn check_timeouts(def: &FlowDef, found: &mut Diagnostics) {
    let waits = def.nodes.iter().filter_map(|node| match node.kind.blocking() {
        Blocking::Reply { timer } if !times_out(node, timer) => Some((node.id.as_str(), timer.is_some())),
        _ => None,
    });
    let waits: std::collections::BTreeMap<_, _> = waits.gather();
    let list = Path::Root.key("edges");
    for (place, edge) in def.edges.iter().enumerate() {
        let Some(continues) = waits.get(edge.from.as_str()) else { continue };
        if edge.branch.as_deref() != Some("timeout") {
            continue;
        }
        let why = if *continues { "continues on timeout" } else { "has no timeout" };
        let message = format!("leaves {:?} by `timeout`, but it {why}", brief(&edge.from));
        let fix = "give the wait a `timeout` and no `on_timeout`, or remove the edge";
        found.add(IssueCode::TimeoutBranch, &list.item(place), message, fix);
    }
}

/// True if a wait leaves by `timeout` when its time has passed.
fn times_out(node: &NodeDef, timer: Option<Port>) -> bool {
    let port = timer.and_then(|port| node.kind.ports().into_iter().nth(usize::from(port.0)));
    port.is_some_and(|name| name == "timeout")
}

/// The nodes that sessions come to.
fn check_reached(
    def: &FlowDef,
    graph: &Graph,
    sides: &SideEntries,
    entry: NodeIx,
    found: &mut Diagnostics,
) -> BTreeSet<NodeIx> {
    let roots = sides.jumps.iter().chain([&entry]);
    let mut reached: BTreeSet<NodeIx> = roots.flat_map(|root| graph.reached(*root)).gather();
    let talk = reached.clone();
    for (first, kind) in &sides.beside {
        reminder::check(def, graph, (*first, *kind), &talk, found);
        reached.extend(graph.reached(*first));
    }
    let mut ids = BTreeSet::new();
    for (place, node) in nodes(def) {
        // A second start, or a second node of one id, has been reported as such.
        let is_extra = !ids.insert(&node.id) || node.kind.as_start().is_some();
        if !reached.contains(&place) && !is_extra {
            let fix = "lead an edge to it, or remove it";
            report(def, place, found, IssueCode::Unreachable, "cannot be reached".into(), fix);
        }
    }
    reached
}

/// A loop over a list that nothing comes back to stops at the first item.
fn check_loops(def: &FlowDef, graph: &Graph, reached: &BTreeSet<NodeIx>, found: &mut Diagnostics) {
    for (node, body) in graph.bodies(def).iter().filter(|(node, _)| reached.contains(node)) {
        let comes_back = |inside: &NodeIx| graph.ways(*inside).any(|(to, _)| to == *node);
        if !body.iter().any(comes_back) {
            let message = "stops at the first item: nothing that only `each` leads to comes back".to_owned();
            let fix = "lead an edge from the end of the body back to it";
            report(def, *node, found, IssueCode::OpenLoop, message, fix);
        }
    }
}

/// A call of the flow by itself that its start leads to at once. Whether it does so by way of
/// others is checked when they are known (`recursion`).
fn check_recursion(def: &FlowDef, graph: &Graph, entry: NodeIx, found: &mut Diagnostics) {
    let blocking =
        |node: NodeIx| def.nodes.get(node.as_usize()).map_or(Blocking::Ends, |node| node.kind.blocking());
    for node in graph.reached_by(entry, |from, way| is_left_at_once(&blocking(from), way)) {
        if matches!(blocking(node), Blocking::Calls { flow, .. } if flow == def.code) {
            let message = "calls its own flow, and nothing waits in between".to_owned();
            let fix = "put a wait before the call, or go back by a `jump`";
            report(def, node, found, IssueCode::EndlessRecursion, message, fix);
        }
    }
}
