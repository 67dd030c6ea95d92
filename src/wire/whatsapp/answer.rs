//! The answers of the API to a message that was sent, and the meaning of its errors.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::address::Address;
use crate::error::SendError;
use crate::session::Outbound;
use crate::transport::Receipt;
use crate::wire::webhook::text_or_number;
use crate::wire::whatsapp::webhook::code;

/// The body of the answer to a message: that it was taken, or why not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CloudAnswer {
    /// `whatsapp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messaging_product: Option<String>,
    /// The one that it goes to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<CloudRecipient>,
    /// The message that was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<CloudAccepted>,
    /// True for what is no message, such as a sign of writing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<bool>,
    /// The error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<CloudFailure>,
    /// Fields that the product does not document.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The one that a message goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CloudRecipient {
    /// The address as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub input: Option<String>,
    /// The number that the channel knows.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub wa_id: Option<String>,
    /// The business-scoped id, where that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// A message that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CloudAccepted {
    /// The channel's id of it.
    pub id: String,
    /// `accepted`, or `held_for_quality_assessment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_status: Option<String>,
}

/// An error of the API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CloudFailure {
    /// The error in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Its type, such as `OAuthException`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The code, such as 131047; 0 if there is none.
    #[serde(default, deserialize_with = "code")]
    pub code: i64,
    /// More of it, such as `{"details": …}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_data: Option<Value>,
    /// A finer code, which the product gives up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_subcode: Option<i64>,
    /// True if the same request may succeed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_transient: Option<bool>,
    /// The id by which the product finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fbtrace_id: Option<String>,
    /// Fields that the product does not document.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Reads what the API answered to a message, and says it as a transport does. Of the rows the first
/// that fits holds: a code that is listed comes before the status, the status before another code.
///
/// | the API | the transport |
/// |---|---|
/// | 200 with a message's id, or `"success": true` | taken; where the channel knows the contact by another number, under that one, too |
/// | code 131047 | [`SendError::WindowClosed`] |
/// | code 131056: too many messages to this contact | [`SendError::Retry`] after 6 s, or `retry_after` if that is given |
/// | code 130429, 4, 80007, 613: too many requests | after 5 s, or `retry_after` |
/// | code 131057, 133004, 131016: the channel is being maintained | after 60 s, or `retry_after` |
/// | code 131048: too many people took the account's messages for spam | after an hour, or `retry_after` |
/// | code 190, or no code and status 401 or the type `OAuthException`: the token is no longer good | [`SendError::Retry`]: another one serves the same message |
/// | code 1, 2, 131000, or no code and a status from 500 on | [`SendError::Retry`] |
/// | code 100, 131026 (cannot be reached), 131049, 131050, 132000, 132001, 133010 | [`SendError::Rejected`] |
/// | any other code, or none, with status 408, 425, 429, 503 or `is_transient` | [`SendError::Retry`] |
/// | every other code, every other status | [`SendError::Rejected`] |
/// | 200 that says neither | [`SendError::Retry`], since it is not known |
///
/// # Errors
/// [`SendError`], for a transport to hand on.
pub fn acknowledged(
    message: &Outbound,
    status: u16,
    retry_after: Option<Duration>,
    body: &[u8],
) -> Result<Receipt, SendError> {
    let answer = serde_json::from_slice::<CloudAnswer>(body).unwrap_or_default();
    if let Some(failure) = &answer.error {
        return Err(failed(failure, status, retry_after));
    }
    match status {
        200..=299 if !answer.messages.is_empty() || answer.success == Some(true) => {
            Ok(receipt(message, &answer))
        }
        200..=299 => Err(SendError::retry("the API did not say that it took the message")),
        _ => Err(failed(&CloudFailure::default(), status, retry_after)),
    }
}

/// The receipt, with the number that the channel knows, if it is another one.
fn receipt(message: &Outbound, answer: &CloudAnswer) -> Receipt {
    let known = answer.contacts.first().and_then(|contact| contact.wa_id.as_deref());
    let known = known.and_then(|number| Address::new(message.account(), number).ok());
    match known.filter(|address| address != message.to()) {
        Some(address) => Receipt::known_as(address),
        None => Receipt::new(),
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn failed(failure: &CloudFailure, status: u16, retry_after: Option<Duration>) -> SendError {
    let reason = reason(failure, status);
    // A pause of no length asks for none: the message would be tried again at once, and again.
    let retry_after = retry_after.filter(|pause| !pause.is_zero());
    let after = |pause: Duration| SendError::retry_after(retry_after.unwrap_or(pause), &reason);
    match (failure.code, status) {
        (131_047, _) => SendError::WindowClosed,
        (131_056, _) => after(Duration::from_secs(6)),
        (4 | 613 | 80_007 | 130_429, _) => after(Duration::from_secs(5)),
        (131_016 | 131_057 | 133_004, _) => after(MINUTE),
        (131_048, _) => after(60 * MINUTE),
        (1 | 2 | 190 | 131_000, _) | (0, 401 | 500..) => retry(reason, retry_after),
        (100 | 131_026 | 131_049 | 131_050 | 132_000 | 132_001 | 133_010, _) => {
            SendError::Rejected { reason }
        }
        (_, 408 | 425 | 429 | 503) => retry(reason, retry_after),
        (0, _) if failure.kind.as_deref() == Some("OAuthException") => retry(reason, retry_after),
        _ if failure.is_transient == Some(true) => retry(reason, retry_after),
        _ => SendError::Rejected { reason },
    }
}

fn retry(reason: String, after: Option<Duration>) -> SendError {
    SendError::Retry { after, reason }
}

/// The code, and what the API says to it.
fn reason(failure: &CloudFailure, status: u16) -> String {
    let details = failure.error_data.as_ref().and_then(|data| data.get("details")?.as_str());
    let words = details.or(failure.message.as_deref()).unwrap_or("no reason given");
    match failure.code {
        0 => format!("the API answered {status}: {words}"),
        code => format!("{code}: {words}"),
    }
}
