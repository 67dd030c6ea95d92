//! The node `http_request`: an allowed host, no redirects, an answer of at most 1 MiB.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use chatflow::CallError;
use chatflow::calls::{Answer, Call, HttpCall};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, redirect};
use serde_json::{Map, Value, json};

use crate::calls::reach::{AllowList, Lookup};
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

/// A request as a flow wants it.
#[derive(serde::Deserialize)]
#[serde(default)]
struct Wanted {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { method: "GET".to_owned(), url: String::new(), headers: BTreeMap::new(), body: None }
    }
}

/// Makes the requests of flows.
pub struct HttpRequests {
    client: Client,
    allowed: AllowList,
}

impl HttpRequests {
    /// To these hosts, whose names a lookup finds, the system's if it is None.
    ///
    /// # Errors
    /// When the system gives no TLS.
    pub fn new(allowed: AllowList, lookup: Option<Lookup>) -> Result<Self, String> {
        let client = Client::builder()
            .dns_resolver(allowed.resolver(lookup))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(TIME)
            .user_agent("chatflow-service")
            .build()
            .map_err(|error| format!("no client for http_request: {error}"))?;
        Ok(Self { client, allowed })
    }

    /// Makes one request. Its call's id is sent along, so that a receiver recognises a repeat.
    ///
    /// # Errors
    /// `Failed` where a repetition would be refused as well, else `Retry`.
    pub async fn make(&self, call: &Call, http: &HttpCall) -> Result<Answer, CallError> {
        let HttpCall { method, url, headers, body, .. } = http.clone();
        let wanted = Wanted { method: method.as_str().to_owned(), url, headers, body };
        self.request(&wanted, &call.reference.call.to_string()).await
    }

    async fn request(&self, http: &Wanted, key: &str) -> Result<Answer, CallError> {
        let url = self.allowed.check(&http.url).map_err(CallError::failed)?;
        let method = Method::from_bytes(http.method.as_bytes()).map_err(CallError::failed)?;
        let mut request =
            self.client.request(method, url).header("Idempotency-Key", key).headers(headers(http)?);
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

fn headers(http: &Wanted) -> Result<HeaderMap, CallError> {
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::http::{HeaderMap as Headers, StatusCode};
    use axum::response::Redirect;
    use axum::routing::{get, post};
    use tokio::net::TcpListener;

    use super::*;

    /// A server with something for each rule, by its port.
    async fn server() -> u16 {
        let router = Router::new()
            .route(
                "/echo",
                post(|headers: Headers, body: String| async move {
                    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
                    axum::Json(
                        json!({"key": key, "type": headers["content-type"].to_str().unwrap(), "body": body}),
                    )
                }),
            )
            .route("/gone", get(|| async { (StatusCode::GONE, "no more") }))
            .route("/away", get(|| async { Redirect::temporary("/echo") }))
            .route("/large", get(|| async { "x".repeat((1 << 20) + 1) }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        port
    }

    fn to(addresses: &'static [&'static str]) -> Option<Lookup> {
        Some(Arc::new(move |_| {
            Box::pin(async move {
                Ok(addresses.iter().map(|address| address.parse::<IpAddr>().unwrap()).collect())
            })
        }))
    }

    async fn make(requests: &HttpRequests, http: &Value) -> Result<Answer, CallError> {
        let node = serde_json::from_value(http.clone()).unwrap();
        requests.request(&node, "01890000-0000-7000-8000-000000000000.1").await
    }

    fn requests(is_allowed: fn(IpAddr) -> bool, lookup: Option<Lookup>) -> HttpRequests {
        let _ = rustls::crypto::ring::default_provider().install_default();
        HttpRequests::new(
            AllowList::new(&["api.example".to_owned()]).unwrap().with_addresses(is_allowed),
            lookup,
        )
        .unwrap()
    }

    fn value(answer: Answer) -> Value {
        match answer {
            Answer::Now(chatflow::CallResult::Value { value, .. }) => value,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_request_is_made_as_the_flow_says_and_no_redirect_is_followed() {
        let port = server().await;
        let requests = requests(|_| true, to(&["127.0.0.1"]));
        let url = |path: &str| format!("http://api.example:{port}/{path}");
        let posted = json!({"method": "POST", "url": url("echo"), "body": {"a": 1}});
        let answer = value(make(&requests, &posted).await.unwrap());
        assert_eq!((&answer["status"], &answer["body"]["body"]), (&json!(200), &json!("{\"a\":1}")));
        assert_eq!(answer["body"]["type"], "application/json");
        assert_eq!(answer["body"]["key"], "01890000-0000-7000-8000-000000000000.1");
        let gone = value(make(&requests, &json!({"url": url("gone")})).await.unwrap());
        assert_eq!((&gone["status"], &gone["body"]), (&json!(410), &json!("no more")));
        assert_eq!(value(make(&requests, &json!({"url": url("away")})).await.unwrap())["status"], 307);
        let large = make(&requests, &json!({"url": url("large")})).await.unwrap_err();
        assert!(large.to_string().contains("more than 1048576 bytes"), "{large}");
        for header in ["Host", "content-length", "Proxy-Authorization"] {
            let refused =
                make(&requests, &json!({"url": url("gone"), "headers": {header: "x"}})).await.unwrap_err();
            assert!(refused.to_string().contains("is not a flow's to set"), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_followed() {
        let port = server().await;
        let url = json!({"url": format!("http://api.example:{port}/gone")});
        for addresses in [
            &["127.0.0.1"][..],
            &["::1"],
            &["8.8.8.8", "10.0.0.1"],
            &["::ffff:127.0.0.1"],
            &["169.254.169.254"],
        ] {
            let addresses: &'static [&'static str] = Vec::leak(addresses.to_vec());
            let refused =
                make(&requests(super::super::reach::is_public, to(addresses)), &url).await.unwrap_err();
            assert!(
                matches!(&refused, CallError::Failed { reason } if reason.contains("not a public one")),
                "{refused}"
            );
        }
    }

    #[tokio::test]
    async fn a_name_is_checked_where_it_is_resolved_for_the_connection() {
        static LOOKUPS: AtomicUsize = AtomicUsize::new(0);
        let port = server().await;
        let turns: Lookup = Arc::new(|_| {
            Box::pin(async {
                // First outside, then inside: what a rebinding name does.
                let is_first = LOOKUPS.fetch_add(1, Ordering::SeqCst) == 0;
                Ok(vec![if is_first { "192.0.2.1" } else { "127.0.0.1" }.parse().unwrap()])
            })
        });
        let is_outside = |address: IpAddr| !address.is_loopback();
        let requests = requests(is_outside, Some(turns));
        let url = json!({"url": format!("http://api.example:{port}/gone")});
        // Nobody answers there; but that address was the only one that was tried.
        let _ = tokio::time::timeout(Duration::from_millis(200), make(&requests, &url)).await;
        let refused = make(&requests, &url).await.unwrap_err();
        assert!(refused.to_string().contains("not a public one"), "{refused}");
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 2);
    }
}
