//! Looking up: one statement for one call or for several, and what its rows say.

use chatflow::id::{ContactId, FlowVersion, SessionId};
use chatflow::store::sql::{instant, micros, state_of};
use chatflow::store::{KeyRecord, Loaded, Lookup, Record, StoredConversation, Subject};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::errors::Fault;
use crate::link::{Link, Param};
use crate::shard::shard;
use crate::statements::load::{HOLD, HOLD_BY_ALIAS, LOAD, LOAD_ALL, LOAD_BY_ALIAS};

/// A lookup as a row.
pub(super) struct LoadRow {
    workspace: String,
    /// A contact, whose shard is known, or an alias.
    name: String,
    shard: Option<i16>,
    token: Uuid,
    flow: Option<String>,
    key: Option<String>,
    hash: Option<String>,
    now: i64,
}

impl LoadRow {
    pub(super) fn of(lookup: &Lookup) -> Self {
        let (name, shard) = match &lookup.subject {
            Subject::Contact(contact) => {
                let name = contact.to_string();
                let shard = shard(&lookup.workspace, &name);
                (name, Some(shard))
            }
            Subject::Alias(alias) => (alias.to_string(), None),
        };
        let key = lookup.key.as_ref();
        Self {
            workspace: lookup.workspace.as_str().to_owned(),
            name,
            shard,
            token: lookup.token.0,
            flow: key.map(|key| key.flow.as_str().to_owned()),
            key: key.map(|key| key.key.to_string()),
            hash: key.map(|key| key.hashed().key.to_string()),
            now: micros(lookup.now),
        }
    }

    fn contact(&self) -> Option<&str> {
        self.shard.is_some().then_some(self.name.as_str())
    }

    fn alias(&self) -> Option<&str> {
        self.shard.is_none().then_some(self.name.as_str())
    }
}

/// Everything that one decision needs, as of one instant.
pub(super) async fn load_one(link: &Link<'_>, row: &LoadRow, has_flows: bool) -> Result<Loaded, Fault> {
    let mut params: Vec<Param<'_>> = vec![
        (&row.workspace, Type::TEXT),
        (&row.name, Type::TEXT),
        (&row.token, Type::UUID),
        (&row.flow, Type::TEXT),
        (&row.key, Type::TEXT),
        (&row.hash, Type::TEXT),
        (&row.now, Type::INT8),
    ];
    let rows = match &row.shard {
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

/// The same, with the conversation locked to the end of the transaction. One that is not there yet
/// cannot be.
pub(super) async fn load_held(link: &Link<'_>, row: &LoadRow, has_flows: bool) -> Result<Loaded, Fault> {
    let mut params: Vec<Param<'_>> = vec![(&row.workspace, Type::TEXT), (&row.name, Type::TEXT)];
    let statement = match &row.shard {
        Some(shard) => {
            params.push((shard, Type::INT2));
            HOLD
        }
        None => HOLD_BY_ALIAS,
    };
    link.query(statement, &params).await?;
    load_one(link, row, has_flows).await
}

/// As [`load_one`], for several calls by one statement. A stored row that cannot be read fails its
/// own call only.
pub(super) async fn load(
    link: &Link<'_>,
    rows: &[LoadRow],
    has_flows: bool,
) -> Result<Vec<Result<Loaded, Fault>>, Fault> {
    if let [row] = rows {
        return Ok(vec![Ok(load_one(link, row, has_flows).await?)]);
    }
    let ords: Vec<i64> = (0..).take(rows.len()).collect();
    let workspaces = column(rows, |row| row.workspace.as_str());
    let (contacts, aliases) = (column(rows, LoadRow::contact), column(rows, LoadRow::alias));
    let shards = column(rows, |row| row.shard);
    let tokens = column(rows, |row| row.token);
    let flows = column(rows, |row| row.flow.as_deref());
    let (keys, hashes) = (column(rows, |row| row.key.as_deref()), column(rows, |row| row.hash.as_deref()));
    let nows = column(rows, |row| row.now);
    let params: [Param<'_>; 10] = [
        (&ords, Type::INT8_ARRAY),
        (&workspaces, Type::TEXT_ARRAY),
        (&contacts, Type::TEXT_ARRAY),
        (&aliases, Type::TEXT_ARRAY),
        (&shards, Type::INT2_ARRAY),
        (&tokens, Type::UUID_ARRAY),
        (&flows, Type::TEXT_ARRAY),
        (&keys, Type::TEXT_ARRAY),
        (&hashes, Type::TEXT_ARRAY),
        (&nows, Type::INT8_ARRAY),
    ];
    let mut all: Vec<_> = rows.iter().map(|_| Ok(Loaded::default())).collect();
    for row in link.hot(LOAD_ALL, &params).await? {
        let ord: i64 = row.try_get(16)?;
        if let Some(place) = usize::try_from(ord).ok().and_then(|ord| all.get_mut(ord)) {
            *place = loaded(&row, has_flows);
        }
    }
    Ok(all)
}

fn column<'r, T>(rows: &'r [LoadRow], of: impl Fn(&'r LoadRow) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
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
    let (status, failure) = state_of(row.try_get(14)?);
    Ok(Some(KeyRecord {
        fingerprint: fingerprint.as_u128(),
        started: row.try_get(8)?,
        session: SessionId(row.try_get(9)?),
        version: version(row.try_get(10)?)?,
        digest: row.try_get::<_, Option<Uuid>>(15)?.map(|digest| digest.as_u128()),
        contact: contact_id(row.try_get(11)?)?,
        expires_at,
        status,
        failure,
        erased: false,
    }))
}

pub(super) fn version(number: i64) -> Result<FlowVersion, Fault> {
    u32::try_from(number).map(FlowVersion).map_err(Fault::permanent)
}

pub(super) fn contact_id(text: &str) -> Result<ContactId, Fault> {
    ContactId::new(text).map_err(Fault::permanent)
}
