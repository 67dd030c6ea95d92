//! Lists and lookups: sessions of late, the flows to choose from, one flow.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::engine::FlowStatus;
use crate::flow::TriggerDef;
use crate::session::{Session, Status};
use crate::store::{FlowState, ListedSession};
use crate::wire::HttpAnswer;
use crate::wire::body::BodyReader;
use crate::wire::qyvo::{error, faulty};

/// Sessions that a list has at most.
pub const MOST_SESSIONS: usize = 100;

/// A session of the list `GET /v1/triggers/new-flow-triggered`, from which a poller learns of new
/// ones: a session keeps its id for good.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowSession {
    /// The session.
    pub id: String,
    /// The code of the flow.
    pub flow_id: String,
    /// The name of the flow.
    pub flow_name: String,
    /// The contact.
    pub contact_id: String,
    /// A telephone number of the contact.
    pub contact_phone: Option<String>,
    /// The name of the contact.
    pub contact_name: Option<String>,
    /// The e-mail address of the contact.
    pub contact_email: Option<String>,
    /// `running`, `completed`, `expired` or `failed`.
    pub status: String,
    /// The node where it is, or where it ended.
    pub current_node_id: String,
    /// The context that it was triggered with.
    pub context: Map<String, Value>,
    /// When the contact or the flow last did something.
    pub last_interaction_at: String,
    /// When it expires, if it does.
    pub expires_at: Option<String>,
    /// When it ended.
    pub completed_at: Option<String>,
    /// When it started.
    pub created_at: String,
}

impl FlowSession {
    /// A session of the engine's list. A flow that is not among these goes by its code.
    #[must_use]
    pub fn of(listed: &ListedSession, flows: &[FlowStatus]) -> Self {
        let (session, contact) = (listed.record.session(), listed.contact.as_ref());
        let flow = flows.iter().find(|flow| flow.flow == *session.flow());
        let profile = contact.and_then(|contact| contact.profile.as_deref());
        let phone =
            contact.and_then(|contact| contact.addresses.iter().rev().find_map(|address| address.phone()));
        let context = match session.context().to_json() {
            Value::Object(context) => context,
            _ => Map::new(),
        };
        Self {
            id: session.id().to_string(),
            flow_id: session.flow().to_string(),
            flow_name: flow.map_or_else(|| session.flow().to_string(), |flow| flow.name.to_string()),
            contact_id: listed.record.contact().to_string(),
            contact_phone: phone.map(|phone| phone.to_string()),
            contact_name: profile.and_then(|profile| profile.name.clone()),
            contact_email: profile.and_then(|profile| profile.email.clone()),
            status: status_of(session).to_owned(),
            current_node_id: session.node().to_string(),
            context,
            last_interaction_at: time(session.last_interaction_at()),
            expires_at: session.expires_at().map(time),
            completed_at: session.ended_at().map(time),
            created_at: time(session.started_at()),
        }
    }
}

/// The product has four words: a live session is running, and one that was cancelled has failed.
fn status_of(session: &Session) -> &'static str {
    match session.status() {
        Status::Completed => "completed",
        Status::Expired => "expired",
        Status::Failed | Status::Cancelled => "failed",
        _ => "running",
    }
}

/// An instant as the product writes it, such as `2026-05-07T08:14:23+00:00`.
fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// Returns the answer to `GET /v1/triggers/new-flow-triggered`: at most 100 sessions, newest first,
/// as [`sessions_with_contacts`](crate::Engine::sessions_with_contacts) lists them.
///
/// ```
/// # use chatflow::{Engine, MemoryStore};
/// # use chatflow::ops::SessionFilter;
/// # use chatflow::wire::qyvo;
/// # let bot = Engine::builder(MemoryStore::new()).build();
/// # pollster::block_on(async {
/// let sessions = bot.sessions_with_contacts(SessionFilter::all()).await?;
/// let answer = qyvo::recent_sessions(&sessions, &bot.flows().list().await?);
/// assert_eq!((answer.status, &*answer.body), (200, "[]"));
/// # Ok::<(), chatflow::Error>(())
/// # }).unwrap();
/// ```
pub fn recent_sessions(sessions: &[ListedSession], flows: &[FlowStatus]) -> HttpAnswer {
    let sessions = sessions.iter().take(MOST_SESSIONS).map(|listed| FlowSession::of(listed, flows));
    HttpAnswer::new(200, &sessions.collect::<Vec<_>>())
}

/// A flow to choose from: `GET /v1/dropdowns/flows`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowChoice {
    /// The code of the flow.
    pub id: String,
    /// The name of the flow.
    pub label: String,
}

/// Returns the answer to `GET /v1/dropdowns/flows`: the flows that a call may start.
pub fn flow_choices(flows: &[FlowStatus]) -> HttpAnswer {
    let online = flows.iter().filter(|flow| flow.state == FlowState::Published);
    let choices = online.map(|flow| FlowChoice { id: flow.flow.to_string(), label: flow.name.to_string() });
    HttpAnswer::new(200, &choices.collect::<Vec<_>>())
}

/// The body of `POST /v1/actions/get-flow`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetFlow {
    /// The code of the flow.
    pub flow_id: String,
}

impl GetFlow {
    /// Reads a body.
    ///
    /// # Errors
    /// The answer to be sent: 422.
    pub fn from_json(body: &[u8]) -> Result<Self, HttpAnswer> {
        let read = BodyReader::new(body).and_then(|mut fields| {
            let request = Self { flow_id: fields.required("flow_id") };
            fields.finish(request)
        });
        read.map_err(faulty)
    }
}

/// The answer to [`GetFlow`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowDetails {
    /// The code of the flow.
    pub id: String,
    /// The name of the flow.
    pub name: String,
    /// `published` or `draft`.
    pub status: String,
    /// `manual`, or `inbound` where messages start it.
    pub trigger_type: String,
    /// The number of its sessions.
    pub sessions_count: u64,
    /// When the version that is online was published first.
    pub published_at: Option<String>,
    /// When it was created.
    pub created_at: String,
}

impl FlowDetails {
    /// Everything known of a flow; its trigger is said in its definition, and the host counts its
    /// sessions, such as by [`counts`](crate::Engine::counts) or
    /// [`live`](crate::Engine::live_sessions).
    #[must_use]
    pub fn of(flow: &FlowStatus, trigger: &TriggerDef, sessions_count: u64) -> Self {
        let online = flow.versions.iter().find(|version| Some(version.version) == flow.online);
        Self {
            id: flow.flow.to_string(),
            name: flow.name.to_string(),
            status: if online.is_some() { "published" } else { "draft" }.to_owned(),
            trigger_type: match trigger {
                TriggerDef::Manual => "manual",
                TriggerDef::Inbound(_) => "inbound",
            }
            .to_owned(),
            sessions_count,
            published_at: online.map(|version| time(version.published_at)),
            created_at: time(flow.created_at),
        }
    }
}

/// Returns the answer to [`GetFlow`]. None: there is no such flow.
pub fn flow_details(details: Option<&FlowDetails>) -> HttpAnswer {
    match details {
        Some(details) => HttpAnswer::new(200, details),
        None => error(404, "Flow not found"),
    }
}
