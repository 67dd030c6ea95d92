//! Definitions in this process.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::StoreError;
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::store::{Catalogue, FlowChange, FlowEntry, FlowSaved, FlowStore, VersionState};

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
}

struct Stored {
    entry: FlowEntry,
    draft: Option<Arc<str>>,
    versions: HashMap<FlowVersion, Arc<str>>,
}

impl MemoryFlows {
    /// No flows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whatever happened to a thread that had the lock: a change is whole or not there.
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
        let mut shelves = self.shelves();
        let shelf = shelves.by_workspace.entry(workspace.clone()).or_default();
        let saved = shelf.save(change);
        if shelf.has_terminated() {
            shelves.terminated.insert(workspace.clone());
        } else {
            shelves.terminated.remove(workspace);
        }
        saved
    }

    async fn terminated(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        Ok(self.shelves().terminated.iter().cloned().collect())
    }
}

impl Shelf {
    fn has_terminated(&self) -> bool {
        let mut versions = self.flows.values().flat_map(|stored| &stored.entry.versions);
        versions.any(|version| matches!(version.state, VersionState::Terminated(_)))
    }

    fn save(&mut self, change: FlowChange) -> Result<FlowSaved, StoreError> {
        let FlowChange { entry, expect, draft, version } = change;
        let old = self.flows.get(&entry.flow);
        if old.map(|stored| stored.entry.revision) != expect {
            return Ok(FlowSaved::Conflict);
        }
        if let Some((number, text)) = &version
            && old.and_then(|stored| stored.versions.get(number)).is_some_and(|known| known != text)
        {
            return Err(StoreError::permanent(format!(
                "version {number} of flow `{}` is stored with another text",
                entry.flow
            )));
        }
        let stored = self.flows.entry(entry.flow.clone()).or_insert_with(|| Stored {
            entry: entry.clone(),
            draft: None,
            versions: HashMap::new(),
        });
        if draft.is_some() {
            stored.draft = draft;
        }
        if entry.draft.is_none() {
            stored.draft = None;
        }
        stored.versions.extend(version);
        stored.entry = entry;
        self.revision += 1;
        Ok(FlowSaved::Saved)
    }
}
