//! The answer of a call: a value, or an error that names what is wrong.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chatflow::Error;
use chatflow::flow::Issues;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// An error as the page shows it.
#[derive(Debug)]
pub(crate) struct Outcome(Value);

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        let issues = match &error {
            Error::Issues(issues) => json!(issues),
            _ => json!([]),
        };
        Self(json!({
            "code": error.code(), "status": error.http_status(), "message": error.to_string(), "issues": issues,
        }))
    }
}

impl From<Issues> for Outcome {
    fn from(issues: Issues) -> Self {
        Error::Issues(issues).into()
    }
}

/// A field of a request that is not what it has to be.
pub(crate) fn bad(field: &str, rule: impl fmt::Display) -> Outcome {
    Outcome(json!({
        "code": "invalid_input", "status": 400, "message": format!("`{field}` {rule}"), "issues": [],
    }))
}

pub(crate) fn bad_json(error: serde_json::Error) -> Outcome {
    bad("request", format_args!("is not JSON: {error}"))
}

/// Answers a request.
pub(crate) fn of(request: &str, act: impl FnOnce(&Value) -> crate::Answered) -> String {
    let done = serde_json::from_str(request).map_err(bad_json).and_then(|request| act(&request));
    match done {
        Ok(value) => json!({"ok": value}).to_string(),
        Err(Outcome(error)) => json!({"error": error}).to_string(),
    }
}

/// A text of a request.
pub(crate) fn text<'a>(request: &'a Value, field: &str) -> Result<&'a str, Outcome> {
    request.get(field).and_then(Value::as_str).ok_or_else(|| bad(field, "must be a text"))
}

/// A text that need not be there.
pub(crate) fn optional<'a>(request: &'a Value, field: &str) -> Option<&'a str> {
    request.get(field).and_then(Value::as_str)
}

/// A field of whatever type.
pub(crate) fn typed<T: DeserializeOwned>(request: &Value, field: &str) -> Result<T, Outcome> {
    let value = request.get(field).cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|error| bad(field, error))
}

/// Waits for what never waits: the store is in memory, and each port answers at once.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}
