//! Reminders before a session expires: S6, S2, S4, T10.

use chatflow::session::DeadReason;
use chatflow::{Channel, Inbound, Received, Status};
use serde_json::json;

use crate::kit::*;

/// A question that is reminded of five minutes before its session expires.
fn reminding(code: &str) -> Sketch {
    reminded(question(code))
}

fn reminded(flow: Sketch) -> Sketch {
    flow.set("reminder", json!({"before": "5m", "node": "remind"}))
        .apart("remind", "send_message", json!({"text": "Still there?"}))
        .node(
            "count",
            "set_variables",
            json!({"variables": [{"name": "n", "expr": "(vars.n | default(0)) + 1"}]}),
        )
}

/// S6
#[test]
fn a_reminder_changes_nothing_of_the_wait() {
    let world = World::with([reminding("q")]);
    let session = world.start("q").session_id;
    let before = world.session(session);
    world.tick_after(minutes(25) - A_MOMENT);
    assert_eq!(world.sent(), ["How are you?"]);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["Still there?"]);
    let after = world.session(session);
    assert_eq!(after.status(), Status::Waiting);
    assert_eq!((after.node(), after.wait_number()), (before.node(), before.wait_number()));
    assert_eq!(after.expires_at(), before.expires_at());
    assert_eq!(after.last_interaction_at(), before.last_interaction_at());
    assert_eq!(after.vars().to_json(), json!({"n": 1}));
    world.tick_after(minutes(5) - A_MOMENT);
    assert_eq!((world.sent().len(), world.state(session)), (0, Status::Waiting));
    world.tick_after(A_MOMENT);
    assert_eq!((world.sent().len(), world.state(session)), (0, Status::Expired));
}

/// S6
#[test]
fn every_wait_is_reminded_of_once() {
    let world =
        World::with([reminded(question("q").wait("again").send("end", "{{reply.text}}? {{vars.n}}"))]);
    world.start("q");
    world.tick_after(minutes(25));
    world.say("Fine");
    world.tick_after(minutes(25));
    world.say("Really");
    assert_eq!(world.sent(), ["How are you?", "Still there?", "Fine!", "Still there?", "Really? 2"]);
}

/// S6, I3: the answer goes to the question, and to where it was asked.
#[test]
fn choices_of_a_reminder_answer_the_question_that_stands() {
    let world =
        World::with([question("q").set("reminder", json!({"before": "5m", "node": "remind"})).apart(
            "remind",
            "send_message",
            json!({"text": "Well?", "options": [{"id": "ok", "label": "OK"}]}),
        )]);
    let session = world.start("q").session_id;
    world.tick_after(minutes(25));
    let offered = world.channel.take_new().last().unwrap().options()[0].clone();
    let pressed = Inbound::choice(Channel::WhatsApp, SHOP, ADA, &offered.payload, &offered.label);
    assert_eq!(world.receive(pressed), Received::Consumed { session });
    assert_eq!(world.sent(), ["OK!"]);
}

/// S6, N3: the reminder that is on its way does not hold the deadline.
#[test]
fn a_reminder_that_is_not_delivered_holds_no_deadline() {
    let world = World::with([reminded(flow("q").wait_for("wait", "10m"))]);
    let session = world.start("q").session_id;
    world.answer_sends((0..20).map(|_| Err(chatflow::SendError::retry("busy"))));
    world.tick_after(minutes(5));
    world.tick_after(minutes(5));
    assert_eq!(world.state(session), Status::Expired);
}

/// S6, S3: a question with a way of its own for when nobody answers needs none.
#[test]
fn a_wait_that_goes_on_by_its_timeout_is_not_reminded_of() {
    let world = World::with([
        reminded(flow("branch").wait_for("wait", "10m")).edge("wait", "timeout", "late").apart(
            "late",
            "end",
            json!({}),
        ),
        reminded(flow("expires").wait_for("wait", "10m")),
        reminded(flow("short").wait_for("wait", "4m")),
        reminded(flow("delayed").delay("rest", "2h")),
    ]);
    for (flow, sends) in [("branch", 0), ("expires", 1), ("short", 0), ("delayed", 0)] {
        world.start(flow);
        world.tick_after(hours(1));
        assert_eq!(world.sent().len(), sends, "{flow}");
        world.tick_after(hours(2));
    }
}

/// S2, S6
#[test]
fn a_reminder_that_comes_more_than_an_hour_late_is_a_dead_letter() {
    let world = World::with([reminding("q")]);
    let session = world.start("q").session_id;
    world.sent();
    world.tick_after(hours(2));
    assert_eq!(world.sent(), [""; 0]);
    assert_eq!(world.dead_letters()[0].letter.reason, DeadReason::TooLate);
    assert_eq!(world.session(session).ended_at(), Some(world.now() - hours(2) + minutes(30)));
}

/// S2: what is due in between is applied in its order.
#[test]
fn an_answer_that_comes_late_finds_the_reminder_said() {
    let world = World::with([reminding("q")]);
    world.start("q");
    world.pass(minutes(29));
    world.say("Fine");
    assert_eq!(world.sent(), ["How are you?", "Still there?", "Fine!"]);
}

/// S9, S6
#[test]
fn a_reminder_that_can_not_be_made_fails_the_session() {
    let world = World::with([question("q")
        .set("reminder", json!({"before": "5m", "node": "remind"}))
        .apart("remind", "send_message", json!({"text": "{{ 1 + 'a' }}"}))]);
    let session = world.start("q").session_id;
    world.tick_after(minutes(25));
    assert_eq!(world.place(session), ("remind".to_owned(), Status::Failed));
}

/// S7, S6
#[test]
fn a_session_without_turns_left_is_not_reminded() {
    let world = World::built(|builder| {
        builder.limits(chatflow::limits::Limits { turns_per_session: 1, ..Default::default() })
    });
    world.publish([reminding("q")]);
    let session = world.start("q").session_id;
    world.tick_after(minutes(26));
    assert_eq!((world.sent().len(), world.state(session)), (1, Status::Waiting));
    world.tick_after(minutes(5));
    assert_eq!(world.state(session), Status::Expired);
}

/// T10
#[test]
fn who_opted_out_is_not_reminded() {
    let started = question("q").on(json!([{"match": "exact", "text": "hello"}])).unset("sender");
    let world = World::with([reminded(started)]);
    world.say("stop");
    world.say("hello");
    world.tick_after(minutes(26));
    assert_eq!(world.sent(), ["How are you?"]);
}
