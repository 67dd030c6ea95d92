//! Alibaba Chat Flow: the operation TriggerChatFlow, and those of authors and operators
//! ([SEMANTICS W2](crate::semantics#w2)). [`ChatFlowAction`] reads any of them by its `Action`;
//! [`done`], [`version_done`] and [`refused`] answer. The product documents their parameters and
//! the keys of the envelope; what `Data` and `Response` hold is this crate's own.
//!
//! Every answer has the six keys that the product documents. `Code` is `OK`, or one of a closed
//! list that is this crate's own, as the product documents none:
//!
//! | `Code` | status | when |
//! |---|---|---|
//! | `OK` | 200 | the flow was started, or runs already |
//! | `TriggerDiscarded` | 200 | its discard time has passed, or the flow's or contact's settings do not allow it |
//! | `FlowNotFound` | 404 | there is no such flow |
//! | `FlowNotPublished` | 404, or 422 where its version has no entry node | the flow has no version online that starts by call |
//! | `NoContact` | 422 | nothing says who the contact is |
//! | `MissingData.KEY`, `InvalidData.KEY` | 422 | an input that the start node requires, or one of another type; or a field of the request |
//! | `IdempotencyConflict` | 422, or 410 once the contact was erased | `Uuid` was used for another request |
//! | `InvalidData.FlowViewModel` | 422 | the definition of the flow has errors, all of which are in the message |
//! | `FlowStateConflict` | 409 | the flow's state does not allow it, it has live sessions, or it was changed meanwhile |
//! | `Throttled` | 429 | the contact has too many sessions |
//! | `ServiceUnavailable` | 503 | the service cannot answer now |
//! | `Unauthenticated`, `Forbidden`, `Timeout`, `TooLarge`, `BadRequest`, `InternalError` | 401, 403, 408, 413, another below 500, another from 500 on | the host turned the request away before it was read ([`denied`]) |
//!
//! The contact comes out of `Data`, where the start node of the flow says it is (`contact_from`,
//! `contact_id_from`).

mod action;
mod shapes;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::kernel::Triggered;
use crate::request::{NO_CONTACT, TriggerRequest};
use crate::wire::body::{BodyReader, FieldErrors};
use crate::wire::{HttpAnswer, RETRY_AFTER, UNAVAILABLE, Unsayable, context_of};

pub use action::{ChatFlowAction, FlowMetric, PageParameters};
pub use shapes::{
    ChatFlowItem, FlowHead, FlowSchema, FlowTriggerType, FlowVersionItem, FlowViewModel, LogSettingItem,
    NodeErrorItem, NodeUsageItem, PageAnswer, done, version_done,
};

/// The parameters of a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TriggerChatFlow {
    /// The code of the flow.
    pub flow_code: String,
    /// The inputs of the flow, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Map<String, Value>>,
    /// The idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// A correlation id of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_id: Option<String>,
    /// When the event happened, in milliseconds after 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_time_millis: Option<i64>,
    /// From when on the trigger is void, in milliseconds after 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discard_time_millis: Option<i64>,
}

impl TriggerChatFlow {
    /// Reads a body. `Data` is an object or its JSON in a text, times are integers or their digits
    /// in a text. `null` is the same as a parameter that is not there.
    ///
    /// # Errors
    /// The answer to be sent: 422, with the first parameter that breaks a rule as its code, and all
    /// of them in its message. `request_id` names the request, and is the host's to give.
    pub fn from_json(body: &[u8], request_id: &str) -> Result<Self, HttpAnswer> {
        BodyReader::new(body).and_then(Self::read).map_err(|errors| invalid(&errors, request_id))
    }

    /// Reads the parameters of a query string or a form, as the product's RPC style has them.
    /// Parameters of other names, such as `Action` and `Signature`, are left alone.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_parameters<K: Into<String>, V: Into<String>>(
        parameters: impl IntoIterator<Item = (K, V)>,
        request_id: &str,
    ) -> Result<Self, HttpAnswer> {
        Self::read(BodyReader::of_texts(parameters)).map_err(|errors| invalid(&errors, request_id))
    }

    pub(super) fn read(mut fields: BodyReader) -> Result<Self, FieldErrors> {
        let request = Self {
            flow_code: fields.required("FlowCode"),
            data: fields.object_or_text("Data"),
            uuid: fields.text("Uuid"),
            out_id: fields.text("OutId"),
            claim_time_millis: fields.integer("ClaimTimeMillis"),
            discard_time_millis: fields.integer("DiscardTimeMillis"),
        };
        fields.finish(request)
    }

    /// Returns the trigger that it asks for.
    ///
    /// # Errors
    /// The answer to be sent: 422, for a time beyond what a date can say.
    pub fn into_request(self, request_id: &str) -> Result<TriggerRequest, HttpAnswer> {
        TriggerRequest::try_from(self).map_err(|error| refused(&error, request_id))
    }

    /// The parameters that ask for a trigger.
    ///
    /// # Errors
    /// [`Unsayable`] for what they have no field for: the contact is to be in the context.
    pub fn of(request: &TriggerRequest) -> Result<Self, Unsayable> {
        let unsayable = [("contact_id", request.contact_id.is_some()), ("phone", request.phone.is_some())];
        let data = context_of(request, &unsayable)?;
        Ok(Self {
            flow_code: request.flow.clone(),
            data,
            uuid: request.uuid.clone(),
            out_id: request.out_id.clone(),
            claim_time_millis: request.claim_time.map(|at| at.timestamp_millis()),
            discard_time_millis: request.discard_time.map(|at| at.timestamp_millis()),
        })
    }
}

/// As [`TriggerChatFlow::into_request`], with the error that [`refused`] makes an answer of.
impl TryFrom<TriggerChatFlow> for TriggerRequest {
    type Error = Error;

    fn try_from(asked: TriggerChatFlow) -> Result<Self, Error> {
        let mut request = Self::new(asked.flow_code);
        request.uuid = asked.uuid;
        request.out_id = asked.out_id;
        request.claim_time = instant("claim_time", asked.claim_time_millis)?;
        request.discard_time = instant("discard_time", asked.discard_time_millis)?;
        Ok(match asked.data {
            Some(data) => request.context(data),
            None => request,
        })
    }
}

fn instant(field: &'static str, millis: Option<i64>) -> Result<Option<DateTime<Utc>>, Error> {
    let Some(millis) = millis else { return Ok(None) };
    let at = DateTime::from_timestamp_millis(millis);
    at.map(Some).ok_or_else(|| Error::invalid(field, "must be a time that a date can say"))
}

/// The body of every answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChatFlowAnswer {
    /// `None`, as the product writes it.
    pub access_denied_detail: String,
    /// The request's id, which the host gives.
    pub request_id: String,
    /// The error in words; `None` where there is none.
    pub message: String,
    /// Empty.
    pub data: Map<String, Value>,
    /// `OK`, or the error's code.
    pub code: String,
    /// True if the call succeeded.
    pub success: bool,
}

impl ChatFlowAnswer {
    /// Reads an answer of the API, for a host that calls it. A body that is none, such as that of a
    /// proxy, is read as what its status says.
    ///
    /// ```
    /// use chatflow::wire::alibaba::ChatFlowAnswer;
    ///
    /// let body = br#"{"AccessDeniedDetail": "None", "RequestId": "R-1", "Message": "None",
    ///     "Data": {}, "Code": "OK", "Success": true}"#;
    /// assert!(ChatFlowAnswer::read(200, body).success);
    /// let proxy = ChatFlowAnswer::read(502, b"<html>");
    /// assert_eq!((&*proxy.code, proxy.is_retryable()), ("ServiceUnavailable", true));
    /// ```
    #[must_use]
    pub fn read(status: u16, body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_else(|_| {
            let code = if matches!(status, 200..=299 | 500..) { SERVICE_UNAVAILABLE } else { denial(status) };
            failed(code, format_args!("status {status} without a body that can be read"), "")
        })
    }

    /// Returns true if the same call may be made again, with the same `Uuid`.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !self.success && [THROTTLED, TIMEOUT, SERVICE_UNAVAILABLE, INTERNAL_ERROR].contains(&&*self.code)
    }
}

const THROTTLED: &str = "Throttled";
const TIMEOUT: &str = "Timeout";
const SERVICE_UNAVAILABLE: &str = "ServiceUnavailable";
const INTERNAL_ERROR: &str = "InternalError";

/// Returns the answer to a request that the host turns away before it is read, by the status that
/// the host gives it: without a token, too large, too fast.
pub fn denied(status: u16, message: impl ToString, request_id: &str) -> HttpAnswer {
    refusal(status, denial(status), message, request_id)
}

fn denial(status: u16) -> &'static str {
    match status {
        401 => "Unauthenticated",
        403 => "Forbidden",
        408 => TIMEOUT,
        413 => "TooLarge",
        429 => THROTTLED,
        503 => SERVICE_UNAVAILABLE,
        500.. => INTERNAL_ERROR,
        _ => "BadRequest",
    }
}

/// Returns the answer to a trigger.
pub fn answer(outcome: &Result<Triggered, Error>, request_id: &str) -> HttpAnswer {
    match outcome {
        Ok(Triggered::Started(_) | Triggered::AlreadyRunning(_)) => {
            let body = ChatFlowAnswer {
                access_denied_detail: "None".to_owned(),
                request_id: request_id.to_owned(),
                message: "None".to_owned(),
                data: Map::new(),
                code: "OK".to_owned(),
                success: true,
            };
            HttpAnswer::new(200, &body)
        }
        Ok(refused @ (Triggered::Discarded | Triggered::Refused(_))) => {
            refusal(200, "TriggerDiscarded", refused, request_id)
        }
        Err(failed) => refused(failed, request_id),
    }
}

/// Returns the answer to an operation that failed.
pub fn refused(failed: &Error, request_id: &str) -> HttpAnswer {
    let status = failed.http_status();
    match failed {
        Error::FlowNotFound(_) => refusal(status, "FlowNotFound", failed, request_id),
        Error::FlowNotPublished(_) | Error::NoEntryNode(_) => {
            refusal(status, "FlowNotPublished", failed, request_id)
        }
        Error::IdempotencyConflict(_) | Error::Erased(_) => {
            refusal(status, "IdempotencyConflict", failed, request_id)
        }
        Error::InvalidInput { field, rule } => match (&**field, rule.strip_prefix(NO_CONTACT)) {
            ("contact", Some(places)) => {
                refusal(status, "NoContact", no_contact(places.trim_start_matches(", or ")), request_id)
            }
            ("contact" | "contact_id" | "phone" | "address", _) => {
                refusal(status, "NoContact", failed, request_id)
            }
            (field, _) => invalid(&FieldErrors::one(named(field), rule), request_id),
        },
        Error::ContactNotFound(_) => refusal(status, "NoContact", failed, request_id),
        Error::Issues(_) => refusal(status, "InvalidData.FlowViewModel", failed, request_id),
        Error::InvalidState { .. } | Error::Stale(_) | Error::InUse { .. } | Error::CannotMigrate { .. } => {
            refusal(status, "FlowStateConflict", failed, request_id)
        }
        Error::TooManySessions { .. } => {
            HttpAnswer { retry_after: Some(RETRY_AFTER), ..refusal(429, THROTTLED, failed, request_id) }
        }
        _ => {
            let answer = refusal(503, SERVICE_UNAVAILABLE, UNAVAILABLE, request_id);
            HttpAnswer { retry_after: Some(RETRY_AFTER), ..answer }
        }
    }
}

/// The sentence for a trigger without a contact, which has `Data` alone to name one.
fn no_contact(places: &str) -> String {
    match places.replace("`context.", "`Data.") {
        none if none.is_empty() => {
            "the flow's start node does not say where in `Data` the contact is".to_owned()
        }
        places => format!("the contact must be given in {places}"),
    }
}

/// The parameter behind a field of a trigger; an input goes by its own name.
fn named(field: &str) -> &str {
    match field {
        "flow" | "code" => "FlowCode",
        "name" => "Title",
        "remark" => "Remark",
        "version" => "FlowVersion",
        "context" => "Data",
        "uuid" => "Uuid",
        "out_id" => "OutId",
        "claim_time" => "ClaimTimeMillis",
        "discard_time" => "DiscardTimeMillis",
        field => field.strip_prefix("context.").unwrap_or(field),
    }
}

pub(super) fn invalid(errors: &FieldErrors, request_id: &str) -> HttpAnswer {
    let (field, rule) = errors.first();
    let kind = if rule.starts_with("is required") { "MissingData" } else { "InvalidData" };
    refusal(422, &format!("{kind}.{field}"), errors.sentence(), request_id)
}

fn refusal(status: u16, code: &str, message: impl ToString, request_id: &str) -> HttpAnswer {
    HttpAnswer::new(status, &failed(code, message, request_id))
}

fn failed(code: &str, message: impl ToString, request_id: &str) -> ChatFlowAnswer {
    ChatFlowAnswer {
        access_denied_detail: "None".to_owned(),
        request_id: request_id.to_owned(),
        message: message.to_string(),
        data: Map::new(),
        code: code.to_owned(),
        success: false,
    }
}
