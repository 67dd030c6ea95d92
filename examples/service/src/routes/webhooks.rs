//! The parts that Meta's webhooks share: the challenge, the signature, and the use of answers of
//! the engine.

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use chatflow::Error;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::error::ApiError;
use crate::signature::is_signed;

/// Meta's question before it sends anything.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Challenge {
    /// `subscribe`.
    #[serde(rename = "hub.mode")]
    mode: Option<String>,
    /// The word that both sides know.
    #[serde(rename = "hub.verify_token")]
    verify_token: Option<String>,
    /// The text to be answered.
    #[serde(rename = "hub.challenge")]
    challenge: Option<String>,
}

/// Answers a challenge, if the word is right.
///
/// # Errors
/// 403.
pub fn challenged(app: &App, asked: Challenge) -> Result<String, ApiError> {
    let known = app.config.channels.verify_token.as_deref().unwrap_or_default();
    let given = asked.verify_token.unwrap_or_default();
    let is_right: bool = given.as_bytes().ct_eq(known.as_bytes()).into();
    match asked.challenge {
        Some(challenge) if is_right && !known.is_empty() && asked.mode.as_deref() == Some("subscribe") => {
            Ok(challenge)
        }
        _ => Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", "the word is not the one that is set")),
    }
}

/// Makes sure that a body was signed by the app.
///
/// # Errors
/// 403, also where no secret is set: what nobody signed may be anybody's.
pub fn signed(app: &App, headers: &HeaderMap, body: &Bytes) -> Result<(), ApiError> {
    let header = headers.get("x-hub-signature-256").and_then(|header| header.to_str().ok());
    let secret = app.config.channels.app_secret.as_deref().unwrap_or_default();
    if is_signed(secret, body, header.unwrap_or_default()) {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", "the signature is not that of the body"))
}

/// The result of a webhook: the number of its events by what was done with them.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Taken {
    /// Messages, by their outcome, such as `consumed`; reports, changed addresses, and what was
    /// left out.
    #[serde(flatten)]
    counts: HashMap<&'static str, u32>,
    /// The first error that may pass.
    #[serde(skip)]
    later: Option<Error>,
}

impl Taken {
    /// Counts one event.
    pub fn note(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Notes what the engine refused; whatever it is, the other events are taken. An error that may
    /// pass has the webhook come again. Anything else is left out: it would be refused the next
    /// time, too, and so would a message to a conversation that was set aside, until somebody
    /// looks at it.
    pub fn refused(&mut self, error: Error) {
        let is_aside = matches!(error, Error::Quarantined(_));
        if !is_aside && (error.is_retryable() || error.http_status() == 503) {
            self.later.get_or_insert(error);
            return;
        }
        tracing::warn!(code = error.code(), "an event of a webhook was left out");
        self.note("left_out");
    }

    /// The answer to the webhook, once all of its events were tried.
    ///
    /// # Errors
    /// 503 where an event may be taken later: the webhook comes again, and what was taken is a
    /// duplicate then.
    pub fn answer(self) -> Result<Json<Self>, ApiError> {
        match self.later {
            Some(error) => Err(ApiError::from(error).with_status(StatusCode::SERVICE_UNAVAILABLE)),
            None => Ok(Json(self)),
        }
    }
}
