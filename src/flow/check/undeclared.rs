//! Names that a flow reads and nothing ever sets.

use std::collections::BTreeSet;

use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::{Diagnostics, did_you_mean};
use crate::flow::form::issue::{IssueCode, Repair};
use crate::flow::form::path::{Path, brief};
use crate::flow::lang::names::{Mention, Mentions, check_name, fields_of, is_root};
use crate::flow::node::InputPolicy;

/// Warns of names that no input declares and no node sets.
pub(crate) fn check(def: &FlowDef, mentions: &Mentions, found: &mut Diagnostics) {
    let Some(start) = def.nodes.iter().find_map(|node| node.kind.as_start()) else { return };
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
        let message = format!("`{}` is not an input of the start node, and no node sets it", brief(name));
        let meant = found.meant(name, candidates);
        let (at, message) = (list.item(place), message + &did_you_mean(meant));
        let repair = Repair::replace(&at, meant).or_else(|| declare(name));
        let fix = "declare it as an input, or set it";
        found.add_repairable(IssueCode::UndeclaredVariable, &at, message, fix, repair);
    }
    for (mention, path) in &mentions.first {
        let is_own = |name: &str| declared.contains(name) || written.contains(name);
        if !is_own(&mention.root) && check_case(mention, path, found) {
            continue;
        }
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
            "context" => format!("`context.{}` is not an input of the start node", brief(name)),
            _ => format!("`{}` is not an input of the start node, and no node sets it", brief(name)),
        };
        let meant = found.meant(name, candidates);
        let message = message + &did_you_mean(meant);
        let is_set = meant.is_some_and(|meant| written.contains(meant));
        let repair = match meant {
            Some(meant) => Some(reword(mention, path, meant, is_set)),
            None if &*mention.root == "vars" => None,
            None => declare(name),
        };
        let fix = "declare it as an input, set it before, or give it a `default`";
        found.node = mention.node.clone();
        found.add_at(IssueCode::UndeclaredVariable, path.clone(), message, fix, repair);
    }
    found.node = None;
}

/// Warns of a name that differs from a fixed one by its case alone; true if it does.
fn check_case(mention: &Mention, path: &str, found: &mut Diagnostics) -> bool {
    let (root, lower) = (&*mention.root, mention.root.to_ascii_lowercase());
    if *root == *lower || !is_root(&lower) {
        return false;
    }
    let field = mention.key.as_deref().unwrap_or_default();
    let lower_field = field.to_ascii_lowercase();
    let known = fields_of(&lower);
    let field_meant = if known.contains(&&*lower_field) { &*lower_field } else { field };
    let whole = |root: &str, field: &str| match field {
        "" => root.to_owned(),
        field => format!("{root}.{field}"),
    };
    let (name, to) = (whole(root, field), whole(&lower, field_meant));
    let message = format!("`{}` is not known: names have small letters here", brief(&name));
    let (fix, repair) = (format!("write `{to}`"), Repair::Reword { path: path.to_owned(), name, to });
    found.node = mention.node.clone();
    found.add_at(IssueCode::UnknownName, path.to_owned(), message, fix, Some(repair));
    true
}

/// Another name where one is read, at the root that has it.
fn reword(mention: &Mention, path: &str, meant: &str, is_set: bool) -> Repair {
    let (name, to) = match (&*mention.root, mention.key.as_deref()) {
        (root @ ("context" | "vars"), Some(key)) => {
            (format!("{root}.{key}"), format!("{}.{meant}", if is_set { "vars" } else { "context" }))
        }
        (name, _) => (name.to_owned(), meant.to_owned()),
    };
    Repair::Reword { path: path.to_owned(), name, to }
}

/// One more input, under a name that an input may have.
fn declare(name: &str) -> Option<Repair> {
    check_name(name).ok().map(|()| Repair::Declare { input: name.to_owned() })
}
