//! Taking a live session to another version of its flow (SEMANTICS S5).

use std::sync::Arc;

use crate::flow::node::CompiledNode;
use crate::flow::{Flow, NodeIx};
use crate::id::{FlowId, FlowVersion, NodeId, SessionId};
use crate::kernel::Input;
use crate::kernel::decide::act::ConversationChange;
use crate::kernel::decide::decision::Decision;
use crate::kernel::migrate::migration;
use crate::observer::EventKind;
use crate::session::Session;

/// The way of a session to another version, and what came of it.
pub(crate) struct Migrate<'a> {
    session: SessionId,
    to: FlowVersion,
    target: &'a Flow,
    nodes: &'a [(NodeId, NodeId)],
    /// The version that it was on, and the node where it is now; or the reason why it cannot go.
    pub(crate) outcome: Result<(FlowVersion, NodeId), String>,
}

impl<'a> Migrate<'a> {
    /// `nodes` are pairs of old and new id.
    pub(crate) fn new(
        session: SessionId,
        to: FlowVersion,
        target: &'a Flow,
        nodes: &'a [(NodeId, NodeId)],
    ) -> Self {
        Self { session, to, target, nodes, outcome: Err("it has ended".to_owned()) }
    }

    fn take(&self, decision: &mut Decision<'_>) -> Result<(FlowVersion, NodeId), String> {
        let place = decision.place_of(self.session);
        let found = place.and_then(|place| Some((place, decision.conversation.sessions.get(place)?)));
        let Some((place, session)) = found else { return Err("it has ended".to_owned()) };
        let (flow, from): (FlowId, _) = (session.flow.clone(), session.version);
        let own = decision.own_flow(session);
        let node = destination(session, own, (self.to, self.target), self.nodes)?;
        let (id, version, now) = (self.session, self.to, decision.now);
        let loops = loops(session, self.target, self.nodes);
        let input = Input::Migrate { version, node: node.clone(), digest: Some(self.target.digest()), loops };
        if !decision.advance(place, input, now) {
            return Err("it is not at a question".to_owned());
        }
        decision.out.started.push((id, flow, version));
        decision.note(EventKind::Migrated { session: id, from, to: version });
        Ok((from, node))
    }
}

impl ConversationChange for Migrate<'_> {
    fn needs_flows(&self) -> bool {
        false
    }

    fn make(&mut self, decision: &mut Decision<'_>) -> bool {
        self.outcome = self.take(decision);
        self.outcome.is_ok()
    }
}

/// The loops that a session is in and that the version has too, where their node or the name of
/// their item is another one there.
fn loops(session: &Session, to: &Flow, nodes: &[(NodeId, NodeId)]) -> Vec<(NodeId, NodeId, Arc<str>)> {
    let each = session.rounds().iter().filter_map(|rounds| {
        let there = nodes.iter().find(|(old, _)| *old == rounds.node).map_or(&rounds.node, |(_, new)| new);
        let step = to.find(there, NodeIx(u32::MAX)).and_then(|at| to.node(at))?;
        let CompiledNode::ForEach(node) = &step.node else { return None };
        let is_same = *there == rounds.node && node.name == rounds.name;
        (!is_same).then(|| (rounds.node.clone(), there.clone(), Arc::clone(&node.name)))
    });
    each.collect()
}

/// The node where a session would continue in another version, or why it cannot. `own`: the version
/// that it is on, if that can be used here.
pub(crate) fn destination(
    session: &Session,
    own: Option<&Flow>,
    (to, target): (FlowVersion, &Flow),
    nodes: &[(NodeId, NodeId)],
) -> Result<NodeId, String> {
    let is_there = session.version() == to && session.digest().is_none_or(|digest| digest == target.digest());
    if is_there {
        return Err(format!("it is on version {to} already"));
    }
    migration(session, own, target, nodes)
}
