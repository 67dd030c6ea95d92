//! S5: a session that continues on another version of its flow.

use chatflow::id::{FlowVersion, NodeId};
use chatflow::kernel::replay;
use chatflow::limits::Limits;
use chatflow::ops::{Migrated, Unpublish};
use chatflow::{CallResult, Channel, Engine, Error, Flow, Inbound, Received, SessionId, Status};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;
use crate::watched::Watched;

fn node(id: &str) -> NodeId {
    NodeId::new(id).unwrap()
}

/// Two versions of a flow: the second asks at `wait` too, and says something else.
fn first() -> Sketch {
    flow("f")
        .node("ask", "send_message", json!({"text": "How?", "options": [{"id": "ok", "label": "OK"}]}))
        .wait_for("wait", "10m")
        .send("bye", "First {{reply.text}}")
}

fn second(wait: &str) -> Sketch {
    flow("f").send("hi", "Welcome").wait_for(wait, "99m").send("bye", "Second {{reply.text}}")
}

fn migrate(
    world: &World,
    session: SessionId,
    version: u32,
    nodes: &[(&str, &str)],
) -> Result<Migrated, Error> {
    let nodes: Vec<_> = nodes.iter().map(|(old, new)| (node(old), node(new))).collect();
    let bot: &Engine<Watched> = &world.bot;
    block_on(bot.migrate(session, FlowVersion(version), &nodes))
}

/// The reason why a session cannot go to a version.
fn refusal(world: &World, session: SessionId, version: u32, nodes: &[(&str, &str)]) -> String {
    match migrate(world, session, version, nodes).unwrap_err() {
        error @ Error::CannotMigrate { .. } => {
            assert_eq!(
                (error.code(), error.http_status(), error.is_retryable()),
                ("cannot_migrate", 409, false)
            );
            let Error::CannotMigrate { reason, .. } = error else { unreachable!() };
            reason
        }
        other => panic!("{other}"),
    }
}

/// S5: node, deadline and wait number stay, and the next turn is the new version's.
#[test]
fn a_session_at_a_question_goes_on_with_another_version() {
    let world = World::with([first()]);
    let session = world.start("f").session_id;
    let offered = world.channel.take_new().remove(0).options()[0].payload.clone();
    world.pass(minutes(4));
    world.publish([second("wait")]);
    let before = world.session(session);
    let migrated = migrate(&world, session, 2, &[]).unwrap();
    assert_eq!((migrated.from, migrated.to, migrated.node), (FlowVersion(1), FlowVersion(2), node("wait")));
    let after = world.session(session);
    assert_eq!(after.version(), FlowVersion(2));
    assert_eq!(
        (after.deadline(), after.expires_at(), after.wait_number(), after.turns()),
        (before.deadline(), before.expires_at(), before.wait_number(), before.turns())
    );
    let chosen = Inbound::choice(Channel::WhatsApp, SHOP, ADA, &offered, "OK");
    assert_eq!(world.receive(chosen), Received::Consumed { session });
    assert_eq!(world.sent(), ["Second OK"]);
}

/// S5: forward or back, online or offline, and to a node of another name.
#[test]
fn a_session_goes_to_an_offline_version_and_to_the_node_that_is_named() {
    let world = World::with([second("wait"), second("other")]);
    let session = world.start("f").session_id;
    world.sent();
    assert_eq!(migrate(&world, session, 1, &[("other", "wait")]).unwrap().node, node("wait"));
    assert_eq!(world.place(session), ("wait".to_owned(), Status::Waiting));
    world.say("yes");
    assert_eq!(world.sent(), ["Second yes"]);
}

/// S5: the deadline that the session came with passes on the new version.
#[test]
fn a_deadline_is_kept_when_a_session_migrates() {
    let world = World::with([
        first(),
        second("wait").apart("late", "send_message", json!({"text": "Late"})).edge("wait", "timeout", "late"),
    ]);
    block_on(world.flows().roll_back(&id("f"), FlowVersion(1))).unwrap();
    let session = world.start("f").session_id;
    world.sent();
    migrate(&world, session, 2, &[]).unwrap();
    world.tick_after(minutes(10) - A_MOMENT);
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(A_MOMENT);
    assert_eq!((world.sent(), world.state(session)), (vec!["Late".to_owned()], Status::Completed));
}

/// S5: only at a wait, only to what is there, or it says why.
#[test]
fn a_session_that_can_not_migrate_says_why() {
    let world = World::with([first(), second("other").delay("nap", "1m").node("w", "wait_reply", json!({}))]);
    let session = world.start("f").session_id;
    assert_eq!(refusal(&world, session, 2, &[]), "it is on version 2 already");
    assert_eq!(refusal(&world, session, 3, &[]), "flow `f` has no version 3");
    assert_eq!(refusal(&world, session, 1, &[]), "the version has no node `other`");
    assert_eq!(
        refusal(&world, session, 1, &[("other", "ask")]),
        "node `other` is a `wait_reply`, and `ask` of the version is a `send_message`"
    );
    assert_eq!(world.session(session).version(), FlowVersion(2), "nothing changed");
    world.say("yes");
    assert_eq!(refusal(&world, session, 1, &[]), "it is delayed, not at a question");
    world.tick_after(minutes(1));
    block_on(world.bot.cancel(session)).unwrap();
    assert_eq!(refusal(&world, session, 1, &[]), "it has ended");
    let nobody = SessionId(uuid::Uuid::from_u128(99));
    assert_eq!(told(migrate(&world, nobody, 1, &[])).0, "session_not_found");
}

/// S5, L4.
#[test]
fn a_session_does_not_migrate_to_a_terminated_version() {
    let world = World::with([first()]);
    block_on(world.flows().unpublish(&id("f"), Unpublish::Terminate)).unwrap();
    world.publish([second("wait")]);
    let session = world.start("f").session_id;
    assert_eq!(refusal(&world, session, 1, &[]), "version 1 was terminated");
}

/// S5, L4: it counts for the version that it is on.
#[test]
fn a_migrated_session_counts_for_its_new_version() {
    let world = World::with([first()]);
    let session = world.start("f").session_id;
    world.publish([second("wait")]);
    migrate(&world, session, 2, &[]).unwrap();
    assert_eq!(block_on(world.bot.live_sessions(&id("f"))).unwrap(), 1);
    block_on(world.flows().unpublish(&id("f"), Unpublish::Terminate)).unwrap();
    world.tick_after(seconds(2));
    assert_eq!(world.state(session), Status::Cancelled);
}

/// S5, L6: a journal leads through a migration, on both versions.
#[test]
fn a_migrated_session_replays() {
    let world = World::with([first()]);
    block_on(world.flows().set_logging(&id("f"), true)).unwrap();
    let session = world.start("f").session_id;
    world.publish([second("wait")]);
    migrate(&world, session, 2, &[]).unwrap();
    world.say("yes");
    let versions = [first(), second("wait")].map(|sketch| Flow::from_json(&sketch.json()).unwrap());
    let journal = world.journal(session);
    let inputs: Vec<_> =
        journal.iter().map(|entry| (entry.input.as_str(), entry.version.0, entry.turn)).collect();
    assert_eq!(inputs, [("start", 1, 1), ("migrate", 1, 1), ("reply", 2, 2)]);
    let replayed = replay(|_, version| versions.get(version.0 as usize - 1), &journal, &Limits::default());
    assert_eq!(replayed, Ok(world.session(session)));
}

/// D2: a call is answered to the session that made it; nothing of it is lost by a refused
/// migration.
#[test]
fn a_session_in_a_call_stays_where_it_is() {
    let asking = || flow("f").node("call", "function", json!({"function": "ask"})).send("bye", "Bye");
    let world = World::with([asking(), asking().send("more", "More")]);
    block_on(world.flows().roll_back(&id("f"), FlowVersion(1))).unwrap();
    let session = world.start("f").session_id;
    world.tick();
    assert_eq!(refusal(&world, session, 2, &[]), "it is calling, not at a question");
    let call = world.calls()[0].reference.clone();
    block_on(world.bot.complete(call, CallResult::value(1))).unwrap();
    assert_eq!(world.sent(), ["Bye"]);
}

/// A loop that asks of each item, by these names: its node, its question, its item.
fn rounds(each: &str, question: &str, item: &str, done: &str) -> Sketch {
    let text = format!("{{{{ {item} }}}} {{{{ index }}}}?");
    flow("f")
        .node(each, "for_each", json!({"from": "context.items", "as": item}))
        .apart(question, "ask", json!({"text": text, "save_to": "said"}))
        .apart("done", "send_message", json!({"text": done}))
        .edge(each, "each", question)
        .edge(question, "valid", each)
        .edge(each, "done", "done")
}

/// S5, N12: a session in a loop is there with the same list, at the same place.
#[test]
fn a_session_in_a_loop_migrates_with_its_list() {
    let renamed = [("each", "loop"), ("q", "ask")];
    let swapped = [("each", "q"), ("q", "each")];
    for (each, question, item, nodes) in [
        ("each", "q", "item", &[][..]),
        ("each", "q", "tea", &[]),
        ("loop", "ask", "item", &renamed),
        ("q", "each", "tea", &swapped),
    ] {
        let first = rounds("each", "q", "item", "first");
        let second = rounds(each, question, item, "second");
        let versions = [&first, &second].map(|sketch| Flow::from_json(&sketch.json()).unwrap());
        let world = World::with([first]);
        block_on(world.flows().set_logging(&id("f"), true)).unwrap();
        let items = json!({"items": ["a", "b", "c"]});
        let session = world.begin(ada("f").context(items)).session_id;
        world.say("yes");
        world.publish([second]);
        migrate(&world, session, 2, nodes).unwrap();
        let record = serde_json::to_string(&world.session(session)).unwrap();
        let read: chatflow::Session = serde_json::from_str(&record).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), record);
        world.say("yes");
        world.say("yes");
        assert_eq!(world.sent(), ["a 0?", "b 1?", "c 2?", "second"], "{each} {question} {item}");
        let journal = world.journal(session);
        let replayed =
            replay(|_, version| versions.get(version.0 as usize - 1), &journal, &Limits::default());
        assert_eq!(replayed, Ok(world.session(session)), "{each} {question} {item}");
    }
}

/// S5, N12: where the version has no such loop, or the session is not in its body, it has left it.
#[test]
fn a_session_that_leaves_its_loop_by_a_migration_is_in_none() {
    let world = World::with([rounds("each", "q", "item", "done")]);
    let session = world.begin(ada("f").context(json!({"items": ["a", "b"]}))).session_id;
    let alone = flow("f").node("q", "ask", json!({"text": "?", "save_to": "said"}));
    world.publish([alone.send("bye", "{{ item | default('none') }}")]);
    migrate(&world, session, 2, &[]).unwrap();
    world.say("yes");
    assert_eq!(world.sent(), ["a 0?", "none"]);
    assert_eq!(world.state(session), Status::Completed);
}
