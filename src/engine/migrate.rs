//! Taking a live session to another version of its flow (SEMANTICS S5).

use std::sync::Arc;

use serde::Serialize;

use crate::address::Alias;
use crate::engine::Engine;
use crate::engine::decide::unreadable;
use crate::engine::resume::Needs;
use crate::error::Error;
use crate::flow::Flow;
use crate::id::{FlowId, FlowVersion, NodeId, SessionId};
use crate::kernel::{Decision, Input, migration};
use crate::store::{ConversationStore, Subject, VersionState};

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
    /// The node it stands at now.
    pub node: NodeId,
}

impl<S: ConversationStore> Engine<S> {
    /// Takes a session that stands at a question to another version of its flow, online or offline (SEMANTICS S5).
    ///
    /// It stands there at the node that `nodes` names for its own (pairs of old and new id), else at the one with the
    /// same id: a node of the same kind, or any question for a session whose version cannot be used here
    /// (SEMANTICS S14). The values that it has stay, and so do its deadline, its expiry and the wait number, so that a
    /// choice that was offered before still answers.
    ///
    /// # Errors
    /// `SessionNotFound`; `CannotMigrate` with the reason: the session ended, is not at a question, is in a flow that
    /// another one called, is on that version already; the version is not there, was terminated or deleted, or has no
    /// such node. `Quarantined`, `Contention`, `Store`.
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
        let mut outcome = Err("it has ended".to_owned());
        let lookup = self.lookup(workspace, Subject::Alias(Alias::Session(session)));
        let change = |decision: &mut Decision<'_>| {
            outcome = migrate(decision, session, version, &target, nodes);
            outcome.is_ok()
        };
        self.act_on(&lookup, Needs::Nothing, ((), ()), change).await?;
        outcome.map_err(refused)
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

fn migrate(
    decision: &mut Decision<'_>,
    id: SessionId,
    to: FlowVersion,
    target: &Flow,
    nodes: &[(NodeId, NodeId)],
) -> Result<Migrated, String> {
    let place = decision.conversation.sessions.iter().position(|live| live.id == id);
    let Some((place, session)) =
        place.and_then(|place| Some((place, decision.conversation.sessions.get(place)?)))
    else {
        return Err("it has ended".to_owned());
    };
    let (flow, from) = (session.flow.clone(), session.version);
    if from == to && session.digest.is_none_or(|digest| digest == target.digest()) {
        return Err(format!("it is on version {to} already"));
    }
    let node = migration(session, decision.own_flow(session), target, nodes)?;
    let now = decision.now;
    let digest = Some(target.digest());
    if !decision.advance(place, Input::Migrate { version: to, node: node.clone(), digest }, now) {
        return Err("it is not at a question".to_owned());
    }
    decision.started.push((id, flow, to));
    Ok(Migrated { session: id, from, to, node })
}
