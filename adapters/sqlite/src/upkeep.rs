//! Counting and waking what lives, and removing what is past its retention.

use chatflow::address::Alias;
use chatflow::store::sql::{micros, needle};
use chatflow::store::{Live, Purge, Purged};
use rusqlite::params;

use crate::columns::{self, session};
use crate::database::Database;
use crate::queue::{Failure, Operation};

/// By its own version, and by one that it is in.
pub(super) const COUNT: &str = "SELECT count(*) FROM chatflow_session \
     WHERE workspace = ?1 AND flow = ?2 AND ended_at IS NULL";
pub(super) const COUNT_VERSION: &str = "SELECT count(*) FROM chatflow_session \
     WHERE workspace = ?1 AND flow = ?2 AND version = ?3 AND ended_at IS NULL";
pub(super) const COUNT_CALLED: &str = "SELECT count(*) FROM chatflow_session \
     WHERE workspace = ?1 AND called IS NOT NULL AND ended_at IS NULL AND instr(called, ?4) > 0 \
     AND NOT (flow = ?2 AND (?3 IS NULL OR version = ?3))";
pub(super) const WAKE: &str = "UPDATE chatflow_conversation \
     SET due_at = ?5, filed_at = min(ifnull(filed_at, ?5), ?5) \
     WHERE workspace = ?1 AND quarantined = 0 AND (due_at IS NULL OR due_at > ?5) AND contact IN ( \
       SELECT contact FROM chatflow_session \
       WHERE workspace = ?1 AND flow = ?2 AND (?3 IS NULL OR version = ?3) AND ended_at IS NULL \
       UNION SELECT contact FROM chatflow_session \
       WHERE workspace = ?1 AND called IS NOT NULL AND ended_at IS NULL AND instr(called, ?4) > 0)";

pub(super) const PURGE_KEYS: &str = "DELETE FROM chatflow_key WHERE (workspace, flow, key) IN \
     (SELECT workspace, flow, key FROM chatflow_key WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
pub(super) const HAS_KEYS: &str = "SELECT 1 FROM chatflow_key WHERE expires_at <= ?1 LIMIT 1";
pub(super) const OLD_SESSIONS: &str = "SELECT s.id, s.workspace, s.session, c.id FROM chatflow_session s \
     LEFT JOIN chatflow_conversation c ON c.workspace = s.workspace AND c.contact = s.contact \
     WHERE s.ended_at < ?1 ORDER BY s.ended_at LIMIT ?2";
pub(super) const REMOVE_SESSION: &str = "DELETE FROM chatflow_session WHERE id = ?1";
pub(super) const HAS_SESSIONS: &str = "SELECT 1 FROM chatflow_session WHERE ended_at < ?1 LIMIT 1";
pub(super) const PURGE_JOURNAL: &str = "DELETE FROM chatflow_journal WHERE id IN (SELECT id FROM chatflow_journal WHERE at < ?1 ORDER BY at LIMIT ?2)";
pub(super) const HAS_JOURNAL: &str = "SELECT 1 FROM chatflow_journal WHERE at < ?1 LIMIT 1";
pub(super) const PURGE_COUNTS: &str = "DELETE FROM chatflow_count WHERE (workspace, flow, minute, version, what) IN \
     (SELECT workspace, flow, minute, version, what FROM chatflow_count WHERE minute < ?1 ORDER BY minute LIMIT ?2)";
pub(super) const HAS_COUNTS: &str = "SELECT 1 FROM chatflow_count WHERE minute < ?1 LIMIT 1";

impl Operation for Live {
    type Answer = u64;
    const DOING: &'static str = "count live sessions";

    fn run(&self, database: &Database<'_>) -> Result<u64, Failure> {
        let (workspace, flow) = (self.workspace.as_str(), self.flow.as_str());
        let version = self.version.map(|version| version.0);
        let needle = needle(&self.flow, self.version);
        let own: Option<i64> = match version {
            Some(version) => {
                database.first(COUNT_VERSION, params![workspace, flow, version], |row| row.get(0))?
            }
            None => database.first(COUNT, params![workspace, flow], |row| row.get(0))?,
        };
        let names = params![workspace, flow, version, needle];
        let called: Option<i64> = database.first(COUNT_CALLED, names, |row| row.get(0))?;
        let count = own.unwrap_or_default() + called.unwrap_or_default();
        if let Some(wake_at) = self.wake_at.filter(|_| count > 0) {
            database.execute(WAKE, params![workspace, flow, version, needle, micros(wake_at)])?;
        }
        Ok(count.cast_unsigned())
    }
}

impl Operation for Purge {
    type Answer = Purged;
    const DOING: &'static str = "remove what is old";

    /// True: rows that come back with the power are removed by the next purge.
    fn may_be_lost(&self) -> bool {
        true
    }

    fn run(&self, database: &Database<'_>) -> Result<Purged, Failure> {
        let limit = columns::limit(self.limit);
        let (now, ended, journal) =
            (micros(self.now), micros(self.ended_before), micros(self.journal_before));
        let keys = database.execute(PURGE_KEYS, params![now, limit])?;
        let old = database.all(OLD_SESSIONS, params![ended, limit], |row| {
            let conversation: Option<i64> = row.get(3)?;
            Ok((row.get::<_, i64>(0)?, columns::workspace(row, 1)?, session(row, 2)?, conversation))
        })?;
        for (id, workspace, session, conversation) in &old {
            let alias = Alias::Session(*session).to_string();
            if let Some(conversation) = conversation {
                let names = params![workspace.as_str(), alias, conversation];
                database.execute(super::commit::DROP_ALIAS, names)?;
            }
            database.execute(REMOVE_SESSION, [id])?;
        }
        let entries = database.execute(PURGE_JOURNAL, params![journal, limit])?;
        let minute = self.counts_before_minute();
        let counts = database.execute(PURGE_COUNTS, params![minute, limit])?;
        let has = |sql: &'static str, before: i64| database.first(sql, [before], |_| Ok(()));
        let more = has(HAS_KEYS, now)?.or(has(HAS_SESSIONS, ended)?).or(has(HAS_JOURNAL, journal)?);
        let more = more.or(has(HAS_COUNTS, minute)?).is_some();
        Ok(Purged { keys, sessions: old.len(), journal: entries, counts, more })
    }
}
