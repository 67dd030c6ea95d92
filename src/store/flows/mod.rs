//! The port to stored definitions: what flows there are, which versions, and their JSON. Few
//! writes, read seldom.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::address::Account;
use crate::error::StoreError;
use crate::id::{FlowId, FlowVersion, WorkspaceId};

mod memory_flows;
mod no_flows;
pub use memory_flows::MemoryFlows;
pub(crate) use no_flows::NoFlows;

/// Where definitions are kept: a port of its own, since a host may keep flows elsewhere than
/// conversations.
///
/// Contract:
/// 1. `revision` is cheap, and another number after each `save` and `save_all` in the workspace.
/// 2. `catalogue` answers each saved entry, those of deleted flows included, and the revision it is
///    of.
/// 3. `save` writes entry and texts as one, if the stored entry has the revision in `expect` (None:
///    there is none); else [`FlowSaved::Conflict`].
/// 4. The text of a version never changes once it is saved.
/// 5. `terminated` answers each workspace with a version that was terminated; others beside them do
///    no harm.
/// 6. `save_all` writes all of its changes as one, if each stored entry has the revision that its
///    change expects; else it writes none of them and answers [`FlowSaved::Conflict`].
/// 7. `changes` answers each entry that was saved after the revision it is asked about, as it is at
///    the revision it answers, which is that one or a greater one. Where the store cannot tell, as
///    of a revision that it has not reached, it answers [`CatalogueChanges::Whole`].
pub trait FlowStore: Send + Sync {
    /// A number that changes with each `save` in the workspace.
    fn revision(&self, workspace: &WorkspaceId) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// All flows, without their definitions.
    fn catalogue(
        &self,
        workspace: &WorkspaceId,
    ) -> impl Future<Output = Result<Catalogue, StoreError>> + Send;

    /// A definition's JSON: of a version, or the draft's.
    fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> impl Future<Output = Result<Option<Arc<str>>, StoreError>> + Send;

    /// Writes one change to one flow.
    fn save(
        &self,
        workspace: &WorkspaceId,
        change: FlowChange,
    ) -> impl Future<Output = Result<FlowSaved, StoreError>> + Send;

    /// Writes changes of several flows as one, at most one of each flow. An empty list is saved,
    /// and moves no revision.
    ///
    /// Without it a store takes one change at a time, and
    /// [`Flows::ensure_all`](crate::Flows::ensure_all) of more that are new or changed fails with a
    /// permanent error.
    fn save_all(
        &self,
        workspace: &WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> impl Future<Output = Result<FlowSaved, StoreError>> + Send {
        async move {
            let mut changes = changes.into_iter();
            match (changes.next(), changes.len()) {
                (None, _) => Ok(FlowSaved::Saved),
                (Some(change), 0) => self.save(workspace, change).await,
                (Some(_), more) => {
                    let text = format!("the flow store writes one flow at a time, not {}", more + 1);
                    Err(StoreError::permanent(format!("{text}: it has no `FlowStore::save_all` of its own")))
                }
            }
        }
    }

    /// Returns what was saved in the workspace since a revision that this store returned before. A
    /// process calls it wherever it has read the flows already, so that what it reads grows with
    /// what changed, not with what there is.
    ///
    /// Without it the whole is read whenever the revision is another one.
    fn changes(
        &self,
        workspace: &WorkspaceId,
        since: u64,
    ) -> impl Future<Output = Result<CatalogueChanges, StoreError>> + Send {
        async move {
            if self.revision(workspace).await? == since {
                let nothing = Catalogue { revision: since, flows: Vec::new() };
                return Ok(CatalogueChanges::Since(nothing));
            }
            self.catalogue(workspace).await.map(CatalogueChanges::Whole)
        }
    }

    /// The workspaces that have a [terminated](VersionState::Terminated) version, so that a tick
    /// finds the sessions that are to be cancelled there ([SEMANTICS L4](crate::semantics#l4)).
    /// Asked at most once a second by each process that ticks, so it is to be cheap. Without it
    /// only the process that terminates a version makes its sessions due; one that starts meanwhile
    /// ends when its deadline or a call comes.
    fn terminated(&self) -> impl Future<Output = Result<Vec<WorkspaceId>, StoreError>> + Send {
        std::future::ready(Ok(Vec::new()))
    }
}

/// The flows of a workspace.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The revision that [`FlowStore::revision`] returned for it.
    pub revision: u64,
    /// The flows, in no particular order.
    pub flows: Vec<FlowEntry>,
}

/// A store's report of the flows since a revision.
#[derive(Clone, Debug)]
pub enum CatalogueChanges {
    /// The entries that were saved since, those of deleted flows included, each once; and the
    /// revision they are of.
    Since(Catalogue),
    /// All flows: the store cannot tell what changed since.
    Whole(Catalogue),
}

/// The stored data of a flow beside its definitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowEntry {
    /// Its code.
    pub flow: FlowId,
    /// Its name, taken at once by all its versions ([SEMANTICS S5](crate::semantics#s5)).
    pub name: Arc<str>,
    /// Its authors' remark.
    #[serde(default)]
    pub remark: Option<Arc<str>>,
    /// True if new sessions are journalled ([SEMANTICS L6](crate::semantics#l6)).
    #[serde(default)]
    pub logging: bool,
    /// True if their journal has what is sent, too ([SEMANTICS Q4](crate::semantics#q4)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log_texts: bool,
    /// The accounts whose messages may start it.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// The names that accounts go by with people, of those that have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account_names: Vec<AccountName>,
    /// Its published versions, oldest first.
    #[serde(default)]
    pub versions: Vec<VersionEntry>,
    /// The revision of its draft; None when there is none.
    #[serde(default)]
    pub draft: Option<u64>,
    /// True if it was deleted; its code is never used again by another flow's sessions.
    #[serde(default)]
    pub deleted: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Grows with each save of this flow.
    pub revision: u64,
}

/// The name that an account goes by with people, such as `Shop Berlin` for a telephone number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountName {
    /// The account.
    pub account: Account,
    /// Its name.
    pub name: Arc<str>,
}

/// A published version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionEntry {
    /// Its number, from 1.
    pub version: FlowVersion,
    /// Its current state.
    pub state: VersionState,
    /// When it was published first.
    pub published_at: DateTime<Utc>,
    /// Name of the person who put it online last, if given ([SEMANTICS Q5](crate::semantics#q5)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_by: Option<Arc<str>>,
    /// A hash of its content, so that equal content makes no new version.
    #[serde(with = "crate::hex")]
    pub digest: u128,
}

/// Current state of a published version ([SEMANTICS L2](crate::semantics#l2),
/// [L4](crate::semantics#l4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VersionState {
    /// New sessions start on it. At most one version of a flow is.
    Online,
    /// No new sessions; those that run continue.
    Offline,
    /// The flow was deleted; the number is not used again.
    Deleted,
    /// No new sessions; those that run are cancelled when next looked at, since this instant.
    Terminated(DateTime<Utc>),
}

/// The two states of a flow ([SEMANTICS L3](crate::semantics#l3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowState {
    /// A version is online.
    Published,
    /// None is.
    Unpublished,
}

impl FlowEntry {
    /// Returns the version that new sessions start on.
    #[must_use]
    pub fn online(&self) -> Option<FlowVersion> {
        self.versions.iter().find(|entry| entry.state == VersionState::Online).map(|entry| entry.version)
    }

    /// Returns the state: published or not.
    #[must_use]
    pub fn state(&self) -> FlowState {
        if self.online().is_some() { FlowState::Published } else { FlowState::Unpublished }
    }
}

/// One change to one flow, written as one.
#[derive(Clone, Debug)]
pub struct FlowChange {
    /// The entry as it is to be; its revision is the new one.
    pub entry: FlowEntry,
    /// The revision that the stored entry must have; None: there must be none.
    pub expect: Option<u64>,
    /// A new text of the draft.
    pub draft: Option<Arc<str>>,
    /// The text of a new version.
    pub version: Option<(FlowVersion, Arc<str>)>,
}

/// Outcome of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum FlowSaved {
    /// Written.
    Saved,
    /// Someone else changed the flow. Nothing was written.
    Conflict,
}

impl<S: FlowStore + ?Sized> FlowStore for Arc<S> {
    fn revision(&self, workspace: &WorkspaceId) -> impl Future<Output = Result<u64, StoreError>> + Send {
        (**self).revision(workspace)
    }
    fn catalogue(
        &self,
        workspace: &WorkspaceId,
    ) -> impl Future<Output = Result<Catalogue, StoreError>> + Send {
        (**self).catalogue(workspace)
    }
    fn definition(
        &self,
        workspace: &WorkspaceId,
        flow: &FlowId,
        version: Option<FlowVersion>,
    ) -> impl Future<Output = Result<Option<Arc<str>>, StoreError>> + Send {
        (**self).definition(workspace, flow, version)
    }
    fn save(
        &self,
        workspace: &WorkspaceId,
        change: FlowChange,
    ) -> impl Future<Output = Result<FlowSaved, StoreError>> + Send {
        (**self).save(workspace, change)
    }
    fn save_all(
        &self,
        workspace: &WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> impl Future<Output = Result<FlowSaved, StoreError>> + Send {
        (**self).save_all(workspace, changes)
    }
    fn changes(
        &self,
        workspace: &WorkspaceId,
        since: u64,
    ) -> impl Future<Output = Result<CatalogueChanges, StoreError>> + Send {
        (**self).changes(workspace, since)
    }
    fn terminated(&self) -> impl Future<Output = Result<Vec<WorkspaceId>, StoreError>> + Send {
        (**self).terminated()
    }
}

/// A [`FlowStore`] whose type is erased. Clones are the same store.
#[derive(Clone)]
pub struct SharedFlows(pub(crate) Arc<dyn DynFlowStore>);

impl SharedFlows {
    /// Erases a store's type.
    #[must_use]
    pub fn new(flows: impl FlowStore + 'static) -> Self {
        Self(Arc::new(flows))
    }
}

impl fmt::Debug for SharedFlows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedFlows").finish_non_exhaustive()
    }
}

pub(crate) type FlowsFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// [`FlowStore`] with its type erased: it is asked seldom.
pub(crate) trait DynFlowStore: Send + Sync {
    fn catalogue<'a>(&'a self, workspace: &'a WorkspaceId) -> FlowsFuture<'a, Catalogue>;
    fn definition<'a>(
        &'a self,
        workspace: &'a WorkspaceId,
        flow: &'a FlowId,
        version: Option<FlowVersion>,
    ) -> FlowsFuture<'a, Option<Arc<str>>>;
    fn save<'a>(&'a self, workspace: &'a WorkspaceId, change: FlowChange) -> FlowsFuture<'a, FlowSaved>;
    fn save_all<'a>(
        &'a self,
        workspace: &'a WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> FlowsFuture<'a, FlowSaved>;
    fn changes<'a>(&'a self, workspace: &'a WorkspaceId, since: u64) -> FlowsFuture<'a, CatalogueChanges>;
    fn terminated(&self) -> FlowsFuture<'_, Vec<WorkspaceId>>;
}

impl<S: FlowStore> DynFlowStore for S {
    fn catalogue<'a>(&'a self, workspace: &'a WorkspaceId) -> FlowsFuture<'a, Catalogue> {
        Box::pin(FlowStore::catalogue(self, workspace))
    }
    fn definition<'a>(
        &'a self,
        workspace: &'a WorkspaceId,
        flow: &'a FlowId,
        version: Option<FlowVersion>,
    ) -> FlowsFuture<'a, Option<Arc<str>>> {
        Box::pin(FlowStore::definition(self, workspace, flow, version))
    }
    fn save<'a>(&'a self, workspace: &'a WorkspaceId, change: FlowChange) -> FlowsFuture<'a, FlowSaved> {
        Box::pin(FlowStore::save(self, workspace, change))
    }
    fn save_all<'a>(
        &'a self,
        workspace: &'a WorkspaceId,
        changes: Vec<FlowChange>,
    ) -> FlowsFuture<'a, FlowSaved> {
        Box::pin(FlowStore::save_all(self, workspace, changes))
    }
    fn changes<'a>(&'a self, workspace: &'a WorkspaceId, since: u64) -> FlowsFuture<'a, CatalogueChanges> {
        Box::pin(FlowStore::changes(self, workspace, since))
    }
    fn terminated(&self) -> FlowsFuture<'_, Vec<WorkspaceId>> {
        Box::pin(FlowStore::terminated(self))
    }
}
