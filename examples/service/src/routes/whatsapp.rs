//! WhatsApp's webhooks: messages, reports of delivery, addresses that changed. Answered after the
//! commit; what is not answered with 200 comes again, and is recognised by its ids.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use chatflow::wire::whatsapp::{WebhookReader, WhatsAppEvent};

use crate::app::{App, Bot};
use crate::error::{ApiError, ErrorBody, Refusals};
use crate::heard;
use crate::input::{Params, SignedBody};
use crate::routes::webhooks::{Challenge, Taken, challenged, signed};

/// Answers Meta's challenge.
#[utoipa::path(get, path = "/webhooks/whatsapp", tag = "webhooks", params(Challenge), security(()),
    responses((status = 200, description = "The challenge.", content_type = "text/plain"),
        (status = 403, description = "Another word is set.", body = ErrorBody), Refusals))]
pub async fn challenge(
    State(app): State<Arc<App>>,
    Params(asked): Params<Challenge>,
) -> Result<String, ApiError> {
    challenged(&app, asked)
}

/// Takes what WhatsApp tells.
#[utoipa::path(post, path = "/webhooks/whatsapp", tag = "webhooks", security(()),
    request_body(content = Object, content_type = "application/json"),
    params(("X-Hub-Signature-256" = String, Header, description = "`sha256=` and the HMAC of the body.")),
    responses((status = 200, description = "Taken.", body = Taken),
        (status = 403, description = "The signature is wrong.", body = ErrorBody), Refusals))]
pub async fn take(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    SignedBody(body): SignedBody,
) -> Result<Json<Taken>, ApiError> {
    signed(&app, &headers, &body)?;
    let news = WebhookReader::default().by_number().read(&body);
    let news = news.map_err(|bad| ApiError::invalid(bad.field, bad.rule))?;
    let (bot, mut taken) = (app.webhook_bot(), Taken::default());
    for news in news {
        event(&app, &bot, news.event, &mut taken).await;
        app.kick.now();
    }
    taken.answer()
}

async fn event(app: &App, bot: &Bot, event: WhatsAppEvent, taken: &mut Taken) {
    let done = match event {
        WhatsAppEvent::Inbound(message) => {
            heard::receive_cut(app, bot, *message).await.map(|received| received.as_str())
        }
        WhatsAppEvent::Report { message, report, .. } => {
            bot.report(message, report).await.map(|_| "reported")
        }
        WhatsAppEvent::Relink { old, new } => bot.relink(&old, &new).await.map(|()| "relinked"),
        _ => Ok("ignored"),
    };
    match done {
        Ok(what) => taken.note(what),
        Err(error) => taken.refused(error),
    }
}
