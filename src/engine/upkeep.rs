//! The upkeep that ticks do beside working conversations: ending sessions of terminated versions,
//! and removing what is past its retention. The store says where there is such work, so that an
//! idle tick costs the same however many workspaces this process has been called in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use foldhash::fast::RandomState;

use crate::engine::Engine;
use crate::error::Error;
use crate::id::{ContactId, FlowId, FlowVersion, WorkspaceId};
use crate::kernel::span;
use crate::store::{ConversationStore, Erase, Live, Purge, Revision, VersionState};

/// The period between removals of old keys, sessions and journals.
const PURGE_PERIOD_SECONDS: i64 = 60;
/// The most of each that are removed at a time.
const PURGE_LIMIT: usize = 1_000;
/// The period between looks for live sessions of terminated versions.
const WAKE_PERIOD_MILLIS: i64 = 1_000;
/// The rest of a workspace whose terminated versions have no live session left. Terminating another
/// version makes its sessions due at once.
const DRAINED_PERIOD_MILLIS: i64 = 60_000;
/// For so long after it a call may still start a session on a version that was terminated: other
/// processes' snapshots are trusted for a second.
const TERMINATION_SETTLES: TimeDelta = TimeDelta::seconds(10);

type Map<K, V> = HashMap<K, V, RandomState>;

/// The times of the last upkeep.
pub(super) struct Upkeep {
    /// The time of the next purge, in seconds of the epoch.
    purge_at: AtomicI64,
    /// The time of the last look for terminated versions, in milliseconds of the epoch.
    woken_at: AtomicI64,
    /// The workspaces that the flow store named last.
    drained: Mutex<Map<WorkspaceId, Drained>>,
}

/// The terminated versions of a workspace that have no live session any more.
#[derive(Clone, Default)]
struct Drained {
    versions: Vec<(FlowId, FlowVersion)>,
    /// The time at which they were seen to be all of them, in milliseconds of the epoch.
    rests_since: Option<i64>,
}

impl Upkeep {
    pub(super) fn new() -> Self {
        Self {
            purge_at: AtomicI64::new(i64::MIN),
            woken_at: AtomicI64::new(i64::MIN),
            drained: Mutex::default(),
        }
    }

    fn drained(&self) -> MutexGuard<'_, Map<WorkspaceId, Drained>> {
        self.drained.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True if an instant lies less than a period ago; false under a clock that went back.
fn is_recent(then: i64, now: i64, period: i64) -> bool {
    (0..period).contains(&now.saturating_sub(then))
}

impl<S: ConversationStore> Engine<S> {
    /// Makes live sessions of terminated versions due, so that they end without a message or a
    /// deadline (SEMANTICS L4).
    pub(super) async fn wake_terminated(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let (upkeep, millis) = (&self.ports.upkeep, now.timestamp_millis());
        if is_recent(upkeep.woken_at.load(Ordering::Acquire), millis, WAKE_PERIOD_MILLIS) {
            return Ok(());
        }
        let workspaces = self.ports.flow_store.terminated().await?;
        upkeep.woken_at.store(millis, Ordering::Release);
        let mut known = std::mem::take(&mut *upkeep.drained());
        let mut kept = Map::default();
        let mut outcome = Ok(());
        for workspace in workspaces {
            let mut drained = known.remove(&workspace).unwrap_or_default();
            let rests =
                drained.rests_since.is_some_and(|since| is_recent(since, millis, DRAINED_PERIOD_MILLIS));
            if !rests && outcome.is_ok() {
                outcome = self.wake_in(&workspace, &mut drained, now).await;
            }
            kept.insert(workspace, drained);
        }
        *upkeep.drained() = kept;
        outcome
    }

    async fn wake_in(
        &self,
        workspace: &WorkspaceId,
        drained: &mut Drained,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let flows = self.ports.catalogues.of(workspace);
        let snapshot = flows.snapshot(&self.ports, workspace, now).await?;
        drained.rests_since = None;
        let mut all_drained = true;
        for view in snapshot.views() {
            for version in &view.entry.versions {
                let VersionState::Terminated(since) = version.state else { continue };
                let key = (view.entry.flow.clone(), version.version);
                if drained.versions.contains(&key) {
                    continue;
                }
                if self.wake(workspace, &key, now).await? == 0 && now - since > TERMINATION_SETTLES {
                    drained.versions.push(key);
                } else {
                    all_drained = false;
                }
            }
        }
        drained.rests_since = all_drained.then_some(now.timestamp_millis());
        Ok(())
    }

    pub(super) async fn wake(
        &self,
        workspace: &WorkspaceId,
        (flow, version): &(FlowId, FlowVersion),
        now: DateTime<Utc>,
    ) -> Result<u64, Error> {
        let live = Live {
            workspace: workspace.clone(),
            flow: flow.clone(),
            version: Some(*version),
            wake_at: Some(now),
        };
        Ok(self.store.live(&live).await?)
    }

    /// Removes the conversation of a stranger (SEMANTICS S19). False: it has changed, and is to be
    /// looked at again.
    pub(super) async fn let_go(
        &self,
        workspace: &WorkspaceId,
        contact: &ContactId,
        expect: Revision,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let erase = Erase {
            workspace: workspace.clone(),
            contact: contact.clone(),
            expect,
            keeps_history: true,
            now,
        };
        Ok(self.store.erase(&erase).await?.is_some())
    }

    /// Removes what is past its retention, once a minute (SEMANTICS S12).
    pub(super) async fn purge(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let (seconds, purge_at) = (now.timestamp(), &self.ports.upkeep.purge_at);
        let due = purge_at.load(Ordering::Acquire);
        if seconds < due && due - seconds <= PURGE_PERIOD_SECONDS {
            return Ok(());
        }
        let before =
            |retention: Duration| now.checked_sub_signed(span(retention)).unwrap_or(DateTime::UNIX_EPOCH);
        let purge = Purge {
            now,
            ended_before: before(self.ports.policy.session_retention),
            journal_before: before(self.ports.options.journal_retention),
            counts_before: before(self.ports.options.count_retention),
            limit: PURGE_LIMIT,
        };
        let purged = self.store.purge(&purge).await?;
        let next = if purged.more { seconds } else { seconds.saturating_add(PURGE_PERIOD_SECONDS) };
        purge_at.store(next, Ordering::Release);
        Ok(())
    }
}
