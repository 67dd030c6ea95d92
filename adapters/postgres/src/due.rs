//! Claiming conversations with work due, one slice of the tables at a time, by an index that is
//! never late.

use chatflow::id::WorkspaceId;
use chatflow::store::sql::{instant, micros};
use chatflow::store::{Due, Leased, LeasedConversation, Record, StoredConversation};
use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

use crate::errors::Fault;
use crate::link::{Link, Param};
use crate::load::contact_id;
use crate::shard::{SHARDS, slice};
use crate::statements::due::{CLAIM, CLAIM_SUSPECTS, FILE, GLANCE, NEXT_DUE, NEXT_SUSPECT, TIME};
use crate::write::period;

/// Number of entries filed anew by one statement, and maximum number of such statements in one
/// claim.
const FILED_AT_ONCE: i64 = 1_000;
const FILINGS: usize = 4;

/// Claims what is due, the longest overdue first. With several slices one look at their indexes
/// says which have work, and how much of it is among the longest overdue.
pub(super) async fn lease_due(link: &Link<'_>, due: &Due, slices: u16) -> Result<Leased, Fault> {
    let limit = i64::try_from(due.limit).unwrap_or(i64::MAX / 2);
    let now = micros(due.now);
    let mut claimed = Claimed::default();
    // With a limit of 0 the caller asks only when something is due next.
    if limit > 0 {
        file_anew(link, now).await?;
        if slices <= 1 || due.suspects {
            claim(link, due, (0, SHARDS as i16), limit, &mut claimed).await?;
        } else {
            for (number, count) in glance(link, now, limit, slices).await? {
                claim(link, due, slice(number, slices), count, &mut claimed).await?;
            }
        }
    }
    let Claimed { mut conversations, mut store_time } = claimed;
    conversations.sort_by_key(|(due_at, _)| *due_at);
    // What the limit left is not overdue for longer than the last one that was claimed.
    let next_due = match conversations.last() {
        Some((last, _)) if conversations.len() >= due.limit => Some(*last),
        _ => {
            let (next, time) =
                next_due(link, if due.suspects { NEXT_SUSPECT } else { NEXT_DUE }, now).await?;
            store_time = time.or(store_time);
            next
        }
    };
    Ok(Leased {
        conversations: conversations.into_iter().map(|(_, conversation)| conversation).collect(),
        next_due: next_due.map(instant),
        store_time: store_time.map(instant),
    })
}

/// The server's clock, by which leases are judged.
pub(super) async fn time(link: &Link<'_>) -> Result<Option<DateTime<Utc>>, Fault> {
    let row = link.first(TIME, &[]).await?;
    row.map(|row| Ok(instant(row.try_get(0)?))).transpose()
}

/// The claimed conversations, each with its due time, and the server's time as the last of it was.
#[derive(Default)]
struct Claimed {
    conversations: Vec<(i64, LeasedConversation)>,
    store_time: Option<i64>,
}

/// Puts those right that the index has too early.
async fn file_anew(link: &Link<'_>, now: i64) -> Result<(), Fault> {
    for _ in 0..FILINGS {
        let filed = link.hot(FILE, &[(&now, Type::INT8), (&FILED_AT_ONCE, Type::INT8)]).await?;
        if (filed.len() as i64) < FILED_AT_ONCE {
            break;
        }
    }
    Ok(())
}

/// The slices that have work, each with how much of it.
async fn glance(link: &Link<'_>, now: i64, limit: i64, slices: u16) -> Result<Vec<(u16, i64)>, Fault> {
    let mut counts: Vec<(u16, i64)> = Vec::new();
    for row in link.hot(GLANCE, &[(&now, Type::INT8), (&limit, Type::INT8)]).await? {
        let shard: i16 = row.try_get(0)?;
        let holds = |number: &u16| (slice(*number, slices).0..slice(*number, slices).1).contains(&shard);
        let Some(number) = (0..slices).find(holds) else { continue };
        match counts.iter_mut().find(|(known, _)| *known == number) {
            Some((_, count)) => *count += 1,
            None => counts.push((number, 1)),
        }
    }
    Ok(counts)
}

async fn claim(
    link: &Link<'_>,
    due: &Due,
    (from, to): (i16, i16),
    limit: i64,
    claimed: &mut Claimed,
) -> Result<(), Fault> {
    let (now, period) = (micros(due.now), period(due.lease));
    let params: [Param<'_>; 6] = [
        (&from, Type::INT2),
        (&to, Type::INT2),
        (&now, Type::INT8),
        (&limit, Type::INT8),
        (&period, Type::INT8),
        (&due.token.0, Type::UUID),
    ];
    let statement = if due.suspects { CLAIM_SUSPECTS } else { CLAIM };
    for row in link.hot(statement, &params).await? {
        let stored = StoredConversation {
            contact: contact_id(row.try_get(1)?)?,
            revision: row.try_get::<_, i64>(2)? as u64,
            record: Record::from_bytes(row.try_get::<_, &[u8]>(3)?),
            settled: row.try_get::<_, i64>(4)? as u64,
            leased: period > 0,
            quarantined: false,
        };
        let workspace = WorkspaceId::new(row.try_get::<_, &str>(0)?).map_err(Fault::permanent)?;
        let claims = u32::try_from(row.try_get::<_, i64>(5)?).unwrap_or(u32::MAX);
        claimed.conversations.push((row.try_get(6)?, LeasedConversation { workspace, stored, claims }));
        claimed.store_time = Some(row.try_get(7)?);
    }
    Ok(())
}

/// When the next is due that was not claimed, in the caller's time: the ends of leases are the
/// server's, so what is left of them is counted from now. Beside it the server's time.
async fn next_due(
    link: &Link<'_>,
    statement: &'static str,
    now: i64,
) -> Result<(Option<i64>, Option<i64>), Fault> {
    let Some(row) = link.query(statement, &[(&now, Type::INT8)]).await?.into_iter().next() else {
        return Ok((None, None));
    };
    let (free, leased): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    Ok((free.into_iter().chain(leased).min(), Some(row.try_get(2)?)))
}
