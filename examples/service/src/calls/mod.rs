//! What flows ask the host.

use chatflow::calls::{Answer, Call};
use chatflow::{CallError, Calls};

use crate::config::CallConfig;

/// Answers the calls of flows.
pub struct HostCalls {}

impl HostCalls {
    /// With what is set.
    ///
    /// # Errors
    /// What is set wrongly.
    pub fn new(_config: &CallConfig) -> Result<Self, String> {
        Ok(Self {})
    }
}

impl Calls for HostCalls {
    async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        Err(CallError::failed(format_args!("`{}` is not something that this service does", call.name())))
    }
}
