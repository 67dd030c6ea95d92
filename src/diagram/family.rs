//! Features that kinds of nodes share in a picture, and what a picture says of each: by the words
//! of a flow file, so that a kind that is not listed is drawn too.

use serde_json::Value;

use crate::diagram::text::clean;
use crate::flow::NodeKind;

/// Kinds that look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    Start,
    Send,
    Wait,
    Decide,
    Act,
    Call,
    Person,
    Jump,
    End,
}

use Family::{Act, Call, Decide, End, Jump, Person, Send, Start, Wait};

/// A kind, its family, and the fields worth reading, each with what goes before it.
type Known = (&'static str, Family, &'static [(&'static str, &'static str)]);

/// Every kind that SEMANTICS N names.
const KINDS: &[Known] = &[
    ("start", Start, &[]),
    ("end", End, &[("outcome", "")]),
    (
        "send_message",
        Send,
        &[
            ("text", ""),
            ("media", ""),
            ("location", "at "),
            ("template", "template "),
            ("card", ""),
            ("options", "▸ "),
            ("buttons", "▸ "),
            ("quick_replies", "▸ "),
            ("list", "▸ "),
        ],
    ),
    ("typing", Send, &[]),
    ("wait_reply", Wait, &[("timeout", "up to ")]),
    ("ask", Wait, &[("text", ""), ("choices", "▸ ")]),
    ("delay", Wait, &[("for", ""), ("until", "until ")]),
    ("branch", Decide, &[]),
    ("random_split", Decide, &[]),
    ("open_hours", Decide, &[]),
    ("classify", Decide, &[("text", "")]),
    ("jump", Jump, &[]),
    ("set_variables", Act, &[("variables", "")]),
    ("update_contact", Act, &[]),
    ("log", Act, &[("text", ""), ("message", "")]),
    ("http_request", Call, &[("method", ""), ("url", "")]),
    ("function", Call, &[("function", "")]),
    ("llm", Call, &[("prompt", "")]),
    ("recognize_phone", Call, &[]),
    ("recognize_language", Call, &[]),
    ("recognize_entities", Call, &[]),
    ("call_flow", Call, &[("flow", "")]),
    ("handoff", Person, &[("note", "")]),
];

impl Family {
    pub(super) fn of(kind: &str) -> Self {
        KINDS.iter().find(|(word, ..)| *word == kind).map_or(Act, |(_, family, _)| *family)
    }
}

/// Characters of one excerpt.
const EXCERPT: usize = 120;

/// Returns what a node says or does, in a few lines.
pub(super) fn excerpts(kind: &NodeKind) -> Vec<String> {
    let fields =
        KINDS.iter().find(|(word, ..)| *word == kind.as_str()).map_or(&[][..], |(_, _, fields)| fields);
    if fields.is_empty() {
        return Vec::new();
    }
    // Cannot fail: every key is text, and no field's serialiser fails.
    let written = serde_json::to_value(kind).unwrap_or_default();
    let shown = fields.iter().filter_map(|(field, before)| {
        let text = clean(&brief(written.get(field)?), EXCERPT);
        (!text.is_empty()).then(|| format!("{before}{text}"))
    });
    shown.collect()
}

/// The fields that an object is known by, the best first.
const NAMES: &[&str] = &["label", "title", "name", "caption", "text", "button", "id"];

/// A value in a few words: a text as it is, a list by the names in it, a text in many languages by
/// its first.
fn brief(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => {
            let names: Vec<String> = items.iter().take(16).map(brief).collect();
            names.join(" · ")
        }
        Value::Object(fields) => {
            let named = NAMES.iter().find_map(|name| fields.get(*name));
            named.or(fields.values().next()).map(brief).unwrap_or_default()
        }
        Value::Bool(_) | Value::Null => String::new(),
    }
}
