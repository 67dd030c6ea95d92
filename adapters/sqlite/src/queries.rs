//! Lists for operators, on a thread of their own. What cannot be read is left out of a list.

use chatflow::error::StoreError;
use chatflow::id::{ContactId, FlowVersion, SessionId, WorkspaceId};
use chatflow::store::sql::micros;
use chatflow::store::{
    ConversationQuery, CountQuery, CountSums, CounterSubject, JournalEntry, JournalQuery, ListedSession,
    Record, SessionQuery, SessionRecord,
};
use rusqlite::{Row, params};

use crate::columns::{self, blob, contact, record, session};
use crate::database::Database;
use crate::queue::{Failure, Operation};

pub(super) const SESSIONS: &str = "SELECT session, contact, record FROM chatflow_session \
     WHERE workspace = ?1 AND (started_at, session) < (?2, ?3) AND (?4 IS NULL OR flow = ?4) \
     AND (?5 IS NULL OR (ended_at IS NULL) = ?5) AND started_at >= ?6 \
     AND (?7 IS NULL OR ended_at >= ?7) AND (?8 IS NULL OR ended_at < ?8) ORDER BY started_at DESC, session DESC";
pub(super) const SESSIONS_OF: &str = "SELECT session, contact, record FROM chatflow_session \
     WHERE workspace = ?1 AND contact = ?9 AND (started_at, session) < (?2, ?3) AND (?4 IS NULL OR flow = ?4) \
     AND (?5 IS NULL OR (ended_at IS NULL) = ?5) AND started_at >= ?6 \
     AND (?7 IS NULL OR ended_at >= ?7) AND (?8 IS NULL OR ended_at < ?8) ORDER BY started_at DESC, session DESC";
pub(super) const LIVE_SESSIONS: &str = "SELECT session, contact, record FROM chatflow_session \
     WHERE workspace = ?1 AND flow = ?4 AND ended_at IS NULL AND (started_at, session) < (?2, ?3) \
     AND started_at >= ?5 ORDER BY started_at DESC, session DESC";
pub(super) const SESSION: &str =
    "SELECT session, contact, record FROM chatflow_session WHERE workspace = ?1 AND session = ?2";
pub(super) const CONVERSATION: &str =
    "SELECT record FROM chatflow_conversation WHERE workspace = ?1 AND contact = ?2";
pub(super) const JOURNAL: &str =
    "SELECT entry FROM chatflow_journal WHERE workspace = ?1 AND session = ?2 ORDER BY seq, id";
pub(super) const JOURNAL_OF: &str = "SELECT entry FROM chatflow_journal \
     WHERE workspace = ?1 AND flow = ?2 AND at >= ?3 AND at < ?4 AND (at, session, seq) > (?5, ?6, ?7) \
     AND (?8 IS NULL OR version = ?8) AND (?9 = 0 OR failed = 1) ORDER BY at, session, seq";
pub(super) const ASIDE: &str = "SELECT contact, record FROM chatflow_conversation \
     WHERE workspace = ?1 AND quarantined = 1 AND contact > ?2 ORDER BY contact LIMIT ?3";
pub(super) const WITH_DEAD_LETTERS: &str = "SELECT contact, record FROM chatflow_conversation \
     WHERE workspace = ?1 AND dead_letters > 0 AND contact > ?2 ORDER BY contact LIMIT ?3";

pub(super) const COUNTS: &str = "SELECT version, what, sum(times) FROM chatflow_count \
     WHERE workspace = ?1 AND flow = ?2 AND minute >= ?3 AND minute < ?4 GROUP BY version, what";

/// A session of the index: an ended one is there whole, of a live one the conversation says the
/// rest. None: it cannot be read.
fn found(
    database: &Database<'_>,
    workspace: &str,
    row: &Row<'_>,
) -> rusqlite::Result<Option<Result<SessionRecord, StoreError>>> {
    let (id, contact) = (session(row, 0)?, contact(row, 1)?);
    if let Some(bytes) = row.get_ref(2)?.as_blob_or_null().ok().flatten() {
        return Ok(Some(SessionRecord::from_bytes(contact, bytes).map_err(StoreError::permanent)));
    }
    let names = params![workspace, contact.to_string()];
    let conversation = database.first(CONVERSATION, names, |row| record(row, 0))?;
    let conversation = match conversation.map(|record| record.conversation()) {
        Some(Ok(conversation)) => conversation,
        Some(Err(error)) => return Ok(Some(Err(StoreError::permanent(error)))),
        None => return Ok(None),
    };
    Ok(SessionRecord::live(&conversation).find(|record| record.session().id() == id).map(Ok))
}

impl Operation for SessionQuery {
    type Answer = Vec<SessionRecord>;
    const DOING: &'static str = "list sessions";

    fn run(&self, database: &Database<'_>) -> Result<Vec<SessionRecord>, Failure> {
        let (at, id) = match self.after {
            Some((at, id)) => (micros(at), *id.0.as_bytes()),
            None => (i64::MAX, [u8::MAX; 16]),
        };
        let (workspace, flow) = (self.workspace.as_str(), self.flow.as_ref().map(|flow| flow.as_str()));
        let from = self.started_from.map_or(i64::MIN, micros);
        let (ended_from, ended_to) = (self.ended_from.map(micros), self.ended_to.map(micros));
        let read = |row: &Row<'_>| {
            let found = found(database, workspace, row)?.and_then(Result::ok);
            Ok(found.filter(|record| self.matches(record)))
        };
        let found = match (&self.contact, self.live) {
            (Some(contact), live) => {
                let contact = contact.to_string();
                let names = params![workspace, at, &id[..], flow, live, from, ended_from, ended_to, contact];
                database.some(SESSIONS_OF, names, self.limit, read)
            }
            (None, Some(true)) if flow.is_some() => {
                let names = params![workspace, at, &id[..], flow, from];
                database.some(LIVE_SESSIONS, names, self.limit, read)
            }
            (None, live) => {
                let names = params![workspace, at, &id[..], flow, live, from, ended_from, ended_to];
                database.some(SESSIONS, names, self.limit, read)
            }
        };
        Ok(found?)
    }
}

/// Sessions, each with its contact.
pub(super) struct Listed(pub(super) SessionQuery);

impl Operation for Listed {
    type Answer = Vec<ListedSession>;
    const DOING: &'static str = "list sessions with their contacts";

    fn run(&self, database: &Database<'_>) -> Result<Vec<ListedSession>, Failure> {
        let with_contact = |found: SessionRecord| {
            let names = params![self.0.workspace.as_str(), found.contact().to_string()];
            let conversation = database.first(CONVERSATION, names, |row| record(row, 0))?;
            let conversation = conversation.and_then(|record| record.conversation().ok());
            Ok(ListedSession::of(found, conversation.as_deref()))
        };
        self.0.run(database)?.into_iter().map(with_contact).collect()
    }
}

/// One session.
pub(super) struct OneSession {
    pub(super) workspace: WorkspaceId,
    pub(super) id: SessionId,
}

impl Operation for OneSession {
    type Answer = Option<SessionRecord>;
    const DOING: &'static str = "look a session up";

    fn run(&self, database: &Database<'_>) -> Result<Option<SessionRecord>, Failure> {
        let workspace = self.workspace.as_str();
        let names = params![workspace, &self.id.0.as_bytes()[..]];
        let found = database.first(SESSION, names, |row| found(database, workspace, row))?;
        found.flatten().transpose().map_err(Failure::Refused)
    }
}

/// The journal of one session.
pub(super) struct OneJournal {
    pub(super) workspace: WorkspaceId,
    pub(super) id: SessionId,
}

impl Operation for OneJournal {
    type Answer = Vec<JournalEntry>;
    const DOING: &'static str = "read a journal";

    fn run(&self, database: &Database<'_>) -> Result<Vec<JournalEntry>, Failure> {
        let names = params![self.workspace.as_str(), &self.id.0.as_bytes()[..]];
        Ok(database.some(JOURNAL, names, usize::MAX, entry)?)
    }
}

impl Operation for JournalQuery {
    type Answer = Vec<JournalEntry>;
    const DOING: &'static str = "read a flow's journal";

    fn run(&self, database: &Database<'_>) -> Result<Vec<JournalEntry>, Failure> {
        let (at, id, seq) = match self.after {
            Some((at, id, seq)) => (micros(at), *id.0.as_bytes(), i64::from(seq)),
            None => (i64::MIN, [0; 16], -1),
        };
        let (workspace, flow, version) =
            (self.workspace.as_str(), self.flow.as_str(), self.version.map(|version| version.0));
        let (from, to) = (micros(self.from), micros(self.to));
        let names = params![workspace, flow, from, to, at, &id[..], seq, version, self.failed];
        Ok(database.some(JOURNAL_OF, names, self.limit, entry)?)
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Option<JournalEntry>> {
    Ok(serde_json::from_slice(blob(row, 0)?).ok())
}

impl Operation for ConversationQuery {
    type Answer = Vec<(ContactId, Record)>;
    const DOING: &'static str = "list conversations";

    fn run(&self, database: &Database<'_>) -> Result<Vec<(ContactId, Record)>, Failure> {
        let sql = if self.quarantined { ASIDE } else { WITH_DEAD_LETTERS };
        let after = self.after.as_ref().map(ContactId::to_string).unwrap_or_default();
        let names = params![self.workspace.as_str(), after, columns::limit(self.limit)];
        Ok(database.all(sql, names, |row| Ok((contact(row, 0)?, record(row, 1)?)))?)
    }
}

impl Operation for CountQuery {
    type Answer = CountSums;
    const DOING: &'static str = "read counters";

    fn run(&self, database: &Database<'_>) -> Result<CountSums, Failure> {
        let names = params![self.workspace.as_str(), self.flow.as_str(), self.from, self.to];
        let read = |row: &Row<'_>| {
            let (version, times) = (FlowVersion(row.get(0)?), columns::unsigned(row, 2)?);
            let what = row.get_ref(1)?.as_str_or_null().ok().flatten().and_then(CounterSubject::parse);
            Ok(what.map(|what| (version, what, times)))
        };
        Ok(database.some(COUNTS, names, usize::MAX, read)?)
    }
}
