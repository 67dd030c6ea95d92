//! Counting what lives, removing what is past its retention, forgetting a contact.

use chatflow::id::TriggerKey;
use chatflow::store::sql::{micros, needle};
use chatflow::store::{Erase, KeyName, Live, Purge, Purged, Removed};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::errors::Fault;
use crate::link::{Link, Param};
use crate::shard::shard;
use crate::statements::upkeep::{
    DROP_KEYS, ERASE, ERASE_ALIASES, ERASE_JOURNAL, ERASE_LIVE, ERASE_SESSIONS, KEEP_HASHES, KEYS_OF, LIVE,
    PURGE_COUNTS, PURGE_JOURNAL, PURGE_KEYS, PURGE_SESSIONS, WAKE,
};
use crate::write::revision;

pub(super) async fn live(link: &Link<'_>, live: &Live) -> Result<u64, Fault> {
    let (workspace, flow) = (live.workspace.as_str(), live.flow.as_str());
    let version = live.version.map(|version| i64::from(version.0));
    let needle = needle(&live.flow, live.version);
    let wake_at = live.wake_at.map(micros);
    let mut params: Vec<Param<'_>> =
        vec![(&workspace, Type::TEXT), (&flow, Type::TEXT), (&version, Type::INT8), (&needle, Type::TEXT)];
    let row = match &wake_at {
        Some(at) => {
            params.push((at, Type::INT8));
            link.first(WAKE, &params).await?
        }
        None => link.first(LIVE, &params).await?,
    };
    count(row).map(|count| count as u64)
}

pub(super) async fn purge(link: &Link<'_>, purge: &Purge) -> Result<Purged, Fault> {
    let limit = i64::try_from(purge.limit).unwrap_or(i64::MAX - 1).min(i64::MAX - 1);
    let (keys, more_keys) = sweep(link, PURGE_KEYS, micros(purge.now), limit).await?;
    let (sessions, more_sessions) = sweep(link, PURGE_SESSIONS, micros(purge.ended_before), limit).await?;
    let (journal, more_journal) = sweep(link, PURGE_JOURNAL, micros(purge.journal_before), limit).await?;
    let (counts, more_counts) = sweep(link, PURGE_COUNTS, purge.counts_before_minute(), limit).await?;
    let more = more_keys || more_sessions || more_journal || more_counts;
    Ok(Purged { keys, sessions, journal, counts, more })
}

/// Returns the number of rows removed, and whether there are more.
async fn sweep(
    link: &Link<'_>,
    statement: &'static str,
    before: i64,
    limit: i64,
) -> Result<(usize, bool), Fault> {
    let Some(row) = link.first(statement, &[(&before, Type::INT8), (&limit, Type::INT8)]).await? else {
        return Ok((0, false));
    };
    let (gone, found): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok((gone as usize, found > limit))
}

pub(super) async fn erase(link: &Link<'_>, erase: &Erase) -> Result<Option<Removed>, Fault> {
    link.atomically(async {
        let contact = erase.contact.to_string();
        let shard = shard(&erase.workspace, &contact);
        let (workspace, expect) = (erase.workspace.as_str(), revision(erase.expect));
        let names: [Param<'_>; 3] = [(&workspace, Type::TEXT), (&contact, Type::TEXT), (&shard, Type::INT2)];
        let row: [Param<'_>; 4] =
            [(&shard, Type::INT2), (&workspace, Type::TEXT), (&contact, Type::TEXT), (&expect, Type::INT8)];
        if link.first(ERASE, &row).await?.is_none() {
            return Ok(None);
        }
        let of_contact: [Param<'_>; 2] = [(&workspace, Type::TEXT), (&contact, Type::TEXT)];
        link.query(ERASE_ALIASES, &of_contact).await?;
        if erase.keeps_history {
            link.query(ERASE_LIVE, &names).await?;
            return Ok(Some(Removed::default()));
        }
        let sessions = count(link.first(ERASE_SESSIONS, &names).await?)?;
        let journal = count(link.first(ERASE_JOURNAL, &names).await?)?;
        let keys = erase_keys(link, erase, &contact).await?;
        Ok(Some(Removed { sessions: sessions as usize, journal: journal as usize, keys }))
    })
    .await
}

/// Puts hashes in the place of a contact's keys, as long as those hold. Answers how many do.
async fn erase_keys(link: &Link<'_>, erase: &Erase, contact: &str) -> Result<usize, Fault> {
    let workspace = erase.workspace.as_str();
    let found = link.query(KEYS_OF, &[(&workspace, Type::TEXT), (&contact, Type::TEXT)]).await?;
    let (mut flows, mut gone) = (Vec::new(), Vec::new());
    let (mut kept_flows, mut hashes, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for row in &found {
        let (flow, key, expires_at): (&str, &str, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        flows.push(flow.to_owned());
        gone.push(key.to_owned());
        if micros(erase.now) < expires_at {
            let name = KeyName {
                flow: flow.parse().map_err(Fault::permanent)?,
                key: TriggerKey::new(key).map_err(Fault::permanent)?,
            };
            let hash = name.hashed().key.to_string();
            flows.push(flow.to_owned());
            gone.push(hash.clone());
            kept_flows.push(flow.to_owned());
            hashes.push(hash);
            ends.push(expires_at);
        }
    }
    if !flows.is_empty() {
        let params: [Param<'_>; 3] =
            [(&workspace, Type::TEXT), (&flows, Type::TEXT_ARRAY), (&gone, Type::TEXT_ARRAY)];
        link.query(DROP_KEYS, &params).await?;
    }
    if !hashes.is_empty() {
        let params: [Param<'_>; 4] = [
            (&workspace, Type::TEXT),
            (&kept_flows, Type::TEXT_ARRAY),
            (&hashes, Type::TEXT_ARRAY),
            (&ends, Type::INT8_ARRAY),
        ];
        link.query(KEEP_HASHES, &params).await?;
    }
    Ok(hashes.len())
}

fn count(row: Option<Row>) -> Result<i64, Fault> {
    Ok(match row {
        Some(row) => row.try_get(0)?,
        None => 0,
    })
}
