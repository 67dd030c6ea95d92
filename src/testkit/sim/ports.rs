//! The store, the channel and the host of a simulation: pending before and after each call, so that
//! whatever dies there dies at every place; and failing as the table says.

use std::future::{pending, poll_fn};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use super::defects::Defect;
use super::dice::Dice;
use super::faults::{SimFault, SimFaults};
use super::oracle::Oracle;
use super::people::{Person, address_of};
use crate::address::Address;
use crate::calls::{Answer, Call, CallRef, CallResult, Calls};
use crate::error::{CallError, SendError, StoreError};
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::session::Outbound;
use crate::store::{
    Catalogue, CatalogueChanges, Commit, Committed, ConversationStore, Due, DynFlowStore, Erase, FlowChange,
    FlowSaved, FlowsFuture, Leased, Live, Loaded, Lookup, Purge, Purged, Removed, Settle, Settled,
    SharedFlows, Txn,
};
use crate::transport::{Receipt, Transport};

/// So many operations of the store a run may have: 20 times those of usual ones.
const MOST_OPERATIONS: u64 = 100_000;

/// The state that all ports of a simulation share.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    pub(super) dice: Dice,
    pub(super) faults: Arc<SimFaults>,
    /// Set at the end: nothing goes wrong any more, and nothing waits.
    pub(super) is_over: Arc<AtomicBool>,
    pub(super) writes: Arc<AtomicU64>,
    /// Operations of the store so far.
    pub(super) spent: Arc<AtomicU64>,
    pub(super) oracle: Arc<Mutex<Oracle>>,
    pub(super) asked: Arc<Mutex<Vec<CallRef>>>,
    pub(super) defect: Option<Defect>,
    /// The number of operations that the store itself is at.
    pub(super) busy: Arc<AtomicU64>,
}

/// The store itself is at something, until this is dropped.
struct Busy<'a>(&'a AtomicU64);

impl<'a> Busy<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Weather {
    pub(super) fn happens(&self, fault: SimFault) -> bool {
        let weight = self.faults.weight(fault);
        weight > 0 && !self.is_over.load(Ordering::Relaxed) && self.dice.below(1_000) < weight as usize
    }

    pub(super) fn is(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    pub(super) fn oracle(&self) -> std::sync::MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation of the store; a run that never comes to rest is ended.
    fn spend(&self) -> Result<(), StoreError> {
        if self.spent.fetch_add(1, Ordering::Relaxed) < MOST_OPERATIONS {
            return Ok(());
        }
        let what = || format!("T3: after {MOST_OPERATIONS} operations of the store there is no rest");
        self.oracle().violation.get_or_insert_with(what);
        Err(StoreError::permanent("the simulation is over"))
    }

    /// Lets others go first.
    async fn pause(&self) {
        let mut waited = self.is_over.load(Ordering::Relaxed);
        poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Lets others go first, some times.
    async fn dawdle(&self) {
        for _ in 0..self.dice.below(40) {
            self.pause().await;
        }
    }

    async fn store<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.spend()?;
        self.pause().await;
        if self.happens(SimFault::StoreRefuses) {
            return Err(StoreError::transient("refused by the simulation"));
        }
        if self.happens(SimFault::StoreLost) {
            return Err(StoreError::unknown("lost by the simulation"));
        }
        let busy = Busy::new(&self.busy);
        let done = work.await;
        drop(busy);
        self.writes.fetch_add(1, Ordering::Relaxed);
        if done.is_ok() && self.happens(SimFault::StoreLosesAnswer) {
            return Err(StoreError::unknown("done, and the answer lost by the simulation"));
        }
        self.pause().await;
        done
    }
}

/// A store under the weather.
#[derive(Debug)]
pub(super) struct SimStore<S> {
    pub(super) inner: Arc<S>,
    pub(super) weather: Weather,
}

impl<S> Clone for SimStore<S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), weather: self.weather.clone() }
    }
}

impl<S: ConversationStore> ConversationStore for SimStore<S> {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        let mut loaded = self.weather.store(self.inner.load(lookup)).await?;
        self.weather.spoil_load(&mut loaded);
        Ok(loaded)
    }

    async fn commit(&self, mut commit: Commit) -> Result<Committed, StoreError> {
        if self.weather.spoil_commit(&mut commit) {
            self.weather.spend()?;
            // Says that it wrote, and did not.
            let revision = commit.expect.unwrap_or_default() + 1;
            return Ok(Committed::Applied { revision, settled: 0, leased: true });
        }
        let contact = self.weather.is(Defect::OverwritesOthers).then(|| commit.contact.clone());
        let committed = self.weather.store(self.inner.commit(commit)).await?;
        if let (Some(contact), Committed::Applied { revision, .. }) = (contact, &committed) {
            self.weather.oracle().revisions.insert(contact, *revision);
        }
        Ok(self.weather.spoil_committed(committed))
    }

    async fn update(
        &self,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        // A store may decide under a lock of its own, or in two steps.
        if self.weather.defect.is_none() && self.weather.dice.one_in(3) {
            return self.weather.store(self.inner.update(lookup, decide)).await;
        }
        let mut txn = Txn::new(lookup, self.load(lookup).await?);
        decide(&mut txn);
        match txn.into_commit() {
            Some(commit) => self.commit(commit).await.map(Some),
            None => Ok(None),
        }
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        let mut settle = settle.clone();
        if self.weather.spoil_settle(&mut settle) {
            self.weather.spend()?;
            return Ok(Settled::Done);
        }
        self.weather.store(self.inner.settle(&settle)).await
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        let mut due = due.clone();
        self.weather.spoil_due(&mut due);
        let mut leased = self.weather.store(self.inner.lease_due(&due)).await?;
        self.weather.spoil_leased(&mut leased);
        Ok(leased)
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.weather.store(self.inner.live(live)).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.weather.store(self.inner.purge(purge)).await
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        if self.weather.is(Defect::ErasesNothing) {
            return Ok(None);
        }
        self.weather.store(self.inner.erase(erase)).await
    }

    fn compares_seen(&self) -> bool {
        self.inner.compares_seen()
    }

    fn flow_store(&self) -> Option<SharedFlows> {
        let (flows, busy) = (self.inner.flow_store()?.0, Arc::clone(&self.weather.busy));
        Some(SharedFlows(Arc::new(SimFlows { flows, busy })))
    }
}

/// The flows of such a store: in no weather, but seen while they are asked for. A call that was
/// left then would keep its connection from the others.
struct SimFlows {
    flows: Arc<dyn DynFlowStore>,
    busy: Arc<AtomicU64>,
}

impl SimFlows {
    fn seen<'a, T: 'a>(&'a self, asked: FlowsFuture<'a, T>) -> FlowsFuture<'a, T> {
        Box::pin(async move {
            let _busy = Busy::new(&self.busy);
            asked.await
        })
    }
}

impl DynFlowStore for SimFlows {
    fn catalogue<'a>(&'a self, workspace: &'a WorkspaceId) -> FlowsFuture<'a, Catalogue> {
        self.seen(self.flows.catalogue(workspace))
    }

    fn definition<'a>(
        &'a self,
        workspace: &'a WorkspaceId,
        flow: &'a FlowId,
        version: Option<FlowVersion>,
    ) -> FlowsFuture<'a, Option<Arc<str>>> {
        self.seen(self.flows.definition(workspace, flow, version))
    }

    fn save<'a>(&'a self, workspace: &'a WorkspaceId, change: FlowChange) -> FlowsFuture<'a, FlowSaved> {
        self.seen(self.flows.save(workspace, change))
    }

    fn save_all<'a>(
        &'a self,
        workspace: &'a WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> FlowsFuture<'a, FlowSaved> {
        self.seen(self.flows.save_all(workspace, changes))
    }

    fn changes<'a>(&'a self, workspace: &'a WorkspaceId, since: u64) -> FlowsFuture<'a, CatalogueChanges> {
        self.seen(self.flows.changes(workspace, since))
    }

    fn terminated(&self) -> FlowsFuture<'_, Vec<WorkspaceId>> {
        self.seen(self.flows.terminated())
    }
}

/// A channel under the weather, watched by the oracle.
#[derive(Clone, Debug)]
pub(super) struct SimWire(pub(super) Weather);

impl Transport for SimWire {
    async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let weather = &self.0;
        weather.pause().await;
        if weather.happens(SimFault::ChannelRetry) {
            return Err(SendError::retry("refused by the simulation"));
        }
        if weather.happens(SimFault::ChannelHangs) {
            pending::<()>().await;
        }
        if weather.happens(SimFault::ChannelSlow) {
            weather.dawdle().await;
        }
        let panics = weather.happens(SimFault::ChannelPanics);
        if panics && weather.dice.one_in(2) {
            resume_unwind(Box::new("a channel that panics before it takes a message"));
        }
        let rejects = weather.happens(SimFault::ChannelRejects);
        if let Some(message) = weather.spoil_message(message) {
            weather.oracle().sent(&message);
        }
        if panics {
            resume_unwind(Box::new("a channel that panics after it took a message"));
        }
        if rejects {
            return Err(SendError::rejected("refused for good by the simulation"));
        }
        weather.pause().await;
        if weather.happens(SimFault::ChannelLosesAnswer) {
            return Err(SendError::retry("taken, and the answer lost by the simulation"));
        }
        if weather.happens(SimFault::ReceiptNames) {
            return Ok(second_of(message.to()).map_or_else(Receipt::new, Receipt::known_as));
        }
        Ok(Receipt::new())
    }
}

/// The other address of whom an address belongs to.
fn second_of(address: &Address) -> Option<Address> {
    let [phone, id, _] = Person::at(address)?.addresses();
    address_of(if address.phone().is_some() { &id } else { &phone }).ok()
}

/// A host under the weather. What it answers names the call, so that answers cannot be confused.
#[derive(Clone, Debug)]
pub(super) struct SimHost(pub(super) Weather);

/// The answer to a call.
pub(super) fn answer_to(call: &CallRef) -> CallResult {
    CallResult::value(format!("r{}", call.call))
}

impl Calls for SimHost {
    async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let weather = &self.0;
        weather.pause().await;
        weather.oracle().called(call);
        if weather.happens(SimFault::CallRetry) {
            return Err(CallError::retry("by the simulation"));
        }
        if weather.happens(SimFault::CallFails) {
            return Err(CallError::failed("by the simulation"));
        }
        if weather.happens(SimFault::CallSlow) {
            weather.dawdle().await;
        }
        if weather.happens(SimFault::CallHangs) {
            pending::<()>().await;
        }
        if weather.happens(SimFault::CallPanics) {
            resume_unwind(Box::new("a host that panics"));
        }
        if weather.happens(SimFault::CallLater) {
            weather.asked.lock().unwrap_or_else(PoisonError::into_inner).push(call.reference.clone());
            return Ok(Answer::Later);
        }
        let answer = answer_to(&call.reference);
        Ok(Answer::Now(if weather.is(Defect::ConfusesAnswers) {
            CallResult::value("r-of-another")
        } else {
            answer
        }))
    }
}
