//! What the engine knows of a workspace's flows: a snapshot that decisions read, renewed when the store's catalogue
//! changes. Compiled versions are kept across snapshots, since a version never changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;

use crate::address::{Account, AccountRef};
use crate::engine::{Engine, Ports};
use crate::error::Error;
use crate::flow::Flow;
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::kernel::{Callee, Flows, Library, Pinned};
use crate::store::{FlowEntry, VersionState};

/// How long a snapshot is trusted without asking the store, in milliseconds.
const TRUST_MILLIS: i64 = 1_000;

type Map<K, V> = HashMap<K, V, RandomState>;
/// None: the definition is gone or can not be compiled.
type Compiled = Map<(FlowId, FlowVersion), Option<Arc<Flow>>>;

/// The cache of one workspace.
#[derive(Default)]
pub(super) struct WorkspaceFlows {
    snapshot: RwLock<Option<Arc<Snapshot>>>,
    /// When the store was last asked, in milliseconds of the epoch.
    asked_at: AtomicI64,
    /// How often the store was changed through this cache: what was asked before that is not trusted.
    doubts: AtomicU64,
    compiled: Mutex<Compiled>,
}

/// The flows of a workspace at one revision of its catalogue.
#[derive(Default)]
pub(super) struct Snapshot {
    pub(super) revision: u64,
    flows: Map<FlowId, View>,
    /// Flows that messages of an account may start.
    inbound: Vec<(Account, Vec<FlowId>)>,
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

    fn bind(&mut self, account: &Account, flow: &FlowId) {
        match self.inbound.iter_mut().find(|(bound, _)| bound == account) {
            Some((_, flows)) => flows.push(flow.clone()),
            None => self.inbound.push((account.clone(), vec![flow.clone()])),
        }
    }

    pub(super) fn views(&self) -> impl Iterator<Item = &View> {
        self.flows.values()
    }

    /// The flows that messages of an account may start.
    pub(super) fn startable(
        &self,
        account: AccountRef<'_>,
    ) -> impl Iterator<Item = (FlowVersion, &Arc<Flow>)> {
        let bound = self.inbound.iter().find(|(bound, _)| account == *bound);
        bound.map_or(&[][..], |(_, flows)| flows).iter().filter_map(|flow| self.view(flow)?.online())
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

impl Library for Snapshot {
    fn find(&self, flow: &FlowId, version: Option<FlowVersion>) -> Option<Callee<'_>> {
        let view = self.flows.get(flow)?;
        let (version, flow) = match version {
            Some(version) => (version, view.version(version)??),
            None => view.online()?,
        };
        Some(Callee { flow, version, name: &view.entry.name })
    }
}

impl WorkspaceFlows {
    fn current(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        let snapshot = Arc::new(snapshot);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// Asks the store at the next call.
    pub(super) fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::SeqCst);
        self.asked_at.store(i64::MIN, Ordering::SeqCst);
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
        let doubts = self.doubts.load(Ordering::SeqCst);
        let revision = ports.flow_store.revision(workspace).await?;
        let snapshot = match current.filter(|current| current.revision == revision) {
            Some(current) => current,
            None => self.reload(ports, workspace).await?,
        };
        // Only now: until it is read, others ask for themselves.
        self.asked_at.store(millis, Ordering::SeqCst);
        if self.doubts.load(Ordering::SeqCst) != doubts {
            self.asked_at.store(i64::MIN, Ordering::SeqCst);
        }
        Ok(snapshot)
    }

    /// Reads the flows as the store has them now.
    pub(super) async fn reload(
        &self,
        ports: &Ports,
        workspace: &WorkspaceId,
    ) -> Result<Arc<Snapshot>, Error> {
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
                        snapshot.bind(account, &entry.flow);
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
        let fuller = Arc::new(fuller);
        let mut current = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        // What was read since is not replaced.
        if current.as_ref().is_none_or(|current| current.revision == fuller.revision) {
            *current = Some(Arc::clone(&fuller));
        }
        Ok(fuller)
    }

    pub(super) async fn compiled(
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
