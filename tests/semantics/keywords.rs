//! Words that act at any point of a talk: I1 (order), I6, I9, I12, T10, S5.

use chatflow::flow::{KeywordAction, Keywords};
use chatflow::id::{FlowVersion, NodeId};
use chatflow::ops::SessionFilter;
use chatflow::session::EndReason;
use chatflow::{Channel, Inbound, Received, Refusal, Status, Triggered};
use pollster::block_on;
use serde_json::{Value, json};

use crate::kit::*;

fn keyword(action: KeywordAction) -> Received {
    Received::Keyword { action }
}

/// A question, with these keywords.
fn asking(code: &str, keywords: Value) -> Sketch {
    question(code).set("keywords", keywords)
}

fn word(word: &str, action: &str) -> Value {
    json!([{"words": [word], "action": action}])
}

/// A question with a menu beside it.
fn with_menu(code: &str) -> Sketch {
    question(code)
        .set("keywords", json!([{"words": ["menu"], "action": "jump", "node": "menu"}]))
        .apart("menu", "send_message", json!({"text": "Menu"}))
        .wait("pick")
        .send("picked", "{{reply.text}} picked")
}

fn ended(world: &World, session: chatflow::SessionId) -> (Status, Option<EndReason>) {
    let session = world.session(session);
    (session.status(), session.ended_by())
}

// --- opting out
// -------------------------------------------------------------------------------------------------

/// I6, T10
#[test]
fn stop_ends_all_sessions_and_start_takes_it_back() {
    let world = World::with([question("a"), question("b")]);
    let (a, b) = (world.start("a"), world.start("b"));
    assert_eq!(world.say("  STOP\n"), keyword(KeywordAction::OptOut));
    for session in [a.session_id, b.session_id] {
        assert_eq!(ended(&world, session), (Status::Cancelled, Some(EndReason::OptedOut)));
    }
    assert_eq!(world.contact(&a.contact_id).opted_out_at, Some(world.now()));
    assert_eq!(world.trigger(ada("a")), Triggered::Refused(Refusal::OptedOut));
    assert_eq!(world.say("start"), keyword(KeywordAction::OptIn));
    assert_eq!(world.contact(&a.contact_id).opted_out_at, None);
    world.start("a");
}

/// I6: a word is a whole message, and a text.
#[test]
fn a_word_within_a_text_or_on_a_button_is_no_keyword() {
    for message in [
        says("stop it"),
        says("stop, thief"),
        Inbound::choice(Channel::WhatsApp, SHOP, ADA, "x", "stop"),
        Inbound::media(Channel::WhatsApp, SHOP, ADA, json!({})).caption("stop"),
    ] {
        let world = World::with([question("q")]);
        let session = world.start("q").session_id;
        assert_eq!(world.receive(message), Received::Consumed { session });
    }
}

/// I6
#[test]
fn start_is_a_word_like_any_other_to_who_did_not_opt_out() {
    let world = World::with([question("q")]);
    let session = world.start("q").session_id;
    assert_eq!(world.say("start"), Received::Consumed { session });
}

/// T10: an opt-out is heard, of a known contact or not.
#[test]
fn a_stranger_can_opt_out() {
    let world = World::with([question("q")]);
    assert_eq!(world.say("stop"), keyword(KeywordAction::OptOut));
    assert_eq!(world.trigger(ada("q")), Triggered::Refused(Refusal::OptedOut));
    let world = World::with([question("q")]);
    assert_eq!(world.say("start"), Received::Unmatched);
    world.start("q");
}

/// I2
#[test]
fn a_redelivered_keyword_acts_once() {
    let world = World::with([asking("q", word("again", "restart"))]);
    world.start("q");
    assert_eq!(world.receive(says("again").id("m1")), keyword(KeywordAction::Restart));
    let first = Box::new(keyword(KeywordAction::Restart));
    assert_eq!(world.receive(says("again").id("m1")), Received::Duplicate { first });
    assert_eq!(world.sessions(SessionFilter::all()).len(), 2);
}

/// I12: of opting out no message is too old.
#[test]
fn an_old_stop_still_counts_and_an_old_menu_does_not() {
    let world = World::with([with_menu("q")]);
    world.start("q");
    let old = |text: &str, age| says(text).timestamp(world.now() - age);
    assert_eq!(world.receive(old("menu", days(2))), Received::TooOld);
    assert_eq!(world.receive(old("menu", minutes(2))), Received::TooOld);
    assert_eq!(world.receive(old("menu", seconds(30))), keyword(KeywordAction::Jump));
    assert_eq!(world.receive(old("stop", days(2))), keyword(KeywordAction::OptOut));
}

/// I1, T10: a flow that the very word starts may answer it, and says no more of itself.
#[test]
fn a_flow_that_is_started_by_the_word_confirms_it() {
    let bye = flow("bye").on(json!([{"match": "exact", "text": "stop"}])).send("bye", "Bye.");
    let contains = flow("near").on(json!([{"match": "contains", "text": "stop"}])).send("near", "Near.");
    let world = World::with([
        question("q"),
        bye.wait_for("wait", "1m").edge("wait", "timeout", "again").apart(
            "again",
            "send_message",
            json!({"text": "Really?"}),
        ),
        contains,
    ]);
    world.start("q");
    world.sent();
    assert_eq!(world.say("stop"), keyword(KeywordAction::OptOut));
    assert_eq!(world.sent(), ["Bye."]);
    world.tick_after(minutes(2));
    assert_eq!(world.sent(), [""; 0], "time writes nothing to who opted out");
}

/// T10: what an opted-out contact asks for is answered.
#[test]
fn who_opted_out_is_answered_when_they_write() {
    let menu = flow("menu").on(json!([{"match": "exact", "text": "menu"}])).send("hi", "1 or 2?").wait("w");
    let world = World::with([menu.send("got", "{{reply.text}}")]);
    world.say("stop");
    world.say("menu");
    world.say("2");
    assert_eq!(world.sent(), ["1 or 2?", "2"]);
}

/// I6: the words are the host's to choose.
#[test]
fn a_host_chooses_its_words() {
    let keywords = Keywords::none().opt_out(["Baja", "стоп"]).opt_in(["alta"]);
    let world = World::built(|builder| builder.keywords(keywords));
    world.publish([question("q")]);
    let session = world.start("q").session_id;
    assert_eq!(world.say("stop"), Received::Consumed { session });
    world.start("q");
    assert_eq!(world.say("СТОП"), keyword(KeywordAction::OptOut));
    assert_eq!(world.say("ALTA"), keyword(KeywordAction::OptIn));
    assert_eq!(world.say("baja"), keyword(KeywordAction::OptOut));
}

/// I6: opting out goes before a flow's own meaning of the word, at any question.
#[test]
fn no_flow_takes_a_word_of_opting_out_away() {
    for (settings, said) in [(word("stop", "cancel"), "stop"), (word("bye", "opt_out"), "bye")] {
        let world = World::with([flow("q")
            .set("keywords", settings)
            .node("wait", "wait_reply", json!({"keywords": "off"}))
            .send("got", "{{reply.text}}")]);
        let session = world.start("q");
        assert_eq!(world.say(said), keyword(KeywordAction::OptOut));
        assert_eq!(ended(&world, session.session_id).1, Some(EndReason::OptedOut));
        assert!(world.contact(&session.contact_id).opted_out_at.is_some());
    }
}

// --- a flow's keywords
// -------------------------------------------------------------------------------------------------

/// I6
#[test]
fn cancel_ends_the_session_and_drops_what_it_has_not_sent() {
    let world = World::built(|builder| builder.deferred_delivery());
    world.publish([asking("q", word("quit", "cancel"))]);
    let session = world.start("q").session_id;
    assert_eq!(world.say("quit"), keyword(KeywordAction::Cancel));
    assert_eq!(ended(&world, session), (Status::Cancelled, Some(EndReason::Keyword)));
    world.tick();
    assert_eq!(world.sent(), [""; 0]);
}

/// I6, S5
#[test]
fn restart_begins_anew_with_the_same_context_on_the_version_that_is_online() {
    let old = flow("q").set("keywords", word("again", "restart")).send("hi", "Old {{context.x}}").wait("w");
    let new = flow("q").set("keywords", word("again", "restart")).send("hi", "New {{context.x}}").wait("w");
    let world = World::with([old]);
    let first = world.begin(ada("q").context(json!({"x": 1})).uuid("u1"));
    world.publish([new]);
    assert_eq!(world.say("again"), keyword(KeywordAction::Restart));
    assert_eq!(world.sent(), ["Old 1", "New 1"]);
    assert_eq!(ended(&world, first.session_id), (Status::Cancelled, Some(EndReason::Keyword)));
    let live = world.sessions(SessionFilter::all().live());
    assert_eq!(live.len(), 1);
    assert_eq!(live[0].session().version(), FlowVersion(2));
    assert!(live[0].session().origin().is_none_or(|origin| origin.uuid.is_none()));
}

/// I6, S5: without an online version, or with one that wants other inputs, it begins on its own.
#[test]
fn restart_stays_on_its_version_when_the_online_one_does_not_fit() {
    let asks = |input: Value| {
        flow("q").set("keywords", word("again", "restart")).start("inputs", input).send("hi", "Hi").wait("w")
    };
    let world = World::with([asks(json!([]))]);
    world.start("q");
    world.publish([asks(json!([{"name": "y", "required": true}]))]);
    world.say("again");
    let version = || world.sessions(SessionFilter::all().live())[0].session().version();
    assert_eq!(version(), FlowVersion(1));
    block_on(world.flows().unpublish(&id("q"), chatflow::ops::Unpublish::Drain)).unwrap();
    assert_eq!(world.say("again"), keyword(KeywordAction::Restart));
    assert_eq!((version(), world.sent().len()), (FlowVersion(1), 3));
}

/// I6, I9
#[test]
fn jump_leaves_any_wait_and_makes_its_choices_stale() {
    let options = json!([{"id": "yes", "label": "Yes"}]);
    let with_menu = |stand: Sketch| {
        stand
            .set("keywords", json!([{"words": ["menu"], "action": "jump", "node": "menu"}]))
            .apart("menu", "send_message", json!({"text": "Menu"}))
            .wait("pick")
            .send("picked", "{{reply.text}} picked")
    };
    let asks = flow("q").node("ask", "send_message", json!({"text": "Sure?", "options": options}));
    for stand in [
        asks.clone().wait("wait"),
        asks.clone().delay("rest", "1h"),
        asks.node("call", "function", json!({"function": "ask"})),
    ] {
        let world = World::with([with_menu(stand)]);
        let session = world.start("q").session_id;
        let offered = world.channel.take_new()[0].options()[0].clone();
        assert_eq!(world.say("menu"), keyword(KeywordAction::Jump));
        assert_eq!(world.place(session), ("pick".to_owned(), Status::Waiting));
        let pressed = Inbound::choice(Channel::WhatsApp, SHOP, ADA, &offered.payload, &offered.label);
        assert!(world.session(session).call().is_none());
        assert_eq!(world.receive(pressed), Received::StaleChoice);
        world.say("1");
        world.tick_after(hours(2));
        assert_eq!(world.sent().last().unwrap(), "1 picked");
    }
}

/// I6: a jump continues in the conversation that the word came from.
#[test]
fn the_answer_to_a_keyword_goes_where_it_came_from() {
    let world = World::with([with_menu("q")]);
    world.start("q");
    world.channel.take_new();
    world.receive(Inbound::text(Channel::WhatsApp, "+15550111", ADA, "menu"));
    assert_eq!(world.channel.take_new()[0].account().account.as_ref(), "+15550111");
}

/// I6
#[test]
fn keywords_off_lets_a_question_have_every_word_but_those_of_opting_out() {
    let world = World::built(|builder| builder.keywords(Keywords::default().cancel(["quit"])));
    world.publish([flow("q")
        .set("keywords", word("menu", "cancel"))
        .node("wait", "wait_reply", json!({"keywords": "off"}))
        .send("got", "{{reply.text}}")]);
    for said in ["menu", "quit"] {
        let session = world.start("q").session_id;
        assert_eq!(world.say(said), Received::Consumed { session });
    }
    assert_eq!(world.sent(), ["menu", "quit"]);
    world.start("q");
    assert_eq!(world.say("stop"), keyword(KeywordAction::OptOut));
}

/// I6: a flow's word acts on its own session, of several on the newest.
#[test]
fn a_flows_keyword_acts_on_its_session_alone() {
    let world = World::with([
        asking("a", word("leave", "cancel")),
        asking("b", word("leave", "cancel")),
        question("c"),
    ]);
    let a = world.start("a").session_id;
    world.pass(seconds(1));
    let b = world.start("b").session_id;
    world.pass(seconds(1));
    let c = world.start("c").session_id;
    world.say("leave");
    assert_eq!([a, b, c].map(|id| world.state(id)), [Status::Waiting, Status::Cancelled, Status::Waiting]);
    world.say("leave");
    assert_eq!([a, b, c].map(|id| world.state(id)), [Status::Cancelled, Status::Cancelled, Status::Waiting]);
    assert_eq!(world.say("leave"), Received::Consumed { session: c });
}

/// S5
#[test]
fn a_keyword_means_what_it_meant_when_the_session_started() {
    let world = World::with([asking("q", word("leave", "cancel"))]);
    let session = world.start("q").session_id;
    world.publish([question("q")]);
    assert_eq!(world.say("leave"), keyword(KeywordAction::Cancel));
    assert_eq!(world.state(session), Status::Cancelled);
    let session = world.start("q").session_id;
    assert_eq!(world.say("leave"), Received::Consumed { session });
}

/// I1: before triggers and waits, and without a session for triggers.
#[test]
fn a_keyword_comes_before_waits_and_triggers_while_its_session_lives() {
    let menu = flow("menu").on(json!([{"match": "exact", "text": "menu"}])).send("hi", "From the trigger");
    let world = World::with([with_menu("q"), menu]);
    world.start("q");
    world.sent();
    assert_eq!(world.say("menu"), keyword(KeywordAction::Jump));
    assert_eq!(world.sent(), ["Menu"]);
    world.say("1");
    assert!(matches!(world.say("menu"), Received::Started { .. }));
}

// --- the host's keywords
// -------------------------------------------------------------------------------------------------

/// I6: the nearest meaning counts.
#[test]
fn a_flows_meaning_of_a_word_goes_before_the_hosts() {
    let world = World::built(|builder| builder.keywords(Keywords::default().cancel(["menu"])));
    world.publish([with_menu("q"), question("other")]);
    world.start("q");
    world.pass(seconds(1));
    let other = world.start("other").session_id;
    assert_eq!(world.say("menu"), keyword(KeywordAction::Jump));
    assert_eq!(world.state(other), Status::Waiting);
}

/// I6
#[test]
fn the_hosts_cancel_ends_all_and_the_others_act_on_the_newest() {
    let keywords = Keywords::default()
        .cancel(["quit"])
        .restart(["again"])
        .handoff(["agent"])
        .jump(NodeId::new("menu").unwrap(), ["menu"]);
    let world = World::built(|builder| builder.keywords(keywords));
    world.publish([with_menu("a"), question("b")]);
    assert_eq!(world.say("agent"), Received::Unmatched);
    let begin = || {
        let a = world.start("a").session_id;
        world.pass(seconds(1));
        (a, world.start("b").session_id)
    };
    let (a, b) = begin();
    world.pass(seconds(1));
    assert_eq!(world.say("menu"), keyword(KeywordAction::Jump));
    assert_eq!(world.place(a).0, "pick", "the newest that has the node");
    assert_eq!(world.place(b).0, "wait");
    world.pass(seconds(1));
    assert_eq!(world.say("again"), keyword(KeywordAction::Restart));
    assert_eq!(world.state(a), Status::Cancelled, "it waits since last");
    assert_eq!(world.say("quit"), keyword(KeywordAction::Cancel));
    assert!(world.sessions(SessionFilter::all().live()).is_empty());
    let (a, b) = begin();
    assert_eq!(world.say("agent"), keyword(KeywordAction::Handoff));
    assert_eq!((world.state(a), world.state(b)), (Status::Waiting, Status::Handoff));
}
