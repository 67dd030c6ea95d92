//! Messages of a contact: I1-I5, I7-I9, I11, I12.

use std::thread;

use chatflow::calls::Answer;
use chatflow::limits::Limits;
use chatflow::observer::EventKind;
use chatflow::ops::SessionFilter;
use chatflow::session::ReplyOption;
use chatflow::{Channel, Inbound, Received, SessionId, Status, TriggerRequest};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

const OTHER: &str = "+15550111";

fn consumed(session: SessionId) -> Received {
    Received::Consumed { session }
}

/// Answers a message that one of the rules matches.
fn on(code: &str, how: &str, text: &str) -> Sketch {
    let rule = if text.is_empty() { json!({"match": how}) } else { json!({"match": how, "text": text}) };
    flow(code).on(json!([rule])).send("hi", code)
}

/// Asks with two options.
fn choice(code: &str) -> Sketch {
    let options = json!([{"id": "yes", "label": "Yes"}, {"id": "no", "label": "No"}]);
    flow(code)
        .node("ask", "send_message", json!({"text": "Sure?", "options": options}))
        .wait("wait")
        .send("got", "{{reply.payload}}/{{reply.kind}}/{{reply.text}}")
}

fn options(world: &World) -> Vec<ReplyOption> {
    world.channel.take_new().last().unwrap().options().to_vec()
}

fn chooses(option: &ReplyOption) -> Inbound {
    Inbound::choice(Channel::WhatsApp, SHOP, ADA, &option.payload, &option.label)
}

// --- I1: the order
// -------------------------------------------------------------------------------------------------

/// I1
#[test]
fn a_waiting_session_gets_a_message_before_any_trigger() {
    let world = World::with([question("q"), on("menu", "exact", "menu"), on("any", "any", "")]);
    let session = world.start("q").session_id;
    assert_eq!(world.say("menu"), consumed(session));
    assert_eq!(world.sent(), ["How are you?", "menu!"]);
}

/// I1, I4: a rule may go before an answer; the question stays and takes the next message.
#[test]
fn a_rule_that_interrupts_comes_before_an_answer() {
    let rule = |word: &str| json!([{"match": "exact", "text": word, "interrupt": true}]);
    let order = flow("order").on(rule("order")).send("hi", "Which?").wait("w").send("ok", "Ordered");
    let off =
        flow("off").node("ask", "ask", json!({"text": "Anything else?", "keywords": "off", "save_to": "a"}));
    let yes = json!([{"id": "order", "label": "Order"}, {"id": "no", "label": "No"}]);
    let offers = flow("offers").node("ask", "ask", json!({"text": "What?", "choices": yes, "save_to": "a"}));
    let world = World::with([question("q"), order, off.send("end", "x"), offers.send("end", "x")]);
    let waits = world.start("q").session_id;
    let Received::Started { session } = world.say("Order!") else { panic!("it was not started") };
    assert_eq!(world.say("Order!"), consumed(session), "it runs already");
    assert_eq!(world.state(waits), Status::Waiting);
    assert_eq!(world.say("fine"), consumed(waits));
    for asks in ["off", "offers"] {
        let asked = world.start(asks).session_id;
        assert_eq!(world.say("order"), consumed(asked), "{asks}");
    }
}

/// I1
#[test]
fn a_trigger_by_rule_comes_before_the_queue_of_a_session_in_a_call() {
    let world = World::with([
        flow("f").node("call", "function", json!({"function": "ask"})),
        on("menu", "contains", "menu"),
    ]);
    world.start("f");
    assert!(matches!(world.say("the menu"), Received::Started { .. }));
    assert_eq!(world.sent(), ["menu"]);
}

/// I1
#[test]
fn the_queue_comes_before_triggers_without_words() {
    for how in ["first_contact", "any", "fallback"] {
        let world =
            World::with([flow("f").node("call", "function", json!({"function": "ask"})), on("t", how, "")]);
        let session = world.start("f").session_id;
        assert_eq!(world.say("hello"), Received::Queued { session });
        assert_eq!(world.sent(), [""; 0]);
    }
}

/// I1
#[test]
fn a_delay_keeps_messages_only_if_it_ends_within_a_minute() {
    let world = World::with([flow("f").delay("rest", "2m").wait("wait").send("got", "{{reply.text}}")]);
    let session = world.start("f").session_id;
    world.pass(minutes(1) - A_MOMENT);
    assert_eq!(world.say("early"), Received::Unmatched);
    world.pass(A_MOMENT);
    assert_eq!(world.say("late"), Received::Queued { session });
    world.tick_after(minutes(1));
    assert_eq!(world.sent(), ["late"]);
}

/// I1
#[test]
fn a_message_that_nobody_wants_is_unmatched() {
    let world = World::with([question("q"), on("menu", "exact", "menu")]);
    assert_eq!(world.say("hello"), Received::Unmatched);
    world.start("q");
    world.say("Fine");
    assert_eq!(world.say("hello"), Received::Unmatched);
}

// --- I2: redelivery
// -------------------------------------------------------------------------------------------------

/// I2
#[test]
fn a_redelivery_answers_what_the_message_came_to_and_changes_nothing() {
    let world = World::with([question("q").wait("again").send("end", "{{reply.text}}?")]);
    let session = world.start("q").session_id;
    assert_eq!(world.receive(says("Fine").id("m1")), consumed(session));
    let before = world.session(session);
    world.pass(minutes(1));
    assert_eq!(
        world.receive(says("Fine").id("m1")),
        Received::Duplicate { first: Box::new(consumed(session)) }
    );
    assert_eq!(world.session(session), before);
    assert_eq!(world.sent(), ["How are you?", "Fine!"]);
}

/// I2
#[test]
fn a_redelivery_is_recognised_before_what_is_due_is_applied() {
    let world = World::with([question("q")]);
    let session = world.start("q").session_id;
    world.receive(says("Fine").id("m1"));
    let second = world.start("q").session_id;
    world.pass(days(1));
    assert_eq!(
        world.receive(says("Fine").id("m1")),
        Received::Duplicate { first: Box::new(consumed(session)) }
    );
    assert_eq!(world.state(second), Status::Waiting);
}

/// I2
#[test]
fn each_verdict_is_remembered() {
    let world = World::with([on("t", "exact", "go").send("more", "More")]);
    let Received::Started { session } = world.receive(says("go").id("m1")) else { panic!() };
    assert_eq!(world.receive(says("what").id("m2")), Received::Unmatched);
    let again = |id: &str| world.receive(says("x").id(id));
    assert_eq!(again("m1"), Received::Duplicate { first: Box::new(Received::Started { session }) });
    assert_eq!(again("m2"), Received::Duplicate { first: Box::new(Received::Unmatched) });
}

/// I2
#[test]
fn message_ids_are_one_channels_and_one_accounts() {
    let world = World::with([question("q").wait("again")]);
    world.start("q");
    world.receive(says("Fine").id("m1"));
    let elsewhere = |channel, account| Inbound::text(channel, account, ADA, "Fine").id("m1");
    assert_eq!(world.receive(elsewhere(Channel::WhatsApp, OTHER)), Received::Unmatched);
    assert_eq!(world.receive(elsewhere(Channel::Sms, SHOP)), Received::Unmatched);
}

/// I2
#[test]
fn a_message_without_an_id_is_never_a_duplicate() {
    let world = World::with([question("q").wait("again").send("end", "{{reply.text}}?")]);
    let session = world.start("q").session_id;
    assert_eq!([world.say("Fine"), world.say("Fine")], [consumed(session), consumed(session)]);
    assert_eq!(world.sent(), ["How are you?", "Fine!", "Fine?"]);
}

/// I2
#[test]
fn the_last_64_message_ids_are_remembered() {
    let world = World::with([on("t", "exact", "go")]);
    for number in 0..65 {
        world.receive(says("go").id(format!("m{number}")));
    }
    assert!(matches!(world.receive(says("go").id("m1")), Received::Duplicate { .. }));
    assert!(matches!(world.receive(says("go").id("m0")), Received::Started { .. }));
}

/// I2
#[test]
fn message_ids_are_remembered_for_7_days() {
    let world = World::with([on("t", "exact", "go")]);
    world.receive(says("go").id("m1"));
    world.tick_after(days(7));
    assert!(matches!(world.receive(says("go").id("m1")), Received::Duplicate { .. }));
    world.tick_after(A_MOMENT);
    assert!(matches!(world.receive(says("go").id("m1")), Received::Started { .. }));
}

/// I2
#[test]
fn an_unmatched_message_from_an_unknown_address_stores_nothing() {
    let world = World::with([on("menu", "exact", "menu")]);
    assert_eq!(world.receive(says("hello").id("m1").contact_id("ada")), Received::Unmatched);
    assert!(block_on(world.bot.contact(&contact_id("ada"))).unwrap().is_none());
    assert_eq!(world.receive(says("hello").id("m1")), Received::Unmatched);
}

// --- I3: several waiting sessions
// -------------------------------------------------------------------------------------------------

/// I3
#[test]
fn the_newest_wait_takes_a_message_and_nobody_else_does() {
    let world = World::with([question("q"), question("r").send("r2", "r")]);
    let q = world.start("q").session_id;
    world.pass(seconds(1));
    let r = world.start("r").session_id;
    assert_eq!(world.say("one"), consumed(r));
    assert_eq!([world.state(q), world.state(r)], [Status::Waiting, Status::Completed]);
    assert_eq!(world.say("two"), consumed(q));
}

/// I3
#[test]
fn of_waits_of_one_instant_the_session_that_started_last_takes_the_message() {
    let world = World::with([question("q"), question("r")]);
    world.start("q");
    let r = world.start("r").session_id;
    assert_eq!(world.say("one"), consumed(r));
}

/// I3
#[test]
fn the_session_that_offered_an_option_takes_it_before_a_newer_wait() {
    let world = World::with([choice("q"), question("r")]);
    let q = world.start("q").session_id;
    let offered = options(&world);
    world.pass(seconds(1));
    let r = world.start("r").session_id;
    assert_eq!(world.receive(chooses(&offered[0])), consumed(q));
    assert_eq!([world.state(q), world.state(r)], [Status::Completed, Status::Waiting]);
}

/// I3
#[test]
fn a_wait_takes_messages_of_the_channel_and_account_it_asked_on() {
    let world = World::with([question("q")]);
    let session = world.start("q").session_id;
    for (channel, account) in [(Channel::WhatsApp, OTHER), (Channel::Sms, SHOP)] {
        assert_eq!(world.receive(Inbound::text(channel, account, ADA, "Fine")), Received::Unmatched);
    }
    assert_eq!(world.say("Fine"), consumed(session));
}

/// I3, D4
#[test]
fn a_wait_for_any_channel_takes_all_and_the_session_goes_on_there() {
    let world = World::with([flow("q")
        .send("ask", "?")
        .node("wait", "wait_reply", json!({"any_channel": true}))
        .send("bye", "!")]);
    let session = world.start("q").session_id;
    assert_eq!(world.receive(Inbound::text(Channel::Sms, OTHER, ADA, "Fine")), consumed(session));
    let accounts: Vec<String> =
        world.channel.take_new().iter().map(|message| message.account().to_string()).collect();
    assert_eq!(accounts, [format!("whatsapp:{SHOP}"), format!("sms:{OTHER}")]);
}

/// I3, N3
#[test]
fn a_wait_takes_only_the_kinds_it_accepts() {
    let world = World::with([flow("q")
        .send("ask", "?")
        .node("wait", "wait_reply", json!({"accept": ["location"]}))
        .send("bye", "{{reply.location.latitude}}")]);
    let session = world.start("q").session_id;
    assert_eq!(world.say("Fine"), Received::Unmatched);
    let here = Inbound::location(Channel::WhatsApp, SHOP, ADA, json!({"latitude": 52.5}));
    assert_eq!(world.receive(here), consumed(session));
    assert_eq!(world.sent(), ["?", "52.5"]);
}

// --- I4: triggers
// -------------------------------------------------------------------------------------------------

/// I4
#[test]
fn rules_compare_trimmed_and_case_folded() {
    let cases = [
        ("exact", "Straße", "  STRASSE ", true),
        ("exact", "menu", "menus", false),
        ("starts_with", "order", "ORDER 66", true),
        ("starts_with", "order", "my order", false),
        ("contains", "σίσυφος", "ο ΣΊΣΥΦΟΣ!", true),
        ("contains", "menu", "men u", false),
        ("regex", "^#\\d+$", " #42 ", true),
        ("regex", "^#\\d+$", "#x", false),
        ("payload", "BUY", "BUY", false),
    ];
    for (how, rule, text, matches) in cases {
        let world = World::with([on("t", how, rule)]);
        assert_eq!(matches!(world.say(text), Received::Started { .. }), matches, "{how} {rule} {text}");
    }
}

/// I4
#[test]
fn the_closest_rule_starts_its_flow() {
    let all = [
        ("f1", "payload", "go"),
        ("f2", "exact", "go"),
        ("f3", "starts_with", "g"),
        ("f4", "regex", "^g.$"),
        ("f5", "contains", "o"),
        ("f6", "first_contact", ""),
        ("f7", "any", ""),
        ("f8", "fallback", ""),
    ];
    // Codes run against the ranks, so that order by code would be seen.
    for first in 0..all.len() {
        let flows = all[first..].iter().map(|(code, how, text)| on(&code.replace('f', "z"), how, text));
        let reversed: Vec<Sketch> =
            flows.rev().enumerate().map(|(place, sketch)| sketch.coded(&format!("a{place}"))).collect();
        let world = World::with(reversed);
        world.receive(Inbound::choice(Channel::WhatsApp, SHOP, ADA, "go", "go"));
        assert_eq!(world.sent(), [all[first].0.replace('f', "z")]);
    }
}

/// I4
#[test]
fn a_higher_priority_goes_before_a_closer_rule() {
    let world = World::with([
        on("close", "exact", "go"),
        on("high", "any", "").trigger("priority", json!(1)),
        on("low", "exact", "go").trigger("priority", json!(-1)),
    ]);
    world.say("go");
    assert_eq!(world.sent(), ["high"]);
}

/// I4
#[test]
fn of_equals_the_first_flow_id_starts() {
    let world = World::with([on("b", "exact", "go"), on("a", "exact", "go"), on("c", "exact", "go")]);
    world.say("go");
    assert_eq!(world.sent(), ["a"]);
}

/// I4
#[test]
fn messages_start_only_flows_that_are_bound_to_their_account() {
    let world = World::with([on("any", "any", "")]);
    assert_eq!(world.receive(Inbound::text(Channel::WhatsApp, OTHER, ADA, "go")), Received::Unmatched);
    assert_eq!(world.receive(Inbound::text(Channel::Sms, SHOP, ADA, "go")), Received::Unmatched);
    assert!(matches!(world.say("go"), Received::Started { .. }));
}

/// I4
#[test]
fn the_first_contact_is_the_first_message_and_no_trigger_by_call() {
    let world = World::with([flow("f").send("s", "call"), on("first", "first_contact", "")]);
    world.start("f");
    assert!(matches!(world.say("one"), Received::Started { .. }));
    assert_eq!(world.say("two"), Received::Unmatched);
    assert_eq!(world.sent(), ["call", "first"]);
}

/// I4
#[test]
fn the_message_that_starts_a_flow_answers_its_first_wait() {
    let world = World::with([flow("t")
        .on(json!([{"match": "any"}]))
        .wait("one")
        .send("got", "1 {{reply.text}}")
        .wait("two")
        .send("end", "2 {{reply.text}}")]);
    let Received::Started { session } = world.say("go") else { panic!() };
    assert_eq!(world.sent(), ["1 go"]);
    assert_eq!(world.say("on"), consumed(session));
    assert_eq!(world.sent(), ["2 on"]);
}

/// I4
#[test]
fn the_message_that_starts_a_flow_answers_no_wait_after_something_was_sent() {
    let world = World::with([flow("t")
        .on(json!([{"match": "any"}]))
        .send("hi", "Hi {{reply.text}}")
        .wait("one")
        .send("end", "{{reply.text}} {{reply.missed | length}}")]);
    let Received::Started { session } = world.say("go") else { panic!() };
    assert_eq!(world.place(session), ("one".to_owned(), Status::Waiting));
    world.say("on");
    assert_eq!(world.sent(), ["Hi go", "on 0"]);
    assert_eq!(world.notes(), []);
}

/// I4
#[test]
fn a_flow_for_campaigns_starts_only_with_contacts_that_one_reached_in_7_days() {
    let world = World::with([
        flow("out").send("s", "Sale"),
        on("in", "any", "").trigger("campaign", json!("required")),
    ]);
    assert_eq!(world.say("yes"), Received::Unmatched);
    world.start("out");
    assert_eq!(world.say("yes"), Received::Unmatched);
    world.begin(ada("out").campaign("spring"));
    world.pass(days(7));
    assert!(matches!(world.say("yes"), Received::Started { .. }));
    world.pass(A_MOMENT);
    assert_eq!(world.say("yes"), Received::Unmatched);
}

// --- I5: the queue
// -------------------------------------------------------------------------------------------------

/// I5
#[test]
fn a_queued_message_answers_the_next_wait_if_nothing_was_sent_since() {
    let world = World::with([flow("f")
        .send("s", "Wait…")
        .delay("rest", "30s")
        .wait("wait")
        .send("got", "{{reply.text}}")]);
    let session = world.start("f").session_id;
    assert_eq!(world.say("early"), Received::Queued { session });
    world.tick_after(seconds(30));
    assert_eq!(world.sent(), ["Wait…", "early"]);
    assert_eq!(world.state(session), Status::Completed);
}

/// I5
#[test]
fn a_queued_message_is_missed_once_something_was_sent() {
    let world = World::with([flow("f")
        .delay("rest", "30s")
        .send("s", "Now?")
        .wait("wait")
        .send("got", "{{reply.text}} after {{reply.missed | join(', ')}}")]);
    let session = world.start("f").session_id;
    assert_eq!(
        [world.say("one"), world.say("two")],
        [Received::Queued { session }, Received::Queued { session }]
    );
    world.tick_after(seconds(30));
    assert_eq!(world.notes(), [EventKind::Missed { session }, EventKind::Missed { session }]);
    world.say("now");
    assert_eq!(world.sent(), ["Now?", "now after one, two"]);
}

/// I5
#[test]
fn queued_messages_answer_one_wait_each() {
    let world =
        World::with([flow("f").delay("rest", "30s").wait("one").wait("two").send("got", "{{reply.text}}")]);
    world.start("f");
    world.say("first");
    world.say("second");
    world.tick_after(seconds(30));
    assert_eq!(world.sent(), ["second"]);
}

/// I5
#[test]
fn the_ninth_queued_message_finds_the_inbox_full() {
    let world = World::with([flow("f").delay("rest", "30s").wait("wait")]);
    let session = world.start("f").session_id;
    let verdicts: Vec<Received> = (0..9).map(|number| world.say(&number.to_string())).collect();
    let mut expected = vec![Received::Queued { session }; 8];
    expected.push(Received::InboxFull);
    assert_eq!(verdicts, expected);
}

/// I5
#[test]
fn a_message_that_is_queued_during_a_call_answers_the_wait_after_it() {
    let world = World::with([flow("f")
        .node("call", "function", json!({"function": "ask"}))
        .wait("wait")
        .send("got", "{{reply.text}}")]);
    let session = world.start("f").session_id;
    assert_eq!(world.say("early"), Received::Queued { session });
    world.answer_calls([Ok(Answer::now(1))]);
    world.tick();
    assert_eq!(world.sent(), ["early"]);
}

// --- I7, I8
// -------------------------------------------------------------------------------------------------

/// I7
#[test]
fn a_reply_after_expiry_goes_to_the_triggers() {
    let world = World::with([question("q"), on("any", "any", "")]);
    let session = world.start("q").session_id;
    world.pass(minutes(30));
    assert!(matches!(world.say("Fine"), Received::Started { .. }));
    assert_eq!(world.state(session), Status::Expired);
    assert_eq!(world.sent(), ["How are you?", "any"]);
}

/// I8
#[test]
fn messages_at_the_same_moment_are_taken_one_after_the_other() {
    let sketch = (0..8).fold(flow("f").send("s", "Go"), |sketch, number| sketch.wait(&format!("w{number}")));
    let world = World::with([sketch.send("end", "Done")]);
    let session = world.start("f").session_id;
    let verdicts: Vec<Received> = thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| world.say("x"))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(verdicts, vec![consumed(session); 8]);
    world.tick_after(minutes(2));
    assert_eq!(world.sent(), ["Go", "Done"]);
}

// --- I9: stale choices
// -------------------------------------------------------------------------------------------------

/// I9
#[test]
fn a_choice_is_read_as_its_authors_id() {
    let world = World::with([choice("q")]);
    let session = world.start("q").session_id;
    let offered = options(&world);
    assert!(offered.iter().all(|option| option.payload.len() <= 200));
    assert_eq!(world.receive(chooses(&offered[1])), consumed(session));
    assert_eq!(world.sent(), ["no/choice/No"]);
}

/// I9
#[test]
fn a_choice_from_an_earlier_wait_is_stale() {
    let world = World::with([choice("q").wait("second").send("end", "{{reply.text}}")]);
    let session = world.start("q").session_id;
    let offered = options(&world);
    world.receive(chooses(&offered[0]));
    let before = world.session(session);
    world.pass(minutes(1));
    assert_eq!(world.receive(chooses(&offered[1])), Received::StaleChoice);
    assert_eq!(world.session(session), before);
    assert_eq!(world.notes(), [EventKind::StaleChoice { session }]);
}

/// I9
#[test]
fn a_choice_from_an_ended_session_goes_to_the_triggers() {
    let world = World::with([choice("q"), on("again", "exact", "yes")]);
    world.start("q");
    let offered = options(&world);
    world.say("whatever");
    assert!(matches!(world.receive(chooses(&offered[0])), Received::Started { .. }));
    assert_eq!(world.receive(chooses(&offered[1])), Received::Unmatched);
}

/// I9
#[test]
fn a_choice_from_an_ended_session_answers_no_other_sessions_question() {
    let world = World::with([choice("q"), question("r")]);
    world.start("q");
    let offered = options(&world);
    world.say("whatever");
    let other = world.start("r").session_id;
    assert_eq!(world.receive(chooses(&offered[0])), Received::Unmatched);
    assert_eq!(world.state(other), Status::Waiting);
}

/// I9
#[test]
fn a_choice_from_an_ended_session_is_no_foreign_payload() {
    let world = World::with([choice("q"), on("t", "payload", "yes")]);
    world.start("q");
    let offered = options(&world);
    world.say("whatever");
    assert_eq!(world.receive(chooses(&offered[0])), Received::Unmatched);
    let foreign = Inbound::choice(Channel::WhatsApp, SHOP, ADA, "yes", "Yes");
    assert!(matches!(world.receive(foreign), Received::Started { .. }));
}

/// I9
#[test]
fn a_foreign_payload_answers_the_present_question() {
    let world = World::with([choice("q")]);
    let session = world.start("q").session_id;
    let _ = world.sent();
    let foreign = Inbound::choice(Channel::WhatsApp, SHOP, ADA, "BUY", "Buy");
    assert_eq!(world.receive(foreign), consumed(session));
    assert_eq!(world.sent(), ["BUY/choice/Buy"]);
}

// --- I12: old messages
// -------------------------------------------------------------------------------------------------

/// I12
#[test]
fn a_message_older_than_24_hours_starts_nothing_and_answers_nothing() {
    let world = World::with([question("q"), on("any", "any", "")]);
    let old = || says("x").timestamp(world.now() - hours(24) - A_MOMENT);
    assert_eq!(world.receive(old()), Received::TooOld);
    let session = world.start("q").session_id;
    assert_eq!(world.receive(old()), Received::TooOld);
    assert_eq!(world.state(session), Status::Waiting);
    let _ = block_on(world.bot.cancel(session)).unwrap();
    assert!(matches!(world.receive(says("x").timestamp(world.now() - hours(24))), Received::Started { .. }));
}

/// I12
#[test]
fn a_flow_may_want_younger_messages() {
    let world = World::with([
        on("strict", "exact", "go")
            .set("max_message_age", json!("5m"))
            .wait("wait")
            .send("end", "{{reply.text}}"),
        on("patient", "any", ""),
    ]);
    let old = |text, age| world.receive(says(text).timestamp(world.now() - age));
    assert_eq!(old("go", minutes(5) + A_MOMENT), Received::TooOld);
    assert!(matches!(old("other", hours(1)), Received::Started { .. }));
    let Received::Started { session } = old("go", minutes(5)) else { panic!() };
    world.pass(minutes(5));
    assert_eq!(old("late", minutes(5) + A_MOMENT), Received::TooOld);
    assert_eq!(old("now", minutes(5)), consumed(session));
    assert_eq!(world.sent(), ["patient", "strict", "now"]);
}

/// I12
#[test]
fn a_message_that_is_a_minute_older_than_the_wait_does_not_answer_it() {
    let world = World::with([question("q"), on("any", "any", "")]);
    let session = world.start("q").session_id;
    let asked = world.now();
    world.pass(minutes(5));
    let sent_at = |at| world.receive(says("x").timestamp(at));
    assert_eq!(sent_at(asked - seconds(60) - A_MOMENT), Received::TooOld);
    assert_eq!(sent_at(asked - seconds(60)), consumed(session));
}

/// I12
#[test]
fn an_instant_that_has_no_text_form_is_refused() {
    let world = World::new();
    for at in [chrono::DateTime::<chrono::Utc>::MIN_UTC, chrono::DateTime::<chrono::Utc>::MAX_UTC] {
        assert_eq!(
            told(world.try_receive(says("x").timestamp(at))),
            ("invalid_input", "`timestamp` must be between 1970 and 9999".to_owned())
        );
    }
}

// --- T2, T10, S7
// -------------------------------------------------------------------------------------------------

/// T10
#[test]
fn a_contact_that_a_message_makes_has_not_opted_in() {
    let world = World::with([on("any", "any", ""), flow("f")]);
    let Received::Started { session } = world.say("hello") else { panic!() };
    let records = world.sessions(SessionFilter::all());
    assert_eq!(records[0].session().id(), session);
    let written = world.contact(records[0].contact());
    assert_eq!((written.opted_in_at, written.opted_out_at), (None, None));
    let called = world.begin(TriggerRequest::new("f").phone(BOB)).contact_id;
    assert_eq!(world.contact(&called).opted_in_at, Some(world.now()));
}

/// S7
#[test]
fn a_message_starts_nothing_with_a_contact_that_has_as_many_sessions_as_are_allowed() {
    let world = World::built(|builder| builder.limits(Limits { live_sessions: 1, ..Limits::default() }));
    world.publish([flow("f").delay("rest", "1h"), on("any", "any", "")]);
    let session = world.start("f").session_id;
    assert_eq!(world.say("x"), Received::Unmatched);
    let _ = block_on(world.bot.cancel(session)).unwrap();
    assert!(matches!(world.say("x"), Received::Started { .. }));
}

/// S7
#[test]
fn a_text_has_at_most_16_kib() {
    let world = World::with([question("q").wait("more")]);
    let session = world.start("q").session_id;
    assert_eq!(world.say(&"x".repeat(16 << 10)), consumed(session));
    assert_eq!(
        told(world.try_receive(says(&"x".repeat((16 << 10) + 1)))),
        ("invalid_input", "`text` must have at most 16384 bytes".to_owned())
    );
}

/// S7
#[test]
fn what_is_too_large_can_be_cut() {
    let world = World::with([question("q").wait("more").wait("last")]);
    let (session, limits) = (world.start("q").session_id, Limits::default());
    for (text, bytes) in
        [("x".repeat(65_536), 16_384), ("\u{6d41}".repeat(65_536), 16_383), ("😀".repeat(6_000), 16_384)]
    {
        let cut = says(&text).meta(json!({"ad": 1})).cut_to(&limits).to_json();
        let kept = cut["text"].as_str().unwrap();
        assert_eq!((kept.len(), text.starts_with(kept)), (bytes, true));
        assert_eq!(cut["meta"], json!({"ad": 1, "cut": true}));
    }
    let whole = says(&"x".repeat(16 << 10)).id("m1");
    assert_eq!(whole.clone().cut_to(&limits).to_json(), whole.to_json(), "what fits stays as it is");
    assert_eq!(world.receive(says(&"x".repeat(65_536)).cut_to(&limits)), consumed(session));

    let large = json!("n".repeat(65 << 10));
    let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
    for value in [large, deep] {
        let cards = Inbound::contacts(Channel::WhatsApp, SHOP, ADA, value.clone()).caption("my friends");
        assert_eq!(told(world.try_receive(cards.clone())).0, "invalid_input");
        let cut = cards.cut_to(&limits);
        let shown = cut.to_json();
        assert_eq!((&shown["kind"], &shown["body"]), (&json!("other"), &json!({"kind": "contacts"})));
        assert_eq!((&shown["text"], &shown["meta"]), (&json!("my friends"), &json!({"cut": true})));
        assert_eq!(world.receive(cut), Received::Unmatched, "it is not the answer");
        let facts = says("fine").meta(json!({"referral": value})).cut_to(&limits).to_json();
        assert_eq!((&facts["text"], &facts["meta"]), (&json!("fine"), &json!({"cut": true})));
    }
}

/// S7
#[test]
fn ids_addresses_and_accounts_of_messages_have_1_to_256_bytes_without_control_characters() {
    let world = World::with([question("q")]);
    let web = |account: &str, from: &str| Inbound::text(Channel::Web, account, from, "x");
    let long = "n".repeat(256);
    assert_eq!(world.receive(web(&long, &long).id(&long).contact_id(&long)), Received::Unmatched);
    for (text, rule) in [
        ("n".repeat(257), "must have at most 256 bytes"),
        (String::new(), "must not be empty"),
        ("a\u{7}".to_owned(), "must not contain control characters"),
    ] {
        for (field, inbound) in [
            ("account", web(&text, "x")),
            ("from", web("x", &text)),
            ("id", web("x", "x").id(&text)),
            ("contact_id", web("x", "x").contact_id(&text)),
        ] {
            assert_eq!(told(world.try_receive(inbound)), ("invalid_input", format!("`{field}` {rule}")));
        }
    }
}

/// I5
#[test]
fn a_queued_message_is_missed_when_its_session_ends_without_a_question() {
    let world = World::with([flow("f").delay("pause", "30s").send("bye", "bye")]);
    let session = world.start("f").session_id;
    assert_eq!(world.say("wait"), Received::Queued { session });
    world.tick_after(seconds(30));
    assert_eq!(world.notes(), [EventKind::Missed { session }]);
}

/// T4, I4
#[test]
fn a_message_starts_a_flow_with_its_inputs_defaults_though_one_is_missing() {
    let inputs = json!([{"name": "a", "default": "A"}, {"name": "b", "required": true}, {"name": "c", "default": "C"}]);
    let world = World::with([on("f", "any", "").start("inputs", inputs).send("got", "{{a}}{{b}}{{c}}")]);
    world.say("x");
    assert_eq!(world.sent().last().unwrap(), "AC");
}
