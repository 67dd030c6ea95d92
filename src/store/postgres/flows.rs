//! Definitions: an entry for each flow, its texts, and a number for each workspace that counts the changes.

use std::sync::Arc;

use tokio_postgres::types::Type;

use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::store::postgres::errors::Fault;
use crate::store::postgres::link::{Link, Param};
use crate::store::postgres::queries::unreadable;
use crate::store::postgres::statements::flows::{
    CATALOGUE, CATALOGUE_REVISION, DEFINITION, DROP_DRAFT, FLOW_REVISION, NEXT_CATALOGUE, SAVE_DEFINITION,
    SAVE_FLOW, TERMINATED,
};
use crate::store::postgres::write::revision as stored;
use crate::store::{Catalogue, FlowChange, FlowSaved, VersionState};

/// The number under which a draft's text is kept; versions count from 1.
const DRAFT: i64 = 0;

pub(super) async fn revision(link: &Link<'_>, workspace: &WorkspaceId) -> Result<u64, Fault> {
    let name = workspace.as_str();
    Ok(match link.hot(CATALOGUE_REVISION, &[(&name, Type::TEXT)]).await?.first() {
        Some(row) => row.try_get::<_, i64>(0)? as u64,
        None => 0,
    })
}

pub(super) async fn catalogue(link: &Link<'_>, workspace: &WorkspaceId) -> Result<Catalogue, Fault> {
    let name = workspace.as_str();
    let mut catalogue = Catalogue::default();
    for row in link.query(CATALOGUE, &[(&name, Type::TEXT)]).await? {
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
    let found = text(link, workspace, flow, version).await?;
    let Some(bytes) = found else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|_| Fault::permanent("a stored definition is no text"))?;
    Ok(Some(text.into()))
}

async fn text(
    link: &Link<'_>,
    workspace: &WorkspaceId,
    flow: &FlowId,
    version: Option<FlowVersion>,
) -> Result<Option<Vec<u8>>, Fault> {
    let (workspace, flow) = (workspace.as_str(), flow.as_str());
    let version = version.map_or(DRAFT, |version| i64::from(version.0));
    let params: [Param<'_>; 3] = [(&workspace, Type::TEXT), (&flow, Type::TEXT), (&version, Type::INT8)];
    Ok(match link.first(DEFINITION, &params).await? {
        Some(row) => Some(row.try_get(0)?),
        None => None,
    })
}

/// Why a change is not written, as a way out of its transaction.
enum Refused {
    Conflict,
    Failed(Fault),
}

pub(super) async fn save(
    link: &Link<'_>,
    workspace: &WorkspaceId,
    change: &FlowChange,
) -> Result<FlowSaved, Fault> {
    let mut conflict = false;
    let saved = link
        .atomically(async {
            match write(link, workspace, change).await {
                Ok(()) => Ok(()),
                Err(Refused::Failed(fault)) => Err(fault),
                Err(Refused::Conflict) => {
                    conflict = true;
                    Err(Fault::permanent("the flow was changed by someone else"))
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

async fn write(link: &Link<'_>, workspace: &WorkspaceId, change: &FlowChange) -> Result<(), Refused> {
    let entry = &change.entry;
    let (name, flow) = (workspace.as_str(), entry.flow.as_str());
    link.query(NEXT_CATALOGUE, &[(&name, Type::TEXT)]).await?;
    let found = link.first(FLOW_REVISION, &[(&name, Type::TEXT), (&flow, Type::TEXT)]).await?;
    let found: Option<i64> = match found {
        Some(row) => Some(row.try_get(0).map_err(Fault::from)?),
        None => None,
    };
    if found != change.expect.map(stored) {
        return Err(Refused::Conflict);
    }
    if let Some((number, new)) = &change.version {
        match text(link, workspace, &entry.flow, Some(*number)).await? {
            Some(known) if known != new.as_bytes() => {
                let rule = format!("version {number} of flow `{flow}` is stored with another text");
                return Err(Fault::permanent(rule).into());
            }
            Some(_) => {}
            None => put(link, name, flow, i64::from(number.0), new).await?,
        }
    }
    if entry.draft.is_none() {
        link.query(DROP_DRAFT, &[(&name, Type::TEXT), (&flow, Type::TEXT)]).await?;
    } else if let Some(draft) = &change.draft {
        put(link, name, flow, DRAFT, draft).await?;
    }
    let terminated =
        entry.versions.iter().any(|version| matches!(version.state, VersionState::Terminated(_)));
    let bytes = serde_json::to_vec(entry).map_err(Fault::permanent)?;
    let number = stored(entry.revision);
    let params: [Param<'_>; 5] = [
        (&name, Type::TEXT),
        (&flow, Type::TEXT),
        (&number, Type::INT8),
        (&terminated, Type::BOOL),
        (&bytes, Type::BYTEA),
    ];
    link.query(SAVE_FLOW, &params).await?;
    Ok(())
}

async fn put(link: &Link<'_>, workspace: &str, flow: &str, version: i64, text: &str) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    let params: [Param<'_>; 4] =
        [(&workspace, Type::TEXT), (&flow, Type::TEXT), (&version, Type::INT8), (&bytes, Type::BYTEA)];
    link.query(SAVE_DEFINITION, &params).await?;
    Ok(())
}

pub(super) async fn terminated(link: &Link<'_>) -> Result<Vec<WorkspaceId>, Fault> {
    let rows = link.query(TERMINATED, &[]).await?;
    let read =
        |row: &tokio_postgres::Row| WorkspaceId::new(row.try_get::<_, &str>(0)?).map_err(Fault::permanent);
    rows.iter().map(read).collect()
}
