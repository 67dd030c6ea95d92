//! Names that a flow reads and nothing ever sets.

use std::collections::BTreeSet;

use crate::flow::def::FlowDef;
use crate::flow::form::issue::{Diagnostics, IssueCode, Repair, did_you_mean};
use crate::flow::form::path::{Path, brief};
use crate::flow::lang::names::{Mentions, check_name};
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
        // Each root has names of its own.
        let root = match (&*mention.root, meant) {
            ("context" | "vars", Some(meant)) if written.contains(meant) => "vars.",
            ("context" | "vars", Some(_)) => "context.",
            _ => "",
        };
        let read = match mention.key.as_deref() {
            Some(key) if !root.is_empty() => format!("{}.{key}", mention.root),
            _ => mention.root.to_string(),
        };
        let repair = match meant {
            Some(meant) => {
                Some(Repair::Reword { path: path.clone(), name: read, to: format!("{root}{meant}") })
            }
            None if &*mention.root == "vars" => None,
            None => declare(name),
        };
        let fix = "declare it as an input, set it before, or give it a `default`";
        found.node = mention.node.clone();
        found.add_at(IssueCode::UndeclaredVariable, path.clone(), message, fix, repair);
    }
    found.node = None;
}

/// One more input, under a name that an input may have.
fn declare(name: &str) -> Option<Repair> {
    check_name(name).ok().map(|()| Repair::Declare { input: name.to_owned() })
}
