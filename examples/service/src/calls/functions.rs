//! The node `function`: a POST to the team's own endpoint, which answers now or later.

use chatflow::CallError;
use chatflow::calls::{Answer, Call, CallResult};
use chatflow::value::PackedMap;
use reqwest::Client;
use serde_json::json;

use crate::channels::read_bounded;
use crate::config::CallConfig;

/// Where functions are.
pub struct Functions {
    client: Client,
    url: String,
    token: Option<String>,
}

impl Functions {
    /// The endpoint that is set, if one is.
    #[must_use]
    pub fn of(client: Client, config: &CallConfig) -> Option<Self> {
        let url = config.functions_url.as_deref()?.trim_end_matches('/').to_owned();
        Some(Self { client, url, token: config.functions_token.clone() })
    }

    /// Calls a function: `POST URL/NAME` with `{"reference", "flow", "node", "args"}`. Status 200
    /// with a [`CallResult`] is the answer; 202 means that it comes later, by `POST
    /// /api/v1/calls/complete` with the same reference.
    ///
    /// # Errors
    /// `Retry` where another try may help, else `Failed`.
    pub async fn call(&self, call: &Call, name: &str, args: &PackedMap) -> Result<Answer, CallError> {
        let mut url = url::Url::parse(&self.url).map_err(CallError::failed)?;
        url.path_segments_mut().map_err(|()| CallError::failed("FUNCTIONS_URL has no path"))?.push(name);
        let body = json!({"reference": call.reference, "flow": call.flow, "node": call.node, "args": args.to_json()});
        let mut request =
            self.client.post(url).header("Idempotency-Key", call.reference.call.to_string()).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.map_err(|error| CallError::retry(error.without_url()))?;
        let status = answer.status().as_u16();
        let body = read_bounded(answer).await.map_err(CallError::retry)?;
        match status {
            200 => serde_json::from_slice::<CallResult>(&body).map(Answer::Now).map_err(|error| {
                CallError::failed(format_args!("the answer of `{name}` cannot be read: {error}"))
            }),
            202 => Ok(Answer::Later),
            408 | 425 | 429 | 500.. => Err(CallError::retry(format_args!("`{name}` answered {status}"))),
            _ => Err(CallError::failed(format_args!("`{name}` answered {status}"))),
        }
    }
}
