//! Decides if a session can continue on another version of its flow, and where it is there
//! (SEMANTICS S5).

use crate::flow::{Flow, NodeDef, NodeIx};
use crate::id::NodeId;
use crate::session::{Session, Status};

/// The node of another version that a session would be at: the one that `nodes` names for its
/// own, else the one with the same id. Or why there is none. `from`: its own version; None: that
/// one cannot be used here, so the node has to be of a kind at which a session waits as this one
/// does (SEMANTICS S14).
pub(crate) fn migration(
    session: &Session,
    from: Option<&Flow>,
    to: &Flow,
    nodes: &[(NodeId, NodeId)],
) -> Result<NodeId, String> {
    if !stands_still(session) {
        return Err(format!("it is {}, not at a question", session.status()));
    }
    if session.is_in_call() {
        return Err("it is in a flow that another one called".to_owned());
    }
    let here = &session.at;
    let there = nodes.iter().find(|(old, _)| old == here).map_or(here, |(_, new)| new);
    let no_node = || format!("the version has no node `{there}`");
    let new = find(to, there).ok_or_else(no_node)?;
    let Some(from) = from else {
        return match fits(session, to, there) {
            true => Ok(there.clone()),
            false => Err(format!("node `{there}` of the version is a `{}`", new.kind.as_str())),
        };
    };
    let old = find(from, here).ok_or_else(no_node)?;
    let (old, new) = (old.kind.as_str(), new.kind.as_str());
    if old != new {
        return Err(format!("node `{here}` is a `{old}`, and `{there}` of the version is a `{new}`"));
    }
    Ok(there.clone())
}

/// True if a session is where another version may take it over: nothing is on its way to it but a
/// person's word.
pub(super) fn stands_still(session: &Session) -> bool {
    let suspended = session.handoff().and_then(|handoff| handoff.suspended.as_ref());
    matches!(
        suspended.map_or(session.status(), |suspended| suspended.stop.status()),
        Status::Waiting | Status::Handoff
    )
}

/// True if a session that waits or is in handoff can do so at this node.
fn fits(session: &Session, flow: &Flow, node: &NodeId) -> bool {
    let step = flow.find(node, NodeIx(u32::MAX)).and_then(|at| flow.node(at));
    let is_at_handoff = session.handoff().is_some_and(|handoff| handoff.suspended.is_none());
    step.is_some_and(|step| match step.node.is_handoff() {
        true => is_at_handoff,
        false => !is_at_handoff && step.node.question().is_some(),
    })
}

fn find<'f>(flow: &'f Flow, id: &NodeId) -> Option<&'f NodeDef> {
    flow.def().nodes.iter().find(|node| node.id == id.as_str())
}
