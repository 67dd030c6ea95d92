//! Claiming what is due, by an index that is never late.
//!
//! A conversation is filed under its due time or an earlier one: a deadline that moves on, as each
//! answer moves it, rewrites no index. An entry that is met too early is filed anew, at most
//! [`MOST`] of them in one claim.

use chatflow::store::sql::{instant, micros};
use chatflow::store::{Due, Leased, LeasedConversation};
use rusqlite::{Row, params};

use crate::columns::{self, stored};
use crate::commit::{FILE, lease_end};
use crate::database::Database;
use crate::queue::{Failure, Operation};

/// When a conversation whose last lease ended unsettled may be tried, as `retry_pause` says.
macro_rules! rested {
    () => {
        "(coalesce(lease_until, 0) + (1000000 << min(claims - 1, 6)))"
    };
}

/// Live leases are passed over, no more of them than calls that are in flight; so are suspects, no
/// more of them than were in flight when a process ended.
pub(super) const READY: &str = "SELECT id, due_at, filed_at, quarantined FROM chatflow_conversation \
     WHERE filed_at <= ?1 AND (lease_until IS NULL OR lease_until <= ?1) AND claims = 0 ORDER BY filed_at LIMIT ?2";
/// Conversations whose last lease ended unsettled, and whose pause is over (`retry_pause`).
pub(super) const SUSPECTS: &str = concat!(
    "SELECT id, due_at, filed_at, quarantined FROM chatflow_conversation WHERE filed_at <= ?1 AND claims > 0 AND ",
    rested!(),
    " <= ?1 ORDER BY max(filed_at, ",
    rested!(),
    ") LIMIT ?2"
);
pub(super) const SUSPECTS_RESTED: &str = concat!(
    "SELECT min(max(filed_at, ",
    rested!(),
    ")) FROM chatflow_conversation WHERE filed_at IS NOT NULL AND filed_at <= ?1 AND claims > 0"
);
pub(super) const CLAIM: &str = "UPDATE chatflow_conversation SET lease_token = ?2, lease_until = ?3, claims = claims + 1 \
     WHERE id = ?1";
pub(super) const CLAIMED: &str = "SELECT workspace, claims, contact, revision, settled, lease_token, lease_until, \
     quarantined, record FROM chatflow_conversation WHERE id = ?1";
pub(super) const LEASES_END: &str = concat!(
    "SELECT min(CASE WHEN claims > 0 THEN ",
    rested!(),
    " ELSE lease_until END) FROM chatflow_conversation WHERE filed_at <= ?1 AND (lease_until > ?1 OR claims > 0)"
);
pub(super) const LATER: &str =
    "SELECT filed_at FROM chatflow_conversation WHERE filed_at > ?1 ORDER BY filed_at LIMIT 1";

/// Maximum number of entries that one claim files anew.
const MOST: usize = 2_000;

/// An entry of the index whose time has come.
struct Entry {
    id: i64,
    due_at: Option<i64>,
    filed_at: i64,
}

impl Entry {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let is_set_aside: bool = row.get(3)?;
        let due_at: Option<i64> = row.get(1)?;
        Ok(Self { id: row.get(0)?, due_at: due_at.filter(|_| !is_set_aside), filed_at: row.get(2)? })
    }

    fn is_early(&self) -> bool {
        self.due_at != Some(self.filed_at)
    }
}

impl Operation for Due {
    type Answer = Leased;
    const DOING: &'static str = "claim what is due";

    /// Lost with the power, the lease is free and the conversation due; its holder is gone
    /// with the same power.
    fn may_be_lost(&self) -> bool {
        true
    }

    fn run(&self, database: &Database<'_>) -> Result<Leased, Failure> {
        let now = micros(self.now);
        let (ready, left) = ready(self, database, now)?;
        let mut conversations = Vec::with_capacity(ready.len());
        for id in ready {
            let token = &self.token.0.as_bytes()[..];
            database.execute(CLAIM, params![id, token, lease_end(self.now, self.lease)])?;
            let claimed = database.first(CLAIMED, [id], |row| {
                let workspace = columns::workspace(row, 0)?;
                Ok(LeasedConversation {
                    workspace,
                    stored: stored(row, 2, self.token, now)?,
                    claims: row.get(1)?,
                })
            })?;
            conversations.extend(claimed);
        }
        let next_due = match left {
            // A suspect may have been ready before what is left.
            Some(left) if !self.suspects => {
                lease_ends(database, now)?.map_or(Some(left), |end| Some(end.min(left)))
            }
            Some(_) => left,
            None if self.suspects => database.first(SUSPECTS_RESTED, [now], |row| row.get(0))?.flatten(),
            None => next(database, now)?,
        };
        Ok(Leased { conversations, next_due: next_due.map(instant), store_time: None })
    }
}

/// The longest overdue, and where the index has the first that is left.
fn ready(due: &Due, database: &Database<'_>, now: i64) -> rusqlite::Result<(Vec<i64>, Option<i64>)> {
    let mut filed = 0;
    loop {
        // One more than is asked for, to see whether there is one.
        let most = columns::limit(due.limit).saturating_add(1);
        let ready = if due.suspects { SUSPECTS } else { READY };
        let entries = database.all(ready, params![now, most], Entry::read)?;
        let first_early = entries.iter().position(Entry::is_early);
        if first_early.is_none() || filed > MOST {
            let exact = first_early.unwrap_or(entries.len()).min(due.limit);
            let left = entries.get(exact).map(|entry| entry.filed_at);
            return Ok((entries.iter().take(exact).map(|entry| entry.id).collect(), left));
        }
        for entry in entries.iter().filter(|entry| entry.is_early()) {
            database.execute(FILE, params![entry.id, entry.due_at])?;
            filed += 1;
        }
    }
}

/// When the first lease ends of what is filed as due, or the pause of a suspect.
fn lease_ends(database: &Database<'_>, now: i64) -> rusqlite::Result<Option<i64>> {
    Ok(database.first(LEASES_END, [now], |row| row.get(0))?.flatten())
}

/// When something is due or a lease ends, of what was not claimed now.
fn next(database: &Database<'_>, now: i64) -> rusqlite::Result<Option<i64>> {
    let lease_ends = lease_ends(database, now)?;
    let later: Option<i64> = database.first(LATER, [now], |row| row.get(0))?;
    Ok(lease_ends.into_iter().chain(later).min())
}
