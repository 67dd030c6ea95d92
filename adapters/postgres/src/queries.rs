//! Lists for operators, by the indexes of sessions, journal and conversations.

use std::collections::BTreeMap;

use chatflow::id::{ContactId, FlowVersion, SessionId, WorkspaceId};
use chatflow::store::sql::micros;
use chatflow::store::{
    ConversationQuery, CountQuery, CountSums, CounterSubject, JournalEntry, JournalQuery, ListedSession,
    Record, SessionQuery, SessionRecord,
};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::errors::Fault;
use crate::link::{Link, Param};
use crate::load::contact_id;
use crate::shard::shard;
use crate::statements::queries::{
    CONTACTS, COUNTS, DEAD, JOURNAL, JOURNAL_OF, QUARANTINED, SESSION, SESSIONS,
};

/// Rows of one page where the server cannot tell which match.
const PAGE: usize = 100;

/// A session whose conversation has it no more, that cannot be read or does not match is left out;
/// others take its place.
pub(super) async fn sessions(link: &Link<'_>, query: &SessionQuery) -> Result<Vec<SessionRecord>, Fault> {
    let mut found = Vec::new();
    let mut after = query.after.map(|(at, id)| (micros(at), id.0));
    while found.len() < query.limit {
        let wanted = (query.limit - found.len()).max(query.limit.min(PAGE));
        let rows = page(link, query, after, wanted).await?;
        for row in &rows {
            after = Some((row.try_get(2)?, row.try_get(1)?));
            found.extend(session_of(row)?.filter(|record| query.matches(record)));
        }
        if rows.len() < wanted {
            break;
        }
    }
    found.truncate(query.limit);
    Ok(found)
}

/// The same, and in one more question their contacts, as they are then.
pub(super) async fn listed(link: &Link<'_>, query: &SessionQuery) -> Result<Vec<ListedSession>, Fault> {
    let found = sessions(link, query).await?;
    let mut contacts: Vec<String> = found.iter().map(|record| record.contact().to_string()).collect();
    contacts.sort_unstable();
    contacts.dedup();
    let shards: Vec<i16> = contacts.iter().map(|contact| shard(&query.workspace, contact)).collect();
    let workspace = query.workspace.as_str();
    let params: [Param<'_>; 3] =
        [(&workspace, Type::TEXT), (&contacts, Type::TEXT_ARRAY), (&shards, Type::INT2_ARRAY)];
    let mut known = BTreeMap::new();
    for row in link.query(CONTACTS, &params).await? {
        let conversation = Record::from_bytes(row.try_get::<_, &[u8]>(1)?).conversation().ok();
        known.insert(contact_id(row.try_get(0)?)?, conversation);
    }
    let listed = found.into_iter().map(|record| {
        let conversation = known.get(record.contact()).and_then(|known| known.as_deref());
        ListedSession::of(record, conversation)
    });
    Ok(listed.collect())
}

async fn page(
    link: &Link<'_>,
    query: &SessionQuery,
    after: Option<(i64, Uuid)>,
    limit: usize,
) -> Result<Vec<Row>, Fault> {
    let workspace = query.workspace.as_str();
    let flow = query.flow.as_ref().map(|flow| flow.as_str());
    let contact = query.contact.as_ref().map(ToString::to_string);
    let shard = contact.as_ref().map(|contact| shard(&query.workspace, contact));
    let (at, id) = (after.map(|(at, _)| at), after.map(|(_, id)| id));
    let limit = most(limit);
    let started_from = query.started_from.map(micros);
    let (ended_from, ended_to) = (query.ended_from.map(micros), query.ended_to.map(micros));
    let params: [Param<'_>; 11] = [
        (&workspace, Type::TEXT),
        (&flow, Type::TEXT),
        (&contact, Type::TEXT),
        (&shard, Type::INT2),
        (&query.live, Type::BOOL),
        (&at, Type::INT8),
        (&id, Type::UUID),
        (&limit, Type::INT8),
        (&started_from, Type::INT8),
        (&ended_from, Type::INT8),
        (&ended_to, Type::INT8),
    ];
    link.query(SESSIONS, &params).await
}

pub(super) async fn session(
    link: &Link<'_>,
    workspace: &WorkspaceId,
    id: SessionId,
) -> Result<Option<SessionRecord>, Fault> {
    let workspace = workspace.as_str();
    match link.first(SESSION, &[(&workspace, Type::TEXT), (&id.0, Type::UUID)]).await? {
        Some(row) => session_of(&row),
        None => Ok(None),
    }
}

/// An ended session is in its row, a live one in its conversation.
fn session_of(row: &Row) -> Result<Option<SessionRecord>, Fault> {
    let id = SessionId(row.try_get(1)?);
    if let Some(ended) = row.try_get::<_, Option<&[u8]>>(3)? {
        return Ok(SessionRecord::from_bytes(contact_id(row.try_get(0)?)?, ended).ok());
    }
    let Some(live) = row.try_get::<_, Option<&[u8]>>(4)? else { return Ok(None) };
    let conversation = Record::from_bytes(live).conversation().ok();
    Ok(conversation.and_then(|conversation| {
        SessionRecord::live(&conversation).find(|record| record.session().id() == id)
    }))
}

pub(super) async fn journal(
    link: &Link<'_>,
    workspace: &WorkspaceId,
    id: SessionId,
) -> Result<Vec<JournalEntry>, Fault> {
    let workspace = workspace.as_str();
    let rows = link.query(JOURNAL, &[(&workspace, Type::TEXT), (&id.0, Type::UUID)]).await?;
    rows.iter().map(entry).collect()
}

pub(super) async fn journal_of(link: &Link<'_>, query: &JournalQuery) -> Result<Vec<JournalEntry>, Fault> {
    let (workspace, flow) = (query.workspace.as_str(), query.flow.as_str());
    let version = query.version.map(|version| i64::from(version.0));
    let (from, to) = (micros(query.from), micros(query.to));
    let at = query.after.map(|(at, ..)| micros(at));
    let session = query.after.map(|(_, session, _)| session.0);
    let seq = query.after.map(|(.., seq)| i64::from(seq));
    let limit = most(query.limit);
    let params: [Param<'_>; 10] = [
        (&workspace, Type::TEXT),
        (&flow, Type::TEXT),
        (&version, Type::INT8),
        (&query.failed, Type::BOOL),
        (&from, Type::INT8),
        (&to, Type::INT8),
        (&at, Type::INT8),
        (&session, Type::UUID),
        (&seq, Type::INT8),
        (&limit, Type::INT8),
    ];
    link.query(JOURNAL_OF, &params).await?.iter().map(entry).collect()
}

fn entry(row: &Row) -> Result<JournalEntry, Fault> {
    serde_json::from_slice(row.try_get(0)?).map_err(|error| Fault::permanent(unreadable(&error)))
}

/// Where a stored entry stops being one; its text is not quoted.
pub(super) fn unreadable(error: &serde_json::Error) -> String {
    format!("a stored entry cannot be read at line {}, column {}", error.line(), error.column())
}

pub(super) async fn conversations(
    link: &Link<'_>,
    query: &ConversationQuery,
) -> Result<Vec<(ContactId, Record)>, Fault> {
    let workspace = query.workspace.as_str();
    let after = query.after.as_ref().map(ToString::to_string);
    let limit = most(query.limit);
    let params: [Param<'_>; 3] = [(&workspace, Type::TEXT), (&after, Type::TEXT), (&limit, Type::INT8)];
    let rows = link.query(if query.quarantined { QUARANTINED } else { DEAD }, &params).await?;
    let read = |row: &Row| {
        let contact = contact_id(row.try_get(0)?)?;
        Ok((contact, Record::from_bytes(row.try_get::<_, &[u8]>(1)?)))
    };
    rows.iter().map(read).collect()
}

pub(super) async fn counts(link: &Link<'_>, query: &CountQuery) -> Result<CountSums, Fault> {
    let (workspace, flow) = (query.workspace.as_str(), query.flow.as_str());
    let params: [Param<'_>; 4] =
        [(&workspace, Type::TEXT), (&flow, Type::TEXT), (&query.from, Type::INT8), (&query.to, Type::INT8)];
    let mut sums = Vec::new();
    for row in link.query(COUNTS, &params).await? {
        let (version, times): (i64, i64) = (row.try_get(0)?, row.try_get(2)?);
        let version = FlowVersion(u32::try_from(version).map_err(Fault::permanent)?);
        if let Some(what) = CounterSubject::parse(row.try_get(1)?) {
            sums.push((version, what, times.cast_unsigned()));
        }
    }
    Ok(sums)
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
