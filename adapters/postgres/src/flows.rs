//! Definitions: an entry for each flow, its texts, and a number for each workspace that counts the
//! changes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chatflow::id::{FlowId, FlowVersion, WorkspaceId};
use chatflow::store::{Catalogue, CatalogueChanges, FlowChange, FlowEntry, FlowSaved, VersionState};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::errors::Fault;
use crate::link::{Link, Param};
use crate::queries::unreadable;
use crate::statements::flows::{
    CATALOGUE, CATALOGUE_REVISION, CHANGES, DEFINITION, DROP_DRAFTS, FLOW_REVISIONS, NEXT_CATALOGUE,
    SAVE_DEFINITIONS, SAVE_FLOWS, TERMINATED,
};
use crate::write::revision as stored;

/// The number under which a draft's text is kept; versions count from 1.
const DRAFT: i64 = 0;

/// Changes that one statement writes at most, so that no message to the server becomes too large.
const CHUNK: usize = 256;

pub(super) async fn revision(link: &Link<'_>, workspace: &WorkspaceId) -> Result<u64, Fault> {
    let name = workspace.as_str();
    Ok(match link.hot(CATALOGUE_REVISION, &[(&name, Type::TEXT)]).await?.first() {
        Some(row) => row.try_get::<_, i64>(0)? as u64,
        None => 0,
    })
}

pub(super) async fn catalogue(link: &Link<'_>, workspace: &WorkspaceId) -> Result<Catalogue, Fault> {
    let name = workspace.as_str();
    read(&link.query(CATALOGUE, &[(&name, Type::TEXT)]).await?)
}

/// The changes since a revision, or all where the catalogue has not come that far.
pub(super) async fn changes(
    link: &Link<'_>,
    workspace: &WorkspaceId,
    since: u64,
) -> Result<CatalogueChanges, Fault> {
    let (name, last) = (workspace.as_str(), stored(since));
    let changed = read(&link.hot(CHANGES, &[(&name, Type::TEXT), (&last, Type::INT8)]).await?)?;
    if changed.revision < since {
        return catalogue(link, workspace).await.map(CatalogueChanges::Whole);
    }
    Ok(CatalogueChanges::Since(changed))
}

fn read(rows: &[Row]) -> Result<Catalogue, Fault> {
    let mut catalogue = Catalogue::default();
    for row in rows {
        catalogue.revision = row.try_get::<_, i64>(0)? as u64;
        if let Some(entry) = row.try_get::<_, Option<&[u8]>>(1)? {
            let entry = serde_json::from_slice(entry);
            catalogue.flows.push(entry.map_err(|error| Fault::permanent(unreadable(&error)))?);
        }
    }
    Ok(catalogue)
}

pub(super) async fn definition(
    link: &Link<'_>,
    workspace: &WorkspaceId,
    flow: &FlowId,
    version: Option<FlowVersion>,
) -> Result<Option<Arc<str>>, Fault> {
    let (workspace, flow) = (workspace.as_str(), flow.as_str());
    let version = version.map_or(DRAFT, |version| i64::from(version.0));
    let params: [Param<'_>; 3] = [(&workspace, Type::TEXT), (&flow, Type::TEXT), (&version, Type::INT8)];
    let Some(row) = link.first(DEFINITION, &params).await? else { return Ok(None) };
    let text = String::from_utf8(row.try_get(0)?);
    Ok(Some(text.map_err(|_| Fault::permanent("a stored definition is not text"))?.into()))
}

/// The reason a change is not written, as a way out of its transaction.
enum Refused {
    Conflict,
    Failed(Fault),
}

pub(super) async fn save(
    link: &Link<'_>,
    workspace: &WorkspaceId,
    changes: &[FlowChange],
) -> Result<FlowSaved, Fault> {
    if changes.is_empty() {
        return Ok(FlowSaved::Saved);
    }
    let mut conflict = false;
    let saved = link
        .atomically(async {
            match write(link, workspace.as_str(), changes).await {
                Ok(()) => Ok(()),
                Err(Refused::Failed(fault)) => Err(fault),
                Err(Refused::Conflict) => {
                    conflict = true;
                    Err(Fault::permanent("a flow was changed by someone else"))
                }
            }
        })
        .await;
    match saved {
        Ok(()) => Ok(FlowSaved::Saved),
        Err(Fault::Sorted(..)) if conflict => Ok(FlowSaved::Conflict),
        Err(fault) => Err(fault),
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

async fn write(link: &Link<'_>, workspace: &str, changes: &[FlowChange]) -> Result<(), Refused> {
    let Some(counted) = link.first(NEXT_CATALOGUE, &[(&workspace, Type::TEXT)]).await? else {
        return Err(Fault::permanent("the catalogue was not counted").into());
    };
    let saved_at: i64 = counted.try_get(0).map_err(Fault::from)?;
    for changes in changes.chunks(CHUNK) {
        expect(link, workspace, changes).await?;
    }
    for changes in changes.chunks(CHUNK) {
        put_texts(link, workspace, changes).await?;
        put_entries(link, workspace, saved_at, changes).await?;
    }
    Ok(())
}

/// Refuses changes of flows that are not as they expect.
async fn expect(link: &Link<'_>, workspace: &str, changes: &[FlowChange]) -> Result<(), Refused> {
    let flows: Vec<&str> = changes.iter().map(|change| change.entry.flow.as_str()).collect();
    let rows = link.query(FLOW_REVISIONS, &[(&workspace, Type::TEXT), (&flows, Type::TEXT_ARRAY)]).await?;
    let found = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let found: HashMap<&str, i64> =
        found.collect::<Result<_, tokio_postgres::Error>>().map_err(Fault::from)?;
    let is_as_expected =
        |change: &FlowChange| found.get(change.entry.flow.as_str()).copied() == change.expect.map(stored);
    if changes.iter().all(is_as_expected) { Ok(()) } else { Err(Refused::Conflict) }
}

/// Writes drafts and versions, and removes the drafts that go.
async fn put_texts(link: &Link<'_>, workspace: &str, changes: &[FlowChange]) -> Result<(), Fault> {
    let mut texts: Vec<(&str, i64, &[u8])> = Vec::new();
    let mut dropped: Vec<&str> = Vec::new();
    for FlowChange { entry, draft, version, .. } in changes {
        let flow = entry.flow.as_str();
        texts.extend(version.iter().map(|(number, text)| (flow, i64::from(number.0), text.as_bytes())));
        match draft {
            _ if entry.draft.is_none() => dropped.push(flow),
            Some(draft) => texts.push((flow, DRAFT, draft.as_bytes())),
            None => {}
        }
    }
    if !dropped.is_empty() {
        link.query(DROP_DRAFTS, &[(&workspace, Type::TEXT), (&dropped, Type::TEXT_ARRAY)]).await?;
    }
    if texts.is_empty() {
        return Ok(());
    }
    let flows: Vec<&str> = texts.iter().map(|text| text.0).collect();
    let versions: Vec<i64> = texts.iter().map(|text| text.1).collect();
    let bytes: Vec<&[u8]> = texts.iter().map(|text| text.2).collect();
    let params: [Param<'_>; 4] = [
        (&workspace, Type::TEXT),
        (&flows, Type::TEXT_ARRAY),
        (&versions, Type::INT8_ARRAY),
        (&bytes, Type::BYTEA_ARRAY),
    ];
    let rows = link.query(SAVE_DEFINITIONS, &params).await?;
    let written = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let written: HashSet<(&str, i64)> = written.collect::<Result<_, tokio_postgres::Error>>()?;
    match texts.iter().find(|text| !written.contains(&(text.0, text.1))) {
        None => Ok(()),
        Some((flow, number, _)) => {
            Err(Fault::permanent(format!("version {number} of flow `{flow}` is stored with another text")))
        }
    }
}

async fn put_entries(
    link: &Link<'_>,
    workspace: &str,
    saved_at: i64,
    changes: &[FlowChange],
) -> Result<(), Fault> {
    let entries = || changes.iter().map(|change| &change.entry);
    let flows: Vec<&str> = entries().map(|entry| entry.flow.as_str()).collect();
    let revisions: Vec<i64> = entries().map(|entry| stored(entry.revision)).collect();
    let is_terminated = |entry: &FlowEntry| {
        entry.versions.iter().any(|version| matches!(version.state, VersionState::Terminated(_)))
    };
    let terminated: Vec<bool> = entries().map(is_terminated).collect();
    let bytes: Vec<Vec<u8>> =
        entries().map(serde_json::to_vec).collect::<Result<_, _>>().map_err(Fault::permanent)?;
    let params: [Param<'_>; 6] = [
        (&workspace, Type::TEXT),
        (&saved_at, Type::INT8),
        (&flows, Type::TEXT_ARRAY),
        (&revisions, Type::INT8_ARRAY),
        (&terminated, Type::BOOL_ARRAY),
        (&bytes, Type::BYTEA_ARRAY),
    ];
    link.query(SAVE_FLOWS, &params).await?;
    Ok(())
}

pub(super) async fn terminated(link: &Link<'_>) -> Result<Vec<WorkspaceId>, Fault> {
    let rows = link.query(TERMINATED, &[]).await?;
    let read =
        |row: &tokio_postgres::Row| WorkspaceId::new(row.try_get::<_, &str>(0)?).map_err(Fault::permanent);
    rows.iter().map(read).collect()
}
