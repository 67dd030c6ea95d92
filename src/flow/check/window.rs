//! Checks that a flow may write to a contact on WhatsApp when that takes approved templates alone:
//! before the contact has written, or more than a day after it last did (SEMANTICS C). A warning,
//! since the host may know better.

use std::collections::VecDeque;

use chrono::TimeDelta;

use crate::address::Channel;
use crate::flow::check::graph::{EdgeKind, Graph};
use crate::flow::def::FlowDef;
use crate::flow::form::issue::{Diagnostics, IssueCode};
use crate::flow::form::path::Path;
use crate::flow::node::{Blocking, NodeKind};
use crate::flow::place::{NodeIx, Port};
use crate::flow::trigger::TriggerDef;
use crate::id::NodeId;

/// Time for which WhatsApp takes free texts after a message of the contact.
const WINDOW: TimeDelta = TimeDelta::hours(24);
/// A node whose silence grows more often than this is in a loop that timers walk.
const MOST_ROUNDS: u32 = 32;

/// The longest time for which the contact may have been silent. None: longer than the window, or
/// without end.
type LongestSilence = Option<TimeDelta>;

/// Warns once a flow, of the first node.
pub(crate) fn check(def: &FlowDef, graph: &Graph, entry: NodeIx, found: &mut Diagnostics) {
    let sender = def.settings.as_ref().and_then(|settings| settings.sender.as_ref());
    let (channel, at_start) = match &def.trigger {
        TriggerDef::Inbound(inbound) => (Some(&inbound.channel), Some(TimeDelta::zero())),
        TriggerDef::Manual => (sender.map(|sender| &sender.channel), None),
    };
    if channel != Some(&Channel::WhatsApp) || def.is_contactless() {
        return;
    }
    let silences = silences(def, graph, entry, at_start);
    let is_late = |(place, silence): &(usize, &Option<LongestSilence>)| {
        let is_free = def.nodes.get(*place).is_some_and(|node| node.kind.sends_free_text());
        let has_branch = graph
            .exits(NodeIx::of(*place))
            .iter()
            .any(|exit| exit.to.is_some() && matches!(&*exit.name, "failed" | "window_closed"));
        is_free && !has_branch && **silence == Some(None)
    };
    let Some((place, _)) = silences.iter().enumerate().find(is_late) else { return };
    found.node = def.nodes.get(place).and_then(|node| NodeId::new(&node.id).ok());
    let message =
        "may be sent when WhatsApp takes templates alone: 24 hours after the contact last wrote, or before";
    let fix = "send a `template`, or lead an edge from `window_closed` or `failed`";
    found.add(IssueCode::WindowMayBeClosed, &Path::Root.key("nodes").item(place), message, fix);
    found.node = None;
}

/// The longest silence before each node that is reached.
fn silences(
    def: &FlowDef,
    graph: &Graph,
    entry: NodeIx,
    at_start: LongestSilence,
) -> Vec<Option<LongestSilence>> {
    let mut silences: Vec<Option<LongestSilence>> = vec![None; def.nodes.len()];
    let mut rounds = vec![0_u32; def.nodes.len()];
    let mut queue = VecDeque::from([(entry, at_start)]);
    while let Some((at, silence)) = queue.pop_front() {
        let place = at.as_usize();
        let (Some(known), Some(round), Some(node)) =
            (silences.get_mut(place), rounds.get_mut(place), def.nodes.get(place))
        else {
            continue;
        };
        let is_longer = match (*known, silence) {
            (None, _) => true,
            (Some(None), _) => false,
            (Some(Some(_)), None) => true,
            (Some(Some(known)), Some(new)) => new > known,
        };
        if !is_longer {
            continue;
        }
        *round += 1;
        let silence = silence.filter(|_| *round <= MOST_ROUNDS);
        *known = Some(silence);
        let jumps = match node.kind.blocking() {
            Blocking::Jumps { most, .. } => most,
            _ => 0,
        };
        for (to, way) in graph.ways(at) {
            match way {
                EdgeKind::Jump if *round > jumps => {}
                EdgeKind::Jump => queue.push_back((to, silence)),
                EdgeKind::Edge(port) => queue.push_back((to, after(&node.kind, port, silence))),
            }
        }
    }
    silences
}

/// The silence behind a branch of a node.
fn after(kind: &NodeKind, port: Port, before: LongestSilence) -> LongestSilence {
    if let Blocking::Reply { timer } = kind.blocking()
        && timer != Some(port)
    {
        return Some(TimeDelta::zero());
    }
    let silence = before?.checked_add(&kind.longest(port)?)?;
    (silence < WINDOW).then_some(silence)
}
