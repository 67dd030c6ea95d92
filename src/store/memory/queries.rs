//! Lists for operators: each looks at everything, one shard after the other, and keeps no more than
//! it answers.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::Alias;
use crate::error::StoreError;
use crate::gather::Arrange;
use crate::id::{ContactId, SessionId, WorkspaceId};
use crate::session::{Conversation, Session};
use crate::store::memory::MemoryStore;
use crate::store::memory::shard::Shard;
use crate::store::{
    ConversationQuery, CountQuery, CountSums, JournalEntry, JournalQuery, ListedSession, Record,
    SessionQuery, SessionRecord, StoreQueries,
};

impl StoreQueries for MemoryStore {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRecord>, StoreError> {
        Ok(self.newest(query).map(|newest| newest.into_records().collect()).unwrap_or_default())
    }

    async fn listed(&self, query: &SessionQuery) -> Result<Vec<ListedSession>, StoreError> {
        let (Some(workspace), Some(newest)) = (self.workspaces.find(&query.workspace), self.newest(query))
        else {
            return Ok(Vec::new());
        };
        let listed = newest.into_records().map(|record| {
            let hash = self.shards.hash(workspace, record.contact());
            let at = self.shards.at_hash(hash);
            let slot = at.find(hash, workspace, record.contact());
            let conversation = slot.and_then(|slot| at.slot(slot).record().conversation().ok());
            ListedSession::of(record, conversation.as_deref())
        });
        Ok(listed.collect())
    }

    /// A live session is found by its alias.
    async fn session(
        &self,
        workspace: &WorkspaceId,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        let Some(workspace) = self.workspaces.find(workspace) else { return Ok(None) };
        let hash = self.shards.hash(workspace, &id);
        if let Some(trail) = self.aliases.follow(workspace, &Alias::Session(id)) {
            let (at, slot) = self.shards.at_place(trail.place);
            let conversation = at.slot(slot).record().conversation().ok();
            let live = conversation.and_then(|conversation| {
                SessionRecord::live(&conversation).find(|record| record.session().id() == id)
            });
            if let Some(found) = live.or_else(|| at.archive.find(hash, workspace, id).cloned()) {
                return Ok(Some(found));
            }
        }
        Ok(self.shards.each().find_map(|at| at.archive.find(hash, workspace, id).cloned()))
    }

    async fn journal(&self, workspace: &WorkspaceId, id: SessionId) -> Result<Vec<JournalEntry>, StoreError> {
        let Some(workspace) = self.workspaces.find(workspace) else { return Ok(Vec::new()) };
        let hash = self.shards.hash(workspace, &id);
        let mut entries: Vec<_> =
            self.shards.each().flat_map(|at| at.journal.read(hash, workspace, id)).collect();
        entries.arrange_by_key(|entry| entry.seq);
        Ok(entries)
    }

    async fn journal_of(&self, query: &JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        let Some(workspace) = self.workspaces.find(&query.workspace) else { return Ok(Vec::new()) };
        let mut first = BTreeMap::new();
        for at in self.shards.each() {
            for entry in at.journal.iter(workspace).filter(|entry| query.has(entry)) {
                let place = JournalQuery::place(entry);
                let is_among_first = first.len() < query.limit
                    || first.last_key_value().is_some_and(|(last, _)| place < *last);
                if is_among_first {
                    first.insert(place, entry.clone());
                    if first.len() > query.limit {
                        first.pop_last();
                    }
                }
            }
        }
        Ok(first.into_values().collect())
    }

    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<(ContactId, Record)>, StoreError> {
        let Some(workspace) = self.workspaces.find(&query.workspace) else { return Ok(Vec::new()) };
        let mut first = BTreeMap::new();
        for at in self.shards.each() {
            for slot in at.slots.iter().filter(|slot| slot.workspace == workspace) {
                let matches = if query.quarantined { slot.is_set_aside() } else { slot.dead_letters > 0 };
                if matches && query.after.as_ref().is_none_or(|after| slot.contact > *after) {
                    first.insert(slot.contact.clone(), slot.record());
                    if first.len() > query.limit {
                        first.pop_last();
                    }
                }
            }
        }
        Ok(first.into_iter().collect())
    }

    async fn counts(&self, query: &CountQuery) -> Result<CountSums, StoreError> {
        let Some(workspace) = self.workspaces.find(&query.workspace) else { return Ok(Vec::new()) };
        let mut sums = BTreeMap::new();
        self.shards.each().for_each(|at| at.counters.add_to(workspace, query, &mut sums));
        Ok(sums.into_iter().map(|((version, what), times)| (version, what, times)).collect())
    }
}

impl MemoryStore {
    /// None: nothing is stored in the workspace.
    fn newest<'q>(&self, query: &'q SessionQuery) -> Option<Newest<'q>> {
        let workspace = self.workspaces.find(&query.workspace)?;
        let mut newest = Newest::new(query);
        for at in self.shards.each() {
            if query.live != Some(false) {
                at.offer_live(workspace, &mut newest);
            }
            if query.live != Some(true) {
                at.offer_ended(workspace, &mut newest);
            }
        }
        Some(newest)
    }
}

impl JournalQuery {
    fn has(&self, entry: &JournalEntry) -> bool {
        entry.flow == self.flow
            && self.version.is_none_or(|version| entry.version == version)
            && (self.from..self.to).contains(&entry.at)
            && (!self.failed || entry.failure.is_some())
            && self.after.is_none_or(|after| Self::place(entry) > after)
    }

    fn place(entry: &JournalEntry) -> (DateTime<Utc>, SessionId, u32) {
        (entry.at, entry.session, entry.seq)
    }
}

/// The newest sessions that match, so many as are asked for.
struct Newest<'q> {
    query: &'q SessionQuery,
    found: BTreeMap<Reverse<(DateTime<Utc>, SessionId)>, Hit>,
}

/// Where a session is to be copied from, once it is known that it is wanted.
enum Hit {
    Live(Arc<Conversation>),
    Ended(SessionRecord),
}

impl<'q> Newest<'q> {
    fn new(query: &'q SessionQuery) -> Self {
        Self { query, found: BTreeMap::new() }
    }

    fn offer(&mut self, session: &Session, contact: &ContactId, hit: impl FnOnce() -> Hit) {
        let query = self.query;
        let place = (session.started_at(), session.id());
        let is_among_newest = self.found.len() < query.limit
            || self.found.last_key_value().is_some_and(|(oldest, _)| Reverse(place) < *oldest);
        if is_among_newest && query.has(session, contact) {
            self.found.insert(Reverse(place), hit());
            if self.found.len() > query.limit {
                self.found.pop_last();
            }
        }
    }

    fn into_records(self) -> impl Iterator<Item = SessionRecord> {
        let copy = |(Reverse((_, id)), hit)| match hit {
            Hit::Live(conversation) => {
                SessionRecord::live(&conversation).find(|record| record.session().id() == id)
            }
            Hit::Ended(record) => Some(record),
        };
        self.found.into_iter().filter_map(copy)
    }
}

impl Shard {
    fn offer_live(&self, workspace: u32, newest: &mut Newest<'_>) {
        let records = self
            .slots
            .iter()
            .filter(|slot| slot.workspace == workspace)
            .filter_map(|slot| slot.record.as_ref());
        for conversation in records.filter_map(|record| record.conversation().ok()) {
            for session in conversation.sessions() {
                newest.offer(session, &conversation.contact().id, || Hit::Live(Arc::clone(&conversation)));
            }
        }
    }

    fn offer_ended(&self, workspace: u32, newest: &mut Newest<'_>) {
        for ended in self.archive.iter().filter(|ended| ended.workspace == workspace) {
            newest.offer(ended.record.session(), ended.record.contact(), || Hit::Ended(ended.record.clone()));
        }
    }
}
