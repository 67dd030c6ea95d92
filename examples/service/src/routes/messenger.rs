//! Messenger's webhooks: texts, quick replies, postbacks, media and places.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use chatflow::wire::read_webhook;
use chatflow::{Channel, Inbound};
use chrono::DateTime;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{ApiError, ErrorBody, Refusals};
use crate::heard;
use crate::input::{Params, SignedBody};
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
    SignedBody(body): SignedBody,
) -> Result<Json<Taken>, ApiError> {
    signed(&app, &headers, &body)?;
    let webhook = read_webhook(&body).map_err(|error| ApiError::invalid("body", error))?;
    if webhook["object"].as_str() != Some("page") {
        return Err(ApiError::invalid("object", "must be `page`"));
    }
    let (bot, mut taken) = (app.webhook_bot(), Taken::default());
    for event in events(&webhook) {
        let inbounds = inbounds(event);
        if inbounds.is_empty() {
            taken.note("ignored");
        }
        for inbound in inbounds {
            match heard::receive_cut(&app, &bot, inbound).await {
                Ok(received) => taken.note(received.as_str()),
                Err(error) => taken.refused(error),
            }
            app.kick.now();
        }
    }
    taken.answer()
}

/// The events of a webhook, part by part: what is wrong in itself hides no neighbour. An entry
/// without events is one that says nothing.
fn events(webhook: &Value) -> impl Iterator<Item = &Value> {
    let entries = webhook["entry"].as_array().into_iter().flatten();
    entries.flat_map(|entry| match entry["messaging"].as_array() {
        Some(events) => events.as_slice(),
        None => std::slice::from_ref(entry),
    })
}

/// The messages of a person in an event, one for each attachment. Empty for reports, echoes of what
/// the page said, and what is not known.
fn inbounds(event: &Value) -> Vec<Inbound> {
    let name = |of: &str| event[of]["id"].as_str();
    let (Some(page), Some(person)) = (name("recipient"), name("sender")) else { return Vec::new() };
    let visitor = PageVisitor { page, person };
    let (contents, said) = if event["message"].is_object() {
        let message = &event["message"];
        if message["is_echo"] == true || !message["mid"].is_string() {
            return Vec::new();
        }
        (visitor.message(message), message)
    } else {
        let postback = &event["postback"];
        let title = postback["title"].as_str().unwrap_or_default();
        (visitor.choice(postback, title).into_iter().collect(), postback)
    };
    let (id, facts) = (said["mid"].as_str(), facts(said));
    let at = event["timestamp"].as_i64().and_then(DateTime::from_timestamp_millis);
    let known = contents.into_iter().enumerate().map(|(place, mut inbound)| {
        if let Some(id) = id {
            // The first one has the id that a single one has.
            inbound = if place == 0 { inbound.id(id) } else { inbound.id(format!("{id}/{place}")) };
        }
        if let Some(at) = at {
            inbound = inbound.timestamp(at);
        }
        if facts != json!({}) {
            inbound = inbound.meta(facts.clone());
        }
        inbound
    });
    known.collect()
}

/// Everything known beside the content of a message or a postback, under the names that it has on
/// WhatsApp: the link or advertisement that the person came by, and the message that it replies to.
fn facts(said: &Value) -> Value {
    let mut facts = json!({});
    if said["referral"].is_object() {
        facts["referral"] = said["referral"].clone();
    }
    if let Some(id) = said["reply_to"]["mid"].as_str() {
        facts["context"] = json!({"id": id});
    }
    facts
}

/// The body of a message that has neither words nor a medium, such as one that Messenger cannot
/// show: all but its id.
fn without_id(message: &Value) -> Value {
    let mut body = message.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("mid");
    }
    body
}

/// A person who writes to a page.
struct PageVisitor<'a> {
    page: &'a str,
    person: &'a str,
}

impl PageVisitor<'_> {
    /// The contents of a message: a chosen reply, attachments, or a text. A text goes along with
    /// the first attachment. The preview of a link, which Messenger adds to a text by itself, is no
    /// attachment.
    fn message(&self, message: &Value) -> Vec<Inbound> {
        let (page, person) = (self.page, self.person);
        let text = message["text"].as_str().unwrap_or_default();
        if let Some(choice) = message.get("quick_reply").and_then(|reply| self.choice(reply, text)) {
            return vec![choice];
        }
        let attachments = message["attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut contents: Vec<Inbound> =
            attachments.iter().filter_map(|attachment| self.attachment(attachment)).collect();
        if text.is_empty() && contents.is_empty() {
            return vec![Inbound::other(Channel::Messenger, page, person, without_id(message))];
        }
        match contents.first_mut() {
            None => contents.push(Inbound::text(Channel::Messenger, page, person, text)),
            Some(first) if !text.is_empty() => *first = first.clone().caption(text),
            Some(_) => {}
        }
        contents
    }

    /// A choice that was tapped; without a payload it says its label.
    fn choice(&self, tapped: &Value, label: &str) -> Option<Inbound> {
        let (page, person) = (self.page, self.person);
        match tapped["payload"].as_str().unwrap_or_default() {
            "" if label.is_empty() => None,
            "" => Some(Inbound::text(Channel::Messenger, page, person, label)),
            payload => Some(Inbound::choice(Channel::Messenger, page, person, payload, label)),
        }
    }

    /// A medium or a place.
    fn attachment(&self, attachment: &Value) -> Option<Inbound> {
        let payload = &attachment["payload"];
        let kind = match attachment["type"].as_str()? {
            kind @ ("image" | "audio" | "video") => kind,
            "file" => "document",
            "location" => {
                let place = &payload["coordinates"];
                let place = json!({"latitude": place["lat"].as_f64()?, "longitude": place["long"].as_f64()?});
                return Some(Inbound::location(Channel::Messenger, self.page, self.person, place));
            }
            _ => return None,
        };
        let media = json!({"type": kind, "url": payload["url"]});
        Some(Inbound::media(Channel::Messenger, self.page, self.person, media))
    }
}
