//! `log`: tells those who run the flow something.

use serde::Serialize;

use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, words};
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;
use crate::flow::node::{NodeContract, PortName};

/// A line for those who run the flow: an [event](crate::observer::EventKind::Logged) to the
/// observer. Branch: `next`.
///
/// The event holds what the text renders to, so an author who writes down what people say has it in
/// the host's logs.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "seen", "kind": "log", "level": "warning", "text": "no stock for {{ vars.item }}"
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogDef {
    /// Its level of importance; `info` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// The text, a template.
    pub text: String,
}

words! {
    /// The level of importance of a line of a log.
    LogLevel {
        /// To those who look for a fault.
        Debug = "debug",
        /// Something to know.
        Info = "info",
        /// Something to look at.
        Warning = "warning",
        /// Something to fix.
        Error = "error",
    }
}

/// A compiled line.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) level: LogLevel,
    pub(crate) text: Template,
}

impl LogDef {
    /// A line of level `info`.
    #[must_use]
    pub fn info(text: impl Into<String>) -> Self {
        Self { level: None, text: text.into() }
    }
}

impl NodeContract for LogDef {
    type Compiled = Log;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self { level: fields.optional("level"), text: fields.required("text").unwrap_or_default() }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Log> {
        let text = cx.required_template(&at.key("text"), &self.text)?;
        Some(Log { level: self.level.unwrap_or(LogLevel::Info), text })
    }
}
