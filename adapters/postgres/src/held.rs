//! A decision under the lock of the conversation's row, for a call that lost races against other
//! processes: the transaction runs in the store's runtime, the decision in its caller's task, and
//! they talk across.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatflow::error::{StoreError, StoreErrorKind};
use chatflow::store::{Committed, Loaded, Lookup, Txn};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::commit;
use crate::errors::{AccessKind, Fault};
use crate::inner::{Inner, stopped};
use crate::link::Link;
use crate::load::{LoadRow, load_held};
use crate::write::Write;

/// After so many lost races a call locks the row before it decides: those who go by
/// compare-and-swap alone are faster as long as they seldom meet.
pub(super) const RACES: u32 = 3;

/// The longest that the row is held for a caller who decides. It decides at once, unless its own
/// task is not run.
const DECIDING: Duration = Duration::from_secs(1);

/// Where what was loaded goes, and where the decision comes from. It is used once: nobody decides
/// twice.
struct Desk {
    loaded: oneshot::Sender<Loaded>,
    decided: oneshot::Receiver<Write>,
}

impl Inner {
    /// Locks, loads, decides, commits.
    pub(super) async fn update_held(
        self: &Arc<Self>,
        lookup: &Lookup,
        decide: &mut (dyn FnMut(&mut Txn<'_>) + Send),
    ) -> Result<Option<Committed>, StoreError> {
        self.settled_before().await;
        let (loaded, was_loaded) = oneshot::channel();
        let (decided, was_decided) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let desk = Arc::new(Mutex::new(Some(Desk { loaded, decided: was_decided })));
        let (inner, row) = (Arc::clone(self), Arc::new(LoadRow::of(lookup)));
        self.spawn(async move {
            let _ = answer.send(inner.hold(&row, &desk).await);
        });
        if let Ok(loaded) = was_loaded.await {
            let mut txn = Txn::new(lookup, loaded);
            decide(&mut txn);
            let Some(commit) = txn.into_commit() else { return Ok(None) };
            if decided.send(self.write(commit)?).is_err() {
                return Ok(Some(Committed::Conflict));
            }
        }
        answered.await.unwrap_or_else(|_| Err(stopped("update"))).map(Some)
    }

    /// The transaction. [`Committed::Conflict`]: nothing was written, and it is to be decided
    /// again.
    async fn hold(
        &self,
        row: &Arc<LoadRow>,
        desk: &Arc<Mutex<Option<Desk>>>,
    ) -> Result<Committed, StoreError> {
        let has_flows = self.has_flows();
        let done = self
            .again(AccessKind::Read, |link| {
                let (row, desk) = (Arc::clone(row), Arc::clone(desk));
                Box::pin(async move {
                    let within = link.inside();
                    let done = link.read_committed(decide_there(&within, &row, &desk, has_flows)).await;
                    match done {
                        Err(fault) if fault.is_lost_race() && take(&desk).is_none() => {
                            Ok(Committed::Conflict)
                        }
                        done => done,
                    }
                })
            })
            .await;
        match done {
            Ok(committed) => Ok(committed),
            // Before the decision was asked for nothing was written. After that only the server
            // itself can say so: nobody knows what a connection that fell silent has done.
            Err((kind, fault)) => match (take(desk), fault) {
                (Some(_), fault) => Err(fault.into_error(kind, "load")),
                (None, fault @ Fault::Postgres(_)) => Err(fault.into_error(AccessKind::Write, "commit")),
                (None, fault) => Err(StoreError::unknown(fault.into_error(AccessKind::Write, "commit"))),
            },
        }
    }
}

fn take(desk: &Mutex<Option<Desk>>) -> Option<Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner).take()
}

async fn decide_there(
    link: &Link<'_>,
    row: &LoadRow,
    desk: &Mutex<Option<Desk>>,
    has_flows: bool,
) -> Result<Committed, Fault> {
    let loaded = load_held(link, row, has_flows).await?;
    let Some(desk) = take(desk) else {
        let rule = "the connection broke while a decision was written";
        return Err(Fault::Sorted(StoreErrorKind::Unknown, rule.into()));
    };
    if desk.loaded.send(loaded).is_err() {
        return Ok(Committed::Conflict);
    }
    match timeout(DECIDING, desk.decided).await {
        Ok(Ok(write)) => commit::write(link, &write, false).await,
        Ok(Err(_)) | Err(_) => Ok(Committed::Conflict),
    }
}
