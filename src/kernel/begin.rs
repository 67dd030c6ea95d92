//! A session before its first turn: what it is started with, at its flow's start node.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::flow::Flow;
use crate::id::{FlowVersion, SessionId};
use crate::session::{Journalled, Message, Opening, Origin, Queued, Reply, Route, Session, Standing};
use crate::value::PackedMap;

/// Data that a session starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// The version it is pinned to.
    pub version: FlowVersion,
    /// The values that the flow reads as `context`; the start node's policy has been applied.
    #[serde(default, skip_serializing_if = "PackedMap::is_empty")]
    pub context: PackedMap,
    /// The origin of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Box<Origin>>,
    /// Where its messages go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Arc<Route>>,
    /// The message that started it ([SEMANTICS I4](crate::semantics#i4)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Message>,
    /// True if it is journalled ([SEMANTICS L6](crate::semantics#l6)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub journal: bool,
    /// True if the journal has what is sent, too ([SEMANTICS Q4](crate::semantics#q4)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub texts: bool,
}

impl NewSession {
    /// A session with an empty context, started by a call.
    #[must_use]
    pub fn new(id: SessionId, version: FlowVersion) -> Self {
        Self {
            id,
            version,
            context: PackedMap::new(),
            origin: None,
            route: None,
            opening: None,
            journal: false,
            texts: false,
        }
    }
}

/// Returns a session at its flow's start node; [`advance`](crate::kernel::advance) it with
/// [`Input::Start`](crate::kernel::Input::Start).
#[must_use]
pub fn start(flow: &Flow, new: NewSession, now: DateTime<Utc>) -> Session {
    let (hint, at) = flow.entry();
    let mut session = Session {
        id: new.id,
        flow: flow.id().clone(),
        version: new.version,
        digest: Some(flow.digest()),
        standing: Standing::Running,
        at: at.clone(),
        hint: hint.0,
        wait: 0,
        answered: 0,
        turns: 0,
        sent: 0,
        started_at: now,
        last_interaction_at: now,
        expires_at: None,
        ends_by: None,
        parked_at: now,
        sent_before: 0,
        context: new.context,
        vars: PackedMap::new(),
        origin: new.origin,
        route: new.route,
        asked: None,
        reply: None,
        extras: None,
        branch: None,
    };
    if new.journal {
        session.extras().journal = Some(Journalled { texts: new.texts, ..Journalled::default() });
    }
    if let Some(message) = new.opening {
        if let Some(route) = session.route.clone() {
            let opening = Opening { message: message.clone(), route: Arc::clone(&route) };
            let extras = session.extras();
            extras.opened = Some(Box::new(opening));
            extras.queue.push(Queued { message: message.clone(), sent: 0, route, opening: true });
        }
        session.reply = Some(Box::new(Reply { message: Some(message), ..Reply::default() }));
    }
    session
}
