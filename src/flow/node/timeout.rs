//! The time that a question waits: for a time, or until one (SEMANTICS N3, U17).

use chrono::TimeDelta;
use serde::{Serialize, Serializer};
use serde_json::Value;
#[cfg(feature = "schema")]
use serde_json::json;

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::path::Path;
use crate::flow::form::read::Read;
#[cfg(feature = "schema")]
use crate::flow::form::schema::SchemaDefinitions;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::times::{Times, UntilDef};

/// The time that a question waits: `"30m"`, or until a time, `{"until": "next 09:00 mon-fri"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeoutDef {
    /// So long.
    After(Span),
    /// Until then. Where a template gives no time, the question waits as long as its session lives.
    Until(UntilDef),
}

/// A compiled timeout.
#[derive(Clone, Debug)]
pub(crate) enum Timeout {
    After(TimeDelta),
    Until(Box<Times>),
}

impl TimeoutDef {
    /// None with an issue.
    pub(crate) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Timeout> {
        match self {
            Self::After(span) => Some(Timeout::After(cx.wait(at, span))),
            Self::Until(times) => times.compile(at, cx).map(Box::new).map(Timeout::Until),
        }
    }

    /// The longest that it lasts, as far as that is written.
    pub(crate) fn longest(&self) -> Option<TimeDelta> {
        match self {
            Self::After(span) => Some(span.as_delta()),
            Self::Until(times) => times.longest(),
        }
    }
}

impl From<Span> for TimeoutDef {
    fn from(span: Span) -> Self {
        Self::After(span)
    }
}

impl Serialize for TimeoutDef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::After(span) => span.serialize(serializer),
            Self::Until(times) => times.serialize(serializer),
        }
    }
}

impl Read for TimeoutDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::Object(_) => UntilDef::read(value, at, found).map(Self::Until),
            other => Span::read(other, at, found).map(Self::After),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        book.refer::<Self>(|book| json!({"anyOf": [Span::schema(book), UntilDef::schema(book)]}))
    }
}
