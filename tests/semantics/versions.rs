//! S13, S14: a version is its content, and what a process does that cannot use the version of a
//! session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chatflow::calls::Answer;
use chatflow::error::MissingReason;
use chatflow::flow::KeywordAction;
use chatflow::id::FlowVersion;
use chatflow::limits::Limits;
use chatflow::observer::EventKind;
use chatflow::ops::{SessionFilter, Unpublish};
use chatflow::store::*;
use chatflow::testkit::{Faulty, ManualClock, Recorder};
use chatflow::{
    CallError, Channel, Clock, Engine, Error, Event, FlowId, Inbound, MemoryStore, Received, SendError,
    Status, StoreError, WorkspaceId, call_fn, send_fn,
};
use chrono::TimeDelta;
use pollster::block_on;
use serde_json::json;

use crate::kit::*;
use crate::tapped::Tapped;
use crate::versions_kit;

type Bot = Engine<Arc<MemoryStore>>;

/// Processes on one store.
struct Processes {
    store: Arc<MemoryStore>,
    clock: ManualClock,
    channel: Recorder,
}

impl Processes {
    fn new() -> Self {
        Self { store: Arc::default(), clock: ManualClock::default(), channel: Recorder::new() }
    }

    fn begin(&self, flows: impl FlowStore + 'static) -> chatflow::Builder<Arc<MemoryStore>> {
        let builder = Engine::builder(Arc::clone(&self.store)).flow_store(flows);
        builder.clock(self.clock.clone()).transport(self.channel.clone())
    }
}

fn ensure(bot: &Bot, sketch: &Sketch) {
    block_on(bot.flows().ensure(&sketch.json())).unwrap();
}

fn code<T: std::fmt::Debug>(answer: Result<T, Error>) -> &'static str {
    answer.unwrap_err().code()
}

/// S13
#[test]
fn a_restart_with_an_edited_flow_changes_no_session() {
    let store = Arc::new(MemoryStore::new());
    block_on(versions_kit::a_restart_with_an_edited_flow(async || Arc::clone(&store)));
}

/// S13
#[test]
fn a_session_goes_on_only_where_its_own_text_is() {
    let store = Arc::new(MemoryStore::new());
    block_on(versions_kit::two_builds_on_one_store(async || Arc::clone(&store)));
}

/// S14
#[test]
fn what_does_not_compile_here_is_left_untouched() {
    let store = Arc::new(MemoryStore::new());
    block_on(versions_kit::a_process_with_smaller_limits(async || Arc::clone(&store)));
}

/// S14, N9
#[test]
fn a_call_of_what_cannot_be_read_does_not_fail() {
    let store = Arc::new(MemoryStore::new());
    block_on(versions_kit::a_call_of_what_cannot_be_read(async || Arc::clone(&store)));
}

/// S14
#[test]
fn an_operator_gets_sessions_off_a_version_that_is_missing() {
    let store = Arc::new(MemoryStore::new());
    block_on(versions_kit::ways_out(async || Arc::clone(&store)));
}

/// S13: what is answered names the content, when it is repeated too.
#[test]
fn a_reference_to_a_session_carries_the_content_of_its_version() {
    let world = World::with([question("q")]);
    let started = world.begin(ada("q").uuid("once"));
    let versions = block_on(world.flows().versions(&id("q"))).unwrap();
    assert_eq!(started.flow_digest, Some(versions[0].digest));
    assert_eq!(world.session(started.session_id).digest(), started.flow_digest);
    world.publish([question("q").send("more", "newer")]);
    let replayed = world.trigger(ada("q").uuid("once")).session().unwrap().clone();
    assert!(replayed.replayed);
    assert_eq!(replayed.flow_digest, started.flow_digest);
    let running = world.trigger(ada("q")).session().unwrap().clone();
    assert_eq!(running.flow_digest, started.flow_digest);
}

/// S13: a store without flows needs a word; nothing is kept in the process by itself.
#[test]
fn a_store_that_keeps_no_flows_says_what_to_do() {
    let bot = Engine::builder(Tapped::new(|_| ())).build();
    let error = block_on(bot.flows().ensure(&question("q").json())).unwrap_err();
    assert!(error.to_string().contains("Builder::flow_store"), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(block_on(bot.tick(10)).unwrap().worked, 0);
    let given = Engine::builder(Tapped::new(|_| ())).flow_store(MemoryFlows::new()).build();
    block_on(given.flows().ensure(&question("q").json())).unwrap();
    let wrapped = Engine::builder(Faulty::new(MemoryStore::new())).build();
    block_on(wrapped.flows().ensure(&question("q").json())).unwrap();
}

/// Has lost the definitions of its flows, for a time.
#[derive(Clone)]
struct Losing(Arc<(MemoryFlows, AtomicBool)>);

impl FlowStore for Losing {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.0.0.revision(workspace).await
    }
    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.0.0.catalogue(workspace).await
    }
    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let found = self.0.0.definition(workspace, flow, version).await?;
        Ok(found.filter(|_| !self.0.1.load(Ordering::SeqCst)))
    }
    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.0.0.save(workspace, change).await
    }
}

/// Another program has rewritten the definitions: none has an entry node.
struct Startless(Arc<MemoryFlows>);

impl FlowStore for Startless {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.0.revision(workspace).await
    }
    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.0.catalogue(workspace).await
    }
    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let found = self.0.definition(workspace, flow, version).await?;
        Ok(found.map(|text| {
            let mut flow: serde_json::Value = serde_json::from_str(&text).unwrap();
            flow["nodes"].as_array_mut().unwrap().retain(|node| node["kind"] != "start");
            flow["edges"].as_array_mut().unwrap().retain(|edge| edge["from"] != "start");
            flow.to_string().into()
        }))
    }
    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.0.save(workspace, change).await
    }
}

/// T1: an online version without an entry node, which publishing would have refused.
#[test]
fn t1_a_version_without_an_entry_node_is_not_started() {
    let processes = Processes::new();
    let flows = Arc::new(MemoryFlows::new());
    let publisher: Bot = processes.begin(Arc::clone(&flows)).build();
    ensure(&publisher, &question("q"));
    let bot: Bot = processes.begin(Startless(flows)).build();
    let error = block_on(bot.trigger(ada("q"))).unwrap_err();
    assert_eq!((error.code(), error.http_status(), error.is_retryable()), ("no_entry_node", 422, false));
    assert_eq!(error.to_string(), "flow `q` has no entry node");
    assert!(processes.channel.sent().is_empty());
    assert!(block_on(bot.sessions(SessionFilter::all())).unwrap().is_empty());
}

/// S14: that a version is missing is not believed for long, nor once the flows have changed.
#[test]
fn a_version_that_comes_back_is_found() {
    let processes = Processes::new();
    let flows = Losing(Arc::new((MemoryFlows::new(), AtomicBool::new(false))));
    let bot: Bot = processes.begin(flows.clone()).build();
    ensure(&bot, &question("q"));
    block_on(bot.trigger(ada("q"))).unwrap();
    flows.0.1.store(true, Ordering::SeqCst);
    let restarted: Bot = processes.begin(flows.clone()).build();
    assert_eq!(code(block_on(restarted.receive(says("x")))), "version_missing");
    flows.0.1.store(false, Ordering::SeqCst);
    assert_eq!(code(block_on(restarted.receive(says("x")))), "version_missing", "for a moment");
    processes.clock.advance(seconds(6));
    assert!(matches!(block_on(restarted.receive(says("x"))), Ok(Received::Consumed { .. })));

    let other: Bot = processes.begin(MemoryFlows::new()).build();
    let forth = question("q").send("more", "and more");
    ensure(&bot, &forth);
    block_on(bot.trigger(ada("q"))).unwrap();
    assert_eq!(code(block_on(other.receive(says("x")))), "version_missing");
    ensure(&other, &question("q"));
    assert_eq!(code(block_on(other.receive(says("x")))), "version_missing");
    ensure(&other, &forth);
    assert!(matches!(block_on(other.receive(says("x"))), Ok(Received::Consumed { .. })));
}

/// S14: the event names what is lacking, and a tick puts the conversation off.
#[test]
fn an_event_tells_what_is_missing() {
    let processes = Processes::new();
    let flows = Arc::new(MemoryFlows::new());
    let large: Bot = processes.begin(Arc::clone(&flows)).build();
    ensure(&large, &question("q"));
    block_on(large.trigger(ada("q"))).unwrap();
    let (sender, events) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let watch = move |event: &Event| sender.lock().unwrap().send(event.kind.clone()).unwrap();
    struct Watch<F>(F);
    impl<F: Fn(&Event) + Send + Sync> chatflow::Observer for Watch<F> {
        fn observe(&self, event: &Event) {
            (self.0)(event);
        }
    }
    let limits = Limits { nodes: 1, ..Limits::default() };
    let small: Bot = processes.begin(flows).limits(limits).observer(Watch(watch)).build();
    processes.clock.advance(days(40));
    for _ in 0..3 {
        let _ = block_on(small.tick(10)).unwrap();
    }
    let told: Vec<EventKind> = events.try_iter().collect();
    assert!(
        matches!(&told[..], [EventKind::VersionMissing { flow, version: FlowVersion(1), reason: MissingReason::NotReadable(_) }] if *flow == id("q")),
        "{told:?}"
    );
}

/// S14: of a version that cannot be read here nobody starts, by a call or by a message; nothing is
/// written.
#[test]
fn nobody_starts_on_a_version_that_cannot_be_read_here() {
    let processes = Processes::new();
    let flows = Arc::new(MemoryFlows::new());
    let large: Bot = processes.begin(Arc::clone(&flows)).build();
    ensure(&large, &question("q"));
    let hello = flow("hello").on(json!([{"match": "any"}])).send("hi", "Hello").send("more", "More");
    block_on(large.flows().ensure_on(&hello.json(), [account(SHOP)])).unwrap();
    let limits = Limits { nodes: 2, ..Limits::default() };
    let small: Bot = processes.begin(flows).limits(limits).build();
    assert_eq!(code(block_on(small.trigger(ada("q")))), "version_missing");
    assert_eq!(code(block_on(small.receive(says("x")))), "version_missing");
    assert!(block_on(small.sessions(SessionFilter::all())).unwrap().is_empty());
    assert!(matches!(block_on(large.receive(says("x"))), Ok(Received::Started { .. })));
    // The contact is known now.
    assert_eq!(code(block_on(small.receive(says("y").id("m1")))), "version_missing");
    assert!(matches!(block_on(large.receive(says("y").id("m1"))), Ok(Received::Started { .. })));
    assert_eq!(processes.channel.take_texts(), ["Hello", "More", "Hello", "More"]);
}

/// S14, I6: words of opting out work all the same.
#[test]
fn a_word_of_opting_out_works_without_the_version() {
    let processes = Processes::new();
    let (here, there): (Bot, Bot) =
        (processes.begin(MemoryFlows::new()).build(), processes.begin(MemoryFlows::new()).build());
    ensure(&here, &question("q"));
    let session = block_on(here.trigger(ada("q"))).unwrap().session().unwrap().session_id;
    let stop = Inbound::text(Channel::WhatsApp, SHOP, ADA, "Stop");
    let answer = block_on(there.receive(stop)).unwrap();
    assert_eq!(answer, Received::Keyword { action: KeywordAction::OptOut });
    let session = block_on(here.session(session)).unwrap().unwrap();
    assert_eq!(session.session().status(), Status::Cancelled);
}

/// S14, L4: a terminated version ends its sessions, readable or not.
#[test]
fn a_terminated_version_that_cannot_be_read_ends_its_sessions() {
    let processes = Processes::new();
    let flows = Arc::new(MemoryFlows::new());
    let large: Bot = processes.begin(Arc::clone(&flows)).build();
    ensure(&large, &question("q"));
    let session = block_on(large.trigger(ada("q"))).unwrap().session().unwrap().session_id;
    let limits = Limits { nodes: 1, ..Limits::default() };
    let small: Bot = processes.begin(flows).limits(limits).build();
    block_on(small.flows().unpublish(&id("q"), Unpublish::Terminate)).unwrap();
    let _ = block_on(small.tick(10)).unwrap();
    let session = block_on(large.session(session)).unwrap().unwrap();
    assert_eq!(session.session().status(), Status::Cancelled);
}

/// S10, S14: a handoff that ends where another session of the contact cannot be read suspends that
/// one no longer: a process that can read it finds it due.
#[test]
fn a_handoff_that_ends_without_a_version_suspends_nobody_for_good() {
    let processes = Processes::new();
    let here: Bot = processes.begin(MemoryFlows::new()).build();
    let there: Bot = processes.begin(MemoryFlows::new()).build();
    ensure(&here, &flow("f").wait_for("stop", "7m"));
    ensure(&here, &flow("h").node("agent", "handoff", json!({})));
    let waiting = block_on(here.trigger(ada("f"))).unwrap().session().unwrap().session_id;
    let handed_over = block_on(here.trigger(ada("h"))).unwrap().session().unwrap().session_id;
    let _ = block_on(there.cancel(handed_over)).unwrap();
    assert_eq!(block_on(here.tick(10)).unwrap().worked, 1, "what was suspended continues at once");
    processes.clock.advance(TimeDelta::minutes(7));
    let _ = block_on(here.tick(10)).unwrap();
    let session = block_on(here.session(waiting)).unwrap().unwrap();
    assert!(!session.session().status().is_live(), "{:?}", session.session());
}

/// S9, S14: whatever a session waits for, its end clears it, with its version at hand or without.
#[test]
fn a_session_that_is_cancelled_without_its_version_waits_for_nothing() {
    let stops = [
        flow("f").wait_for("stop", "10m"),
        flow("f").delay("stop", "10m"),
        flow("f").node("stop", "function", json!({"function": "find"})).send("more", "More"),
        flow("f").send("stop", "Hi").send("sorry", "Sorry").edge("stop", "failed", "sorry"),
        flow("f").node("stop", "handoff", json!({"timeout": "10m"})),
    ];
    for (sketch, is_handed_over) in stops.iter().flat_map(|sketch| [(sketch, false), (sketch, true)]) {
        let processes = Processes::new();
        let here = processes.begin(MemoryFlows::new());
        let here = here.transport(send_fn(|_| async { Err(SendError::retry("busy")) }));
        let here: Bot = here.calls(call_fn(|_| async { Ok::<_, CallError>(Answer::Later) })).build();
        let there: Bot = processes.begin(MemoryFlows::new()).build();
        ensure(&here, sketch);
        let id = block_on(here.trigger(ada("f"))).unwrap().session().unwrap().session_id;
        if is_handed_over {
            block_on(here.handoff(id)).unwrap();
        }
        let _ = block_on(there.cancel(id)).unwrap();
        let record = block_on(there.session(id)).unwrap().unwrap();
        let session = record.session();
        assert_eq!((session.status(), session.ended_at()), (Status::Cancelled, Some(processes.clock.now())));
        assert_eq!(
            (session.deadline(), session.expires_at(), session.awaits(), session.call(), session.handoff()),
            (None, None, None, None, None),
            "{} handed over: {is_handed_over}",
            sketch.json(),
        );
    }
}
