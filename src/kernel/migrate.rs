//! Whether a session can go on with another version of its flow, and where it stands there (SEMANTICS S5).

use crate::flow::{Flow, NodeDef};
use crate::id::NodeId;
use crate::session::{Session, Status};

/// The node of another version that a session would stand at: the one that `nodes` names for its own, else the one
/// with the same id. Or why there is none.
pub(crate) fn migration(
    session: &Session,
    from: &Flow,
    to: &Flow,
    nodes: &[(NodeId, NodeId)],
) -> Result<NodeId, String> {
    if !stands_still(session) {
        return Err(format!("it is {}, not at a question", session.status));
    }
    if session.is_in_call() {
        return Err("it is in a flow that another one called".to_owned());
    }
    let here = &session.at;
    let there = nodes.iter().find(|(old, _)| old == here).map_or(here, |(_, new)| new);
    let (Some(old), Some(new)) = (find(from, here), find(to, there)) else {
        return Err(format!("the version has no node `{there}`"));
    };
    let (old, new) = (old.kind.as_str(), new.kind.as_str());
    if old != new {
        return Err(format!("node `{here}` is a `{old}`, and `{there}` of the version is a `{new}`"));
    }
    Ok(there.clone())
}

/// Whether a session is where another version may take it over: nothing is on its way to it but a person's word.
pub(super) fn stands_still(session: &Session) -> bool {
    let stood = session.handoff().and_then(|handoff| handoff.stood.as_ref());
    matches!(stood.map_or(session.status, |stood| stood.status), Status::Waiting | Status::Handoff)
}

fn find<'f>(flow: &'f Flow, id: &NodeId) -> Option<&'f NodeDef> {
    flow.def().nodes.iter().find(|node| node.id == id.as_str())
}
