//! Messenger's webhooks: texts, quick replies, postbacks and attachments.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use chatflow::{Channel, Inbound};
use chrono::DateTime;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::error::{ApiError, ErrorBody, Refusals};
use crate::heard;
use crate::input::{Params, Raw, read_json};
use crate::routes::webhooks::{Challenge, Taken, challenged, signed};

/// Answers Meta's challenge.
#[utoipa::path(get, path = "/webhooks/messenger", tag = "webhooks", params(Challenge), security(()),
    responses((status = 200, description = "The challenge.", content_type = "text/plain"),
        (status = 403, description = "Another word is set.", body = ErrorBody), Refusals))]
pub async fn challenge(
    State(app): State<Arc<App>>,
    Params(asked): Params<Challenge>,
) -> Result<String, ApiError> {
    challenged(&app, asked)
}

/// Takes what Messenger tells.
#[utoipa::path(post, path = "/webhooks/messenger", tag = "webhooks", security(()),
    request_body(content = Object, content_type = "application/json"),
    params(("X-Hub-Signature-256" = String, Header, description = "`sha256=` and the HMAC of the body.")),
    responses((status = 200, description = "Taken.", body = Taken),
        (status = 403, description = "The signature is wrong.", body = ErrorBody), Refusals))]
pub async fn take(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Json<Taken>, ApiError> {
    signed(&app, &headers, &body)?;
    let webhook: Map<String, Value> = read_json(&body)?;
    if webhook.get("object").and_then(Value::as_str) != Some("page") {
        return Err(ApiError::invalid("object", "must be `page`"));
    }
    let (bot, mut taken) = (app.webhook_bot(), Taken::default());
    for event in events(&webhook) {
        let Some(inbound) = inbound(event) else {
            taken.note("ignored");
            continue;
        };
        match heard::receive(&app, &bot, inbound).await {
            Ok(received) => taken.note(received.as_str()),
            Err(error) => taken.refused(error),
        }
        app.kick.now();
    }
    taken.answer()
}

/// The events of a webhook, part by part: what is wrong in itself hides no neighbour. An entry
/// without events is one that says nothing.
fn events(webhook: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let entries = webhook.get("entry").and_then(Value::as_array).into_iter().flatten();
    entries.flat_map(|entry| match entry["messaging"].as_array() {
        Some(events) => events.as_slice(),
        None => std::slice::from_ref(entry),
    })
}

/// The message of a person. None: reports, echoes of what the page said, and what is not known.
fn inbound(event: &Value) -> Option<Inbound> {
    let (page, person) = (event["recipient"]["id"].as_str()?, event["sender"]["id"].as_str()?);
    let (message, postback) = (&event["message"], &event["postback"]);
    let (mut inbound, id) = if message.is_object() {
        if message["is_echo"] == true {
            return None;
        }
        let text = message["text"].as_str().unwrap_or_default();
        let said = match (message["quick_reply"]["payload"].as_str(), message["attachments"].get(0)) {
            (Some(payload), _) => Inbound::choice(Channel::Messenger, page, person, payload, text),
            (None, Some(attachment)) => {
                let media = json!({"type": attachment["type"], "url": attachment["payload"]["url"]});
                Inbound::media(Channel::Messenger, page, person, media)
            }
            (None, None) => Inbound::text(Channel::Messenger, page, person, text),
        };
        (said, Some(message["mid"].as_str()?))
    } else {
        let (payload, title) =
            (postback["payload"].as_str()?, postback["title"].as_str().unwrap_or_default());
        (Inbound::choice(Channel::Messenger, page, person, payload, title), postback["mid"].as_str())
    };
    if let Some(id) = id {
        inbound = inbound.id(id);
    }
    if let Some(at) = event["timestamp"].as_i64().and_then(DateTime::from_timestamp_millis) {
        inbound = inbound.timestamp(at);
    }
    Some(inbound)
}
