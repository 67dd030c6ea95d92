//! The coverage of the golden talks, told by their journals: each kind of node, each way out of it,
//! each form of a message and each rule of SEMANTICS has its talk.

mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chatflow::flow::NodeKind;
use chatflow::id::NodeId;
use chatflow::kernel::{JournalEntry, JournalStep, StepEvent};
use chatflow::{Flow, FlowId, Status};
use serde_json::Value;

use super::{Written, have, written};

/// The name of all branches that an author named.
const NAMED: &str = "(named)";

/// A way out of a node, seen from afar.
type Way = (&'static str, String);

/// The sum of the talks of the folder.
#[derive(Default)]
struct Seen {
    /// The ways out of the nodes of all flows that are talked with.
    there: BTreeSet<Way>,
    /// Those that a session took, to another node or to its end.
    taken: BTreeSet<Way>,
    /// The ways without an edge that a session took, or its end instead of one, and its status
    /// then.
    ends: BTreeSet<(&'static str, String, Status)>,
    /// The fields of nodes that a session came to.
    fields: BTreeSet<Way>,
    /// The words of flows that are talked with, and those of conditions that held.
    words: BTreeSet<String>,
    held: BTreeSet<String>,
    /// The reasons of failed sessions.
    failures: BTreeSet<&'static str>,
}

static SEEN: LazyLock<Seen> = LazyLock::new(|| {
    let mut seen = Seen::default();
    written().iter().for_each(|talk| seen.hear(talk));
    seen
});

impl Seen {
    fn hear(&mut self, talk: &Written) {
        let jsons = talk.others.iter().chain([&talk.flow]);
        let flows: BTreeMap<FlowId, Flow> = jsons
            .filter_map(|json| Flow::from_json(json).ok())
            .map(|flow| (flow.id().clone(), flow))
            .collect();
        for flow in flows.values() {
            words(&serde_json::to_value(flow.def()).unwrap(), &mut self.words);
            for node in &flow.def().nodes {
                let id = NodeId::new(&node.id).unwrap();
                self.there.extend(flow.branches(&id).map(|(branch, _)| way(&node.kind, branch)));
            }
        }
        let (_, journals) = have(&talk.flow, &talk.others, &talk.text);
        for entry in &journals {
            self.failures.extend(entry.failure.iter().map(|failure| failure.code.as_str()));
            entry.steps.iter().for_each(|step| self.walk(&flows, entry, step));
        }
    }

    fn walk(&mut self, flows: &BTreeMap<FlowId, Flow>, entry: &JournalEntry, step: &JournalStep) {
        let flow = &flows[step.called.as_ref().map_or(&entry.flow, |(flow, _)| flow)];
        let node = flow.def().nodes.iter().find(|node| node.id == step.node.as_str()).unwrap();
        let event = match step.event {
            StepEvent::Left => String::new(),
            other => serde_json::to_value(other).unwrap().as_str().unwrap().to_owned(),
        };
        let branch = step.branch.as_deref().unwrap_or(&event);
        let way = way(&node.kind, branch);
        let leads = flow.branches(&step.node).any(|(name, to)| name == branch && to.is_some());
        let is_last = entry.steps.last() == Some(step);
        if is_last && !leads && !entry.status.is_live() {
            self.ends.insert((way.0, way.1.clone(), entry.status));
        }
        self.taken.insert(way);
        if let NodeKind::Branch(node) = &node.kind
            && let Some(arm) = node.branches.iter().find(|arm| arm.label == branch)
        {
            words(&serde_json::to_value(&arm.when).unwrap(), &mut self.held);
        }
        let json = serde_json::to_value(node).unwrap();
        let fields = json.as_object().unwrap().keys();
        self.fields.extend(fields.map(|field| (node.kind.as_str(), field.clone())));
    }
}

/// All texts within a value.
fn words(value: &Value, all: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => _ = all.insert(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| words(item, all)),
        Value::Object(fields) => fields.values().for_each(|field| words(field, all)),
        _ => {}
    }
}

/// A branch of a kind: by its name, if the kind gave it.
fn way(kind: &NodeKind, branch: &str) -> Way {
    let is_named = match kind {
        NodeKind::Ask(ask) => ask.answer.choices.iter().flatten().any(|choice| choice.id == branch),
        NodeKind::Branch(node) => node.branches.iter().any(|arm| arm.label == branch),
        NodeKind::Classify(node) => node.classes.iter().any(|class| class.id == branch),
        NodeKind::Function(node) => node.branches.iter().flatten().any(|name| name == branch),
        NodeKind::RandomSplit(node) => node.branches.iter().any(|arm| arm.label == branch),
        NodeKind::RecognizeLanguage(node) => node.languages.iter().flatten().any(|tag| tag == branch),
        _ => false,
    };
    (kind.as_str(), if is_named { NAMED.to_owned() } else { branch.to_owned() })
}

/// Every kind of node has a talk, and every way out of it.
#[test]
fn every_branch_of_every_kind_is_taken_by_a_talk() {
    let seen = &*SEEN;
    let kinds: BTreeSet<&str> = seen.taken.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, NodeKind::WORDS.iter().copied().collect(), "kinds that talks come to");
    let missing: Vec<_> = seen.there.difference(&seen.taken).collect();
    assert!(missing.is_empty(), "no talk takes {missing:?}");
}

/// The end of a session where no edge leads on (SEMANTICS N1): the kind, the branch or what
/// happened, and its status.
const ENDS: &[(&str, &str, Status)] = &[
    ("start", "next", Status::Completed),
    ("end", "ended", Status::Completed),
    ("send_message", "next", Status::Completed),
    ("wait_reply", "replied", Status::Completed),
    ("wait_reply", "ended", Status::Expired),
    ("ask", "valid", Status::Completed),
    ("ask", "failed", Status::Failed),
    ("ask", "ended", Status::Expired),
    ("jump", "next", Status::Completed),
    ("set_variables", "next", Status::Completed),
    ("set_variables", "failed", Status::Failed),
    ("delay", "next", Status::Completed),
    ("delay", "failed", Status::Failed),
    ("function", "next", Status::Completed),
    ("function", "failed", Status::Failed),
    ("http_request", "next", Status::Completed),
    ("http_request", "failed", Status::Failed),
    ("llm", "next", Status::Completed),
    ("llm", "failed", Status::Failed),
    ("classify", "failed", Status::Failed),
    ("recognize_language", "next", Status::Completed),
    ("recognize_language", "failed", Status::Failed),
    ("update_contact", "next", Status::Completed),
    ("update_contact", "failed", Status::Failed),
    ("log", "next", Status::Completed),
    ("typing", "next", Status::Completed),
    ("handoff", "next", Status::Completed),
    ("handoff", "ended", Status::Expired),
    ("call_flow", "next", Status::Completed),
    ("call_flow", "failed", Status::Failed),
    ("send_message", "failed", Status::Failed),
];

/// Where no edge leads on, a session ends, and a talk shows how.
#[test]
fn every_end_without_an_edge_is_met_by_a_talk() {
    let seen = &*SEEN;
    let met: BTreeSet<_> =
        seen.ends.iter().map(|(kind, how, status)| (*kind, how.as_str(), *status)).collect();
    let missing: Vec<_> = ENDS.iter().filter(|end| !met.contains(end)).collect();
    assert!(missing.is_empty(), "no talk ends so: {missing:?}");
}

/// The format, by the schema that is made from the code.
fn schema() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/flow.schema.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Fields that a talk on WhatsApp, started for a contact, does not need: whom a flow is for
/// (`tests/semantics/contact.rs`), and forms of questions on other channels
/// (`tests/semantics/sends.rs`). And one that is told to be of no use there.
const BEYOND_TALKS: &[(&str, &str)] = &[
    ("start", "contact"),
    ("start", "contact_from"),
    ("start", "contact_id_from"),
    ("ask", "options"),
    ("ask", "quick_replies"),
    ("ask", "card"),
    ("ask", "form"),
    ("ask", "contacts"),
    ("ask", "reaction"),
];

/// Every field of every kind is in a node that a session comes to.
#[test]
fn every_field_of_every_kind_is_met_by_a_talk() {
    let (seen, schema) = (&*SEEN, schema());
    let mut missing = Vec::new();
    for kind in NodeKind::WORDS {
        let def = &schema["$defs"][kind];
        let shapes = def["anyOf"].as_array().map_or_else(|| vec![def], |shapes| shapes.iter().collect());
        let fields = shapes.into_iter().flat_map(|shape| shape["properties"].as_object().unwrap().keys());
        for field in fields.collect::<BTreeSet<_>>() {
            let is_elsewhere =
                BEYOND_TALKS.contains(&(*kind, field.as_str())) || ["name", "ui"].contains(&&**field);
            if !is_elsewhere && !seen.fields.contains(&(*kind, field.clone())) {
                missing.push(format!("{kind}.{field}"));
            }
        }
    }
    assert!(missing.is_empty(), "no talk comes to {missing:?}");
}

/// The words of a list in the format.
fn list(name: &str) -> Vec<String> {
    let schema = schema();
    let words = schema["$defs"][name]["oneOf"].as_array().unwrap().iter();
    words.map(|word| word["const"].as_str().unwrap().to_owned()).collect()
}

/// N2, N4: every form of a message and every kind of an answer.
#[test]
fn every_form_of_a_message_is_sent_in_a_talk() {
    let seen = &*SEEN;
    let forms = [
        "text",
        "options",
        "media",
        "location",
        "buttons",
        "list",
        "quick_replies",
        "template",
        "card",
        "form",
        "native",
        "location_request",
        "products",
        "contacts",
        "reaction",
        "header",
        "footer",
        "subject",
    ];
    for form in forms {
        assert!(seen.fields.contains(&("send_message", form.to_owned())), "{form}");
    }
    let lists = [
        "MediaType",
        "SendAction",
        "AnswerKind",
        "ReplyKind",
        "OnTimeout",
        "MatchKind",
        "KeywordAction",
        "Consent",
        "TtlMode",
        "Undefined",
    ];
    let written = lists.into_iter().flat_map(list).filter(|word| !DEFAULTS.contains(&word.as_str()));
    let missing: Vec<_> = written.filter(|word| !seen.words.contains(word)).collect();
    assert!(missing.is_empty(), "no flow that is talked with has {missing:?}");
}

/// Words that a flow means when it writes none.
const DEFAULTS: &[&str] = &["reply", "text", "choice", "branch", "sliding", "empty"];

/// N5
#[test]
fn every_operator_holds_in_a_talk() {
    let seen = &*SEEN;
    let missing: Vec<_> = list("Operator").into_iter().filter(|word| !seen.held.contains(word)).collect();
    assert!(missing.is_empty(), "nowhere holds {missing:?}");
}

/// S9, S7: reasons of failed sessions. Those that need limits of the host or a lost version are in
/// `tests/semantics`.
#[test]
fn every_fault_of_a_flow_is_met_by_a_talk() {
    let faults = [
        "bad_content",
        "bad_instant",
        "call_failed",
        "contact",
        "expression",
        "invalid_answer",
        "no_destination",
        "subflow_input",
        "subflow_offline",
        "variables",
    ];
    let seen = &*SEEN;
    let missing: Vec<_> = faults.into_iter().filter(|fault| !seen.failures.contains(fault)).collect();
    assert!(missing.is_empty(), "no session fails with {missing:?}");
}
