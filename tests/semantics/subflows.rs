//! Flows that call flows: N9, S1, S5, S7, S9, D4, T6, L4.

use std::sync::{Arc, Mutex};

use chatflow::id::{FlowVersion, NodeId};
use chatflow::limits::Limits;
use chatflow::observer::EventKind;
use chatflow::ops::{JournalFilter, Rehearsal, SessionFilter, Unpublish};
use chatflow::session::EndReason;
use chatflow::store::{Catalogue, FlowChange, FlowSaved, FlowStore, MemoryFlows};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{
    Engine, FlowId, MemoryStore, Received, SessionId, Status, StoreError, TriggerRequest, Triggered,
    WorkspaceId,
};
use pollster::block_on;
use serde_json::{Value, json};

use crate::kit::*;
use crate::tapped::{Tapped, Write};

/// Calls this flow, and says what came of it.
fn caller(code: &str, callee: &str) -> Sketch {
    calling(code, json!({"flow": callee}))
}

fn calling(code: &str, call: Value) -> Sketch {
    flow(code).node("call", "call_flow", call).send("after", "back")
}

/// The same, with a way for faults and for silence.
fn cautious(code: &str, callee: &str) -> Sketch {
    let sketch = caller(code, callee);
    let sketch =
        sketch.apart("sorry", "send_message", json!({"text": "sorry"})).edge("call", "failed", "sorry");
    sketch.apart("gone", "send_message", json!({"text": "gone"})).edge("call", "expired", "gone")
}

/// Asks, and waits as long as the session lives.
fn asks(text: &str) -> Sketch {
    flow("child").send("ask", text).wait("wait").send("answer", &format!("{text} {{{{reply.text}}}}"))
}

/// Fails when it is answered.
fn fails(code: &str) -> Sketch {
    flow(code).wait("wait").send("before", "so far").send("bad", "{{1 / 0}}")
}

fn fault(world: &World, session: SessionId) -> (String, String, Option<FlowId>) {
    let session = world.session(session);
    let failure = session.failure().unwrap();
    (failure.code.to_string(), failure.node.to_string(), failure.flow.clone())
}

// --- N9: calls and returns
// -------------------------------------------------------------------------------------------------

/// N9, S5
#[test]
fn a_called_flow_stays_on_the_version_that_was_online_when_it_was_entered() {
    let world = World::with([
        asks("one"),
        caller("root", "child").node("again", "call_flow", json!({"flow": "child"})),
    ]);
    let session = world.start("root").session_id;
    world.publish([asks("two")]);
    world.say("a");
    assert_eq!(world.sent(), ["one", "one a", "back", "two"]);
    let session = world.session(session);
    assert_eq!(session.active(), (&id("child"), FlowVersion(2)));
    assert_eq!((session.flow(), session.version()), (&id("root"), FlowVersion(1)));
}

/// N9
#[test]
fn a_flow_that_is_not_online_takes_failed() {
    let world = World::new();
    block_on(world.flows().import(&asks("?").json())).unwrap();
    world.publish([cautious("root", "child"), caller("bold", "child")]);
    world.start("root");
    assert_eq!(world.sent(), ["sorry"]);
    let bold = world.start("bold").session_id;
    assert_eq!(fault(&world, bold), ("subflow_offline".to_owned(), "call".to_owned(), None));
    world.publish([asks("?")]);
    world.start("root");
    assert_eq!(world.sent(), ["?"]);
}

/// N9: its trigger does not matter.
#[test]
fn a_flow_that_messages_start_may_be_called_too() {
    let greets = flow("child").on(json!([{"match": "exact", "text": "hello"}])).send("s", "hello");
    let world = World::with([greets, caller("root", "child")]);
    world.start("root");
    assert_eq!(world.sent(), ["hello", "back"]);
}

/// N9, T4
#[test]
fn input_meets_the_policy_of_the_called_flows_start() {
    let takes = |world: &World, input: Value| {
        world.publish([calling("root", json!({"flow": "child", "input": input}))
            .apart("sorry", "send_message", json!({"text": "sorry"}))
            .edge("call", "failed", "sorry")]);
        let session = world.start("root").session_id;
        let dropped = world.notes().into_iter().filter_map(|note| match note {
            EventKind::InputDropped { key, session: of } if of == session => Some(key.to_string()),
            _ => None,
        });
        (world.sent().concat(), dropped.collect::<Vec<_>>())
    };
    let inputs = json!([{"name": "a b", "type": "number", "required": true}, {"name": "c", "default": "d"}]);
    let world =
        World::with([flow("child").start("inputs", inputs).send("s", "{{context['a b'] + 1}}{{c}}{{x}} ")]);
    assert_eq!(takes(&world, json!([])), ("sorry".to_owned(), vec![]));
    assert_eq!(takes(&world, json!([{"name": "a b", "value": null}])), ("sorry".to_owned(), vec![]));
    assert_eq!(takes(&world, json!([{"name": "a b", "value": "many"}])), ("sorry".to_owned(), vec![]));
    assert_eq!(
        takes(&world, json!([{"name": "a b", "expr": "1 + 1"}, {"name": "x", "value": 1}])),
        ("3d back".to_owned(), vec!["x".to_owned()])
    );
}

/// N9, T3
#[test]
fn a_called_flow_sees_its_own_names_and_leaves_the_callers_alone() {
    let child = flow("child").send("s", "{{vars.x}}|{{context.y}}|{{flow.id}} {{flow.version}}").node(
        "set",
        "set_variables",
        json!({"variables": [{"name": "x", "value": "theirs"}, {"name": "z", "value": "z"}]}),
    );
    let root = flow("root")
        .node("set", "set_variables", json!({"variables": [{"name": "x", "value": "mine"}, {"name": "w", "value": 1}]}))
        .node("call", "call_flow", json!({"flow": "child", "output": [
            {"name": "got", "expr": "vars.z"}, {"name": "from", "value": "{{flow.id}}"}, {"name": "w", "value": null}]}))
        .send("after", "{{vars.x}}|{{context.y}}|{{vars.z}}|{{got}} {{from}} {{vars.w is defined}} {{flow.id}}");
    let world = World::with([child, root]);
    world.begin(ada("root").context(json!({"y": "Y"})));
    assert_eq!(world.sent(), ["||child 1", "mine|Y||z child false root"]);
}

/// N9: an output that cannot be evaluated is a failure of the call.
#[test]
fn output_that_can_not_be_kept_takes_failed() {
    let call = json!({"flow": "child", "output": [{"name": "a", "expr": "1 / 0"}]});
    let root = calling("root", call).apart("sorry", "send_message", json!({"text": "sorry"}));
    let world = World::with([flow("child").send("s", "hi"), root.edge("call", "failed", "sorry")]);
    world.start("root");
    assert_eq!(world.sent(), ["hi", "sorry"]);
}

/// N9
#[test]
fn a_terminal_call_takes_the_callers_place() {
    let last = flow("last").wait("wait").node("end", "end", json!({"outcome": "served"}));
    let middle = flow("middle").node("call", "call_flow", json!({"flow": "last", "terminal": true}));
    let root =
        calling("root", json!({"flow": "middle", "output": [{"name": "how", "expr": "flow.outcome"}]}))
            .send("tell", "{{how}}");
    let world = World::with([last, middle, root]);
    let session = world.start("root").session_id;
    assert_eq!(world.place(session), ("wait".to_owned(), Status::Waiting));
    assert_eq!(block_on(world.bot.live_sessions(&id("middle"))).unwrap(), 0);
    world.say("x");
    assert_eq!(world.sent(), ["back", "served"]);
    let alone = world.start("middle").session_id;
    world.say("x");
    let alone = world.session(alone);
    assert_eq!((alone.status(), alone.outcome()), (Status::Completed, Some("served")));
    assert_eq!((alone.flow(), alone.active().0), (&id("middle"), &id("last")));
}

/// N6, N9
#[test]
fn each_call_counts_its_own_jumps() {
    let child = flow("child").send("s", "c").node("jump", "jump", json!({"target": "s", "max_jumps": 1}));
    let root = flow("root").node("call", "call_flow", json!({"flow": "child"})).node(
        "jump",
        "jump",
        json!({"target": "call", "max_jumps": 1}),
    );
    let world = World::with([child, root]);
    world.start("root");
    assert_eq!(world.sent(), ["c"; 4]);
}

/// I3, I4
#[test]
fn the_message_that_starts_a_flow_answers_the_first_question_of_the_flow_it_calls() {
    let child = flow("child").wait("wait").send("s", "you said {{reply.text}}");
    let world = World::with([child, caller("root", "child").on(json!([{"match": "any"}]))]);
    world.say("hi");
    assert_eq!(world.sent(), ["you said hi", "back"]);
}

// --- S9: faults
// -------------------------------------------------------------------------------------------------

/// N9, S9
#[test]
fn a_fault_takes_the_failed_edge_of_the_nearest_caller_that_has_one() {
    let world = World::with([fails("child"), caller("middle", "child"), cautious("root", "middle")]);
    let session = world.start("root").session_id;
    world.notes();
    world.say("x");
    assert_eq!(world.sent(), ["so far", "sorry"]);
    assert_eq!(world.place(session), ("sorry".to_owned(), Status::Completed));
    let notes = world.notes();
    let (flow, node) = (id("child"), NodeId::new("bad").unwrap());
    let code = chatflow::session::FailureCode::Expression;
    assert_eq!(notes, [EventKind::SubflowFailed { session, flow, node, code }]);
}

/// N9, S9
#[test]
fn a_fault_that_no_caller_has_an_edge_for_fails_the_session_with_its_cause() {
    let world = World::with([fails("child"), caller("middle", "child"), caller("root", "middle")]);
    let session = world.start("root").session_id;
    world.say("x");
    assert_eq!(world.sent(), [""; 0], "a turn that fails sends nothing");
    assert_eq!(fault(&world, session), ("expression".to_owned(), "bad".to_owned(), Some(id("child"))));
    assert_eq!(world.state(session), Status::Failed);
}

/// S7
#[test]
fn nodes_of_a_turn_count_across_flows_and_no_caller_goes_on_beyond() {
    let long = |code: &str| (0..30).fold(flow(code), |sketch, n| sketch.send(&format!("n{n}"), "x"));
    let limits = Limits { nodes_per_turn: 33, ..Limits::default() };
    let world = World::built(|builder| builder.limits(limits));
    world.publish([long("child"), cautious("root", "child"), flow("twice")]);
    assert_eq!(world.state(world.start("root").session_id), Status::Failed, "31 + 2 + 1 nodes");
    let world = World::built(|builder| builder.limits(Limits { nodes_per_turn: 34, ..Limits::default() }));
    world.publish([long("child"), cautious("root", "child")]);
    assert_eq!(world.state(world.start("root").session_id), Status::Completed);
}

/// S7
#[test]
fn variables_of_callers_count() {
    let limits = Limits { variable_bytes: 300, ..Limits::default() };
    let world = World::built(|builder| builder.limits(limits));
    let keeps = |code: &str| {
        flow(code).node(
            "set",
            "set_variables",
            json!({"variables": [{"name": "a", "value": "x".repeat(200)}]}),
        )
    };
    let root = keeps("root").node("call", "call_flow", json!({"flow": "child"}));
    let root =
        root.node("again", "set_variables", json!({"variables": [{"name": "a", "value": "y".repeat(250)}]}));
    world.publish([keeps("child"), root]);
    let session = world.start("root").session_id;
    assert_eq!(fault(&world, session), ("variables".to_owned(), "set".to_owned(), Some(id("child"))));
    world.publish([flow("child").send("s", "hi")]);
    assert_eq!(world.state(world.start("root").session_id), Status::Completed);
}

/// S7
#[test]
fn contexts_of_callers_count() {
    let limits = Limits { variable_bytes: 300, ..Limits::default() };
    let world = World::built(|builder| builder.limits(limits));
    let call = json!({"flow": "child", "input": [{"name": "a", "expr": "context.a"}]});
    world.publish([flow("child").send("s", "hi"), calling("root", call)]);
    let session = world.begin(ada("root").context(json!({"a": "x".repeat(200)}))).session_id;
    assert_eq!(fault(&world, session).0, "variables");
    let session = world.begin(ada("root").context(json!({"a": "x".repeat(100)}))).session_id;
    assert_eq!(world.state(session), Status::Completed);
}

/// S7
#[test]
fn calls_nest_so_deeply_and_one_deeper_fails() {
    let world = World::built(|builder| builder.limits(Limits { subflow_frames: 3, ..Limits::default() }));
    let down = flow("down").send("s", "down").wait("wait");
    world.publish([down.clone()]);
    let down = down.node("call", "call_flow", json!({"flow": "down"})).apart(
        "deep",
        "send_message",
        json!({"text": "deep"}),
    );
    world.publish([down.edge("call", "failed", "deep")]);
    world.start("down");
    for _ in 0..4 {
        world.say("x");
    }
    assert_eq!(world.sent(), ["down", "down", "down", "down", "deep"]);
    assert_eq!(Limits::default().subflow_frames, 8);
}

/// S14: a called flow whose definition is lost leaves the conversation untouched, until it is there
/// again.
#[test]
fn a_called_version_that_is_lost_is_waited_for() {
    let (store, flows) = (Arc::new(MemoryStore::new()), Arc::new(MemoryFlows::new()));
    let (clock, channel) = (ManualClock::default(), Recorder::new());
    let engine = |lost: &'static str| {
        let flows = Losing { flows: Arc::clone(&flows), lost };
        Engine::builder(Arc::clone(&store))
            .flow_store(flows)
            .clock(clock.clone())
            .transport(channel.clone())
            .build()
    };
    let bot = engine("");
    for sketch in [flow("child").wait_for("wait", "10m"), cautious("root", "child")] {
        block_on(bot.flows().ensure(&sketch.json())).unwrap();
    }
    let Triggered::Started(root) = block_on(bot.trigger(ada("root"))).unwrap() else { panic!() };
    let session = |bot: &Engine<Arc<MemoryStore>>| block_on(bot.session(root.session_id)).unwrap().unwrap();
    let before = session(&bot);
    let forgetful = engine("child");
    let refused = block_on(forgetful.receive(says("x"))).unwrap_err();
    assert_eq!(refused.to_string(), "version 1 of flow `child` is not stored");
    clock.advance(minutes(10));
    block_on(forgetful.tick(10)).unwrap();
    assert_eq!(session(&forgetful).session(), before.session());
    let stranded = block_on(forgetful.stranded(SessionFilter::all())).unwrap();
    assert_eq!((stranded.len(), &stranded[0].flow), (1, &id("child")));
    assert_eq!(block_on(forgetful.quarantined(None)).unwrap(), []);
    clock.advance(minutes(5));
    block_on(bot.tick(10)).unwrap();
    assert_eq!(channel.take_texts(), ["gone"], "its time was over all the same");
}

/// Has lost the definitions of a flow.
struct Losing {
    flows: Arc<MemoryFlows>,
    lost: &'static str,
}

impl FlowStore for Losing {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.flows.revision(workspace).await
    }
    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.flows.catalogue(workspace).await
    }
    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let found = self.flows.definition(workspace, flow, version).await?;
        Ok(found.filter(|_| flow.as_str() != self.lost))
    }
    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.flows.save(workspace, change).await
    }
}

/// S5: another process has not seen the versions that the session needs; it fetches them.
#[test]
fn another_process_goes_on_with_a_called_flow_of_an_older_version() {
    let (store, flows) = (Arc::new(MemoryStore::new()), Arc::new(MemoryFlows::new()));
    let (clock, channel) = (ManualClock::default(), Recorder::new());
    let engine = || {
        let builder = Engine::builder(Arc::clone(&store)).flow_store(Arc::clone(&flows));
        builder.clock(clock.clone()).transport(channel.clone()).build()
    };
    let bot = engine();
    let ensure = |sketch: Sketch| block_on(bot.flows().ensure(&sketch.json())).unwrap();
    ensure(asks("one"));
    ensure(caller("middle", "child"));
    ensure(caller("root", "middle"));
    block_on(bot.trigger(ada("root"))).unwrap();
    ensure(asks("two"));
    ensure(caller("middle", "child").send("more", "newer"));
    ensure(caller("root", "middle").send("more", "newer"));
    block_on(engine().receive(says("x"))).unwrap();
    assert_eq!(channel.take_texts(), ["one", "one x", "back", "back"]);
}

/// Store contract, rule 24: of a session that ended in the commit in which it called nothing is
/// said of calls, or a store that counts by an index would never stop counting it.
#[test]
fn a_session_that_ends_in_the_turn_of_its_call_counts_as_ended_alone() {
    let (called, ended) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let (calls, ends) = (Arc::clone(&called), Arc::clone(&ended));
    let store = Tapped::new(move |write| {
        if let Write::Commit(commit) = write {
            calls.lock().unwrap().extend(commit.called.iter().map(|(session, _)| *session));
            ends.lock().unwrap().extend(commit.ended.iter().map(|ended| ended.session().id()));
        }
    });
    let bot = Engine::builder(store)
        .flow_store(MemoryFlows::default())
        .clock(ManualClock::default())
        .transport(Recorder::new())
        .build();
    for sketch in [flow("child").send("s", "there"), caller("root", "child")] {
        block_on(bot.flows().ensure(&sketch.json())).unwrap();
    }
    let root = block_on(bot.trigger(ada("root"))).unwrap().session().unwrap().session_id;
    assert_eq!(*ended.lock().unwrap(), [root]);
    assert_eq!(*called.lock().unwrap(), []);
}

// --- S1: silence
// -------------------------------------------------------------------------------------------------

/// N9, N3
#[test]
fn a_question_that_nobody_answers_takes_the_expired_edge_of_the_nearest_caller_that_has_one() {
    let child = || flow("child").wait_for("wait", "5m");
    let world = World::with([child(), caller("middle", "child"), cautious("root", "middle")]);
    let session = world.start("root").session_id;
    world.tick_after(minutes(5));
    assert_eq!(world.sent(), ["gone"]);
    assert_eq!(world.place(session), ("gone".to_owned(), Status::Completed));
    world.publish([caller("root", "middle")]);
    let session = world.start("root").session_id;
    world.tick_after(minutes(5));
    assert_eq!(world.place(session), ("wait".to_owned(), Status::Expired));
}

/// N9, S1
#[test]
fn the_ttl_is_the_started_flows_and_its_end_takes_expired() {
    let child = asks("?").set("session_ttl_minutes", json!(60));
    let root = cautious("root", "child").set("session_ttl_minutes", json!(5)).wait("later");
    let world = World::with([child, root]);
    let session = world.start("root").session_id;
    world.tick_after(minutes(5) - A_MOMENT);
    assert_eq!(world.state(session), Status::Waiting);
    world.tick_after(A_MOMENT);
    assert_eq!(world.sent(), ["?", "gone"]);
    assert_eq!(world.place(session), ("later".to_owned(), Status::Waiting), "an interaction begins it anew");
    world.tick_after(minutes(5));
    assert_eq!(world.state(session), Status::Expired);
}

/// S2: as if it had been ticked at its time, a reply that comes later finds what came of it.
#[test]
fn a_reply_after_the_ttl_does_not_go_to_the_called_flow() {
    let world = World::with([asks("?"), cautious("root", "child")]);
    world.start("root");
    world.pass(minutes(31));
    assert_eq!(world.say("late"), Received::Unmatched);
    assert_eq!(world.sent(), ["?", "gone"]);
}

/// S1
#[test]
fn the_longest_life_is_the_end_for_callers_too() {
    let root =
        cautious("root", "child").set("session_ttl_minutes", json!(0)).set("max_lifetime", json!("1h"));
    let world = World::with([asks("?"), root]);
    let session = world.start("root").session_id;
    world.tick_after(hours(1));
    assert_eq!(world.sent(), ["?"]);
    assert_eq!(world.place(session), ("wait".to_owned(), Status::Expired));
}

/// S1, S7
#[test]
fn a_fixed_ttl_ends_a_caller_that_calls_again_and_again() {
    let root = flow("root").node("call", "call_flow", json!({"flow": "child"}));
    let root = root.set("ttl_mode", json!("fixed")).apart("rest", "delay", json!({"for": "1s"}));
    let root = root.edge("call", "expired", "rest").edge("rest", "next", "call");
    let world = World::with([asks("?"), root]);
    let session = world.start("root").session_id;
    world.tick_after(hours(1));
    assert!(!world.state(session).is_live(), "{:?}", world.place(session));
}

// --- T6, D4, L4, L6
// -------------------------------------------------------------------------------------------------

/// T6
#[test]
fn a_called_flow_does_not_count_as_running() {
    let world = World::with([asks("?"), caller("root", "child")]);
    let session = world.start("root");
    assert!(matches!(world.trigger(ada("root")), Triggered::AlreadyRunning(_)));
    world.start("child");
    assert_eq!(world.sessions(SessionFilter::all().flow(id("child"))).len(), 1);
    let of_root = world.sessions(SessionFilter::all().flow(id("root")));
    assert_eq!(of_root[0].session().id(), session.session_id);
}

/// D4
#[test]
fn a_called_flow_sends_from_its_own_sender_else_from_that_of_the_started_one() {
    const OUTLET: &str = "+15550111";
    let sent = |child: Sketch| {
        let world = World::with([flow("hello"), child, caller("root", "child")]);
        world.begin(ada("hello").contact_id("ada"));
        // By id alone: an address would be written to from the started flow's sender.
        world.trigger(TriggerRequest::new("root").contact_id("ada"));
        let sent = world.channel.take_new().remove(0);
        (sent.route.account.account.to_string(), sent.flow.clone())
    };
    let own = json!({"channel": "whatsapp", "account": OUTLET});
    let child = || flow("child").send("s", "hi");
    assert_eq!(sent(child().set("sender", own)), (OUTLET.to_owned(), id("child")));
    assert_eq!(sent(child().unset("sender")), (SHOP.to_owned(), id("child")));
}

/// L4
#[test]
fn sessions_in_calls_of_a_flow_are_live_sessions_of_it() {
    let world = World::with([asks("?"), caller("middle", "child"), caller("root", "middle")]);
    world.start("root");
    let live = |code: &str| block_on(world.bot.live_sessions(&id(code))).unwrap();
    assert_eq!(["root", "middle", "child"].map(live), [1, 1, 1]);
    for code in ["middle", "child"] {
        block_on(world.flows().unpublish(&id(code), Unpublish::Drain)).unwrap();
        assert_eq!(told(block_on(world.flows().delete(&id(code)))).0, "in_use");
    }
    world.say("x");
    assert_eq!(world.sent(), ["?", "? x", "back", "back"], "what drains goes on");
    assert_eq!(["root", "middle", "child"].map(live), [0, 0, 0]);
    block_on(world.flows().delete(&id("child"))).unwrap();
}

/// L4
#[test]
fn terminating_a_flow_cancels_sessions_in_calls_of_it() {
    for code in ["root", "middle", "child"] {
        let world = World::with([asks("?"), caller("middle", "child"), cautious("root", "middle")]);
        let session = world.start("root").session_id;
        block_on(world.flows().unpublish(&id(code), Unpublish::Terminate)).unwrap();
        world.tick();
        let session = world.session(session);
        assert_eq!(
            (session.status(), session.ended_by()),
            (Status::Cancelled, Some(EndReason::FlowTerminated))
        );
        assert_eq!(block_on(world.bot.live_sessions(&id(code))).unwrap(), 0);
    }
}

/// L6
#[test]
fn the_journal_tells_which_flow_a_node_is_of() {
    let world = World::with([flow("child").send("s", "hi"), caller("root", "child")]);
    block_on(world.flows().set_logging(&id("root"), true)).unwrap();
    let session = world.start("root").session_id;
    let steps = world.journal(session)[0].steps.clone();
    let told = |step: &chatflow::store::JournalStep| {
        let called = step.called.as_ref().map(|(flow, version)| format!("{flow} {version}"));
        format!("{} {} {}", called.unwrap_or_default(), step.node, step.branch.as_deref().unwrap_or("-"))
    };
    assert_eq!(
        steps.iter().map(told).collect::<Vec<_>>(),
        [" start next", " call -", "child 1 start next", "child 1 s next", " call next", " after next"]
    );
}

/// L6
#[test]
fn nodes_of_a_called_flow_are_not_counted_as_the_callers() {
    let child = flow("child")
        .send("after", "hi")
        .node("call", "set_variables", json!({"variables": []}))
        .wait("wait");
    let world = World::with([child.send("bad", "{{1 / 0}}"), cautious("root", "child")]);
    block_on(world.flows().set_logging(&id("root"), true)).unwrap();
    world.start("root");
    world.say("x");
    let counts = block_on(world.bot.node_counts(JournalFilter::of(id("root")))).unwrap();
    let shown = counts.iter().map(|count| format!("{} {} {:?}", count.node, count.visits, count.branches));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [r#"call 1 {"failed": 1}"#, r#"sorry 1 {"next": 1}"#, r#"start 1 {"next": 1}"#]
    );
}

/// S5
#[test]
fn a_session_in_a_called_flow_is_not_migrated() {
    let world = World::with([asks("?"), caller("root", "child")]);
    let session = world.start("root").session_id;
    world.publish([caller("root", "child").send("more", "more")]);
    let refused = told(block_on(world.bot.migrate(session, FlowVersion(2), &[])));
    assert!(refused.1.contains("it is in a flow that another one called"), "{}", refused.1);
    world.say("x");
    assert_eq!(world.sent(), ["?", "? x", "back"]);
}

/// L8
#[test]
fn a_rehearsal_calls_the_flows_that_it_is_given() {
    let root = cautious("root", "child").json();
    let mut alone = Rehearsal::of(&root).unwrap();
    alone.start(json!({})).unwrap();
    assert!(alone.transcript().to_string().contains("sorry"), "{}", alone.transcript());
    let mut both = Rehearsal::of(&root).unwrap().with_flow(&asks("?").json()).unwrap();
    both.start(json!({})).unwrap();
    both.say("x").unwrap();
    assert!(both.transcript().to_string().contains("back"), "{}", both.transcript());
}

/// T2, C
#[test]
fn a_flow_without_a_contact_can_not_call_one_that_needs_it() {
    let needy = [
        asks("?"),
        flow("child").wait("wait"),
        flow("child").node("hand", "handoff", json!({})),
        flow("child").node("hm", "typing", json!({"for": "1s"})),
    ];
    for child in needy {
        let world = World::with([child, flow("between").node("call", "call_flow", json!({"flow": "child"}))]);
        for callee in ["child", "between"] {
            let root = flow("root").unset("sender").start("contact", json!("none"));
            let root = root.node("call", "call_flow", json!({"flow": callee}));
            let (code, text) = told(block_on(world.flows().ensure(&root.json())));
            assert_eq!(code, "flow_has_issues");
            assert!(text.contains("runs without a contact"), "{text}");
        }
    }
    let silent = flow("silent").node("note", "log", json!({"text": "here"}));
    let root = flow("root").unset("sender").start("contact", json!("none"));
    World::with([silent, root.node("call", "call_flow", json!({"flow": "silent"}))]);
}
