//! Definitions on the same server.

use std::collections::BTreeSet;
use std::sync::Arc;

use chatflow::error::StoreError;
use chatflow::id::{FlowId, FlowVersion, WorkspaceId};
use chatflow::store::{
    Catalogue, CatalogueChanges, FlowChange, FlowEntry, FlowSaved, FlowStore, VersionState,
};

use crate::RedisStore;
use crate::scripts::{FLOWS, SAVE};
use crate::server::Server;
use crate::values::{args, damaged, workspace_of};

/// The flows, and true if they are those since a revision and no more.
async fn read(
    server: &Server,
    workspace: &WorkspaceId,
    since: String,
) -> Result<(Catalogue, bool), StoreError> {
    let (revision, is_since, entries): (u64, bool, Vec<String>) =
        server.run(&FLOWS, args![workspace, since]).await?;
    let read = |entry: &String| {
        serde_json::from_str::<FlowEntry>(entry).map_err(|error| damaged("a flow's entry", error))
    };
    let flows = entries.iter().map(read).collect::<Result<_, _>>()?;
    Ok((Catalogue { revision, flows }, is_since))
}

/// The arguments of one change: as many as `save.lua` reads at a time.
fn change_args(change: &FlowChange) -> Result<Vec<Vec<u8>>, StoreError> {
    let FlowChange { entry, expect, draft, version } = change;
    let stored = serde_json::to_string(entry).map_err(StoreError::permanent)?;
    let is_terminated = entry.versions.iter().any(|one| matches!(one.state, VersionState::Terminated(_)));
    let (number, text) = match version {
        Some((version, text)) => (version.0.to_string(), &**text),
        None => (String::new(), ""),
    };
    Ok(args![
        entry.flow,
        expect.map(|revision| revision.to_string()).unwrap_or_default(),
        entry.revision,
        stored,
        draft.as_deref().unwrap_or_default(),
        u8::from(entry.draft.is_some()),
        number,
        text,
        u8::from(is_terminated),
    ])
}

impl FlowStore for RedisStore {
    async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        let mut command = redis::cmd("GET");
        command.arg(format!("{}:g:{workspace}", self.server.root()));
        let revision: Option<u64> = self.server.ask("look the catalogue up", command).await?;
        Ok(revision.unwrap_or_default())
    }

    async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
        Ok(read(&self.server, workspace, String::new()).await?.0)
    }

    async fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let version = version.map(|version| version.0.to_string()).unwrap_or_default();
        let mut command = redis::cmd("HGET");
        command.arg(format!("{}:t:{workspace}", self.server.root())).arg(format!("{flow}\u{1f}{version}"));
        let text: Option<String> = self.server.ask("read a definition", command).await?;
        Ok(text.map(Arc::from))
    }

    async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
        self.save_all(workspace, vec![change]).await
    }

    async fn save_all(
        &self,
        workspace: &WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> Result<FlowSaved, StoreError> {
        let mut args = args![workspace];
        for change in &changes {
            args.extend(change_args(change)?);
        }
        let answer: String = self.server.run(&SAVE, args).await?;
        match answer.as_str() {
            "saved" => Ok(FlowSaved::Saved),
            "conflict" => Ok(FlowSaved::Conflict),
            place => {
                let change = place.parse::<usize>().ok().and_then(|place| changes.get(place));
                let Some(FlowChange { entry, version: Some((version, _)), .. }) = change else {
                    return Err(damaged("an answer", place));
                };
                let text = format!("version {version} of flow `{}` is stored with another text", entry.flow);
                Err(StoreError::permanent(text))
            }
        }
    }

    async fn changes(&self, workspace: &WorkspaceId, since: u64) -> Result<CatalogueChanges, StoreError> {
        let (catalogue, is_since) = read(&self.server, workspace, since.to_string()).await?;
        Ok(if is_since { CatalogueChanges::Since(catalogue) } else { CatalogueChanges::Whole(catalogue) })
    }

    async fn terminated(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(format!("{}:terminated", self.server.root()));
        let flows: Vec<String> = self.server.ask("look for terminated flows", command).await?;
        let workspaces: BTreeSet<&str> = flows
            .iter()
            .filter_map(|flow| flow.split_once('\u{1f}'))
            .map(|(workspace, _)| workspace)
            .collect();
        workspaces.into_iter().map(workspace_of).collect()
    }
}
