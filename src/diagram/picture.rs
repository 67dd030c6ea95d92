//! The picture that every format draws: the nodes and arrows of a flow with their labels and marks,
//! before any layout or escaping.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::diagram::family::{Family, lines};
use crate::diagram::language::ShownLanguage;
use crate::diagram::text::clean;
use crate::diagram::{Overlay, notes, rules};
use crate::flow::{Flow, KeywordAction, NodeDef, SettingsDef};
use crate::gather::Gather;
use crate::id::NodeId;

/// Characters of a title, a branch's name.
const TITLE: usize = 80;
const LABEL: usize = 32;
/// Characters of a line.
const LINE: usize = 120;
/// Branches that a flow is not drawn for: what they lead to is beside its main way.
const ASIDE: &[&str] = &["failed", "invalid", "timeout", "empty", "expired", "each"];

pub(super) struct Picture {
    pub(super) name: String,
    /// The lines above the picture, if they were asked for: the flow's name and its version.
    pub(super) heading: Vec<String>,
    pub(super) is_dark: bool,
    /// The nodes of the flow, then what is drawn beside them.
    pub(super) nodes: Vec<PictureNode>,
    /// Those of the flow.
    pub(super) own_nodes: usize,
    pub(super) arrows: Vec<Arrow>,
    /// True if what was not visited is drawn faint.
    pub(super) has_path: bool,
}

#[derive(Default)]
pub(super) struct PictureNode {
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

#[derive(Default)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The branch, by its name; None of a jump or a note.
    pub(super) branch: Option<String>,
    /// Empty where there is but one way.
    pub(super) label: String,
    /// True of a jump, and of what leads to a node from anywhere.
    pub(super) is_dashed: bool,
    pub(super) is_taken: bool,
    pub(super) is_missed: bool,
    /// True if it is part of the way that the flow is made for.
    pub(super) is_main: bool,
}

/// A picture in the making.
struct PictureBuilder<'a> {
    flow: &'a Flow,
    overlay: &'a Overlay,
    settings: &'a SettingsDef,
    language: ShownLanguage<'a>,
    places: BTreeMap<&'a str, usize>,
    /// The flow as a file has it.
    written: Value,
    picture: Picture,
}

impl Picture {
    pub(super) fn of(flow: &Flow, overlay: &Overlay) -> Self {
        let nodes = &flow.def().nodes;
        let default = SettingsDef::default();
        let settings = flow.def().settings.as_ref().unwrap_or(&default);
        let name = clean(flow.name(), TITLE);
        let title = overlay.has_title.then(|| name.clone());
        let version = overlay.version.map(|version| format!("version {}", version.0));
        let mut sketch = PictureBuilder {
            flow,
            overlay,
            settings,
            language: ShownLanguage::of(settings),
            places: nodes.iter().enumerate().map(|(place, node)| (node.id.as_str(), place)).gather(),
            written: flow.def().written(),
            picture: Self {
                name,
                heading: title.into_iter().chain(version).collect(),
                is_dark: overlay.is_dark,
                nodes: Vec::new(),
                own_nodes: nodes.len(),
                arrows: Vec::new(),
                has_path: overlay.current.is_some(),
            },
        };
        sketch.draw_nodes();
        sketch.draw_ways();
        sketch.mark_main_way();
        sketch.draw_notes();
        sketch.picture
    }
}

impl PictureBuilder<'_> {
    fn draw_nodes(&mut self) {
        let most = self.overlay.counts.values().copied().max().unwrap_or_default();
        let nodes = self.flow.def().nodes.iter().enumerate();
        self.picture.nodes = nodes.map(|(place, node)| self.node(node, self.written(place), most)).collect();
    }

    /// The node at this place, as a flow file has it.
    fn written(&self, place: usize) -> &Value {
        self.written.get("nodes").and_then(|nodes| nodes.get(place)).unwrap_or(&Value::Null)
    }

    fn node(&self, node: &NodeDef, written: &Value, most: u64) -> PictureNode {
        let (flow, overlay) = (self.flow, self.overlay);
        let count = overlay.counts.get(node.id.as_str()).copied();
        let family = Family::of(node.kind.as_str());
        let texts = match family {
            Family::Start => {
                let begun = notes::beginning(flow.trigger(), self.written.get("trigger"), self.settings);
                begun.iter().map(|line| clean(line, LINE)).collect()
            }
            _ => lines(node.kind.as_str(), written, self.language),
        };
        let title = clean(node.name.as_deref().unwrap_or(&node.id), TITLE);
        let kind = node.kind.as_str().replace('_', " ");
        PictureNode {
            id: node.id.clone(),
            kind: if kind == title { String::new() } else { kind },
            title,
            family,
            lines: texts,
            is_visited: overlay.visited.contains(&node.id),
            is_missed: overlay.missed_nodes.contains(&node.id),
            is_current: overlay.current.as_ref() == Some(&node.id),
            count: if overlay.counts.is_empty() { None } else { Some(count.unwrap_or_default()) },
            heat: if most == 0 { 0.0 } else { (count.unwrap_or_default() as f64 / most as f64).sqrt() },
        }
    }

    fn draw_ways(&mut self) {
        let reached = self.reached();
        for (from, node) in self.flow.def().nodes.iter().enumerate() {
            let Ok(id) = NodeId::new(&node.id) else { continue };
            let ways: Vec<_> = self.flow.branches(&id).collect();
            let ends = match reached.contains(&from) {
                true => ends(self.written(from), node.kind.as_str(), &ways),
                false => Ends::default(),
            };
            let connected = ways.iter().filter(|(_, to)| to.is_some()).count();
            let is_only = connected + usize::from(ends.completes.is_some()) == 1;
            for (place, (branch, to)) in ways.into_iter().enumerate() {
                let to = to.and_then(|to| self.places.get(to.as_str()).copied());
                let to = to.or_else(|| (ends.completes == Some(branch)).then(|| self.stop()));
                let Some(to) = to else { continue };
                let is_plain = branch == "next" || (is_only && place == 0);
                let arrow = self.way(&id, from, branch, to, is_plain);
                self.picture.arrows.push(arrow);
            }
            self.picture.nodes[from].lines.extend(ends.others);
            self.draw_jump(from, node);
        }
    }

    /// The nodes that a session comes to by itself, and not only while it waits or ends.
    fn reached(&self) -> BTreeSet<usize> {
        let def = self.flow.def();
        let words = self.settings.keywords.iter().flatten();
        let jumps = words.filter(|word| word.action == KeywordAction::Jump);
        let jumps = jumps.filter_map(|word| self.places.get(word.node.as_deref()?).copied());
        let starts = self.picture.nodes.iter().position(|node| node.family == Family::Start);
        let mut open: Vec<usize> = starts.into_iter().chain(jumps).collect();
        let mut reached = BTreeSet::new();
        while let Some(place) = open.pop() {
            if !reached.insert(place) {
                continue;
            }
            let node = &def.nodes[place];
            let edges = def.edges.iter().filter(|edge| edge.from == node.id).map(|edge| edge.to.as_str());
            let jump = node.kind.as_jump().map(|jump| jump.target.as_str());
            open.extend(edges.chain(jump).filter_map(|to| self.places.get(to).copied()));
        }
        reached
    }

    /// The end of a session that no node shows.
    fn stop(&mut self) -> usize {
        let stop =
            PictureNode { title: "completed".to_owned(), family: Family::Stop, ..PictureNode::default() };
        self.picture.nodes.push(stop);
        self.picture.nodes.len() - 1
    }

    fn way(&self, id: &NodeId, from: usize, branch: &str, to: usize, is_plain: bool) -> Arrow {
        let way = (id.as_str().to_owned(), branch.to_owned());
        let name = if is_plain { String::new() } else { self.name(from, branch) };
        let label = match self.overlay.branch_counts.get(&way) {
            Some(count) if name.is_empty() => format!("{count}×"),
            Some(count) => format!("{name} · {count}×"),
            None => name,
        };
        Arrow {
            from,
            to,
            branch: Some(branch.to_owned()),
            label,
            is_taken: self.overlay.taken.contains(&way),
            is_missed: self.overlay.missed_ways.contains(&way),
            ..Arrow::default()
        }
    }

    /// The name of a branch as people know it: a choice by its label, a chance with its share.
    fn name(&self, from: usize, branch: &str) -> String {
        let node = self.written(from);
        let choices = node.get("choices").and_then(Value::as_array).into_iter().flatten();
        let is_it = |choice: &&Value| choice.get("id").and_then(Value::as_str) == Some(branch);
        let label = choices.into_iter().find(is_it).and_then(|choice| choice.get("label"));
        let label = label.map(|label| clean(&self.language.brief(label), LABEL));
        let name = label.filter(|label| !label.is_empty()).unwrap_or_else(|| clean(branch, LABEL));
        match self.picture.nodes[from].kind == "random split" {
            true => rules::share(node, branch).map_or(name.clone(), |share| format!("{name} · {share}")),
            false => name,
        }
    }

    fn draw_jump(&mut self, from: usize, node: &NodeDef) {
        if let Some(jump) = node.kind.as_jump()
            && let Some(to) = self.places.get(jump.target.as_str())
        {
            self.picture.arrows.push(Arrow {
                from,
                to: *to,
                label: format!("at most {}×", jump.max_jumps.unwrap_or(1)),
                is_dashed: true,
                is_taken: self.overlay.jumped.contains(&(node.id.clone(), jump.target.clone())),
                ..Arrow::default()
            });
        }
    }

    /// Marks the way that the flow is made for: from the start by the first branch of each node
    /// that is not for what went wrong, as long as it leads to something new.
    fn mark_main_way(&mut self) {
        let start = self.picture.nodes.iter().position(|node| node.family == Family::Start);
        let mut seen = BTreeSet::new();
        let mut at = start;
        while let Some(from) = at {
            seen.insert(from);
            let arrows = &mut self.picture.arrows;
            let leads_on =
                |arrow: &Arrow| arrow.from == from && !arrow.is_dashed && !seen.contains(&arrow.to);
            let is_meant =
                |arrow: &Arrow| arrow.branch.as_deref().is_some_and(|branch| !ASIDE.contains(&branch));
            let found = arrows.iter().position(|arrow| leads_on(arrow) && is_meant(arrow));
            let found = found.or_else(|| arrows.iter().position(leads_on));
            at = found.map(|place| {
                arrows[place].is_main = true;
                arrows[place].to
            });
        }
    }

    fn draw_notes(&mut self) {
        for note in notes::of(self.settings) {
            let to = note.to.as_deref().and_then(|to| self.places.get(to).copied());
            let from = self.picture.nodes.len();
            self.picture.nodes.push(PictureNode {
                title: clean(&note.title, TITLE),
                kind: note.kind.to_owned(),
                family: Family::Note,
                lines: note.lines.iter().map(|line| clean(line, LINE)).collect(),
                ..PictureNode::default()
            });
            let arrow = |to| Arrow { from, to, is_dashed: true, ..Arrow::default() };
            self.picture.arrows.extend(to.map(arrow));
        }
    }
}

/// The branches of a node that end a session because no edge leaves them.
#[derive(Default)]
struct Ends<'a> {
    /// The one that completes it.
    completes: Option<&'a str>,
    /// The others, in words.
    others: Vec<String>,
}

/// SEMANTICS N1: without an edge for `next`, `replied` or a choice a session is completed, without
/// one for `failed` or `invalid` it has failed, without one for `timeout` it expires; a message
/// that was not sent, and a choice, take the first branch instead.
fn ends<'a>(written: &Value, kind: &str, ways: &[(&'a str, Option<&NodeId>)]) -> Ends<'a> {
    let mut ends = Ends::default();
    for (place, (branch, _)) in ways.iter().enumerate().filter(|(_, (_, to))| to.is_none()) {
        match *branch {
            "failed" | "invalid" if kind != "send_message" => ends.others.push(format!("{branch}: fails")),
            "timeout" => ends.others.push("timeout: expires".to_owned()),
            branch if branch == "done" || (place == 0 && takes_first(written, kind, ways)) => {
                ends.completes = Some(branch);
            }
            _ => {}
        }
    }
    ends
}

/// True if a session may leave by the first branch: not if each choice has an edge of its own, and
/// not if a person gives the contact back by another.
fn takes_first(written: &Value, kind: &str, ways: &[(&str, Option<&NodeId>)]) -> bool {
    let has_edge = |name: &str| ways.iter().any(|(branch, to)| *branch == name && to.is_some());
    match kind {
        "end" => false,
        "handoff" => !has_edge("returned"),
        "ask" if written.get("several").is_none() => {
            let choices = written.get("choices").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let id = |choice: &Value| choice.get("id").and_then(Value::as_str).map(str::to_owned);
            let is_data = |choice: &Value| choice.get("from").is_some();
            choices.is_empty()
                || choices.iter().any(|choice| is_data(choice) || id(choice).is_none_or(|id| !has_edge(&id)))
        }
        _ => true,
    }
}
