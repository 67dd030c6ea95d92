//! Definitions in the same file.

use std::sync::Arc;

use chatflow::error::StoreError;
use chatflow::id::{FlowId, FlowVersion, WorkspaceId};
use chatflow::store::{Catalogue, CatalogueChanges, FlowChange, FlowEntry, FlowSaved, VersionState};
use rusqlite::{Row, params};

use crate::columns::{self, blob, damaged, signed, text, unsigned};
use crate::database::Database;
use crate::queue::{Failure, Operation};

pub(super) const REVISION: &str = "SELECT revision FROM chatflow_catalogue WHERE workspace = ?1";
const GROW: &str = "INSERT INTO chatflow_catalogue VALUES (?1, 1) \
     ON CONFLICT (workspace) DO UPDATE SET revision = revision + 1 RETURNING revision";
pub(super) const ENTRIES: &str = "SELECT entry FROM chatflow_flow WHERE workspace = ?1";
pub(super) const CHANGED: &str = "SELECT entry FROM chatflow_flow WHERE workspace = ?1 AND saved_at > ?2";
pub(super) const STORED: &str = "SELECT revision FROM chatflow_flow WHERE workspace = ?1 AND flow = ?2";
const SAVE: &str = "INSERT OR REPLACE INTO chatflow_flow (workspace, flow, revision, saved_at, terminated, entry) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(super) const TEXT: &str =
    "SELECT text FROM chatflow_definition WHERE workspace = ?1 AND flow = ?2 AND version = ?3";
const SAVE_TEXT: &str =
    "INSERT OR REPLACE INTO chatflow_definition (workspace, flow, version, text) VALUES (?1, ?2, ?3, ?4)";
pub(super) const REMOVE_TEXT: &str =
    "DELETE FROM chatflow_definition WHERE workspace = ?1 AND flow = ?2 AND version = ?3";
pub(super) const TERMINATED: &str = "SELECT DISTINCT workspace FROM chatflow_flow WHERE terminated = 1";

/// The version under which a draft's text is kept.
const DRAFT: i64 = -1;

fn number(version: Option<FlowVersion>) -> i64 {
    version.map_or(DRAFT, |version| version.0.into())
}

pub(super) fn revision_of(database: &Database<'_>, workspace: &str) -> rusqlite::Result<u64> {
    Ok(database.first(REVISION, [workspace], |row| unsigned(row, 0))?.unwrap_or_default())
}

/// A workspace's number.
pub(super) struct RevisionOf(pub(super) WorkspaceId);

impl Operation for RevisionOf {
    type Answer = u64;
    const DOING: &'static str = "look the catalogue up";

    fn run(&self, database: &Database<'_>) -> Result<u64, Failure> {
        Ok(revision_of(database, self.0.as_str())?)
    }
}

/// A workspace's flows.
pub(super) struct CatalogueOf(pub(super) WorkspaceId);

impl Operation for CatalogueOf {
    type Answer = Catalogue;
    const DOING: &'static str = "read the catalogue";

    fn run(&self, database: &Database<'_>) -> Result<Catalogue, Failure> {
        let workspace = self.0.as_str();
        let flows = database.all(ENTRIES, [workspace], entry)?;
        Ok(Catalogue { revision: revision_of(database, workspace)?, flows })
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<FlowEntry> {
    serde_json::from_slice(blob(row, 0)?).map_err(|error| damaged(0, error))
}

/// A workspace's flows that were saved after a revision.
pub(super) struct ChangesOf(pub(super) WorkspaceId, pub(super) u64);

impl Operation for ChangesOf {
    type Answer = CatalogueChanges;
    const DOING: &'static str = "read changes of the catalogue";

    fn run(&self, database: &Database<'_>) -> Result<CatalogueChanges, Failure> {
        let (workspace, since) = (self.0.as_str(), self.1);
        let revision = revision_of(database, workspace)?;
        if since > revision {
            return CatalogueOf(self.0.clone()).run(database).map(CatalogueChanges::Whole);
        }
        let flows = match since == revision {
            true => Vec::new(),
            false => database.all(CHANGED, params![workspace, signed(since)], entry)?,
        };
        Ok(CatalogueChanges::Since(Catalogue { revision, flows }))
    }
}

/// A definition's text.
pub(super) struct Definition {
    pub(super) workspace: WorkspaceId,
    pub(super) flow: FlowId,
    pub(super) version: Option<FlowVersion>,
}

impl Operation for Definition {
    type Answer = Option<Arc<str>>;
    const DOING: &'static str = "read a definition";

    fn run(&self, database: &Database<'_>) -> Result<Option<Arc<str>>, Failure> {
        let names = params![self.workspace.as_str(), self.flow.as_str(), number(self.version)];
        Ok(database.first(TEXT, names, |row| text(row, 0).map(Arc::from))?)
    }
}

/// The workspaces with a terminated version.
pub(super) struct Terminated;

impl Operation for Terminated {
    type Answer = Vec<WorkspaceId>;
    const DOING: &'static str = "look for terminated flows";

    fn run(&self, database: &Database<'_>) -> Result<Vec<WorkspaceId>, Failure> {
        Ok(database.all(TERMINATED, [], |row| columns::workspace(row, 0))?)
    }
}

/// Changes of several flows, written as one.
pub(super) struct Save {
    workspace: WorkspaceId,
    /// Each with its entry as it is stored.
    changes: Vec<(FlowChange, Vec<u8>)>,
}

impl Save {
    pub(super) fn new(workspace: WorkspaceId, changes: Vec<FlowChange>) -> Result<Self, StoreError> {
        let stored = |change: FlowChange| {
            let entry = serde_json::to_vec(&change.entry).map_err(StoreError::permanent)?;
            Ok((change, entry))
        };
        Ok(Self { workspace, changes: changes.into_iter().map(stored).collect::<Result<_, StoreError>>()? })
    }

    /// Finds out if a change may be written. Writes nothing.
    fn look_at(&self, database: &Database<'_>, change: &FlowChange) -> Result<FlowSaved, Failure> {
        let (workspace, flow) = (self.workspace.as_str(), change.entry.flow.as_str());
        let stored = database.first(STORED, [workspace, flow], |row| unsigned(row, 0))?;
        if stored != change.expect {
            return Ok(FlowSaved::Conflict);
        }
        let Some((version, new)) = &change.version else { return Ok(FlowSaved::Saved) };
        let names = params![workspace, flow, number(Some(*version))];
        let is_other = database.first(TEXT, names, |row| Ok(text(row, 0)? != &**new))?;
        if is_other.unwrap_or_default() {
            let text = format!("version {version} of flow `{flow}` is stored with another text");
            return Err(Failure::Refused(StoreError::permanent(text)));
        }
        Ok(FlowSaved::Saved)
    }

    fn put(
        &self,
        database: &Database<'_>,
        (change, stored): &(FlowChange, Vec<u8>),
        saved_at: u64,
    ) -> rusqlite::Result<()> {
        let FlowChange { entry, draft, version, .. } = change;
        let (workspace, flow) = (self.workspace.as_str(), entry.flow.as_str());
        let terminated = entry.versions.iter().any(|one| matches!(one.state, VersionState::Terminated(_)));
        let (revision, saved_at) = (signed(entry.revision), signed(saved_at));
        database.execute(SAVE, params![workspace, flow, revision, saved_at, terminated, stored])?;
        if let Some(draft) = draft {
            database.execute(SAVE_TEXT, params![workspace, flow, DRAFT, &**draft])?;
        }
        if entry.draft.is_none() {
            database.execute(REMOVE_TEXT, params![workspace, flow, DRAFT])?;
        }
        if let Some((version, text)) = version {
            database.execute(SAVE_TEXT, params![workspace, flow, number(Some(*version)), &**text])?;
        }
        Ok(())
    }
}

impl Operation for Save {
    type Answer = FlowSaved;
    const DOING: &'static str = "save flows";

    fn run(&self, database: &Database<'_>) -> Result<FlowSaved, Failure> {
        for (change, _) in &self.changes {
            if self.look_at(database, change)? == FlowSaved::Conflict {
                return Ok(FlowSaved::Conflict);
            }
        }
        if self.changes.is_empty() {
            return Ok(FlowSaved::Saved);
        }
        let saved_at = database.first(GROW, [self.workspace.as_str()], |row| unsigned(row, 0))?;
        for change in &self.changes {
            self.put(database, change, saved_at.unwrap_or_default())?;
        }
        Ok(FlowSaved::Saved)
    }
}
