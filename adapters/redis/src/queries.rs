//! Lists for operators. An entry that cannot be read is left out of a list.

use std::collections::HashMap;

use chatflow::error::StoreError;
use chatflow::id::{ContactId, FlowVersion, SessionId, WorkspaceId};
use chatflow::store::sql::micros;
use chatflow::store::{
    ConversationQuery, CountQuery, CountSums, CounterSubject, JournalEntry, JournalQuery, ListedSession,
    Record, SessionQuery, SessionRecord, StoreQueries,
};

use crate::RedisStore;
use crate::commit::{place, places_at};
use crate::scripts::{CONVERSATIONS, COUNTS, JOURNAL_OF, SESSION, SESSIONS};
use crate::server::Server;
use crate::values::{args, contact_of, session_of};

/// Id, contact, record of an ended one, record of the conversation.
type Row = (String, String, Option<Vec<u8>>, Option<Vec<u8>>);

/// Maximum number of sessions and entries that one script answers.
const PAGE: usize = 200;

/// A session of the index: an ended one is there whole, of a live one the conversation says the
/// rest. None: it is not there any more.
fn read(row: Row) -> Option<Result<ListedSession, StoreError>> {
    let (id, contact, record, owner) = row;
    let owner = owner.map(|bytes| Record::from_bytes(bytes).conversation());
    let found = match (record, &owner) {
        (Some(bytes), _) => contact_of(&contact)
            .and_then(|contact| SessionRecord::from_bytes(contact, &bytes).map_err(StoreError::permanent)),
        (None, Some(Ok(conversation))) => {
            let id = session_of(&id).ok()?;
            Ok(SessionRecord::live(conversation).find(|record| record.session().id() == id)?)
        }
        (None, Some(Err(error))) => Err(StoreError::permanent(error.to_string())),
        (None, None) => return None,
    };
    Some(found.map(|record| ListedSession::of(record, owner.and_then(Result::ok).as_deref())))
}

async fn sessions(
    server: &Server,
    query: &SessionQuery,
    with_contact: bool,
) -> Result<Vec<ListedSession>, StoreError> {
    if let Some(contact) = &query.contact {
        return sessions_of(server, query, contact).await;
    }
    let (mut at, mut last) = match query.after {
        Some((at, id)) => (micros(at).to_string(), id.to_string()),
        None => ("+inf".to_owned(), String::new()),
    };
    let from = query.started_from.map_or_else(|| "-inf".to_owned(), |from| micros(from).to_string());
    let flow = query.flow.as_ref().map(ToString::to_string).unwrap_or_default();
    let live = query.live.map(|live| u8::from(live).to_string()).unwrap_or_default();
    let mut found = Vec::new();
    while found.len() < query.limit {
        let limit = (query.limit - found.len()).min(PAGE);
        let args = args![query.workspace, at, last, from, flow, live, limit, u8::from(with_contact)];
        let page: (Vec<Row>, String, String) = server.run(&SESSIONS, args).await?;
        found.extend(
            page.0
                .into_iter()
                .filter_map(read)
                .filter_map(Result::ok)
                .filter(|one| query.matches(&one.record)),
        );
        if page.1.is_empty() {
            break;
        }
        (at, last) = (page.1, page.2);
    }
    Ok(found)
}

/// All sessions that are kept of one contact are few.
async fn sessions_of(
    server: &Server,
    query: &SessionQuery,
    contact: &ContactId,
) -> Result<Vec<ListedSession>, StoreError> {
    let mut command = redis::cmd("HKEYS");
    command.arg(format!("{}:h:{}\u{1f}{contact}", server.root(), query.workspace));
    let kept: Vec<String> = server.ask("list sessions of a contact", command).await?;
    let ids: Vec<&str> = kept.iter().filter_map(|field| field.strip_prefix("s:")).collect();
    let mut found = Vec::new();
    for ids in ids.chunks(PAGE) {
        let mut args = args![query.workspace];
        args.extend(ids.iter().map(|id| id.as_bytes().to_vec()));
        let rows: Vec<Row> = server.run(&SESSION, args).await?;
        found.extend(
            rows.into_iter().filter_map(read).filter_map(Result::ok).filter(|one| query.matches(&one.record)),
        );
    }
    found.sort_by_key(|one| {
        let session = one.record.session();
        std::cmp::Reverse((session.started_at(), session.id()))
    });
    found.truncate(query.limit);
    Ok(found)
}

impl StoreQueries for RedisStore {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRecord>, StoreError> {
        let found = sessions(&self.server, query, false).await?;
        Ok(found.into_iter().map(|one| one.record).collect())
    }

    async fn listed(&self, query: &SessionQuery) -> Result<Vec<ListedSession>, StoreError> {
        sessions(&self.server, query, true).await
    }

    async fn session(
        &self,
        workspace: &WorkspaceId,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        let rows: Vec<Row> = self.server.run(&SESSION, args![workspace, id]).await?;
        rows.into_iter().find_map(read).transpose().map(|found| found.map(|one| one.record))
    }

    async fn journal(&self, workspace: &WorkspaceId, id: SessionId) -> Result<Vec<JournalEntry>, StoreError> {
        let mut command = redis::cmd("HVALS");
        command.arg(format!("{}:j:{workspace}\u{1f}{id}", self.server.root()));
        let stored: Vec<String> = self.server.ask("read a journal", command).await?;
        let mut entries: Vec<_> =
            stored.iter().filter_map(|stored| entry(stored.splitn(3, '\u{1f}').nth(2)?)).collect();
        entries.sort_by_key(|entry| entry.seq);
        Ok(entries)
    }

    async fn journal_of(&self, query: &JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        let first = places_at(micros(query.from));
        let after = query.after.map(|(at, session, seq)| place(micros(at), &session.to_string(), seq));
        let mut from = match after.filter(|after| first <= *after) {
            Some(after) => format!("({after}"),
            None => format!("[{first}"),
        };
        let to = format!("({}", places_at(micros(query.to)));
        let mut found = Vec::new();
        loop {
            let args = args![query.workspace, query.flow, from, to, PAGE];
            let page: Vec<(String, String)> = self.server.run(&JOURNAL_OF, args).await?;
            let is_last = page.len() < PAGE;
            if let Some((last, _)) = page.last() {
                from = format!("({last}");
            }
            let is_asked = |entry: &JournalEntry| {
                query.version.is_none_or(|version| entry.version == version)
                    && (!query.failed || entry.failure.is_some())
            };
            found.extend(page.iter().filter_map(|(_, stored)| entry(stored)).filter(is_asked));
            if is_last || found.len() >= query.limit {
                found.truncate(query.limit);
                return Ok(found);
            }
        }
    }

    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<(ContactId, Record)>, StoreError> {
        let kind = if query.quarantined { "q" } else { "x" };
        let after = query.after.as_ref().map_or_else(|| "-".to_owned(), |contact| format!("({contact}"));
        let args = args![query.workspace, kind, after, query.limit];
        let found: Vec<(String, Vec<u8>)> = self.server.run(&CONVERSATIONS, args).await?;
        found
            .into_iter()
            .map(|(contact, record)| Ok((contact_of(&contact)?, Record::from_bytes(record))))
            .collect()
    }

    async fn counts(&self, query: &CountQuery) -> Result<CountSums, StoreError> {
        let args = args![query.workspace, query.flow, query.from, query.to];
        let minutes: Vec<Vec<(String, u64)>> = self.server.run(&COUNTS, args).await?;
        let mut sums: HashMap<String, u64> = HashMap::new();
        for (what, times) in minutes.into_iter().flatten() {
            let sum = sums.entry(what).or_default();
            *sum = sum.saturating_add(times);
        }
        let read = |(what, times): (String, u64)| {
            let (version, what) = what.split_once(':')?;
            Some((FlowVersion(version.parse().ok()?), CounterSubject::parse(what)?, times))
        };
        Ok(sums.into_iter().filter_map(read).collect())
    }
}

fn entry(stored: &str) -> Option<JournalEntry> {
    serde_json::from_str(stored).ok()
}
