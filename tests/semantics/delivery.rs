//! Delivery of messages, and calls of the host: D1, D2, D4, N3.

use std::time::Duration;

use chatflow::calls::{Answer, Call, CallRef};
use chatflow::observer::EventKind;
use chatflow::ops::{Reported, SessionFilter};
use chatflow::session::DeadReason;
use chatflow::session::DeliveryReport;
use chatflow::{
    CallError, CallRequest, CallResult, Channel, Completed, Inbound, MessageId, Receipt, Received, SendError,
    SessionId, Status, TriggerRequest,
};
use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use serde_json::{Value, json};

use crate::kit::*;

type Sending = Result<Receipt, SendError>;

fn busy() -> Sending {
    Err(SendError::retry("busy"))
}

fn busy_for(span: TimeDelta) -> Sending {
    Err(SendError::retry_after(span.to_std().unwrap(), "busy"))
}

fn refused() -> Sending {
    Err(SendError::rejected("no"))
}

fn taken() -> Sending {
    Ok(Receipt::new())
}

fn two() -> Sketch {
    flow("f").send("one", "1").send("two", "2")
}

/// A message to another number, and then one to the contact.
fn elsewhere_first() -> Sketch {
    flow("f")
        .node("desk", "send_message", json!({"text": "desk", "action": "from_to", "to": BOB}))
        .send("ask", "ask")
}

fn until(world: &World) -> Vec<DateTime<Utc>> {
    let delay = |kind| match kind {
        EventKind::SendDelayed { until, .. } => Some(until),
        _ => None,
    };
    world.notes().into_iter().filter_map(delay).collect()
}

/// Text and reason of each dead letter.
fn letters(world: &World) -> Vec<(String, DeadReason)> {
    let entries = world.dead_letters().into_iter();
    entries.map(|entry| (entry.letter.message.text().to_owned(), entry.letter.reason)).collect()
}

/// D1: a destination does not wait for another, within a turn or after it.
#[test]
fn a_message_that_waits_holds_back_no_other_destination() {
    let world = World::with([elsewhere_first().wait("wait").send("thanks", "thanks")]);
    world.answer_sends([busy_for(seconds(60))]);
    let session = world.start("f").session_id;
    assert_eq!(world.sent(), ["desk", "ask"]);
    assert_eq!(world.say("Fine"), Received::Consumed { session });
    assert_eq!(world.sent(), ["thanks"]);
    world.tick_after(seconds(60));
    assert_eq!(world.sent(), ["desk"]);
}

// --- D1: order and repeats
// -------------------------------------------------------------------------------------------------

/// D1
#[test]
fn messages_leave_in_order_under_ids_of_their_session() {
    let world = World::with([two(), flow("g").send("s", "3")]);
    let (f, g) = (world.start("f").session_id, world.start("g").session_id);
    let sent: Vec<(String, MessageId)> =
        world.channel.sent().iter().map(|message| (message.text().to_owned(), message.id)).collect();
    let id = |session, seq| MessageId { session, seq };
    assert_eq!(sent, [("1".to_owned(), id(f, 1)), ("2".to_owned(), id(f, 2)), ("3".to_owned(), id(g, 3))]);
}

/// D1
#[test]
fn a_failure_of_the_transport_does_not_change_what_a_call_answers() {
    let world = World::with([question("q")]);
    world.answer_sends([refused()]);
    let session = world.start("q").session_id;
    assert_eq!(world.state(session), Status::Waiting);
    world.answer_sends([busy()]);
    assert_eq!(world.say("Fine"), Received::Consumed { session });
}

/// D1
#[test]
fn a_message_waits_for_the_one_before_it_to_the_same_destination() {
    let world = World::with([two()]);
    world.answer_sends([busy_for(seconds(10))]);
    world.start("f");
    assert_eq!(world.sent(), ["1"]);
    world.tick_after(seconds(10) - A_MOMENT);
    assert_eq!(world.sent(), [""; 0]);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["1", "2"]);
    let ids: Vec<u64> = world.channel.sent().iter().map(|message| message.id.seq).collect();
    assert_eq!(ids, [1, 1, 2]);
}

/// D1
#[test]
fn a_message_does_not_wait_for_one_to_another_destination() {
    let world = World::with([elsewhere_first()]);
    world.answer_sends([busy_for(seconds(10))]);
    world.start("f");
    assert_eq!(world.sent(), ["desk", "ask"]);
    world.tick_after(seconds(10));
    assert_eq!(world.sent(), ["desk"]);
}

/// D1
#[test]
fn a_message_of_a_later_turn_waits_too() {
    let world = World::with([question("q")]);
    world.answer_sends([busy_for(seconds(10))]);
    world.start("q");
    world.say("Fine");
    assert_eq!(world.sent(), ["How are you?"]);
    world.tick_after(seconds(10));
    assert_eq!(world.sent(), ["How are you?", "Fine!"]);
}

/// D1
#[test]
fn a_retry_comes_exactly_when_the_channel_says() {
    let world = World::with([flow("f").send("s", "Hi")]);
    let start = world.now();
    world.answer_sends([busy_for(TimeDelta::milliseconds(1_234)), busy_for(hours(3))]);
    world.start("f");
    world.tick_after(TimeDelta::milliseconds(1_234));
    assert_eq!(until(&world), [start + TimeDelta::milliseconds(1_234), world.now() + hours(3)]);
    world.tick_after(hours(3) - A_MOMENT);
    assert_eq!(world.sent().len(), 2);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent().len(), 1);
}

/// D1
#[test]
fn retries_come_after_1_2_4_seconds_up_to_5_minutes_and_a_quarter_more() {
    let world = World::with([flow("f").send("s", "Hi")]);
    world.answer_sends(std::iter::repeat_with(busy).take(12));
    world.start("f");
    for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300] {
        let [until] = until(&world)[..] else { panic!("one delay") };
        let waited = until - world.now();
        assert!(waited >= seconds(pause) && waited <= seconds(pause) * 5 / 4, "{waited} of {pause} s");
        world.clock.set(until + A_MOMENT);
        world.tick();
    }
    assert_eq!(world.sent().len(), 13);
    assert_eq!(letters(&world), []);
}

/// D1
#[test]
fn the_jitter_is_the_same_for_the_same_attempt_and_differs_between_messages() {
    let waits = || {
        let world = World::with([flow("f").send("s", "Hi")]);
        world.answer_sends(std::iter::repeat_with(busy).take(4));
        for phone in [ADA, BOB, "+14155550111", "+14155550112"] {
            world.begin(TriggerRequest::new("f").phone(phone));
        }
        until(&world)
    };
    assert_eq!(waits(), waits());
    let mut distinct = waits();
    distinct.sort();
    distinct.dedup();
    assert!(distinct.len() > 1);
}

/// D1
#[test]
fn a_message_is_given_up_after_24_hours_and_later_ones_go_on() {
    let world = World::with([two()]);
    world.answer_sends([busy_for(hours(12)), busy_for(hours(12)), busy_for(hours(12))]);
    world.start("f");
    world.tick_after(hours(12));
    world.tick_after(hours(12) - A_MOMENT);
    assert_eq!((world.sent().len(), letters(&world)), (2, vec![]));
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["1", "2"]);
    assert_eq!(letters(&world), [("1".to_owned(), DeadReason::GaveUp("busy".to_owned()))]);
}

/// D1
#[test]
fn the_host_says_how_long_a_message_is_tried() {
    let world = World::built(|builder| builder.give_up_after(Duration::from_secs(10)));
    world.publish([flow("f").send("s", "Hi")]);
    world.answer_sends([busy_for(seconds(10)), busy_for(A_MOMENT)]);
    world.start("f");
    assert_eq!(letters(&world), []);
    world.tick_after(seconds(10));
    assert_eq!(letters(&world), [("Hi".to_owned(), DeadReason::GaveUp("busy".to_owned()))]);
}

/// D1
#[test]
fn a_message_that_is_refused_is_a_dead_letter_and_later_ones_go_on() {
    for (answer, reason) in [
        (refused(), DeadReason::Rejected("no".to_owned())),
        (Err(SendError::WindowClosed), DeadReason::WindowClosed),
    ] {
        let world = World::with([two()]);
        world.answer_sends([answer]);
        let session = world.start("f").session_id;
        assert_eq!(world.sent(), ["1", "2"]);
        assert_eq!(letters(&world), [("1".to_owned(), reason)]);
        assert_eq!(world.state(session), Status::Completed);
        let message = MessageId { session, seq: 1 };
        assert_eq!(world.notes(), [EventKind::DeadLettered { message }]);
    }
}

/// D1
#[test]
fn nothing_leaves_before_a_tick_when_delivery_is_deferred() {
    let world = World::built(chatflow::Builder::deferred_delivery);
    world.publish([two()]);
    world.start("f");
    assert_eq!(world.sent(), [""; 0]);
    world.tick();
    assert_eq!(world.sent(), ["1", "2"]);
}

/// D1
#[test]
fn a_delivery_that_was_cut_off_is_repeated_under_the_same_id_after_the_lease() {
    let world = World::sending(
        chatflow::send_fn(|_| std::future::pending()),
        chatflow::testkit::Recorder::new(),
        |builder| builder,
    );
    world.publish([two()]);
    abandon(world.bot.trigger(ada("f")));
    let session = world.sessions(SessionFilter::all())[0].session().clone();
    assert_eq!(session.status(), Status::Completed);
    world.pass(minutes(1) - A_MOMENT);
    assert_eq!(block_on(world.bot.tick(10)).unwrap().worked, 0);
    world.pass(A_MOMENT);
    abandon(world.bot.tick(10));
}

// --- D1: dead letters, reports, cancelling
// -------------------------------------------------------------------------------------------------

fn with_a_dead_letter() -> (World, SessionId, MessageId) {
    let world = World::with([two().wait("w").send("three", "3")]);
    world.answer_sends([refused()]);
    let session = world.begin(ada("f").contact_id("ada")).session_id;
    assert_eq!(world.sent(), ["1", "2"]);
    (world, session, MessageId { session, seq: 1 })
}

/// D1
#[test]
fn a_dead_letter_is_listed_with_its_contact_and_time() {
    let (world, _, message) = with_a_dead_letter();
    let [entry] = &world.dead_letters()[..] else { panic!("one letter") };
    assert_eq!(
        (&entry.contact, entry.letter.message.id, entry.letter.at),
        (&contact_id("ada"), message, world.now())
    );
    assert_eq!(block_on(world.bot.dead_letters(Some(&contact_id("ada")))).unwrap().len(), 0);
}

/// D1
#[test]
fn a_dead_letter_is_requeued_under_its_id_behind_all_others() {
    let (world, _, message) = with_a_dead_letter();
    world.answer_sends([busy_for(seconds(5))]);
    world.say("x");
    assert_eq!(world.sent(), ["3"]);
    assert!(block_on(world.bot.requeue_dead_letter(&contact_id("ada"), message)).unwrap());
    assert!(!block_on(world.bot.requeue_dead_letter(&contact_id("ada"), message)).unwrap());
    assert_eq!((world.sent().len(), letters(&world)), (0, vec![]));
    world.tick_after(seconds(5));
    assert_eq!(world.sent(), ["3", "1"]);
    assert_eq!(world.channel.sent().last().unwrap().id, message);
}

/// D1
#[test]
fn a_dead_letter_is_dropped_for_good() {
    let (world, _, message) = with_a_dead_letter();
    assert!(block_on(world.bot.drop_dead_letter(&contact_id("ada"), message)).unwrap());
    assert!(!block_on(world.bot.drop_dead_letter(&contact_id("ada"), message)).unwrap());
    assert!(!block_on(world.bot.requeue_dead_letter(&contact_id("ada"), message)).unwrap());
    assert_eq!((world.sent().len(), letters(&world)), (0, vec![]));
}

/// D1
#[test]
fn reports_of_known_messages_are_noted_and_of_unknown_ones_change_nothing() {
    let world = World::with([two()]);
    let session = world.start("f").session_id;
    let report = |message, report| block_on(world.bot.report(message, report)).unwrap();
    let message = MessageId { session, seq: 2 };
    assert_eq!(report(message, DeliveryReport::Delivered), Reported::Noted);
    assert_eq!(report(message, DeliveryReport::Read), Reported::Noted);
    assert_eq!(report(message, DeliveryReport::Failed { code: "131047".to_owned() }), Reported::Noted);
    let noted = |status: &str| EventKind::Reported { message, status: status.into() };
    assert_eq!(world.notes(), [noted("delivered"), noted("read"), noted("131047")]);
    assert_eq!(report(MessageId { session, seq: 3 }, DeliveryReport::Read), Reported::Unknown);
    assert_eq!(report(MessageId { session, seq: 0 }, DeliveryReport::Read), Reported::Unknown);
    let nobody = SessionId(uuid::Uuid::from_u128(99));
    assert_eq!(report(MessageId { session: nobody, seq: 1 }, DeliveryReport::Read), Reported::Unknown);
    assert_eq!(world.notes(), []);
}

/// D1
#[test]
fn cancelling_drops_what_the_session_has_not_sent_and_no_other_ones() {
    let world = World::with([question("q"), question("r").send("more", "More")]);
    world.answer_sends([busy_for(minutes(1))]);
    let (q, r) = (world.start("q").session_id, world.start("r").session_id);
    assert_eq!(block_on(world.bot.cancel(q)).unwrap(), chatflow::ops::Cancelled::Cancelled);
    assert_eq!(block_on(world.bot.cancel(q)).unwrap(), chatflow::ops::Cancelled::AlreadyEnded);
    assert_eq!([world.state(q), world.state(r)], [Status::Cancelled, Status::Waiting]);
    world.tick_after(minutes(1));
    assert_eq!(world.sent(), ["How are you?", "How are you?"]);
    let from: Vec<SessionId> = world.channel.sent().iter().map(|message| message.session()).collect();
    assert_eq!(from, [q, r]);
    assert_eq!(letters(&world), []);
    let nobody = SessionId(uuid::Uuid::from_u128(99));
    assert_eq!(told(block_on(world.bot.cancel(nobody))).0, "session_not_found");
}

/// D1
#[test]
fn a_session_that_ends_by_itself_drops_nothing() {
    for (text, status) in [("Bye", Status::Completed), ("{{1 / 0}}", Status::Failed)] {
        let world = World::with([flow("f").send("ask", "?").wait("w").send("end", text)]);
        world.answer_sends([busy_for(minutes(1))]);
        let session = world.start("f").session_id;
        world.say("x");
        assert_eq!(world.state(session), status);
        world.tick_after(minutes(1));
        assert_eq!(world.sent()[..2], ["?", "?"]);
    }
}

// --- N3: deadlines wait for delivery
// -------------------------------------------------------------------------------------------------

fn timed(timeout: &str) -> Sketch {
    flow("f").send("ask", "?").wait_for("w", timeout).edge("w", "timeout", "late").apart(
        "late",
        "send_message",
        json!({"text": "late {{now}}"}),
    )
}

/// N3
#[test]
fn a_deadline_runs_from_the_delivery_of_what_was_sent_before() {
    let world = World::with([timed("10m")]);
    world.answer_sends([busy_for(minutes(15))]);
    let session = world.start("f").session_id;
    world.tick_after(minutes(15) - A_MOMENT);
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(A_MOMENT);
    assert_eq!(world.session(session).deadline(), Some(world.now() + minutes(10)));
    world.tick_after(minutes(10) - A_MOMENT);
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["?", "?", "late 2026-05-07T08:39:23Z"]);
}

/// N3
#[test]
fn a_deadline_runs_from_when_what_was_sent_before_is_given_up() {
    let world = World::with([timed("10m")]);
    world.answer_sends([busy_for(minutes(15)), refused()]);
    let session = world.start("f").session_id;
    world.tick_after(minutes(15));
    assert_eq!(world.session(session).deadline(), Some(world.now() + minutes(10)));
    assert_eq!(world.state(session), Status::Waiting);
}

/// N3
#[test]
fn a_delivery_within_the_time_moves_no_deadline() {
    let world = World::with([timed("10m")]);
    let deadline = world.now() + minutes(10);
    world.answer_sends([busy_for(minutes(5))]);
    let session = world.start("f").session_id;
    world.tick_after(minutes(5));
    assert_eq!(world.session(session).deadline(), Some(deadline));
}

/// N3
#[test]
fn a_deadline_waits_for_every_message_before_it_whatever_its_destination() {
    let world = World::with([elsewhere_first().wait_for("w", "10m").edge("w", "timeout", "late").apart(
        "late",
        "send_message",
        json!({"text": "late"}),
    )]);
    world.answer_sends([busy_for(minutes(15)), taken()]);
    let session = world.start("f").session_id;
    world.tick_after(minutes(15));
    assert_eq!(world.state(session), Status::Waiting);
    assert_eq!(world.session(session).deadline(), Some(world.now() + minutes(10)));
    world.tick_after(minutes(10));
    assert_eq!(world.sent(), ["desk", "ask", "desk", "late"]);
}

/// N3
#[test]
fn a_reply_is_taken_while_the_question_is_undelivered() {
    let world = World::with([question("q")]);
    world.answer_sends([busy_for(minutes(15))]);
    let session = world.start("q").session_id;
    world.pass(minutes(10));
    assert_eq!(world.say("x"), Received::Consumed { session });
}

/// N3
#[test]
fn without_a_timeout_edge_a_wait_expires_at_its_deadline() {
    let world = World::with([flow("f").send("s", "?").wait_for("w", "10m").send("end", "!")]);
    let session = world.start("f").session_id;
    world.tick_after(minutes(10));
    assert_eq!((world.state(session), world.sent()), (Status::Expired, vec!["?".to_owned()]));
}

/// N3
#[test]
fn a_wait_may_go_on_without_a_reply() {
    let wait = json!({"timeout": "10m", "on_timeout": "continue"});
    let world = World::with([flow("f")
        .send("s", "?")
        .node("w", "wait_reply", wait)
        .send("end", "{{reply.timed_out}}")]);
    world.start("f");
    world.tick_after(minutes(10));
    assert_eq!(world.sent(), ["?", "true"]);
}

// --- D2: host calls
// -------------------------------------------------------------------------------------------------

fn asking(fields: serde_json::Value) -> Sketch {
    let mut call = json!({"function": "order_status", "save_to": "order"});
    call.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    flow("f")
        .node("call", "function", call)
        .send("ok", "ok {{order.state}}")
        .edge("call", "failed", "bad")
        .apart("bad", "send_message", json!({"text": "failed"}))
}

fn args(call: &Call) -> Value {
    match &call.request {
        CallRequest::Function { args, .. } => args.to_json(),
        other => panic!("no function: {other:?}"),
    }
}

fn reference(world: &World) -> CallRef {
    world.calls().last().unwrap().reference.clone()
}

fn complete(world: &World, reference: &CallRef, result: CallResult) -> Completed {
    block_on(world.bot.complete(reference.clone(), result)).unwrap()
}

/// D2
#[test]
fn a_call_is_made_by_the_tick_and_not_by_the_trigger() {
    let world = World::with([asking(json!({"args": {"id": "{{context.id}}", "n": 1}}))]);
    world.answer_calls([Ok(Answer::now(json!({"state": "sent"})))]);
    let session = world.begin(ada("f").contact_id("ada").context(json!({"id": "A-1"}))).session_id;
    assert_eq!((world.calls().len(), world.state(session)), (0, Status::Calling));
    world.tick();
    assert_eq!(world.sent(), ["ok sent"]);
    let [call] = &world.calls()[..] else { panic!("one call") };
    assert_eq!(
        (call.name(), args(call), call.node.as_str(), call.flow.as_str()),
        ("order_status", json!({"id": "A-1", "n": 1}), "call", "f")
    );
    assert_eq!((&call.reference.contact, call.reference.call.session), (&contact_id("ada"), session));
}

/// D2
#[test]
fn a_call_is_made_inside_the_trigger_if_the_host_wants_that() {
    let world = World::built(chatflow::Builder::inline_calls);
    world.publish([asking(json!({}))]);
    world.answer_calls([Ok(Answer::now(json!({"state": "sent"})))]);
    let session = world.start("f").session_id;
    assert_eq!((world.sent(), world.state(session)), (vec!["ok sent".to_owned()], Status::Completed));
}

/// D2
#[test]
fn a_call_that_is_answered_later_is_completed_once() {
    let world = World::with([asking(json!({}))]);
    world.start("f");
    world.tick();
    let json = serde_json::to_string(&reference(&world)).unwrap();
    let reference: CallRef = serde_json::from_str(&json).unwrap();
    let result = || CallResult::value(json!({"state": "late"}));
    assert_eq!(complete(&world, &reference, result()), Completed::Resumed);
    assert_eq!(complete(&world, &reference, result()), Completed::Stale);
    assert_eq!(world.sent(), ["ok late"]);
}

/// D2
#[test]
fn a_call_times_out_30_seconds_after_it_was_handed_over() {
    let world = World::with([asking(json!({}))]);
    let session = world.start("f").session_id;
    world.tick_after(seconds(20));
    assert_eq!(world.session(session).deadline(), Some(world.now() + seconds(30)));
    world.tick_after(seconds(30) - A_MOMENT);
    assert_eq!(world.sent(), [""; 0]);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["failed"]);
    assert_eq!(complete(&world, &reference(&world), CallResult::value(1)), Completed::Stale);
}

/// D2
#[test]
fn a_result_that_comes_with_the_deadline_is_too_late() {
    let world = World::with([asking(json!({"timeout": "5s"}))]);
    world.start("f");
    world.tick();
    world.pass(seconds(5));
    assert_eq!(complete(&world, &reference(&world), CallResult::value(1)), Completed::Stale);
    assert_eq!(world.sent(), ["failed"]);
}

/// D2
#[test]
fn a_call_that_fails_takes_failed_or_fails_the_session() {
    for answer in [Err(CallError::failed("broken")), Ok(Answer::Now(CallResult::failed("broken")))] {
        let world = World::with([asking(json!({}))]);
        world.answer_calls([answer.clone()]);
        world.start("f");
        world.tick();
        assert_eq!(world.sent(), ["failed"]);
        let world = World::with([flow("f").node("call", "function", json!({"function": "x"}))]);
        world.answer_calls([answer]);
        let session = world.start("f").session_id;
        world.tick();
        let session = world.session(session);
        let failure = session.failure().unwrap();
        assert_eq!((failure.code.as_str(), &*failure.message), ("call_failed", "broken"));
    }
}

/// D2
#[test]
fn a_call_that_could_not_be_made_is_made_again_under_the_same_id() {
    let world = World::with([asking(json!({}))]);
    let busy = || Err(CallError::retry("busy"));
    world.answer_calls([busy(), busy(), Ok(Answer::now(json!({"state": "sent"})))]);
    world.start("f");
    world.tick();
    world.tick_after(seconds(1) - A_MOMENT);
    assert_eq!(world.calls().len(), 1);
    world.tick_after(A_MOMENT);
    world.tick_after(seconds(2));
    assert_eq!(world.sent(), ["ok sent"]);
    let calls = world.calls();
    assert!(calls.len() == 3 && calls.iter().all(|call| call.reference == calls[0].reference));
}

/// D2
#[test]
fn the_host_may_choose_a_branch_that_the_node_declares() {
    let world = World::with([asking(json!({"branches": ["gone"]})).edge("call", "gone", "none").apart(
        "none",
        "send_message",
        json!({"text": "no order"}),
    )]);
    world.answer_calls([
        Ok(Answer::Now(CallResult::branch(1, "gone"))),
        Ok(Answer::Now(CallResult::branch(1, "other"))),
    ]);
    world.start("f");
    world.tick();
    world.start("f");
    world.tick();
    assert_eq!(world.sent(), ["no order", "failed"]);
}

/// D2
#[test]
fn the_result_of_another_workspaces_call_is_refused() {
    let world = World::with([asking(json!({}))]);
    world.start("f");
    world.tick();
    let elsewhere = world.bot.in_workspace("elsewhere");
    let answer = block_on(elsewhere.complete(reference(&world), CallResult::value(1)));
    assert_eq!(told(answer), ("invalid_input", "`call_ref` must be of this workspace".to_owned()));
}

/// D1, D2
#[test]
fn cancelling_drops_the_sessions_call() {
    let world = World::with([asking(json!({}))]);
    let session = world.start("f").session_id;
    block_on(world.bot.cancel(session)).unwrap();
    world.tick();
    assert_eq!(world.calls().len(), 0);
}

// --- D4: where a message goes
// -------------------------------------------------------------------------------------------------

/// Where each message left from, and where it went.
fn ways(world: &World) -> Vec<String> {
    world
        .channel
        .take_new()
        .iter()
        .map(|message| format!("{} -> {}", message.account(), message.to()))
        .collect()
}

/// D4
#[test]
fn a_node_that_names_its_way_goes_before_all_else() {
    let named =
        json!({"text": "x", "action": "from_to", "channel": "sms", "from": "desk", "to": "{{context.desk}}"});
    let world = World::with([flow("f").node("s", "send_message", named).send("own", "y")]);
    world.begin(ada("f").from(Channel::Viber, "v").context(json!({"desk": BOB})));
    assert_eq!(ways(&world), [format!("sms:desk -> {BOB}"), format!("viber:v -> {ADA}")]);
}

/// D4
#[test]
fn the_way_of_the_last_message_in_goes_before_the_requests() {
    let world = World::with([flow("f")
        .send("one", "1")
        .node("w", "wait_reply", json!({"any_channel": true}))
        .send("two", "2")]);
    world.begin(ada("f").from(Channel::Viber, "v"));
    world.receive(Inbound::text(Channel::Sms, "555", ADA, "x"));
    assert_eq!(ways(&world), [format!("viber:v -> {ADA}"), format!("sms:555 -> {ADA}")]);
}

/// D4
#[test]
fn the_requests_way_goes_before_the_flows_sender() {
    let world = World::with([flow("f").send("s", "x")]);
    world.begin(TriggerRequest::new("f").contact_id("ada").address(Channel::Messenger, "page", "77"));
    world.begin(TriggerRequest::new("f").contact_id("ada").phone(ADA).from(Channel::Sms, "555"));
    assert_eq!(ways(&world), ["messenger:page -> 77".to_owned(), format!("sms:555 -> {ADA}")]);
}

/// D4
#[test]
fn an_address_that_the_request_names_goes_before_others_of_the_contact() {
    let world = World::with([flow("f").send("s", "x")]);
    world.begin(ada("f").contact_id("ada"));
    world.begin(TriggerRequest::new("f").contact_id("ada").phone(BOB));
    world.begin(ada("f").contact_id("ada"));
    world.begin(ada("f"));
    assert_eq!(ways(&world), [ADA, BOB, ADA, ADA].map(|to| format!("whatsapp:{SHOP} -> {to}")));
}

/// D4
#[test]
fn the_flows_sender_writes_to_the_contacts_address_there() {
    let world = World::with([flow("f").send("s", "x")]);
    world.begin(ada("f").contact_id("ada"));
    world.begin(TriggerRequest::new("f").contact_id("ada"));
    assert_eq!(ways(&world), [ADA, ADA].map(|to| format!("whatsapp:{SHOP} -> {to}")));
}

/// D4
#[test]
fn a_session_without_a_way_fails_with_no_destination() {
    let without = |sketch: Sketch| {
        let world = World::with([sketch]);
        let session = world.begin(TriggerRequest::new("f").contact_id("ada")).session_id;
        world.tick_after(minutes(1));
        let session = world.session(session);
        let failure = session.failure().unwrap();
        assert_eq!(
            (failure.code.as_str(), failure.node.as_str(), world.sent()),
            ("no_destination", "s", vec![])
        );
    };
    without(flow("f").delay("d", "1m").send("s", "x"));
    without(flow("f").unset("sender").send("s", "x"));
}

/// D4
#[test]
fn a_flow_that_a_message_starts_answers_there() {
    let world = World::new();
    world.publish([flow("f").unset("sender").on(json!([{"match": "any"}])).send("s", "x")]);
    let Received::Started { .. } = world.say("go") else { panic!() };
    assert_eq!(ways(&world), [format!("whatsapp:{SHOP} -> {ADA}")]);
}
