//! From a definition to a flow: each part is checked and compiled, and every issue is kept. What
//! must not live here: the rules of one kind of node, and those of the graph as a whole (`check`).

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::Value;

use crate::flow::def::{self, FlowDef};
use crate::flow::expr::Expr;
use crate::flow::graph::Graph;
use crate::flow::issue::{Diagnostics, IssueCode, Issues};
use crate::flow::keyword::{self, KeywordAction, Keywords};
use crate::flow::node::{ContactMode, Node, NodeKind};
use crate::flow::path::{Path, brief};
use crate::flow::pattern::{Extent, Pattern};
use crate::flow::reminder::Reminder;
use crate::flow::settings::Settings;
use crate::flow::span::Span;
use crate::flow::template::Template;
use crate::flow::trigger::{Trigger, TriggerDef};
use crate::flow::variables::{self, Mentions};
use crate::flow::{Flow, NodeIx, Step, check, json, lifecycle};
use crate::id::check_name;
use crate::{Channel, FlowId, Limits, NodeId};

pub(crate) fn from_json(text: &str, limits: &Limits) -> Result<Flow, Issues> {
    let mut found = Diagnostics::default();
    let value = json::parse(text, limits, &mut found);
    let def = value.as_ref().and_then(|value| def::read_loosely(value, limits, &mut found));
    let is_whole = found.settle_form();
    match def.zip(value) {
        Some((def, value)) => compile(def, limits, is_whole, found)
            .map(|flow| Flow { digest: lifecycle::digest(&value), ..flow }),
        None => Err(found.into_issues()),
    }
}

pub(crate) fn from_def(def: FlowDef, limits: &Limits) -> Result<Flow, Issues> {
    let mut found = Diagnostics::default();
    for (field, given, most, code) in [
        ("nodes", def.nodes.len(), limits.nodes, IssueCode::TooManyNodes),
        ("edges", def.edges.len(), limits.edges, IssueCode::TooManyEdges),
    ] {
        if given > most {
            let message = format!("are {given}, at most {most} are allowed");
            found.add(code, &Path::Root.key(field), message, "split the flow");
        }
    }
    if found.has_errors() {
        return Err(found.into_issues());
    }
    let mut flow = compile(def, limits, true, found)?;
    let value = serde_json::from_str(&flow.def.to_json()).unwrap_or_default();
    flow.digest = lifecycle::digest(&value);
    Ok(flow)
}

/// `is_whole`: whether all of the definition could be read. If not, nothing is said about the
/// graph, since what is missing from it may be what could not be read.
fn compile(def: FlowDef, limits: &Limits, is_whole: bool, mut found: Diagnostics) -> Result<Flow, Issues> {
    def.check_spec(&mut found);
    let index = index_nodes(&def, &mut found);
    let parts = compile_parts(&def, &index, limits, is_whole, &mut found);
    if is_whole {
        let graph = Graph::of(&def, &index, &mut found);
        let sides = Sides { jumps: parts.side_entries.clone(), reminder: parts.reminder.map(|r| r.node) };
        let entry = check::check(&def, &graph, &sides, limits, &mut found);
        let flow = entry.and_then(|entry| assemble(&def, parts, graph, entry));
        match flow {
            Some(mut flow) if !found.has_errors() => {
                flow.warnings = found.into_issues();
                flow.def = def;
                return Ok(flow);
            }
            _ => {}
        }
    }
    Err(found.into_issues())
}

/// The parts of a flow that do not depend on its edges.
struct Parts {
    id: Option<FlowId>,
    settings: Settings,
    trigger: Trigger,
    nodes: Vec<Option<Node>>,
    keywords: Keywords,
    reminder: Option<Reminder>,
    side_entries: Vec<NodeIx>,
}

/// Where sessions come to beside the start and the edges.
pub(crate) struct Sides {
    /// By keywords.
    pub(crate) jumps: Vec<NodeIx>,
    /// By the reminder, without leaving where they stand.
    pub(crate) reminder: Option<NodeIx>,
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
            let message = format!("{:?} is the id of another node already", brief(&node.id));
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
) -> Parts {
    let root = Path::Root;
    let starts = || {
        def.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Start(start) => Some(start),
            _ => None,
        })
    };
    let sender = def.settings.as_ref().and_then(|settings| settings.sender.as_ref());
    let own = match &def.trigger {
        TriggerDef::Manual => None,
        TriggerDef::Inbound(inbound) => Some(&inbound.channel),
    };
    let start_id = def.nodes.iter().find(|node| matches!(node.kind, NodeKind::Start(_)));
    let mut cx = Compile {
        limits,
        found,
        index,
        is_whole,
        mentions: Mentions::default(),
        channel: own.or(sender.map(|sender| &sender.channel)).cloned(),
        max_lifetime: TimeDelta::MAX,
        patterns_left: MOST_PATTERNS,
        start: start_id.map(|node| node.id.as_str()),
        is_inbound: own.is_some(),
        is_contactless: own.is_none() && starts().any(|start| start.contact == Some(ContactMode::None)),
    };
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
    let trigger = def.trigger.compile(&root.key("trigger"), &mut cx);
    let list = root.key("nodes");
    let mut nodes = Vec::with_capacity(def.nodes.len());
    for (place, node) in def.nodes.iter().enumerate() {
        let at = list.item(place);
        cx.found.node = NodeId::new(&node.id).ok();
        if let Some(name) = &node.name {
            cx.name(&at.key("name"), name);
        }
        nodes.push(node.kind.compile(&at, &mut cx));
    }
    cx.found.node = None;
    if is_whole {
        variables::check(def, &cx.mentions, cx.found);
    }
    let id = FlowId::new(&def.code).ok();
    Parts { id, settings, trigger, nodes, keywords, reminder, side_entries: jumps }
}

fn assemble(def: &FlowDef, parts: Parts, graph: Graph, entry: NodeIx) -> Option<Flow> {
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
    let Node::Start(start) = &first.node else { return None };
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
        index: steps.iter().enumerate().map(|(place, step)| (step.id.clone(), NodeIx::of(place))).collect(),
        steps: steps.into(),
        digest: 0,
    })
}

/// What the patterns of one flow may cost together ([`Pattern::cost`]): a second and 32 MiB at
/// worst.
const MOST_PATTERNS: usize = 128;

/// What compiling a part needs to know of the whole, and the checks that parts share.
pub(crate) struct Compile<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) found: &'a mut Diagnostics,
    index: &'a BTreeMap<&'a str, NodeIx>,
    is_whole: bool,
    mentions: Mentions,
    /// The channel that messages go out on, if the flow settles it.
    pub(crate) channel: Option<Channel>,
    max_lifetime: TimeDelta,
    patterns_left: usize,
    /// The id of the start node.
    start: Option<&'a str>,
    /// Whether a message starts the flow.
    pub(crate) is_inbound: bool,
    /// Whether sessions run without a contact.
    pub(crate) is_contactless: bool,
}

impl Compile<'_> {
    pub(crate) fn template(&mut self, at: &Path<'_>, source: &str) -> Option<Template> {
        match Template::parse(source, self.limits) {
            Ok(template) => {
                self.mentions.note(at, self.found.node.as_ref(), template.names());
                Some(template)
            }
            Err(error) => {
                let message = format!("is no template: {error}");
                self.found.add(IssueCode::BadTemplate, at, message, "fix the expression between {{ and }}");
                None
            }
        }
    }

    /// Compiles what is evaluated in the names of another flow: this one need not declare them.
    pub(crate) fn of_another_flow<T>(&mut self, compile: impl FnOnce(&mut Self) -> T) -> T {
        let own = std::mem::take(&mut self.mentions);
        let compiled = compile(self);
        self.mentions = own;
        compiled
    }

    /// A template that must not be blank.
    pub(crate) fn required_template(&mut self, at: &Path<'_>, source: &str) -> Option<Template> {
        if source.trim().is_empty() {
            self.found.add(IssueCode::BadValue, at, "must not be blank", "write a text");
            return None;
        }
        self.template(at, source)
    }

    pub(crate) fn expression(&mut self, at: &Path<'_>, source: &str) -> Option<Expr> {
        match Expr::parse(source, self.limits) {
            Ok(expr) => {
                self.mentions.note(at, self.found.node.as_ref(), expr.names());
                Some(expr)
            }
            Err(error) => {
                let message = format!("is no expression: {error}");
                self.found.add(IssueCode::BadExpression, at, message, "fix the expression");
                None
            }
        }
    }

    /// A regular expression, unless the flow has used up what all of its own may cost.
    pub(crate) fn pattern(
        &mut self,
        at: &Path<'_>,
        source: &str,
        extent: Extent,
        ignore_case: bool,
    ) -> Option<Pattern> {
        let left = self.patterns_left.checked_sub(Pattern::cost(source));
        self.patterns_left = left.unwrap_or(0);
        if left.is_none() {
            let message =
                format!("is one too many: a flow may have {MOST_PATTERNS} patterns and classes in brackets");
            self.found.add(IssueCode::BadRegex, at, message, "use fewer regular expressions");
            return None;
        }
        let report = |error| {
            let message = format!("{:?} is no pattern: {error}", brief(source));
            self.found.add(IssueCode::BadRegex, at, message, "fix the regular expression");
        };
        Pattern::parse(source, extent, ignore_case, self.limits).map_err(report).ok()
    }

    /// A name of 1-256 bytes without control characters.
    pub(crate) fn name(&mut self, at: &Path<'_>, name: &str) -> Option<()> {
        let report = |why: crate::BadName| {
            self.found.add(IssueCode::BadName, at, why.to_string(), "give another name");
        };
        check_name(name).map_err(report).ok()
    }

    /// A label or an option's id: a name of at most 64 bytes.
    pub(crate) fn short_name(&mut self, at: &Path<'_>, name: &str) -> Option<()> {
        const MOST: usize = 64;
        if name.len() > MOST {
            self.found.add(
                IssueCode::BadName,
                at,
                format!("must have at most {MOST} bytes"),
                "give a shorter name",
            );
            return None;
        }
        self.name(at, name)
    }

    /// A variable's name: one that an expression can read.
    pub(crate) fn variable(&mut self, at: &Path<'_>, name: &str) -> Option<std::sync::Arc<str>> {
        match variables::check_name(name) {
            Ok(()) => Some(name.into()),
            Err(why) => {
                let message = format!("{:?} {why}", brief(name));
                self.found.add(IssueCode::BadName, at, message, "give the variable another name");
                None
            }
        }
    }

    /// A wait that a session can outlive.
    pub(crate) fn wait(&mut self, at: &Path<'_>, span: &Span) -> TimeDelta {
        let wait = span.as_delta();
        if wait > self.max_lifetime {
            let message = format!("{span} is longer than a session may live");
            self.found.add(
                IssueCode::WaitTooLong,
                at,
                message,
                "wait less, or raise `settings.max_lifetime`",
            );
        }
        wait
    }

    /// A node that a node names by itself.
    pub(crate) fn node(&mut self, at: &Path<'_>, verb: &str, id: &str) -> Option<NodeIx> {
        let target = self.index.get(id).copied();
        if target.is_none() && self.is_whole {
            let message = format!(
                "{verb} to {:?}, which is no node{}",
                brief(id),
                self.found.did_you_mean(id, self.index.keys().copied())
            );
            self.found.add(IssueCode::EdgeToNowhere, at, message, "name a node of this flow");
        }
        target
    }

    /// A node that sessions come to without an edge: any but the start.
    pub(crate) fn side_entry(&mut self, at: &Path<'_>, verb: &str, id: &str) -> Option<NodeIx> {
        if self.start == Some(id) {
            let message = format!("{verb} to the start");
            self.found.add(IssueCode::IntoStart, at, message, "name the node after the start");
        }
        self.node(at, verb, id)
    }

    /// Reports names that are given twice.
    pub(crate) fn distinct<'n>(&mut self, at: &Path<'_>, what: &str, names: impl Iterator<Item = &'n str>) {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                let message = format!("name the {what} {:?} twice", brief(name));
                self.found.add(IssueCode::DuplicateBranch, at, message, "give one of them another name");
            }
        }
    }

    /// Whether a JSON value is as flat as a session's values must be. The walk stops at the limit.
    pub(crate) fn value(&mut self, at: &Path<'_>, value: &Value) -> bool {
        let fits = is_within(value, self.limits.depth);
        if !fits {
            let message = format!("is nested more than {} levels deep", self.limits.depth);
            self.found.add(IssueCode::TooDeep, at, message, "nest the value less deeply");
        }
        fits
    }
}

fn is_within(value: &Value, depth: usize) -> bool {
    match (value, depth.checked_sub(1)) {
        (Value::Array(list), Some(depth)) => list.iter().all(|value| is_within(value, depth)),
        (Value::Object(object), Some(depth)) => object.values().all(|value| is_within(value, depth)),
        (Value::Array(_) | Value::Object(_), None) => false,
        _ => true,
    }
}
