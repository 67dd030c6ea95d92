//! Answers to what flows ask the host, each kind in its file.

pub mod ai;
pub mod functions;
pub mod http;
pub mod parameters;
pub mod reach;
pub mod spoken;

use chatflow::calls::{Answer, Call, CallRequest};
use chatflow::{CallError, Calls};

use crate::calls::ai::Model;
use crate::calls::functions::Functions;
use crate::calls::http::HttpRequests;
use crate::calls::reach::AllowList;
use crate::channels::client;
use crate::config::CallConfig;

/// Answers the calls of flows.
pub struct HostCalls {
    /// The model, where one is set.
    pub model: Option<Model>,
    functions: Option<Functions>,
    http: HttpRequests,
}

impl HostCalls {
    /// With what is set.
    ///
    /// # Errors
    /// The setting that is wrong.
    pub fn new(config: &CallConfig) -> Result<Self, String> {
        Ok(Self {
            model: Model::of(config)?,
            functions: Functions::of(client()?, config),
            http: HttpRequests::new(AllowList::new(&config.http_allow)?, None)?,
        })
    }

    fn model(&self) -> Result<&Model, CallError> {
        self.model.as_ref().ok_or_else(|| CallError::failed("LLM_URL names no model"))
    }
}

impl Calls for HostCalls {
    async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        match &call.request {
            CallRequest::Function { name, args } => match &self.functions {
                Some(functions) => functions.call(call, name, args).await,
                None => Err(CallError::failed("FUNCTIONS_URL names no place where functions are")),
            },
            CallRequest::HttpRequest(http) => self.http.make(call, http).await,
            CallRequest::Llm(ask) => self.model()?.ask(ask).await,
            CallRequest::Classify(ask) => self.model()?.classify(ask).await,
            CallRequest::RecognizeLanguage(ask) => self.model()?.recognize_language(ask).await,
            _ => Err(CallError::failed(format_args!(
                "`{}` is not something that this service does",
                call.name()
            ))),
        }
    }
}
