//! The kernel, turn by turn: a flow, a session, an input, and everything that comes of it.

use std::sync::Arc;

use chatflow::id::{CallId, FlowVersion};
use chatflow::kernel::{Callee, Effect, Input, Library, NewSession, Turn, TurnEnvironment, advance, start};
use chatflow::limits::Limits;
use chatflow::session::{Contact, EndReason, Message, Route};
use chatflow::value::{PackLimits, PackedMap};
use chatflow::{
    Account, Address, CallResult, Channel, Flow, FlowId, Session, SessionId, Status, WorkspaceId,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

/// A question with a time-out, a call, an apology.
const FLOW: &str = r#"{"spec": 1, "code": "f", "name": "F",
    "trigger": {"kind": "manual"},
    "settings": {"sender": {"channel": "sms", "account": "555"}},
    "nodes": [
        {"id": "start", "kind": "start"},
        {"id": "hi", "kind": "send_message", "text": "Hi {{context.name}}{{gone}}", "options": [{"id": "yes", "label": "Yes"}]},
        {"id": "wait", "kind": "wait_reply", "timeout": "10m", "save_to": "answer"},
        {"id": "look", "kind": "function", "function": "find", "args": {"for": "{{answer}}"}, "save_to": "found"},
        {"id": "rest", "kind": "delay", "for": "1h"},
        {"id": "bye", "kind": "send_message", "text": "{{found}}"},
        {"id": "late", "kind": "send_message", "text": "Late"},
        {"id": "bad", "kind": "send_message", "text": "{{1 / 0}}"}
    ],
    "edges": [
        {"from": "start", "to": "hi"}, {"from": "hi", "to": "wait"}, {"from": "wait", "to": "look"},
        {"from": "wait", "branch": "timeout", "to": "late"}, {"from": "late", "to": "bad"},
        {"from": "look", "to": "rest"}, {"from": "rest", "to": "bye"}
    ]}"#;

const ID: SessionId = SessionId(Uuid::from_u128(7));

struct World {
    flow: Flow,
    contact: Contact,
    workspace: WorkspaceId,
    limits: Limits,
}

impl World {
    fn new() -> Self {
        let mut contact = Contact::new("ada".parse().unwrap());
        contact.addresses.push(route().to.clone());
        Self {
            flow: Flow::from_json(FLOW).unwrap(),
            contact,
            workspace: WorkspaceId::default(),
            limits: Limits::default(),
        }
    }

    fn env(&self, now: DateTime<Utc>) -> TurnEnvironment<'_> {
        TurnEnvironment {
            now,
            workspace: &self.workspace,
            contact: &self.contact,
            flow_name: "F",
            flows: &(),
            limits: &self.limits,
            last_seq: 40,
            unsent: 0,
            journal: true,
        }
    }

    fn fresh(&self) -> Session {
        let mut new = NewSession::new(ID, FlowVersion(3));
        new.context = PackedMap::from_json(&json!({"name": "Ada"}), &PackLimits::of(&self.limits)).unwrap();
        start(&self.flow, new, at(0))
    }

    fn turn(&self, session: Session, input: Input, now: DateTime<Utc>) -> Turn {
        advance(&self.flow, session, input, &self.env(now))
    }

    /// Sessions at each place: fresh, waiting, calling, delayed, ended.
    fn places(&self) -> [Session; 5] {
        let fresh = self.fresh();
        let waiting = self.turn(fresh.clone(), Input::Start, at(0)).session;
        let calling = self.turn(waiting.clone(), reply("Kurt"), at(1)).session;
        let delayed = self.turn(calling.clone(), result(2, json!("K.")), at(2)).session;
        let ended = self.turn(delayed.clone(), Input::Deadline(3), at(3_602)).session;
        [fresh, waiting, calling, delayed, ended]
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_778_141_663 + seconds, 0).unwrap()
}

fn route() -> Arc<Route> {
    let account = Account::new(Channel::Sms, "555").unwrap();
    let to = Address::new(&account, "+14155550123").unwrap();
    Arc::new(Route { account, to })
}

fn message(text: &str) -> Message {
    serde_json::from_value(json!({"kind": "text", "text": text})).unwrap()
}

fn reply(text: &str) -> Input {
    Input::Reply { message: message(text), route: route() }
}

fn result(wait: u32, value: Value) -> Input {
    Input::Result { call: CallId { session: ID, wait }, result: CallResult::value(value) }
}

/// An effect with all that it says, in one line.
fn shown(effect: &Effect) -> String {
    let Effect::Send(message) = effect else { return format!("{effect:?}") };
    assert_eq!(
        (message.id.session, message.contact.to_string(), &message.route, message.workspace.as_str()),
        (ID, "ada".to_owned(), &route(), "default")
    );
    let options: Vec<String> =
        message.options().iter().map(|option| format!("{}={}", option.label, option.payload)).collect();
    format!(
        "#{} {} `{}` {options:?} turn {} {}/{} after {:?} by {} at {}",
        message.id.seq,
        message.node,
        message.text(),
        message.turn,
        message.index,
        message.count,
        message.branch.as_deref(),
        message.component,
        (message.created_at - at(0)).num_seconds(),
    )
}

fn effects(turn: &Turn) -> Vec<String> {
    turn.effects.iter().map(shown).collect()
}

fn steps(turn: &Turn) -> Vec<String> {
    let step = |branch: Option<&str>| branch.unwrap_or("-").to_owned();
    turn.steps.iter().map(|taken| format!("{} {}", taken.node, step(taken.branch.as_deref()))).collect()
}

/// The session's stored form as it was, with these fields changed; null takes one away.
fn changed(session: &Session, fields: Value) -> Value {
    let mut json = json!(session);
    for (name, value) in fields.as_object().unwrap() {
        if value.is_null() {
            json.as_object_mut().unwrap().remove(name);
        } else {
            json[name] = value.clone();
        }
    }
    json
}

fn instant(seconds: i64) -> Value {
    json!(at(seconds))
}

const MONTH: i64 = 30 * 24 * 60 * 60;

/// S1, N2, N3
#[test]
fn the_first_turn_sends_and_waits() {
    let world = World::new();
    let fresh = world.fresh();
    let turn = world.turn(fresh.clone(), Input::Start, at(0));
    assert_eq!(
        effects(&turn),
        [
            "Note(UndefinedVariable { session: SessionId(00000000-0000-0000-0000-000000000007), node: NodeId(hi), name: \"gone\" })".to_owned(),
            format!("#41 hi `Hi Ada` [\"Yes=cf:{}:1:yes\"] turn 1 0/1 after None by start at 0", ID.0.simple()),
        ]
    );
    assert_eq!(steps(&turn), ["start next", "hi next", "wait -"]);
    assert_eq!(
        json!(turn.session),
        changed(
            &fresh,
            json!({
                "status": "waiting", "node": "wait", "wait": 1, "turns": 1, "sent": 1, "sent_before": 41,
                "asked": {"channel": "sms", "account": "555", "to": "+14155550123"},
                "deadline": instant(600), "expires_at": instant(1_800), "ends_by": instant(MONTH), "route": *route(),
            })
        )
    );
}

/// N3, D2
#[test]
fn a_reply_is_saved_and_leads_to_a_call() {
    let world = World::new();
    let [_, waiting, ..] = world.places();
    let turn = world.turn(waiting.clone(), reply("Kurt"), at(60));
    assert_eq!(effects(&turn), [""; 0]);
    assert_eq!(steps(&turn), ["wait replied", "look -"]);
    assert_eq!(
        json!(turn.session),
        changed(
            &waiting,
            json!({
                "status": "calling", "node": "look", "wait": 2, "answered": 1, "turns": 2, "branch": "replied",
                "vars": {"answer": "Kurt"}, "reply": {"message": message("Kurt")},
                "last_interaction_at": instant(60), "expires_at": instant(1_860), "parked_at": instant(60),
                "deadline": instant(90),
                "call": {
                    "id": CallId { session: ID, wait: 2 }, "name": "find", "args": {"for": "Kurt"},
                    "stage": {"due": instant(60)}, "attempts": 0,
                },
            })
        )
    );
}

/// D2
#[test]
fn a_result_is_saved_and_leads_to_a_delay() {
    let world = World::new();
    let [_, _, calling, ..] = world.places();
    let turn = world.turn(calling.clone(), result(2, json!({"a": [1]})), at(10));
    assert_eq!((effects(&turn), steps(&turn)), (vec![], vec!["look next".to_owned(), "rest -".to_owned()]));
    assert_eq!(
        json!(turn.session),
        changed(
            &calling,
            json!({
                "status": "delayed", "node": "rest", "wait": 3, "turns": 3, "call": null,
                "vars": {"answer": "Kurt", "found": {"a": [1]}},
                "last_interaction_at": instant(10), "expires_at": instant(1_810), "parked_at": instant(10),
                "deadline": instant(3_610),
            })
        )
    );
}

/// N1
#[test]
fn a_delay_that_is_over_sends_and_completes() {
    let world = World::new();
    let [_, _, _, delayed, _] = world.places();
    let turn = world.turn(delayed.clone(), Input::Deadline(3), at(3_602));
    assert_eq!(effects(&turn), ["#41 bye `K.` [] turn 4 0/1 after Some(\"replied\") by rest at 3602"]);
    assert_eq!(steps(&turn), ["rest next", "bye next"]);
    assert_eq!(
        json!(turn.session),
        changed(
            &delayed,
            json!({
                "status": "completed", "node": "bye", "turns": 4, "sent": 2, "deadline": null, "expires_at": null,
                "last_interaction_at": instant(3_602), "ended_at": instant(3_602),
            })
        )
    );
}

/// S7, S9
#[test]
fn a_turn_that_fails_sends_nothing() {
    let world = World::new();
    let [_, waiting, ..] = world.places();
    let turn = world.turn(waiting.clone(), Input::Deadline(1), at(600));
    assert_eq!(effects(&turn), [""; 0]);
    assert_eq!(steps(&turn), ["wait timeout", "late next", "bad -"]);
    let failure = turn.session.failure().unwrap();
    assert_eq!((failure.code.as_str(), failure.node.as_str()), ("expression", "bad"));
    assert_eq!(
        json!(turn.session),
        changed(
            &waiting,
            json!({
                "status": "failed", "node": "bad", "answered": 1, "turns": 2, "branch": "timeout", "reply": {"timed_out": true},
                "deadline": null, "expires_at": null, "last_interaction_at": instant(600), "ended_at": instant(600),
                "rare": {"failure": failure},
            })
        )
    );
}

/// S1, S9
#[test]
fn a_session_that_ends_from_outside_stays_where_it_stood() {
    let world = World::new();
    for place in &world.places()[1..4] {
        for (input, status) in
            [(Input::Expiry, Status::Expired), (Input::End(EndReason::OptedOut), Status::Cancelled)]
        {
            let turn = world.turn(place.clone(), input, at(9));
            assert_eq!((effects(&turn), steps(&turn)), (vec![], vec![]));
            let rare = match status {
                Status::Cancelled => json!({"ended_by": "opted_out"}),
                _ => Value::Null,
            };
            assert_eq!(
                json!(turn.session),
                changed(
                    place,
                    json!({
                        "status": status, "turns": place.turns() + 1, "deadline": null, "expires_at": null,
                        "call": null, "ended_at": instant(9), "rare": rare,
                    })
                )
            );
        }
    }
}

/// Two flows that call and are called.
struct Pair {
    caller: Flow,
    child: Flow,
}

impl Pair {
    fn new() -> Self {
        let caller = r#"{"spec": 1, "code": "caller", "trigger": {"kind": "manual"},
            "nodes": [{"id": "start", "kind": "start"},
                      {"id": "note", "kind": "set_variables", "variables": [{"name": "mine", "value": 1}]},
                      {"id": "call", "kind": "call_flow", "flow": "child", "input": [{"name": "of", "expr": "mine"}],
                       "output": [{"name": "said", "expr": "answer"}]},
                      {"id": "rest", "kind": "delay", "for": "1h"}],
            "edges": [{"from": "start", "to": "note"}, {"from": "note", "to": "call"}, {"from": "call", "to": "rest"}]}"#;
        let child = r#"{"spec": 1, "code": "child", "trigger": {"kind": "manual"},
            "nodes": [{"id": "start", "kind": "start"}, {"id": "wait", "kind": "wait_reply", "save_to": "answer"}],
            "edges": [{"from": "start", "to": "wait"}]}"#;
        Self { caller: Flow::from_json(caller).unwrap(), child: Flow::from_json(child).unwrap() }
    }

    fn turn(&self, world: &World, session: Session, input: Input, now: DateTime<Utc>) -> Turn {
        advance(&self.caller, session, input, &TurnEnvironment { flows: self, ..world.env(now) })
    }
}

impl Library for Pair {
    fn find(&self, flow: &FlowId, version: Option<FlowVersion>) -> Option<Callee<'_>> {
        let found = Callee { flow: &self.child, version: FlowVersion(5), name: "Child" };
        (flow.as_str() == "child" && version.is_none_or(|version| version == FlowVersion(5))).then_some(found)
    }
}

/// N9
#[test]
fn a_call_keeps_the_caller_and_its_end_brings_it_back() {
    let (world, pair) = (World::new(), Pair::new());
    let mut new = NewSession::new(ID, FlowVersion(3));
    new.context = PackedMap::from_json(&json!({"name": "Ada"}), &PackLimits::of(&world.limits)).unwrap();
    let fresh = start(&pair.caller, new, at(0));
    let called = pair.turn(&world, fresh.clone(), Input::Start, at(0));
    assert_eq!(steps(&called), ["start next", "note next", "call -", "start next", "wait -"]);
    let frame = json!({
        "flow": "caller", "version": 3, "digest": format!("{:032x}", pair.caller.digest()), "node": "call",
        "context": {"name": "Ada"}, "vars": {"mine": 1},
    });
    assert_eq!(
        json!(called.session),
        changed(
            &fresh,
            json!({
                "status": "waiting", "node": "wait", "wait": 1, "turns": 1, "context": {"of": 1},
                "expires_at": instant(1_800), "ends_by": instant(MONTH),
                "rare": {"frames": [frame], "active": ["child", 5],
                         "active_digest": format!("{:032x}", pair.child.digest())},
            })
        )
    );
    let back = pair.turn(&world, called.session.clone(), reply("x"), at(9));
    assert_eq!(steps(&back), ["wait replied", "call next", "rest -"]);
    assert_eq!(
        json!(back.session),
        changed(
            &called.session,
            json!({
                "status": "delayed", "node": "rest", "wait": 2, "answered": 1, "turns": 2, "branch": "replied",
                "context": {"name": "Ada"}, "vars": {"mine": 1, "said": "x"}, "reply": {"message": message("x")},
                "last_interaction_at": instant(9), "expires_at": instant(1_809), "parked_at": instant(9),
                "deadline": instant(3_609), "route": *route(), "rare": null,
            })
        )
    );
    let nowhere = advance(&pair.caller, fresh, Input::Start, &world.env(at(0)));
    assert_eq!(nowhere.session.failure().unwrap().code.as_str(), "subflow_offline");
}

fn inputs() -> Vec<Input> {
    let failed =
        |wait| Input::Result { call: CallId { session: ID, wait }, result: CallResult::failed("no") };
    let elsewhere = Input::Result {
        call: CallId { session: SessionId(Uuid::nil()), wait: 2 },
        result: CallResult::value(1),
    };
    let mut inputs =
        vec![Input::Start, reply("x"), elsewhere, Input::Expiry, Input::End(EndReason::Cancelled)];
    for wait in 0..5 {
        inputs.extend([Input::Deadline(wait), result(wait, json!(1)), failed(wait)]);
    }
    inputs
}

/// True if an input fits a session at this place of [`World::places`].
fn fits(place: usize, input: &Input) -> bool {
    match (place, input) {
        (4, _) => false,
        (_, Input::Expiry | Input::End(_)) => true,
        (0, input) => *input == Input::Start,
        (1, Input::Reply { .. } | Input::Deadline(1)) | (2, Input::Deadline(2)) | (3, Input::Deadline(3)) => {
            true
        }
        (2, Input::Result { call, .. }) => *call == CallId { session: ID, wait: 2 },
        _ => false,
    }
}

/// S1, S4, D2
#[test]
fn an_input_that_does_not_fit_leaves_the_session_as_it_is() {
    for limits in [Limits::default(), Limits { turns_per_session: 1, ..Limits::default() }] {
        let places = World::new().places();
        let world = World { limits, ..World::new() };
        for (place, session) in places.iter().enumerate() {
            for input in inputs() {
                let turn = world.turn(session.clone(), input.clone(), at(20));
                if fits(place, &input) {
                    assert_ne!(turn.session, *session, "{place} {input:?}");
                } else {
                    assert_eq!(
                        turn,
                        Turn { session: session.clone(), effects: vec![], steps: vec![] },
                        "{place} {input:?}"
                    );
                }
            }
        }
    }
}

/// S7
#[test]
fn a_turn_beyond_the_limit_fails_the_session() {
    let world = World { limits: Limits { turns_per_session: 1, ..Limits::default() }, ..World::new() };
    let waiting = world.turn(world.fresh(), Input::Start, at(0)).session;
    let turn = world.turn(waiting.clone(), reply("x"), at(1));
    let failure = turn.session.failure().unwrap();
    assert_eq!(
        (turn.session.status(), failure.code.as_str(), failure.node.as_str(), effects(&turn)),
        (Status::Failed, "turns_per_session", "wait", vec![])
    );
    let expired = world.turn(waiting, Input::Expiry, at(1)).session;
    assert_eq!(expired.status(), Status::Expired);
}

proptest! {
    /// The same arguments give the same turn, whatever comes; and an ended session stays ended.
    #[test]
    fn the_same_arguments_give_the_same_turn(script in prop::collection::vec((0_usize..20, 0_i64..5_000), 1..12)) {
        let world = World::new();
        let (mut session, mut now) = (world.fresh(), at(0));
        for (choice, pause) in script {
            let input = inputs()[choice].clone();
            now += TimeDelta::seconds(pause);
            let one = world.turn(session.clone(), input.clone(), now);
            prop_assert_eq!(&one, &world.turn(session.clone(), input, now));
            prop_assert!(session.status().is_live() || one.session == session);
            prop_assert!(one.session.turns() - session.turns() <= 1);
            session = one.session;
        }
    }
}
