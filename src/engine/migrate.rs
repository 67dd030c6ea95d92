//! Taking a live session to another version of its flow (SEMANTICS S5).

use std::sync::Arc;

use serde::Serialize;

use crate::address::Alias;
use crate::engine::transact::unreadable;
use crate::engine::{Engine, SessionFilter};
use crate::error::Error;
use crate::flow::Flow;
use crate::id::{FlowId, FlowVersion, NodeId, SessionId};
use crate::kernel::{Migrate, destination};
use crate::observer::Cause;
use crate::store::{ConversationStore, SessionRecord, StoreQueries, Subject, VersionState};

/// A session that went to another version of its flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Migrated {
    /// The session.
    pub session: SessionId,
    /// The version it ran on.
    pub from: FlowVersion,
    /// The version it runs on.
    pub to: FlowVersion,
    /// The node that it is at now.
    pub node: NodeId,
}

/// A session that might go to another version of its flow.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MigrationTrial {
    /// The session as it is stored.
    pub record: SessionRecord,
    /// The node of the other version where it would continue, or why it would be refused.
    pub outcome: Result<NodeId, String>,
}

impl<S: ConversationStore + StoreQueries> Engine<S> {
    /// Tries [`migrate`](Self::migrate) on live sessions of a flow, those that the filter names,
    /// without writing anything: at most 100, newest first; the next page comes [after the last
    /// one](SessionFilter::after) ([SEMANTICS Q7](crate::semantics#q7)). What is due is not
    /// applied.
    ///
    /// # Errors
    /// `FlowNotFound`; `InvalidInput` of `version` when no session may go there: it is not there,
    /// was terminated or deleted. `Store`.
    pub async fn try_migrate(
        &self,
        flow: &FlowId,
        version: FlowVersion,
        nodes: &[(NodeId, NodeId)],
        filter: SessionFilter,
    ) -> Result<Vec<MigrationTrial>, Error> {
        let refused = |reason: String| Error::invalid("version", reason);
        let target = self.version(flow, version).await?.map_err(refused)?;
        let mut trials = Vec::new();
        let snapshot = self.snapshot(self.now()).await?;
        let view = snapshot.view(flow).ok_or_else(|| Error::FlowNotFound(flow.clone()))?;
        for record in self.sessions(filter.flow(flow.clone()).live()).await? {
            let session = record.session();
            let own =
                self.flows.compiled(&self.ports, self.workspace()?, &view.entry, session.version()).await?;
            let own = own.ok().filter(|own| session.digest().is_none_or(|digest| digest == own.digest()));
            let outcome = destination(session, own.as_deref(), (version, &target), nodes);
            trials.push(MigrationTrial { record, outcome });
        }
        Ok(trials)
    }
}

impl<S: ConversationStore> Engine<S> {
    /// Takes a session that is at a question to another version of its flow, online or offline
    /// ([SEMANTICS S5](crate::semantics#s5)).
    ///
    /// It is there at the node that `nodes` names for its own (pairs of old and new id), else at
    /// the one with the same id: a node of the same kind, or any question for a session whose
    /// version cannot be used here ([SEMANTICS S14](crate::semantics#s14)). The values that it has
    /// stay, and so do its deadline, its expiry and the wait number, so that a choice that was
    /// offered before still answers.
    ///
    /// # Errors
    /// `SessionNotFound`; `CannotMigrate` with the reason: the session ended, is not at a question,
    /// is in a flow that another one called, is on that version already; the version is not there,
    /// was terminated or deleted, or has no such node. `Quarantined`, `Contention`, `Store`.
    pub async fn migrate(
        &self,
        session: SessionId,
        version: FlowVersion,
        nodes: &[(NodeId, NodeId)],
    ) -> Result<Migrated, Error> {
        let workspace = self.workspace()?;
        let refused = |reason: String| Error::CannotMigrate { session, reason };
        let flow = self.flow_of(session).await?.ok_or_else(|| refused("it has ended".to_owned()))?;
        let target = self.version(&flow, version).await?.map_err(refused)?;
        let subject = Subject::Alias(Alias::Session(session));
        let lookup = self.lookup_for(Cause::Migrate, workspace, subject).await?;
        let mut migrate = Migrate::new(session, version, &target, nodes);
        self.act_on(Cause::Migrate, &lookup, &mut migrate).await?;
        let (from, node) = migrate.outcome.map_err(refused)?;
        Ok(Migrated { session, from, to: version, node })
    }

    /// The flow of a session. None: it has ended.
    async fn flow_of(&self, session: SessionId) -> Result<Option<FlowId>, Error> {
        let lookup = self.lookup(self.workspace()?, Subject::Alias(Alias::Session(session)));
        let stored = self.store.load(&lookup).await?.conversation.ok_or(Error::SessionNotFound(session))?;
        let conversation =
            stored.record.conversation().map_err(|error| unreadable(stored.contact.clone(), &error))?;
        let live = conversation.sessions().iter().find(|live| live.id() == session);
        Ok(live.map(|live| live.flow().clone()))
    }

    /// A version that sessions may be on, or why they may not.
    async fn version(&self, flow: &FlowId, version: FlowVersion) -> Result<Result<Arc<Flow>, String>, Error> {
        let (workspace, snapshot) = (self.workspace()?, self.snapshot(self.now()).await?);
        let view = snapshot.view(flow).ok_or_else(|| Error::FlowNotFound(flow.clone()))?;
        let state =
            view.entry.versions.iter().find(|entry| entry.version == version).map(|entry| entry.state);
        match state {
            Some(VersionState::Online | VersionState::Offline) => {}
            Some(VersionState::Deleted) => return Ok(Err(format!("version {version} was deleted"))),
            Some(VersionState::Terminated(_)) => return Ok(Err(format!("version {version} was terminated"))),
            None => return Ok(Err(format!("flow `{flow}` has no version {version}"))),
        }
        let compiled = self.flows.compiled(&self.ports, workspace, &view.entry, version).await?;
        Ok(compiled.map_err(|reason| format!("version {version} {reason}")))
    }
}
