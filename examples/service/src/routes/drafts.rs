//! The draft of a flow: read, saved over the revision that was read, checked.

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chatflow::Error;
use chatflow::flow::{Flow, Issue};
use chatflow::id::FlowVersion;
use chatflow::store::VersionEntry;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::error::{ApiError, ErrorBody, Refusals};
use crate::guard::Tenant;
use crate::input::{InPath, JsonBody, Raw, read_json};
use crate::routes::flows::{DraftView, code, draft_view, found, revision_read, with_etag};

/// Returns the draft as it was saved.
#[utoipa::path(get, path = "/api/v1/flows/{code}/draft", tag = "drafts", params(("code" = String, Path)),
    responses((status = 200, description = "The definition; its ETag is the revision.", body = Object), Refusals))]
pub async fn get(Tenant { bot, .. }: Tenant, InPath(name): InPath<String>) -> Result<Response, ApiError> {
    let status = found(&bot, &name).await?;
    let json = bot.flows().export(&status.flow, None).await?;
    Ok(with_etag(status.revision, definition(&json)))
}

fn definition(json: &str) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "application/json")], json.to_owned())
}

/// Saves the draft, if nobody changed the flow since it was read.
#[utoipa::path(put, path = "/api/v1/flows/{code}/draft", tag = "drafts", request_body = Object,
    params(("code" = String, Path), ("If-Match" = String, Header, description = "The ETag that was read.")),
    responses((status = 200, description = "Saved, whatever is wrong with it.", body = DraftView),
        (status = 412, description = "Somebody changed the flow meanwhile.", body = ErrorBody),
        (status = 428, description = "If-Match is missing.", body = ErrorBody), Refusals))]
pub async fn save(
    Tenant { bot, .. }: Tenant,
    InPath(name): InPath<String>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, ApiError> {
    read_json::<Map<String, Value>>(&body)?;
    let code = code(&name)?;
    let revision = revision_read(&headers, &found(&bot, &name).await?)?;
    let json = std::str::from_utf8(&body).map_err(|_| ApiError::invalid("body", "must be UTF-8"))?;
    let saved = match bot.flows().save_draft(&code, json, revision).await {
        Err(stale @ Error::Stale(_)) => {
            return Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "stale", stale));
        }
        saved => saved?,
    };
    let revision = saved.status.revision;
    Ok(with_etag(revision, Json(draft_view(&bot, saved).await?)))
}

/// Everything that is wrong with a definition.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssueList {
    /// Each with its node, its place and how to fix it.
    #[schema(value_type = Vec<Object>)]
    issues: Vec<Issue>,
}

impl IssueList {
    fn of(json: &str) -> Self {
        let issues = match Flow::from_json(json) {
            Ok(flow) => flow.warnings().clone(),
            Err(issues) => issues,
        };
        Self { issues: issues.iter().cloned().collect() }
    }
}

/// Lists what is wrong with the draft.
#[utoipa::path(get, path = "/api/v1/flows/{code}/issues", tag = "drafts", params(("code" = String, Path)),
    responses((status = 200, description = "The issues.", body = IssueList), Refusals))]
pub async fn issues(
    Tenant { bot, .. }: Tenant,
    InPath(name): InPath<String>,
) -> Result<Json<IssueList>, ApiError> {
    Ok(Json(IssueList::of(&bot.flows().export(&code(&name)?, None).await?)))
}

/// Checks a definition, and saves nothing.
#[utoipa::path(post, path = "/api/v1/issues", tag = "drafts", request_body = Value,
    responses((status = 200, description = "The issues.", body = IssueList), Refusals))]
pub async fn check(_: Tenant, JsonBody(definition): JsonBody<Value>) -> Json<IssueList> {
    Json(IssueList::of(&definition.to_string()))
}

/// The published versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionList {
    /// Oldest first.
    #[schema(value_type = Vec<Object>)]
    versions: Vec<VersionEntry>,
}

/// Lists the published versions.
#[utoipa::path(get, path = "/api/v1/flows/{code}/versions", tag = "drafts", params(("code" = String, Path)),
    responses((status = 200, description = "The versions.", body = VersionList), Refusals))]
pub async fn versions(
    Tenant { bot, .. }: Tenant,
    InPath(name): InPath<String>,
) -> Result<Json<VersionList>, ApiError> {
    Ok(Json(VersionList { versions: bot.flows().versions(&code(&name)?).await? }))
}

/// Returns the definition of a version.
#[utoipa::path(get, path = "/api/v1/flows/{code}/versions/{version}", tag = "drafts",
    params(("code" = String, Path), ("version" = u32, Path)),
    responses((status = 200, description = "The definition.", body = Object), Refusals))]
pub async fn version(
    Tenant { bot, .. }: Tenant,
    InPath((name, version)): InPath<(String, u32)>,
) -> Result<Response, ApiError> {
    let json = bot.flows().export(&code(&name)?, Some(FlowVersion(version))).await;
    match json {
        Err(Error::InvalidInput { .. }) => Err(ApiError::not_found("there is no such version")),
        json => Ok(definition(&json?).into_response()),
    }
}
