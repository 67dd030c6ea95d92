//! What names and people that nobody knows leave behind: nothing that lasts (SEMANTICS S19), and nothing that ticks have to
//! walk through.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chatflow::engine::Unpublish;
use chatflow::store::{Catalogue, FlowChange, FlowSaved, FlowStore, MemoryFlows};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow::{Engine, FlowId, FlowVersion, MemoryStore, Status, StoreError, WorkspaceId};
use chrono::TimeDelta;
use pollster::block_on;

use crate::kit::*;

/// Counts what it is asked.
#[derive(Clone, Default)]
struct Counted(Arc<(MemoryFlows, AtomicUsize)>);

impl Counted {
    fn asked(&self) -> &MemoryFlows {
        self.0.1.fetch_add(1, Ordering::Relaxed);
        &self.0.0
    }

    fn take_count(&self) -> usize {
        self.0.1.swap(0, Ordering::Relaxed)
    }
}

impl FlowStore for Counted {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.asked().revision(workspace).await
    }

    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.asked().catalogue(workspace).await
    }

    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        self.asked().definition(workspace, flow, version).await
    }

    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.asked().save(workspace, change).await
    }

    async fn terminated(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        self.asked().terminated().await
    }
}

#[test]
fn an_idle_tick_asks_the_same_whatever_names_were_heard() {
    let flows = Counted::default();
    let world = World::built(|builder| builder.flow_store(flows.clone()));
    let ask = |ticks: i64| {
        flows.take_count();
        for _ in 0..ticks {
            world.tick_after(TimeDelta::seconds(2));
        }
        flows.take_count()
    };
    let before = ask(100);
    for number in 0..3_000 {
        let bot = world.bot.in_workspace(format!("tenant-{number}"));
        assert_eq!(told(block_on(bot.trigger(ada("hello")))).0, "flow_not_found");
    }
    assert_eq!(ask(100), before);
    assert_eq!(before, 100, "which workspaces have terminated versions, once a tick");
}

#[test]
fn what_drained_is_looked_at_once_a_minute() {
    let flows = Counted::default();
    let world = World::built(|builder| builder.flow_store(flows.clone()));
    world.publish([question("hello")]);
    block_on(world.flows().unpublish(&id("hello"), Unpublish::Terminate)).unwrap();
    world.tick_after(TimeDelta::minutes(1));
    flows.take_count();
    for _ in 0..60 {
        world.tick_after(TimeDelta::seconds(1));
    }
    let asked = flows.take_count();
    assert!((60..=62).contains(&asked), "once a second, and the workspace itself once: {asked}");
}

/// SEMANTICS L4: also where the process forgot the workspace.
#[test]
fn a_terminated_version_is_worked_in_a_workspace_that_was_forgotten() {
    let (store, flows) = (Arc::new(MemoryStore::new()), Arc::new(MemoryFlows::new()));
    let clock = ManualClock::default();
    let bot = Engine::builder(Arc::clone(&store))
        .flow_store(Arc::clone(&flows))
        .transport(Recorder::new())
        .clock(clock.clone())
        .cached_workspaces(2)
        .build();
    let tenant = bot.in_workspace("tenant");
    block_on(tenant.flows().ensure(&question("hello").json())).unwrap();
    let started = block_on(tenant.trigger(ada("hello"))).unwrap();
    let session = started.session().unwrap().session_id;
    drop(tenant);
    for number in 0..10 {
        bot.in_workspace(format!("other-{number}"));
    }
    // By a process that dies before it makes its sessions due.
    let elsewhere = Engine::builder(MemoryStore::new()).flow_store(flows).clock(clock.clone()).build();
    let elsewhere = elsewhere.in_workspace("tenant");
    block_on(elsewhere.flows().unpublish(&id("hello"), Unpublish::Terminate)).unwrap();
    clock.advance(TimeDelta::seconds(1));
    block_on(bot.tick(10)).unwrap();
    let session = block_on(bot.in_workspace("tenant").session(session)).unwrap().unwrap();
    assert_eq!(session.session().status(), Status::Cancelled);
}
