//! Checks that a flow may write to a contact on WhatsApp when that takes approved templates alone:
//! before the contact has written, or more than a day after it last did (SEMANTICS C). A warning,
//! since the host may know better.

use std::collections::VecDeque;

use chrono::TimeDelta;

use crate::address::Channel;
use crate::flow::check::graph::{EdgeKind, Graph};
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::node::{Blocking, NodeKind};
use crate::flow::place::{NodeIx, Port};
use crate::flow::settings::{SettingsDef, TtlMode, WindowAtStart};
use crate::flow::trigger::TriggerDef;
use crate::id::NodeId;

/// Time for which WhatsApp takes free texts after a message of the contact.
const WINDOW: TimeDelta = TimeDelta::hours(24);
/// A node whose silence grows more often than this is in a loop that timers walk.
const MOST_ROUNDS: u32 = 32;

/// The longest time for which the contact may have been silent. None: longer than the window, or
/// without end.
type LongestSilence = Option<TimeDelta>;

/// Warns once a flow, of the first node; of those beside the talk, a reminder and the words before
/// a session expires, after the others.
pub(crate) fn check(def: &FlowDef, graph: &Graph, entry: NodeIx, found: &mut Diagnostics) {
    let sender = def.settings.as_ref().and_then(|settings| settings.sender.as_ref());
    let (channel, at_start) = match &def.trigger {
        TriggerDef::Inbound(inbound) => (Some(&inbound.channel), Some(TimeDelta::zero())),
        TriggerDef::Manual => {
            let window = def.settings.as_ref().and_then(|settings| settings.window);
            (sender.map(|sender| &sender.channel), window.map(|WindowAtStart::Open| TimeDelta::zero()))
        }
    };
    if channel != Some(&Channel::WhatsApp) || def.is_contactless() {
        return;
    }
    let talk = silences(def, graph, entry, at_start);
    let late = late_node(def, graph, &talk).or_else(|| {
        let beside = beside(def, graph, &talk, at_start).into_iter();
        beside
            .flatten()
            .find_map(|(first, silence)| late_node(def, graph, &silences(def, graph, first, silence)))
    });
    let Some(place) = late else { return };
    found.node = def.nodes.get(place).and_then(|node| NodeId::new(&node.id).ok());
    let message =
        "may be sent when WhatsApp takes templates alone: 24 hours after the contact last wrote, or before";
    let fix = "send a `template`, or lead an edge from `window_closed` or `failed`";
    found.add(IssueCode::WindowMayBeClosed, &Path::Root.key("nodes").item(place), message, fix);
    found.node = None;
}

/// The first node that sends free text where the window may be closed.
fn late_node(def: &FlowDef, graph: &Graph, silences: &[Option<LongestSilence>]) -> Option<usize> {
    let is_late = |(place, silence): &(usize, &Option<LongestSilence>)| {
        let is_free = def.nodes.get(*place).is_some_and(|node| node.kind.sends_free_text());
        let has_branch = graph
            .exits(NodeIx::of(*place))
            .iter()
            .any(|exit| exit.to.is_some() && matches!(&*exit.name, "failed" | "window_closed"));
        is_free && !has_branch && **silence == Some(None)
    };
    silences.iter().enumerate().find(is_late).map(|(place, _)| place)
}

/// Where the reminder and the words before a session expires begin, each with the longest silence
/// there: that before a question which the session waits at until it expires, and that wait.
fn beside(
    def: &FlowDef,
    graph: &Graph,
    talk: &[Option<LongestSilence>],
    at_start: LongestSilence,
) -> [Option<(NodeIx, LongestSilence)>; 2] {
    let Some(settings) = &def.settings else { return [None; 2] };
    let ttl = match settings.session_ttl_minutes.unwrap_or(SettingsDef::USUAL_TTL_MINUTES) {
        0 => None,
        minutes => Some(TimeDelta::minutes(minutes.into())),
    };
    let longest = |less: TimeDelta| {
        let waits = talk.iter().enumerate().filter_map(|(place, silence)| {
            let life = life_at(def, graph, place, ttl)?;
            let silence = (*silence)?.and_then(|before| before.checked_add(&life?)?.checked_sub(&less));
            // A life that is fixed began with what the contact said.
            let is_fixed = settings.ttl_mode == Some(TtlMode::Fixed) && at_start.is_some();
            Some(match (silence, ttl.filter(|_| is_fixed)) {
                (Some(silence), Some(ttl)) => Some(silence.min(ttl)),
                (silence, _) => silence,
            })
        });
        // What is longer than can be told is the longest.
        let waits: Vec<LongestSilence> = waits.collect();
        match waits.contains(&None) {
            true => Some(None),
            false => waits.into_iter().flatten().max().map(Some),
        }
    };
    let node = |id: &str| def.nodes.iter().position(|node| node.id == id).map(NodeIx::of);
    let within = |silence: LongestSilence| silence.filter(|silence| *silence < WINDOW);
    let reminder = settings.reminder.as_ref().filter(|_| ttl.is_some());
    let reminder =
        reminder.and_then(|reminder| Some((node(&reminder.node)?, longest(reminder.before.as_delta())?)));
    let parting =
        settings.on_expire.as_ref().and_then(|words| Some((node(&words.node)?, longest(TimeDelta::zero())?)));
    [reminder, parting].map(|side| side.map(|(first, silence)| (first, within(silence))))
}

/// Returns the time that a session waits at a question before it expires there: its TTL, or the
/// question's own. Some(None): it is not known; None: it does not expire there.
fn life_at(def: &FlowDef, graph: &Graph, place: usize, ttl: Option<TimeDelta>) -> Option<Option<TimeDelta>> {
    let node = def.nodes.get(place)?;
    let Blocking::Reply { timer } = node.kind.blocking() else { return None };
    let Some(port) = timer else { return Some(ttl) };
    let is_left =
        graph.exits(NodeIx::of(place)).get(usize::from(port.0)).is_some_and(|exit| exit.to.is_some());
    (!is_left).then(|| node.kind.longest(port))
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
