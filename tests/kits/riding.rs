//! A store in memory whose settles ride (rule 28), as one on a database has it: acknowledged by
//! [`RidingSettles`], written with the next commit, before a claim, or by a flush.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatflow::error::StoreError;
use chatflow::store::{
    Commit, Committed, ConversationQuery, ConversationStore, CountQuery, CountSums, Due, Erase, JournalEntry,
    JournalQuery, Leased, Live, Loaded, Lookup, Purge, Purged, Record, Removed, RidingSettles, SessionQuery,
    SessionRecord, Settle, Settled, StoreQueries,
};
use chatflow::{ContactId, MemoryStore, SessionId, WorkspaceId};
use chrono::{DateTime, Utc};

#[derive(Default)]
pub(crate) struct Riding {
    store: MemoryStore,
    rides: Mutex<RidingSettles>,
    /// The last acknowledged settle of each contact.
    acknowledged: Mutex<HashMap<ContactId, Settle>>,
}

/// So long since the beginning of all tests.
fn since(now: DateTime<Utc>) -> Duration {
    (now - DateTime::UNIX_EPOCH).to_std().unwrap_or_default()
}

impl Riding {
    fn rides(&self) -> MutexGuard<'_, RidingSettles> {
        self.rides.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn acknowledged(&self, contact: &ContactId) -> Settle {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)[contact].clone()
    }

    async fn write(&self) -> Result<(), StoreError> {
        let settles = self.rides().take();
        for settle in &settles {
            let _ = self.store.settle(settle).await?;
        }
        self.rides().written(&settles);
        Ok(())
    }
}

impl ConversationStore for Riding {
    fn compares_seen(&self) -> bool {
        true
    }

    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        let mut loaded = self.store.load(lookup).await?;
        if let Some(stored) = &mut loaded.conversation {
            self.rides().show(&lookup.workspace, lookup.token, stored);
        }
        Ok(loaded)
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let absorbed = commit.absorbs.as_ref().map(|absorbed| absorbed.contact.clone());
        if absorbed.is_some() {
            self.write().await?;
        }
        let workspace = commit.workspace.clone();
        let boarded = self.rides().begin(&commit, since(commit.now));
        if let Some((token, settled)) = boarded.rides() {
            let settle = self.acknowledged(&commit.contact);
            assert_eq!((settle.token, settle.settled), (token, settled));
            let _ = self.store.settle(&settle).await?;
        }
        let committed = self.store.commit(commit).await?;
        self.rides().end(boarded, Some(&committed));
        if let (Some(absorbed), Committed::Applied { .. }) = (absorbed, &committed) {
            self.rides().forget(&workspace, &absorbed);
        }
        Ok(committed)
    }

    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        let acknowledged = self.rides().settle(settle, since(settle.now));
        match acknowledged {
            Some(settled) => {
                if settled == Settled::Done {
                    let mut all = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
                    all.insert(settle.contact.clone(), settle.clone());
                }
                Ok(settled)
            }
            None => self.store.settle(settle).await,
        }
    }

    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.write().await?;
        let leased = self.store.lease_due(due).await?;
        for one in leased.conversations.iter().filter(|one| one.stored.leased) {
            self.rides().claimed(&one.workspace, &one.stored, due.token, due.lease, since(due.now));
        }
        Ok(leased)
    }

    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.write().await?;
        self.store.live(live).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.store.purge(purge).await
    }

    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        let erased = self.store.erase(erase).await?;
        if erased.is_some() {
            self.rides().forget(&erase.workspace, &erase.contact);
        }
        Ok(erased)
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.write().await
    }
}

impl StoreQueries for Riding {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRecord>, StoreError> {
        self.store.sessions(query).await
    }

    async fn session(
        &self,
        workspace: &WorkspaceId,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        self.store.session(workspace, id).await
    }

    async fn journal(&self, workspace: &WorkspaceId, id: SessionId) -> Result<Vec<JournalEntry>, StoreError> {
        self.store.journal(workspace, id).await
    }

    async fn journal_of(&self, query: &JournalQuery) -> Result<Vec<JournalEntry>, StoreError> {
        self.store.journal_of(query).await
    }

    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<(ContactId, Record)>, StoreError> {
        self.write().await?;
        self.store.conversations(query).await
    }

    async fn counts(&self, query: &CountQuery) -> Result<CountSums, StoreError> {
        self.store.counts(query).await
    }
}
