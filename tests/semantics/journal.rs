//! L6: the journal of a session, and what it leads to.

use chatflow::calls::Answer;
use chatflow::id::{FlowVersion, NodeId};
use chatflow::kernel::{JournalEntry, ReplayError, StepEvent, replay};
use chatflow::limits::Limits;
use chatflow::ops::JournalFilter;
use chatflow::{CallError, Flow, FlowId, Inbound, Session, SessionId, Status};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;

/// A world with this flow online, and logging on.
fn logged(sketch: &Sketch) -> World {
    let world = World::with([sketch.clone()]);
    block_on(world.flows().set_logging(&sketch.id(), true)).unwrap();
    world
}

fn replayed(sketch: &Sketch, journal: &[JournalEntry]) -> Result<Session, ReplayError> {
    let flow = Flow::from_json(&sketch.json()).unwrap();
    replay(|_, _| Some(&flow), journal, &Limits::default())
}

/// The journal of a session leads to the session; answers the inputs it took.
fn inputs(world: &World, sketch: &Sketch, session: SessionId) -> Vec<String> {
    let journal = world.journal(session);
    assert_eq!(replayed(sketch, &journal), Ok(world.session(session)));
    journal.iter().map(|entry| format!("{} {}", entry.input.as_str(), entry.turn)).collect()
}

/// Node, event, branch and reason of each step.
fn steps(entry: &JournalEntry) -> Vec<String> {
    let show = |step: &chatflow::kernel::JournalStep| {
        let parts = [step.branch.as_deref(), step.why.as_deref()];
        let rest: String = parts.into_iter().flatten().map(|part| format!(", {part}")).collect();
        format!("{} {:?}{rest}", step.node, step.event)
    };
    entry.steps.iter().map(show).collect()
}

/// L6: node, branch, why, event; of a branch the rule as its author wrote it, never the value that
/// was compared.
#[test]
fn a_journal_says_which_way_was_taken_and_why() {
    let sketch = flow("f")
        .wait("w")
        .node(
            "b",
            "branch",
            json!({"branches": [
            {"label": "yes", "when": {"value": "{{reply.text}}", "op": "string_equals", "to": "yes"}}]}),
        )
        .apart("again", "jump", json!({"target": "w"}))
        .apart("end", "end", json!({}))
        .edge("b", "yes", "end")
        .edge("b", "else", "again");
    let world = logged(&sketch);
    let session = world.start("f").session_id;
    world.say("secret");
    world.say("yes");
    let journal = world.journal(session);
    assert_eq!(steps(&journal[0]), ["start Left, next", "w Parked"]);
    let reply = "w Left, replied, the contact replied: text";
    assert_eq!(
        steps(&journal[1]),
        [reply, "b Left, else, no rule holds", "again Jumped, jump 1 of 1", "w Parked"]
    );
    let rule = r#"b Left, yes, `yes` holds: {"value":"{{reply.text}}","op":"string_equals","to":"yes"}"#;
    assert_eq!(steps(&journal[2]), [reply, rule, "end Ended"]);
    let end = &journal[2];
    assert_eq!((end.seq, end.turn, end.at, end.status), (3, 3, world.now(), Status::Completed));
    assert!(!format!("{:?}", journal[1].steps).contains("secret"));
}

/// L6: an error with its code, its node and what happened.
#[test]
fn a_journal_keeps_the_error_of_a_turn() {
    let sketch = flow("f").delay("d", "1m").node("call", "function", json!({"function": "ask"}));
    let world = logged(&sketch);
    let session = world.start("f").session_id;
    world.answer_calls([Err(CallError::failed("no stock"))]);
    world.tick_after(minutes(1));
    let journal = world.journal(session);
    let last = journal.last().unwrap();
    let failure = last.failure.as_ref().unwrap();
    assert_eq!((failure.code.as_str(), failure.node.as_str()), ("call_failed", "call"));
    assert_eq!(failure.message, "no stock");
    assert_eq!(steps(last), ["call Failed, no stock"]);
    assert_eq!(last.steps[0].event, StepEvent::Failed);
    assert_eq!(inputs(&world, &sketch, session), ["start 1", "deadline 2", "result 3"]);
}

/// L6: what changes a session without a turn is in its journal, too.
#[test]
fn queued_messages_and_calls_handed_over_are_journalled_without_a_turn() {
    let sketch = flow("f")
        .node("call", "function", json!({"function": "ask", "timeout": "5m"}))
        .wait("w")
        .send("bye", "{{reply.text}}");
    let world = logged(&sketch);
    let session = world.start("f").session_id;
    world.answer_calls([Err(CallError::retry("busy")), Ok(Answer::Later)]);
    world.tick();
    world.tick_after(seconds(2));
    let expires_at = world.session(session).expires_at();
    world.pass(minutes(1));
    world.say("early");
    assert_eq!((world.session(session).turns(), world.session(session).expires_at()), (1, expires_at));
    let call = world.calls()[0].reference.clone();
    block_on(world.bot.complete(call, chatflow::CallResult::value(json!({"a": 1.5})))).unwrap();
    assert_eq!(world.sent(), ["early"]);
    let taken = ["start 1", "call_later 1", "handed 1", "queue 1", "result 2"];
    assert_eq!(inputs(&world, &sketch, session), taken);
}

/// L6, N3: a wait whose message came late gets its time anew; that is an input.
#[test]
fn a_wait_that_was_held_is_journalled() {
    let sketch = flow("f").send("s", "Hi").wait_for("w", "10m").edge("w", "timeout", "s2").apart(
        "s2",
        "send_message",
        json!({"text": "Still there?"}),
    );
    let world = logged(&sketch);
    world.answer_sends([Err(chatflow::SendError::retry_after(std::time::Duration::from_secs(900), "busy"))]);
    let session = world.start("f").session_id;
    world.tick_after(minutes(15));
    assert_eq!(world.sent().last().unwrap(), "Hi");
    world.tick_after(minutes(10));
    assert_eq!(world.sent(), ["Still there?"]);
    assert_eq!(inputs(&world, &sketch, session), ["start 1", "held 1", "deadline 2"]);
}

/// L6: a reader of the past sees the contact and the flow's name as the turn saw them; they are
/// kept when they change.
#[test]
fn a_journal_keeps_what_a_turn_could_read() {
    let sketch = flow("f").wait("a").wait("b").node(
        "v",
        "set_variables",
        json!({"variables": [{"name": "who", "value": "{{contact.name}} {{flow.name}}"}]}),
    );
    let world = logged(&sketch);
    let session = world.start("f").session_id;
    world.say("one");
    block_on(world.flows().rename(&id("f"), "Other")).unwrap();
    world.pass(seconds(2));
    world.receive(says("two").profile(chatflow::session::Profile::new().name("Ada")));
    assert_eq!(world.session(session).vars().get("who").unwrap().as_str(), Some("Ada Other"));
    let seen: Vec<_> = world.journal(session).iter().map(|entry| entry.seen.is_some()).collect();
    assert_eq!(seen, [true, false, true]);
    assert_eq!(inputs(&world, &sketch, session).len(), 3);
}

/// L6: logging is read at session start: what began without a journal never has half of one, what
/// began with it keeps it to its end.
#[test]
fn logging_is_read_when_a_session_starts() {
    let sketch = question("f");
    let world = World::with([sketch.clone()]);
    let logging = |on| block_on(world.flows().set_logging(&id("f"), on)).unwrap();
    let without = world.start("f").session_id;
    logging(true);
    world.pass(seconds(2));
    world.say("fine");
    assert!(world.journal(without).is_empty() && !world.session(without).is_journalled());
    let with = world.start("f").session_id;
    logging(false);
    world.pass(seconds(2));
    world.say("fine");
    assert_eq!(inputs(&world, &sketch, with), ["start 1", "reply 2"]);
}

/// L6: a message that starts a session is part of its start.
#[test]
fn a_session_that_a_message_started_replays() {
    let sketch = question("f").on(json!([{"match": "exact", "text": "hello"}]));
    let world = logged(&sketch);
    world.say("hello");
    let session = world.sessions(chatflow::ops::SessionFilter::all())[0].session().id();
    world.say("fine");
    assert_eq!(inputs(&world, &sketch, session), ["start 1", "reply 2"]);
}

/// L6, S7: what the whole conversation decided is told by the journal.
#[test]
fn a_session_that_outgrew_its_conversation_replays() {
    let sketch = flow("f").wait("w").send("s", "{{reply.text}}");
    let limits = Limits { conversation_bytes: 4_000, ..Limits::default() };
    let world = World::built(|builder| builder.limits(limits));
    world.publish([sketch.clone()]);
    block_on(world.flows().set_logging(&id("f"), true)).unwrap();
    let session = world.start("f").session_id;
    world.receive(Inbound::text(chatflow::Channel::WhatsApp, SHOP, ADA, "x".repeat(5_000)));
    assert_eq!(world.state(session), Status::Failed);
    assert_eq!(inputs(&world, &sketch, session), ["start 1", "reply 2"]);
}

/// L6: a journal that was changed, cut or is of another flow is told from the session's own.
#[test]
fn a_journal_that_does_not_lead_there_says_where() {
    let sketch = question("f");
    let world = logged(&sketch);
    let session = world.start("f").session_id;
    world.say("fine");
    let journal = world.journal(session);
    assert_eq!(replayed(&sketch, &[]), Err(ReplayError::NotFromStart));
    assert_eq!(replayed(&sketch, &journal[1..]), Err(ReplayError::NotFromStart));
    let twice = [journal[0].clone(), journal[0].clone()];
    assert_eq!(replayed(&sketch, &twice), Err(ReplayError::Gap { seq: 2 }));
    let other = flow("f").send("ask", "How are you?").wait("wait");
    let error = replayed(&other, &journal).unwrap_err();
    assert_eq!(error, ReplayError::Diverged { turn: 2, seq: 2 });
    assert_eq!(error.to_string(), "turn 2 differs from the journal at entry 2");
    let unknown = replay(|_: &FlowId, _: FlowVersion| None, &journal, &Limits::default());
    assert_eq!(unknown, Err(ReplayError::UnknownFlow { flow: id("f"), version: FlowVersion(1) }));
}

/// L6: per-node counts by version and time.
#[test]
fn nodes_are_counted_by_version_and_time() {
    let sketch = flow("f")
        .wait("w")
        .node("b", "branch", json!({"branches": [{"label": "yes", "when": {"expr": "reply.text == 'yes'"}}]}))
        .apart("end", "end", json!({}))
        .apart("call", "function", json!({"function": "ask"}))
        .edge("b", "yes", "end")
        .edge("b", "else", "call");
    let world = logged(&sketch);
    world.answer_calls([Err(CallError::failed("no stock")), Err(CallError::failed("no agent"))]);
    let began = world.now();
    let mut failed = Vec::new();
    for text in ["yes", "no", "no"] {
        let session = world.start("f").session_id;
        world.pass(minutes(1));
        world.say(text);
        world.tick();
        failed.extend((text == "no").then_some(session));
    }
    world.publish([sketch.clone().set("session_ttl_minutes", json!(5))]);
    world.start("f");
    let counts = |filter: JournalFilter| -> Vec<String> {
        let counts = block_on(world.bot.node_counts(filter)).unwrap();
        let show = |count: chatflow::ops::NodeCount| {
            let branches: Vec<_> = count.branches.iter().map(|(name, n)| format!("{name} {n}")).collect();
            format!("{}: {}, {}, {} failed", count.node, count.visits, branches.join(" "), count.failures)
        };
        counts.into_iter().map(show).collect()
    };
    let all = || JournalFilter::of(id("f"));
    assert_eq!(
        counts(all().version(FlowVersion(1))),
        [
            "b: 3, else 2 yes 1, 0 failed",
            "call: 2, , 2 failed",
            "end: 1, , 0 failed",
            "start: 3, next 3, 0 failed",
            "w: 3, replied 3, 0 failed",
        ]
    );
    assert_eq!(counts(all().version(FlowVersion(2))), ["start: 1, next 1, 0 failed", "w: 1, , 0 failed"]);
    assert_eq!(counts(all().node(NodeId::new("w").unwrap())), ["w: 4, replied 3, 0 failed"]);
    let first_minute = counts(all().from(began).to(began + minutes(1)));
    assert_eq!(first_minute, ["start: 1, next 1, 0 failed", "w: 1, , 0 failed"]);
    assert!(counts(JournalFilter::of(id("g"))).is_empty());

    let errors = block_on(world.bot.node_errors(all())).unwrap();
    let told: Vec<_> = errors.iter().map(|error| (error.session, error.message.as_str())).collect();
    assert_eq!(told, [(failed[0], "no stock"), (failed[1], "no agent")]);
    let error = &errors[0];
    assert_eq!((error.node.as_str(), error.code.as_str(), error.turn), ("call", "call_failed", 3));
    assert_eq!(block_on(world.bot.node_errors(all().after(error))).unwrap(), errors[1..]);
    assert!(block_on(world.bot.node_errors(all().node(NodeId::new("w").unwrap()))).unwrap().is_empty());
}
