//! Names in templates and expressions: which a flow may write, and which nothing ever sets.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::NodeId;
use crate::flow::def::FlowDef;
use crate::flow::expr;
use crate::flow::issue::{Diagnostics, IssueCode};
use crate::flow::node::{InputPolicy, NodeKind};
use crate::flow::path::{Path, brief};

/// What a flow can read besides its variables (SEMANTICS T3).
const ROOTS: [&str; 8] = ["context", "vars", "reply", "contact", "trigger", "flow", "session", "now"];

/// Words of the expression language.
const KEYWORDS: [&str; 11] = ["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "null"];

/// Why a text cannot be a variable's name.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_identifier = name.starts_with(is_first)
        && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
        && name.len() <= 64;
    if !is_identifier {
        return Err("is no variable: 1-64 letters, digits and `_`, no digit first");
    }
    if ROOTS.contains(&name) || KEYWORDS.contains(&name) {
        return Err("is taken: the language gives it a meaning");
    }
    Ok(())
}

/// The names that the templates and expressions of a flow mention.
#[derive(Default)]
pub(crate) struct Mentions {
    /// Where each name is mentioned first, by node.
    first: BTreeMap<Mention, String>,
    /// Bytes of the places that are kept.
    path_bytes: usize,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Mention {
    node: Option<NodeId>,
    root: Box<str>,
    key: Option<Box<str>>,
}

/// Bytes of places: a small file could otherwise mention many names at one long place.
const MOST_PATH_BYTES: usize = 4 << 20;

impl Mentions {
    /// Notes what a template or expression at a place reads. What has a default needs no
    /// declaration.
    pub(crate) fn note<'e>(
        &mut self,
        at: &Path<'_>,
        node: Option<&NodeId>,
        names: impl Iterator<Item = &'e expr::Path>,
    ) {
        for path in names.filter(|path| !path.is_optional()) {
            let is_given = ROOTS.contains(&path.root()) && !matches!(path.root(), "context" | "vars");
            if is_given || self.path_bytes > MOST_PATH_BYTES {
                continue;
            }
            let mention =
                Mention { node: node.cloned(), root: path.root().into(), key: path.key().map(Into::into) };
            if let Entry::Vacant(entry) = self.first.entry(mention) {
                self.path_bytes += entry.insert(at.to_string()).len();
            }
        }
    }
}

/// Warns of names that no input declares and no node sets.
pub(crate) fn check(def: &FlowDef, mentions: &Mentions, found: &mut Diagnostics) {
    let start = def.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Start(start) => Some(start),
        _ => None,
    });
    let Some(start) = start else { return };
    let is_open = start.policy() == InputPolicy::Any;
    let inputs = start.inputs.as_deref().filter(|_| start.policy() != InputPolicy::None).unwrap_or_default();
    let declared: BTreeSet<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let written: BTreeSet<&str> = def.nodes.iter().flat_map(|node| node.kind.writes()).collect();
    let results = def.settings.as_ref().and_then(|settings| settings.results.as_deref());
    let settings = Path::Root.key("settings");
    let list = settings.key("results");
    for (place, name) in results.unwrap_or_default().iter().enumerate() {
        if check_name(name).is_err() || declared.contains(name.as_str()) || written.contains(name.as_str()) {
            continue;
        }
        let candidates = declared.iter().chain(&written).copied();
        let message = format!("`{}` is no input of the start node, and set by no node", brief(name));
        let message = message + &found.did_you_mean(name, candidates);
        found.add(
            IssueCode::UndeclaredVariable,
            &list.item(place),
            message,
            "declare it as an input, or set it",
        );
    }
    for (mention, path) in &mentions.first {
        let (name, known) = match (&*mention.root, mention.key.as_deref()) {
            ("context" | "vars", None) => continue,
            ("context", Some(key)) => (key, is_open || declared.contains(key)),
            ("vars", Some(key)) => (key, written.contains(key)),
            (name, _) => (name, is_open || declared.contains(name) || written.contains(name)),
        };
        if known {
            continue;
        }
        let candidates = declared.iter().chain(&written).copied();
        let message = match &*mention.root {
            "vars" => format!("`vars.{}` is set by no node", brief(name)),
            "context" => format!("`context.{}` is no input of the start node", brief(name)),
            _ => format!("`{}` is no input of the start node, and set by no node", brief(name)),
        };
        let message = message + &found.did_you_mean(name, candidates);
        let fix = "declare it as an input, set it before, or give it a `default`";
        found.node = mention.node.clone();
        found.add_at(IssueCode::UndeclaredVariable, path.clone(), message, fix);
    }
    found.node = None;
}
