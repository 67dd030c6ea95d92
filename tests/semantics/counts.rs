//! Counts without journals (SEMANTICS Q9).

use std::collections::BTreeMap;
use std::sync::Arc;

use chatflow::id::{FlowVersion, NodeId};
use chatflow::ops::{CountTotals, JournalFilter, SessionFilter};
use chatflow::store::{ConversationStore, DynStore, MemoryFlows};
use chatflow::testkit::{Fault, Faulty, ManualClock, Recorder};
use chatflow::{Builder, Engine, MemoryStore, Status, TriggerRequest};
use pollster::block_on;
use serde_json::json;

use crate::kit::*;
use crate::operators_kit;
use crate::tapped::{Tapped, Write};

fn counting(flows: impl IntoIterator<Item = Sketch>) -> World {
    let world = World::built(|builder| builder.count_nodes(true));
    world.publish(flows);
    world
}

fn total(world: &World, flow: &str) -> CountTotals {
    block_on(world.bot.counts(&id(flow), ..)).unwrap().total
}

fn nodes(totals: &CountTotals) -> Vec<(&str, u64)> {
    totals.nodes.iter().map(|(node, times)| (node.as_str(), *times)).collect()
}

/// Q9
#[test]
fn q9_counts_are_what_journals_say() {
    let store = Arc::new(MemoryStore::new());
    block_on(operators_kit::counts_are_what_journals_say(async || Arc::clone(&store)));
}

/// Q9
#[test]
fn q9_what_many_do_at_once_is_counted_once() {
    let store = Arc::new(MemoryStore::new());
    block_on(operators_kit::counts_of_many_at_once(async || Arc::clone(&store)));
}

/// Q9: through a store whose type is chosen at run time, too.
#[test]
fn q9_counts_pass_through_an_erased_store() {
    let store = DynStore::new(MemoryStore::new());
    block_on(operators_kit::counts_are_what_journals_say(async || store.clone()));
}

/// Q9: off by default.
#[test]
fn q9_without_being_asked_nothing_is_counted() {
    let world = World::with([question("cart")]);
    world.start("cart");
    assert_eq!(total(&world, "cart"), CountTotals::default());
}

/// Q9, N9: a node counts for its own flow, a start and an end for the flow that was started.
#[test]
fn q9_nodes_of_a_called_flow_are_its_own() {
    let child = flow("child").wait("wait");
    let root = flow("root").node("call", "call_flow", json!({"flow": "child"})).send("bye", "Bye");
    let world = counting([child, root]);
    block_on(world.flows().set_logging(&id("root"), true)).unwrap();
    world.start("root");
    world.say("fine");
    let (root, child) = (total(&world, "root"), total(&world, "child"));
    assert_eq!(nodes(&root), [("bye", 1), ("call", 1), ("start", 1)]);
    assert_eq!((root.started, &root.ended), (1, &BTreeMap::from([(Status::Completed, 1)])));
    assert_eq!(nodes(&child), [("start", 1), ("wait", 1)]);
    assert_eq!((child.started, child.ended.len()), (0, 0));
    let journalled = block_on(world.bot.node_counts(JournalFilter::of(id("root")))).unwrap();
    let visits: Vec<_> = journalled.iter().map(|count| (count.node.as_str(), count.visits)).collect();
    assert_eq!(nodes(&root), visits);
}

/// Q9: loops, questions that are asked again, reminders, faults: as journals have it.
#[test]
fn q9_each_way_to_a_node_counts_as_journals_have_it() {
    let round = flow("round")
        .node("ask", "ask", json!({"text": "A number?", "expect": "number", "save_to": "n"}))
        .node("again", "jump", json!({"target": "ask", "max_jumps": 2}))
        .send("bad", "{{ 1 / 0 }}")
        .set("reminder", json!({"before": "5m", "node": "soon"}))
        .apart("soon", "send_message", json!({"text": "Still there?"}));
    let world = counting([round]);
    block_on(world.flows().set_logging(&id("round"), true)).unwrap();
    world.start("round");
    world.tick_after(minutes(26));
    for text in ["x", "1", "2", "y", "3"] {
        world.say(text);
        world.pass(minutes(1));
    }
    let counts = total(&world, "round");
    let journalled = block_on(world.bot.node_counts(JournalFilter::of(id("round")))).unwrap();
    let visits: Vec<_> = journalled.iter().map(|count| (count.node.as_str(), count.visits)).collect();
    assert_eq!(nodes(&counts), visits);
    assert!(visits.contains(&("ask", 3)) && visits.contains(&("soon", 1)), "{visits:?}");
    assert_eq!(counts.ended, BTreeMap::from([(Status::Failed, 1)]));
}

/// Q9, S5: a session that was migrated started in one version and ended in another.
#[test]
fn q9_versions_are_counted_apart() {
    let world = counting([question("cart")]);
    let session = world.start("cart").session_id;
    world.publish([question("cart").send("more", "More")]);
    let online = world.status("cart").online.unwrap();
    block_on(world.bot.migrate(session, online, &[])).unwrap();
    world.say("fine");
    let counts = block_on(world.bot.counts(&id("cart"), ..)).unwrap();
    let told = |version: u32| {
        let counts = &counts.versions[&FlowVersion(version)];
        let (node, waits) = (NodeId::new("more").unwrap(), NodeId::new("wait").unwrap());
        (
            counts.started,
            counts.ended.len(),
            counts.nodes.get(&node).copied(),
            counts.nodes.get(&waits).copied(),
        )
    };
    assert_eq!((told(1), told(2)), ((1, 0, None, Some(1)), (0, 1, Some(1), None)));
    assert_eq!((counts.total.started, counts.total.ended.len()), (1, 1));
}

fn on<S: ConversationStore>(store: S) -> Builder<S> {
    Engine::builder(store).transport(Recorder::new()).clock(ManualClock::default())
}

/// Q9, D6: a commit that fails counts nothing; whatever the caller does then, the turn counts once.
#[test]
fn q9_a_turn_counts_once_whatever_its_commit_went_through() {
    for fault in [Fault::Before, Fault::UnknownBefore, Fault::After] {
        let memory = Arc::new(MemoryStore::new());
        let store = Faulty::new(Arc::clone(&memory));
        let (bot, reader) = (on(store.clone()).count_nodes(true).build(), on(memory).build());
        block_on(bot.flows().ensure(&question("cart").json())).unwrap();
        let begin = || block_on(bot.trigger(TriggerRequest::new("cart").phone(ADA).uuid("once")));
        let started = || block_on(reader.counts(&id("cart"), ..)).unwrap().total;
        store.fail_after(1, fault);
        let first = begin();
        assert_eq!(first.is_err(), fault == Fault::Before, "{first:?}");
        assert_eq!(started().started, u64::from(fault != Fault::Before), "{fault:?}");
        begin().unwrap();
        assert_eq!(started().started, 1, "{fault:?}");
        assert_eq!(nodes(&started()), [("ask", 1), ("start", 1), ("wait", 1)], "{fault:?}");
        let sessions = block_on(reader.sessions(SessionFilter::all())).unwrap();
        assert_eq!(sessions.len(), 1);
    }
}

/// Q9: a store that keeps no counters says so, and is handed none.
#[test]
fn q9_a_store_without_counters_says_so() {
    let store = Tapped::new(|write| {
        if let Write::Commit(commit) = write {
            assert!(commit.counts.is_empty());
        }
    });
    let bot = on(store).flow_store(MemoryFlows::default()).count_nodes(true).build();
    block_on(bot.flows().ensure(&question("cart").json())).unwrap();
    block_on(bot.trigger(TriggerRequest::new("cart").phone(ADA))).unwrap();
    let error = block_on(bot.counts(&id("cart"), ..)).unwrap_err();
    assert!(!error.is_retryable() && error.to_string().contains("keeps no counters"), "{error}");
}
