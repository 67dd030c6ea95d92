//! `llm`: the host asks a language model (SEMANTICS D2).

use serde::Serialize;
use serde_json::{Number, Value};

use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;
use crate::flow::node::call::{HostCall, RequestParts};
use crate::flow::node::{Blocking, NodeContract, Port, PortName};

/// A question to a language model, put by the host. Branches: `next`, `failed`.
///
/// The host answers a text. With a `fallback` that text takes the answer's place when the host
/// fails, is late or answers no text, and the session leaves by `next`; without one it takes
/// `failed`.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "draft", "kind": "llm", "model": "small", "temperature": 0.2, "max_tokens": 300,
///     "system": "You answer for a shop, in {{ contact.language | default('en') }}, in two sentences.",
///     "prompt": "{{ reply.text }}", "fallback": "Someone will write to you soon.",
///     "timeout": "20s", "save_to": "draft"
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LlmDef {
    /// The question, a template.
    pub prompt: String,
    /// Instructions on the model's behaviour, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The model, in the host's words; the host's choice if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The sampling temperature, 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Number>,
    /// The maximum length of the answer, in the model's tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The text that takes the answer's place if there is none, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// The time that the host may take; 30 seconds if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// The variable that takes the answer.
    pub save_to: String,
}

/// A compiled question.
#[derive(Clone, Debug)]
pub(crate) struct Llm {
    pub(crate) call: HostCall,
    pub(crate) fallback: Option<Template>,
}

const FAILED: Port = Port(1);

impl LlmDef {
    /// A question whose answer goes into a variable.
    #[must_use]
    pub fn asking(prompt: impl Into<String>, save_to: impl Into<String>) -> Self {
        Self { prompt: prompt.into(), save_to: save_to.into(), ..Self::default() }
    }
}

impl NodeContract for LlmDef {
    type Compiled = Llm;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            prompt: fields.required("prompt").unwrap_or_default(),
            system: fields.optional("system"),
            model: fields.optional("model"),
            temperature: fields.optional("temperature"),
            max_tokens: fields.optional("max_tokens"),
            fallback: fields.optional("fallback"),
            timeout: fields.optional("timeout"),
            save_to: fields.required("save_to").unwrap_or_default(),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into(), "failed".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Llm> {
        if let Some(model) = &self.model {
            cx.name(&at.key("model"), model);
        }
        let heat = self.temperature.as_ref().and_then(Number::as_f64);
        if heat.is_some_and(|heat| !(0.0..=2.0).contains(&heat)) {
            cx.found.add(
                IssueCode::BadValue,
                &at.key("temperature"),
                "must be 0 to 2",
                "give a number from 0 to 2",
            );
        }
        if self.max_tokens == Some(0) {
            let fix = "give a number from 1, or leave it out";
            cx.found.add(IssueCode::BadValue, &at.key("max_tokens"), "must be at least 1", fix);
        }
        let mut parts = RequestParts::of(at, cx).required("prompt", &self.prompt);
        parts = parts.optional("system", self.system.as_deref());
        for (key, value) in [
            ("model", self.model.as_deref().map(Value::from)),
            ("temperature", self.temperature.clone().map(Into::into)),
            ("max_tokens", self.max_tokens.map(Into::into)),
        ] {
            if let Some(value) = value {
                parts = parts.fixed(key, value);
            }
        }
        let args = parts.close();
        let fallback = self.fallback.as_ref().map(|source| cx.template(&at.key("fallback"), source));
        let common = (Some(self.save_to.as_str()), self.timeout.as_ref());
        let call = HostCall::compile(args?, common, FAILED, at, cx);
        Some(Llm { call, fallback: fallback.map_or(Some(None), |template| template.map(Some))? })
    }

    fn blocking(&self) -> Blocking<'_> {
        Blocking::Timed
    }

    fn writes(&self) -> Vec<&str> {
        vec![self.save_to.as_str()]
    }
}
