//! Forgetting a contact, and what may outlast it: that its addresses must not be written to
//! (SEMANTICS S11).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::address::Address;
use crate::engine::Engine;
use crate::engine::attempts::Patience;
use crate::engine::transact::unreadable;
use crate::error::Error;
use crate::id::{ContactId, WorkspaceId};
use crate::kernel::{CarriedOptOut, address_hash};
use crate::observer::Cause;
use crate::session::{Contact, Conversation, DecodeError};
use crate::store::{
    Commit, Committed, ConversationStore, Erase, Lookup, Record, Removed, StoredConversation, Subject,
};

/// Options for erasing a contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EraseOptions {
    /// True if an opt-out outlasts the contact.
    pub keep_opt_out: bool,
}

impl EraseOptions {
    /// Everything goes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// If the contact opted out, a hash of each of its addresses under the host's secret
    /// ([`Builder::erasure_key`](crate::Builder::erasure_key)) is kept: a contact that is made from
    /// such an address later starts opted out.
    #[must_use]
    pub fn keep_opt_out(mut self) -> Self {
        self.keep_opt_out = true;
        self
    }
}

/// Counts of what was removed; all 0 if nothing was known of the contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Erased {
    /// Sessions, live and ended.
    pub sessions: usize,
    /// Addresses.
    pub addresses: usize,
    /// Journal entries.
    pub journal_entries: usize,
    /// Messages on their way, and dead letters.
    pub messages: usize,
    /// Trigger keys: of each a hash stays until its retention is over, so that a retry is told
    /// [`Error::Erased`].
    pub keys: usize,
}

impl<S: ConversationStore> Engine<S> {
    /// Forgets a contact ([SEMANTICS S11](crate::semantics#s11)): its conversation with all
    /// sessions and messages, its ended sessions, its addresses, its journal. A message that is
    /// being sent at this moment may still arrive.
    ///
    /// Safe to repeat. A conversation that was set aside is erased like any other.
    ///
    /// # Errors
    /// `InvalidInput` of `keep_opt_out` when the engine has no
    /// [`erasure_key`](crate::Builder::erasure_key); `Quarantined` when an opt-out is to be kept of
    /// a conversation that cannot be read; `Contention`, `Store`.
    pub async fn erase(&self, contact: &ContactId, options: EraseOptions) -> Result<Erased, Error> {
        let workspace = self.workspace()?;
        if options.keep_opt_out && self.ports.erasure_key.is_none() {
            return Err(Error::invalid(
                "keep_opt_out",
                "needs an engine that was built with an `erasure_key`",
            ));
        }
        let subject = Subject::Contact(contact.clone());
        let _turn = self.queue_turn(workspace, &subject).await;
        let mut patience = Patience::default();
        loop {
            let lookup = self.lookup_for(Cause::Contact, workspace, subject.clone()).await?;
            let Some(stored) = self.store.load(&lookup).await?.conversation else {
                return Ok(Erased::default());
            };
            let conversation = stored.record.conversation();
            if options.keep_opt_out {
                Box::pin(self.keep_opt_outs(workspace, contact, &conversation)).await?;
            }
            let erase = Erase {
                workspace: workspace.clone(),
                contact: contact.clone(),
                expect: stored.revision,
                keeps_history: false,
                now: lookup.now,
            };
            if let Some(removed) = self.store.erase(&erase).await? {
                return Ok(erased(conversation.ok().as_deref(), stored.settled, removed));
            }
            self.lose_race(&mut patience, lookup.token).await?;
        }
    }

    /// Before the contact goes: what is kept twice is harmless, what is kept too late is lost with
    /// the process.
    async fn keep_opt_outs(
        &self,
        workspace: &WorkspaceId,
        contact: &ContactId,
        conversation: &Result<Arc<Conversation>, DecodeError>,
    ) -> Result<(), Error> {
        let conversation = conversation.as_ref().map_err(|error| unreadable(contact.clone(), error))?;
        let Contact { addresses, opted_out_at, .. } = conversation.contact();
        for address in addresses.iter().flat_map(Address::forms) {
            if let Some(mark) = self.mark(workspace, &address) {
                self.write_mark(workspace, &mark, *opted_out_at).await?;
            }
        }
        Ok(())
    }

    /// Writes since when an address must not be written to; an opt-out that was taken back is
    /// cleared.
    async fn write_mark(
        &self,
        workspace: &WorkspaceId,
        mark: &ContactId,
        opted_out_at: Option<DateTime<Utc>>,
    ) -> Result<(), Error> {
        let mut patience = Patience::default();
        loop {
            let (lookup, stored) = self.load_mark(workspace, mark).await?;
            if stored.as_ref().and_then(since) == opted_out_at {
                return Ok(());
            }
            let mut conversation = Conversation::new(mark.clone(), lookup.now);
            conversation.contact.opted_out_at = opted_out_at;
            let (expect, record) = (stored.map(|stored| stored.revision), Record::new(conversation.into()));
            let commit = Commit::new(workspace.clone(), mark.clone(), expect, record, lookup.now);
            if let Committed::Applied { .. } = self.store.commit(commit).await? {
                return Ok(());
            }
            self.lose_race(&mut patience, lookup.token).await?;
        }
    }

    /// Since when a person with these addresses must not be written to, as a contact with one of
    /// them, in whatever form, said before it was erased.
    pub(super) async fn kept_opt_out(
        &self,
        workspace: &WorkspaceId,
        addresses: &[Address],
    ) -> Result<Option<DateTime<Utc>>, Error> {
        let mut first = None;
        for address in addresses.iter().flat_map(Address::forms) {
            let Some(mark) = self.mark(workspace, &address) else { continue };
            let (_, stored) = self.load_mark(workspace, &mark).await?;
            first = first.into_iter().chain(stored.as_ref().and_then(since)).min();
        }
        Ok(first)
    }

    /// Returns what is known of an address's opt-out before it was looked for.
    pub(super) fn no_opt_out(&self) -> CarriedOptOut {
        CarriedOptOut { since: None, is_known: self.ports.erasure_key.is_none() }
    }

    async fn load_mark(
        &self,
        workspace: &WorkspaceId,
        mark: &ContactId,
    ) -> Result<(Lookup, Option<StoredConversation>), Error> {
        let lookup = self.lookup(workspace, Subject::Contact(mark.clone()));
        let stored = self.store.load(&lookup).await?.conversation;
        Ok((lookup, stored))
    }

    /// Under which an address's opt-out is kept: a contact that nobody can name without the host's
    /// secret.
    fn mark(&self, workspace: &WorkspaceId, address: &Address) -> Option<ContactId> {
        let secret = self.ports.erasure_key.as_ref()?;
        Some(Uuid::from_u128(address_hash(secret, workspace, address)).into())
    }
}

fn since(mark: &StoredConversation) -> Option<DateTime<Utc>> {
    mark.record.conversation().ok()?.contact().opted_out_at
}

fn erased(conversation: Option<&Conversation>, settled: u64, removed: Removed) -> Erased {
    let unsent = |conversation: &Conversation| {
        conversation.outbox().iter().filter(|unsent| unsent.seq > settled).count()
            + conversation.dead_letters().len()
    };
    Erased {
        sessions: removed.sessions + conversation.map_or(0, |conversation| conversation.sessions().len()),
        addresses: conversation.map_or(0, |conversation| conversation.contact().addresses.len()),
        journal_entries: removed.journal,
        messages: conversation.map_or(0, unsent),
        keys: removed.keys,
    }
}
