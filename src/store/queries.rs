//! The port for looking at what is stored: lists for operators. Never on the way of a message.

use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::StoreError;
use crate::id::{ContactId, FlowId, FlowVersion, SessionId, WorkspaceId};
use crate::store::{JournalEntry, Record, SessionRecord};

/// Lists what a store holds. Only the engine's query methods need it.
///
/// Contract:
/// 1. Nothing of another workspace is answered.
/// 2. Sessions come newest first by (`started_at`, id), live and ended together, from the cursor on, at most `limit`.
/// 3. Journal entries of a session come in the order of their numbers (`seq`).
/// 4. A flow's journal comes in the order of (`at`, session, `seq`), from the cursor on, at most `limit`.
/// 5. Conversations come in the order of their contacts' ids, from the cursor on, at most `limit`.
pub trait StoreQueries: Send + Sync {
    /// Sessions that match.
    fn sessions(
        &self,
        query: &SessionQuery,
    ) -> impl Future<Output = Result<Vec<SessionRecord>, StoreError>> + Send;

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
}

/// Which sessions.
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
    /// How many at most.
    pub limit: usize,
}

/// Which entries of a flow's journal.
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
    /// How many at most.
    pub limit: usize,
}

/// Which conversations.
#[derive(Clone, Debug)]
pub struct ConversationQuery {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// Those that were set aside; else those with dead letters.
    pub quarantined: bool,
    /// After this contact, in the order of ids.
    pub after: Option<ContactId>,
    /// How many at most.
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
        }
    };
}

asks_what_it_points_to!(Arc<S>);
asks_what_it_points_to!(&S);
