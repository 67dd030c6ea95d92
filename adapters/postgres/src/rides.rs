//! Settles that are acknowledged at once and written with the next commit of their conversation, or
//! soon, many by one statement.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatflow::error::StoreError;
use chatflow::id::{ContactId, WorkspaceId};
use chatflow::store::{
    BoardedSettles, Commit, Committed, Due, Leased, Loaded, Lookup, RidingSettles, Settle, Settled, Token,
};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::errors::AccessKind;
use crate::inner::{Inner, stopped};
use crate::settle::{SettleRow, settle_late};

/// The pause after a failure, before what could not be written is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest that a claim waits for settles that are not written yet. Their conversations are
/// still leased, so it misses them and no more.
const CLAIM_WAITS: Duration = Duration::from_secs(1);

/// The settles that ride in one store.
pub(super) struct Carriage {
    rides: Mutex<RidingSettles>,
    began: Instant,
    is_scheduled: AtomicBool,
    turn: tokio::sync::Mutex<()>,
}

/// The passage of a commit, which ends when it is answered, or dropped.
pub(super) struct Passage {
    carriage: Arc<Carriage>,
    boarded: Mutex<Option<BoardedSettles>>,
    rides: Option<(Token, u64)>,
}

impl Default for Carriage {
    fn default() -> Self {
        let is_scheduled = AtomicBool::new(false);
        Self { rides: Mutex::default(), began: Instant::now(), is_scheduled, turn: Default::default() }
    }
}

impl Carriage {
    fn rides(&self) -> MutexGuard<'_, RidingSettles> {
        self.rides.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn begin(self: &Arc<Self>, commit: &Commit) -> Passage {
        let boarded = self.rides().begin(commit, self.now());
        let rides = boarded.rides();
        Passage { carriage: Arc::clone(self), boarded: Mutex::new(Some(boarded)), rides }
    }

    /// Shows what was loaded as it is with what is not written yet.
    pub(super) fn show(&self, lookup: &Lookup, loaded: &mut Loaded) {
        if let Some(stored) = &mut loaded.conversation {
            self.rides().show(&lookup.workspace, lookup.token, stored);
        }
    }

    /// A conversation is no more.
    pub(super) fn forget(&self, workspace: &WorkspaceId, contact: &ContactId) {
        self.rides().forget(workspace, contact);
    }

    fn claimed(&self, due: &Due, leased: &Leased, began: Duration) {
        let mut rides = self.rides();
        for one in leased.conversations.iter().filter(|one| one.stored.leased) {
            rides.claimed(&one.workspace, &one.stored, due.token, due.lease, began);
        }
    }
}

impl Passage {
    pub(super) fn rides(&self) -> Option<(Token, u64)> {
        self.rides
    }

    pub(super) fn end(&self, committed: Option<&Committed>) {
        let boarded = self.boarded.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(boarded) = boarded {
            self.carriage.rides().end(boarded, committed);
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl Inner {
    /// True if settles ride at all.
    pub(super) fn carries(&self) -> bool {
        !self.options.settle_within.is_zero() && !self.is_strict
    }

    /// Takes note of what is delivered: later, if this store knows what the answer will be.
    pub(super) async fn settle(self: &Arc<Self>, settle: &Settle) -> Result<Settled, StoreError> {
        if self.carries() {
            let now = self.carriage.now();
            let acknowledged = self.carriage.rides().settle(settle, now);
            if let Some(settled) = acknowledged {
                self.write_settles_after(self.options.settle_within);
                return Ok(settled);
            }
        }
        self.settle_now(SettleRow::of(settle)).await
    }

    fn write_settles_after(self: &Arc<Self>, pause: Duration) {
        if self.carriage.is_scheduled.swap(true, Ordering::AcqRel) {
            return;
        }
        let inner = Arc::clone(self);
        self.spawn(async move {
            tokio::time::sleep(pause).await;
            inner.carriage.is_scheduled.store(false, Ordering::Release);
            // Tried again after a pause.
            let _ = inner.write_waiting().await;
        });
    }

    /// Writes the settles that were acknowledged so far.
    pub(super) async fn write_settles(self: &Arc<Self>) -> Result<(), StoreError> {
        if !self.carries() {
            return Ok(());
        }
        let (answer, answered) = oneshot::channel();
        let inner = Arc::clone(self);
        self.spawn(async move {
            let _ = answer.send(inner.write_waiting().await);
        });
        answered.await.unwrap_or_else(|_| Err(stopped("settle")))
    }

    async fn write_waiting(self: &Arc<Self>) -> Result<(), StoreError> {
        let _turn = self.carriage.turn.lock().await;
        let mut settles = self.carriage.rides().take();
        // Always in one order, so that two statements seldom wait for each other.
        settles.sort_by_cached_key(|settle| {
            let row = SettleRow::of(settle);
            (row.shard, row.workspace, row.contact)
        });
        let mut failed = None;
        for settles in settles.chunks(self.options.batch) {
            let rows: Arc<Vec<SettleRow>> = Arc::new(settles.iter().map(SettleRow::of).collect());
            let written = self
                .until_done(AccessKind::Write, "settle", move |link| {
                    let rows = Arc::clone(&rows);
                    Box::pin(async move { settle_late(&link, &rows).await })
                })
                .await;
            match written {
                Ok(()) => self.carriage.rides().written(settles),
                Err(error) => {
                    self.carriage.rides().put_back(settles);
                    failed = Some(error);
                }
            }
        }
        match failed {
            None => Ok(()),
            Some(error) => {
                self.write_settles_after(PAUSE);
                Err(error)
            }
        }
    }

    /// Writes what waits before something is asked that goes by it. A claim does without what
    /// cannot be written now.
    pub(super) async fn settled_before(self: &Arc<Self>) {
        if !self.carries() || self.carriage.rides().is_empty() {
            return;
        }
        let (answer, answered) = oneshot::channel();
        let inner = Arc::clone(self);
        self.spawn(async move {
            let _ = timeout(CLAIM_WAITS, inner.write_settles()).await;
            let _ = answer.send(());
        });
        let _ = answered.await;
    }

    /// Takes note of the leases that a claim took.
    pub(super) async fn noting(
        self: &Arc<Self>,
        due: &Due,
        claim: impl Future<Output = Result<Leased, StoreError>>,
    ) -> Result<Leased, StoreError> {
        let began = self.carriage.now();
        let leased = claim.await?;
        if self.carries() {
            self.carriage.claimed(due, &leased, began);
        }
        Ok(leased)
    }
}
