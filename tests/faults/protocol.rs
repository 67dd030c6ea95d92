//! The protocol of leases and settles, where only one order of events shows that a rule is kept.

use std::sync::{Arc, Mutex};

use chatflow::id::FlowVersion;
use chatflow::store::{Catalogue, FlowChange, FlowSaved, FlowStore, MemoryFlows};
use chatflow::testkit::{Fault, Faulty, StoreOperation};
use chatflow::{Engine, FlowId, Receipt, SendError, StoreError, WorkspaceId, send_fn};
use chrono::TimeDelta;
use pollster::block_on;

use crate::kit::{Setup, World, poll_some};
use crate::scenarios::{flows, trigger};

type Hook = Box<dyn FnOnce() + Send>;

/// A flow store that lets something happen while a definition is read for the first time.
#[derive(Clone)]
struct Interrupted {
    inner: Arc<MemoryFlows>,
    hook: Arc<Mutex<Option<Hook>>>,
}

impl FlowStore for Interrupted {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        self.inner.revision(workspace).await
    }
    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        self.inner.catalogue(workspace).await
    }
    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        if version == Some(FlowVersion(1))
            && let Some(hook) = self.hook.lock().unwrap().take()
        {
            hook();
        }
        self.inner.definition(workspace, flow, version).await
    }
    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.inner.save(workspace, change).await
    }
}

/// INV-O6: a claim whose lease went to somebody else while a definition was read sends nothing.
#[test]
fn a_claim_that_lost_its_lease_before_its_first_decision_sends_nothing() {
    let world = World::with_flows(Setup { deferred: true, ..Setup::default() }, &flows(&["ask"]));
    let _ = block_on(world.engine().trigger(trigger("ask", None))).unwrap();
    let newer = flows(&["ask"]).remove(0).replace("How are you?", "Well?");
    block_on(world.engine().flows().ensure(&newer)).unwrap();

    let elsewhere = Engine::builder(Arc::clone(&world.store))
        .clock(world.clock.clone())
        .flow_store(world.flows())
        .transport(send_fn(|_| std::future::pending::<Result<Receipt, SendError>>()))
        .build();
    let (there, plan) = (world.clone(), world.plan.clone());
    let hook = move || {
        there.pass(TimeDelta::seconds(61));
        // The other process has the lease, and a message on its way.
        let mut working = Box::pin(async move { elsewhere.tick(10).await.map(|_| ()) });
        assert!(poll_some(&plan, 1, working.as_mut()).is_none());
        std::mem::forget(working);
    };
    let flows = Interrupted { inner: world.flows(), hook: Arc::new(Mutex::new(Some(Box::new(hook)))) };
    let slow = Engine::builder(Arc::clone(&world.store))
        .clock(world.clock.clone())
        .flow_store(flows.clone())
        .transport(world.wire.clone())
        .build();
    let _ = block_on(slow.tick(10)).unwrap();
    assert!(flows.hook.lock().unwrap().is_none(), "the definition was read");
    assert_eq!(world.wire.taken().len(), 0);
}

/// Store contract, rule 16: a settle of unknown outcome is repeated unchanged, so that nothing is
/// sent again after the lease.
#[test]
fn a_settle_of_unknown_outcome_is_repeated() {
    for fault in [Fault::UnknownBefore, Fault::After] {
        let world = World::with_flows(Setup::default(), &flows(&["once"]));
        let store = Faulty::new(Arc::clone(&world.store));
        store.fail_after(2, fault);
        let engine = world.engine_on(store.clone());
        let _ = block_on(engine.trigger(trigger("once", None))).unwrap();
        assert_eq!(
            store.log(),
            [StoreOperation::Load, StoreOperation::Commit, StoreOperation::Settle, StoreOperation::Settle]
        );
        let sent = world.wire.taken().len();
        world.pass(TimeDelta::seconds(61));
        world.tick_out();
        assert_eq!(world.wire.taken().len(), sent);
    }
}
