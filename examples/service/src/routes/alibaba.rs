//! Alibaba's RPC form: `POST /?Action=…`, with parameters in the query, in a form or in JSON. Which
//! actions there are, and what they answer, is `chatflow::wire::alibaba`'s.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::HeaderMap;
use axum::response::Response;
use chatflow::wire::HttpAnswer;
use chatflow::wire::alibaba::{ChatFlowAction, TriggerChatFlow};
use serde_json::{Map, Value};

use crate::error::ErrorBody;
use crate::guard::Tenant;
use crate::input::{Raw, is_json};
use crate::routes::alibaba_flows::operate;
use crate::routes::qyvo::respond;

/// The parameters of a request, each a text.
fn parameters(
    query: Vec<(String, String)>,
    headers: &HeaderMap,
    body: &Bytes,
    request_id: &str,
) -> Result<BTreeMap<String, String>, HttpAnswer> {
    let mut texts: BTreeMap<String, String> = query.into_iter().collect();
    if !is_json(headers) || body.is_empty() {
        texts.extend(url::form_urlencoded::parse(body).into_owned());
        return Ok(texts);
    }
    match serde_json::from_slice::<Map<String, Value>>(body) {
        Ok(fields) => {
            let given = fields.into_iter().filter(|(_, value)| !value.is_null());
            texts.extend(given.map(|(name, value)| match value {
                Value::String(text) => (name, text),
                value => (name, value.to_string()),
            }));
            Ok(texts)
        }
        // The same answer as the trigger's, which says what is wrong with the body.
        Err(_) => TriggerChatFlow::from_json(body, request_id).map(|_| texts),
    }
}

fn new_request_id() -> String {
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
    let request_id = new_request_id();
    let texts = parameters(query, &headers, &body, &request_id);
    respond(match texts.and_then(|texts| ChatFlowAction::from_parameters(texts, &request_id)) {
        Ok(action) => operate(&tenant, action, &request_id).await,
        Err(refused) => refused,
    })
}
