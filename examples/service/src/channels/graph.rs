//! Messages on WhatsApp and Messenger, by Meta's Graph API.

use std::collections::HashMap;
use std::time::Duration;

use chatflow::session::Outbound;
use chatflow::wire::whatsapp::{CloudBody, acknowledged};
use chatflow::{Receipt, SendError};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response};
use serde_json::Value;

use crate::channels::{messenger, read_bounded};

/// WhatsApp's Cloud API.
pub struct WhatsApp {
    client: Client,
    url: String,
    token: String,
    /// The ids by which the API knows the numbers that flows name.
    numbers: HashMap<String, String>,
}

impl WhatsApp {
    /// With a token, and the ids of the numbers, each as `+15550100=106540352242922`.
    ///
    /// # Errors
    /// The number that breaks a rule.
    pub fn new(client: Client, url: &str, token: String, numbers: &[String]) -> Result<Self, String> {
        let pair = |text: &String| {
            let (number, id) = text.split_once('=')?;
            let written = number.trim().strip_prefix('+')?;
            let is_between = |c: char| matches!(c, ' ' | '-' | '(' | ')');
            let digits: String = written.chars().filter(|c| !is_between(*c)).collect();
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let is_pair = is_number && !id.trim().is_empty();
            is_pair.then(|| (format!("+{digits}"), id.trim().to_owned()))
        };
        let pair = |text: &String| {
            let form = "must have the form +NUMBER=PHONE_NUMBER_ID";
            pair(text).ok_or_else(|| format!("WHATSAPP_NUMBERS: `{text}` {form}"))
        };
        let numbers = numbers.iter().map(pair).collect::<Result<_, _>>()?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned(), token, numbers })
    }

    /// Sends one message.
    ///
    /// # Errors
    /// As the API says it.
    pub async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let account = &*message.account().account;
        let id = match self.numbers.get(account) {
            Some(id) => id,
            // The API's own id of an account. Anything else would be a part of the address that the
            // author of a flow chooses.
            None if account.bytes().all(|byte| byte.is_ascii_digit()) => account,
            None => {
                return Err(SendError::rejected(format_args!("WHATSAPP_NUMBERS has no id for `{account}`")));
            }
        };
        let request = self
            .client
            .post(format!("{}/{id}/messages", self.url))
            .bearer_auth(&self.token)
            .header(CONTENT_TYPE, "application/json")
            .body(CloudBody::of(message)?.to_json());
        let answer = request.send().await.map_err(|error| SendError::retry(error.without_url()))?;
        let (status, pause) = (answer.status().as_u16(), pause(&answer));
        let body = read_bounded(answer).await.map_err(SendError::retry)?;
        acknowledged(message, status, pause, &body)
    }
}

/// The pause that an answer asks for: at most an hour, and none where it is 0 seconds, with which
/// proxies mean nothing.
fn pause(answer: &Response) -> Option<Duration> {
    const MOST: u64 = 3_600;
    let seconds: u64 = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    (seconds > 0).then(|| Duration::from_secs(seconds.min(MOST)))
}

/// Messenger's Send API.
pub struct Messenger {
    client: Client,
    url: String,
    token: String,
}

impl Messenger {
    /// With the token of a page.
    #[must_use]
    pub fn new(client: Client, url: &str, token: String) -> Self {
        Self { client, url: url.trim_end_matches('/').to_owned(), token }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// As the API says it.
    pub async fn send(&self, message: &Outbound) -> Result<Receipt, SendError> {
        let request = self
            .client
            .post(format!("{}/me/messages", self.url))
            .bearer_auth(&self.token)
            .json(&messenger::body(message)?);
        let answer = request.send().await.map_err(|error| SendError::retry(error.without_url()))?;
        let (status, pause) = (answer.status().as_u16(), pause(&answer));
        let body = read_bounded(answer).await.map_err(SendError::retry)?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (code, subcode) = (body["error"]["code"].as_i64(), body["error"]["error_subcode"].as_i64());
        match (status, code, subcode) {
            (200..=299, None, _) => Ok(Receipt::new()),
            // Outside the window of 24 hours.
            (_, Some(10), Some(2_018_278)) => Err(SendError::WindowClosed),
            (408 | 425 | 429 | 500.., _, _) | (_, Some(1 | 2 | 4 | 190 | 613), _) => {
                Err(SendError::Retry { after: pause, reason: format!("the API answered {status}") })
            }
            _ => Err(SendError::rejected(format_args!(
                "the API answered {status} with code {}",
                code.unwrap_or(0)
            ))),
        }
    }
}
