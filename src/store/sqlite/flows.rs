//! Definitions in the same file.

use std::sync::Arc;

use rusqlite::params;

use crate::error::StoreError;
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::store::sqlite::columns::{self, blob, damaged, signed, text, unsigned};
use crate::store::sqlite::database::Database;
use crate::store::sqlite::queue::{Failure, Operation};
use crate::store::{Catalogue, FlowChange, FlowEntry, FlowSaved, VersionState};

pub(super) const REVISION: &str = "SELECT revision FROM chatflow_catalogue WHERE workspace = ?1";
const GROW: &str = "INSERT INTO chatflow_catalogue VALUES (?1, 1) \
     ON CONFLICT (workspace) DO UPDATE SET revision = revision + 1";
pub(super) const ENTRIES: &str = "SELECT entry FROM chatflow_flow WHERE workspace = ?1";
pub(super) const STORED: &str = "SELECT revision FROM chatflow_flow WHERE workspace = ?1 AND flow = ?2";
const SAVE: &str = "INSERT OR REPLACE INTO chatflow_flow (workspace, flow, revision, terminated, entry) \
     VALUES (?1, ?2, ?3, ?4, ?5)";
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
        let read = |bytes: &[u8]| serde_json::from_slice::<FlowEntry>(bytes);
        let flows = database
            .all(ENTRIES, [workspace], |row| read(blob(row, 0)?).map_err(|error| damaged(0, error)))?;
        Ok(Catalogue { revision: revision_of(database, workspace)?, flows })
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

/// One change to one flow.
pub(super) struct Save {
    workspace: WorkspaceId,
    change: FlowChange,
    entry: Vec<u8>,
}

impl Save {
    pub(super) fn new(workspace: WorkspaceId, change: FlowChange) -> Result<Self, StoreError> {
        let entry = serde_json::to_vec(&change.entry).map_err(StoreError::permanent)?;
        Ok(Self { workspace, change, entry })
    }

    /// Whether the version is there with another text.
    fn clashes(&self, database: &Database<'_>, names: (&str, &str)) -> rusqlite::Result<bool> {
        let Some((version, new)) = &self.change.version else { return Ok(false) };
        let names = params![names.0, names.1, number(Some(*version))];
        let is_other = database.first(TEXT, names, |row| Ok(text(row, 0)? != &**new))?;
        Ok(is_other.unwrap_or_default())
    }
}

impl Operation for Save {
    type Answer = FlowSaved;
    const DOING: &'static str = "save a flow";

    fn run(&self, database: &Database<'_>) -> Result<FlowSaved, Failure> {
        let FlowChange { entry, expect, draft, version } = &self.change;
        let (workspace, flow) = (self.workspace.as_str(), entry.flow.as_str());
        let stored = database.first(STORED, [workspace, flow], |row| unsigned(row, 0))?;
        if stored != *expect {
            return Ok(FlowSaved::Conflict);
        }
        if self.clashes(database, (workspace, flow))? {
            let number = version.as_ref().map(|(number, _)| number.0).unwrap_or_default();
            let text = format!("version {number} of flow `{flow}` is stored with another text");
            return Err(Failure::Refused(StoreError::permanent(text)));
        }
        let terminated = entry.versions.iter().any(|one| matches!(one.state, VersionState::Terminated(_)));
        database.execute(SAVE, params![workspace, flow, signed(entry.revision), terminated, self.entry])?;
        if let Some(draft) = draft {
            database.execute(SAVE_TEXT, params![workspace, flow, DRAFT, &**draft])?;
        }
        if entry.draft.is_none() {
            database.execute(REMOVE_TEXT, params![workspace, flow, DRAFT])?;
        }
        if let Some((version, text)) = version {
            database.execute(SAVE_TEXT, params![workspace, flow, number(Some(*version)), &**text])?;
        }
        database.execute(GROW, [workspace])?;
        Ok(FlowSaved::Saved)
    }
}
