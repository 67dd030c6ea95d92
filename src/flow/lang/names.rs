//! Names in templates and expressions: which a flow may write, and where it reads them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::flow::form::path::Path;
use crate::flow::lang::expr;
use crate::id::NodeId;

/// Names that a flow can read besides its variables (SEMANTICS T3).
const ROOTS: [&str; 8] = ["context", "vars", "reply", "contact", "trigger", "flow", "session", "now"];

/// The fields of what flows can read besides their variables, where these are always the same.
const FIXED: [(&str, &[&str]); 5] = [
    (
        "reply",
        &[
            "text",
            "kind",
            "payload",
            "media",
            "media_list",
            "location",
            "channel",
            "account",
            "id",
            "at",
            "meta",
            "form",
            "order",
            "contacts",
            "body",
            "timed_out",
            "missed",
            "parts",
            "item",
        ],
    ),
    (
        "contact",
        &["id", "name", "email", "phone", "language", "timezone", "tags", "groups", "fields", "opted_in_at"],
    ),
    (
        "trigger",
        &[
            "kind",
            "uuid",
            "out_id",
            "claim_time",
            "campaign",
            "channel",
            "account",
            "text",
            "payload",
            "media",
            "location",
            "id",
            "at",
            "meta",
            "form",
            "order",
            "contacts",
            "body",
        ],
    ),
    ("flow", &["id", "name", "version", "outcome"]),
    ("session", &["id", "started_at", "turns", "failure", "failed_at"]),
];

/// The fields of an object that is always the same; none of others.
pub(crate) fn fields_of(root: &str) -> &'static [&'static str] {
    FIXED.iter().find(|(name, _)| *name == root).map_or(&[], |(_, fields)| fields)
}

/// The fields of a field that is always the same.
pub(crate) fn fields_below(root: &str, key: &str) -> &'static [&'static str] {
    match (root, key) {
        ("reply" | "trigger", "location") => &["latitude", "longitude", "name", "address"],
        _ => &[],
    }
}

/// True of a name that a flow can read besides its variables.
pub(crate) fn is_root(name: &str) -> bool {
    ROOTS.contains(&name)
}

/// Words of the expression language.
const KEYWORDS: [&str; 11] = ["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "null"];

/// True if it is a name as an expression has it.
pub(crate) fn is_name(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

/// Checks that a text can be a variable's name; an error says why it cannot.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    if !is_name(name) || name.len() > 64 {
        return Err("is not a variable name: 1-64 letters, digits and `_`, no digit first");
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
    pub(crate) first: BTreeMap<Mention, MentionPlace>,
    /// Names that what is being compiled reads beside those of the flow.
    pub(crate) known: &'static [&'static str],
    /// Bytes of the places that are kept.
    path_bytes: usize,
}

/// Where a name is mentioned.
pub(crate) struct MentionPlace {
    pub(crate) path: String,
    /// True if the text is about an item of a list, and reads nothing of it.
    pub(crate) misses_item: bool,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mention {
    pub(crate) node: Option<NodeId>,
    pub(crate) root: Box<str>,
    pub(crate) key: Option<Box<str>>,
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
        names: impl Iterator<Item = &'e expr::DataPath>,
    ) {
        let names: Vec<_> = names.collect();
        let misses_item =
            !self.known.is_empty() && !names.iter().any(|path| self.known.contains(&path.root()));
        for path in names.into_iter().filter(|path| !path.is_optional()) {
            let is_given = ROOTS.contains(&path.root()) && !matches!(path.root(), "context" | "vars");
            if is_given || self.known.contains(&path.root()) || self.path_bytes > MOST_PATH_BYTES {
                continue;
            }
            let mention =
                Mention { node: node.cloned(), root: path.root().into(), key: path.key().map(Into::into) };
            if let Entry::Vacant(entry) = self.first.entry(mention) {
                let place = MentionPlace { path: at.to_string(), misses_item };
                self.path_bytes += entry.insert(place).path.len();
            }
        }
    }
}
