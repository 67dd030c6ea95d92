//! Claiming conversations with work due, one slice of the tables at a time, by an index that is
//! never late.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use chatflow::id::WorkspaceId;
use chatflow::store::sql::{instant, micros};
use chatflow::store::{Due, Leased, LeasedConversation, Record, StoredConversation};
use chrono::{DateTime, Utc};
use tokio_postgres::Row;
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
    // With a limit of 0 the caller asks only when something is due next. What does not wait for an
    // answer is sent at once: a connection works it in order.
    if limit > 0 {
        if slices <= 1 || due.suspects {
            let all = claim(link, due, (0, SHARDS as i16), limit);
            let answers = together(vec![Box::pin(file_anew(link, now)), Box::pin(all)]).await?;
            claimed.add(due, answers.iter().skip(1))?;
        } else {
            let look = glance(link, now, limit);
            let answers = together(vec![Box::pin(file_anew(link, now)), Box::pin(look)]).await?;
            let claims = counted(answers.iter().skip(1).flatten(), slices)?;
            let asked: Vec<RowsAnswer<'_>> = claims
                .into_iter()
                .map(|(number, count)| -> RowsAnswer<'_> {
                    Box::pin(claim(link, due, slice(number, slices), count))
                })
                .collect();
            claimed.add(due, together(asked).await?.iter())?;
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

impl Claimed {
    fn add<'r>(&mut self, due: &Due, answers: impl Iterator<Item = &'r Vec<Row>>) -> Result<(), Fault> {
        for row in answers.flatten() {
            let stored = StoredConversation {
                contact: contact_id(row.try_get(1)?)?,
                revision: row.try_get::<_, i64>(2)? as u64,
                record: Record::from_bytes(row.try_get::<_, &[u8]>(3)?),
                settled: row.try_get::<_, i64>(4)? as u64,
                leased: !due.lease.is_zero(),
                quarantined: false,
            };
            let workspace = WorkspaceId::new(row.try_get::<_, &str>(0)?).map_err(Fault::permanent)?;
            let claims = u32::try_from(row.try_get::<_, i64>(5)?).unwrap_or(u32::MAX);
            self.conversations.push((row.try_get(6)?, LeasedConversation { workspace, stored, claims }));
            self.store_time = Some(row.try_get(7)?);
        }
        Ok(())
    }
}

/// A statement, and the rows that it answers.
type RowsAnswer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Fault>> + Send + 'a>>;

/// Sends all of them at once, in order, and waits for all answers: one round trip.
async fn together(mut asked: Vec<RowsAnswer<'_>>) -> Result<Vec<Vec<Row>>, Fault> {
    let mut answers: Vec<Option<Vec<Row>>> = asked.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut is_done = true;
        for (one, answer) in asked.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            match one.as_mut().poll(context) {
                Poll::Ready(Ok(rows)) => *answer = Some(rows),
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                Poll::Pending => is_done = false,
            }
        }
        if is_done { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await?;
    Ok(answers.into_iter().flatten().collect())
}

/// Puts those right that the index has too early.
async fn file_anew(link: &Link<'_>, now: i64) -> Result<Vec<Row>, Fault> {
    for _ in 0..FILINGS {
        let filed = link.hot(FILE, &[(&now, Type::INT8), (&FILED_AT_ONCE, Type::INT8)]).await?;
        if (filed.len() as i64) < FILED_AT_ONCE {
            break;
        }
    }
    Ok(Vec::new())
}

/// The shards that have work, one row for each conversation.
async fn glance(link: &Link<'_>, now: i64, limit: i64) -> Result<Vec<Row>, Fault> {
    link.hot(GLANCE, &[(&now, Type::INT8), (&limit, Type::INT8)]).await
}

/// The slices that have work, each with how much of it.
fn counted<'r>(rows: impl Iterator<Item = &'r Row>, slices: u16) -> Result<Vec<(u16, i64)>, Fault> {
    let mut counts: Vec<(u16, i64)> = Vec::new();
    for row in rows {
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

async fn claim(link: &Link<'_>, due: &Due, (from, to): (i16, i16), limit: i64) -> Result<Vec<Row>, Fault> {
    let (now, period) = (micros(due.now), period(due.lease));
    let params: [Param<'_>; 6] = [
        (&from, Type::INT2),
        (&to, Type::INT2),
        (&now, Type::INT8),
        (&limit, Type::INT8),
        (&period, Type::INT8),
        (&due.token.0, Type::UUID),
    ];
    link.hot(if due.suspects { CLAIM_SUSPECTS } else { CLAIM }, &params).await
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
