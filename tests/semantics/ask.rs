//! Questions whose answers are checked: N4, and what I, S and N3 say of them.

use chatflow::calls::Answer;
use chatflow::observer::EventKind;
use chatflow::session::ReplyOption;
use chatflow::{CallResult, Channel, Inbound, Received, SendError, SessionId, Status};
use pollster::block_on;
use serde_json::{Value, json};

use crate::kit::*;

const OTHER: &str = "+15550111";

fn consumed(session: SessionId) -> Received {
    Received::Consumed { session }
}

/// Asks for a number, and says what it was.
fn number(more: Value) -> Sketch {
    let mut fields = json!({"text": "How many?", "expect": "number", "save_to": "n"});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    flow("f").node("ask", "ask", fields).send("got", "{{n}}")
}

fn choices() -> Value {
    json!([{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}])
}

fn sure() -> Sketch {
    flow("f").node("ask", "ask", json!({"text": "Sure?", "choices": choices()}))
}

fn options(world: &World) -> Vec<ReplyOption> {
    world.channel.take_new().last().unwrap().options().to_vec()
}

fn chooses(option: &ReplyOption) -> Inbound {
    Inbound::choice(Channel::WhatsApp, SHOP, ADA, &option.payload, &option.label)
}

fn saved(world: &World, session: SessionId) -> Value {
    world.session(session).vars().to_json()
}

/// N4
#[test]
fn a_valid_answer_is_saved_as_what_it_means() {
    let world = World::with([number(json!({}))]);
    let session = world.start("f").session_id;
    assert_eq!(world.say("1,234.5"), consumed(session));
    assert_eq!(saved(&world, session), json!({"n": 1234.5}));
    assert_eq!(world.sent(), ["How many?", "1234.5"]);
}

/// N4, S1, S4, N3
#[test]
fn an_invalid_answer_moves_the_ttl_and_neither_the_wait_nor_its_deadline() {
    let world = World::with([number(json!({"timeout": "1h"}))]);
    let session = world.start("f").session_id;
    let before = world.session(session);
    world.pass(minutes(20));
    assert_eq!(world.say("many"), consumed(session));
    let after = world.session(session);
    assert_eq!(after.last_interaction_at(), world.now());
    assert_eq!(after.turns(), before.turns() + 1);
    assert_eq!(after.wait_number(), before.wait_number());
    assert_eq!(after.deadline(), before.deadline());
    world.tick_after(minutes(40));
    assert_eq!(world.state(session), Status::Expired);
}

/// N4, S1
#[test]
fn a_question_without_a_time_waits_for_as_long_as_the_ttl_from_the_last_attempt() {
    let world = World::with([number(json!({}))]);
    let session = world.start("f").session_id;
    world.pass(minutes(29));
    world.say("many");
    world.tick_after(minutes(29));
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(minutes(1));
    assert_eq!(world.state(session), Status::Expired);
}

/// N4
#[test]
fn attempts_are_counted_anew_each_time_a_question_is_entered() {
    let world = World::with([flow("f")
        .node("ask", "ask", json!({"text": "How many?", "expect": "number", "retries": 1}))
        .node("again", "jump", json!({"target": "ask"}))]);
    let session = world.start("f").session_id;
    for text in ["a", "1", "b", "2"] {
        assert_eq!(world.say(text), consumed(session), "{text}");
    }
    assert_eq!(world.state(session), Status::Completed);
}

/// N1, N4, S9
#[test]
fn a_question_that_is_given_up_without_a_branch_fails_and_says_nothing() {
    let world = World::with([number(json!({"retries": 0}))]);
    let session = world.start("f").session_id;
    world.say("many");
    let ended = world.session(session);
    assert_eq!(ended.status(), Status::Failed);
    assert_eq!(ended.failure().unwrap().code.as_str(), "invalid_answer");
    assert_eq!(world.sent(), ["How many?"]);
}

/// N1, N4
#[test]
fn a_choice_without_any_edge_completes_the_session() {
    let world = World::with([sure()]);
    let session = world.start("f").session_id;
    world.say("no");
    assert_eq!(world.state(session), Status::Completed);
}

/// N4, I9
#[test]
fn the_buttons_of_a_question_stay_good_while_it_asks_again() {
    let world = World::with([sure().send("got", "{{reply.payload}}/{{reply.kind}}/{{reply.text}}")]);
    let session = world.start("f").session_id;
    let first = options(&world);
    world.say("maybe");
    assert_eq!(options(&world), first);
    assert_eq!(world.receive(chooses(&first[0])), consumed(session));
    assert_eq!(world.sent(), ["yes/choice/Yes"]);
}

/// I9
#[test]
fn a_button_of_an_answered_question_is_stale() {
    let world = World::with([sure().node("then", "ask", json!({"text": "Really?", "choices": choices()}))]);
    let session = world.start("f").session_id;
    let first = options(&world);
    world.receive(chooses(&first[0]));
    assert_eq!(world.receive(chooses(&first[1])), Received::StaleChoice);
    assert_eq!(world.place(session), ("then".to_owned(), Status::Waiting));
    assert!(world.notes().contains(&EventKind::StaleChoice { session }));
}

/// I12
#[test]
fn a_message_that_is_older_than_the_question_is_no_answer() {
    let world = World::with([number(json!({}))]);
    let session = world.start("f").session_id;
    let old = says("7").timestamp(world.now() - seconds(61));
    assert_eq!(world.receive(old), Received::TooOld);
    assert_eq!(world.receive(says("7").timestamp(world.now() - seconds(60))), consumed(session));
}

/// I7
#[test]
fn an_answer_after_the_expiry_resumes_nothing() {
    let world = World::with([number(json!({}))]);
    let session = world.start("f").session_id;
    world.pass(minutes(30));
    assert_eq!(world.say("7"), Received::Unmatched);
    assert_eq!(world.state(session), Status::Expired);
}

/// I4
#[test]
fn the_message_that_starts_a_flow_does_not_answer_a_question_that_came_after_it() {
    let world = World::with([number(json!({})).on(json!([{"match": "any"}]))]);
    let Received::Started { session } = world.say("7") else { panic!("not started") };
    assert_eq!(world.place(session), ("ask".to_owned(), Status::Waiting));
    assert_eq!(world.say("8"), consumed(session));
    assert_eq!(world.sent(), ["How many?", "8"]);
}

/// I5
#[test]
fn what_came_before_a_question_has_been_missed() {
    let world = World::with([flow("f")
        .node("call", "function", json!({"function": "find"}))
        .node("ask", "ask", json!({"text": "How many?", "expect": "number", "save_to": "n"}))
        .send("got", "{{n}}, not {{reply.missed | join(', ')}}")]);
    world.answer_calls([Ok(Answer::Later)]);
    let session = world.start("f").session_id;
    world.tick();
    assert_eq!(world.say("7"), Received::Queued { session });
    let call = world.calls().last().unwrap().reference.clone();
    block_on(world.bot.complete(call, CallResult::value(1))).unwrap();
    assert_eq!(world.place(session), ("ask".to_owned(), Status::Waiting));
    world.say("8");
    assert_eq!(world.sent(), ["How many?", "8, not 7"]);
}

/// I3
#[test]
fn an_answer_comes_on_the_account_that_asked_unless_any_will_do() {
    let elsewhere = || Inbound::text(Channel::WhatsApp, OTHER, ADA, "7");
    let world = World::with([number(json!({}))]);
    world.start("f");
    assert_eq!(world.receive(elsewhere()), Received::Unmatched);
    let world = World::with([number(json!({"any_channel": true}))]);
    let session = world.start("f").session_id;
    assert_eq!(world.receive(elsewhere()), consumed(session));
}

/// I9, N4
#[test]
fn choices_that_were_sent_right_before_a_question_answer_it() {
    let world = World::with([flow("f")
        .node("menu", "send_message", json!({"text": "These:", "options": choices()}))
        .node(
            "ask",
            "ask",
            json!({"media": {"type": "image", "url": "https://host/1"}, "choices": choices()}),
        )
        .send("got", "{{reply.payload}}")]);
    world.start("f");
    let offered = world.channel.take_new()[0].options().to_vec();
    world.receive(chooses(&offered[1]));
    assert_eq!(world.sent().last().unwrap(), "no");
}

/// N3
#[test]
fn the_time_of_a_question_does_not_pass_before_the_question_is_delivered() {
    let world = World::with([number(json!({"timeout": "10m"}))]);
    world.answer_sends([Err(SendError::retry_after(minutes(20).to_std().unwrap(), "later"))]);
    let session = world.start("f").session_id;
    world.tick_after(minutes(15));
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(minutes(5));
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(minutes(10));
    assert_eq!(world.state(session), Status::Expired);
}

/// N4, T3
#[test]
fn a_question_is_asked_in_the_contacts_language_and_understood_in_every_one() {
    let world = World::with([flow("f").set("language", json!("en")).node(
        "ask",
        "ask",
        json!({
            "text": {"en": "Sure?", "de": "Sicher?"},
            "choices": [{"id": "yes", "label": {"en": "Yes", "de": "Ja"}, "synonyms": ["sí"]}, {"id": "no", "label": "No"}],
        }),
    )
    .send("got", "{{reply.payload}}")]);
    for text in ["ja", "YES", "Sí", "1"] {
        world.start("f");
        world.say(text);
        assert_eq!(world.sent(), ["Sure?", "yes"], "{text}");
    }
}

/// N3, T3
#[test]
fn a_wait_takes_replies_of_every_kind_that_it_names() {
    let wait = |accept: Value| {
        flow("f").node("wait", "wait_reply", json!({"accept": accept})).send(
            "got",
            "{{reply.kind}} {{reply.text}} {{reply.media.url}}{{reply.location.latitude}}{{reply.payload}}",
        )
    };
    let picture =
        Inbound::media(Channel::WhatsApp, SHOP, ADA, json!({"url": "https://host/1"})).caption("Me");
    let place = Inbound::location(Channel::WhatsApp, SHOP, ADA, json!({"latitude": 52.5}));
    let choice = Inbound::choice(Channel::WhatsApp, SHOP, ADA, "yes", "Yes");
    for (kind, inbound, text) in [
        ("text", says("Hi"), "text Hi "),
        ("media", picture, "media Me https://host/1"),
        ("location", place, "location  52.5"),
        ("choice", choice, "choice Yes yes"),
    ] {
        let world = World::with([wait(json!([kind]))]);
        let session = world.start("f").session_id;
        let other =
            if kind == "text" { Inbound::choice(Channel::WhatsApp, SHOP, ADA, "x", "X") } else { says("X") };
        assert_eq!(world.receive(other), Received::Unmatched, "{kind}");
        assert_eq!(world.receive(inbound), consumed(session), "{kind}");
        assert_eq!(world.sent(), [text]);
    }
}

/// I6
#[test]
fn a_keyword_interrupts_a_question_unless_the_question_takes_it_for_an_answer() {
    let cancel = json!([{"words": ["none"], "action": "cancel"}]);
    let asking = |keywords: &str| {
        let fields = json!({"text": "What colour?", "keywords": keywords});
        flow("f").set("keywords", cancel.clone()).node("ask", "ask", fields).send("got", "{{reply.text}}")
    };
    let world = World::with([asking("on")]);
    let session = world.start("f").session_id;
    world.say("none");
    assert_eq!(world.state(session), Status::Cancelled);
    let world = World::with([asking("off")]);
    let session = world.start("f").session_id;
    assert_eq!(world.say("none"), consumed(session));
    assert_eq!(world.sent(), ["What colour?", "none"]);
}

/// N3, N4
#[test]
fn the_time_of_a_question_runs_from_its_delivery_and_no_answer_moves_it() {
    let fields = json!({"text": "?", "expect": "number", "timeout": "10m", "on_timeout": "continue"});
    let world = World::with([flow("f").node("ask", "ask", fields).send("got", "{{reply.timed_out}}")]);
    world.answer_sends([Err(SendError::retry_after(minutes(20).to_std().unwrap(), "busy"))]);
    let session = world.start("f").session_id;
    world.tick_after(minutes(20));
    let deadline = world.now() + minutes(10);
    assert_eq!(world.session(session).deadline(), Some(deadline));
    world.pass(minutes(5));
    world.say("none");
    assert_eq!(world.session(session).deadline(), Some(deadline));
    world.sent();
    world.tick_after(minutes(5));
    assert_eq!(world.sent(), ["true"]);
}
