//! Looking up: one statement, and what its row says.

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::id::{ContactId, FlowVersion, SessionId};
use crate::store::postgres::errors::Fault;
use crate::store::postgres::link::Link;
use crate::store::postgres::shard::shard;
use crate::store::postgres::statements::{LOAD, LOAD_BY_ALIAS};
use crate::store::sql::{instant, micros};
use crate::store::{KeyRecord, Loaded, Lookup, Record, StoredConversation, Subject};

/// Everything that one decision needs, as of one instant.
pub(super) async fn load(link: &Link<'_>, lookup: &Lookup, has_flows: bool) -> Result<Loaded, Fault> {
    let workspace = lookup.workspace.as_str();
    let (name, shard) = match &lookup.subject {
        Subject::Contact(contact) => {
            let name = contact.to_string();
            let shard = shard(&lookup.workspace, &name);
            (name, Some(shard))
        }
        Subject::Alias(alias) => (alias.to_string(), None),
    };
    let key =
        lookup.key.as_ref().map(|key| (key.flow.as_str(), key.key.to_string(), key.hashed().key.to_string()));
    let flow = key.as_ref().map(|(flow, ..)| *flow);
    let key_name = key.as_ref().map(|(_, name, _)| name.as_str());
    let key_hash = key.as_ref().map(|(.., hash)| hash.as_str());
    let now = micros(lookup.now);
    let mut params: Vec<super::link::Param<'_>> = vec![
        (&workspace, Type::TEXT),
        (&name, Type::TEXT),
        (&lookup.token.0, Type::UUID),
        (&flow, Type::TEXT),
        (&key_name, Type::TEXT),
        (&key_hash, Type::TEXT),
        (&now, Type::INT8),
    ];
    let rows = match &shard {
        Some(shard) => {
            params.push((shard, Type::INT2));
            link.hot(LOAD, &params).await?
        }
        None => link.hot(LOAD_BY_ALIAS, &params).await?,
    };
    match rows.first() {
        Some(row) => loaded(row, has_flows),
        None => Ok(Loaded::default()),
    }
}

fn loaded(row: &Row, has_flows: bool) -> Result<Loaded, Fault> {
    let contact: Option<&str> = row.try_get(0)?;
    let conversation = match contact {
        Some(contact) => Some(StoredConversation {
            contact: contact_id(contact)?,
            revision: row.try_get::<_, i64>(1)? as u64,
            record: Record::from_bytes(row.try_get::<_, &[u8]>(2)?),
            settled: row.try_get::<_, i64>(3)? as u64,
            quarantined: row.try_get(4)?,
            leased: row.try_get(5)?,
        }),
        None => None,
    };
    let catalogue: Option<i64> = row.try_get(6)?;
    Ok(Loaded { conversation, key: key(row)?, catalogue: has_flows.then(|| catalogue.unwrap_or(0) as u64) })
}

fn key(row: &Row) -> Result<Option<KeyRecord>, Fault> {
    let Some(fingerprint) = row.try_get::<_, Option<Uuid>>(7)? else { return Ok(None) };
    let expires_at = instant(row.try_get(12)?);
    if row.try_get(13)? {
        return Ok(Some(KeyRecord::erased(expires_at)));
    }
    Ok(Some(KeyRecord {
        fingerprint: fingerprint.as_u128(),
        started: row.try_get(8)?,
        session: SessionId(row.try_get(9)?),
        version: version(row.try_get(10)?)?,
        contact: contact_id(row.try_get(11)?)?,
        expires_at,
        erased: false,
    }))
}

pub(super) fn version(number: i64) -> Result<FlowVersion, Fault> {
    u32::try_from(number).map(FlowVersion).map_err(Fault::permanent)
}

pub(super) fn contact_id(text: &str) -> Result<ContactId, Fault> {
    ContactId::new(text).map_err(Fault::permanent)
}
