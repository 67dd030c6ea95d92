//! Looking at what is there: sessions, journals, dead letters, conversations that were set aside.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::engine::attempts::Patience;
use crate::engine::{Engine, ResultRow};
use crate::error::Error;
use crate::id::{ContactId, FlowId, MessageId, NodeId, SessionId, WorkspaceId};
use crate::kernel::Action;
use crate::observer::Cause;
use crate::session::{DeadLetter, FailureCode, Status};
use crate::store::{
    Commit, Committed, ConversationQuery, ConversationStore, JournalEntry, ListedSession, Live, SessionQuery,
    SessionRecord, StoreQueries, Subject,
};

/// Maximum number of entries in a list.
const PAGE: usize = 100;

/// The sessions to list; newest first, at most 100 at a time. Every condition must hold
/// ([SEMANTICS Q1](crate::semantics#q1)).
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionFilter(SessionQuery);

impl Default for SessionFilter {
    fn default() -> Self {
        Self(SessionQuery::new(WorkspaceId::default(), PAGE))
    }
}

impl SessionFilter {
    /// All sessions.
    pub fn all() -> Self {
        Self::default()
    }

    /// Of one flow.
    pub fn flow(mut self, flow: FlowId) -> Self {
        self.0.flow = Some(flow);
        self
    }

    /// Of one contact.
    pub fn contact(mut self, contact: ContactId) -> Self {
        self.0.contact = Some(contact);
        self
    }

    /// Live ones only.
    pub fn live(mut self) -> Self {
        self.0.live = Some(true);
        self
    }

    /// Ended ones only.
    pub fn ended(mut self) -> Self {
        self.0.live = Some(false);
        self
    }

    /// With this status; given several times, with any of them.
    pub fn status(mut self, status: Status) -> Self {
        self.0.statuses.push(status);
        self
    }

    /// Started at this instant or later.
    pub fn started_from(mut self, from: DateTime<Utc>) -> Self {
        self.0.started_from = Some(from);
        self
    }

    /// Started before this instant.
    pub fn started_to(mut self, to: DateTime<Utc>) -> Self {
        self.0.started_to = Some(to);
        self
    }

    /// Ended at this instant or later.
    pub fn ended_from(mut self, from: DateTime<Utc>) -> Self {
        self.0.ended_from = Some(from);
        self
    }

    /// Ended before this instant.
    pub fn ended_to(mut self, to: DateTime<Utc>) -> Self {
        self.0.ended_to = Some(to);
        self
    }

    /// At this node of the flow that was started, or ended there. A node of a flow that it called
    /// is not meant, whatever its name.
    pub fn node(mut self, node: NodeId) -> Self {
        self.0.node = Some(node);
        self
    }

    /// Live, and at the same node since before this instant.
    pub fn stuck_since(mut self, since: DateTime<Utc>) -> Self {
        self.0.stuck_since = Some(since);
        self
    }

    /// Live, although its deadline or its expiry had passed at this instant: nobody ticks, its
    /// conversation was set aside, a message before its question is undelivered, or its contact is
    /// with a person.
    pub fn overdue_at(mut self, at: DateTime<Utc>) -> Self {
        self.0.overdue_at = Some(at);
        self
    }

    /// Failed, with this code.
    pub fn failure(mut self, code: FailureCode) -> Self {
        self.0.failure = Some(code);
        self
    }

    /// Those that come after this one in the list: the next page.
    pub fn after(mut self, session: &SessionRecord) -> Self {
        self.0.after = Some(place(session));
        self
    }

    /// Those that come after this row in the list: the next page of [`results`](Engine::results).
    pub fn after_row(mut self, row: &ResultRow) -> Self {
        self.0.after = Some((row.started_at, row.session));
        self
    }

    /// The same of a flow's ended sessions. None: it asks for others, so nothing can match.
    pub(super) fn ended_of(self, flow: &FlowId) -> Option<Self> {
        let asks_for_others =
            self.0.live == Some(true) || self.0.flow.as_ref().is_some_and(|other| other != flow);
        (!asks_for_others).then(|| self.flow(flow.clone()).ended())
    }

    /// The question to a store: with what the indexes of stores know, of what else is said. None:
    /// nothing can match.
    fn query(self, workspace: WorkspaceId) -> Option<SessionQuery> {
        let mut query = SessionQuery { workspace, ..self.0 };
        let is_live = query.statuses.first().map(|status| status.is_live());
        let is_live = is_live.filter(|live| query.statuses.iter().all(|status| status.is_live() == *live));
        let is_ended = query.failure.is_some() || query.ended_from.is_some() || query.ended_to.is_some();
        let implied =
            [is_live, is_ended.then_some(false), query.stuck_since.or(query.overdue_at).map(|_| true)];
        for live in implied.into_iter().flatten() {
            if *query.live.get_or_insert(live) != live {
                return None;
            }
        }
        let end = query.started_to.map(|to| (to, SessionId(uuid::Uuid::nil())));
        query.after = query.after.into_iter().chain(end).min();
        Some(query)
    }
}

fn place(record: &SessionRecord) -> (DateTime<Utc>, SessionId) {
    (record.session().started_at(), record.session().id())
}

/// A list of sessions that is read page by page, as far as it may be long.
struct Pages<T> {
    /// The next page; None: there is no other.
    next: Option<SessionQuery>,
    found: Vec<T>,
}

impl<T> Pages<T> {
    fn of(query: Option<SessionQuery>) -> Self {
        Self { next: query, found: Vec::new() }
    }

    fn next(&mut self) -> Option<SessionQuery> {
        self.next.take()
    }

    /// Takes what matches of a page; a store may answer more.
    fn take(&mut self, query: &SessionQuery, page: Vec<T>, record: impl Fn(&T) -> &SessionRecord) {
        let last = page.last().map(|last| place(record(last)));
        let last = last.filter(|last| query.after.is_none_or(|after| *last < after));
        let is_last = page.len() < query.limit || last.is_none();
        let matching = page.into_iter().filter(|found| query.matches(record(found)));
        self.found.extend(matching.take(PAGE - self.found.len()));
        if !is_last && self.found.len() < PAGE {
            self.next = Some(SessionQuery { after: last, ..query.clone() });
        }
    }
}

/// A dead letter and its contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeadLetterEntry {
    /// The contact.
    pub contact: ContactId,
    /// The message, why and when.
    pub letter: DeadLetter,
}

impl<S: ConversationStore + StoreQueries> Engine<S> {
    /// Sessions that match, newest first, at most 100.
    ///
    /// # Errors
    /// `Store`.
    pub async fn sessions(&self, filter: SessionFilter) -> Result<Vec<SessionRecord>, Error> {
        let mut pages = Pages::of(filter.query(self.workspace()?.clone()));
        while let Some(query) = pages.next() {
            let page = self.store.sessions(&query).await?;
            pages.take(&query, page, |record| record);
        }
        Ok(pages.found)
    }

    /// Returns the same, each with its contact as that is now: name, addresses, opt-out. A contact
    /// that was erased is no longer one.
    ///
    /// # Errors
    /// `Quarantined`, `Store`.
    pub async fn sessions_with_contacts(&self, filter: SessionFilter) -> Result<Vec<ListedSession>, Error> {
        let mut pages = Pages::of(filter.query(self.workspace()?.clone()));
        while let Some(query) = pages.next() {
            let page = self.store.listed(&query).await?;
            pages.take(&query, page, |listed| &listed.record);
        }
        let mut known = BTreeMap::new();
        for listed in pages.found.iter_mut().filter(|listed| listed.contact.is_none()) {
            let contact = listed.record.contact();
            if !known.contains_key(contact) {
                known.insert(contact.clone(), self.contact(contact).await?);
            }
            listed.contact = known.get(contact).cloned().flatten();
        }
        Ok(pages.found)
    }

    /// Returns one session, live or ended. What is due is not applied: a session may be past its
    /// deadline here.
    ///
    /// # Errors
    /// `Store`.
    pub async fn session(&self, id: SessionId) -> Result<Option<SessionRecord>, Error> {
        Ok(self.store.session(self.workspace()?, id).await?)
    }

    /// Returns a session's journal, turn by turn; empty when its flow did not log.
    ///
    /// # Errors
    /// `Store`.
    pub async fn journal(&self, id: SessionId) -> Result<Vec<JournalEntry>, Error> {
        Ok(self.store.journal(self.workspace()?, id).await?)
    }

    /// Messages that were given up, by contact: those of at most 100 contacts after this one.
    ///
    /// # Errors
    /// `Store`.
    pub async fn dead_letters(&self, after: Option<&ContactId>) -> Result<Vec<DeadLetterEntry>, Error> {
        let mut letters = Vec::new();
        for (contact, record) in self.listed(false, after).await? {
            if let Ok(conversation) = record.conversation() {
                let of_contact = conversation.dead_letters().iter().cloned();
                letters.extend(of_contact.map(|letter| DeadLetterEntry { contact: contact.clone(), letter }));
            }
        }
        Ok(letters)
    }

    /// Contacts whose conversation was set aside ([SEMANTICS S9](crate::semantics#s9)), at most 100
    /// after this one.
    ///
    /// # Errors
    /// `Store`.
    pub async fn quarantined(&self, after: Option<&ContactId>) -> Result<Vec<ContactId>, Error> {
        Ok(self.listed(true, after).await?.into_iter().map(|(contact, _)| contact).collect())
    }

    async fn listed(
        &self,
        quarantined: bool,
        after: Option<&ContactId>,
    ) -> Result<Vec<(ContactId, crate::store::Record)>, Error> {
        let query = ConversationQuery {
            workspace: self.workspace()?.clone(),
            quarantined,
            after: after.cloned(),
            limit: PAGE,
        };
        Ok(self.store.conversations(&query).await?)
    }
}

impl<S: ConversationStore> Engine<S> {
    /// Returns the number of live sessions of a flow, of all its versions.
    ///
    /// # Errors
    /// `Store`.
    pub async fn live_sessions(&self, flow: &FlowId) -> Result<u64, Error> {
        let live =
            Live { workspace: self.workspace()?.clone(), flow: flow.clone(), version: None, wake_at: None };
        Ok(self.store.live(&live).await?)
    }

    /// Puts a dead letter back into the outbox, at the end, under the same id. Returns whether it
    /// was there, and its contact may be written to: for one who opted out it stays a dead letter
    /// ([SEMANTICS T10](crate::semantics#t10)).
    ///
    /// # Errors
    /// `Quarantined`, `Contention`, `Store`.
    pub async fn requeue_dead_letter(&self, contact: &ContactId, message: MessageId) -> Result<bool, Error> {
        self.change_letter(contact, Action::Requeue { message }).await
    }

    /// Drops a dead letter for good. Returns true if it existed.
    ///
    /// # Errors
    /// `Quarantined`, `Contention`, `Store`.
    pub async fn drop_dead_letter(&self, contact: &ContactId, message: MessageId) -> Result<bool, Error> {
        self.change_letter(contact, Action::DropDeadLetter { message }).await
    }

    async fn change_letter(&self, contact: &ContactId, mut action: Action<'_>) -> Result<bool, Error> {
        let subject = Subject::Contact(contact.clone());
        self.act(Cause::DeadLetter, self.workspace()?, subject, &mut action).await
    }

    /// Takes a conversation out of quarantine: it is due at once. Returns whether it was in it.
    ///
    /// # Errors
    /// `Contention`, `Store`.
    pub async fn release(&self, contact: &ContactId) -> Result<bool, Error> {
        let workspace = self.workspace()?;
        let subject = Subject::Contact(contact.clone());
        let _turn = self.queue_turn(workspace, &subject).await;
        let mut patience = Patience::default();
        loop {
            let lookup = self.lookup_for(Cause::Contact, workspace, subject.clone()).await?;
            let Some(stored) =
                self.store.load(&lookup).await?.conversation.filter(|stored| stored.quarantined)
            else {
                return Ok(false);
            };
            let letters =
                stored.record.conversation().map_or(0, |conversation| conversation.dead_letters().len());
            let (workspace, contact) = (workspace.clone(), contact.clone());
            let commit = Commit {
                due_at: Some(lookup.now),
                dead_letters: u32::try_from(letters).unwrap_or(u32::MAX),
                ..Commit::new(workspace, contact, Some(stored.revision), stored.record, lookup.now)
            };
            if let Committed::Applied { .. } = self.store.commit(commit).await? {
                return Ok(true);
            }
            self.lose_race(&mut patience, lookup.token).await?;
        }
    }
}
