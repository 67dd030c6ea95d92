//! The node `http_request`: an allowed host, no redirects, an answer of at most 1 MiB.

use std::error::Error;
use std::time::Duration;

use chatflow::CallError;
use chatflow::calls::{Answer, Call, HttpCall};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, redirect};
use serde_json::{Map, Value, json};

use crate::calls::reach::{AllowList, PublicResolver};
use crate::channels::read_bounded;

/// Longest time of one request: below what the engine gives a call.
const TIME: Duration = Duration::from_secs(10);
/// Headers that are the connection's own, and not an author's.
const OWN: &[&str] = &[
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "keep-alive",
];

/// Makes the requests of flows.
pub struct HttpRequests {
    client: Client,
    allowed: AllowList,
}

impl HttpRequests {
    /// To these hosts, whose names a resolver finds.
    ///
    /// # Errors
    /// When the system gives no TLS.
    pub fn new(hosts: &[String], resolver: PublicResolver) -> Result<Self, String> {
        let client = Client::builder()
            .dns_resolver(resolver)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(TIME)
            .user_agent("chatflow-service")
            .build()
            .map_err(|error| format!("no client for http_request: {error}"))?;
        Ok(Self { client, allowed: AllowList::new(hosts) })
    }

    /// Makes one request. Its call's id is sent along, so that a receiver recognises a repeat.
    ///
    /// # Errors
    /// `Failed` where a repetition would be refused as well, else `Retry`.
    pub async fn make(&self, call: &Call, http: &HttpCall) -> Result<Answer, CallError> {
        let url = self.allowed.check(&http.url).map_err(CallError::failed)?;
        let method = Method::from_bytes(http.method.as_str().as_bytes()).map_err(CallError::failed)?;
        let mut request = self
            .client
            .request(method, url)
            .header("Idempotency-Key", call.reference.call.to_string())
            .headers(headers(http)?);
        request = match &http.body {
            None => request,
            Some(Value::String(text)) => request.body(text.clone()),
            Some(json) => {
                let has_type = http.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
                let request = request.body(json.to_string());
                if has_type { request } else { request.header(CONTENT_TYPE, "application/json") }
            }
        };
        let answer = request.send().await.map_err(|error| failed(&error))?;
        let (status, headers) = (answer.status().as_u16(), told(answer.headers()));
        let is_json = answer.headers().get(CONTENT_TYPE).is_some_and(is_json);
        let body = read_bounded(answer).await.map_err(CallError::failed)?;
        let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
        let body = if is_json { serde_json::from_slice(&body).unwrap_or_else(|_| text()) } else { text() };
        Ok(Answer::now(json!({"status": status, "headers": headers, "body": body})))
    }
}

fn headers(http: &HttpCall) -> Result<HeaderMap, CallError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &http.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(CallError::failed)?;
        if OWN.contains(&name.as_str()) || name.as_str().starts_with("proxy-") {
            return Err(CallError::failed(format_args!("the header `{name}` is not a flow's to set")));
        }
        headers.insert(name, HeaderValue::from_str(value).map_err(CallError::failed)?);
    }
    Ok(headers)
}

fn told(headers: &HeaderMap) -> Map<String, Value> {
    let readable =
        headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())));
    readable.take(64).collect()
}

fn is_json(media: &HeaderValue) -> bool {
    media
        .to_str()
        .is_ok_and(|media| media.split(';').next().is_some_and(|name| name.trim().ends_with("json")))
}

/// A refusal of the resolver is final; whatever else broke the connection may pass.
fn failed(error: &reqwest::Error) -> CallError {
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(inner) = cause {
        let told = inner.to_string();
        if told.contains("is not a public one") {
            return CallError::failed(told);
        }
        cause = inner.source();
    }
    CallError::retry(if error.is_timeout() { "no answer in time" } else { "the connection failed" })
}
