//! What the engine knows of a workspace's flows: a snapshot that decisions read, renewed when the store's catalogue
//! changes. Compiled versions are kept across snapshots, since a version never changes.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;

use crate::address::Account;
use crate::engine::{Engine, Ports};
use crate::error::Error;
use crate::flow::Flow;
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::kernel::{Flows, Pinned};
use crate::store::{FlowEntry, VersionState};

/// How long a snapshot is trusted without asking the store, in milliseconds.
const TRUST_MILLIS: i64 = 1_000;

type Map<K, V> = HashMap<K, V, RandomState>;

/// The caches of all workspaces.
#[derive(Default)]
pub(super) struct Catalogues(RwLock<Map<WorkspaceId, Arc<WorkspaceFlows>>>);

impl Catalogues {
    pub(super) fn of(&self, workspace: &WorkspaceId) -> Arc<WorkspaceFlows> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(workspace) {
            return Arc::clone(known);
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(workspace.clone()).or_default())
    }

    pub(super) fn all(&self) -> Vec<(WorkspaceId, Arc<WorkspaceFlows>)> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(workspace, flows)| (workspace.clone(), Arc::clone(flows))).collect()
    }
}

/// The cache of one workspace.
#[derive(Default)]
pub(super) struct WorkspaceFlows {
    snapshot: RwLock<Option<Arc<Snapshot>>>,
    /// When the store was last asked, in milliseconds of the epoch.
    asked_at: AtomicI64,
    /// When live sessions of terminated versions were last woken.
    pub(super) woken_at: AtomicI64,
    compiled: Mutex<Map<(FlowId, FlowVersion), Option<Arc<Flow>>>>,
    /// Terminated versions that have no live session any more.
    drained: Mutex<HashSet<(FlowId, FlowVersion), RandomState>>,
}

/// The flows of a workspace at one revision of its catalogue.
#[derive(Default)]
pub(super) struct Snapshot {
    pub(super) revision: u64,
    flows: Map<FlowId, View>,
    /// Flows that messages of an account may start.
    inbound: Map<Account, Vec<FlowId>>,
}

/// A flow in a snapshot.
#[derive(Clone)]
pub(super) struct View {
    pub(super) entry: FlowEntry,
    /// The versions that were needed so far; None: the definition is gone or can not be compiled.
    versions: Vec<(FlowVersion, Option<Arc<Flow>>)>,
}

impl View {
    /// The version that new sessions start on.
    pub(super) fn online(&self) -> Option<(FlowVersion, &Arc<Flow>)> {
        let online = self.entry.online()?;
        Some((online, self.version(online)??))
    }

    fn version(&self, version: FlowVersion) -> Option<Option<&Arc<Flow>>> {
        self.versions.iter().find(|(known, _)| *known == version).map(|(_, flow)| flow.as_ref())
    }

    fn is_terminated(&self, version: FlowVersion) -> bool {
        self.entry
            .versions
            .iter()
            .any(|entry| entry.version == version && matches!(entry.state, VersionState::Terminated(_)))
    }
}

impl Snapshot {
    /// A flow that was not deleted.
    pub(super) fn view(&self, flow: &FlowId) -> Option<&View> {
        self.flows.get(flow).filter(|view| !view.entry.deleted)
    }

    pub(super) fn views(&self) -> impl Iterator<Item = &View> {
        self.flows.values()
    }

    /// The flows that messages of an account may start.
    pub(super) fn startable(&self, account: &Account) -> impl Iterator<Item = (FlowVersion, &Arc<Flow>)> {
        let flows = self.inbound.get(account).map_or(&[][..], Vec::as_slice);
        flows.iter().filter_map(|flow| self.view(flow)?.online())
    }
}

impl Flows for Snapshot {
    fn pinned(&self, flow: &FlowId, version: FlowVersion) -> Option<Pinned<'_>> {
        let Some(view) = self.flows.get(flow) else {
            return Some(Pinned { flow: None, name: "", logging: false, terminated: false });
        };
        Some(Pinned {
            flow: view.version(version)?,
            name: &view.entry.name,
            logging: view.entry.logging,
            terminated: view.is_terminated(version),
        })
    }
}

impl WorkspaceFlows {
    fn current(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a snapshot the current one, unless somebody has read a newer one meanwhile.
    fn replace(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        let snapshot = Arc::new(snapshot);
        let mut current = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|current| current.revision <= snapshot.revision) {
            *current = Some(Arc::clone(&snapshot));
        }
        snapshot
    }

    pub(super) fn is_drained(&self, version: &(FlowId, FlowVersion)) -> bool {
        self.drained.lock().unwrap_or_else(PoisonError::into_inner).contains(version)
    }

    pub(super) fn note_drained(&self, version: (FlowId, FlowVersion)) {
        self.drained.lock().unwrap_or_else(PoisonError::into_inner).insert(version);
    }

    /// Asks the store at the next call. Each doubt is another number, so that an answer to an earlier question does not end it.
    pub(super) fn doubt(&self) {
        let next = |asked: i64| if asked < i64::MIN / 2 { asked + 1 } else { i64::MIN };
        // Cannot fail: `next` always answers.
        let _ = self.asked_at.fetch_update(Ordering::AcqRel, Ordering::Acquire, |asked| Some(next(asked)));
    }

    /// Trusts the current snapshot for a while, if nobody has doubted it since the store was asked.
    fn trust(&self, asked: i64, millis: i64) {
        // On failure somebody else's answer or doubt stands.
        let _ = self.asked_at.compare_exchange(asked, millis, Ordering::AcqRel, Ordering::Acquire);
    }

    /// The snapshot that a decision at `now` reads.
    pub(super) async fn snapshot(
        &self,
        ports: &Ports,
        workspace: &WorkspaceId,
        now: DateTime<Utc>,
    ) -> Result<Arc<Snapshot>, Error> {
        let millis = now.timestamp_millis();
        let asked = self.asked_at.load(Ordering::Acquire);
        let trusted = (0..TRUST_MILLIS).contains(&millis.saturating_sub(asked));
        let current = self.current();
        if let (Some(current), true) = (&current, trusted) {
            return Ok(Arc::clone(current));
        }
        let revision = ports.flow_store.revision(workspace).await?;
        let snapshot = match current.filter(|current| current.revision == revision) {
            Some(current) => current,
            None => self.reload(ports, workspace).await?,
        };
        self.trust(asked, millis);
        Ok(snapshot)
    }

    async fn reload(&self, ports: &Ports, workspace: &WorkspaceId) -> Result<Arc<Snapshot>, Error> {
        let catalogue = ports.flow_store.catalogue(workspace).await?;
        let mut snapshot = Snapshot { revision: catalogue.revision, ..Snapshot::default() };
        let known = self.current();
        for entry in catalogue.flows {
            let kept = known.as_ref().and_then(|known| known.flows.get(&entry.flow));
            let mut versions = kept.map_or_else(Vec::new, |view| view.versions.clone());
            if let Some(online) = entry.online() {
                let flow = self.compiled(ports, workspace, &entry.flow, online).await?;
                if let Some(flow) = flow.as_ref().filter(|flow| !flow.trigger().is_manual()) {
                    let channel = flow.trigger().channel();
                    for account in entry.accounts.iter().filter(|account| Some(&account.channel) == channel) {
                        snapshot.inbound.entry(account.clone()).or_default().push(entry.flow.clone());
                    }
                }
                versions.retain(|(version, _)| *version != online);
                versions.push((online, flow));
            }
            snapshot.flows.insert(entry.flow.clone(), View { entry, versions });
        }
        Ok(self.replace(snapshot))
    }

    /// The same snapshot, with these versions in it.
    pub(super) async fn fetch(
        &self,
        ports: &Ports,
        workspace: &WorkspaceId,
        snapshot: &Snapshot,
        missing: &[(FlowId, FlowVersion)],
    ) -> Result<Arc<Snapshot>, Error> {
        let mut fuller = Snapshot {
            revision: snapshot.revision,
            flows: snapshot.flows.clone(),
            inbound: snapshot.inbound.clone(),
        };
        for (flow, version) in missing {
            let compiled = self.compiled(ports, workspace, flow, *version).await?;
            if let Some(view) = fuller.flows.get_mut(flow)
                && view.version(*version).is_none()
            {
                view.versions.push((*version, compiled));
            }
        }
        Ok(self.replace(fuller))
    }

    async fn compiled(
        &self,
        ports: &Ports,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: FlowVersion,
    ) -> Result<Option<Arc<Flow>>, Error> {
        let key = (flow.clone(), version);
        if let Some(known) = self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let text = ports.flow_store.definition(workspace, flow, Some(version)).await?;
        let flow = text.and_then(|text| Flow::from_json_within(&text, &ports.limits).ok()).map(Arc::new);
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).insert(key, flow.clone());
        Ok(flow)
    }
}

impl<S> Engine<S> {
    /// The snapshot of this handle's workspace.
    pub(super) async fn snapshot(&self, now: DateTime<Utc>) -> Result<Arc<Snapshot>, Error> {
        self.flows.snapshot(&self.ports, self.workspace()?, now).await
    }
}
