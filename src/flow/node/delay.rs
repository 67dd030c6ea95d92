//! `delay`: the session stands still for a time, or until an instant.

use chrono::TimeDelta;
use serde::Serialize;

use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;
use crate::flow::node::{Blocking, Kind, Port, PortName};

/// A pause. Branch: `next`.
///
/// ```
/// chatflow::NodeDef::from_json(r#"{"id": "rest", "kind": "delay", "for": "2h"}"#)?;
/// chatflow::NodeDef::from_json(r#"{"id": "rest", "kind": "delay", "until": "{{ context.remind_at }}"}"#)?;
/// # Ok::<(), chatflow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DelayDef {
    /// How long. Either this or `until`.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Until when: a template that gives an instant as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A compiled pause.
#[derive(Clone, Debug)]
pub(crate) enum Delay {
    For(TimeDelta),
    Until(Template),
}

impl DelayDef {
    /// A pause of a length.
    #[must_use]
    pub fn lasting(span: Span) -> Self {
        Self { span: Some(span), until: None }
    }

    /// A pause until an instant, given by a template.
    #[must_use]
    pub fn until(instant: impl Into<String>) -> Self {
        Self { span: None, until: Some(instant.into()) }
    }
}

impl Kind for DelayDef {
    type Compiled = Delay;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self { span: fields.optional("for"), until: fields.optional("until") }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Delay> {
        match (&self.span, &self.until) {
            (Some(span), None) => Some(Delay::For(cx.wait(&at.key("for"), span))),
            (None, Some(until)) => cx.required_template(&at.key("until"), until).map(Delay::Until),
            (None, None) => {
                cx.found.add(IssueCode::MissingField, &at.key("for"), "is missing", "add `for` or `until`");
                None
            }
            (Some(_), Some(_)) => {
                cx.found.add(
                    IssueCode::BadValue,
                    &at.key("until"),
                    "stands beside `for`",
                    "give one of the two",
                );
                None
            }
        }
    }

    fn blocking(&self) -> Blocking<'_> {
        Blocking::Timed
    }

    fn longest(&self, _port: Port) -> Option<TimeDelta> {
        self.span.as_ref().map(Span::as_delta)
    }
}
