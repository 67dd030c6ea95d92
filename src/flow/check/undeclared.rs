//! Names that a flow reads and nothing ever sets.

use std::collections::BTreeSet;

use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::{Diagnostics, did_you_mean};
use crate::flow::form::issue::{IssueCode, Repair};
use crate::flow::form::path::{Path, brief};
use crate::flow::lang::names::{Mention, Mentions, check_name, fields_of, is_root};
use crate::flow::node::{InputPolicy, StartDef};
use crate::flow::trigger::TriggerDef;
use crate::gather::Gather;

/// Warns of names that no input declares and no node sets.
pub(crate) fn check(def: &FlowDef, mentions: &Mentions, found: &mut Diagnostics) {
    let Some(start) = def.nodes.iter().find_map(|node| node.kind.as_start()) else { return };
    let names = OwnNames::of(def, start);
    let nodes: BTreeSet<&str> = def.nodes.iter().map(|node| &*node.id).gather();
    check_results(def, &names, found);
    for (mention, place) in &mentions.first {
        let path = &*place.path;
        if !names.has(&mention.root) && check_case(mention, path, found) {
            continue;
        }
        let Some(name) = names.lacks(mention) else { continue };
        let said = match &*mention.root {
            "vars" => format!("`vars.{}` is set by no node", brief(name)),
            "context" => format!("`context.{}` is not an input of the start node", brief(name)),
            _ => format!("`{}` is not an input of the start node, and no node sets it", brief(name)),
        };
        let is_bare = !matches!(&*mention.root, "context" | "vars");
        let meant = names.meant(name, found);
        // Where any name may come with the context, a slip of the pen alone is certain.
        let may_come = match &*mention.root {
            "context" => names.is_undeclared && meant.is_none(),
            _ => is_bare && names.is_open && !meant.is_some_and(|meant| is_slip(name, meant)),
        };
        if may_come {
            continue;
        }
        found.node = mention.node.clone();
        if place.misses_item && is_bare {
            let fix = format!("write `item.{}`: a field of the item is read by it", brief(name));
            let repair =
                Repair::Reword { path: path.to_owned(), name: name.to_owned(), to: format!("item.{name}") };
            found.add_at(IssueCode::UndeclaredVariable, path.to_owned(), said, fix, Some(repair));
            continue;
        }
        let message = said + &did_you_mean(meant);
        let is_set = meant.is_some_and(|meant| names.written.contains(meant));
        let repair = match meant {
            Some(meant) => Some(reword(mention, path, meant, is_set)),
            None if &*mention.root == "vars" => None,
            None => declare(name),
        };
        let fix = match nodes.contains(name) {
            true => "read the variable that the node of this name saves to",
            false => "declare it as an input, set it before, or give it a `default`",
        };
        found.add_at(IssueCode::UndeclaredVariable, path.to_owned(), message, fix, repair);
    }
    found.node = None;
}

/// The names that a flow gives to variables.
struct OwnNames<'d> {
    declared: BTreeSet<&'d str>,
    written: BTreeSet<&'d str>,
    /// True if any name may be in the context.
    is_open: bool,
    /// True if the flow says nothing of its context.
    is_undeclared: bool,
}

impl<'d> OwnNames<'d> {
    fn of(def: &'d FlowDef, start: &'d StartDef) -> Self {
        let inputs = start.inputs.as_deref().filter(|_| start.policy() != InputPolicy::None);
        // A message that starts a flow brings no context: where one is given by a call of the flow
        // all the same, it is declared or asked for.
        let is_given = start.input_policy.is_some() || def.trigger == TriggerDef::Manual;
        Self {
            declared: inputs.unwrap_or_default().iter().map(|input| input.name.as_str()).gather(),
            written: def.nodes.iter().flat_map(|node| node.kind.writes()).gather(),
            is_undeclared: start.policy() == InputPolicy::Any,
            is_open: is_given && start.policy() == InputPolicy::Any,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.declared.contains(name) || self.written.contains(name)
    }

    fn all(&self) -> impl Iterator<Item = &'d str> + Clone {
        self.declared.iter().chain(&self.written).copied()
    }

    /// The name of the flow that was meant by one that is none.
    fn meant(&self, name: &str, found: &mut Diagnostics) -> Option<&'d str> {
        found.meant(name, self.all())
    }

    /// The name that a mention reads, if nothing of the flow gives it a value.
    fn lacks<'m>(&self, mention: &'m Mention) -> Option<&'m str> {
        let (name, is_known) = match (&*mention.root, mention.key.as_deref()) {
            ("context" | "vars", None) => return None,
            ("context", Some(key)) => (key, self.is_open || self.declared.contains(key)),
            ("vars", Some(key)) => (key, self.written.contains(key)),
            (name, _) => (name, self.has(name)),
        };
        (!is_known).then_some(name)
    }
}

/// True if two names differ by two letters that changed places, or by a letter that is doubled.
fn is_slip(name: &str, own: &str) -> bool {
    const SHORTEST: usize = 5;
    let single = |name: &str| {
        let mut letters: Vec<u8> = name.bytes().collect();
        letters.dedup();
        letters
    };
    let (a, b) = (name.as_bytes(), own.as_bytes());
    let differs = a.iter().zip(b).position(|(a, b)| a != b);
    let is_swapped = |at: usize| {
        let (swapped, right) = (a.get(at..at.saturating_add(2)), b.get(at..at.saturating_add(2)));
        matches!((swapped, right), (Some([a1, a2]), Some([b1, b2])) if a1 == b2 && a2 == b1)
            && a.get(at.saturating_add(2)..) == b.get(at.saturating_add(2)..)
    };
    a.len() >= SHORTEST && (single(name) == single(own) || differs.is_some_and(is_swapped))
}

fn check_results(def: &FlowDef, names: &OwnNames<'_>, found: &mut Diagnostics) {
    let results = def.settings.as_ref().and_then(|settings| settings.results.as_deref());
    let settings = Path::Root.key("settings");
    let list = settings.key("results");
    for (place, name) in results.unwrap_or_default().iter().enumerate() {
        if check_name(name).is_err() || names.has(name) {
            continue;
        }
        let message = format!("`{}` is not an input of the start node, and no node sets it", brief(name));
        let meant = names.meant(name, found);
        let (at, message) = (list.item(place), message + &did_you_mean(meant));
        let repair = Repair::replace(&at, meant).or_else(|| declare(name));
        let fix = "declare it as an input, or set it";
        found.add_repairable(IssueCode::UndeclaredVariable, &at, message, fix, repair);
    }
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
