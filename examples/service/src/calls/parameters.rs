//! Parameters of a question to a model that not every model takes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// A parameter that some models refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// `temperature`, which models that think have at one value alone.
    Temperature,
    /// `max_tokens`, which is `max_completion_tokens` there.
    MaxTokens,
}

impl Parameter {
    const ALL: [Self; 2] = [Self::Temperature, Self::MaxTokens];

    fn name(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::MaxTokens => "max_tokens",
        }
    }

    /// The parameter that a model does not take, by an answer with status 400. A value that is out
    /// of range is the flow's affair.
    #[must_use]
    pub fn refused_in(answer: &[u8]) -> Option<Self> {
        let answer: Value = serde_json::from_slice(answer).ok()?;
        let error = &answer["error"];
        let message = error["message"].as_str().unwrap_or_default();
        let is_unsupported = error["code"].as_str().is_some_and(|code| code.starts_with("unsupported"))
            || message.to_ascii_lowercase().contains("support");
        if !is_unsupported {
            return None;
        }
        let quoted = |name: &str| [format!("'{name}'"), format!("`{name}`")];
        Self::ALL.into_iter().find(|parameter| match error["param"].as_str() {
            Some(named) => named == parameter.name(),
            None => quoted(parameter.name()).iter().any(|name| message.contains(name)),
        })
    }

    /// Has a question do without it. Returns false where it has none.
    pub fn adapt(self, body: &mut Value) -> bool {
        let Some(value) = body.as_object_mut().and_then(|body| body.remove(self.name())) else {
            return false;
        };
        if self == Self::MaxTokens {
            body["max_completion_tokens"] = value;
        }
        true
    }
}

/// The parameters that each model refused in this process.
#[derive(Debug, Default)]
pub struct RefusedParameters(Mutex<HashMap<String, Vec<Parameter>>>);

impl RefusedParameters {
    /// Those of a model.
    #[must_use]
    pub fn of(&self, model: &str) -> Vec<Parameter> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(model).cloned().unwrap_or_default()
    }

    /// Notes one.
    pub fn note(&self, model: &str, parameter: Parameter) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(model.to_owned()).or_default();
        if !known.contains(&parameter) {
            known.push(parameter);
        }
    }
}
