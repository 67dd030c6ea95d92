//! `typing`: a sign that somebody is writing.

use serde::Serialize;

use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::node::{NodeContract, PortName, check_reply};

/// A sign that somebody is writing, in its place among the messages. Branch: `next`, at once: a
/// pause is a `delay`.
///
/// Nothing is lost with it: a channel that does not take it is not asked again.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{"id": "hm", "kind": "typing", "for": "2s"}"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypingDef {
    /// The time that it is shown; at most a minute.
    #[serde(rename = "for")]
    pub span: Span,
}

/// The compiled sign.
#[derive(Clone, Debug)]
pub(crate) struct Typing {
    pub(crate) seconds: u32,
}

/// Longer than any channel shows it.
const MOST_SECONDS: u32 = 60;

impl TypingDef {
    /// A sign of a length.
    #[must_use]
    pub fn lasting(span: Span) -> Self {
        Self { span }
    }
}

impl NodeContract for TypingDef {
    type Compiled = Typing;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self { span: fields.required("for").unwrap_or_else(Span::second) }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Typing> {
        check_reply(at, cx);
        let seconds = self.span.seconds();
        if seconds > MOST_SECONDS {
            let message = format!("{} is longer than {MOST_SECONDS}s", self.span);
            cx.found.add(IssueCode::BadSpan, &at.key("for"), message, "show it for at most a minute");
        }
        Some(Typing { seconds })
    }
}
