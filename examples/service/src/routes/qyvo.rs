//! The endpoints of Qyvo: a flow is started, flows are listed, what was started lately is polled.
//! Bodies and statuses are those of `chatflow::wire::qyvo`.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chatflow::FlowId;
use chatflow::flow::{FlowDef, TriggerDef};
use chatflow::ops::SessionFilter;
use chatflow::wire::HttpAnswer;
use chatflow::wire::qyvo::{
    Answers, FlowDetails, GetFlow, KEY_HEADER, TriggerFlow, flow_choices, flow_details, invalid,
    recent_sessions,
};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::error::{ApiError, ErrorBody, Refusals};
use crate::guard::Tenant;
use crate::input::Raw;

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

/// The body of an answer to a request with fields that break rules.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `FieldErrorsBody` writes")]
pub struct FieldErrorsShown {
    /// All of them in a sentence.
    message: String,
    /// The rules that each field breaks.
    errors: BTreeMap<String, Vec<String>>,
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
        (status = 415, description = "The body is encoded.", body = ErrorBody),
        (status = 422, description = "A field breaks a rule.", body = Object),
        (status = 401, description = "No token.", body = ErrorBody),
        (status = 429, description = "Too many.", body = Object),
        (status = 503, description = "Come again.", body = Object)))]
pub async fn trigger_flow(Tenant { bot, .. }: Tenant, headers: HeaderMap, Raw(body): Raw) -> Response {
    let Ok(key) = headers.get(KEY_HEADER).map(HeaderValue::to_str).transpose() else {
        return respond(invalid(KEY_HEADER, "must be readable text"));
    };
    let answer = match TriggerFlow::from_json(&body) {
        Ok(request) => Answers::default().of(&bot.trigger(request.into_request(key)).await),
        Err(refused) => refused,
    };
    respond(answer)
}

/// Names a flow.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `GetFlow` reads")]
pub struct FlowName {
    /// The code of the flow.
    #[schema(min_length = 1, max_length = 256)]
    flow_id: String,
}

/// A flow as Qyvo shows it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `FlowDetails` writes")]
pub struct FlowShown {
    id: String,
    name: String,
    status: String,
    trigger_type: String,
    sessions_count: u64,
    published_at: Option<String>,
    created_at: String,
}

/// Returns one flow.
#[utoipa::path(post, path = "/api/v1/actions/get-flow", tag = "Qyvo", request_body = FlowName,
    responses((status = 200, description = "The flow.", body = FlowShown),
        (status = 400, description = "It cannot be read.", body = ErrorBody),
        (status = 401, description = "No token.", body = ErrorBody),
        (status = 404, description = "Flow not found.", body = Object),
        (status = 408, description = "It took too long.", body = ErrorBody),
        (status = 413, description = "Too large.", body = ErrorBody),
        (status = 415, description = "The body is encoded.", body = ErrorBody),
        (status = 422, description = "A field breaks a rule.", body = FieldErrorsShown),
        (status = 429, description = "Too many.", body = ErrorBody),
        (status = 503, description = "Come again.", body = ErrorBody)))]
pub async fn get_flow(Tenant { bot, .. }: Tenant, Raw(body): Raw) -> Result<Response, ApiError> {
    let named = match GetFlow::from_json(&body) {
        Ok(named) => named,
        Err(refused) => return Ok(respond(refused)),
    };
    let code = match FlowId::new(&named.flow_id) {
        Ok(code) => code,
        Err(rule) => return Ok(respond(invalid("flow_id", rule))),
    };
    let Some(status) = bot.flows().get(&code).await? else { return Ok(respond(flow_details(None))) };
    let definition = bot.flows().export(&code, status.online).await?;
    // A draft that cannot be read is started by nobody as yet.
    let trigger = FlowDef::from_json(&definition).map_or(TriggerDef::Manual, |def| def.trigger);
    let sessions = bot.counts(&code, ..).await?.total.started;
    Ok(respond(flow_details(Some(&FlowDetails::of(&status, &trigger, sessions)))))
}

/// A choice of a list.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `flow_choices` writes")]
pub struct FlowChoice {
    id: String,
    label: String,
}

/// Lists the published flows, for a choice among them.
#[utoipa::path(get, path = "/api/v1/dropdowns/flows", tag = "Qyvo",
    responses((status = 200, description = "The flows.", body = Vec<FlowChoice>), Refusals))]
pub async fn choices(Tenant { bot, .. }: Tenant) -> Result<Response, ApiError> {
    Ok(respond(flow_choices(&bot.flows().list().await?)))
}

/// The sessions to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what is read of the query")]
pub struct OfFlow {
    /// Those of this flow only.
    flow_id: Option<String>,
}

/// A session as Qyvo shows it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `recent_sessions` writes")]
pub struct SessionShown {
    id: String,
    flow_id: String,
    flow_name: String,
    contact_id: String,
    contact_phone: Option<String>,
    contact_name: Option<String>,
    contact_email: Option<String>,
    status: String,
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
    responses((status = 200, description = "The sessions.", body = Vec<SessionShown>),
        (status = 401, description = "No token.", body = ErrorBody),
        (status = 408, description = "It took too long.", body = ErrorBody),
        (status = 422, description = "The flow's code breaks a rule.", body = FieldErrorsShown),
        (status = 429, description = "Too many.", body = ErrorBody),
        (status = 503, description = "Come again.", body = ErrorBody)))]
pub async fn new_flow_triggered(
    Tenant { bot, .. }: Tenant,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let mut filter = SessionFilter::all();
    // Of several the last one counts, as it does in a body.
    if let Some((_, code)) = asked.iter().rfind(|(name, _)| name == "flow_id") {
        filter = match FlowId::new(code) {
            Ok(code) => filter.flow(code),
            Err(rule) => return Ok(respond(invalid("flow_id", rule))),
        };
    }
    let sessions = bot.sessions_with_contacts(filter).await?;
    Ok(respond(recent_sessions(&sessions, &bot.flows().list().await?)))
}
