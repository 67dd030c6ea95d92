//! One contact that turns out to be another: rule 27 of the contract.

use chatflow::store::sql::micros;
use chatflow::store::{Commit, MergedContact};
use rusqlite::params;

use crate::database::Database;
use crate::erase::{RAISE_FLOOR, REMOVE, REMOVE_LIVE};

/// It is as it was seen, not set aside, and nobody is at it.
pub(super) const FREE: &str = "SELECT id FROM chatflow_conversation WHERE workspace = ?1 AND contact = ?2 \
     AND revision = ?3 AND settled = ?5 AND quarantined = 0 \
     AND (lease_until IS NULL OR lease_until <= ?4 OR lease_token = ?6)";
pub(super) const MOVE_ALIASES: &str = "UPDATE chatflow_alias SET conversation = ?2 WHERE conversation = ?1";
pub(super) const MOVE_KEYS: &str =
    "UPDATE chatflow_key SET contact = ?3 WHERE workspace = ?1 AND contact = ?2";
pub(super) const MOVE_SESSIONS: &str =
    "UPDATE chatflow_session SET contact = ?3 WHERE workspace = ?1 AND contact = ?2";
pub(super) const MOVE_JOURNAL: &str =
    "UPDATE chatflow_journal SET contact = ?3 WHERE workspace = ?1 AND contact = ?2";

/// The contact that is no more, in its row.
#[derive(Clone, Copy)]
pub(super) struct Other<'a> {
    pub(super) id: i64,
    absorbed: &'a MergedContact,
}

impl<'a> Other<'a> {
    /// None: it is not as it was seen, or somebody is at it.
    pub(super) fn find(
        database: &Database<'_>,
        commit: &Commit,
        absorbed: &'a MergedContact,
    ) -> rusqlite::Result<Option<Self>> {
        let (workspace, contact) = (commit.workspace.as_str(), absorbed.contact.to_string());
        let revision = i64::try_from(absorbed.expect).unwrap_or(-1);
        let settled = i64::try_from(absorbed.settled).unwrap_or(-1);
        let token = absorbed.token.map(|token| *token.0.as_bytes());
        let names = params![workspace, contact, revision, micros(commit.now), settled, token];
        let id = database.first(FREE, names, |row| row.get(0))?;
        Ok(id.map(|id| Self { id, absorbed }))
    }

    /// Leads whatever leads to it to the commit's contact, whose row is this one, and removes it.
    pub(super) fn give_way(self, database: &Database<'_>, commit: &Commit, row: i64) -> rusqlite::Result<()> {
        let (workspace, from) = (commit.workspace.as_str(), self.absorbed.contact.to_string());
        let names = params![workspace, from, commit.contact.to_string()];
        database.execute(MOVE_ALIASES, [self.id, row])?;
        database.execute(MOVE_KEYS, names)?;
        // The commit brings those that live.
        database.execute(REMOVE_LIVE, params![workspace, from])?;
        database.execute(MOVE_SESSIONS, names)?;
        database.execute(MOVE_JOURNAL, names)?;
        database.execute(REMOVE, [self.id])?;
        let revision = i64::try_from(self.absorbed.expect).unwrap_or(i64::MAX);
        database.execute(RAISE_FLOOR, [revision]).map(drop)
    }
}
