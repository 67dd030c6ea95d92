//! From a definition to a flow: each part is checked and compiled, and every issue is kept. What
//! must not live here: the rules of one kind of node, and those of the graph as a whole (`check`).

use std::collections::BTreeMap;

use crate::flow::check::graph::Graph;
use crate::flow::check::{self, SideBranch, SideEntries, undeclared};
use crate::flow::compiled::{Flow, Step};
use crate::flow::def::{self, FlowDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::digest::digest;
use crate::flow::form::issue::{IssueCode, Issues};
use crate::flow::form::json;
use crate::flow::form::path::{Path, brief};
use crate::flow::keyword::{self, KeywordAction, Keywords};
use crate::flow::lang::context::Compile;
use crate::flow::node::{CompiledNode, NodeKind};
use crate::flow::place::NodeIx;
use crate::flow::settings::last_words::{LastWords, LastWordsDef};
use crate::flow::settings::quiet::QuietHours;
use crate::flow::settings::reminder::Reminder;
use crate::flow::settings::{Settings, SettingsDef};
use crate::flow::trigger::{Trigger, TriggerDef};
use crate::gather::Gather;
use crate::id::check_name;
use crate::id::{FlowId, NodeId};
use crate::limits::Limits;

impl Flow {
    /// Reads, checks and compiles a flow under the default limits.
    ///
    /// # Errors
    /// Every issue of the flow, with its warnings.
    pub fn from_json(json: &str) -> Result<Self, Issues> {
        Self::from_json_within(json, &Limits::default())
    }

    /// Reads, checks and compiles a flow.
    ///
    /// # Errors
    /// Every issue of the flow, with its warnings. What hangs on a part that cannot be read is not
    /// checked.
    pub fn from_json_within(json: &str, limits: &Limits) -> Result<Self, Issues> {
        from_json(json, limits)
    }

    /// Checks and compiles a definition.
    ///
    /// # Errors
    /// Every issue of the flow, with its warnings.
    pub fn compile(def: FlowDef, limits: &Limits) -> Result<Self, Issues> {
        from_def(def, limits)
    }
}

fn from_json(text: &str, limits: &Limits) -> Result<Flow, Issues> {
    let mut found = Diagnostics::default();
    let value = json::parse(text, limits, &mut found);
    let def = value.as_ref().and_then(|value| def::read_loosely(value, limits, &mut found));
    let is_whole = found.settle_form();
    let is_json = value.is_some();
    let located = |mut issues: Issues| {
        if is_json {
            issues.locate(text);
        }
        issues
    };
    let Some((def, value)) = def.zip(value) else { return Err(located(found.into_issues())) };
    let flow = compile(def, limits, is_whole, found).map_err(located)?;
    Ok(Flow { digest: digest(&value), warnings: located(flow.warnings), ..flow })
}

fn from_def(def: FlowDef, limits: &Limits) -> Result<Flow, Issues> {
    let mut found = Diagnostics::default();
    for (field, given, most, code) in [
        ("nodes", def.nodes.len(), limits.nodes, IssueCode::TooManyNodes),
        ("edges", def.edges.len(), limits.edges, IssueCode::TooManyEdges),
    ] {
        if given > most {
            let message = format!("{given} {field}, at most {most} are allowed");
            found.add(code, &Path::Root.key(field), message, "split the flow");
        }
    }
    if found.has_errors() {
        return Err(found.into_issues());
    }
    let mut flow = compile(def, limits, true, found)?;
    let value = serde_json::from_str(&flow.def.to_json()).unwrap_or_default();
    flow.digest = digest(&value);
    Ok(flow)
}

/// `is_whole`: whether all of the definition could be read. If not, nothing is said that may hang
/// on what could not be read.
fn compile(def: FlowDef, limits: &Limits, is_whole: bool, mut found: Diagnostics) -> Result<Flow, Issues> {
    def.check_spec(&mut found);
    let index = index_nodes(&def, &mut found);
    let parts = compile_parts(&def, &index, limits, is_whole, &mut found);
    if is_whole {
        let graph = Graph::of(&def, &index, None, &mut found);
        let sides = SideEntries { jumps: parts.side_entries.clone(), beside: parts.beside.clone() };
        let entry = check::check(&def, &graph, &sides, limits, &mut found);
        let (bodies, goes_round) = (graph.bodies(&def), !graph.loops(|_, _, _| true).is_empty());
        let flow = entry.and_then(|entry| assemble(&def, parts, graph, entry));
        match flow {
            Some(mut flow) if !found.has_errors() => {
                flow.warnings = found.into_issues();
                (flow.bodies, flow.goes_round) = (bodies, goes_round);
                flow.def = def;
                return Ok(flow);
            }
            _ => {}
        }
    } else {
        check_rest(def, limits, &mut found);
    }
    Err(found.into_issues())
}

/// Checks the graph as far as it does not hang on what could not be read.
fn check_rest(mut def: FlowDef, limits: &Limits, found: &mut Diagnostics) {
    let unread = found.unread();
    for place in &unread.nodes {
        if let Some(node) = def.nodes.get_mut(*place).filter(|node| node.kind.as_start().is_none()) {
            node.kind = NodeKind::plain_end();
        }
    }
    // What is wrong with the ids has been told.
    let index = index_nodes(&def, &mut Diagnostics::default());
    let graph = Graph::of(&def, &index, Some(&unread), found);
    check::check_rest(&def, &graph, &unread, limits, found);
}

/// The parts of a flow that do not depend on its edges.
struct FlowParts {
    id: Option<FlowId>,
    settings: Settings,
    trigger: Trigger,
    nodes: Vec<Option<CompiledNode>>,
    keywords: Keywords,
    reminder: Option<Reminder>,
    quiet_hours: Option<Box<QuietHours>>,
    side_entries: Vec<NodeIx>,
    beside: Vec<(NodeIx, SideBranch)>,
    last_words: LastWords,
}

/// The place of each node by its id; the first, if an id is given twice.
fn index_nodes<'d>(def: &'d FlowDef, found: &mut Diagnostics) -> BTreeMap<&'d str, NodeIx> {
    let mut index = BTreeMap::new();
    let nodes = Path::Root.key("nodes");
    for (place, node) in def.nodes.iter().enumerate() {
        let at = nodes.item(place);
        if let Err(why) = check_name(&node.id) {
            let fix = "give the node an id of 1-256 bytes";
            found.add(IssueCode::BadName, &at.key("id"), why.to_string(), fix);
        } else if index.contains_key(node.id.as_str()) {
            let message = format!("{:?} is already the id of another node", brief(&node.id));
            found.add(IssueCode::DuplicateNode, &at.key("id"), message, "give one of them another id");
        } else {
            index.insert(node.id.as_str(), NodeIx::of(place));
        }
    }
    index
}

fn compile_parts(
    def: &FlowDef,
    index: &BTreeMap<&str, NodeIx>,
    limits: &Limits,
    is_whole: bool,
    found: &mut Diagnostics,
) -> FlowParts {
    let root = Path::Root;
    let sender = def.settings.as_ref().and_then(|settings| settings.sender.as_ref());
    let own = match &def.trigger {
        TriggerDef::Manual => None,
        TriggerDef::Inbound(inbound) => Some(&inbound.channel),
    };
    let start = def.nodes.iter().find(|node| node.kind.as_start().is_some());
    let mut cx = Compile::new(limits, index, found);
    cx.knows_nodes = is_whole || cx.found.unread().has_ids;
    cx.channel = own.or(sender.map(|sender| &sender.channel)).cloned();
    cx.start = start.map(|node| node.id.as_str());
    (cx.is_inbound, cx.has_offers) = (own.is_some(), check::has_offers(def));
    cx.is_contactless = own.is_none() && def.is_contactless();
    cx.name(&root.key("code"), &def.code);
    if let Some(name) = &def.name {
        cx.name(&root.key("name"), name);
    }
    let settings = def.settings.clone().unwrap_or_default().compile(&root.key("settings"), &mut cx);
    cx.max_lifetime = settings.max_lifetime;
    let written = def.settings.as_ref();
    let at = root.key("settings");
    let list = written.and_then(|settings| settings.keywords.as_deref()).unwrap_or_default();
    let keywords = keyword::compile(list, &at.key("keywords"), &mut cx);
    let jumps = list.iter().filter(|keyword| keyword.action == KeywordAction::Jump);
    let jumps = jumps.filter_map(|keyword| index.get(keyword.node.as_deref()?).copied()).collect();
    let ttl = settings.ttl.unwrap_or(settings.max_lifetime);
    let reminder = written.and_then(|settings| settings.reminder.as_ref());
    let reminder = reminder.and_then(|reminder| reminder.compile(ttl, &at.key("reminder"), &mut cx));
    let quiet_hours = written.and_then(|settings| settings.quiet_hours.as_ref());
    let quiet_hours =
        quiet_hours.and_then(|quiet| quiet.compile(&at.key("quiet_hours"), &mut cx)).map(Box::new);
    let last_words = compile_last_words(written, &at, &mut cx);
    let says = list.iter().filter(|keyword| keyword.action == KeywordAction::Say);
    let says = says.filter_map(|keyword| index.get(keyword.node.as_deref()?).copied());
    let beside = side_branches(reminder.as_ref(), says, &last_words);
    let trigger = def.trigger.compile(&root.key("trigger"), &mut cx);
    let nodes = compile_nodes(def, &mut cx);
    if is_whole {
        undeclared::check(def, &cx.mentions, cx.found);
    }
    FlowParts {
        id: FlowId::new(&def.code).ok(),
        settings,
        trigger,
        nodes,
        keywords,
        reminder,
        quiet_hours,
        side_entries: jumps,
        beside,
        last_words,
    }
}

/// The branches that run beside a session's place, each by its first node.
fn side_branches(
    reminder: Option<&Reminder>,
    says: impl Iterator<Item = NodeIx>,
    last_words: &LastWords,
) -> Vec<(NodeIx, SideBranch)> {
    let ends = [last_words.on_error, last_words.on_expire].into_iter().flatten();
    let branches = reminder.iter().map(|reminder| (reminder.node, SideBranch::Reminder));
    let branches = branches.chain(says.map(|node| (node, SideBranch::Word)));
    branches.chain(ends.map(|node| (node, SideBranch::End))).collect()
}

fn compile_last_words(written: Option<&SettingsDef>, at: &Path<'_>, cx: &mut Compile<'_>) -> LastWords {
    let mut compile = |words: Option<&LastWordsDef>, key: &'static str| {
        words.and_then(|words| words.compile(&at.key(key), cx))
    };
    LastWords {
        on_error: compile(written.and_then(|settings| settings.on_error.as_ref()), "on_error"),
        on_expire: compile(written.and_then(|settings| settings.on_expire.as_ref()), "on_expire"),
    }
}

fn compile_nodes(def: &FlowDef, cx: &mut Compile<'_>) -> Vec<Option<CompiledNode>> {
    let list = Path::Root.key("nodes");
    let mut nodes = Vec::with_capacity(def.nodes.len());
    for (place, node) in def.nodes.iter().enumerate() {
        let at = list.item(place);
        cx.found.node = NodeId::new(&node.id).ok();
        if let Some(name) = &node.name {
            cx.name(&at.key("name"), name);
        }
        nodes.push(node.kind.compile(&at, cx));
    }
    cx.found.node = None;
    nodes
}

fn assemble(def: &FlowDef, parts: FlowParts, graph: Graph, entry: NodeIx) -> Option<Flow> {
    let mut steps = Vec::with_capacity(def.nodes.len());
    for ((written, node), exits) in def.nodes.iter().zip(parts.nodes).zip(graph.into_exits()) {
        steps.push(Step {
            id: NodeId::new(&written.id).ok()?,
            title: written.name.as_ref().unwrap_or(&written.id).as_str().into(),
            node: node?,
            exits,
        });
    }
    let first = steps.get(entry.as_usize())?;
    let start = first.node.as_start()?;
    let entry = (entry, first.id.clone(), start.clone());
    Some(Flow {
        name: def.name.as_ref().unwrap_or(&def.code).as_str().into(),
        id: parts.id?,
        def: FlowDef::new("", TriggerDef::Manual),
        settings: parts.settings,
        trigger: parts.trigger,
        warnings: Issues::default(),
        entry,
        keywords: parts.keywords,
        reminder: parts.reminder,
        last_words: parts.last_words,
        quiet_hours: parts.quiet_hours,
        index: steps.iter().enumerate().map(|(place, step)| (step.id.clone(), NodeIx::of(place))).gather(),
        steps: steps.into(),
        digest: 0,
        bodies: BTreeMap::new(),
        goes_round: false,
    })
}
