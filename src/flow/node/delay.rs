//! `delay`: the session pauses for a time, or until an instant.

use chrono::TimeDelta;
use serde::Serialize;

use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::times::{Times, UntilDef};
use crate::flow::lang::zone_template::ZoneTemplate;
use crate::flow::node::{Blocking, NodeContract, Port, PortName};

/// A pause. Branches: `next`, and `invalid` where a template gives no time, or one that the session
/// does not live to see: `"lifetime": "none"` in the settings lets it.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{"id": "rest", "kind": "delay", "for": "2h"}"#)?;
/// chatflow::flow::NodeDef::from_json(r#"{"id": "rest", "kind": "delay", "until": "{{ context.remind_at }}"}"#)?;
/// chatflow::flow::NodeDef::from_json(r#"{"id": "rest", "kind": "delay", "until": "next 09:00 mon-fri", "timezone": "Asia/Kolkata"}"#)?;
/// chatflow::flow::NodeDef::from_json(r#"{"id": "rest", "kind": "delay", "first_of": ["23h", "next 08:00"]}"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DelayDef {
    /// The duration. Either this, `until` or `first_of`.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Until when: an instant as RFC 3339 writes it, a date with or without a time of its zone, or
    /// a time of day with or without days, `09:00` or `next 09:00 mon-fri`
    /// ([SEMANTICS U17](crate::semantics#u17)); a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Until the first of these: durations, and what `until` takes; at most 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_of: Option<Vec<String>>,
    /// The time zone of times of day, a template; the contact's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// A compiled pause.
#[derive(Clone, Debug)]
pub(crate) enum Delay {
    For(TimeDelta),
    Until(Times),
}

impl Delay {
    pub(crate) const INVALID: Port = Port(1);
}

impl DelayDef {
    /// A pause of a length.
    #[must_use]
    pub fn lasting(span: Span) -> Self {
        Self { span: Some(span), ..Self::default() }
    }

    /// A pause until an instant, given by a template.
    #[must_use]
    pub fn until(instant: impl Into<String>) -> Self {
        Self { until: Some(instant.into()), ..Self::default() }
    }

    fn times(&self) -> UntilDef {
        let Self { until, first_of, timezone, .. } = self.clone();
        UntilDef { until, first_of, timezone }
    }
}

impl NodeContract for DelayDef {
    type Compiled = Delay;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            span: fields.optional("for"),
            until: fields.optional("until"),
            first_of: fields.optional("first_of"),
            timezone: fields.optional("timezone"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into(), "invalid".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Delay> {
        match (&self.span, &self.until, &self.first_of) {
            (Some(span), None, None) => {
                if let Some(zone) = &self.timezone {
                    ZoneTemplate::compile(zone, &at.key("timezone"), cx);
                }
                Some(Delay::For(cx.wait(&at.key("for"), span)))
            }
            (None, None, None) => {
                cx.found.add(IssueCode::MissingField, &at.key("for"), "is required", "add `for` or `until`");
                None
            }
            (None, ..) => self.times().compile(at, cx).map(Delay::Until),
            (Some(_), until, _) => {
                let field = if until.is_some() { "until" } else { "first_of" };
                let fix = "give one of the two";
                cx.found.add(IssueCode::BadValue, &at.key(field), "is given together with `for`", fix);
                None
            }
        }
    }

    fn blocking(&self) -> Blocking<'_> {
        Blocking::Timed
    }

    fn longest(&self, _port: Port) -> Option<TimeDelta> {
        self.span.as_ref().map(Span::as_delta).or_else(|| self.times().longest())
    }

    fn shortest(&self) -> TimeDelta {
        self.span.as_ref().map(Span::as_delta).unwrap_or_default()
    }

    fn wants_edge(&self, port: Port) -> bool {
        port == Delay::INVALID && self.times().is_given()
    }
}
