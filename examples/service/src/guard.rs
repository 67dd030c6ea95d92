//! The guards that every request goes through before its handler: token, pace and time.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::{App, Bot};
use crate::config::REQUEST_TIME;
use crate::error::ApiError;
use crate::tokens::Holder;

/// The caller of a request, with the engine in the caller's workspace: no handler has another way
/// to an engine, so nothing reaches across workspaces.
#[derive(Clone)]
pub struct Tenant {
    /// The engine in the caller's workspace.
    pub bot: Bot,
    /// The holder of the token.
    pub holder: Holder,
}

impl<S: Send + Sync> FromRequestParts<S> for Tenant {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        // It is there for each route behind `authenticate`.
        parts.extensions.get::<Self>().cloned().ok_or_else(ApiError::unauthenticated)
    }
}

/// Lets a request through that bears a token of a workspace and comes at a bearable pace.
pub async fn authenticate(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let holder = match bearer(&request) {
        Some(token) => app.tokens.holder(&token).await,
        None => None,
    };
    let Some(holder) = holder else {
        let mut refused = ApiError::unauthenticated().into_response();
        refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return refused;
    };
    let left = match app.rate.take(&holder.id, Instant::now()) {
        Ok(left) => left,
        Err(wait) => {
            let rule = format_args!("at most {} requests a minute", app.config.rate_per_minute);
            let refused = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", rule);
            return limits(refused.retry_after(wait).into_response(), app.config.rate_per_minute, 0);
        }
    };
    let bot = app.bot.in_workspace(&*holder.workspace);
    request.extensions_mut().insert(Tenant { bot, holder });
    let answer = next.run(request).await;
    // Whatever was committed is sent by a worker, at once.
    app.kick.now();
    limits(answer, app.config.rate_per_minute, left)
}

fn limits(mut answer: Response, most: u32, left: u32) -> Response {
    if most > 0 {
        let headers = answer.headers_mut();
        headers.insert(HeaderName::from_static("x-ratelimit-limit"), most.into());
        headers.insert(HeaderName::from_static("x-ratelimit-remaining"), left.into());
    }
    answer
}

/// The token of a request. Browsers cannot send a header with an `EventSource`, so streams take it
/// from the query as well; queries are not logged.
fn bearer(request: &Request) -> Option<String> {
    if let Some(value) = request.headers().get(AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        // GPTBots writes a token behind either word.
        let is_meant = scheme.eq_ignore_ascii_case("bearer")
            || (scheme.eq_ignore_ascii_case("basic") && request.uri().path() == "/webhooks/gptbots");
        return is_meant.then(|| token.trim().to_owned());
    }
    let is_stream = request.method() == Method::GET && request.uri().path().ends_with("/events");
    let query = request.uri().query().filter(|_| is_stream)?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "access_token").map(|(_, token)| token.into_owned())
}

/// Ends a request that takes too long, and logs each by its route: no path, query or body, which
/// hold what people are called.
pub async fn bound(request: Request, next: Next) -> Response {
    let (method, begun) = (request.method().clone(), Instant::now());
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let answer = match tokio::time::timeout(REQUEST_TIME, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => {
            let rule = format_args!("the request took longer than {} s", REQUEST_TIME.as_secs());
            ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", rule).into_response()
        }
    };
    let (status, took) = (answer.status().as_u16(), begun.elapsed());
    metrics::counter!("service_requests_total", "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("service_request_seconds", "route" => route.clone()).record(took.as_secs_f64());
    tracing::info!(%method, route, status, ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "request");
    answer
}
