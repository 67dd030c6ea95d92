//! Sessions: found, looked at, ended, handed over, taken to another version.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Json;
use chatflow::id::{ContactId, FlowId, FlowVersion, NodeId, SessionId};
use chatflow::ops::{Cancelled, HandedOver, SessionFilter};
use chatflow::session::{Contact, FailureCode, Status};
use chatflow::store::{JournalEntry, ListedSession, SessionRecord};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::app::Bot;
use crate::error::{ApiError, Refusals};
use crate::guard::Tenant;
use crate::input::{InPath, JsonBody, Params};

/// Sessions of one page; the engine's own number.
const PAGE: usize = 100;

/// A session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// The code of its flow.
    pub flow: String,
    /// The flow's name.
    pub flow_name: String,
    /// The version that it runs on.
    pub version: u32,
    /// Its contact.
    pub contact: String,
    /// The contact's telephone number.
    pub phone: Option<String>,
    /// The contact's name.
    pub contact_name: Option<String>,
    /// Where it is in its life.
    #[schema(value_type = String)]
    pub status: Status,
    /// Its current node, or the one where it ended.
    pub node: String,
    /// Number of its turns.
    pub turns: u32,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it last heard of its contact.
    pub last_interaction_at: DateTime<Utc>,
    /// When it expires, unless something happens before.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The word that it ended with.
    pub outcome: Option<String>,
    /// The reason it failed.
    #[schema(value_type = Option<Object>)]
    pub failure: Option<chatflow::session::Failure>,
}

/// A session with what it knows.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionDetails {
    /// The session.
    #[serde(flatten)]
    pub session: SessionView,
    /// The context that its trigger brought.
    #[schema(value_type = Object)]
    pub context: Value,
    /// Its variables.
    #[schema(value_type = Object)]
    pub vars: Value,
}

/// The sessions to list. All that is said must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct SessionQuestion {
    /// Those of this flow.
    flow: Option<String>,
    /// Those with this contact.
    contact: Option<String>,
    /// Those with this status, such as `waiting`.
    status: Option<String>,
    /// Live ones, or ended ones.
    live: Option<bool>,
    /// Those at this node.
    node: Option<String>,
    /// Those that failed with this code.
    failure: Option<String>,
    /// Those that started at this instant or later.
    started_from: Option<DateTime<Utc>>,
    /// Those that started before this instant.
    started_to: Option<DateTime<Utc>>,
    /// Live ones that have been at the same node since before this instant.
    stuck_since: Option<DateTime<Utc>>,
    /// The page after this session.
    after: Option<String>,
}

/// Sessions, a page of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionList {
    /// The newest first, at most 100.
    sessions: Vec<SessionView>,
    /// The session to ask `after` for the next page; null: this is the last one.
    next: Option<String>,
}

/// Lists sessions.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "sessions", params(SessionQuestion),
    responses((status = 200, description = "The sessions.", body = SessionList), Refusals))]
pub async fn list(
    Tenant { bot, .. }: Tenant,
    Params(question): Params<SessionQuestion>,
) -> Result<Json<SessionList>, ApiError> {
    let listed = bot.sessions_with_contacts(filter(&bot, question).await?).await?;
    let last = listed.last().filter(|_| listed.len() == PAGE);
    let next = last.map(|last| last.record.session().id().to_string());
    Ok(Json(SessionList { sessions: views(&bot, &listed).await?, next }))
}

async fn filter(bot: &Bot, question: SessionQuestion) -> Result<SessionFilter, ApiError> {
    let mut filter = SessionFilter::all();
    if let Some(flow) = question.flow {
        filter = filter.flow(FlowId::new(flow).map_err(|rule| ApiError::invalid("flow", rule))?);
    }
    if let Some(contact) = question.contact {
        filter = filter.contact(ContactId::new(contact).map_err(|rule| ApiError::invalid("contact", rule))?);
    }
    if let Some(status) = question.status {
        filter = filter.status(word("status", &status)?);
    }
    filter = match question.live {
        Some(true) => filter.live(),
        Some(false) => filter.ended(),
        None => filter,
    };
    if let Some(node) = question.node {
        filter = filter.node(NodeId::new(node).map_err(|rule| ApiError::invalid("node", rule))?);
    }
    if let Some(code) = question.failure {
        filter = filter.failure(word::<FailureCode>("failure", &code)?);
    }
    if let Some(from) = question.started_from {
        filter = filter.started_from(from);
    }
    if let Some(to) = question.started_to {
        filter = filter.started_to(to);
    }
    if let Some(since) = question.stuck_since {
        filter = filter.stuck_since(since);
    }
    match question.after {
        Some(last) => Ok(filter.after(&found(bot, &last).await?)),
        None => Ok(filter),
    }
}

/// A word of a closed list, as it is stored.
fn word<T: serde::de::DeserializeOwned>(field: &str, text: &str) -> Result<T, ApiError> {
    serde_json::from_value(Value::String(text.to_owned()))
        .map_err(|error| ApiError::invalid(field, format_args!("cannot be read: {error}")))
}

/// The session of an id.
///
/// # Errors
/// 404.
pub async fn found(bot: &Bot, id: &str) -> Result<SessionRecord, ApiError> {
    let missing = || ApiError::not_found("there is no such session");
    let id: SessionId = id.parse().map_err(|_| missing())?;
    bot.session(id).await?.ok_or_else(missing)
}

/// Sessions as the API shows them.
///
/// # Errors
/// The store's error.
pub async fn views(bot: &Bot, listed: &[ListedSession]) -> Result<Vec<SessionView>, ApiError> {
    let names = names(bot).await?;
    Ok(listed.iter().map(|listed| view(&listed.record, listed.contact.as_ref(), &names)).collect())
}

async fn names(bot: &Bot) -> Result<HashMap<FlowId, Arc<str>>, ApiError> {
    Ok(bot.flows().list().await?.into_iter().map(|flow| (flow.flow, flow.name)).collect())
}

fn view(record: &SessionRecord, contact: Option<&Contact>, names: &HashMap<FlowId, Arc<str>>) -> SessionView {
    let session = record.session();
    let addresses = contact.into_iter().flat_map(|contact| &contact.addresses);
    let phone = addresses.filter_map(chatflow::Address::phone).next_back();
    let name = names.get(session.flow()).map(|name| name.to_string());
    SessionView {
        id: session.id().to_string(),
        flow: session.flow().to_string(),
        flow_name: name.unwrap_or_else(|| session.flow().to_string()),
        version: session.version().0,
        contact: record.contact().to_string(),
        phone: phone.map(|phone| phone.to_string()),
        contact_name: contact.and_then(|contact| contact.profile.as_ref()?.name.clone()),
        status: session.status(),
        node: session.node().to_string(),
        turns: session.turns(),
        started_at: session.started_at(),
        last_interaction_at: session.last_interaction_at(),
        expires_at: session.expires_at(),
        ended_at: session.ended_at(),
        outcome: session.outcome().map(str::to_owned),
        failure: session.failure().cloned(),
    }
}

/// One session as the API shows it.
///
/// # Errors
/// The store's error.
pub async fn details(bot: &Bot, record: &SessionRecord) -> Result<SessionDetails, ApiError> {
    let contact = bot.contact(record.contact()).await?;
    let session = view(record, contact.as_ref(), &names(bot).await?);
    let (context, vars) = (record.session().context().to_json(), record.session().vars().to_json());
    Ok(SessionDetails { session, context, vars })
}

/// Returns one session, live or ended.
#[utoipa::path(get, path = "/api/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "The session.", body = SessionDetails), Refusals))]
pub async fn get(
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
) -> Result<Json<SessionDetails>, ApiError> {
    Ok(Json(details(&bot, &found(&bot, &id).await?).await?))
}

/// The journal of a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct Journal {
    /// Input by input, with the way it took and why; empty where its flow did not log.
    #[schema(value_type = Vec<Object>)]
    entries: Vec<JournalEntry>,
}

/// Returns what a session did, and why.
#[utoipa::path(get, path = "/api/v1/sessions/{id}/journal", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "The journal.", body = Journal), Refusals))]
pub async fn journal(
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
) -> Result<Json<Journal>, ApiError> {
    let id = found(&bot, &id).await?.session().id();
    Ok(Json(Journal { entries: bot.journal(id).await? }))
}

/// The outcome of a cancellation.
#[derive(Debug, Serialize, ToSchema)]
pub struct CancelOutcome {
    /// `cancelled`, or `already_ended`.
    #[schema(value_type = String)]
    outcome: Cancelled,
}

/// Ends a session; what it has not sent is dropped.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/cancel", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "Ended.", body = CancelOutcome), Refusals))]
pub async fn cancel(
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
) -> Result<Json<CancelOutcome>, ApiError> {
    let id = found(&bot, &id).await?.session().id();
    Ok(Json(CancelOutcome { outcome: bot.cancel(id).await? }))
}

/// The outcome of a handing over.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandOverOutcome {
    /// `handed_over`, or `unchanged`.
    #[schema(value_type = String)]
    outcome: HandedOver,
}

/// Hands a session over to a person, at any node.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/hand-over", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "Handed over.", body = HandOverOutcome), Refusals))]
pub async fn hand_over(
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
) -> Result<Json<HandOverOutcome>, ApiError> {
    let id = found(&bot, &id).await?.session().id();
    Ok(Json(HandOverOutcome { outcome: bot.handoff(id).await? }))
}

/// Where a session is to continue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// The version.
    #[schema(minimum = 1)]
    version: u32,
    /// Other nodes of it than those of the same id, by the present one.
    #[serde(default)]
    nodes: BTreeMap<String, String>,
}

/// A session that went to another version.
#[derive(Debug, Serialize, ToSchema)]
pub struct MigratedView {
    /// The session.
    session: String,
    /// The version that it ran on.
    from: u32,
    /// The version that it runs on.
    to: u32,
    /// Its current node.
    node: String,
}

/// Takes a session that waits at a question to another version of its flow.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/migrate", tag = "sessions", params(("id" = String, Path)),
    request_body = Migration, responses((status = 200, description = "It went there.", body = MigratedView), Refusals))]
pub async fn migrate(
    Tenant { bot, .. }: Tenant,
    InPath(id): InPath<String>,
    JsonBody(to): JsonBody<Migration>,
) -> Result<Json<MigratedView>, ApiError> {
    let id = found(&bot, &id).await?.session().id();
    let node = |name: &String| NodeId::new(name).map_err(|rule| ApiError::invalid("nodes", rule));
    let nodes: Result<Vec<(NodeId, NodeId)>, ApiError> =
        to.nodes.iter().map(|(old, new)| Ok((node(old)?, node(new)?))).collect();
    let gone = bot.migrate(id, FlowVersion(to.version), &nodes?).await?;
    Ok(Json(MigratedView {
        session: gone.session.to_string(),
        from: gone.from.0,
        to: gone.to.0,
        node: gone.node.to_string(),
    }))
}
