//! Alibaba's RPC form: `POST /?Action=…`, with parameters in the query, in a form or in JSON. Which
//! actions there are, and what they answer, is `chatflow::wire::alibaba`'s.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use chatflow::wire::HttpAnswer;
use chatflow::wire::alibaba::{ChatFlowAction, TriggerChatFlow, denied};
use serde_json::{Map, Value};

use crate::error::RefusalText;
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

/// Gives what the service itself refuses at this address, such as a request without a token, the
/// shape that the product's callers read.
pub async fn in_envelope(request: Request, next: Next) -> Response {
    let is_rpc = request.method() == Method::POST && request.uri().path() == "/";
    let answer = next.run(request).await;
    let Some(RefusalText(text)) = answer.extensions().get().filter(|_| is_rpc) else { return answer };
    let refused = denied(answer.status().as_u16(), text, &new_request_id());
    let (mut parts, _) = answer.into_parts();
    // Headers stay, such as `Retry-After`; the body has another length.
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(refused.body))
}

/// Does what `Action` names.
#[utoipa::path(post, path = "/", tag = "Alibaba",
    params(("Action" = String, Query, description = "Such as `TriggerChatFlow`; the other parameters beside it."),
        ("FlowCode" = Option<String>, Query, description = "The flow.")),
    responses((status = 200, description = "Done; `Code` is `OK`, or says why nothing was started.", body = Object),
        (status = 400, description = "It cannot be read.", body = Object),
        (status = 401, description = "No token.", body = Object),
        (status = 404, description = "No such flow.", body = Object),
        (status = 408, description = "It took too long.", body = Object),
        (status = 409, description = "The flow's state does not allow it.", body = Object),
        (status = 410, description = "The key is that of an erased contact.", body = Object),
        (status = 413, description = "Too large.", body = Object),
        (status = 415, description = "The body is encoded.", body = Object),
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
