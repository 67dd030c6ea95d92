//! The life and the end of sessions: S1-S5, S7-S9, S12.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chatflow::calls::Answer;
use chatflow::id::FlowVersion;
use chatflow::limits::Limits;
use chatflow::observer::EventKind;
use chatflow::ops::SessionFilter;
use chatflow::session::{DeadReason, FailureCode};
use chatflow::store::{Commit, ConversationStore, Lookup, Record, Subject, Token};
use chatflow::testkit::Recorder;
use chatflow::{
    Channel, Inbound, Received, SendError, Status, TriggerRequest, Triggered, WorkspaceId, send_fn,
};
use chrono::TimeDelta;
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

/// Asks again and again.
fn talk() -> Sketch {
    (0..5)
        .fold(flow("t"), |sketch, number| sketch.send(&format!("s{number}"), "?").wait(&format!("w{number}")))
}

fn limited(limits: Limits) -> World {
    World::built(|builder| builder.limits(limits))
}

/// Code and node of a session's failure.
fn failure(world: &World, session: chatflow::SessionId) -> Option<(FailureCode, String)> {
    world.session(session).failure().map(|failure| (failure.code, failure.node.to_string()))
}

/// When the session expires if the clock passes in one step: the last moment at which it is live.
fn dies_at(world: &World, session: chatflow::SessionId, at: TimeDelta) {
    let started = world.session(session).started_at();
    world.clock.set(started + at - A_MOMENT);
    world.tick();
    assert!(world.state(session).is_live());
    world.tick_after(A_MOMENT);
    assert_eq!(world.state(session), Status::Expired);
    assert_eq!(world.session(session).ended_at(), Some(started + at));
}

// --- S1: TTL
// -------------------------------------------------------------------------------------------------

/// S1
#[test]
fn a_session_lives_30_minutes() {
    let world = World::with([talk()]);
    let session = world.start("t").session_id;
    dies_at(&world, session, minutes(30));
}

/// S1
#[test]
fn a_flow_chooses_how_long_its_sessions_live() {
    let world = World::with([talk().set("session_ttl_minutes", json!(5))]);
    let session = world.start("t").session_id;
    dies_at(&world, session, minutes(5));
}

/// S1
#[test]
fn each_turn_prolongs_a_session() {
    let world = World::with([talk()]);
    let session = world.start("t").session_id;
    let started = world.now();
    world.pass(minutes(20));
    world.say("x");
    let now = world.session(session);
    assert_eq!(
        (now.last_interaction_at(), now.expires_at()),
        (started + minutes(20), Some(started + minutes(50)))
    );
    dies_at(&world, session, minutes(50));
}

/// S1
#[test]
fn a_fixed_life_is_not_prolonged() {
    let world = World::with([talk().set("ttl_mode", json!("fixed"))]);
    let session = world.start("t").session_id;
    world.pass(minutes(20));
    world.say("x");
    dies_at(&world, session, minutes(30));
}

/// S1
#[test]
fn without_a_ttl_a_session_lives_as_long_as_any_may() {
    let world = World::with([talk().set("session_ttl_minutes", json!(0))]);
    let session = world.start("t").session_id;
    dies_at(&world, session, days(30));
}

/// S1
#[test]
fn the_longest_life_is_hard() {
    let world = World::with([talk().set("max_lifetime", json!("40m"))]);
    let session = world.start("t").session_id;
    world.pass(minutes(20));
    world.say("x");
    dies_at(&world, session, minutes(40));
    let other = World::with([talk().set("max_lifetime", json!("40m")).set("session_ttl_minutes", json!(0))]);
    let session = other.start("t").session_id;
    dies_at(&other, session, minutes(40));
}

/// S1
#[test]
fn a_nodes_deadline_does_not_outlive_the_longest_life() {
    let delay = json!({"until": "{{context.at}}"});
    let world = World::with([flow("t").node("d", "delay", delay).set("max_lifetime", json!("1h"))]);
    let at = world.now() + hours(2);
    let session = world.begin(ada("t").context(json!({"at": at}))).session_id;
    dies_at(&world, session, hours(1));
}

/// S1, N3
#[test]
fn a_wait_whose_message_comes_late_does_not_outlive_the_longest_life() {
    let world = World::with([flow("t").send("s", "?").wait_for("w", "50m").set("max_lifetime", json!("1h"))]);
    world.answer_sends([Err(SendError::retry_after(minutes(55).to_std().unwrap(), "later"))]);
    let session = world.start("t").session_id;
    world.tick_after(minutes(55));
    assert_eq!(world.sent(), ["?", "?"]);
    dies_at(&world, session, hours(1));
}

/// S1, N3
#[test]
fn a_wait_whose_message_never_leaves_does_not_outlive_the_longest_life() {
    let world = World::with([flow("t").send("s", "?").wait_for("w", "50m").set("max_lifetime", json!("1h"))]);
    world.answer_sends([Err(SendError::retry_after(hours(5).to_std().unwrap(), "later"))]);
    let session = world.start("t").session_id;
    dies_at(&world, session, hours(1));
}

/// S1, D2
#[test]
fn a_call_does_not_outlive_the_longest_life() {
    let call = json!({"function": "ask", "timeout": "50m"});
    let world = World::with([flow("t").node("c", "function", call).set("max_lifetime", json!("1h"))]);
    let session = world.start("t").session_id;
    world.tick_after(minutes(20));
    assert_eq!(world.calls().len(), 1);
    dies_at(&world, session, hours(1));
}

/// S1
#[test]
fn input_that_changes_nothing_prolongs_nothing() {
    let world = World::with([talk()]);
    let session = world.start("t").session_id;
    world.receive(says("x").id("m1"));
    let before = world.session(session);
    world.pass(minutes(10));
    assert!(matches!(world.receive(says("x").id("m1")), Received::Duplicate { .. }));
    assert_eq!(world.receive(says("x").timestamp(world.now() - hours(1))), Received::TooOld);
    let stale = format!("cf:{}:1:yes", session.0.as_simple());
    let stale = Inbound::choice(Channel::WhatsApp, SHOP, ADA, stale, "Yes");
    assert_eq!(world.receive(stale), Received::StaleChoice);
    assert_eq!(world.receive(Inbound::text(Channel::Sms, "555", ADA, "x")), Received::Unmatched);
    assert!(matches!(world.trigger(ada("t")), Triggered::AlreadyRunning(_)));
    assert_eq!(world.session(session), before);
}

/// S1
#[test]
fn a_queued_message_prolongs_nothing() {
    let world = World::with([flow("f").delay("rest", "50s").wait("w")]);
    let session = world.start("f").session_id;
    let before = world.session(session).expires_at();
    world.pass(seconds(10));
    assert_eq!(world.say("x"), Received::Queued { session });
    assert_eq!(world.session(session).expires_at(), before);
}

// --- S2: what is due, lazily
// -------------------------------------------------------------------------------------------------

/// S2
#[test]
fn a_deadline_that_has_passed_beats_a_reply() {
    let sketch = flow("f").send("s", "?").wait_for("w", "10m").edge("w", "timeout", "late").apart(
        "late",
        "send_message",
        json!({"text": "Too late"}),
    );
    for (after, texts) in [(minutes(10) - A_MOMENT, ["?", "reply x"]), (minutes(10), ["?", "Too late"])] {
        let world = World::with([sketch
            .clone()
            .apart("in", "send_message", json!({"text": "reply {{reply.text}}"}))
            .edge("w", "replied", "in")]);
        world.start("f");
        world.pass(after);
        world.say("x");
        assert_eq!(world.sent(), texts);
    }
}

/// S2
#[test]
fn an_expired_session_is_not_already_running() {
    let world = World::with([talk()]);
    let first = world.start("t").session_id;
    world.pass(minutes(30));
    let second = world.start("t").session_id;
    assert_eq!([world.state(first), world.state(second)], [Status::Expired, Status::Waiting]);
    assert_eq!(world.session(first).ended_at(), Some(world.now()));
}

/// S2
#[test]
fn what_is_due_is_applied_in_order_each_at_its_own_time() {
    let stamp = |id: &str| json!({"variables": [{"name": id, "value": "{{now}}"}]});
    let world = World::with([flow("f")
        .delay("d1", "1h")
        .node("s1", "set_variables", stamp("one"))
        .delay("d2", "2h")
        .node("s2", "set_variables", stamp("two"))
        .wait_for("w", "10m")]);
    let session = world.start("f").session_id;
    world.pass(days(3));
    world.begin(TriggerRequest::new("f").phone(BOB));
    assert_eq!(world.say("x"), Received::Unmatched);
    let ended = world.session(session);
    assert_eq!(ended.vars().to_json(), json!({"one": "2026-05-07T09:14:23Z", "two": "2026-05-07T11:14:23Z"}));
    assert_eq!(
        (ended.status(), ended.ended_at()),
        (Status::Expired, Some(ended.started_at() + minutes(190)))
    );
}

/// S2
#[test]
fn weeks_without_a_tick_end_as_with_ticks() {
    let sketch = || {
        (0..6)
            .fold(flow("f"), |sketch, number| {
                sketch.delay(&format!("d{number}"), "25m").send(&format!("s{number}"), "{{now}}")
            })
            .wait_for("w", "3h")
            .edge("w", "timeout", "call")
            .apart("call", "function", json!({"function": "ask"}))
            .edge("call", "failed", "last")
            .apart("last", "send_message", json!({"text": "failed {{now}}"}))
            .wait("forever")
    };
    let run = |step: TimeDelta, steps: i32, logging: bool| {
        let kept = days(400).to_std().unwrap();
        let world = World::built(|builder| builder.session_retention(kept).journal_retention(kept));
        world.publish([sketch()]);
        block_on(world.flows().set_logging(&id("f"), logging)).unwrap();
        let session = world.start("f").session_id;
        for _ in 0..steps {
            world.tick_after(step);
        }
        world.clock.set(world.session(session).started_at() + days(20));
        world.tick();
        let sends = world.sent().len() + world.dead_letters().len();
        // That the call was handed over is journalled only where it was made.
        let turns = world.journal(session).into_iter().filter(|entry| entry.input.as_str() != "handed");
        let journal: Vec<_> = turns.map(|entry| (entry.turn, entry.at, entry.steps, entry.status)).collect();
        (world.session(session), journal, sends)
    };
    let (_, often_journal, _) = run(TimeDelta::milliseconds(30_000), 1_200, true);
    let (_, never_journal, _) = run(seconds(1), 0, true);
    let (often, _, often_sends) = run(TimeDelta::milliseconds(30_000), 1_200, false);
    let (never, _, never_sends) = run(seconds(1), 0, false);
    assert_eq!(often.status(), Status::Expired);
    assert_eq!(often, never);
    assert_eq!(often_journal.len(), 10);
    assert_eq!(often_journal, never_journal);
    assert_eq!((often_sends, never_sends), (7, 7));
}

/// S2
#[test]
fn a_message_that_is_more_than_an_hour_late_is_a_dead_letter() {
    for (late, sent) in [(hours(1), true), (hours(1) + A_MOMENT, false)] {
        let world = World::with([flow("f").delay("d", "10m").send("s", "Hi")]);
        let session = world.start("f").session_id;
        world.tick_after(minutes(10) + late);
        assert_eq!(world.sent().len(), usize::from(sent));
        let letters: Vec<_> = world
            .dead_letters()
            .into_iter()
            .map(|entry| (entry.letter.message.text().to_owned(), entry.letter.reason))
            .collect();
        let expected = if sent { vec![] } else { vec![("Hi".to_owned(), DeadReason::TooLate)] };
        assert_eq!(letters, expected);
        assert_eq!(world.state(session), Status::Completed);
    }
}

/// S2
#[test]
fn a_call_that_is_overdue_is_not_made_and_fails() {
    let world = World::with([flow("f")
        .node("c", "function", json!({"function": "ask"}))
        .edge("c", "failed", "sorry")
        .apart("sorry", "send_message", json!({"text": "Sorry"}))]);
    let session = world.start("f").session_id;
    world.tick_after(seconds(30));
    assert_eq!(world.calls().len(), 0);
    assert_eq!(world.place(session), ("sorry".to_owned(), Status::Completed));
}

/// S2
#[test]
fn a_call_is_made_until_it_is_overdue() {
    let world = World::with([flow("f").node("c", "function", json!({"function": "ask"}))]);
    let session = world.start("f").session_id;
    world.answer_calls([Ok(Answer::now(1))]);
    world.tick_after(seconds(30) - A_MOMENT);
    assert_eq!(world.calls().len(), 1);
    assert_eq!(world.state(session), Status::Completed);
}

// --- S3, S4
// -------------------------------------------------------------------------------------------------

/// S3
#[test]
fn a_session_does_not_expire_before_its_nodes_deadline() {
    let world = World::with([flow("f").delay("d", "2h").send("s", "{{now}}").wait_for("w", "45m")]);
    let session = world.start("f").session_id;
    assert_eq!(world.session(session).expires_at(), Some(world.now() + hours(2)));
    world.tick_after(hours(2));
    assert_eq!(world.sent(), ["2026-05-07T10:14:23Z"]);
    dies_at(&world, session, minutes(165));
}

/// S3
#[test]
fn a_node_that_outlives_a_fixed_life_ends_it_no_earlier_than_it_ran() {
    let world =
        World::with([flow("f").set("ttl_mode", json!("fixed")).delay("d", "2h").send("s", "Hi").wait("w")]);
    let session = world.start("f").session_id;
    world.pass(hours(2) + minutes(1));
    world.tick();
    let ended = world.session(session);
    assert_eq!((ended.status(), ended.ended_at()), (Status::Expired, Some(ended.started_at() + hours(2))));
}

/// S4
#[test]
fn a_deadline_of_an_earlier_wait_does_not_fire() {
    let world = World::with([flow("f").send("s", "?").wait_for("one", "5m").wait_for("two", "20m")]);
    let session = world.start("f").session_id;
    world.pass(minutes(4));
    world.say("x");
    world.tick_after(minutes(2));
    assert_eq!(world.place(session), ("two".to_owned(), Status::Waiting));
    assert_eq!(world.session(session).wait_number(), 2);
    dies_at(&world, session, minutes(24));
}

// --- S5: versions
// -------------------------------------------------------------------------------------------------

/// S5
#[test]
fn a_session_stays_on_the_version_it_started_on() {
    let world = World::with([question("q").set("session_ttl_minutes", json!(10))]);
    let old = world.start("q");
    world.publish([flow("q").send("ask", "Hey!").wait("wait").send("bye", "Bye")]);
    world.say("Fine");
    let new = world.start("q");
    world.say("Fine");
    assert_eq!(world.sent(), ["How are you?", "Fine!", "Hey!", "Bye"]);
    assert_eq!([old.flow_version, new.flow_version], [FlowVersion(1), FlowVersion(2)]);
}

/// S5
#[test]
fn a_flows_name_changes_at_once() {
    let world =
        World::with([flow("q").send("ask", "{{flow.name}}").wait("wait").send("bye", "{{flow.name}}")]);
    world.start("q");
    block_on(world.flows().rename(&id("q"), "Renamed")).unwrap();
    world.say("Fine");
    assert_eq!(world.sent(), ["q", "Renamed"]);
}

/// S5, D4
#[test]
fn a_session_sends_from_the_sender_of_its_version() {
    let from = |account: &str| {
        let sender = json!({"channel": "whatsapp", "account": account});
        flow("f").set("sender", sender).send("first", "1").delay("rest", "1h").send("second", "2")
    };
    let world = World::with([from("+15550101")]);
    world.start("f");
    world.publish([from("+15550102")]);
    world.tick_after(hours(1));
    world.start("f");
    let senders: Vec<_> =
        world.channel.sent().iter().map(|sent| sent.account().account.to_string()).collect();
    assert_eq!(senders, ["+15550101", "+15550101", "+15550102"]);
}

// --- S7: limits
// -------------------------------------------------------------------------------------------------

/// S7
#[test]
fn a_turn_visits_at_most_as_many_nodes_as_are_allowed() {
    for (allowed, ended) in [(4, None), (3, None), (2, Some((FailureCode::NodesPerTurn, "two".to_owned())))] {
        let world = limited(Limits { nodes_per_turn: allowed, ..Limits::default() });
        world.publish([flow("f").send("one", "1").send("two", "2")]);
        let session = world.start("f").session_id;
        assert_eq!(failure(&world, session), ended);
        assert_eq!(world.sent().len(), if ended.is_some() { 0 } else { 2 });
    }
}

/// S7
#[test]
fn a_session_has_at_most_as_many_turns_as_are_allowed() {
    for (allowed, ended) in [(4, None), (3, None), (2, Some((FailureCode::TurnsPerSession, "w1".to_owned())))]
    {
        let world = limited(Limits { turns_per_session: allowed, ..Limits::default() });
        world.publish([flow("f").wait("w0").wait("w1").send("end", "Done")]);
        let session = world.start("f").session_id;
        world.say("x");
        world.say("x");
        assert_eq!(failure(&world, session), ended);
        assert_eq!(world.sent().len(), usize::from(ended.is_none()));
    }
}

/// S7
#[test]
fn variables_have_at_most_as_many_bytes_as_are_allowed() {
    let set = json!({"variables": [{"name": "a", "value": "{{context.a}}{{context.a}}"}]});
    let bytes = {
        let world = World::with([flow("f").node("set", "set_variables", set.clone())]);
        let session = world.begin(ada("f").context(json!({"a": "x".repeat(50)}))).session_id;
        world.session(session).vars().byte_len()
    };
    for (allowed, ended) in
        [(bytes + 1, None), (bytes, None), (bytes - 1, Some((FailureCode::Variables, "set".to_owned())))]
    {
        let world = limited(Limits { variable_bytes: allowed, ..Limits::default() });
        world.publish([flow("f").send("s", "Hi").node("set", "set_variables", set.clone())]);
        let session = world.begin(ada("f").context(json!({"a": "x".repeat(50)}))).session_id;
        assert_eq!(failure(&world, session), ended);
        assert_eq!(world.sent().len(), usize::from(ended.is_none()));
    }
}

/// S7
#[test]
fn variables_are_at_most_as_deep_as_is_allowed() {
    // The variable holds the whole context, one level below.
    let grow = json!({"variables": [{"name": "a", "expr": "context"}]});
    let nested = |depth: usize| (1..depth).fold(json!({}), |inner, _| json!({"a": inner}));
    let too_deep = || Some((FailureCode::Variables, "set".to_owned()));
    for most in [16, 12] {
        let world = limited(Limits { depth: most, ..Limits::default() });
        world.publish([flow("f").node("set", "set_variables", grow.clone())]);
        for (depth, ended) in [(most - 2, None), (most - 1, None), (most, too_deep())] {
            let session = world.begin(ada("f").context(nested(depth))).session_id;
            assert_eq!(failure(&world, session), ended);
        }
    }
}

/// S7
#[test]
fn a_conversation_has_at_most_as_many_unsent_messages_as_are_allowed() {
    for (allowed, ended) in [(3, None), (2, None), (1, Some((FailureCode::UnsentMessages, "two".to_owned())))]
    {
        let world = World::built(|builder| {
            builder.limits(Limits { unsent_messages: allowed, ..Limits::default() }).deferred_delivery()
        });
        world.publish([flow("f").send("one", "1").send("two", "2")]);
        let session = world.start("f").session_id;
        assert_eq!(failure(&world, session), ended);
        world.tick();
        assert_eq!(world.sent().len(), if ended.is_some() { 0 } else { 2 });
    }
}

/// S7
#[test]
fn a_conversation_that_outgrows_its_limit_fails_the_session_that_grows_it() {
    let grow = json!({"variables": [{"name": "a", "value": "{{reply.text}}{{reply.text}}"}]});
    let sketch = flow("f").send("s", "?").wait("w").node("set", "set_variables", grow).wait("w2");
    let world = limited(Limits { conversation_bytes: 15_000, ..Limits::default() });
    world.publish([sketch]);
    for (length, ended) in [(1_000, None), (9_000, Some((FailureCode::ConversationSize, "w2".to_owned())))] {
        let session = world.start("f").session_id;
        world.say(&"x".repeat(length));
        assert_eq!(failure(&world, session), ended);
        block_on(world.bot.cancel(session)).unwrap();
    }
}

/// S7
#[test]
fn settled_messages_are_not_unsent() {
    let world = limited(Limits { unsent_messages: 1, ..Limits::default() });
    world.publish([talk()]);
    let session = world.start("t").session_id;
    world.say("x");
    world.say("x");
    assert_eq!(world.sent().len(), 3);
    assert_eq!(failure(&world, session), None);
}

// --- S8: clocks
// -------------------------------------------------------------------------------------------------

/// S8
#[test]
fn a_clock_that_goes_back_revives_and_fires_nothing_twice() {
    let world =
        World::with([flow("f").delay("d", "10m").send("s", "{{now}}").wait("w").send("end", "{{now}}")]);
    let session = world.start("f").session_id;
    world.tick_after(minutes(10));
    world.pass(-minutes(15));
    world.tick();
    assert_eq!(world.place(session), ("w".to_owned(), Status::Waiting));
    world.say("x");
    assert_eq!(world.sent(), ["2026-05-07T08:24:23Z", "2026-05-07T08:24:23Z"]);
    assert_eq!(world.notes(), []);
}

/// S8
#[test]
fn an_expired_session_is_not_revived_by_a_clock_that_goes_back() {
    let world = World::with([talk()]);
    let session = world.start("t").session_id;
    world.tick_after(minutes(30));
    world.pass(-minutes(30));
    assert_eq!(world.say("x"), Received::Unmatched);
    assert_eq!(world.state(session), Status::Expired);
}

/// S8
#[test]
fn a_conversation_more_than_an_hour_ahead_of_the_clock_is_reported() {
    let world = World::with([talk()]);
    world.start("t");
    world.pass(-hours(1));
    world.say("x");
    assert_eq!(world.notes(), []);
    world.pass(-A_MOMENT);
    world.say("x");
    assert_eq!(world.notes(), [EventKind::ClockBehind]);
}

// --- S9: failure and quarantine
// -------------------------------------------------------------------------------------------------

/// S9
#[test]
fn a_session_that_fails_says_why_and_where_and_blocks_nothing() {
    let world = World::with([flow("f").send("one", "1").send("bad", "{{1 / 0}}")]);
    let session = world.start("f").session_id;
    assert_eq!(failure(&world, session), Some((FailureCode::Expression, "bad".to_owned())));
    assert_eq!((world.state(session), world.sent()), (Status::Failed, vec![]));
    assert_eq!(world.session(session).ended_at(), Some(world.now()));
    world.start("f");
}

fn is_quarantined(world: &World, contact: &str) {
    let error = ("quarantined", format!("conversation of contact `{contact}` is quarantined"));
    assert_eq!(told(world.try_receive(says("x"))), error);
    assert_eq!(world.refusal(ada("t").uuid("other")), error);
    assert_eq!(block_on(world.bot.quarantined(None)).unwrap(), [contact_id(contact)]);
}

/// S9
#[test]
fn a_conversation_that_fails_10_claims_is_set_aside_until_it_is_released() {
    let hangs = Arc::new(AtomicBool::new(true));
    let (seen, channel) = (Arc::clone(&hangs), Recorder::new());
    let recorder = channel.clone();
    let transport = send_fn(move |message| {
        let (hangs, recorder) = (Arc::clone(&seen), recorder.clone());
        async move {
            if hangs.load(Ordering::SeqCst) {
                pending::<()>().await;
            }
            chatflow::Transport::send(&recorder, &message).await
        }
    });
    let world = World::sending(transport, channel, chatflow::Builder::deferred_delivery);
    world.publish([talk()]);
    world.begin(ada("t").contact_id("ada"));
    for _ in 0..10 {
        abandon(world.bot.tick(10));
        world.pass(minutes(3));
    }
    assert_eq!(block_on(world.bot.quarantined(None)).unwrap(), []);
    world.tick();
    assert_eq!(world.notes(), [EventKind::Quarantined]);
    is_quarantined(&world, "ada");
    hangs.store(false, Ordering::SeqCst);
    world.begin(TriggerRequest::new("t").phone(BOB));
    world.tick_after(days(1));
    assert_eq!(world.sent(), ["?"]);
    assert!(block_on(world.bot.release(&contact_id("ada"))).unwrap());
    world.tick();
    assert_eq!(world.sent(), ["?"]);
    assert!(!block_on(world.bot.release(&contact_id("ada"))).unwrap());
    assert_eq!(block_on(world.bot.quarantined(None)).unwrap(), []);
}

/// Writes something else in place of ada's record.
fn overwrite(world: &World, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let subject = Subject::Contact(contact_id("ada"));
    let token = Token(uuid::Uuid::from_u128(77));
    let lookup = Lookup::new(WorkspaceId::default(), subject, token, world.now());
    let stored = block_on(world.bot.store().load(&lookup)).unwrap().conversation.unwrap();
    let record = Record::from_bytes(change(stored.record.to_bytes().unwrap().to_vec()));
    let commit = Commit {
        due_at: Some(world.now()),
        ..Commit::new(lookup.workspace, contact_id("ada"), Some(stored.revision), record, world.now())
    };
    block_on(world.bot.store().commit(commit)).unwrap();
}

/// S9
#[test]
fn a_conversation_that_can_not_be_decoded_is_set_aside() {
    let world = World::with([talk()]);
    world.begin(ada("t").contact_id("ada"));
    overwrite(&world, |_| b"no record of ours".to_vec());
    world.begin(TriggerRequest::new("t").phone(BOB));
    world.tick();
    assert_eq!(world.notes(), [EventKind::Quarantined]);
    is_quarantined(&world, "ada");
}

/// A conversation of Ada's that a newer release wrote, after a tick.
fn written_by_a_newer_release() -> World {
    let world = World::with([talk()]);
    world.begin(ada("t").contact_id("ada"));
    overwrite(&world, |mut bytes| {
        bytes[4..6].fill(0xff);
        bytes
    });
    world.tick();
    world
}

/// S9: a roll-out is under way; nobody has to look at the conversation.
#[test]
fn a_conversation_of_a_newer_release_is_left_to_that_release() {
    let world = written_by_a_newer_release();
    assert_eq!(block_on(world.bot.quarantined(None)).unwrap(), []);
    let newer = "stored conversation has format 65535, but this release reads at most 2";
    assert_eq!(told(block_on(world.bot.contact(&contact_id("ada")))), ("newer_format", newer.to_owned()));
    assert_eq!(world.refusal(ada("t").contact_id("ada")).0, "newer_format");
}

/// S9: it is looked at every five minutes, not with each tick.
#[test]
fn a_conversation_of_a_newer_release_is_put_off() {
    let world = written_by_a_newer_release();
    let worked = |after| {
        world.pass(after);
        block_on(world.bot.tick(10)).unwrap().worked
    };
    assert_eq!(worked(minutes(4)), 0);
    assert_eq!(worked(minutes(1)), 1);
    assert_eq!(worked(minutes(1)), 0);
}

// --- S12: retention
// -------------------------------------------------------------------------------------------------

/// S12
#[test]
fn ended_sessions_are_kept_90_days_and_journals_30() {
    let world = World::with([flow("f")]);
    block_on(world.flows().set_logging(&id("f"), true)).unwrap();
    let session = world.start("f").session_id;
    let kept = || (world.sessions(SessionFilter::all()).len(), world.journal(session).len());
    world.tick_after(days(30) - minutes(1));
    assert_eq!(kept(), (1, 1));
    world.tick_after(minutes(2));
    assert_eq!(kept(), (1, 0));
    world.tick_after(days(60) - minutes(2));
    assert_eq!(kept(), (1, 0));
    world.tick_after(minutes(2));
    assert_eq!(kept(), (0, 0));
}

/// S12
#[test]
fn dead_letters_are_kept_30_days() {
    let world = World::with([flow("f").send("s", "Hi")]);
    world.answer_sends([Err(SendError::rejected("no"))]);
    world.start("f");
    world.tick_after(days(30));
    assert_eq!(world.dead_letters().len(), 1);
    world.tick_after(minutes(1));
    assert_eq!(world.dead_letters().len(), 0);
}

/// S12: what stays of an idle conversation is who the contact is, how it is reached, what it
/// wished, and when each flow with a re-entry rule last ran.
#[test]
fn an_idle_conversation_is_stripped_to_its_stub() {
    let once = flow("once").set("reentry", json!("once_ever")).send("s", "Hi").wait("w");
    let world = World::with([once]);
    world.answer_sends([Err(SendError::rejected("no"))]);
    let started = world.begin(ada("once").contact_id("ada"));
    world.receive(says("fine").id("m1"));
    block_on(world.bot.opt_out(&contact_id("ada"))).unwrap();
    world.tick_after(days(31));
    let (token, now) = (Token(uuid::Uuid::from_u128(77)), world.now());
    let lookup = Lookup::new(WorkspaceId::default(), Subject::Contact(contact_id("ada")), token, now);
    let stored = block_on(world.bot.store().load(&lookup)).unwrap().conversation.unwrap();
    let mut stub = json!(stored.record.conversation().unwrap());
    let stub = stub.as_object_mut().unwrap();
    let contact = stub.remove("contact").unwrap();
    assert_eq!(contact["id"], "ada");
    assert!(contact["addresses"].as_array().unwrap().len() == 1 && contact["opted_out_at"].is_string());
    let marks = stub.remove("history").unwrap();
    assert_eq!(
        marks,
        json!({"marks": [{"flow": "once", "at": world.session(started.session_id).started_at()}]})
    );
    stub.retain(|field, _| !matches!(field.as_str(), "last_at" | "last_seq" | "has_written"));
    assert_eq!(serde_json::Value::Object(stub.clone()), json!({"sessions": []}));
}
