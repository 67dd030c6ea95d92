//! The other side of GPTBots' webhook: messages of a bot elsewhere in either version, acknowledged
//! and shown on the console. A message that comes again is shown once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chatflow::wire::gptbots::{Acknowledgement, TurnMessage, WebhookMessage};
use serde_json::Value;

use crate::app::App;
use crate::error::{ApiError, ErrorBody, Refusals};
use crate::guard::Tenant;
use crate::input::{JsonBody, read_value};

/// Takes a message, or a turn: that has `output`. The token comes as `Bearer` or as `Basic`.
#[utoipa::path(post, path = "/webhooks/gptbots", tag = "webhooks", request_body = Object,
    responses((status = 200, description = "Acknowledged: `code` 200, `msg` `success`.", body = Object),
        (status = 403, description = "Not allowed.", body = ErrorBody), Refusals))]
pub async fn take(
    State(app): State<Arc<App>>,
    Tenant { holder, .. }: Tenant,
    JsonBody(body): JsonBody<Value>,
) -> Result<Json<Acknowledgement>, ApiError> {
    if body["output"].is_array() {
        let turn: TurnMessage = read_value(body)?;
        check_id(&turn.message_id)?;
        app.console.take_turn(&holder.workspace, &turn);
    } else {
        let message: WebhookMessage = read_value(body)?;
        check_id(&message.message_id)?;
        app.console.take(&holder.workspace, &message);
    }
    Ok(Json(Acknowledgement::success()))
}

fn check_id(id: &str) -> Result<(), ApiError> {
    if id.is_empty() { Err(ApiError::invalid("message_id", "must not be empty")) } else { Ok(()) }
}
