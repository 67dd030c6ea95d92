//! Taking note of what is delivered: several settles by one statement.

use chatflow::store::sql::micros;
use chatflow::store::{Settle, Settled};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::errors::Fault;
use crate::link::{Link, Param};
use crate::shard::shard;
use crate::statements::commit::{SETTLE, SETTLE_LATE};
use crate::write::revision;

/// A settle as a row.
pub(super) struct SettleRow {
    pub(super) shard: i16,
    pub(super) workspace: String,
    pub(super) contact: String,
    token: Uuid,
    revision: i64,
    settled: i64,
    due_at: Option<i64>,
    quarantine: bool,
}

impl SettleRow {
    pub(super) fn of(settle: &Settle) -> Self {
        let contact = settle.contact.to_string();
        Self {
            shard: shard(&settle.workspace, &contact),
            workspace: settle.workspace.as_str().to_owned(),
            contact,
            token: settle.token.0,
            revision: revision(settle.revision),
            settled: i64::try_from(settle.settled).unwrap_or(i64::MAX),
            due_at: settle.due_at.map(micros),
            quarantine: settle.quarantine,
        }
    }
}

impl SettleRow {
    pub(super) fn place(&self) -> (i16, &str, &str) {
        (self.shard, &self.workspace, &self.contact)
    }
}

/// Settles different conversations by one statement.
pub(super) async fn settle(link: &Link<'_>, rows: &[&SettleRow]) -> Result<Vec<Settled>, Fault> {
    settle_by(link, SETTLE, rows).await
}

/// The same, of settles that were acknowledged before.
pub(super) async fn settle_late(link: &Link<'_>, rows: &[SettleRow]) -> Result<(), Fault> {
    settle_by(link, SETTLE_LATE, &rows.iter().collect::<Vec<_>>()).await.map(drop)
}

async fn settle_by(
    link: &Link<'_>,
    statement: &'static str,
    rows: &[&SettleRow],
) -> Result<Vec<Settled>, Fault> {
    let column = |of: fn(&SettleRow) -> i64| rows.iter().map(|row| of(row)).collect::<Vec<i64>>();
    let shards: Vec<i16> = rows.iter().map(|row| row.shard).collect();
    let workspaces: Vec<&str> = rows.iter().map(|row| row.workspace.as_str()).collect();
    let contacts: Vec<&str> = rows.iter().map(|row| row.contact.as_str()).collect();
    let tokens: Vec<Uuid> = rows.iter().map(|row| row.token).collect();
    let (revisions, watermarks) = (column(|row| row.revision), column(|row| row.settled));
    let due: Vec<Option<i64>> = rows.iter().map(|row| row.due_at).collect();
    let quarantines: Vec<bool> = rows.iter().map(|row| row.quarantine).collect();
    let ords: Vec<i64> = (0..).take(rows.len()).collect();
    let params: [Param<'_>; 9] = [
        (&shards, Type::INT2_ARRAY),
        (&workspaces, Type::TEXT_ARRAY),
        (&contacts, Type::TEXT_ARRAY),
        (&tokens, Type::UUID_ARRAY),
        (&revisions, Type::INT8_ARRAY),
        (&watermarks, Type::INT8_ARRAY),
        (&due, Type::INT8_ARRAY),
        (&quarantines, Type::BOOL_ARRAY),
        (&ords, Type::INT8_ARRAY),
    ];
    let mut settled = vec![Settled::LeaseLost; rows.len()];
    for row in link.hot(statement, &params).await? {
        let ord: i64 = row.try_get(0)?;
        if let Some(place) = usize::try_from(ord).ok().and_then(|ord| settled.get_mut(ord)) {
            let watermark = row.try_get::<_, i64>(1)? as u64;
            *place = if row.try_get(2)? { Settled::Done } else { Settled::Conflict { settled: watermark } };
        }
    }
    Ok(settled)
}
