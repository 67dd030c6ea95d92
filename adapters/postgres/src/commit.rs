//! Writing commits: several in one statement, or one, and finding out why one was refused.

use chatflow::store::Committed;
use tokio_postgres::types::Type;

use crate::absorb::absorb;
use crate::columns::{Archive, Counts, Heads, Names};
use crate::errors::Fault;
use crate::link::Link;
use crate::load::contact_id;
use crate::statements::commit::{
    DROP_ALIASES, DROP_EXPIRED_KEY, EXPLAIN, HOLDERS, INSERT_ALL, INSERT_COUNTED, UPDATE, UPDATE_ALL,
    UPDATE_ARCHIVE, UPDATE_COUNTED,
};
use crate::write::Write;

/// Number of attempts at one commit that is refused without a reason that stays.
const ATTEMPTS: u32 = 5;

/// Writes commits of different conversations, all of new ones or all of old ones, by one statement.
/// Each applies by itself; None: it was refused. A failure undoes all.
pub(super) async fn apply(link: &Link<'_>, writes: &[&Write]) -> Result<Vec<Option<Committed>>, Fault> {
    let is_new = writes.first().is_some_and(|write| write.expect.is_none());
    let has_counts = writes.iter().any(|write| !write.counts.is_empty());
    let has_names = is_new || has_counts || writes.iter().any(|write| write.has_names());
    let has_archive = has_names || writes.iter().any(|write| write.has_archive());
    let (heads, archive, names) = (Heads::of(writes), Archive::of(writes), Names::of(writes));
    let counts = has_counts.then(|| Counts::of(writes));
    let mut params = Vec::with_capacity(67);
    heads.add_to(&mut params);
    if has_archive {
        archive.add_to(&mut params);
    }
    if has_names {
        names.add_to(&mut params);
    }
    if let Some(counts) = &counts {
        counts.add_to(&mut params);
    }
    let statement = match (is_new, has_names, has_archive) {
        (true, ..) if has_counts => INSERT_COUNTED,
        (true, ..) => INSERT_ALL,
        (false, true, _) if has_counts => UPDATE_COUNTED,
        (false, true, _) => UPDATE_ALL,
        (false, false, true) => UPDATE_ARCHIVE,
        (false, false, false) => UPDATE,
    };
    let rows = link.hot(statement, &params).await?;
    let mut committed: Vec<Option<Committed>> = writes.iter().map(|_| None).collect();
    for row in rows {
        let applied = Committed::Applied {
            revision: row.try_get::<_, i64>(1)? as u64,
            settled: row.try_get::<_, i64>(2)? as u64,
            leased: row.try_get(3)?,
        };
        let ord: i64 = row.try_get(0)?;
        if let Some(place) = usize::try_from(ord).ok().and_then(|ord| committed.get_mut(ord)) {
            *place = Some(applied);
        }
    }
    Ok(committed)
}

/// Writes one commit, and says why if it was refused; `is_refused`: it was tried just now.
pub(super) async fn write(link: &Link<'_>, write: &Write, mut is_refused: bool) -> Result<Committed, Fault> {
    for _ in 0..ATTEMPTS {
        if !std::mem::take(&mut is_refused) {
            match apply_one(link, write).await {
                Ok(Some(applied)) => return Ok(applied),
                Ok(None) => {}
                Err(fault) if fault.is_duplicate() => {}
                Err(fault) => return Err(fault),
            }
        }
        if let Some(refusal) = refusal(link, write).await? {
            return Ok(refusal);
        }
        if write.seen.is_some() && write.key.is_none() {
            // Nothing else refuses it: it was not decided on what is stored.
            return Ok(Committed::Conflict);
        }
        if let Some(key) = &write.key {
            let params: [super::link::Param<'_>; 5] = [
                (&write.workspace, Type::TEXT),
                (&key.flow, Type::TEXT),
                (&key.name, Type::TEXT),
                (&key.hash, Type::TEXT),
                (&write.now, Type::INT8),
            ];
            link.query(DROP_EXPIRED_KEY, &params).await?;
        }
    }
    // Whatever refused it was gone again each time it was looked for.
    Ok(Committed::Conflict)
}

async fn apply_one(link: &Link<'_>, write: &Write) -> Result<Option<Committed>, Fault> {
    if let Some(other) = &write.absorbs {
        return absorb(link, write, other).await;
    }
    let apply = async { Ok(apply(link, &[write]).await?.into_iter().next().flatten()) };
    if write.dropped.is_empty() {
        return link.refusably(apply).await;
    }
    // Aliases are added and dropped by two statements: some databases modify no table twice in one.
    link.atomically(async {
        let applied = apply.await?;
        if applied.is_some() {
            drop_aliases(link, write).await?;
        }
        Ok(applied)
    })
    .await
}

/// Drops the aliases that lead to the commit's contact no more.
pub(super) async fn drop_aliases(link: &Link<'_>, write: &Write) -> Result<(), Fault> {
    if write.dropped.is_empty() {
        return Ok(());
    }
    let params: [super::link::Param<'_>; 3] =
        [(&write.workspace, Type::TEXT), (&write.contact, Type::TEXT), (&write.dropped, Type::TEXT_ARRAY)];
    link.query(DROP_ALIASES, &params).await.map(drop)
}

/// Returns the reason for which a commit was refused, as of now: a statement that was refused does
/// not see what refused it.
async fn refusal(link: &Link<'_>, write: &Write) -> Result<Option<Committed>, Fault> {
    let key = write.key.as_ref();
    let (flow, name, hash) = (
        key.map(|key| key.flow.as_str()),
        key.map(|key| key.name.as_str()),
        key.map(|key| key.hash.as_str()),
    );
    let params: [super::link::Param<'_>; 8] = [
        (&write.shard, Type::INT2),
        (&write.workspace, Type::TEXT),
        (&write.contact, Type::TEXT),
        (&write.lease.token, Type::UUID),
        (&flow, Type::TEXT),
        (&name, Type::TEXT),
        (&hash, Type::TEXT),
        (&write.now, Type::INT8),
    ];
    let Some(row) = link.first(EXPLAIN, &params).await? else { return Ok(None) };
    if row.try_get::<_, Option<i64>>(0)? != write.expect {
        return Ok(Some(Committed::Conflict));
    }
    if write.lease.is_needed() && !row.try_get::<_, bool>(1)? {
        return Ok(Some(Committed::LeaseLost));
    }
    if row.try_get(2)? {
        return Ok(Some(Committed::KeyTaken));
    }
    taken(link, write).await
}

/// The first alias to be added that leads elsewhere.
async fn taken(link: &Link<'_>, write: &Write) -> Result<Option<Committed>, Fault> {
    if write.added.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = write.added.iter().map(|(name, _)| name.as_str()).collect();
    let params: [super::link::Param<'_>; 3] =
        [(&write.workspace, Type::TEXT), (&write.contact, Type::TEXT), (&names, Type::TEXT_ARRAY)];
    for row in link.query(HOLDERS, &params).await? {
        let (name, holder): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        if write.absorbs.as_ref().is_some_and(|other| other.contact == holder) {
            continue;
        }
        if let Some((_, alias)) = write.added.iter().find(|(text, _)| text == name) {
            return Ok(Some(Committed::AliasTaken { alias: alias.clone(), holder: contact_id(holder)? }));
        }
    }
    Ok(None)
}
