//! Alibaba's RPC form: `POST /?Action=…`, with parameters in the query, in a form or in JSON. The
//! trigger is `chatflow::wire::alibaba`'s; the operations on flows are here, in the product's
//! words.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::header::CONTENT_TYPE};
use chatflow::Error;
use chatflow::wire::alibaba::{ChatFlowAnswer, TriggerChatFlow, answer};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::Bot;
use crate::error::ErrorBody;
use crate::guard::Tenant;
use crate::input::{Raw, is_json};
use crate::routes::alibaba_flows as flows;
use crate::routes::qyvo::respond;

/// The parameters of a request, each a text.
pub struct Parameters {
    texts: BTreeMap<String, String>,
    request_id: String,
}

/// A refusal: the status, the product's code, and the reason.
pub struct RpcError {
    status: u16,
    code: String,
    message: String,
}

/// The result of an operation.
pub type Outcome = Result<Map<String, Value>, RpcError>;

impl RpcError {
    /// A parameter that is not there.
    pub fn missing(name: &str) -> Self {
        Self { status: 422, code: format!("MissingData.{name}"), message: format!("`{name}` is required") }
    }

    /// A parameter that breaks a rule.
    pub fn invalid(name: &str, rule: impl std::fmt::Display) -> Self {
        Self { status: 422, code: format!("InvalidData.{name}"), message: format!("`{name}` {rule}") }
    }
}

impl From<Error> for RpcError {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::FlowNotFound(_) => "FlowNotFound".to_owned(),
            Error::FlowNotPublished(_) | Error::NoEntryNode(_) => "FlowNotPublished".to_owned(),
            Error::InvalidState { .. } | Error::InUse { .. } | Error::Stale(_) => {
                "FlowStateConflict".to_owned()
            }
            Error::Issues(_) => "InvalidData.FlowViewModel".to_owned(),
            Error::InvalidInput { field, .. } => format!("InvalidData.{}", flows::parameter(field)),
            _ => "ServiceUnavailable".to_owned(),
        };
        let message = match &error {
            Error::Store(_) => "the service is unavailable for the moment".to_owned(),
            error => error.to_string(),
        };
        Self { status: error.http_status(), code, message }
    }
}

impl Parameters {
    fn read(query: Vec<(String, String)>, headers: &HeaderMap, body: &Bytes) -> Result<Self, RpcError> {
        let mut texts: BTreeMap<String, String> = query.into_iter().collect();
        if is_json(headers) && !body.is_empty() {
            let fields: Map<String, Value> = serde_json::from_slice(body)
                .map_err(|error| RpcError::invalid("body", format_args!("must be a JSON object: {error}")))?;
            texts.extend(fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
                match value {
                    Value::String(text) => (name, text),
                    value => (name, value.to_string()),
                }
            }));
        } else {
            texts.extend(url::form_urlencoded::parse(body).into_owned());
        }
        Ok(Self { texts, request_id: request_id() })
    }

    /// A parameter that is not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// `MissingData`.
    pub fn required(&self, name: &str) -> Result<&str, RpcError> {
        self.text(name).ok_or_else(|| RpcError::missing(name))
    }

    /// A number within bounds, or another one where none is given.
    ///
    /// # Errors
    /// `InvalidData`.
    pub fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<i64>,
        otherwise: i64,
    ) -> Result<i64, RpcError> {
        let Some(text) = self.text(name) else { return Ok(otherwise) };
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        number.ok_or_else(|| {
            RpcError::invalid(name, format_args!("must be {} to {}", bounds.start(), bounds.end()))
        })
    }
}

fn request_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the id says less, and the request is answered all the same.
    let _ = getrandom::fill(&mut bytes);
    uuid::Uuid::from_bytes(bytes).hyphenated().to_string().to_uppercase()
}

/// Does what `Action` names.
#[utoipa::path(post, path = "/", tag = "Alibaba",
    params(("Action" = String, Query, description = "Such as `TriggerChatFlow`; the other parameters beside it."),
        ("FlowCode" = Option<String>, Query, description = "The flow.")),
    responses((status = 200, description = "Done; `Code` is `OK`, or says why nothing was started.", body = Object),
        (status = 400, description = "It cannot be read.", body = ErrorBody),
        (status = 401, description = "No token.", body = ErrorBody),
        (status = 404, description = "No such flow.", body = Object),
        (status = 408, description = "It took too long.", body = ErrorBody),
        (status = 409, description = "The flow's state does not allow it.", body = Object),
        (status = 410, description = "The key is that of an erased contact.", body = Object),
        (status = 413, description = "Too large.", body = ErrorBody),
        (status = 422, description = "A parameter breaks a rule.", body = Object),
        (status = 429, description = "Too many.", body = Object),
        (status = 503, description = "Come again.", body = Object)))]
pub async fn rpc(
    tenant: Tenant,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Response {
    let parameters = match Parameters::read(query, &headers, &body) {
        Ok(parameters) => parameters,
        Err(refused) => return refusal(refused, request_id()),
    };
    match parameters.text("Action").unwrap_or_default() {
        "TriggerChatFlow" => trigger(&tenant.bot, parameters).await,
        action => {
            let (key, outcome) = flows::operate(&tenant, action, &parameters).await;
            match outcome {
                Ok(data) => done(key, data, parameters.request_id),
                Err(refused) => refusal(refused, parameters.request_id),
            }
        }
    }
}

async fn trigger(bot: &Bot, Parameters { texts, request_id }: Parameters) -> Response {
    let read = TriggerChatFlow::from_parameters(texts, &request_id);
    respond(match read.and_then(|asked| asked.into_request(&request_id)) {
        Ok(request) => answer(&bot.trigger(request).await, &request_id),
        Err(refused) => refused,
    })
}

/// Operations on versions bring `Response`, all others `Data`.
#[derive(Clone, Copy)]
pub enum Key {
    /// `Data`.
    Data,
    /// `Response`.
    Response,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VersionAnswer {
    response: Map<String, Value>,
    access_denied_detail: &'static str,
    request_id: String,
    message: &'static str,
    code: &'static str,
    success: bool,
}

fn done(key: Key, data: Map<String, Value>, request_id: String) -> Response {
    match key {
        Key::Data => json(StatusCode::OK, &envelope(request_id, "OK", "None", data)),
        Key::Response => json(
            StatusCode::OK,
            &VersionAnswer {
                response: data,
                access_denied_detail: "None",
                request_id,
                message: "None",
                code: "OK",
                success: true,
            },
        ),
    }
}

fn refusal(refused: RpcError, request_id: String) -> Response {
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    json(status, &envelope(request_id, &refused.code, &refused.message, Map::new()))
}

fn envelope(request_id: String, code: &str, message: &str, data: Map<String, Value>) -> ChatFlowAnswer {
    ChatFlowAnswer {
        access_denied_detail: "None".to_owned(),
        request_id,
        message: message.to_owned(),
        data,
        code: code.to_owned(),
        success: code == "OK",
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], Json(body)).into_response()
}
