//! The port for looking at what is stored: lists for operators. Never on the way of a message.

use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::StoreError;
use crate::id::{ContactId, FlowId, FlowVersion, NodeId, SessionId, WorkspaceId};
use crate::session::{FailureCode, Session, Status};
use crate::store::{CounterSubject, JournalEntry, ListedSession, Record, SessionRecord};

/// Lists what a store holds. Only the engine's query methods need it.
///
/// Contract:
/// 1. Nothing of another workspace is answered.
/// 2. Sessions come newest first by (`started_at`, id), live and ended together, from the cursor
///    on, at most `limit`: exactly those that [match](SessionQuery::matches), so that fewer than
///    `limit` are the last. A store lets its indexes answer what they can, and asks `matches` for
///    the rest. The engine asks it once more, and asks on where a page lost sessions by that: a
///    store that knows no field but the first ones costs time, and answers nothing wrong.
/// 3. Journal entries of a session come in the order of their numbers (`seq`).
/// 4. A flow's journal comes in the order of (`at`, session, `seq`), from the cursor on, at most
///    `limit`.
/// 5. Conversations come in the order of their contacts' ids, from the cursor on, at most `limit`.
/// 6. `counts` answers each version and what was counted of it in the span once, with the sum of
///    what commits added ([`ConversationStore`](crate::store::ConversationStore), rule 25), in any
///    order. A store that keeps no counters leaves the method as it is, which answers a permanent
///    error.
/// 7. `listed` answers what `sessions` does, each with its contact as it is now; or without all of
///    them, which costs the engine a load for each contact.
pub trait StoreQueries: Send + Sync {
    /// Sessions that match.
    fn sessions(
        &self,
        query: &SessionQuery,
    ) -> impl Future<Output = Result<Vec<SessionRecord>, StoreError>> + Send;

    /// Sessions that match, each with its contact as that is then: what `sessions` answers. A store
    /// that leaves the method as it is answers no contacts, and the engine asks for them one by
    /// one.
    fn listed(
        &self,
        query: &SessionQuery,
    ) -> impl Future<Output = Result<Vec<ListedSession>, StoreError>> + Send {
        async move {
            let found = self.sessions(query).await?;
            Ok(found.into_iter().map(|record| ListedSession::of(record, None)).collect())
        }
    }

    /// One session, live or ended.
    fn session(
        &self,
        workspace: &WorkspaceId,
        id: SessionId,
    ) -> impl Future<Output = Result<Option<SessionRecord>, StoreError>> + Send;

    /// A session's journal.
    fn journal(
        &self,
        workspace: &WorkspaceId,
        id: SessionId,
    ) -> impl Future<Output = Result<Vec<JournalEntry>, StoreError>> + Send;

    /// A flow's journal, of all its sessions.
    fn journal_of(
        &self,
        query: &JournalQuery,
    ) -> impl Future<Output = Result<Vec<JournalEntry>, StoreError>> + Send;

    /// Conversations that match.
    fn conversations(
        &self,
        query: &ConversationQuery,
    ) -> impl Future<Output = Result<Vec<(ContactId, Record)>, StoreError>> + Send;

    /// Returns the counters of a flow.
    fn counts(&self, query: &CountQuery) -> impl Future<Output = Result<CountSums, StoreError>> + Send {
        let _ = query;
        async { Err(StoreError::permanent("counts: this store keeps no counters")) }
    }
}

/// Sums of counters: the version, what was counted, and the number of times.
pub type CountSums = Vec<(FlowVersion, CounterSubject, u64)>;

/// The counters to be read.
#[derive(Clone, Debug)]
pub struct CountQuery {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The flow.
    pub flow: FlowId,
    /// From this minute of the epoch on.
    pub from: i64,
    /// Before this minute.
    pub to: i64,
}

/// The sessions to be listed: those for which all that is set holds. [`SessionQuery::new`] sets
/// nothing.
#[derive(Clone, Debug)]
pub struct SessionQuery {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Of one flow only.
    pub flow: Option<FlowId>,
    /// Of one contact only.
    pub contact: Option<ContactId>,
    /// Live ones only, or ended ones only.
    pub live: Option<bool>,
    /// After this one, in the order of the list.
    pub after: Option<(DateTime<Utc>, SessionId)>,
    /// Started at this instant or later.
    pub started_from: Option<DateTime<Utc>>,
    /// Started before this instant.
    pub started_to: Option<DateTime<Utc>>,
    /// Ended at this instant or later.
    pub ended_from: Option<DateTime<Utc>>,
    /// Ended before this instant.
    pub ended_to: Option<DateTime<Utc>>,
    /// With one of these; any, if there are none.
    pub statuses: Vec<Status>,
    /// At this node of the flow that was started, live or ended there.
    pub node: Option<NodeId>,
    /// Live, and at the same node since before this instant.
    pub stuck_since: Option<DateTime<Utc>>,
    /// Live, although a deadline of the node or the session's expiry had passed at this instant.
    pub overdue_at: Option<DateTime<Utc>>,
    /// Failed, with this code.
    pub failure: Option<FailureCode>,
    /// Maximum number of sessions.
    pub limit: usize,
}

impl SessionQuery {
    /// All sessions of a tenant, at most so many.
    #[must_use]
    pub fn new(workspace: WorkspaceId, limit: usize) -> Self {
        Self {
            workspace,
            flow: None,
            contact: None,
            live: None,
            after: None,
            started_from: None,
            started_to: None,
            ended_from: None,
            ended_to: None,
            statuses: Vec::new(),
            node: None,
            stuck_since: None,
            overdue_at: None,
            failure: None,
            limit,
        }
    }

    /// Returns true if a session of the tenant is asked for. The cursor counts, the limit does not.
    #[must_use]
    pub fn matches(&self, record: &SessionRecord) -> bool {
        self.has(record.session(), record.contact())
    }

    pub(crate) fn has(&self, session: &Session, contact: &ContactId) -> bool {
        let place = (session.started_at(), session.id());
        let is_live = session.status().is_live();
        let is_at = |node: &NodeId| session.called().is_none() && session.node() == node;
        let is_overdue = |at: DateTime<Utc>| {
            is_live && session.deadline().into_iter().chain(session.expires_at()).any(|due| due <= at)
        };
        self.flow.as_ref().is_none_or(|flow| session.flow() == flow)
            && self.contact.as_ref().is_none_or(|wanted| contact == wanted)
            && self.live.is_none_or(|live| live == is_live)
            && self.after.is_none_or(|after| place < after)
            && is_within(Some(session.started_at()), self.started_from, self.started_to)
            && is_within(session.ended_at(), self.ended_from, self.ended_to)
            && (self.statuses.is_empty() || self.statuses.contains(&session.status()))
            && self.node.as_ref().is_none_or(is_at)
            && self.stuck_since.is_none_or(|since| is_live && session.parked_at() < since)
            && self.overdue_at.is_none_or(is_overdue)
            && self.failure.is_none_or(|code| session.failure().is_some_and(|failure| failure.code == code))
    }
}

/// True if an instant lies in a span, if there is one; nothing lies in a span.
fn is_within(at: Option<DateTime<Utc>>, from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> bool {
    from.is_none_or(|from| at.is_some_and(|at| from <= at))
        && to.is_none_or(|to| at.is_some_and(|at| at < to))
}

/// The entries of a flow's journal to be read.
#[derive(Clone, Debug)]
pub struct JournalQuery {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The flow.
    pub flow: FlowId,
    /// Of one version only.
    pub version: Option<FlowVersion>,
    /// Only those that have a [`failure`](JournalEntry::failure).
    pub failed: bool,
    /// From this instant on.
    pub from: DateTime<Utc>,
    /// Before this instant.
    pub to: DateTime<Utc>,
    /// After this one, in the order of the list.
    pub after: Option<(DateTime<Utc>, SessionId, u32)>,
    /// Maximum number of entries.
    pub limit: usize,
}

/// The conversations to be listed.
#[derive(Clone, Debug)]
pub struct ConversationQuery {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Those that were set aside; else those with dead letters.
    pub quarantined: bool,
    /// After this contact, in the order of ids.
    pub after: Option<ContactId>,
    /// Maximum number of conversations.
    pub limit: usize,
}

/// A pointer to a store asks the store.
macro_rules! asks_what_it_points_to {
    ($pointer:ty) => {
        impl<S: StoreQueries + ?Sized> StoreQueries for $pointer {
            fn sessions(
                &self,
                query: &SessionQuery,
            ) -> impl Future<Output = Result<Vec<SessionRecord>, StoreError>> + Send {
                (**self).sessions(query)
            }
            fn listed(
                &self,
                query: &SessionQuery,
            ) -> impl Future<Output = Result<Vec<ListedSession>, StoreError>> + Send {
                (**self).listed(query)
            }
            fn session(
                &self,
                workspace: &WorkspaceId,
                id: SessionId,
            ) -> impl Future<Output = Result<Option<SessionRecord>, StoreError>> + Send {
                (**self).session(workspace, id)
            }
            fn journal(
                &self,
                workspace: &WorkspaceId,
                id: SessionId,
            ) -> impl Future<Output = Result<Vec<JournalEntry>, StoreError>> + Send {
                (**self).journal(workspace, id)
            }
            fn journal_of(
                &self,
                query: &JournalQuery,
            ) -> impl Future<Output = Result<Vec<JournalEntry>, StoreError>> + Send {
                (**self).journal_of(query)
            }
            fn conversations(
                &self,
                query: &ConversationQuery,
            ) -> impl Future<Output = Result<Vec<(ContactId, Record)>, StoreError>> + Send {
                (**self).conversations(query)
            }
            fn counts(
                &self,
                query: &CountQuery,
            ) -> impl Future<Output = Result<CountSums, StoreError>> + Send {
                (**self).counts(query)
            }
        }
    };
}

asks_what_it_points_to!(Arc<S>);
asks_what_it_points_to!(&S);
