//! A contact in the hands of a person: S10, I11, S1, D2, T9 `InHandoff`.

use std::sync::Arc;

use chatflow::calls::Answer;
use chatflow::flow::KeywordAction;
use chatflow::observer::EventKind;
use chatflow::ops::{HandedBack, HandedOver};
use chatflow::session::EndReason;
use chatflow::{
    CallResult, Completed, MemoryStore, Receipt, Received, Refusal, SendError, SessionId, SessionRef, Status,
    Triggered,
};
use pollster::block_on;
use serde_json::{Value, json};

use crate::kit::*;
use crate::operators_kit;

/// Asks, hands over, and continues in both ways.
fn helped(code: &str, fields: Value) -> Sketch {
    flow(code)
        .send("hi", "What is wrong?")
        .wait("wait")
        .node("agent", "handoff", fields)
        .send("next", "Next {{vars.solved}}")
        .wait("after")
}

fn hand_back(world: &World, session: &SessionRef) -> HandedBack {
    block_on(world.bot.resume_from_handoff(&session.contact_id, json!({}))).unwrap()
}

fn hand_over(world: &World, session: SessionId) -> HandedOver {
    block_on(world.bot.handoff(session)).unwrap()
}

fn touch(world: &World, session: &SessionRef) -> bool {
    block_on(world.bot.touch(&session.contact_id)).unwrap()
}

/// A session of this flow in handoff.
fn in_handoff(world: &World, flow: &str) -> SessionRef {
    let session = world.start(flow);
    world.say("It is broken");
    assert_eq!(world.state(session.session_id), Status::Handoff);
    world.sent();
    session
}

// --- the node
// -------------------------------------------------------------------------------------------------

/// S10
#[test]
fn the_host_is_told_whom_a_handoff_is_for_and_what_to_know() {
    let world = World::with([helped(
        "h",
        json!({"queue": "repairs", "note": "{{reply.text}}!", "vars": ["solved"]}),
    )]);
    let session = in_handoff(&world, "h").session_id;
    let node = world.session(session).node().clone();
    assert!(world.notes().contains(&EventKind::HandedOff { session, node }));
    let stored = world.session(session);
    let handoff = stored.handoff().unwrap();
    assert_eq!((handoff.queue.as_deref(), handoff.note.as_deref()), (Some("repairs"), Some("It is broken!")));
    assert_eq!(handoff.since, world.now());
}

/// S10, I11
#[test]
fn messages_are_the_persons_until_the_contact_is_handed_back() {
    let any = flow("any").on(json!([{"match": "any"}])).send("hi", "Anything");
    let world = World::with([helped("h", json!({"vars": ["solved"]})), any]);
    let session = in_handoff(&world, "h");
    let (id, contact) = (session.session_id, session.contact_id.clone());
    assert_eq!(world.receive(says("hello?").id("m1")), Received::Handoff { session: id });
    let first = Box::new(Received::Handoff { session: id });
    assert_eq!(world.receive(says("hello?").id("m1")), Received::Duplicate { first });
    let vars = json!({"solved": "yes", "by": {"name": "Bob"}});
    assert_eq!(block_on(world.bot.resume_from_handoff(&contact, vars.clone())).unwrap(), HandedBack::Resumed);
    assert_eq!(world.sent(), ["Next yes"]);
    assert_eq!(world.session(id).vars().to_json(), vars);
    assert_eq!(world.say("thanks"), Received::Consumed { session: id });
    assert_eq!(hand_back(&world, &session), HandedBack::NotInHandoff);
}

/// S10
#[test]
fn a_contact_who_comes_back_takes_returned_if_it_is_there() {
    let returned = helped("h", json!({"vars": ["solved"]})).edge("agent", "returned", "back").apart(
        "back",
        "send_message",
        json!({"text": "Welcome back"}),
    );
    let world = World::with([returned]);
    let session = in_handoff(&world, "h");
    hand_back(&world, &session);
    assert_eq!(world.sent(), ["Welcome back"]);
}

/// S10
#[test]
fn what_the_person_found_out_is_within_the_limits_on_variables() {
    let world = World::with([helped("h", json!({"vars": ["solved"]}))]);
    let session = in_handoff(&world, "h");
    let resume = |vars: Value| block_on(world.bot.resume_from_handoff(&session.contact_id, vars));
    assert_eq!(told(resume(json!({"a": "x".repeat(70_000)}))).0, "invalid_input");
    assert_eq!(told(resume(json!([1]))).0, "invalid_input");
    assert_eq!(world.state(session.session_id), Status::Handoff);
}

/// S10: the handoff's own time, from the latest message or touch.
#[test]
fn a_handoff_ends_24_hours_after_the_latest_message_or_touch() {
    let world = World::with([helped("h", json!({"vars": ["solved"]}))]);
    let session = in_handoff(&world, "h");
    let id = session.session_id;
    let started = world.now();
    assert_eq!(world.session(id).expires_at(), Some(started + hours(24)));
    world.tick_after(hours(24) - A_MOMENT);
    world.say("hello?");
    world.tick_after(hours(24) - A_MOMENT);
    assert!(touch(&world, &session));
    world.tick_after(hours(24) - A_MOMENT);
    assert_eq!(world.state(id), Status::Handoff);
    world.tick_after(A_MOMENT);
    assert_eq!(world.state(id), Status::Expired);
    assert!(!touch(&world, &session));
}

/// S10
#[test]
fn a_handoff_that_ends_by_itself_takes_timeout_if_it_is_there() {
    for timeout in ["1h", "never"] {
        let sketch = helped("h", json!({"timeout": timeout, "vars": ["solved"]}));
        let sketch = match timeout {
            "1h" => sketch.edge("agent", "timeout", "late").apart(
                "late",
                "send_message",
                json!({"text": "Sorry"}),
            ),
            _ => sketch,
        };
        let world = World::with([sketch]);
        let session = in_handoff(&world, "h").session_id;
        world.tick_after(hours(1));
        match timeout {
            "1h" => assert_eq!(world.sent(), ["Sorry"]),
            _ => {
                world.tick_after(days(29));
                assert_eq!(world.state(session), Status::Handoff);
                world.tick_after(days(1));
                assert_eq!(world.state(session), Status::Expired, "the longest life is hard (S1)");
            }
        }
    }
}

// --- time
// -------------------------------------------------------------------------------------------------

/// S10, S1
#[test]
fn the_ttl_stands_still() {
    for mode in ["sliding", "fixed"] {
        let world = World::with([helped("h", json!({"vars": ["solved"]})).set("ttl_mode", json!(mode))]);
        let session = world.start("h");
        let id = session.session_id;
        world.pass(minutes(10));
        world.say("It is broken");
        world.tick_after(hours(5));
        hand_back(&world, &session);
        let left = if mode == "fixed" { minutes(20) } else { minutes(30) };
        assert_eq!(world.session(id).expires_at(), Some(world.now() + left), "{mode}");
        world.tick_after(left - A_MOMENT);
        assert_eq!(world.state(id), Status::Waiting);
        world.tick_after(A_MOMENT);
        assert_eq!(world.state(id), Status::Expired);
    }
}

/// S10: deadline, delay, TTL and reminder of other sessions.
#[test]
fn timers_of_other_sessions_stand_still() {
    let reminded = question("remind").set("reminder", json!({"before": "5m", "node": "still"})).apart(
        "still",
        "send_message",
        json!({"text": "Still there?"}),
    );
    let world = World::with([
        helped("h", json!({"vars": ["solved"]})),
        flow("delay").delay("rest", "10m").send("up", "Up").wait("w"),
        flow("wait")
            .wait_for("w", "20m")
            .edge("w", "timeout", "late")
            .apart("late", "send_message", json!({"text": "Late"}))
            .wait("w2"),
        reminded,
    ]);
    let others = ["delay", "wait", "remind"].map(|flow| world.start(flow).session_id);
    world.pass(minutes(4));
    let session = in_handoff(&world, "h");
    let stood = others.map(|id| world.session(id));
    world.tick_after(hours(20));
    assert_eq!(others.map(|id| world.session(id)), stood);
    hand_back(&world, &session);
    world.sent();
    let sent_after = |span| {
        world.tick_after(span);
        world.sent()
    };
    assert_eq!(sent_after(minutes(6) - A_MOMENT), [""; 0]);
    assert_eq!(sent_after(A_MOMENT), ["Up"]);
    assert_eq!(sent_after(minutes(10) - A_MOMENT), [""; 0]);
    assert_eq!(sent_after(A_MOMENT), ["Late"]);
    assert_eq!(sent_after(minutes(5)), ["Still there?"]);
    assert_eq!(world.state(others[2]), Status::Waiting);
    sent_after(minutes(5));
    assert_eq!(world.state(others[2]), Status::Expired);
}

/// S10, S2: without a tick all ends as with ticks.
#[test]
fn a_handoff_that_ended_long_ago_let_the_others_go_on_at_its_own_time() {
    let run = |tick: bool| {
        let world = World::with([
            helped("h", json!({"timeout": "2h", "vars": ["solved"]})),
            flow("delay").delay("rest", "10m"),
            flow("wait").wait_for("w", "20m"),
        ]);
        let others = ["delay", "wait"].map(|flow| world.start(flow).session_id);
        world.pass(minutes(4));
        let session = in_handoff(&world, "h").session_id;
        for _ in 0..12 {
            world.pass(minutes(20));
            if tick {
                world.tick();
            }
        }
        world.tick();
        [others[0], others[1], session].map(|id| {
            let session = world.session(id);
            (session.status(), session.ended_at())
        })
    };
    let (with, without) = (run(true), run(false));
    assert_eq!(with, without);
    assert_eq!(with.map(|(status, _)| status), [Status::Completed, Status::Expired, Status::Expired]);
}

/// S10, S1: but nothing outlives the longest life.
#[test]
fn the_longest_life_of_other_sessions_is_hard() {
    let world = World::with([
        helped("h", json!({"timeout": "never", "vars": ["solved"]})),
        question("q").set("max_lifetime", json!("2h")),
    ]);
    let other = world.start("q").session_id;
    let session = in_handoff(&world, "h").session_id;
    world.tick_after(hours(2));
    assert_eq!((world.state(other), world.state(session)), (Status::Expired, Status::Handoff));
}

// --- triggers
// -------------------------------------------------------------------------------------------------

/// T9, S10
#[test]
fn a_trigger_is_refused_unless_it_may_run_during_a_handoff() {
    let world = World::with([
        helped("h", json!({"vars": ["solved"]})),
        flow("news").send("one", "One").delay("rest", "1m").send("two", "Two"),
    ]);
    let session = in_handoff(&world, "h");
    assert_eq!(world.trigger(ada("news")), Triggered::Refused(Refusal::InHandoff));
    world.begin(ada("news").during_handoff());
    world.tick_after(minutes(1));
    assert_eq!(world.sent(), ["One", "Two"]);
    assert_eq!(world.say("hello?"), Received::Handoff { session: session.session_id });
}

/// S10
#[test]
fn what_was_said_before_a_handoff_still_leaves() {
    let world = World::built(|builder| builder.deferred_delivery());
    world.publish([flow("h").send("hi", "One moment").node("agent", "handoff", json!({}))]);
    world.start("h");
    world.tick();
    assert_eq!(world.sent(), ["One moment"]);
}

// --- from outside
// -------------------------------------------------------------------------------------------------

/// S10, S4: at each kind of node, with the time that it had left.
#[test]
fn a_session_that_the_host_hands_over_stands_again_where_it_stood() {
    let world =
        World::with([question("ttl"), flow("wait").wait_for("w", "20m"), flow("delay").delay("d", "20m")]);
    for (code, left) in [("ttl", minutes(30)), ("wait", minutes(15)), ("delay", minutes(15))] {
        let session = world.start(code);
        let id = session.session_id;
        let stood = world.session(id);
        world.pass(minutes(5));
        assert_eq!(hand_over(&world, id), HandedOver::HandedOver);
        assert_eq!(hand_over(&world, id), HandedOver::Unchanged);
        world.tick_after(hours(10));
        assert_eq!(world.say("hm"), Received::Handoff { session: id });
        assert_eq!(hand_back(&world, &session), HandedBack::Resumed);
        let again = world.session(id);
        assert_eq!((again.status(), again.node()), (stood.status(), stood.node()));
        assert_eq!(again.wait_number(), stood.wait_number());
        assert!(again.handoff().is_none());
        world.tick_after(left - A_MOMENT);
        assert_eq!(world.state(id), stood.status(), "{code}");
        world.tick_after(A_MOMENT);
        assert!(!world.state(id).is_live(), "{code}");
    }
}

/// S10
#[test]
fn a_handoff_by_the_host_expires_after_24_hours() {
    let world = World::with([question("q")]);
    let session = world.start("q").session_id;
    hand_over(&world, session);
    world.tick_after(hours(24));
    assert_eq!(world.state(session), Status::Expired);
    assert_eq!(hand_over(&world, session), HandedOver::Unchanged);
    let unknown = SessionId(uuid::Uuid::from_u128(1));
    assert_eq!(told(block_on(world.bot.handoff(unknown))).0, "session_not_found");
}

/// S10, Q3: a contact is handed over with its newest session, or alone.
#[test]
fn a_contact_is_handed_over_with_a_session_or_without() {
    let world = World::with([question("q"), question("r")]);
    world.start("q");
    let newest = world.start("r");
    let contact = newest.contact_id.clone();
    let hand_over = || block_on(world.bot.handoff(&contact)).unwrap();
    assert_eq!(hand_over(), HandedOver::HandedOver);
    assert_eq!(world.state(newest.session_id), Status::Handoff);
    assert_eq!(hand_over(), HandedOver::Unchanged);
    assert_eq!(hand_back(&world, &newest), HandedBack::Resumed);
    world.say("fine");
    world.say("fine");
    world.sent();
    assert_eq!(hand_over(), HandedOver::HandedOver);
    assert_eq!(world.say("hello?"), Received::Paused);
    assert_eq!(hand_over(), HandedOver::Unchanged);
    assert_eq!(hand_back(&world, &newest), HandedBack::Resumed);
    assert_eq!(hand_back(&world, &newest), HandedBack::NotInHandoff);
    assert_eq!(world.say("hello?"), Received::Unmatched);
    let nobody: chatflow::ContactId = "nobody".parse().unwrap();
    assert_eq!(told(block_on(world.bot.handoff(nobody))).0, "contact_not_found");
}

/// S10, D2: a call on hold is not made; its result is kept.
#[test]
fn results_of_calls_are_kept_until_the_contact_comes_back() {
    let call = |code: &str| {
        flow(code)
            .node("call", "function", json!({"function": "ask", "save_to": "x", "timeout": "10m"}))
            .send("got", "{{flow.id}} got {{vars.x}}")
    };
    let world = World::with([call("a"), call("b"), call("c"), helped("h", json!({"vars": ["solved"]}))]);
    world.start("a");
    world.start("b");
    world.tick();
    let asked = world.calls();
    let h = in_handoff(&world, "h");
    let b = asked.iter().find(|call| call.flow.as_str() == "b").unwrap().reference.call.session;
    hand_over(&world, b);
    for call in &asked {
        let complete = || block_on(world.bot.complete(call.reference.clone(), CallResult::value(1))).unwrap();
        assert_eq!(complete(), Completed::Resumed);
        assert_eq!(complete(), Completed::Stale, "applied at most once");
    }
    world.tick_after(hours(1));
    assert_eq!(world.sent(), [""; 0]);
    hand_back(&world, &h);
    let mut sent = world.sent();
    sent.sort();
    assert_eq!(sent, ["Next", "a got 1", "b got 1"].map(|text| text.replace("Next", "Next ")));
}

/// S10, D2
#[test]
fn a_call_that_is_due_in_a_handoff_is_made_afterwards() {
    let world = World::with([
        flow("c")
            .delay("d", "1s")
            .node("call", "function", json!({"function": "ask", "save_to": "x"}))
            .send("got", "got {{vars.x}}"),
        flow("h").node("agent", "handoff", json!({})),
    ]);
    world.answer_calls([Ok(Answer::now(1))]);
    world.start("c");
    world.pass(seconds(2));
    let h = world.start("h");
    world.tick_after(hours(1));
    assert!(world.calls().is_empty());
    hand_back(&world, &h);
    world.tick();
    assert_eq!((world.calls().len(), world.sent()), (1, vec!["got 1".to_owned()]));
}

/// S10, D1: a session that waits for what becomes of its message continues when the contact comes
/// back.
#[test]
fn what_becomes_of_a_message_in_a_handoff_is_kept() {
    let news = |code: &str| {
        flow(code).send("news", "News").send("next", "Next").edge("news", "failed", "sorry").apart(
            "sorry",
            "send_message",
            json!({"text": "Sorry"}),
        )
    };
    for (answer, told) in [(Ok(Receipt::new()), "Next"), (Err(SendError::rejected("no")), "Sorry")] {
        let world = World::built(|builder| builder.deferred_delivery());
        world.publish([news("own"), news("other"), flow("h").node("agent", "handoff", json!({}))]);
        let (own, other) = (world.start("own"), world.start("other"));
        hand_over(&world, own.session_id);
        assert_eq!(world.state(other.session_id), Status::Calling);
        world.answer_sends([answer.clone(), answer]);
        world.tick_after(hours(1));
        let _ = world.sent();
        assert_eq!(
            (world.state(own.session_id), world.state(other.session_id)),
            (Status::Handoff, Status::Calling)
        );
        hand_back(&world, &own);
        world.tick();
        assert_eq!(world.sent(), [told, told]);
    }
}

// --- words and ends
// -------------------------------------------------------------------------------------------------

/// S10, I1: opting out acts, other keywords are the person's.
#[test]
fn a_handoff_leaves_only_opting_out() {
    let world =
        World::built(|builder| builder.keywords(chatflow::flow::Keywords::default().cancel(["quit"])));
    world.publish([helped("h", json!({"vars": ["solved"]})), question("q")]);
    let other = world.start("q").session_id;
    let session = in_handoff(&world, "h").session_id;
    assert_eq!(world.say("quit"), Received::Handoff { session });
    assert_eq!(world.say("stop"), Received::Keyword { action: KeywordAction::OptOut });
    for id in [other, session] {
        assert_eq!(world.session(id).ended_by(), Some(EndReason::OptedOut));
    }
}

/// S10: however a handoff ends, the others continue.
#[test]
fn a_cancelled_handoff_lets_the_others_go_on() {
    let world = World::with([
        helped("h", json!({"vars": ["solved"]})),
        flow("d").delay("rest", "10m").send("up", "Up"),
    ]);
    world.start("d");
    let session = in_handoff(&world, "h").session_id;
    world.tick_after(hours(1));
    let _ = block_on(world.bot.cancel(session)).unwrap();
    world.tick_after(minutes(10) - A_MOMENT);
    assert_eq!(world.sent(), [""; 0]);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["Up"]);
}

/// S10: two handoffs at once end with the second.
#[test]
fn silence_lasts_until_the_last_handoff_ends() {
    let world = World::with([question("a"), question("b"), flow("d").delay("rest", "10m").send("up", "Up")]);
    world.start("d");
    let (a, b) = (world.start("a").session_id, world.start("b"));
    world.sent();
    hand_over(&world, a);
    world.tick_after(hours(1));
    hand_over(&world, b.session_id);
    let _ = block_on(world.bot.cancel(a)).unwrap();
    world.tick_after(hours(1));
    assert_eq!(world.sent(), [""; 0]);
    hand_back(&world, &b);
    world.tick_after(minutes(10) - A_MOMENT);
    assert_eq!(world.sent(), [""; 0]);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["Up"]);
}

/// S10, Q3
#[test]
fn a_contact_is_with_a_person_in_every_process() {
    let store = Arc::new(MemoryStore::new());
    block_on(operators_kit::a_contact_is_with_a_person(async || Arc::clone(&store)));
}
