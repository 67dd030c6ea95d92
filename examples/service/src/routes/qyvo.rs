//! The endpoints of Qyvo: a flow is started, flows are listed, what was started lately is polled.
//! Bodies and statuses are those of `chatflow::wire::qyvo`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chatflow::id::FlowId;
use chatflow::ops::{FlowStatus, SessionFilter};
use chatflow::store::FlowState;
use chatflow::wire::HttpAnswer;
use chatflow::wire::qyvo::{Answers, KEY_HEADER, TriggerFlow};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::error::{ApiError, ErrorBody, Refusals};
use crate::guard::Tenant;
use crate::input::{JsonBody, Params, Raw};

/// The answer of a wire format, as it is.
pub fn respond(answer: HttpAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(CONTENT_TYPE, HttpAnswer::CONTENT_TYPE)], answer.body).into_response();
    if let Some(time) = answer.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(time.as_secs().max(1)));
    }
    response
}

/// The body that starts a flow.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `TriggerFlow` reads")]
pub struct TriggerFlowBody {
    /// The code of the flow.
    #[schema(example = "01J3F...", min_length = 1, max_length = 256)]
    flow_id: String,
    /// The contact by its id; one of the two.
    contact_id: Option<String>,
    /// The contact by its telephone number; one of the two.
    #[schema(example = "+14155550123")]
    phone: Option<String>,
    /// The object that the flow reads as `context`.
    #[schema(value_type = Option<Object>)]
    context: Option<Value>,
}

/// A session that was started or found.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `Answers` writes")]
pub struct FlowTriggeredBody {
    /// The session.
    id: String,
    /// `started` or `already_running`.
    status: String,
    /// The code of the flow.
    flow_id: String,
    /// The name of the flow.
    flow_name: String,
    /// The contact.
    contact_id: String,
}

/// Starts a published flow for a contact, once for each `Idempotency-Key`.
#[utoipa::path(post, path = "/api/v1/actions/trigger-flow", tag = "Qyvo", request_body = TriggerFlowBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key starts nothing anew.")),
    responses((status = 201, description = "Started.", body = FlowTriggeredBody),
        (status = 200, description = "It runs already.", body = FlowTriggeredBody),
        (status = 404, description = "Flow not found or not published.", body = Object),
        (status = 409, description = "Not now.", body = Object),
        (status = 410, description = "The key is that of an erased contact.", body = Object),
        (status = 413, description = "Too large.", body = ErrorBody),
        (status = 422, description = "A field breaks a rule.", body = Object),
        (status = 401, description = "No token.", body = ErrorBody),
        (status = 429, description = "Too many.", body = Object),
        (status = 503, description = "Come again.", body = Object)))]
pub async fn trigger_flow(
    Tenant { bot, .. }: Tenant,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, ApiError> {
    let key = headers.get(KEY_HEADER).map(HeaderValue::to_str).transpose();
    let key = key.map_err(|_| ApiError::invalid(KEY_HEADER, "must be readable text"))?;
    let answer = match TriggerFlow::from_json(&body) {
        Ok(request) => Answers::default().of(&bot.trigger(request.into_request(key)).await),
        Err(refused) => refused,
    };
    Ok(respond(answer))
}

/// Names a flow.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FlowName {
    /// The code of the flow.
    #[schema(min_length = 1, max_length = 256)]
    flow_id: String,
}

/// A flow as Qyvo shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowShown {
    id: String,
    name: String,
    status: &'static str,
    trigger_type: String,
    sessions_count: u64,
    published_at: Option<String>,
    created_at: String,
}

/// Returns one flow.
#[utoipa::path(post, path = "/api/v1/actions/get-flow", tag = "Qyvo", request_body = FlowName,
    responses((status = 200, description = "The flow.", body = FlowShown), Refusals))]
pub async fn get_flow(
    Tenant { bot, .. }: Tenant,
    JsonBody(named): JsonBody<FlowName>,
) -> Result<Json<FlowShown>, ApiError> {
    let code = FlowId::new(&named.flow_id).map_err(|rule| ApiError::invalid("flow_id", rule))?;
    let status = bot.flows().get(&code).await?.ok_or_else(|| ApiError::not_found("Flow not found"))?;
    let online = status.versions.iter().find(|entry| Some(entry.version) == status.online);
    let published_at = online.map(|entry| time(entry.published_at));
    let definition = bot.flows().export(&code, status.online).await?;
    let definition: Value = serde_json::from_str(&definition).unwrap_or_default();
    let trigger_type = definition["trigger"]["kind"].as_str().unwrap_or("manual").to_owned();
    Ok(Json(FlowShown {
        id: status.flow.to_string(),
        name: status.name.to_string(),
        status: if status.state == FlowState::Published { "published" } else { "draft" },
        trigger_type,
        sessions_count: bot.counts(&code, ..).await?.total.started,
        published_at,
        created_at: time(status.created_at),
    }))
}

/// A time as Qyvo writes it.
fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// A choice of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowChoice {
    id: String,
    label: String,
}

/// Lists the published flows, for a choice among them.
#[utoipa::path(get, path = "/api/v1/dropdowns/flows", tag = "Qyvo",
    responses((status = 200, description = "The flows.", body = Vec<FlowChoice>), Refusals))]
pub async fn flow_choices(Tenant { bot, .. }: Tenant) -> Result<Json<Vec<FlowChoice>>, ApiError> {
    let flows = bot.flows().list().await?.into_iter();
    let published = flows.filter(|flow| flow.state == FlowState::Published);
    let choice = |flow: FlowStatus| FlowChoice { id: flow.flow.to_string(), label: flow.name.to_string() };
    Ok(Json(published.map(choice).collect()))
}

/// Which sessions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfFlow {
    /// Those of this flow only.
    flow_id: Option<String>,
}

/// A session as Qyvo shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionShown {
    id: String,
    flow_id: String,
    flow_name: String,
    contact_id: String,
    contact_phone: Option<String>,
    contact_name: Option<String>,
    contact_email: Option<String>,
    status: &'static str,
    current_node_id: String,
    #[schema(value_type = Object)]
    context: Value,
    last_interaction_at: String,
    expires_at: Option<String>,
    completed_at: Option<String>,
    created_at: String,
}

/// Lists sessions, the newest first, at most 100.
#[utoipa::path(get, path = "/api/v1/triggers/new-flow-triggered", tag = "Qyvo", params(OfFlow),
    responses((status = 200, description = "The sessions.", body = Vec<SessionShown>), Refusals))]
pub async fn new_flow_triggered(
    Tenant { bot, .. }: Tenant,
    Params(of): Params<OfFlow>,
) -> Result<Json<Vec<SessionShown>>, ApiError> {
    let mut filter = SessionFilter::all();
    if let Some(code) = of.flow_id {
        filter = filter.flow(FlowId::new(code).map_err(|rule| ApiError::invalid("flow_id", rule))?);
    }
    let names: HashMap<FlowId, Arc<str>> =
        bot.flows().list().await?.into_iter().map(|flow| (flow.flow, flow.name)).collect();
    let mut shown = Vec::new();
    for record in bot.sessions(filter).await? {
        let session = record.session();
        let contact = bot.contact(record.contact()).await?;
        let profile = contact.as_ref().and_then(|contact| contact.profile.as_deref());
        let phone = contact.iter().flat_map(|contact| &contact.addresses).find_map(|address| address.phone());
        shown.push(SessionShown {
            id: session.id().to_string(),
            flow_id: session.flow().to_string(),
            flow_name: names
                .get(session.flow())
                .map_or_else(|| session.flow().to_string(), |name| name.to_string()),
            contact_id: record.contact().to_string(),
            contact_phone: phone.map(|phone| phone.to_string()),
            contact_name: profile.and_then(|profile| profile.name.clone()),
            contact_email: profile.and_then(|profile| profile.email.clone()),
            status: qyvo_status(session.status()),
            current_node_id: session.node().to_string(),
            context: session.context().to_json(),
            last_interaction_at: time(session.last_interaction_at()),
            expires_at: session.expires_at().map(time),
            completed_at: session.ended_at().map(time),
            created_at: time(session.started_at()),
        });
    }
    Ok(Json(shown))
}

/// The four words that Qyvo knows: a cancelled session has ended like a completed one.
fn qyvo_status(status: chatflow::Status) -> &'static str {
    use chatflow::Status;
    match status {
        status if status.is_live() => "running",
        Status::Expired => "expired",
        Status::Failed => "failed",
        _ => "completed",
    }
}
