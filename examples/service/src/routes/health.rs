//! Answers to a supervisor: whether the process lives, whether it may get requests, what it
//! measures.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::App;
use crate::error::{ApiError, ErrorBody};

/// Longest time that the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "process", security(()),
    responses((status = 200, description = "It lives.", content_type = "text/plain")))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The process may get requests: its database answers, and it was not told to end.
#[utoipa::path(get, path = "/readyz", tag = "process", security(()),
    responses((status = 200, description = "It may.", content_type = "text/plain"),
        (status = 503, description = "Not now.", body = ErrorBody)))]
pub async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, ApiError> {
    let not_now = |why| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why);
    if *app.stopping.borrow() {
        return Err(not_now("the process is about to end"));
    }
    match tokio::time::timeout(PATIENCE, app.database.ping()).await {
        Ok(Ok(())) => Ok("ready\n"),
        Ok(Err(error)) => {
            tracing::error!(%error, "the database does not answer");
            Err(not_now("the database does not answer").retry_after(PATIENCE))
        }
        Err(_) => Err(not_now("the database does not answer").retry_after(PATIENCE)),
    }
}

/// The measures since the start, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "process", security(()),
    responses((status = 200, description = "The measures.", content_type = "text/plain")))]
pub async fn metrics(State(app): State<Arc<App>>) -> String {
    app.metrics.render()
}
