//! A store that fails on purpose, before or after it has done what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::error::StoreError;
use crate::store::{
    Commit, Committed, ConversationStore, Due, Erase, Leased, Live, Loaded, Lookup, Purge, Purged, Removed,
    Settle, Settled, SharedFlows,
};

/// An operation of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreOperation {
    /// [`ConversationStore::load`].
    Load,
    /// [`ConversationStore::commit`].
    Commit,
    /// [`ConversationStore::settle`].
    Settle,
    /// [`ConversationStore::lease_due`].
    LeaseDue,
    /// [`ConversationStore::live`].
    Live,
    /// [`ConversationStore::purge`].
    Purge,
    /// [`ConversationStore::erase`].
    Erase,
}

/// The way in which an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is not done, and says so.
    Before,
    /// It is done, and says that this is not known.
    After,
    /// It is not done, and says that this is not known.
    UnknownBefore,
}

/// A store that fails at chosen operations. Clones share the plan.
#[derive(Clone, Debug)]
pub struct Faulty<S> {
    store: S,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    /// For each coming operation: fail it, or let it be.
    next: VecDeque<Option<Fault>>,
    log: Vec<StoreOperation>,
}

impl<S> Faulty<S> {
    /// A store that works, until it is told to fail.
    pub fn new(store: S) -> Self {
        Self { store, plan: Arc::default() }
    }

    /// Returns the store inside, which never fails.
    pub fn inner(&self) -> &S {
        &self.store
    }

    /// Fails the operation after the next `skip` ones.
    pub fn fail_after(&self, skip: usize, fault: Fault) {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.next = std::iter::repeat_n(None, skip).chain([Some(fault)]).collect();
    }

    /// Fails, or lets be, each of the next operations.
    pub fn fail_each(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).next = faults.into_iter().collect();
    }

    /// Fails all operations from now on, until told otherwise.
    pub fn fail_always(&self, fault: Fault) {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.next = std::iter::repeat_n(Some(fault), 1_000_000).collect();
    }

    /// Works again.
    pub fn heal(&self) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).next.clear();
    }

    /// Returns the operations so far, in order.
    #[must_use]
    pub fn log(&self) -> Vec<StoreOperation> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).log.clone()
    }

    fn fault(&self, op: StoreOperation) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.log.push(op);
        plan.next.pop_front().flatten()
    }

    async fn run<T>(
        &self,
        op: StoreOperation,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match self.fault(op) {
            None => work.await,
            Some(Fault::Before) => Err(StoreError::transient("failed on purpose, before")),
            Some(Fault::UnknownBefore) => Err(StoreError::unknown("failed on purpose, before")),
            Some(Fault::After) => {
                work.await?;
                Err(StoreError::unknown("failed on purpose, after"))
            }
        }
    }
}

impl<S: ConversationStore> ConversationStore for Faulty<S> {
    fn flow_store(&self) -> Option<SharedFlows> {
        self.store.flow_store()
    }

    fn keeps_counts(&self) -> bool {
        self.store.keeps_counts()
    }

    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.run(StoreOperation::Load, self.store.load(lookup)).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.run(StoreOperation::Commit, self.store.commit(commit)).await
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.run(StoreOperation::Settle, self.store.settle(settle)).await
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.run(StoreOperation::LeaseDue, self.store.lease_due(due)).await
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.run(StoreOperation::Live, self.store.live(live)).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.run(StoreOperation::Purge, self.store.purge(purge)).await
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        self.run(StoreOperation::Erase, self.store.erase(erase)).await
    }

    /// Never fails, and is not in the log.
    async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.store.time().await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.store.flush().await
    }
}
