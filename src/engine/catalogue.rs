//! The engine's knowledge of a workspace's flows: a snapshot that decisions read, renewed where the
//! store's catalogue changed. Compiled versions are kept across snapshots, since a version never
//! changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use foldhash::fast::RandomState;

use crate::address::{Account, AccountRef};
use crate::engine::entries::KnownEntries;
use crate::engine::{Engine, Ports};
use crate::error::{Error, MissingReason};
use crate::flow::{Flow, IssueCode};
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::kernel::{Callee, FlowLookup, Library, Pinned, Published, Unusable};
use crate::store::{FlowEntry, VersionState};

/// Time that a snapshot is trusted without asking the store, in milliseconds.
const TRUST_MILLIS: i64 = 1_000;
/// The time for which a snapshot is trusted that lacks a version which sessions need.
const LACKING_MILLIS: i64 = 5_000;

type Map<K, V> = HashMap<K, V, RandomState>;
/// By their digest too: the same number may come to have another content (SEMANTICS S13).
type Compiled = Map<(FlowId, FlowVersion, u128), Arc<Flow>>;
/// A version as it is here: the flow, or why it cannot be used (SEMANTICS S14).
type Usable = Result<Arc<Flow>, MissingReason>;

/// The cache of one workspace.
#[derive(Default)]
pub(super) struct WorkspaceFlows {
    entries: KnownEntries,
    snapshot: RwLock<Option<Arc<Snapshot>>>,
    /// When the store was last asked, in milliseconds of the epoch.
    asked_at: AtomicI64,
    /// When a version that cannot be used was last looked for, in milliseconds of the epoch.
    looked_at: AtomicI64,
    /// Number of changes of the store through this cache: what was asked before that is not
    /// trusted.
    doubts: AtomicU64,
    compiled: Mutex<Compiled>,
}

/// The flows of a workspace at one revision of its catalogue.
#[derive(Clone, Default)]
pub(super) struct Snapshot {
    pub(super) revision: u64,
    /// The count of changes that it has.
    count: u64,
    flows: Map<FlowId, View>,
    /// Flows that messages of an account may start, by account.
    inbound: Vec<(Account, Vec<FlowId>)>,
    /// Flows with a version that was needed and cannot be used.
    lacking: BTreeSet<FlowId>,
    /// Of those, the flows whose version that is online is such a one: flows that call them cannot
    /// be used either.
    uncallable: BTreeMap<FlowId, (FlowVersion, MissingReason)>,
}

/// A flow in a snapshot.
#[derive(Clone)]
pub(super) struct View {
    pub(super) entry: Arc<FlowEntry>,
    /// The versions that were needed so far.
    versions: Vec<(FlowVersion, Usable)>,
}

/// A change of a snapshot: a flow's entry, and the version that is online; None: the flow is not
/// there any more.
type Renewed = (FlowId, Option<(Arc<FlowEntry>, Option<(FlowVersion, Usable)>)>);

impl View {
    fn version(&self, version: FlowVersion) -> Option<Result<&Arc<Flow>, &MissingReason>> {
        self.versions.iter().find(|(known, _)| *known == version).map(|(_, flow)| flow.as_ref())
    }

    pub(super) fn digest(&self, version: FlowVersion) -> Option<u128> {
        self.entry.versions.iter().find(|entry| entry.version == version).map(|entry| entry.digest)
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

    /// The version of a flow that new sessions start on.
    pub(super) fn online<'s>(&'s self, view: &'s View) -> Option<(FlowVersion, &'s Arc<Flow>)> {
        let online = view.entry.online()?;
        Some((online, self.usable(view, online)?.ok()?))
    }

    /// A version of a flow, or why it cannot be used here: itself, or for a flow that it calls.
    fn usable<'s>(
        &'s self,
        view: &'s View,
        version: FlowVersion,
    ) -> Option<Result<&'s Arc<Flow>, Unusable<'s>>> {
        Some(match view.version(version)? {
            Ok(flow) => self.missing_callee(flow).map_or(Ok(flow), Err),
            Err(reason) => Err(Unusable { reason, callee: None }),
        })
    }

    /// The reason a flow cannot be used here although it can be read: one that it calls,
    /// by others too, is online in a version that cannot be used.
    fn missing_callee(&self, flow: &Flow) -> Option<Unusable<'_>> {
        if self.uncallable.is_empty() { None } else { self.look_for_callee(flow) }
    }

    #[cold]
    fn look_for_callee(&self, flow: &Flow) -> Option<Unusable<'_>> {
        let (mut waiting, mut seen) = (vec![flow], BTreeSet::new());
        while let Some(flow) = waiting.pop() {
            for callee in flow.calls().filter(|callee| seen.insert((*callee).clone())) {
                if let Some((callee, (version, reason))) = self.uncallable.get_key_value(callee) {
                    return Some(Unusable { reason, callee: Some((callee, *version)) });
                }
                let Some(view) = self.view(callee) else { continue };
                let online = view.entry.online().and_then(|online| view.version(online)?.ok());
                waiting.extend(online.map(|flow| &**flow));
            }
        }
        None
    }

    /// Takes a change in.
    fn renew(&mut self, (flow, renewed): Renewed) {
        let old = self.flows.remove(&flow);
        for account in old.iter().flat_map(|old| &old.entry.accounts) {
            self.unbind(account, &flow);
        }
        self.lacking.remove(&flow);
        self.uncallable.remove(&flow);
        let Some((entry, online)) = renewed else { return };
        let mut versions = old.map_or_else(Vec::new, |old| old.versions);
        // What cannot be used is looked at again, and so is a number that has another content now.
        versions.retain(|(version, flow)| {
            let stored = entry.versions.iter().find(|stored| stored.version == *version);
            flow.as_ref().is_ok_and(|flow| stored.is_some_and(|stored| stored.digest == flow.digest()))
        });
        if let Some((version, usable)) = online {
            let takes = |account: &&Account| match &usable {
                Ok(flow) => flow.trigger().channel() == Some(&account.channel),
                Err(_) => true,
            };
            entry.accounts.iter().filter(takes).for_each(|account| self.bind(account, &flow));
            if let Err(reason) = &usable {
                self.lacking.insert(flow.clone());
                self.uncallable.insert(flow.clone(), (version, reason.clone()));
            }
            versions.retain(|(known, _)| *known != version);
            versions.push((version, usable));
        }
        self.flows.insert(flow, View { entry, versions });
    }

    fn bind(&mut self, account: &Account, flow: &FlowId) {
        match self.inbound.binary_search_by(|(bound, _)| bound.cmp(account)) {
            Ok(place) => {
                let bound = self.inbound.get_mut(place).map(|(_, flows)| flows);
                let Some(bound) = bound.filter(|bound| !bound.contains(flow)) else { return };
                bound.push(flow.clone());
            }
            Err(place) => self.inbound.insert(place, (account.clone(), vec![flow.clone()])),
        }
    }

    fn unbind(&mut self, account: &Account, flow: &FlowId) {
        let Ok(place) = self.inbound.binary_search_by(|(bound, _)| bound.cmp(account)) else { return };
        let Some((_, flows)) = self.inbound.get_mut(place) else { return };
        flows.retain(|bound| bound != flow);
        if flows.is_empty() {
            self.inbound.remove(place);
        }
    }

    pub(super) fn views(&self) -> impl Iterator<Item = &View> {
        self.flows.values()
    }

    fn bound_to(&self, account: AccountRef<'_>) -> impl Iterator<Item = &View> {
        let found = self.inbound.binary_search_by(|(bound, _)| bound.as_ref().compare(&account));
        let bound = found.ok().and_then(|place| self.inbound.get(place));
        bound.map_or(&[][..], |(_, flows)| flows).iter().filter_map(|flow| self.view(flow))
    }
}

impl FlowLookup for Snapshot {
    fn pinned(&self, flow: &FlowId, version: FlowVersion) -> Option<Pinned<'_>> {
        let Some(view) = self.flows.get(flow) else {
            let flow = Err(Unusable { reason: &MissingReason::NotStored, callee: None });
            return Some(Pinned {
                flow,
                digest: None,
                name: "",
                logging: false,
                texts: false,
                terminated: false,
            });
        };
        let flow = self.usable(view, version)?;
        Some(Pinned {
            flow,
            digest: flow.map_or_else(|_| view.digest(version), |flow| Some(flow.digest())),
            name: &view.entry.name,
            logging: view.entry.logging,
            texts: view.entry.log_texts,
            terminated: view.is_terminated(version),
        })
    }

    fn published(&self, flow: &FlowId) -> Option<Published<'_>> {
        let view = self.view(flow)?;
        let online = view.entry.online();
        Some(Published {
            name: &view.entry.name,
            online: online.map(|version| (version, view.digest(version))),
            flow: online.and_then(|version| self.usable(view, version)),
        })
    }

    fn startable(&self, account: AccountRef<'_>) -> Vec<(FlowVersion, &Arc<Flow>)> {
        self.bound_to(account).filter_map(|view| self.online(view)).collect()
    }

    fn missing_on(&self, account: AccountRef<'_>) -> Option<(FlowId, FlowVersion, MissingReason)> {
        if self.lacking.is_empty() {
            return None;
        }
        self.bound_to(account).find_map(|view| {
            let online = view.entry.online()?;
            Some(self.usable(view, online)?.err()?.named(&view.entry.flow, online))
        })
    }
}

impl Library for Snapshot {
    fn find(&self, flow: &FlowId, version: Option<FlowVersion>) -> Option<Callee<'_>> {
        let view = self.flows.get(flow)?;
        let version = version.or_else(|| view.entry.online())?;
        let flow = view.version(version)?.ok()?;
        Some(Callee { flow, version, name: &view.entry.name })
    }
}

impl WorkspaceFlows {
    pub(super) fn current(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The entries of the flows, as they were read last.
    pub(super) fn entries(&self) -> &KnownEntries {
        &self.entries
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
        match self.trusted(now) {
            Some(current) => Ok(current),
            None => Box::pin(self.ask_for_snapshot(ports, workspace, now)).await,
        }
    }

    /// The snapshot, if the store was asked for it a moment ago.
    pub(super) fn trusted(&self, now: DateTime<Utc>) -> Option<Arc<Snapshot>> {
        let millis = now.timestamp_millis();
        let asked = self.asked_at.load(Ordering::Acquire);
        let is_fresh = (0..TRUST_MILLIS).contains(&millis.saturating_sub(asked));
        if is_fresh { self.current() } else { None }
    }

    async fn ask_for_snapshot(
        &self,
        ports: &Ports,
        workspace: &WorkspaceId,
        now: DateTime<Utc>,
    ) -> Result<Arc<Snapshot>, Error> {
        let millis = now.timestamp_millis();
        let doubts = self.doubts.load(Ordering::SeqCst);
        let read = self.entries.read(ports, workspace).await?;
        let looked = millis.saturating_sub(self.looked_at.load(Ordering::Acquire));
        let is_current = |current: &Arc<Snapshot>| {
            (current.revision, current.count) == (read.revision, read.count)
                && (current.lacking.is_empty() || (0..LACKING_MILLIS).contains(&looked))
        };
        let snapshot = match self.current().filter(is_current) {
            Some(current) => current,
            None => {
                let snapshot = self.catch_up(ports, workspace).await?;
                self.looked_at.store(millis, Ordering::Release);
                snapshot
            }
        };
        // Only now: until it is read, others ask for themselves.
        self.asked_at.store(millis, Ordering::SeqCst);
        if self.doubts.load(Ordering::SeqCst) != doubts {
            self.asked_at.store(i64::MIN, Ordering::SeqCst);
        }
        Ok(snapshot)
    }

    /// The flows as the store has them now.
    pub(super) async fn reload(
        &self,
        ports: &Ports,
        workspace: &WorkspaceId,
    ) -> Result<Arc<Snapshot>, Error> {
        self.entries.read(ports, workspace).await?;
        self.catch_up(ports, workspace).await
    }

    /// Takes what was read since into the snapshot, and looks again at what could not be used.
    async fn catch_up(&self, ports: &Ports, workspace: &WorkspaceId) -> Result<Arc<Snapshot>, Error> {
        let (read, changed) = match self.current() {
            Some(current) => self.entries.changed(current.count, &current.lacking),
            None => self.entries.changed(0, &BTreeSet::new()),
        };
        let mut renewed: Vec<Renewed> = Vec::with_capacity(changed.len());
        for (flow, entry) in changed {
            let Some(entry) = entry else {
                renewed.push((flow, None));
                continue;
            };
            let online = match entry.online() {
                Some(online) => Some((online, self.compiled(ports, workspace, &entry, online).await?)),
                None => None,
            };
            renewed.push((flow, Some((entry, online))));
        }
        let mut current = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        let current = current.get_or_insert_default();
        let is_same = renewed.is_empty() && (current.revision, current.count) == (read.revision, read.count);
        // One that has more was made of what was read later.
        if current.count <= read.count && !is_same {
            // In place, unless a call is reading it.
            let snapshot = Arc::make_mut(current);
            renewed.into_iter().for_each(|renewed| snapshot.renew(renewed));
            (snapshot.revision, snapshot.count) = (read.revision, read.count);
        }
        Ok(Arc::clone(current))
    }

    /// The same snapshot, with these versions in it.
    pub(super) async fn fetch(
        &self,
        ports: &Ports,
        workspace: &WorkspaceId,
        snapshot: &Snapshot,
        missing: &[(FlowId, FlowVersion)],
    ) -> Result<Arc<Snapshot>, Error> {
        let mut fuller = snapshot.clone();
        for (flow, version) in missing {
            let Some(view) = fuller.flows.get_mut(flow) else { continue };
            if view.version(*version).is_none() {
                let compiled = self.compiled(ports, workspace, &view.entry, *version).await?;
                if compiled.is_err() {
                    fuller.lacking.insert(flow.clone());
                }
                view.versions.push((*version, compiled));
            }
        }
        let fuller = Arc::new(fuller);
        let mut current = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        // What was read since is not replaced.
        if current.as_ref().is_none_or(|current| current.count == fuller.count) {
            *current = Some(Arc::clone(&fuller));
        }
        Ok(fuller)
    }

    /// The version for lack of which a session with this pin cannot continue here, and why; None:
    /// it can (SEMANTICS S14).
    pub(super) async fn missing(
        &self,
        ports: &Ports,
        workspace: &WorkspaceId,
        snapshot: &Snapshot,
        (flow, version, digest): (&FlowId, FlowVersion, Option<u128>),
    ) -> Result<Option<(FlowId, FlowVersion, MissingReason)>, Error> {
        let not_stored = Some((flow.clone(), version, MissingReason::NotStored));
        let Some(view) = snapshot.flows.get(flow) else { return Ok(not_stored) };
        let is_other = digest.is_some() && view.digest(version) != digest;
        if is_other {
            return Ok(not_stored);
        }
        if view.is_terminated(version) {
            return Ok(None);
        }
        Ok(match self.compiled(ports, workspace, &view.entry, version).await? {
            Ok(found) => snapshot.missing_callee(&found).map(|unusable| unusable.named(flow, version)),
            Err(reason) => Some((flow.clone(), version, reason)),
        })
    }

    /// Takes note of a version that was just stored as this flow was compiled.
    pub(super) fn learn(&self, version: FlowVersion, flow: Arc<Flow>) {
        let key = (flow.id().clone(), version, flow.digest());
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).insert(key, flow);
    }

    /// A version of a flow, read and compiled once. That it cannot be used is not remembered here.
    pub(super) async fn compiled(
        &self,
        ports: &Ports,
        workspace: &WorkspaceId,
        entry: &FlowEntry,
        version: FlowVersion,
    ) -> Result<Usable, Error> {
        let Some(stored) = entry.versions.iter().find(|stored| stored.version == version) else {
            return Ok(Err(MissingReason::NotStored));
        };
        let key = (entry.flow.clone(), version, stored.digest);
        if let Some(known) = self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Ok(Arc::clone(known)));
        }
        let text = ports.flow_store.definition(workspace, &entry.flow, Some(version)).await?;
        let Some(text) = text else { return Ok(Err(MissingReason::NotStored)) };
        let flow = match Flow::from_json_within(&text, &ports.limits) {
            Ok(flow) => Arc::new(flow),
            Err(issues) if issues.iter().any(|issue| issue.code == IssueCode::NoEntry) => {
                return Ok(Err(MissingReason::NoEntryNode));
            }
            Err(issues) => {
                let first = issues.iter().next().map_or_else(String::new, ToString::to_string);
                return Ok(Err(MissingReason::NotReadable(first.into())));
            }
        };
        if flow.digest() != stored.digest {
            return Ok(Err(MissingReason::NotStored));
        }
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&flow));
        Ok(Ok(flow))
    }
}

impl<S> Engine<S> {
    /// The snapshot of this handle's workspace.
    pub(super) async fn snapshot(&self, now: DateTime<Utc>) -> Result<Arc<Snapshot>, Error> {
        self.flows.snapshot(&self.ports, self.workspace()?, now).await
    }
}
