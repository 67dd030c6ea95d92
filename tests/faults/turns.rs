//! Properties of a turn and of the stored form, over generated flows, inputs and conversations.

use std::collections::BTreeSet;
use std::hash::Hasher;
use std::sync::Arc;

use chatflow::id::{CallId, FlowVersion};
use chatflow::kernel::{Callee, Effect, Input, Library, NewSession, Turn, TurnEnvironment, advance, start};
use chatflow::limits::Limits;
use chatflow::session::{
    Contact, DecodeError, DeliveryReport, EndReason, Message, MessageKind, Route, SendOutcome,
    decode_conversation, decode_session, encode_conversation, encode_session,
};
use chatflow::store::{
    Commit, Committed, ConversationQuery, ConversationStore, Due, Erase, Leased, Live, Loaded, Lookup, Purge,
    Purged, Record, Removed, Settle, Settled, StoreQueries,
};
use chatflow::value::{PackLimits, PackedMap};
use chatflow::{
    Account, Address, CallResult, Channel, Flow, FlowId, MemoryStore, MessageId, SessionId, StoreError,
    TriggerRequest, WorkspaceId,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};
use siphasher::sip::SipHasher13;

use crate::kit::{Setup, World, sessions_of};
use crate::scenarios::{ADA, SHOP};

const HEADER: usize = 14;

/// Texts with templates that work, that read what is not there, and that cannot be evaluated.
const TEXTS: &[&str] = &[
    "Hello",
    "{{vars.a}} and {{context.x}}",
    "{{reply.text | upper}}",
    "{{nothing.is.here}}",
    "{{contact.id}} {{flow.name}} {{session.id}}",
    "{{1 / 0}}",
    "{{vars.a[0].b}}",
    "ünï \u{202e} 🙂 \"quoted\" \\ {{reply.text}}",
];
const EXPRESSIONS: &[&str] =
    &["1 / 0", "(vars.n | default(0)) + 1", "reply.text", "context.x > 3", "vars.a and not vars.b"];
/// Questions, with templates in bounds and texts that work and that do not.
const ASKS: &[&str] = &[
    r#"{"text": "Hello", "retries": 1, "debounce": "1m"}"#,
    r#"{"text": "{{vars.a}}?", "expect": "number", "min": "{{ 1 / 0 }}"}"#,
    r#"{"text": "How many?", "expect": "number", "max": 2, "error_text": "{{reply.text}}?", "debounce": "1s"}"#,
    r#"{"text": "Sure?", "choices": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}], "retries": 0}"#,
];
const REPLIES: &[&str] = &["", "yes", "no", "3", "{{1/0}}", "\u{0000}", "🙂", "stop"];

/// Nodes that ask the host, that only read or change, with the branches that they must have. The
/// host's answers fit some of them.
const HOSTS: &[(&str, &[&str])] = &[
    (
        r#"{"kind": "http_request", "url": "https://host/{{reply.text | urlencode}}", "save_to": "found"}"#,
        &[],
    ),
    (
        r#"{"kind": "http_request", "url": "{{vars.a}}", "method": "POST", "body": {"x": "{{context.x}}"}}"#,
        &[],
    ),
    (
        r#"{"kind": "llm", "prompt": "{{reply.text}}", "fallback": "Later, {{contact.id}}", "save_to": "a"}"#,
        &[],
    ),
    (r#"{"kind": "llm", "prompt": "{{vars.n}}", "timeout": "1m", "save_to": "b"}"#, &[]),
    (
        r#"{"kind": "classify", "classes": [{"id": "other"}, {"id": "one"}], "save_to": "a"}"#,
        &["other", "one", "else"],
    ),
    (
        r#"{"kind": "recognize_language", "languages": ["en", "other"], "update_contact": true}"#,
        &["en", "other", "else"],
    ),
    (r#"{"kind": "recognize_language", "save_to": "a"}"#, &[]),
];
const PLAIN: &[(&str, &[&str])] = &[
    #[cfg(feature = "phone-numbers")]
    (r#"{"kind": "recognize_phone", "default_region": "US", "save_to": "a"}"#, &["found", "not_found"]),
    #[cfg(feature = "phone-numbers")]
    (
        r#"{"kind": "recognize_entities", "text": "{{vars.b}} {{reply.text}}", "save_to": "n"}"#,
        &["found", "not_found"],
    ),
    (
        r#"{"kind": "update_contact", "set": {"name": "{{reply.text}}", "language": "pt", "fields": {"x": "{{vars.a}}"}},
         "add_tags": ["{{reply.text}}"], "remove_groups": ["a"], "consent": "opt_in"}"#,
        &[],
    ),
    (
        r#"{"kind": "update_contact", "set": {"email": null}, "add_groups": ["{{vars.a}}"], "consent": "opt_out"}"#,
        &[],
    ),
    (r#"{"kind": "random_split", "branches": [{"label": "a", "weight": 9}, {"label": "b"}]}"#, &["a", "b"]),
    #[cfg(feature = "time-zones")]
    (
        r#"{"kind": "open_hours", "timezone": "Europe/Berlin", "hours": {"thu": ["09:00-18:00"]}}"#,
        &["open", "closed"],
    ),
    (r#"{"kind": "log", "level": "warning", "text": "{{vars.a}} {{reply.text}}"}"#, &[]),
];

/// A node's kind with its choices; what it names is named later.
#[derive(Clone, Debug)]
enum Kind {
    Send { text: usize, fails_to: bool },
    Typing,
    Wait { timeout: bool, goes_on: bool },
    Ask { what: usize, timeout: bool, invalid: bool },
    Set(usize, usize),
    Branch(usize),
    Delay(usize),
    Function { fails_to: bool, named: bool },
    Host { what: usize, fails_to: bool },
    Plain(usize),
    Jump(usize, u32),
    Each(u32),
    Call { fails_to: bool, expires_to: bool, terminal: bool },
    Handoff { never: bool, returned: bool },
    End,
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => (0..TEXTS.len(), any::<bool>()).prop_map(|(text, fails_to)| Kind::Send { text, fails_to }),
        1 => Just(Kind::Typing),
        3 => any::<(bool, bool)>().prop_map(|(timeout, goes_on)| Kind::Wait { timeout, goes_on }),
        3 => (0..ASKS.len(), any::<(bool, bool)>())
            .prop_map(|(what, (timeout, invalid))| Kind::Ask { what, timeout, invalid }),
        2 => (0..TEXTS.len(), 0..EXPRESSIONS.len()).prop_map(|(text, expr)| Kind::Set(text, expr)),
        2 => (0..EXPRESSIONS.len()).prop_map(Kind::Branch),
        1 => (0..4_usize).prop_map(Kind::Delay),
        2 => any::<(bool, bool)>().prop_map(|(fails_to, named)| Kind::Function { fails_to, named }),
        2 => (0..HOSTS.len(), any::<bool>()).prop_map(|(what, fails_to)| Kind::Host { what, fails_to }),
        3 => (0..PLAIN.len()).prop_map(Kind::Plain),
        1 => (0..8_usize, 1..4_u32).prop_map(|(target, most)| Kind::Jump(target, most)),
        1 => (1..4_u32).prop_map(Kind::Each),
        1 => any::<(bool, bool, bool)>()
            .prop_map(|(fails_to, expires_to, terminal)| Kind::Call { fails_to, expires_to, terminal }),
        1 => any::<(bool, bool)>().prop_map(|(never, returned)| Kind::Handoff { never, returned }),
        1 => Just(Kind::End),
    ]
}

/// The nodes in a row; other branches lead to a node further on, jumps to one before, calls to the
/// flow itself.
fn written(kinds: &[Kind]) -> Value {
    let name = |place: usize| format!("n{place}");
    let mut nodes = vec![json!({"id": "start", "kind": "start"})];
    let mut edges = vec![json!({"from": "start", "to": "n0"})];
    let last = kinds.len() - 1;
    for (place, kind) in kinds.iter().enumerate() {
        let id = name(place);
        let onward = name((place + 2).min(last).max(place + 1));
        let is_last = place == last;
        let mut branch = |name: &str| {
            if !is_last {
                edges.push(json!({"from": id, "branch": name, "to": onward}));
            }
        };
        let mut goes_next = true;
        nodes.push(match kind {
            Kind::Send { text, fails_to } => {
                if *fails_to {
                    branch("failed");
                }
                json!({"id": id, "kind": "send_message", "text": TEXTS[*text]})
            }
            Kind::Typing => json!({"id": id, "kind": "typing", "for": "2s"}),
            Kind::Wait { timeout: true, goes_on: true } => {
                json!({"id": id, "kind": "wait_reply", "save_to": "a", "timeout": "5m", "on_timeout": "continue"})
            }
            Kind::Wait { timeout: true, .. } => {
                branch("timeout");
                json!({"id": id, "kind": "wait_reply", "save_to": "a", "timeout": "5m"})
            }
            Kind::Wait { .. } => {
                json!({"id": id, "kind": "wait_reply", "save_to": "a", "debounce": "10s"})
            }
            Kind::Ask { what, timeout, invalid } => {
                let mut node: Value = serde_json::from_str(ASKS[*what]).expect("JSON");
                (node["id"], node["kind"], node["save_to"]) = (json!(id), json!("ask"), json!("a"));
                if *timeout {
                    node["timeout"] = json!("5m");
                    branch("timeout");
                }
                if *invalid {
                    branch("invalid");
                }
                node
            }
            Kind::Set(text, expr) => json!({"id": id, "kind": "set_variables", "variables": [
                {"name": "b", "value": {"text": TEXTS[*text], "list": [1, null, 2.5]}},
                {"name": "n", "expr": EXPRESSIONS[*expr]}]}),
            Kind::Branch(expr) if !is_last => {
                branch("hit");
                goes_next = false;
                edges.push(json!({"from": id, "branch": "else", "to": name(place + 1)}));
                json!({"id": id, "kind": "branch",
                       "branches": [{"label": "hit", "when": {"expr": EXPRESSIONS[*expr]}}]})
            }
            Kind::Delay(0) => json!({"id": id, "kind": "delay", "until": "{{vars.a}}"}),
            Kind::Delay(n) => json!({"id": id, "kind": "delay", "for": format!("{n}m")}),
            Kind::Function { fails_to, named } => {
                if *fails_to {
                    branch("failed");
                }
                let mut node = json!({"id": id, "kind": "function", "function": "now", "save_to": "found",
                                      "args": {"said": "{{reply.text}}"}, "timeout": "3m"});
                if *named && !is_last {
                    branch("other");
                    node["branches"] = json!(["other"]);
                }
                node
            }
            Kind::Host { what, fails_to } if !is_last || HOSTS[*what].1.is_empty() => {
                if *fails_to {
                    branch("failed");
                }
                let (node, branches) = HOSTS[*what];
                branches.iter().for_each(|name| branch(name));
                goes_next = branches.is_empty();
                named(node, &id)
            }
            Kind::Plain(what) if !is_last || PLAIN[*what].1.is_empty() => {
                let (node, branches) = PLAIN[*what];
                branches.iter().for_each(|name| branch(name));
                goes_next = branches.is_empty();
                named(node, &id)
            }
            Kind::Jump(target, most) if place > 0 => {
                json!({"id": id, "kind": "jump", "target": name(target % place), "max_jumps": most})
            }
            Kind::Each(limit) if !is_last => {
                branch("done");
                goes_next = false;
                edges.push(json!({"from": id, "branch": "each", "to": name(place + 1)}));
                json!({"id": id, "kind": "for_each", "from": "[1, reply.text, vars.n]", "limit": limit})
            }
            Kind::Call { fails_to, expires_to, terminal } if place > 0 && (is_last || !terminal) => {
                if *fails_to {
                    branch("failed");
                }
                if *expires_to && !terminal {
                    branch("expired");
                }
                let mut node = json!({"id": id, "kind": "call_flow", "flow": "made", "terminal": terminal,
                                      "input": [{"name": "x", "value": "{{reply.text}}"}]});
                if !terminal {
                    node["output"] = json!([{"name": "back", "expr": EXPRESSIONS[place % EXPRESSIONS.len()]}]);
                }
                node
            }
            Kind::Handoff { never, returned } => {
                if *returned {
                    branch("returned");
                }
                let timeout = if *never { "never" } else { "2m" };
                json!({"id": id, "kind": "handoff", "timeout": timeout, "note": "{{reply.text}}"})
            }
            Kind::End if is_last => json!({"id": id, "kind": "end", "outcome": "done"}),
            Kind::Branch(_)
            | Kind::Host { .. }
            | Kind::Plain(_)
            | Kind::Jump(..)
            | Kind::Each(_)
            | Kind::Call { .. }
            | Kind::End => {
                json!({"id": id, "kind": "send_message", "text": "Still here"})
            }
        });
        if goes_next && !is_last {
            edges.push(json!({"from": id, "to": name(place + 1)}));
        }
    }
    nodes.push(json!({"id": "remind", "kind": "send_message", "text": "{{vars.a}}?"}));
    json!({"spec": 1, "code": "made", "name": "Made", "trigger": {"kind": "manual"},
           "settings": {"sender": {"channel": "whatsapp", "account": SHOP},
                        "reminder": {"before": "2m", "node": "remind"}},
           "nodes": nodes, "edges": edges})
}

fn named(node: &str, id: &str) -> Value {
    let mut node: Value = serde_json::from_str(node).expect("JSON");
    node["id"] = json!(id);
    node
}

/// Sound flows of all kinds of nodes.
fn flow() -> impl Strategy<Value = (Arc<Flow>, String)> {
    vec(kind(), 1..9).prop_filter_map("a flow with issues", |kinds| {
        let text = written(&kinds).to_string();
        Some((Arc::new(Flow::from_json(&text).ok()?), text))
    })
}

#[derive(Clone, Debug)]
enum Act {
    Start,
    Reply(usize, bool),
    /// For the number of the present wait, or another.
    Deadline(i8),
    Expiry,
    Result(i8, u8),
    /// Of the message that it waits for, or of another.
    Sent(u64, u8),
    Report(u64, bool),
    End(u8),
    /// To one of its nodes, or to one that it does not have.
    Jump(usize),
    Handoff,
    Resume(bool),
    Touch,
    Thaw(i64),
    Reminder(i8),
    Queue(usize),
    Handed(i8),
    CallLater(i8),
    Held,
    /// To another version, at the same node or at another.
    Migrate(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => Just(Act::Start),
        4 => (0..REPLIES.len(), any::<bool>()).prop_map(|(text, choice)| Act::Reply(text, choice)),
        3 => (-1..3_i8).prop_map(Act::Deadline),
        1 => Just(Act::Expiry),
        4 => (-1..2_i8, 0..5_u8).prop_map(|(wait, what)| Act::Result(wait, what)),
        3 => (0..2_u64, 0..3_u8).prop_map(|(by, what)| Act::Sent(by, what)),
        2 => (7..10_u64, any::<bool>()).prop_map(|(seq, failed)| Act::Report(seq, failed)),
        1 => (0..4_u8).prop_map(Act::End),
        1 => (0..10_usize).prop_map(Act::Jump),
        1 => Just(Act::Handoff),
        2 => any::<bool>().prop_map(Act::Resume),
        1 => Just(Act::Touch),
        1 => (0..400_i64).prop_map(Act::Thaw),
        1 => (-1..2_i8).prop_map(Act::Reminder),
        1 => (0..REPLIES.len()).prop_map(Act::Queue),
        1 => (-1..2_i8).prop_map(Act::Handed),
        1 => (-1..2_i8).prop_map(Act::CallLater),
        1 => Just(Act::Held),
        1 => (0..10_usize).prop_map(Act::Migrate),
    ]
}

fn message(text: &str, is_choice: bool) -> Message {
    let kind = if is_choice { MessageKind::Choice } else { MessageKind::Text };
    let json = json!({"kind": kind, "text": text, "payload": is_choice.then_some("yes")});
    serde_json::from_value(json).expect("a message")
}

fn our_route() -> Arc<Route> {
    let account = Account::new(Channel::WhatsApp, SHOP).expect("an account");
    let to = Address::new(&account, ADA).expect("an address");
    Arc::new(Route { account, to })
}

fn input(act: &Act, session: &chatflow::Session) -> Input {
    let wait = |by: i8| session.wait_number().saturating_add_signed(i32::from(by));
    let call = |by: i8| CallId { session: session.id(), wait: wait(by) };
    match act {
        Act::Start => Input::Start,
        Act::Reply(text, choice) => {
            Input::Reply { message: message(REPLIES[*text], *choice), route: our_route() }
        }
        Act::Deadline(by) => Input::Deadline(wait(*by)),
        Act::Expiry => Input::Expiry,
        Act::Result(by, what) => Input::Result {
            call: call(*by),
            result: match what {
                0 => CallResult::failed("no"),
                1 => CallResult::branch(json!({"deep": [[[[1]]]]}), "other"),
                2 => CallResult::branch(1, "nowhere"),
                3 => CallResult::value("x".repeat(100_000)),
                _ => CallResult::value(json!({"a": 1})),
            },
        },
        Act::Sent(by, what) => {
            let message = session.awaits().unwrap_or(MessageId { session: session.id(), seq: 8 });
            let outcome = match what {
                0 => SendOutcome::Sent,
                1 => SendOutcome::Failed { reason: "no".into() },
                _ => SendOutcome::WindowClosed,
            };
            Input::Sent { message: MessageId { seq: message.seq + by, ..message }, outcome }
        }
        Act::Report(seq, failed) => Input::Report {
            message: MessageId { session: session.id(), seq: *seq },
            report: if *failed {
                DeliveryReport::Failed { code: "131047".into() }
            } else {
                DeliveryReport::Read
            },
        },
        Act::End(0) => Input::End(EndReason::Cancelled),
        Act::End(1) => Input::End(EndReason::OptedOut),
        Act::End(2) => Input::End(EndReason::Interrupted),
        Act::End(_) => Input::End(EndReason::FlowTerminated),
        Act::Jump(place) => {
            Input::Jump { node: format!("n{place}").parse().expect("an id"), route: Some(our_route()) }
        }
        Act::Handoff => Input::Handoff,
        Act::Resume(large) => {
            let value = if *large { json!({"a": "x".repeat(60_000)}) } else { json!({"a": 1}) };
            Input::Resume {
                vars: PackedMap::from_json(&value, &PackLimits::of(&Limits::default()))
                    .expect("it is within the limits"),
            }
        }
        Act::Touch => Input::ProlongHandoff,
        Act::Thaw(seconds) => Input::ShiftTimers { since: at(*seconds) },
        Act::Reminder(by) => Input::Reminder(wait(*by)),
        Act::Queue(text) => Input::Queue { message: message(REPLIES[*text], false), route: our_route() },
        Act::Handed(by) => Input::Handed(call(*by)),
        Act::CallLater(by) => Input::CallLater { call: call(*by), until: at(200) },
        Act::Held => Input::RestartWait,
        Act::Migrate(9) => Input::Migrate {
            version: FlowVersion(2),
            node: session.node().clone(),
            digest: None,
            loops: Vec::new(),
        },
        Act::Migrate(place) => {
            let node = format!("n{place}").parse().expect("an id");
            Input::Migrate { version: FlowVersion(2), node, digest: None, loops: Vec::new() }
        }
    }
}

fn contact() -> Contact {
    let json = json!({"id": "ada", "addresses": [our_route().to]});
    serde_json::from_value(json).expect("a contact")
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_778_141_663 + seconds, 0).expect("an instant")
}

/// A flow that may call itself.
struct Itself<'a>(&'a Flow);

impl Library for Itself<'_> {
    fn find(&self, flow: &FlowId, version: Option<FlowVersion>) -> Option<Callee<'_>> {
        let found = Callee { flow: self.0, version: version.unwrap_or(FlowVersion(2)), name: self.0.name() };
        (flow == self.0.id()).then_some(found)
    }
}

fn turn(flow: &Flow, session: &chatflow::Session, act: &Act, seconds: i64, limits: &Limits) -> Turn {
    let contact = contact();
    let env = TurnEnvironment {
        now: at(seconds),
        workspace: &WorkspaceId::default(),
        contact: &contact,
        flow_name: flow.name(),
        flows: &Itself(flow),
        limits,
        last_seq: 7,
        unsent: 0,
        journal: true,
    };
    advance(flow, session.clone(), input(act, session), &env)
}

fn stored(session: &chatflow::Session) -> Vec<u8> {
    encode_session(session).expect("it has a stored form")
}

/// The bytes of a record around this body, with the checksum that it needs to be believed.
fn forged(record: &[u8], body: &[u8]) -> Vec<u8> {
    let mut hasher = SipHasher13::new();
    hasher.write(body);
    let sum = hasher.finish().to_le_bytes();
    [&record[..HEADER - sum.len()], &sum, body].concat()
}

fn mutated(bytes: &[u8], changes: &[(usize, u8, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, how, byte) in changes {
        let place = place % bytes.len().max(1);
        match how % 4 {
            0 if place < bytes.len() => bytes[place] ^= byte | 1,
            1 => bytes.truncate(place),
            2 => bytes.insert(place.min(bytes.len()), *byte),
            _ if place < bytes.len() => drop(bytes.remove(place)),
            _ => {}
        }
    }
    bytes
}

/// The generator makes sound flows of every kind of node, and refuses few; else the properties
/// below would say little.
#[test]
fn the_generator_makes_every_kind_of_node() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut sound, mut kinds) = (0, BTreeSet::new());
    for _ in 0..200 {
        let made = vec(kind(), 1..9).new_tree(&mut runner).expect("a tree").current();
        if let Ok(flow) = Flow::from_json(&written(&made).to_string()) {
            sound += 1;
            kinds.extend(flow.def().nodes.iter().map(|node| node.kind.as_str()));
        }
    }
    assert!(sound > 60, "{sound} of 200 are sound");
    let lacking =
        if cfg!(feature = "phone-numbers") { 0 } else { 2 } + usize::from(!cfg!(feature = "time-zones"));
    assert_eq!(kinds.len(), chatflow::flow::NodeKind::WORDS.len() - lacking, "{kinds:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// INV-V1, V2, S3, L1: a turn answers for every input, answers the same again, is bounded,
    /// leaves an ended session and one that it does not fit as they are; and a session that was
    /// written and read continues as the one that was not.
    #[test]
    fn a_turn_is_total_and_deterministic_and_needs_nothing_but_the_stored_form(
        (flow, _) in flow(),
        acts in vec((act(), 0..400_i64), 1..12),
        nodes_per_turn in 1..40_u32,
    ) {
        let limits = Limits { nodes_per_turn, turns_per_session: 8, ..Limits::default() };
        let new = NewSession::new(SessionId(uuid::Uuid::from_u128(9)), FlowVersion(1));
        let mut session = start(&flow, new, at(0));
        let mut seconds = 0;
        for (act, later) in std::iter::once((Act::Start, 0)).chain(acts) {
            seconds += later;
            let came = turn(&flow, &session, &act, seconds, &limits);
            prop_assert_eq!(&came, &turn(&flow, &session, &act, seconds, &limits));
            let read = decode_session(&stored(&session)).expect("what was written can be read");
            let again = turn(&flow, &read, &act, seconds, &limits);
            prop_assert_eq!(stored(&came.session), stored(&again.session));
            prop_assert_eq!(&came.effects, &again.effects);
            if !session.status().is_live() {
                prop_assert_eq!(&came.session, &session);
            }
            if came.session.turns() == session.turns() {
                let place = |session: &chatflow::Session| {
                    (session.status(), session.node().clone(), session.wait_number(), session.vars().clone())
                };
                if !matches!(act, Act::Migrate(_)) {
                    prop_assert_eq!(place(&came.session), place(&session));
                }
                prop_assert!(came.effects.is_empty());
                let is_aside = matches!(
                    act,
                    Act::Touch | Act::Thaw(_) | Act::Queue(_) | Act::Handed(_) | Act::CallLater(_)
                        | Act::Held | Act::Migrate(_)
                );
                prop_assert!(is_aside || came.session == session);
            }
            let sends = came.effects.iter().filter(|effect| matches!(effect, Effect::Send(_))).count();
            prop_assert!(sends <= nodes_per_turn as usize && came.steps.len() <= nodes_per_turn as usize + 1);
            session = came.session;
        }
    }

    /// INV-L4, V2: a stored session that was changed anywhere, checksum fixed or not, is an error
    /// or another session; never a panic, now or in a turn.
    #[test]
    fn damaged_bytes_are_an_error_and_forged_ones_do_no_harm(
        (flow, _) in flow(),
        acts in vec(act(), 1..4),
        changes in vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..4),
    ) {
        let new = NewSession::new(SessionId(uuid::Uuid::from_u128(9)), FlowVersion(1));
        let mut session = start(&flow, new, at(0));
        for act in std::iter::once(&Act::Start).chain(&acts) {
            session = turn(&flow, &session, act, 60, &Limits::default()).session;
        }
        let bytes = stored(&session);
        let damaged = mutated(&bytes, &changes);
        match decode_session(&damaged) {
            Ok(_) => prop_assert_eq!(&damaged[HEADER..], &bytes[HEADER..], "only the format's number may differ"),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        let forged = forged(&bytes, &mutated(&bytes[HEADER..], &changes));
        match decode_session(&forged) {
            Ok(session) => {
                for act in &acts {
                    let _ = turn(&flow, &session, act, 120, &Limits::default());
                }
            }
            Err(error) => prop_assert!(matches!(error, DecodeError::Body(_)), "{error}"),
        }
    }

    /// INV-L4: bytes from anywhere are an error.
    #[test]
    fn bytes_from_anywhere_are_an_error(bytes in vec(any::<u8>(), 0..200), is_headed in any::<bool>()) {
        let bytes = if is_headed { [&b"cflw\x01\x00"[..], &bytes].concat() } else { bytes };
        prop_assert!(decode_session(&bytes).is_err() && decode_conversation(&bytes).is_err());
    }
}

/// A store that keeps nothing but bytes.
#[derive(Clone)]
struct Bytes(Arc<MemoryStore>);

impl ConversationStore for Bytes {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.0.load(lookup).await
    }
    async fn commit(&self, mut commit: Commit) -> Result<Committed, StoreError> {
        commit.record = Record::from_bytes(commit.record.to_bytes()?);
        let rewritten = encode_conversation(&commit.record.conversation().expect("readable"));
        assert_eq!(rewritten.expect("it has a form"), commit.record.to_bytes()?.to_vec(), "INV-V2");
        self.0.commit(commit).await
    }
    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.0.settle(settle).await
    }
    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.0.lease_due(due).await
    }
    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.0.live(live).await
    }
    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.0.purge(purge).await
    }
    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        self.0.erase(erase).await
    }
}

#[derive(Clone, Debug)]
enum Step {
    Trigger(Option<u8>),
    Say(u8, usize),
    Tick,
    Pass(i64),
    Cancel(usize),
    OptOut,
    Complete(bool),
    HandOver(usize),
    HandBack,
    Report(usize, u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => prop::option::of(0..3_u8).prop_map(Step::Trigger),
        4 => (0..20_u8, 1..REPLIES.len() - 3).prop_map(|(id, text)| Step::Say(id, text)),
        3 => Just(Step::Tick),
        2 => any::<bool>().prop_map(Step::Complete),
        1 => (0..3_usize).prop_map(Step::HandOver),
        2 => Just(Step::HandBack),
        2 => (0..3_usize, 1..6_u64).prop_map(|(which, seq)| Step::Report(which, seq)),
        3 => (-100..400_i64).prop_map(Step::Pass),
        1 => (0..3_usize).prop_map(Step::Cancel),
        1 => Just(Step::OptOut),
    ]
}

/// Plays the steps. Answers all that can be seen of it.
fn play<S: ConversationStore>(world: &World, store: S, steps: &[Step]) -> Vec<String> {
    let engine = world.engine_on(store);
    let mut seen = Vec::new();
    let mut sessions = Vec::new();
    for step in steps {
        seen.push(match step {
            Step::Trigger(key) => {
                let request = TriggerRequest::new("made").phone(ADA).context(json!({"x": 5}));
                let request = match key {
                    Some(key) => request.uuid(format!("k{key}")),
                    None => request,
                };
                let answer = block_on(engine.trigger(request));
                if let Some(session) = answer.as_ref().ok().and_then(|answer| answer.session()) {
                    sessions.push(session.clone());
                }
                format!("{answer:?}")
            }
            Step::Say(id, text) => {
                let id = format!("m{id}");
                let inbound = chatflow::Inbound::text(Channel::WhatsApp, SHOP, ADA, REPLIES[*text]).id(id);
                format!("{:?}", block_on(engine.receive(inbound)))
            }
            Step::Tick => format!("{:?}", block_on(engine.tick(10))),
            Step::Pass(seconds) => {
                world.pass(TimeDelta::seconds(*seconds));
                String::new()
            }
            Step::Cancel(which) => match sessions.get(*which) {
                Some(session) => format!("{:?}", block_on(engine.cancel(session.session_id))),
                None => String::new(),
            },
            Step::Complete(works) => match world.desk.asked().last() {
                Some(call) => {
                    let result =
                        if *works { CallResult::branch(1, "other") } else { CallResult::failed("no") };
                    format!("{:?}", block_on(engine.complete(call.reference.clone(), result)))
                }
                None => String::new(),
            },
            Step::HandOver(which) => match sessions.get(*which) {
                Some(session) => format!("{:?}", block_on(engine.handoff(session.session_id))),
                None => String::new(),
            },
            Step::HandBack => match sessions.first() {
                Some(session) => {
                    format!(
                        "{:?}",
                        block_on(engine.resume_from_handoff(&session.contact_id, json!({"b": 1})))
                    )
                }
                None => String::new(),
            },
            Step::Report(which, seq) => match sessions.get(*which) {
                Some(session) => {
                    let message = MessageId { session: session.session_id, seq: *seq };
                    let failed = DeliveryReport::Failed { code: "131047".into() };
                    format!("{:?}", block_on(engine.report(message, failed)))
                }
                None => String::new(),
            },
            Step::OptOut => match sessions.first() {
                Some(session) => format!("{:?}", block_on(engine.opt_out(&session.contact_id))),
                None => String::new(),
            },
        });
    }
    seen.extend(world.wire.taken().iter().map(|message| format!("{message:?} {}", message.text())));
    let left = sessions_of(&*world.store);
    seen.extend(left.iter().map(|record| String::from_utf8_lossy(&stored(record.session())).into_owned()));
    let query =
        ConversationQuery { workspace: WorkspaceId::default(), quarantined: true, after: None, limit: 10 };
    seen.push(format!("{:?}", block_on(world.store.conversations(&query)).expect("memory answers")));
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    /// INV-V2: a store that keeps bytes, one that keeps records, and one that changes them in place
    /// give the same conversation.
    #[test]
    fn nothing_lives_outside_the_stored_form((_, text) in flow(), steps in vec(step(), 1..24)) {
        let world = || World::with_flows(Setup::default(), std::slice::from_ref(&text));
        let (kept, written, gated) = (world(), world(), world());
        let seen = play(&kept, Arc::clone(&kept.store), &steps);
        prop_assert_eq!(&seen, &play(&written, Bytes(Arc::clone(&written.store)), &steps));
        let gate = gated.engine().store().clone();
        prop_assert_eq!(&seen, &play(&gated, gate, &steps));
    }
}
