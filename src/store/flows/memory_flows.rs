//! Definitions in this process.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::StoreError;
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::store::{Catalogue, CatalogueChanges, FlowChange, FlowEntry, FlowSaved, FlowStore, VersionState};

/// Definitions in this process: for hosts that read their flows from files at each start.
#[derive(Default)]
pub struct MemoryFlows(Mutex<Shelves>);

#[derive(Default)]
struct Shelves {
    by_workspace: HashMap<WorkspaceId, Shelf>,
    /// Those with a version that was terminated: each tick asks for them.
    terminated: HashSet<WorkspaceId>,
}

/// The flows of one workspace.
#[derive(Default)]
struct Shelf {
    revision: u64,
    flows: HashMap<FlowId, Stored>,
    /// The flow that was saved at each revision, unless it was saved again since.
    by_revision: BTreeMap<u64, FlowId>,
    /// Number of flows that have a version that was terminated.
    terminated: usize,
}

struct Stored {
    entry: FlowEntry,
    /// The revision of the workspace at which it was saved.
    saved_at: u64,
    draft: Option<Arc<str>>,
    versions: HashMap<FlowVersion, Arc<str>>,
}

impl MemoryFlows {
    /// No flows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The shelves, even if a thread panicked with the lock: a change is whole or not there.
    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryFlows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryFlows").finish_non_exhaustive()
    }
}

impl FlowStore for MemoryFlows {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        Ok(self.shelves().by_workspace.get(workspace).map_or(0, |shelf| shelf.revision))
    }

    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        let shelves = self.shelves();
        let Some(shelf) = shelves.by_workspace.get(workspace) else { return Ok(Catalogue::default()) };
        let flows = shelf.flows.values().map(|stored| stored.entry.clone()).collect();
        Ok(Catalogue { revision: shelf.revision, flows })
    }

    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let shelves = self.shelves();
        let stored = shelves.by_workspace.get(workspace).and_then(|shelf| shelf.flows.get(flow));
        Ok(stored.and_then(|stored| match version {
            Some(version) => stored.versions.get(&version).cloned(),
            None => stored.draft.clone(),
        }))
    }

    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.save_all(workspace, vec![change]).await
    }

    async fn save_all(
        &self,
        workspace: &WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> Result<FlowSaved, StoreError> {
        let mut shelves = self.shelves();
        let shelf = shelves.by_workspace.entry(workspace.clone()).or_default();
        for change in &changes {
            if shelf.look_at(change)? == FlowSaved::Conflict {
                return Ok(FlowSaved::Conflict);
            }
        }
        changes.into_iter().for_each(|change| shelf.put(change));
        if shelf.terminated > 0 {
            shelves.terminated.insert(workspace.clone());
        } else {
            shelves.terminated.remove(workspace);
        }
        Ok(FlowSaved::Saved)
    }

    async fn changes(&self, workspace: &WorkspaceId, since: u64) -> Result<CatalogueChanges, StoreError> {
        let shelves = self.shelves();
        let shelf = shelves.by_workspace.get(workspace);
        let revision = shelf.map_or(0, |shelf| shelf.revision);
        let is_known = since <= revision;
        let first = if is_known { since.saturating_add(1) } else { 0 };
        let saved = shelf.into_iter().flat_map(|shelf| shelf.saved_from(first).cloned());
        let catalogue = Catalogue { revision, flows: saved.collect() };
        Ok(if is_known { CatalogueChanges::Since(catalogue) } else { CatalogueChanges::Whole(catalogue) })
    }

    async fn terminated(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        Ok(self.shelves().terminated.iter().cloned().collect())
    }
}

impl Shelf {
    /// The entries that were saved at this revision or a later one.
    fn saved_from(&self, revision: u64) -> impl Iterator<Item = &FlowEntry> {
        let saved = self.by_revision.range(revision..);
        saved.filter_map(|(_, flow)| self.flows.get(flow).map(|stored| &stored.entry))
    }

    /// Finds out if a change may be written. Writes nothing.
    fn look_at(&self, change: &FlowChange) -> Result<FlowSaved, StoreError> {
        let flow = &change.entry.flow;
        let old = self.flows.get(flow);
        if old.map(|stored| stored.entry.revision) != change.expect {
            return Ok(FlowSaved::Conflict);
        }
        if let Some((number, text)) = &change.version
            && old.and_then(|stored| stored.versions.get(number)).is_some_and(|known| known != text)
        {
            let text = format!("version {number} of flow `{flow}` is stored with another text");
            return Err(StoreError::permanent(text));
        }
        Ok(FlowSaved::Saved)
    }

    fn put(&mut self, change: FlowChange) {
        let FlowChange { entry, draft, version, .. } = change;
        self.revision += 1;
        let flow = entry.flow.clone();
        let old = self.flows.remove(&flow);
        let (mut kept, mut versions) = (None, HashMap::new());
        if let Some(old) = old {
            self.by_revision.remove(&old.saved_at);
            self.terminated -= usize::from(has_terminated(&old.entry));
            (kept, versions) = (old.draft, old.versions);
        }
        self.by_revision.insert(self.revision, flow.clone());
        self.terminated += usize::from(has_terminated(&entry));
        versions.extend(version);
        let draft = draft.or(kept).filter(|_| entry.draft.is_some());
        self.flows.insert(flow, Stored { entry, saved_at: self.revision, draft, versions });
    }
}

fn has_terminated(entry: &FlowEntry) -> bool {
    entry.versions.iter().any(|version| matches!(version.state, VersionState::Terminated(_)))
}
