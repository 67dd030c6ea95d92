//! Forgetting a contact.

use chatflow::id::{FlowId, TriggerKey};
use chatflow::store::sql::{instant, micros};
use chatflow::store::{Erase, KeyName, KeyRecord, Removed};
use chrono::{DateTime, Utc};
use rusqlite::params;

use crate::columns::{damaged, signed, text};
use crate::commit::{Seen, add_key};
use crate::database::{Database, OVERWRITE};
use crate::queue::{Failure, Operation};

pub(super) const KEYS: &str =
    "SELECT flow, key, expires_at FROM chatflow_key WHERE workspace = ?1 AND contact = ?2";
pub(super) const REMOVE_KEYS: &str = "DELETE FROM chatflow_key WHERE workspace = ?1 AND contact = ?2";
pub(super) const REMOVE_ALIASES: &str = "DELETE FROM chatflow_alias WHERE conversation = ?1";
pub(super) const COUNT_ENDED: &str = "SELECT count(*) FROM chatflow_session \
     WHERE workspace = ?1 AND contact = ?2 AND ended_at IS NOT NULL";
pub(super) const REMOVE_SESSIONS: &str = "DELETE FROM chatflow_session WHERE workspace = ?1 AND contact = ?2";
pub(super) const REMOVE_LIVE: &str =
    "DELETE FROM chatflow_session WHERE workspace = ?1 AND contact = ?2 AND ended_at IS NULL";
pub(super) const REMOVE_JOURNAL: &str = "DELETE FROM chatflow_journal WHERE workspace = ?1 AND contact = ?2";
pub(super) const REMOVE: &str = "DELETE FROM chatflow_conversation WHERE id = ?1";
pub(super) const RAISE_FLOOR: &str = "UPDATE chatflow_schema SET revision_floor = max(revision_floor, ?1)";

/// Pages that become free are overwritten, not only the free parts of pages that stay.
const OVERWRITE_ALL: &str = "PRAGMA secure_delete = ON";

impl Operation for Erase {
    type Answer = Option<Removed>;
    const DOING: &'static str = "forget a contact";

    fn run(&self, database: &Database<'_>) -> Result<Option<Removed>, Failure> {
        let (workspace, contact) = (self.workspace.as_str(), self.contact.to_string());
        let seen = Seen::find(database, workspace, &contact)?;
        let Some(seen) = seen.filter(|seen| seen.revision == self.expect) else { return Ok(None) };
        let names = params![workspace, contact];
        if self.keeps_history {
            database.execute(REMOVE_ALIASES, [seen.id])?;
            database.execute(REMOVE_LIVE, names)?;
            database.execute(REMOVE, [seen.id])?;
            database.execute(RAISE_FLOOR, [signed(seen.revision)])?;
            return Ok(Some(Removed::default()));
        }
        database.connection.execute_batch(OVERWRITE_ALL)?;
        let keys = turn_keys(self.now, database, workspace, &contact)?;
        database.execute(REMOVE_ALIASES, [seen.id])?;
        let ended: Option<i64> = database.first(COUNT_ENDED, names, |row| row.get(0))?;
        database.execute(REMOVE_SESSIONS, names)?;
        let journal = database.execute(REMOVE_JOURNAL, names)?;
        database.execute(REMOVE, [seen.id])?;
        database.execute(RAISE_FLOOR, [signed(seen.revision)])?;
        database.connection.execute_batch(OVERWRITE)?;
        let sessions = usize::try_from(ended.unwrap_or_default()).unwrap_or_default();
        Ok(Some(Removed { sessions, journal, keys }))
    }
}

/// Keeps of each key that has not expired a hash of its name, and says how many there are.
fn turn_keys(
    now: DateTime<Utc>,
    database: &Database<'_>,
    workspace: &str,
    contact: &str,
) -> rusqlite::Result<usize> {
    let keys = database.all(KEYS, params![workspace, contact], |row| {
        let flow = FlowId::new(text(row, 0)?).map_err(|error| damaged(0, error))?;
        let key = TriggerKey::new(text(row, 1)?).map_err(|error| damaged(1, error))?;
        Ok((KeyName { flow, key }, row.get::<_, i64>(2)?))
    })?;
    database.execute(REMOVE_KEYS, params![workspace, contact])?;
    let mut kept = 0;
    for (name, expires_at) in keys {
        if micros(now) < expires_at {
            add_key(database, workspace, &name.hashed(), &KeyRecord::erased(instant(expires_at)))?;
            kept += 1;
        }
    }
    Ok(kept)
}
