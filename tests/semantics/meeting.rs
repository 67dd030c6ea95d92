//! One feature in the middle of another: people, called flows, sends that are
//! waited for, keywords, opting out. S3, S6, S10, D1, I6, I9, N3, N9, T3, T6, T10.

use chatflow::calls::Answer;
use chatflow::flow::{KeywordAction, Keywords};
use chatflow::ops::{EraseOptions, HandedBack, HandedOver, Reported};
use chatflow::session::{DeliveryReport, EndReason};
use chatflow::store::{ConversationStore, Lookup, Subject, Token};
use chatflow::{
    CallResult, Channel, Completed, Inbound, MessageId, Receipt, Received, SendError, Session, SessionId,
    SessionRef, Status, Triggered, WorkspaceId,
};
use pollster::block_on;
use serde_json::{Value, json};

use crate::kit::*;

/// Calls `child`, and continues as the edges say.
fn parent(code: &str) -> Sketch {
    flow(code).node("call", "call_flow", json!({"flow": "child"})).send("after", "Back").wait("then")
}

fn child() -> Sketch {
    flow("child").send("ask", "Child?").wait("wait").send("bye", "Child done")
}

/// A send with a way for its failure, then a question.
fn offer(code: &str) -> Sketch {
    flow(code)
        .send("offer", "Offer")
        .wait("wait")
        .send("thanks", "Thanks")
        .apart("sorry", "send_message", json!({"text": "Sorry"}))
        .apart("how", "wait_reply", json!({}))
        .edge("offer", "failed", "sorry")
        .edge("sorry", "next", "how")
}

fn words(word: &str, action: &str) -> Value {
    json!([{"words": [word], "action": action}])
}

fn keyword(action: KeywordAction) -> Received {
    Received::Keyword { action }
}

fn sure() -> Value {
    json!({"text": "Sure?", "choices": [{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]})
}

/// Presses the first button that was sent last.
fn press(world: &World) -> Inbound {
    let sent = world.channel.sent();
    let option = sent.iter().rev().find_map(|message| message.options().first().cloned()).unwrap();
    Inbound::choice(Channel::WhatsApp, SHOP, ADA, &option.payload, &option.label)
}

fn hand_over(world: &World, session: &SessionRef) -> HandedOver {
    block_on(world.bot.handoff(session.session_id)).unwrap()
}

fn hand_back(world: &World, session: &SessionRef) -> HandedBack {
    block_on(world.bot.resume_from_handoff(&session.contact_id, json!({}))).unwrap()
}

fn busy() -> Result<Receipt, SendError> {
    Err(SendError::retry_after(std::time::Duration::from_secs(60), "busy"))
}

fn refused() -> Result<Receipt, SendError> {
    Err(SendError::rejected("no such number"))
}

fn report(world: &World, session: SessionId, seq: u64) -> Reported {
    let failed = DeliveryReport::Failed { code: "131047".into() };
    block_on(world.bot.report(MessageId { session, seq }, failed)).unwrap()
}

fn complete(world: &World, result: CallResult) -> Completed {
    let call = world.calls().last().unwrap().reference.clone();
    block_on(world.bot.complete(call, result)).unwrap()
}

fn ended(session: &Session) -> (Status, Option<EndReason>) {
    (session.status(), session.ended_by())
}

// --- sends that are waited for
// -------------------------------------------------------------------------------------------------

/// D1, N9
#[test]
fn a_refused_message_of_a_called_flow_takes_its_own_way_and_is_no_dead_letter() {
    let world = World::with([offer("child"), parent("root")]);
    world.answer_sends([refused()]);
    let session = world.start("root").session_id;
    assert_eq!(world.sent(), ["Offer", "Sorry"]);
    assert_eq!(world.place(session), ("how".into(), Status::Waiting));
    assert!(world.dead_letters().is_empty());
}

/// D1, N9: the branch is the one of the flow that sent, whatever the caller calls its nodes.
#[test]
fn a_report_on_a_message_of_a_called_flow_takes_the_called_flows_way() {
    let root = flow("root").node("offer", "call_flow", json!({"flow": "child"})).send("after", "Back");
    let world = World::with([offer("child"), root]);
    let session = world.start("root").session_id;
    world.sent();
    assert_eq!(report(&world, session, 1), Reported::Noted);
    assert_eq!(world.sent(), ["Sorry"]);
    assert_eq!(world.place(session), ("how".into(), Status::Waiting));
}

/// D1, N9
#[test]
fn a_report_on_a_message_of_a_flow_that_has_returned_moves_nothing() {
    let sends = flow("child").send("offer", "Offer").apart("sorry", "send_message", json!({"text": "Sorry"}));
    let world = World::with([sends.edge("offer", "failed", "sorry"), parent("root")]);
    let session = world.start("root").session_id;
    assert_eq!(world.sent(), ["Offer", "Back"]);
    report(&world, session, 1);
    assert!(world.sent().is_empty());
    assert_eq!(world.place(session), ("then".into(), Status::Waiting));
}

/// D1, N9: what a called flow waited for is nothing to the caller that leaves by `expired`.
#[test]
fn a_called_flow_that_expires_at_its_message_leaves_nothing_of_it_behind() {
    let root = flow("root")
        .node("call", "call_flow", json!({"flow": "child"}))
        .apart("wait", "wait_reply", json!({}))
        .edge("call", "expired", "wait")
        .send("offer", "Something else?")
        .apart("wrong", "send_message", json!({"text": "Wrong"}))
        .edge("offer", "failed", "wrong");
    let world = World::with([offer("child"), root]);
    world.answer_sends(std::iter::repeat_with(busy).take(40));
    let session = world.start("root").session_id;
    for _ in 0..35 {
        world.tick_after(minutes(1));
    }
    assert_eq!(world.place(session), ("wait".into(), Status::Waiting));
    report(&world, session, 1);
    assert_eq!(world.place(session), ("wait".into(), Status::Waiting));
}

/// D1, S10: a message that leaves while the contact is with a person is known to have left
/// afterwards.
#[test]
fn a_message_that_is_waited_for_may_leave_in_a_handoff() {
    for outcome in [Ok(Receipt::new()), refused()] {
        let place = if outcome.is_ok() { "wait" } else { "how" };
        let world = World::with([offer("f")]);
        world.answer_sends([busy(), outcome]);
        let session = world.start("f");
        assert_eq!(hand_over(&world, &session), HandedOver::HandedOver);
        world.tick_after(minutes(2));
        assert_eq!(world.state(session.session_id), Status::Handoff);
        hand_back(&world, &session);
        assert_eq!(world.place(session.session_id), (place.into(), Status::Waiting));
    }
}

/// D1, S10
#[test]
fn a_report_that_comes_twice_in_a_handoff_counts_once() {
    let world = World::with([offer("f")]);
    let session = world.start("f");
    hand_over(&world, &session);
    world.sent();
    let record = || {
        let subject = Subject::Contact(session.contact_id.clone());
        let lookup = Lookup::new(WorkspaceId::default(), subject, Token(uuid::Uuid::nil()), world.now());
        let stored = block_on(world.bot.store().load(&lookup)).unwrap().conversation.unwrap();
        stored.record.to_bytes().unwrap().len()
    };
    report(&world, session.session_id, 1);
    let before = record();
    for _ in 0..10 {
        report(&world, session.session_id, 1);
    }
    assert_eq!(record(), before, "what is kept of a report is kept once");
    hand_back(&world, &session);
    assert_eq!(world.sent(), ["Sorry"]);
    assert_eq!(world.place(session.session_id), ("how".into(), Status::Waiting));
}

/// D1, T10: time writes nothing to who opted out, and a session does not wait for what it may not
/// say.
#[test]
fn who_opted_out_does_not_keep_a_session_that_waits_for_a_message_that_is_not_sent() {
    let greeting = flow("hi")
        .on(json!([{"match": "exact", "text": "hi"}]))
        .send("hello", "Hello")
        .wait_for("wait", "5m")
        .apart("offer", "send_message", json!({"text": "Offer"}))
        .apart("sorry", "send_message", json!({"text": "Sorry"}))
        .apart("end", "wait_reply", json!({}))
        .edge("wait", "timeout", "offer")
        .edge("offer", "failed", "sorry")
        .edge("sorry", "next", "end");
    let world = World::with([greeting]);
    world.say("stop");
    let Received::Started { session } = world.say("hi") else { panic!("not started") };
    assert_eq!(world.sent(), ["Hello"]);
    world.tick_after(minutes(6));
    assert!(world.sent().is_empty());
    assert_eq!(world.place(session), ("end".into(), Status::Waiting));
}

/// T10, N9: silence in a called flow is time, too.
#[test]
fn who_opted_out_is_not_written_to_when_a_called_flow_expires() {
    let calls = flow("hi").on(json!([{"match": "exact", "text": "hi"}]));
    let calls = calls.node("call", "call_flow", json!({"flow": "child"}));
    let calls = calls.apart("gone", "send_message", json!({"text": "Gone"})).edge("call", "expired", "gone");
    let world = World::with([child(), calls]);
    world.say("stop");
    let Received::Started { session } = world.say("hi") else { panic!("not started") };
    assert_eq!(world.sent(), ["Child?"]);
    world.tick_after(hours(1));
    assert_eq!((world.state(session), world.sent()), (Status::Completed, Vec::new()));
}

// --- keywords
// -------------------------------------------------------------------------------------------------

/// I6, T10: a contact that may opt out by a word where the talk began may do so wherever it
/// went.
#[test]
fn a_word_of_opting_out_counts_in_every_flow_that_waits_for_the_called_one() {
    let deep = || flow("deep").node("ask", "wait_reply", json!({"keywords": "off"}));
    let middle = flow("child").set("keywords", words("enough", "opt_out"));
    let middle = middle.node("call", "call_flow", json!({"flow": "deep"}));
    for (word, terminal) in [("genug", false), ("enough", false), ("genug", true)] {
        let root = flow("root").set("keywords", words("genug", "opt_out"));
        let root = root.node("call", "call_flow", json!({"flow": "child", "terminal": terminal}));
        let world = World::with([deep(), middle.clone(), root]);
        let session = world.start("root");
        assert_eq!(world.say(word), keyword(KeywordAction::OptOut), "{word}");
        let stored = world.session(session.session_id);
        assert_eq!(ended(&stored), (Status::Cancelled, Some(EndReason::OptedOut)));
        assert!(world.contact(&session.contact_id).opted_out_at.is_some());
    }
}

/// I6, S5: keywords of a flow act on its session, also while it is in a called flow; the
/// nearest meaning counts.
#[test]
fn the_started_flows_keywords_act_while_it_waits_for_the_flow_it_called() {
    let all = json!([
        {"words": ["quit"], "action": "cancel"}, {"words": ["help"], "action": "handoff"},
        {"words": ["again"], "action": "restart"}, {"words": ["both"], "action": "cancel"},
        {"words": ["menu"], "action": "jump", "node": "after"},
    ]);
    let start = |word: &str| {
        let child = child().set("keywords", words("both", "handoff"));
        let world = World::with([child, parent("root").set("keywords", all.clone())]);
        let session = world.start("root").session_id;
        world.sent();
        let answer = world.say(word);
        (world, session, answer)
    };
    let (world, session, answer) = start("quit");
    assert_eq!(answer, keyword(KeywordAction::Cancel));
    assert_eq!(ended(&world.session(session)), (Status::Cancelled, Some(EndReason::Keyword)));
    for word in ["help", "both"] {
        let (world, session, answer) = start(word);
        assert_eq!(answer, keyword(KeywordAction::Handoff));
        assert_eq!(world.place(session), ("wait".into(), Status::Handoff));
    }
    let (world, session, answer) = start("again");
    assert_eq!(answer, keyword(KeywordAction::Restart));
    assert_eq!(ended(&world.session(session)), (Status::Cancelled, Some(EndReason::Keyword)));
    assert_eq!(world.sent(), ["Child?"]);
    // A jump stays in the flow where the session is: there "menu" is a word like any other.
    let (world, session, answer) = start("menu");
    assert_eq!(answer, Received::Consumed { session });
    assert_eq!(world.sent(), ["Child done", "Back"]);
}

/// I6, N9: with what the session was started with, not with what the called flow was given.
#[test]
fn restart_in_a_called_flow_begins_with_the_started_flows_context() {
    for terminal in [false, true] {
        let root = flow("root")
            .start("inputs", json!([{"name": "x", "required": true}]))
            .send("hi", "{{context.x}}")
            .node(
                "call",
                "call_flow",
                json!({"flow": "child", "terminal": terminal,
                                              "input": [{"name": "y", "value": "inner"}]}),
            );
        let world = World::built(|builder| builder.keywords(Keywords::default().restart(["again"])));
        world.publish([child(), root]);
        world.begin(ada("root").context(json!({"x": "outer"})));
        world.sent();
        assert_eq!(world.say("again"), keyword(KeywordAction::Restart));
        assert_eq!(world.sent(), ["outer", "Child?"], "terminal: {terminal}");
    }
}

/// I6, I10: what was being said is gone with the question.
#[test]
fn a_keyword_ends_what_the_contact_was_saying() {
    let menu = json!([{"words": ["menu"], "action": "jump", "node": "ask"}]);
    let asks = flow("f")
        .set("keywords", menu)
        .send("ask", "Say it")
        .node("wait", "wait_reply", json!({"debounce": "10s", "save_to": "said"}))
        .send("got", "{{vars.said}}");
    let world = World::with([asks]);
    let session = world.start("f").session_id;
    world.say("one");
    world.pass(seconds(5));
    assert_eq!(world.say("menu"), keyword(KeywordAction::Jump));
    world.tick_after(minutes(1));
    assert_eq!(world.state(session), Status::Waiting);
    world.say("two");
    world.tick_after(minutes(1));
    assert_eq!(world.sent(), ["Say it", "Say it", "two"]);
}

/// I6, D2
#[test]
fn a_result_is_stale_after_a_jump_and_after_the_end() {
    let menu = json!([{"words": ["menu"], "action": "jump", "node": "look"}]);
    let looks =
        flow("f").set("keywords", menu).node("look", "function", json!({"function": "later", "args": {}}));
    let looks = looks.send("got", "Got it").wait("wait");
    let world = World::with([looks]);
    let session = world.start("f").session_id;
    world.tick();
    let first = world.calls().last().unwrap().reference.clone();
    assert_eq!(world.say("menu"), keyword(KeywordAction::Jump));
    world.tick();
    let stale = block_on(world.bot.complete(first, CallResult::value(1))).unwrap();
    assert_eq!((stale, world.state(session)), (Completed::Stale, Status::Calling));
    assert_eq!(complete(&world, CallResult::value(2)), Completed::Resumed);
    assert_eq!(complete(&world, CallResult::value(3)), Completed::Stale);
    world.tick_after(hours(1));
    assert_eq!(world.state(session), Status::Expired);
    assert_eq!(complete(&world, CallResult::value(4)), Completed::Stale);
}

// --- people
// -------------------------------------------------------------------------------------------------

/// S10, N4, N9
#[test]
fn a_question_of_a_called_flow_keeps_its_attempts_over_a_handoff() {
    let asks = flow("child").node("ask", "ask", json!({
        "text": "How many?", "expect": "number", "retries": 1, "error_text": "A number, please", "save_to": "n"}));
    let root = parent("root").apart("sorry", "send_message", json!({"text": "Sorry"}));
    let world = World::with([asks, root.edge("call", "failed", "sorry")]);
    let session = world.start("root");
    world.say("many");
    assert_eq!(hand_over(&world, &session), HandedOver::HandedOver);
    world.tick_after(hours(1));
    hand_back(&world, &session);
    assert_eq!(world.place(session.session_id), ("ask".into(), Status::Waiting));
    world.say("very many");
    assert_eq!(world.sent(), ["How many?", "A number, please", "Sorry"]);
}

/// S10: a session that was suspended because of another is handed over with the time that it had
/// left.
#[test]
fn a_session_that_stood_still_is_handed_over_with_the_time_that_it_had_left() {
    let other = flow("other").wait_for("wait", "10m").apart("late", "send_message", json!({"text": "Late"}));
    let world = World::with([question("f"), other.edge("wait", "timeout", "late")]);
    let waits = world.start("other");
    let handed = world.start("f");
    world.pass(minutes(4));
    hand_over(&world, &handed);
    world.tick_after(hours(1));
    assert_eq!(hand_over(&world, &waits), HandedOver::HandedOver);
    world.tick_after(hours(1));
    hand_back(&world, &waits);
    world.tick_after(minutes(6) - A_MOMENT);
    assert_eq!(world.state(waits.session_id), Status::Waiting);
    world.tick_after(A_MOMENT);
    assert_eq!(world.state(waits.session_id), Status::Completed);
}

/// S10, N3: a question that was not delivered before its time was over has its time after the
/// handoff.
#[test]
fn a_question_that_is_delivered_in_a_handoff_has_its_time_afterwards() {
    let asks = flow("f").send("ask", "Well?").wait_for("wait", "5m");
    let asks = asks.apart("late", "send_message", json!({"text": "Late"})).edge("wait", "timeout", "late");
    let world = World::with([asks]);
    world.answer_sends(std::iter::repeat_with(busy).take(8));
    let session = world.start("f");
    for _ in 0..7 {
        world.tick_after(minutes(1));
    }
    assert_eq!(world.state(session.session_id), Status::Waiting);
    hand_over(&world, &session);
    world.tick_after(minutes(10));
    world.sent();
    hand_back(&world, &session);
    world.tick_after(minutes(5) - A_MOMENT);
    assert_eq!(world.state(session.session_id), Status::Waiting);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["Late"]);
}

/// S10, I5: what was kept for the next question is kept over the handoff.
#[test]
fn what_came_while_a_call_ran_answers_after_a_handoff() {
    let looks = flow("f").node("look", "function", json!({"function": "later", "args": {}}));
    let world = World::with([looks.wait("wait").send("got", "{{reply.text}}")]);
    let session = world.start("f");
    world.tick();
    assert_eq!(world.say("early"), Received::Queued { session: session.session_id });
    hand_over(&world, &session);
    assert_eq!(complete(&world, CallResult::value(1)), Completed::Resumed);
    hand_back(&world, &session);
    assert_eq!(world.sent(), ["early"]);
    assert_eq!(world.state(session.session_id), Status::Completed);
}

/// S10, T6: who interrupts a handoff ends it, and the silence with it.
#[test]
fn a_flow_that_interrupts_a_handoff_ends_it() {
    let urgent = flow("urgent").set("concurrency", json!({"per_contact": "interrupt"}));
    let world = World::with([question("f"), question("other"), urgent.send("hi", "Urgent").wait("wait")]);
    let session = world.start("f");
    hand_over(&world, &session);
    let started = world.trigger(ada("urgent").during_handoff());
    assert!(matches!(started, Triggered::Started(_)), "{started:?}");
    let stored = world.session(session.session_id);
    assert_eq!(ended(&stored), (Status::Cancelled, Some(EndReason::Interrupted)));
    assert!(matches!(world.say("hello"), Received::Consumed { .. }));
}

/// S1, S10, N9: the longest life ends a handoff in a called flow, and no caller continues.
#[test]
fn the_longest_life_ends_a_handoff_in_a_called_flow() {
    let agent = flow("child").node("agent", "handoff", json!({"timeout": "never"}));
    let root = parent("root").set("max_lifetime", json!("2h"));
    let root = root.apart("gone", "send_message", json!({"text": "Gone"})).edge("call", "expired", "gone");
    let world = World::with([agent, root]);
    let session = world.start("root").session_id;
    world.tick_after(hours(2) - A_MOMENT);
    assert_eq!(world.state(session), Status::Handoff);
    world.tick_after(A_MOMENT);
    assert_eq!((world.state(session), world.sent()), (Status::Expired, Vec::new()));
}

// --- choices
// -------------------------------------------------------------------------------------------------

/// I9, N9: a question is over when its flow is given up.
#[test]
fn a_button_of_a_called_flow_that_expired_is_stale() {
    let asks =
        flow("child").node("menu", "send_message", json!({"text": "Sure?", "options": sure()["choices"]}));
    let root = flow("root").node("call", "call_flow", json!({"flow": "child"}));
    let root = root.apart("other", "ask", json!({"text": "Really?", "choices": sure()["choices"]}));
    let world = World::with([asks.wait("wait"), root.edge("call", "expired", "other")]);
    let session = world.start("root").session_id;
    let old = press(&world);
    world.tick_after(minutes(31));
    assert_eq!(world.place(session), ("other".into(), Status::Waiting));
    assert_eq!(world.receive(old), Received::StaleChoice);
    assert_eq!(world.receive(press(&world)), Received::Consumed { session });
}

/// I3, I9: a button answers its own question; a word that both know answers the newer one.
#[test]
fn two_sessions_that_ask_the_same_hear_their_own_buttons() {
    let asks =
        |code: &str| flow(code).node("ask", "ask", sure()).send("got", &format!("{code} {{{{reply.text}}}}"));
    let world = World::with([asks("a"), asks("b")]);
    world.start("a");
    let of_a = press(&world);
    world.pass(seconds(1));
    world.start("b");
    world.sent();
    world.receive(of_a.clone());
    assert_eq!(world.sent(), ["a Yes"]);
    world.say("no");
    assert_eq!(world.sent(), ["b no"]);
    assert_eq!(world.receive(of_a), Received::Unmatched);
}

/// I6, I9: a session that began anew is another one.
#[test]
fn a_button_from_before_a_restart_answers_nothing() {
    let asks =
        flow("f").set("keywords", words("again", "restart")).node("ask", "ask", sure()).send("got", "Got");
    let world = World::with([asks]);
    world.start("f");
    let old = press(&world);
    assert_eq!(world.say("again"), keyword(KeywordAction::Restart));
    assert_eq!(world.receive(old), Received::Unmatched);
    assert!(matches!(world.receive(press(&world)), Received::Consumed { .. }));
}

// --- the contact
// -------------------------------------------------------------------------------------------------

/// T3, N2: the language that a turn learns is the language of what it says next.
#[test]
fn what_a_turn_says_is_in_the_language_that_it_has_just_learnt() {
    let hello = json!({"text": {"en": "Hello", "pt": "Olá"}});
    let sets = flow("sets").set("language", json!("en")).node("hi", "send_message", hello.clone());
    let sets = sets.node("note", "update_contact", json!({"set": {"language": "pt"}}));
    let asks = flow("asks").set("language", json!("en")).wait("wait");
    let asks = asks.node(
        "tongue",
        "recognize_language",
        json!({
        "text": "{{reply.text}}", "languages": ["en", "pt"], "update_contact": true}),
    );
    let world = World::with([
        sets.node("again", "send_message", hello.clone()),
        ["pt", "en", "else"]
            .iter()
            .fold(asks.apart("hi", "send_message", hello), |asks, tongue| asks.edge("tongue", tongue, "hi")),
    ]);
    world.begin(chatflow::TriggerRequest::new("sets").phone(BOB));
    assert_eq!(world.sent(), ["Hello", "Olá"]);
    world.start("asks");
    world.answer_calls([Ok(Answer::now("pt"))]);
    world.say("bom dia");
    world.tick();
    assert_eq!(world.sent(), ["Olá"]);
}

/// T10, N9: who opts out in a called flow is out of all sessions but transactional ones, and hears
/// the answer.
#[test]
fn opting_out_in_a_called_flow_ends_all_but_what_is_transactional() {
    let leaves = flow("child").wait("wait").node("out", "update_contact", json!({"consent": "opt_out"}));
    let world =
        World::with([leaves.send("ok", "As you wish"), parent("root"), question("other"), question("due")]);
    let other = world.start("other").session_id;
    let due = world.begin(ada("due").transactional()).session_id;
    world.pass(seconds(1));
    let root = world.start("root").session_id;
    world.sent();
    world.say("please leave me alone");
    assert_eq!(world.sent(), ["As you wish", "Back"]);
    for session in [root, other] {
        assert_eq!(ended(&world.session(session)), (Status::Cancelled, Some(EndReason::OptedOut)));
    }
    assert_eq!(world.state(due), Status::Waiting);
}

/// T5, T10
#[test]
fn a_session_may_opt_the_contact_out_in_its_first_turn() {
    let leaves =
        flow("f").node("out", "update_contact", json!({"consent": "opt_out"})).send("ok", "Done").wait("w");
    let world = World::with([leaves]);
    let session = world.begin(ada("f").uuid("k"));
    assert_eq!(world.sent(), ["Done"]);
    assert_eq!(ended(&world.session(session.session_id)), (Status::Cancelled, Some(EndReason::OptedOut)));
    assert!(matches!(world.trigger(ada("f").uuid("k")), Triggered::Started(again) if again.replayed));
}

/// S11, D2
#[test]
fn what_comes_for_an_erased_contact_finds_nobody() {
    let looks = offer("f").node("look", "function", json!({"function": "later", "args": {}}));
    let world =
        World::with([looks, flow("g").node("look", "function", json!({"function": "later", "args": {}}))]);
    let handed = world.start("f");
    world.start("g");
    world.tick();
    hand_over(&world, &handed);
    block_on(world.bot.erase(&handed.contact_id, EraseOptions::new())).unwrap();
    assert_eq!(complete(&world, CallResult::value(1)), Completed::Stale);
    assert_eq!(report(&world, handed.session_id, 1), Reported::Unknown);
    assert_eq!(hand_back(&world, &handed), HandedBack::NotInHandoff);
    world.tick_after(days(2));
    world.sent();
    assert_eq!(world.say("hello?"), Received::Unmatched);
}

// --- reminders
// -------------------------------------------------------------------------------------------------

/// S6, N9: each flow reminds of its own questions, at the time that the started flow's TTL gives.
#[test]
fn a_called_flow_reminds_of_its_questions_by_its_own_reminder() {
    let reminds = |sketch: Sketch, text: &str| {
        sketch.set("reminder", json!({"before": "5m", "node": "remind"})).apart(
            "remind",
            "send_message",
            json!({"text": text}),
        )
    };
    let root = reminds(parent("root").set("session_ttl_minutes", json!(60)), "Root waits");
    let world = World::with([reminds(child(), "Child waits"), root]);
    world.start("root");
    world.tick_after(minutes(55) - A_MOMENT);
    assert_eq!(world.sent(), ["Child?"]);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["Child waits"]);
    world.say("here");
    world.tick_after(minutes(56));
    assert_eq!(world.sent(), ["Child done", "Back", "Root waits"]);
}

/// S1, S6, N9: a called flow without a reminder says nothing, also when the life of the session is
/// fixed.
#[test]
fn a_called_flow_without_a_reminder_is_silent_and_the_caller_still_reminds_once() {
    let root = parent("root")
        .set("ttl_mode", json!("fixed"))
        .set("reminder", json!({"before": "5m", "node": "remind"}))
        .apart("remind", "send_message", json!({"text": "Five minutes left"}));
    let world = World::with([child(), root]);
    let session = world.start("root").session_id;
    world.tick_after(minutes(20));
    world.say("here");
    assert_eq!(world.sent(), ["Child?", "Child done", "Back"]);
    world.tick_after(minutes(5));
    assert_eq!(world.sent(), ["Five minutes left"]);
    world.tick_after(minutes(5));
    assert_eq!((world.state(session), world.sent()), (Status::Expired, Vec::new()));
}
