//! Messages on WhatsApp and Messenger, by Meta's Graph API.

use std::collections::HashMap;
use std::time::Duration;

use chatflow::session::Outbound;
use chatflow::wire::whatsapp::{CloudBody, acknowledged};
use chatflow::{Receipt, SendError};
use chrono::{DateTime, Utc};
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

/// The pause that an answer asks for.
fn pause(answer: &Response) -> Option<Duration> {
    pause_of(answer.headers().get(RETRY_AFTER)?.to_str().ok()?, Utc::now())
}

/// The pause that a text asks for, in seconds or until a date: at most an hour, and none where it
/// is 0 seconds, with which proxies mean nothing, or over.
fn pause_of(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    const MOST: Duration = Duration::from_secs(3_600);
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pause = match is_number {
        // More seconds than a number holds are too many in any case.
        true => Duration::from_secs(text.parse().unwrap_or(u64::MAX)),
        false => (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now).to_std().ok()?,
    };
    (!pause.is_zero()).then(|| pause.min(MOST))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_told_in_seconds_or_by_a_date() {
        let now = "2015-10-21T07:28:00Z".parse().unwrap();
        for (text, seconds) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("0", None),
            ("000", None),
            ("9999999999", Some(3_600)),
            ("18446744073709551616", Some(3_600)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(30)),
            ("Wed, 21 Oct 2099 07:28:00 GMT", Some(3_600)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", None),
            ("Wed, 21 Oct 2015 07:27:00 GMT", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(pause_of(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
