//! Taking note of what is delivered.

use chatflow::store::sql::micros;
use chatflow::store::{Settle, Settled};
use rusqlite::params;

use crate::columns::signed;
use crate::commit::Seen;
use crate::database::Database;
use crate::queue::{Failure, Operation};

pub(super) const RAISE: &str = "UPDATE chatflow_conversation SET settled = ?2, claims = 0 WHERE id = ?1";
pub(super) const SETTLE: &str = "UPDATE chatflow_conversation SET settled = ?2, claims = 0, due_at = ?3, \
     lease_token = NULL, lease_until = NULL WHERE id = ?1";
pub(super) const SET_ASIDE: &str = "UPDATE chatflow_conversation SET quarantined = 1 WHERE id = ?1";

impl Operation for Settle {
    type Answer = Settled;
    const DOING: &'static str = "settle what was delivered";

    /// Lost with the power, the conversation is as the commit before left it: under a lease that
    /// nobody lives to hold, and due. Once the lease is over its messages are handed over again
    /// under the same ids, which is what happens when the process dies before it settles. What a
    /// later commit synced, it synced together with this.
    fn may_be_lost(&self) -> bool {
        true
    }

    fn run(&self, database: &Database<'_>) -> Result<Settled, Failure> {
        let seen = Seen::find(database, self.workspace.as_str(), &self.contact.to_string())?;
        let now = micros(self.now);
        let held = seen.filter(|seen| seen.lease.is_some_and(|lease| lease.is_held_by(self.token, now)));
        let Some(seen) = held else { return Ok(Settled::LeaseLost) };
        let settled = seen.settled.max(self.settled);
        if seen.revision != self.revision {
            database.execute(RAISE, params![seen.id, signed(settled)])?;
            return Ok(Settled::Conflict { settled });
        }
        let due_at = self.due_at.map(micros);
        database.execute(SETTLE, params![seen.id, signed(settled), due_at])?;
        if self.quarantine {
            database.execute(SET_ASIDE, [seen.id])?;
        }
        seen.file(database, due_at)?;
        Ok(Settled::Done)
    }
}
