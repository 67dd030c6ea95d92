//! The life of flows: draft, publish, roll back, bind, unpublish, delete (SEMANTICS L). Each change
//! is one save of the flow's entry by compare-and-swap.

mod change;
mod checks;
mod draft;
mod ensure;
mod publish;
mod rehearse;
mod retire;

pub use ensure::FlowSource;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::address::Account;
use crate::engine::Engine;
use crate::engine::entries::KnownEntries;
use crate::error::Error;
use crate::flow::{DraftText, Issues};
use crate::gather::Arrange;
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::store::{AccountName, ConversationStore, FlowEntry, FlowState, VersionEntry};

/// The flows of a workspace, from [`Engine::flows`].
#[derive(Debug)]
pub struct Flows<'a, S>(&'a Engine<S>, Option<Arc<str>>);

/// A flow as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FlowStatus {
    /// Its code.
    pub flow: FlowId,
    /// Its name.
    pub name: Arc<str>,
    /// Its authors' remark.
    pub remark: Option<Arc<str>>,
    /// Published or unpublished.
    pub state: FlowState,
    /// The version that new sessions start on.
    pub online: Option<FlowVersion>,
    /// All published versions, oldest first.
    pub versions: Vec<VersionEntry>,
    /// True if new sessions are journalled.
    pub logging: bool,
    /// True if their journal has what is sent, too ([SEMANTICS Q4](crate::semantics#q4)).
    pub log_texts: bool,
    /// The accounts whose messages may start it.
    pub accounts: Vec<Account>,
    /// The names that they go by with people, of those that have one.
    pub account_names: Vec<AccountName>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The revision to hand back with the next [`Flows::save_draft`].
    pub revision: u64,
}

/// The scope of a flow's journal ([SEMANTICS L6](crate::semantics#l6), [Q4](crate::semantics#q4)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Logging {
    /// Nothing.
    #[default]
    Off,
    /// Each turn: what the contact wrote, the way through the flow, what failed.
    On,
    /// The texts that were sent, too.
    Texts,
}

impl From<bool> for Logging {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// Changes of what a flow takes in either of its states, for [`Flows::amend`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amendment {
    name: Option<Arc<str>>,
    remark: Option<Arc<str>>,
    logging: Option<Logging>,
}

impl Amendment {
    /// Nothing changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another name, at once for all versions ([SEMANTICS S5](crate::semantics#s5)).
    #[must_use]
    pub fn name(self, name: impl Into<Arc<str>>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Another remark, in at most 16 KiB.
    #[must_use]
    pub fn remark(self, remark: impl Into<Arc<str>>) -> Self {
        Self { remark: Some(remark.into()), ..self }
    }

    /// Another scope of the journals of sessions that start from now on
    /// ([SEMANTICS L6](crate::semantics#l6)).
    #[must_use]
    pub fn logging(self, logging: impl Into<Logging>) -> Self {
        Self { logging: Some(logging.into()), ..self }
    }
}

/// Result of an import or of a saved draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Imported {
    /// The flow now.
    pub status: FlowStatus,
    /// The faults of the draft; errors block publishing, and nothing else.
    pub issues: Issues,
}

/// Effect of unpublishing a flow on its live sessions ([SEMANTICS L4](crate::semantics#l4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpublish {
    /// They run to their end.
    Drain,
    /// They are cancelled when next looked at; `tick` looks at the rest.
    Terminate,
}

impl<S: ConversationStore> Engine<S> {
    /// Returns the flows of this workspace.
    #[must_use]
    pub fn flows(&self) -> Flows<'_, S> {
        Flows(self, None)
    }
}

impl<S: ConversationStore> Flows<'_, S> {
    /// The same flows in the name of somebody: what they put online says so
    /// ([`VersionEntry::published_by`](crate::store::VersionEntry::published_by),
    /// [SEMANTICS Q5](crate::semantics#q5)). The name is the host's to choose and to check; it has
    /// at most as many bytes as an id.
    #[must_use]
    pub fn by(mut self, name: impl Into<Arc<str>>) -> Self {
        self.1 = Some(name.into());
        self
    }

    /// Returns one flow; none if no flow has this code, or if it was deleted.
    ///
    /// # Errors
    /// `Store`.
    pub async fn get(&self, flow: &FlowId) -> Result<Option<FlowStatus>, Error> {
        Ok(self.find(flow).await?.as_deref().map(FlowStatus::from))
    }

    /// Returns all flows, by code.
    ///
    /// # Errors
    /// `Store`.
    pub async fn list(&self) -> Result<Vec<FlowStatus>, Error> {
        let entries = self.entries().await?.all();
        let there = entries.iter().filter(|entry| !entry.deleted);
        let mut flows: Vec<FlowStatus> = there.map(|entry| FlowStatus::from(&**entry)).collect();
        flows.arrange_by(|a, b| a.flow.cmp(&b.flow));
        Ok(flows)
    }

    /// Returns the published versions of a flow, oldest first.
    ///
    /// # Errors
    /// `FlowNotFound`, `Store`.
    pub async fn versions(&self, flow: &FlowId) -> Result<Vec<VersionEntry>, Error> {
        Ok(self.find(flow).await?.ok_or_else(|| Error::FlowNotFound(flow.clone()))?.versions.clone())
    }

    /// Returns the JSON that an import took: of a version, or of the draft
    /// ([SEMANTICS L7](crate::semantics#l7)).
    ///
    /// # Errors
    /// `FlowNotFound`; `InvalidInput` of `version` when there is none; `Store`.
    pub async fn export(&self, flow: &FlowId, version: Option<FlowVersion>) -> Result<Arc<str>, Error> {
        self.text(flow, version).await
    }

    fn workspace(&self) -> Result<&WorkspaceId, Error> {
        self.0.workspace()
    }

    fn read(&self, json: &str) -> Result<DraftText, Error> {
        Ok(DraftText::read(json, &self.0.ports.limits)?)
    }

    /// The entries as the store has them now.
    async fn entries(&self) -> Result<&KnownEntries, Error> {
        let entries = self.0.flows.entries();
        entries.read(&self.0.ports, self.workspace()?).await?;
        Ok(entries)
    }

    async fn find(&self, flow: &FlowId) -> Result<Option<Arc<FlowEntry>>, Error> {
        Ok(self.entries().await?.get(flow).filter(|entry| !entry.deleted))
    }

    async fn text(&self, flow: &FlowId, version: Option<FlowVersion>) -> Result<Arc<str>, Error> {
        if self.find(flow).await?.is_none() {
            return Err(Error::FlowNotFound(flow.clone()));
        }
        let text = self.0.ports.flow_store.definition(self.workspace()?, flow, version).await?;
        text.ok_or_else(|| Error::invalid("version", "does not exist"))
    }
}

impl From<&FlowEntry> for FlowStatus {
    fn from(entry: &FlowEntry) -> Self {
        Self {
            flow: entry.flow.clone(),
            name: Arc::clone(&entry.name),
            remark: entry.remark.clone(),
            state: entry.state(),
            online: entry.online(),
            versions: entry.versions.clone(),
            logging: entry.logging,
            log_texts: entry.log_texts,
            accounts: entry.accounts.clone(),
            account_names: entry.account_names.clone(),
            created_at: entry.created_at,
            revision: entry.revision,
        }
    }
}
