//! `delay`: the session stands still for a time, or until an instant.

use chrono::TimeDelta;
use serde::Serialize;

use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;
use crate::flow::lang::until::Until;
use crate::flow::lang::zone_template::ZoneTemplate;
use crate::flow::node::{Blocking, Kind, Port, PortName};

/// A pause. Branches: `next`, and `invalid` where a template gives no time.
///
/// ```
/// chatflow::NodeDef::from_json(r#"{"id": "rest", "kind": "delay", "for": "2h"}"#)?;
/// chatflow::NodeDef::from_json(r#"{"id": "rest", "kind": "delay", "until": "{{ context.remind_at }}"}"#)?;
/// chatflow::NodeDef::from_json(r#"{"id": "rest", "kind": "delay", "until": "next 09:00 mon-fri", "timezone": "Asia/Kolkata"}"#)?;
/// chatflow::NodeDef::from_json(r#"{"id": "rest", "kind": "delay", "first_of": ["23h", "next 08:00"]}"#)?;
/// # Ok::<(), chatflow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DelayDef {
    /// How long. Either this, `until` or `first_of`.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Until when: an instant as RFC 3339 writes it, or a time of day with or without days, `09:00`
    /// or `next 09:00 mon-fri` (SEMANTICS U17); a template.
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
    Until {
        /// The earliest counts.
        first_of: Box<[Template]>,
        zone: Option<ZoneTemplate>,
    },
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
}

impl Kind for DelayDef {
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
        let zone = self.timezone.as_deref().map(|zone| ZoneTemplate::compile(zone, &at.key("timezone"), cx));
        match (&self.span, &self.until, &self.first_of) {
            (Some(span), None, None) => Some(Delay::For(cx.wait(&at.key("for"), span))),
            (None, Some(until), None) => {
                let until = time(until, &at.key("until"), cx)?;
                Some(Delay::Until { first_of: [until].into(), zone: whole(zone)? })
            }
            (None, None, Some(list)) => {
                let times = at.key("first_of");
                if list.is_empty() || list.len() > MOST_TIMES {
                    let message = format!("has {} times, 1 to {MOST_TIMES} are allowed", list.len());
                    cx.found.add(IssueCode::BadValue, &times, message, "name fewer, or one");
                }
                let list: Vec<_> =
                    list.iter().enumerate().map(|(place, text)| time(text, &times.item(place), cx)).collect();
                Some(Delay::Until { first_of: list.into_iter().collect::<Option<_>>()?, zone: whole(zone)? })
            }
            (None, None, None) => {
                cx.found.add(IssueCode::MissingField, &at.key("for"), "is missing", "add `for` or `until`");
                None
            }
            _ => {
                let field = if self.until.is_some() && self.span.is_some() { "until" } else { "first_of" };
                let beside = if self.span.is_some() { "`for`" } else { "`until`" };
                let message = format!("stands beside {beside}");
                cx.found.add(IssueCode::BadValue, &at.key(field), message, "give one of the two");
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

/// Times of one list.
const MOST_TIMES: usize = 8;

/// A time to come: a template, or one that can be read.
fn time(text: &str, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Template> {
    let template = cx.required_template(at, text)?;
    if template.as_literal().is_some_and(|text| Until::parse(text).is_none()) {
        let fix = "write 09:00, next 09:00 mon-fri, or an instant such as 2026-05-07T09:00:00Z";
        cx.found.add(IssueCode::BadValue, at, "is no time", fix);
    }
    Some(template)
}

/// What was given and could be compiled, or nothing.
fn whole<T>(given: Option<Option<T>>) -> Option<Option<T>> {
    match given {
        Some(None) => None,
        given => Some(given.flatten()),
    }
}
