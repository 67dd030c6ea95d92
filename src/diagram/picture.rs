//! The picture that every format draws: the nodes and arrows of a flow with their labels and marks,
//! before any layout or escaping.

use std::collections::BTreeMap;

use crate::diagram::Overlay;
use crate::diagram::family::{Family, excerpts};
use crate::diagram::text::clean;
use crate::flow::{Flow, NodeDef, Trigger};
use crate::id::NodeId;

/// Characters of a title, a branch's name.
const TITLE: usize = 80;
const LABEL: usize = 32;

pub(super) struct Picture {
    pub(super) title: String,
    pub(super) nodes: Vec<Node>,
    pub(super) arrows: Vec<Arrow>,
    /// True if what was not visited is to stand back.
    pub(super) has_path: bool,
}

pub(super) struct Node {
    pub(super) id: String,
    pub(super) title: String,
    /// Its kind in words; empty if its title says it.
    pub(super) kind: String,
    pub(super) family: Family,
    /// Lines of what it says or does.
    pub(super) lines: Vec<String>,
    pub(super) is_visited: bool,
    pub(super) is_current: bool,
    pub(super) is_missed: bool,
    pub(super) count: Option<u64>,
    /// From 0 to 1, against the most frequent node.
    pub(super) heat: f64,
}

pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The branch, by its name; None of a jump.
    pub(super) branch: Option<String>,
    /// Empty where there is but one way.
    pub(super) label: String,
    pub(super) is_jump: bool,
    pub(super) is_taken: bool,
    pub(super) is_missed: bool,
}

impl Picture {
    pub(super) fn of(flow: &Flow, overlay: &Overlay) -> Self {
        let nodes = &flow.def().nodes;
        let places: BTreeMap<&str, usize> =
            nodes.iter().enumerate().map(|(place, node)| (node.id.as_str(), place)).collect();
        let most = overlay.counts.values().copied().max().unwrap_or_default();
        let mut picture = Self {
            title: clean(flow.name(), TITLE),
            nodes: nodes.iter().map(|node| shown(node, flow, overlay, most)).collect(),
            arrows: Vec::new(),
            has_path: overlay.current.is_some(),
        };
        for (from, node) in nodes.iter().enumerate() {
            let Ok(id) = NodeId::new(&node.id) else { continue };
            let ways: Vec<_> = flow.branches(&id).collect();
            let is_only = ways.iter().filter(|(_, to)| to.is_some()).count() == 1;
            for (place, (branch, to)) in ways.into_iter().enumerate() {
                let Some(to) = to.and_then(|to| places.get(to.as_str())) else { continue };
                let is_plain = branch == "next" || (is_only && place == 0);
                picture.arrows.push(edge(&id, from, branch, *to, is_plain, overlay));
            }
            if let Some(jump) = node.kind.as_jump()
                && let Some(to) = places.get(jump.target.as_str())
            {
                let label = format!("at most {}×", jump.max_jumps.unwrap_or(1));
                let is_taken = overlay.jumped.contains(&(node.id.clone(), jump.target.clone()));
                picture.arrows.push(Arrow {
                    from,
                    to: *to,
                    branch: None,
                    label,
                    is_jump: true,
                    is_taken,
                    is_missed: false,
                });
            }
        }
        picture
    }
}

fn shown(node: &NodeDef, flow: &Flow, overlay: &Overlay, most: u64) -> Node {
    let count = overlay.counts.get(node.id.as_str()).copied();
    let family = Family::of(node.kind.as_str());
    let lines = if family == Family::Start { vec![beginning(flow.trigger())] } else { excerpts(&node.kind) };
    let title = clean(node.name.as_deref().unwrap_or(&node.id), TITLE);
    let kind = node.kind.as_str().replace('_', " ");
    Node {
        id: node.id.clone(),
        kind: if kind == title { String::new() } else { kind },
        title,
        family,
        lines,
        is_visited: overlay.visited.contains(&node.id),
        is_missed: overlay.missed_nodes.contains(&node.id),
        is_current: overlay.current.as_ref() == Some(&node.id),
        count: if overlay.counts.is_empty() { None } else { Some(count.unwrap_or_default()) },
        heat: if most == 0 { 0.0 } else { (count.unwrap_or_default() as f64 / most as f64).sqrt() },
    }
}

fn beginning(trigger: &Trigger) -> String {
    match trigger.channel() {
        Some(channel) => format!("by a message on {channel}"),
        None => "by call".to_owned(),
    }
}

fn edge(id: &NodeId, from: usize, branch: &str, to: usize, is_plain: bool, overlay: &Overlay) -> Arrow {
    let name = if is_plain { String::new() } else { clean(branch, LABEL) };
    let way = (id.as_str().to_owned(), branch.to_owned());
    let count = overlay.branch_counts.get(&way);
    let label = match count {
        Some(count) if name.is_empty() => format!("{count}×"),
        Some(count) => format!("{name} · {count}×"),
        None => name,
    };
    let (is_taken, is_missed) = (overlay.taken.contains(&way), overlay.missed_ways.contains(&way));
    Arrow { from, to, branch: Some(branch.to_owned()), label, is_jump: false, is_taken, is_missed }
}
