//! Messenger's webhooks: texts, quick replies, postbacks and attachments.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use chatflow::{Channel, Inbound};
use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{ApiError, ErrorBody, Refusals};
use crate::heard;
use crate::input::{Params, Raw, read_json};
use crate::routes::webhooks::{Challenge, Taken, challenged, signed};

#[derive(Deserialize)]
struct Webhook {
    object: String,
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    messaging: Vec<Value>,
}

/// One event of a page, as far as it is read.
#[derive(Deserialize)]
struct Messaging {
    sender: Person,
    recipient: Person,
    timestamp: Option<i64>,
    message: Option<PageMessage>,
    postback: Option<Postback>,
}

#[derive(Deserialize)]
struct Person {
    id: String,
}

#[derive(Deserialize)]
struct PageMessage {
    mid: String,
    text: Option<String>,
    quick_reply: Option<QuickReply>,
    #[serde(default)]
    attachments: Vec<Value>,
    #[serde(default)]
    is_echo: bool,
}

#[derive(Deserialize)]
struct QuickReply {
    payload: String,
}

#[derive(Deserialize)]
struct Postback {
    mid: Option<String>,
    title: Option<String>,
    payload: Option<String>,
}

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
    let webhook: Webhook = read_json(&body)?;
    if webhook.object != "page" {
        return Err(ApiError::invalid("object", "must be `page`"));
    }
    let (bot, mut taken) = (app.webhook_bot(), Taken::default());
    for event in webhook.entry.into_iter().flat_map(|entry| entry.messaging) {
        let Some(inbound) = serde_json::from_value(event).ok().and_then(inbound) else {
            taken.note("ignored");
            continue;
        };
        match heard::receive(&app, &bot, inbound).await {
            Ok(received) => taken.note(received.as_str()),
            Err(error) => taken.refused(error)?,
        }
        app.kick.now();
    }
    Ok(Json(taken))
}

/// The message of a person. None: reports, echoes of what the page said, and what is not known.
fn inbound(event: Messaging) -> Option<Inbound> {
    let (page, person) = (event.recipient.id, event.sender.id);
    let (mut inbound, id) = match (event.message, event.postback) {
        (Some(message), _) if message.is_echo => return None,
        (Some(message), _) => {
            let text = message.text.unwrap_or_default();
            let said = match (message.quick_reply, message.attachments.into_iter().next()) {
                (Some(reply), _) => Inbound::choice(Channel::Messenger, page, person, reply.payload, text),
                (None, Some(attachment)) => {
                    let media = json!({"type": attachment["type"], "url": attachment["payload"]["url"]});
                    Inbound::media(Channel::Messenger, page, person, media)
                }
                (None, None) => Inbound::text(Channel::Messenger, page, person, text),
            };
            (said, Some(message.mid))
        }
        (None, Some(postback)) => {
            let title = postback.title.unwrap_or_default();
            (Inbound::choice(Channel::Messenger, page, person, postback.payload?, title), postback.mid)
        }
        (None, None) => return None,
    };
    if let Some(id) = id {
        inbound = inbound.id(id);
    }
    if let Some(at) = event.timestamp.and_then(DateTime::from_timestamp_millis) {
        inbound = inbound.timestamp(at);
    }
    Some(inbound)
}
