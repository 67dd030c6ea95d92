//! The request of a call, typed: one variant for each kind of node that asks the host. Made from
//! the call as it is stored; what a stored call lacks is empty here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::flow::HttpMethod;
use crate::gather::Gather;
use crate::session::{CallKind, PendingCall};
use crate::value::{Node, PackedMap};

/// A request of a flow to the host, with every template rendered.
///
/// ```
/// use chatflow::calls::Answer;
/// use chatflow::{CallError, CallRequest, call_fn};
///
/// let calls = call_fn(|call| async move {
///     match &call.request {
///         CallRequest::Function { name, args } => Ok(Answer::now(format!("{name} of {}", args.to_json()))),
///         CallRequest::Llm(ask) => Ok(Answer::now(format!("a model says something about {}", ask.prompt))),
///         _ => Err(CallError::failed(format_args!("`{}` is nothing that this host does", call.name()))),
///     }
/// });
/// # let _ = calls;
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CallRequest {
    /// A function of the host. Answer: any value.
    Function {
        /// The function's name.
        name: Arc<str>,
        /// The arguments; a JSON object.
        args: PackedMap,
    },
    /// A request over HTTP. Answer: `{"status": 200, "headers": {…}, "body": …}`, of which the flow
    /// needs `status` to tell a failure.
    HttpRequest(HttpCall),
    /// A question to a language model. Answer: a text.
    Llm(LlmCall),
    /// The class that a text belongs to. Answer: the class's id, or `{"class": "…", "score": 0.9}`;
    /// `null` for none.
    Classify(ClassifyCall),
    /// The language of a text. Answer: a language tag, such as `en` or `pt-BR`.
    RecognizeLanguage(LanguageCall),
}

/// A request over HTTP. Its address holds what people said: a host decides where its flows may
/// reach, and keeps them away from its own network.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HttpCall {
    /// The method.
    pub method: HttpMethod,
    /// The address, `http` or `https`, with the query.
    pub url: String,
    /// The headers, without control characters.
    pub headers: BTreeMap<String, String>,
    /// The body: a text as it is, anything else as JSON.
    pub body: Option<Value>,
}

/// A question to a language model.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LlmCall {
    /// The question to the model.
    pub prompt: String,
    /// Instructions on the model's behaviour.
    pub system: Option<String>,
    /// The model; the host's own choice if absent.
    pub model: Option<String>,
    /// Sampling temperature, 0 to 2.
    pub temperature: Option<f64>,
    /// Maximum length of the answer, in the model's tokens.
    pub max_tokens: Option<u64>,
}

/// A text to be classified.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassifyCall {
    /// The text.
    pub text: String,
    /// The classes to choose from.
    pub classes: Vec<Class>,
}

/// One class of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Class {
    /// Its id, which is the answer.
    pub id: String,
    /// A description of the texts that belong to it.
    pub description: Option<String>,
    /// Texts that belong to it.
    pub examples: Vec<String>,
}

/// A text whose language is to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LanguageCall {
    /// The text.
    pub text: String,
    /// The languages that the flow tells apart; empty if any.
    pub languages: Vec<String>,
}

impl CallRequest {
    /// Returns the function's name; of another request its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Function { name, .. } => name,
            Self::HttpRequest(_) => CallKind::HttpRequest.as_str(),
            Self::Llm(_) => CallKind::Llm.as_str(),
            Self::Classify(_) => CallKind::Classify.as_str(),
            Self::RecognizeLanguage(_) => CallKind::RecognizeLanguage.as_str(),
        }
    }

    pub(crate) fn of(call: &PendingCall) -> Self {
        let args = &call.args;
        match call.kind {
            CallKind::Function => Self::Function { name: Arc::clone(&call.name), args: args.clone() },
            CallKind::HttpRequest => Self::HttpRequest(HttpCall {
                method: text(args, "method").and_then(|word| HttpMethod::named(&word)).unwrap_or_default(),
                url: text(args, "url").unwrap_or_default(),
                headers: entries(args.get("headers")),
                body: args.get("body").map(Node::to_json),
            }),
            CallKind::Llm => Self::Llm(LlmCall {
                prompt: text(args, "prompt").unwrap_or_default(),
                system: text(args, "system"),
                model: text(args, "model"),
                temperature: args.get("temperature").and_then(Node::as_f64),
                max_tokens: args.get("max_tokens").and_then(Node::as_u64),
            }),
            CallKind::Classify => Self::Classify(ClassifyCall {
                text: text(args, "text").unwrap_or_default(),
                classes: args
                    .get("classes")
                    .map_or_else(Vec::new, |list| list.items().map(Class::of).collect()),
            }),
            CallKind::RecognizeLanguage => Self::RecognizeLanguage(LanguageCall {
                text: text(args, "text").unwrap_or_default(),
                languages: texts(args.get("languages")),
            }),
        }
    }
}

impl Class {
    fn of(class: Node<'_>) -> Self {
        let text = |key| class.get(key).and_then(Node::as_str).map(str::to_owned);
        Self {
            id: text("id").unwrap_or_default(),
            description: text("description"),
            examples: texts(class.get("examples")),
        }
    }
}

fn text(args: &PackedMap, key: &str) -> Option<String> {
    args.get(key).and_then(Node::as_str).map(str::to_owned)
}

fn texts(list: Option<Node<'_>>) -> Vec<String> {
    list.map_or_else(Vec::new, |list| list.items().filter_map(Node::as_str).map(str::to_owned).collect())
}

fn entries(object: Option<Node<'_>>) -> BTreeMap<String, String> {
    let entries = object.into_iter().flat_map(Node::entries);
    entries.filter_map(|(key, value)| Some((key.to_owned(), value.as_str()?.to_owned()))).gather()
}
