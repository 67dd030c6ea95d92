//! The data that one decision needs, out of one snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chatflow::id::FlowVersion;
use chatflow::store::sql::{instant, micros, state_of};
use chatflow::store::{KeyRecord, Loaded, Lookup, Subject};
use rusqlite::{Row, params};
use uuid::Uuid;

use crate::columns::{contact, session, stored};
use crate::database::Database;
use crate::flows::revision_of;
use crate::queue::{Failure, Operation};

pub(super) const BY_CONTACT: &str = "SELECT contact, revision, settled, lease_token, lease_until, quarantined, record \
     FROM chatflow_conversation WHERE workspace = ?1 AND contact = ?2";

pub(super) const BY_ALIAS: &str = "SELECT c.contact, c.revision, c.settled, c.lease_token, c.lease_until, c.quarantined, c.record \
     FROM chatflow_alias a JOIN chatflow_conversation c ON c.id = a.conversation \
     WHERE a.workspace = ?1 AND a.alias = ?2";

/// Under its name, or as it stays after its contact was erased.
pub(super) const KEY: &str = "SELECT fingerprint, started, session, version, contact, expires_at, erased, state, digest \
     FROM chatflow_key WHERE workspace = ?1 AND flow = ?2 AND key IN (?3, ?4) AND expires_at > ?5";

pub(super) struct Load {
    pub(super) lookup: Lookup,
    /// True if flows are kept here too.
    pub(super) has_flows: Arc<AtomicBool>,
}

impl Operation for Load {
    type Answer = Loaded;
    const DOING: &'static str = "look a conversation up";

    fn is_read(&self) -> bool {
        true
    }

    fn run(&self, database: &Database<'_>) -> Result<Loaded, Failure> {
        let Lookup { workspace, subject, key, token, now, .. } = &self.lookup;
        let (workspace, now) = (workspace.as_str(), micros(*now));
        let read = |row: &Row<'_>| stored(row, 0, *token, now);
        let conversation = match subject {
            Subject::Contact(contact) => {
                database.first(BY_CONTACT, params![workspace, contact.to_string()], read)?
            }
            Subject::Alias(alias) => database.first(BY_ALIAS, params![workspace, alias.to_string()], read)?,
        };
        let key = match key {
            Some(name) => {
                let (key, hashed) = (name.key.to_string(), name.hashed().key.to_string());
                let names = params![workspace, name.flow.as_str(), key, hashed, now];
                database.first(KEY, names, key_record)?
            }
            None => None,
        };
        let catalogue = match self.has_flows.load(Ordering::Relaxed) {
            true => Some(revision_of(database, workspace)?),
            false => None,
        };
        Ok(Loaded { conversation, key, catalogue })
    }
}

fn key_record(row: &Row<'_>) -> rusqlite::Result<KeyRecord> {
    let expires_at = instant(row.get(5)?);
    if row.get(6)? {
        return Ok(KeyRecord::erased(expires_at));
    }
    let (status, failure) = state_of(row.get_ref(7)?.as_str_or_null()?);
    Ok(KeyRecord {
        fingerprint: Uuid::from_bytes(row.get(0)?).as_u128(),
        started: row.get(1)?,
        session: session(row, 2)?,
        version: FlowVersion(row.get(3)?),
        digest: row.get::<_, Option<[u8; 16]>>(8)?.map(u128::from_be_bytes),
        contact: contact(row, 4)?,
        expires_at,
        status,
        failure,
        erased: false,
    })
}
