//! The answer to a request that is refused or fails: one shape for all endpoints of the service's
//! own. Those of the products answer as the products do.

use std::time::Duration;

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chatflow::Error;
use chatflow::flow::Issue;
use serde::Serialize;
use utoipa::ToSchema;

/// The body of an error.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// A sentence for people.
    pub error: String,
    /// A stable word for programs.
    #[schema(example = "flow_not_found")]
    pub code: &'static str,
    /// The field that breaks a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Everything that is wrong with a flow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub issues: Vec<Issue>,
}

/// A refusal or a failure, on its way to the caller.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    body: ErrorBody,
    retry_after: Option<Duration>,
}

impl ApiError {
    /// An answer with this status.
    pub fn new(status: StatusCode, code: &'static str, error: impl ToString) -> Self {
        let body = ErrorBody { error: error.to_string(), code, field: None, issues: Vec::new() };
        Self { status, body, retry_after: None }
    }

    /// 422: a field breaks a rule.
    pub fn invalid(field: &str, rule: impl std::fmt::Display) -> Self {
        let error =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_input", format_args!("`{field}` {rule}"));
        Self { body: ErrorBody { field: Some(field.to_owned()), ..error.body }, ..error }
    }

    /// 404.
    pub fn not_found(what: impl ToString) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", what)
    }

    /// True if it is about something that is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// 401.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "a valid bearer token is required")
    }

    /// The same under another status.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// With the time after which the same request may succeed.
    #[must_use]
    pub fn retry_after(self, time: Duration) -> Self {
        Self { retry_after: Some(time), ..self }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let mut answer = Self::new(status, error.code(), &error);
        match &error {
            Error::InvalidInput { field, .. } => answer.body.field = Some(field.to_string()),
            Error::Issues(issues) => answer.body.issues = issues.iter().cloned().collect(),
            // Nothing of the inside is told.
            Error::Store(_) => {
                tracing::error!(%error, "the store failed");
                answer.body.error = "the service is unavailable for the moment".to_owned();
            }
            _ => {}
        }
        if error.is_retryable() || status == StatusCode::SERVICE_UNAVAILABLE {
            answer.retry_after = Some(Duration::from_secs(1));
        }
        answer
    }
}

/// The sentence of a refusal, kept beside its answer for products that answer in another shape.
#[derive(Clone, Debug)]
pub struct RefusalText(pub String);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let text = RefusalText(self.body.error.clone());
        let mut response = (self.status, Json(self.body)).into_response();
        response.extensions_mut().insert(text);
        if let Some(time) = self.retry_after {
            let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

/// The refusals that every endpoint behind a token may answer.
#[derive(utoipa::IntoResponses)]
pub enum Refusals {
    /// The request cannot be read.
    #[response(status = 400)]
    BadRequest(ErrorBody),
    /// There is no valid bearer token.
    #[response(status = 401)]
    Unauthenticated(ErrorBody),
    /// There is no such thing in the caller's workspace.
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// The request took too long.
    #[response(status = 408)]
    Timeout(ErrorBody),
    /// The state of the thing does not allow it.
    #[response(status = 409)]
    Conflict(ErrorBody),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The body is not of the right type.
    #[response(status = 415)]
    UnsupportedMediaType(ErrorBody),
    /// A field breaks a rule.
    #[response(status = 422)]
    Invalid(ErrorBody),
    /// Too many requests; `Retry-After` says when to come again.
    #[response(status = 429)]
    TooMany(ErrorBody),
    /// Not now; `Retry-After` says when to come again.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}
