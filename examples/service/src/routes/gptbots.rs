//! The other side of GPTBots' webhook: messages of a bot elsewhere, acknowledged and shown on the
//! console. A message that comes again is shown once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chatflow::wire::gptbots::{Acknowledgement, WebhookMessage};

use crate::app::App;
use crate::error::{ApiError, ErrorBody, Refusals};
use crate::guard::Tenant;
use crate::input::JsonBody;

/// Takes a message. The token comes as `Bearer` or as `Basic`.
#[utoipa::path(post, path = "/webhooks/gptbots", tag = "webhooks", request_body = Object,
    responses((status = 200, description = "Acknowledged: `code` 200, `msg` `success`.", body = Object),
        (status = 403, description = "Not allowed.", body = ErrorBody), Refusals))]
pub async fn take(
    State(app): State<Arc<App>>,
    Tenant { holder, .. }: Tenant,
    JsonBody(message): JsonBody<WebhookMessage>,
) -> Result<Json<Acknowledgement>, ApiError> {
    if message.message_id.is_empty() {
        return Err(ApiError::invalid("message_id", "must not be empty"));
    }
    app.console.take(&holder.workspace, &message);
    Ok(Json(Acknowledgement::success()))
}
