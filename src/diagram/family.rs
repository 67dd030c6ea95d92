//! Features that kinds of nodes share in a picture, and what a picture says of each: by the words
//! of a flow file, so that a kind that is not listed is drawn too.

use serde_json::Value;

use crate::diagram::language::ShownLanguage;
use crate::diagram::rules;
use crate::diagram::text::clean;

/// Kinds that look alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    Start,
    Send,
    Wait,
    Decide,
    #[default]
    Act,
    Call,
    Person,
    Jump,
    End,
    /// The end of a session without a node of its own.
    Stop,
    /// Something that the settings say.
    Note,
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

/// Returns the lines of a node: its texts, then its rules. `written` is the node as a flow file has
/// it.
pub(super) fn lines(kind: &str, written: &Value, language: ShownLanguage<'_>) -> Vec<String> {
    let fields = KINDS.iter().find(|(word, ..)| *word == kind).map_or(&[][..], |(_, _, fields)| fields);
    let shown = fields.iter().filter_map(|(field, before)| {
        let text = clean(&language.brief(written.get(field)?), EXCERPT);
        (!text.is_empty()).then(|| format!("{before}{text}"))
    });
    let rules = match kind {
        "branch" => rules::arms(written),
        "open_hours" => rules::hours(written),
        "ask" => rules::check(written).into_iter().collect(),
        _ => Vec::new(),
    };
    shown.chain(rules.into_iter().map(|rule| clean(&rule, EXCERPT))).collect()
}
