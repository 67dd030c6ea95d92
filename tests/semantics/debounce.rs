//! A reply in pieces: I10, and what S says of it.

use chatflow::limits::Limits;
use chatflow::{Channel, Inbound, Received, SessionId, Status};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

fn consumed(session: SessionId) -> Received {
    Received::Consumed { session }
}

/// Listens on for 5 seconds, within a minute.
fn pieces() -> Sketch {
    flow("f")
        .node("wait", "wait_reply", json!({"debounce": "5s", "timeout": "1m"}))
        .send("got", "{{reply.parts | join('+')}} = {{reply.text}}")
}

/// I10
#[test]
fn texts_are_one_reply_once_nothing_follows_for_a_while() {
    let world = World::with([pieces()]);
    let session = world.start("f").session_id;
    assert_eq!(world.say("one"), consumed(session));
    world.tick_after(seconds(5) - A_MOMENT);
    assert_eq!(world.say("two"), consumed(session));
    world.tick_after(seconds(5) - A_MOMENT);
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["one+two = one\ntwo"]);
}

/// I10, S1
#[test]
fn a_part_moves_the_ttl() {
    let world = World::with([pieces()]);
    let session = world.start("f").session_id;
    world.pass(seconds(30));
    world.say("one");
    let after = world.session(session);
    assert_eq!((after.last_interaction_at(), after.turns()), (world.now(), 2));
}

/// I10, S2
#[test]
fn the_end_of_a_reply_is_due_and_needs_no_tick() {
    let world = World::with([pieces()]);
    let session = world.start("f").session_id;
    world.say("one");
    assert_eq!(block_on(world.bot.tick(10)).unwrap().next_due, Some(world.now() + seconds(5)));
    let spoken = world.now();
    world.pass(minutes(20));
    assert_eq!(world.say("late"), Received::Unmatched);
    assert_eq!(world.sent(), ["one = one"]);
    assert_eq!(world.session(session).last_interaction_at(), spoken + seconds(5));
}

/// I10, N3, S4
#[test]
fn the_time_of_a_question_does_not_pass_while_the_contact_speaks() {
    let world = World::with([pieces()]);
    let session = world.start("f").session_id;
    world.pass(seconds(58));
    world.say("one");
    world.tick_after(seconds(4));
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(seconds(1));
    assert_eq!(world.sent(), ["one = one"]);
}

/// I10, S3
#[test]
fn a_session_does_not_expire_while_the_contact_speaks() {
    let world = World::with([flow("f")
        .set("session_ttl_minutes", json!(1))
        .set("ttl_mode", json!("fixed"))
        .node("wait", "wait_reply", json!({"debounce": "10s"}))
        .send("got", "{{reply.text}}")]);
    let session = world.start("f").session_id;
    world.pass(seconds(55));
    world.say("one");
    assert_eq!(world.session(session).expires_at(), Some(world.now() + seconds(10)));
    world.tick_after(seconds(10));
    assert_eq!(world.sent(), ["one"]);
}

/// I10, S1
#[test]
fn what_is_said_at_the_end_of_the_longest_life_is_heard_all_the_same() {
    let world = World::with([flow("f")
        .set("session_ttl_minutes", json!(0))
        .set("max_lifetime", json!("1h"))
        .node("wait", "wait_reply", json!({"debounce": "10s"}))
        .send("got", "{{reply.text}}")]);
    world.start("f");
    world.pass(minutes(60) - seconds(5));
    world.say("one");
    world.tick_after(seconds(5));
    assert_eq!(world.sent(), ["one"]);
}

/// I10
#[test]
fn a_choice_ends_the_reply_and_is_it() {
    let world = World::with([pieces()]);
    world.start("f");
    world.say("one");
    world.receive(Inbound::choice(Channel::WhatsApp, SHOP, ADA, "yes", "Yes"));
    assert_eq!(world.sent(), ["one = Yes"]);
}

/// I2, I10
#[test]
fn a_part_that_is_delivered_twice_counts_once() {
    let world = World::with([pieces()]);
    let session = world.start("f").session_id;
    world.receive(says("one").id("1"));
    let again = Received::Duplicate { first: Box::new(consumed(session)) };
    assert_eq!(world.receive(says("one").id("1")), again);
    world.tick_after(seconds(5));
    assert_eq!(world.sent(), ["one = one"]);
}

/// I10, S7
#[test]
fn a_reply_is_no_longer_than_one_text_may_be() {
    let world = World::with([flow("f").node("wait", "wait_reply", json!({"debounce": "5s"}))]);
    let session = world.start("f").session_id;
    let most = Limits::default().text_bytes;
    world.say(&"a".repeat(most - 3));
    assert_eq!(world.say("bcd"), consumed(session));
    let ended = world.session(session);
    assert_eq!(ended.status(), Status::Completed);
    let reply = ended.reply().unwrap();
    assert_eq!(reply.message.as_ref().unwrap().text.len(), most);
    assert_eq!(&*reply.parts[1], "bc");
}

/// I5, I10
#[test]
fn what_was_queued_is_a_part_of_the_reply() {
    let world = World::with([flow("f")
        .delay("rest", "30s")
        .node("wait", "wait_reply", json!({"debounce": "5s"}))
        .send("got", "{{reply.parts | join('+')}}")]);
    let session = world.start("f").session_id;
    world.say("one");
    world.say("two");
    world.tick_after(seconds(30));
    assert_eq!(world.state(session), Status::Waiting);
    world.say("three");
    world.tick_after(seconds(5));
    assert_eq!(world.sent(), ["one+two+three"]);
}

/// I10
#[test]
fn the_next_reply_has_parts_of_its_own() {
    let world = World::with([pieces().wait("then").send("end", "{{reply.parts | length}} {{reply.text}}")]);
    world.start("f");
    world.say("one");
    world.tick_after(seconds(5));
    world.say("two");
    assert_eq!(world.sent(), ["one = one", "0 two"]);
}

/// I10, S4
#[test]
fn a_session_that_is_cancelled_while_the_contact_speaks_stays_so() {
    let world = World::with([pieces()]);
    let session = world.start("f").session_id;
    world.say("one");
    block_on(world.bot.cancel(session)).unwrap();
    world.tick_after(seconds(5));
    assert_eq!((world.state(session), world.sent().len()), (Status::Cancelled, 0));
}

/// I10, S10
#[test]
fn what_was_said_before_a_handoff_is_heard_after_it() {
    let world = World::with([pieces()]);
    let started = world.start("f");
    let (session, contact) = (started.session_id, started.contact_id);
    world.say("one");
    world.pass(seconds(2));
    block_on(world.bot.handoff(session)).unwrap();
    world.tick_after(hours(1));
    assert_eq!(world.state(session), Status::Handoff);
    block_on(world.bot.resume_from_handoff(&contact, json!({}))).unwrap();
    world.tick_after(seconds(3) - A_MOMENT);
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["one = one"]);
}

/// I10, T10
#[test]
fn a_contact_who_opted_out_is_answered_what_it_said_in_pieces() {
    let world = World::with([flow("f")
        .on(json!([{"match": "exact", "text": "help"}]))
        .send("ask", "what?")
        .node("wait", "wait_reply", json!({"debounce": "5s"}))
        .send("got", "{{reply.text}}!")
        .delay("pause", "5m")
        .send("late", "late")]);
    world.say("stop");
    world.say("help");
    world.say("me");
    world.tick_after(seconds(5));
    assert_eq!(world.sent(), ["what?", "me!"]);
    world.tick_after(minutes(5));
    assert_eq!(world.sent(), Vec::<String>::new());
}
