//! Times to come, of which the first counts: what a pause and a wait have in common (SEMANTICS
//! U17).

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::Value;

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;
use crate::flow::lang::until::Until;
use crate::flow::lang::zone_template::ZoneTemplate;

/// Until when: `{"until": "next 09:00 mon-fri"}`, or the first of several times, `{"first_of":
/// ["23h", "next 08:00"]}` ([SEMANTICS U17](crate::semantics#u17)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UntilDef {
    /// Until when: an instant as RFC 3339 writes it, a date with or without a time of its zone, or
    /// a time of day with or without days, `09:00` or `next 09:00 mon-fri`; a template. Either this
    /// or `first_of`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Until the first of these: durations, and what `until` takes; at most 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_of: Option<Vec<String>>,
    /// The time zone of times of day, a template; the contact's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// Compiled times.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    /// The earliest counts.
    pub(crate) first_of: Box<[Template]>,
    pub(crate) zone: Option<ZoneTemplate>,
    /// True if durations are times too.
    has_spans: bool,
}

impl Times {
    /// Reads one of them, as a template gave it.
    pub(crate) fn read(&self, text: &str) -> Option<Until> {
        Until::parse(text).filter(|until| self.has_spans || !matches!(until, Until::Span(_)))
    }
}

/// Times of one list.
const MOST_TIMES: usize = 8;

impl UntilDef {
    /// Until one time, a template.
    #[must_use]
    pub fn until(time: impl Into<String>) -> Self {
        Self { until: Some(time.into()), ..Self::default() }
    }

    /// Until the first of several times.
    #[must_use]
    pub fn first_of(times: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { first_of: Some(times.into_iter().map(Into::into).collect()), ..Self::default() }
    }

    /// None with an issue.
    pub(crate) fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Times> {
        let zone = self.timezone.as_deref().map(|zone| ZoneTemplate::compile(zone, &at.key("timezone"), cx));
        let first_of = match (&self.until, &self.first_of) {
            (Some(until), None) => Some([time(until, false, &at.key("until"), cx)?].into()),
            (None, Some(list)) => several(list, &at.key("first_of"), cx),
            (None, None) => {
                let fix = "add `until` or `first_of`";
                cx.found.add(IssueCode::MissingField, &at.key("until"), "is required", fix);
                None
            }
            (Some(_), Some(_)) => {
                let fix = "give one of the two";
                cx.found.add(IssueCode::BadValue, &at.key("first_of"), "is given together with `until`", fix);
                None
            }
        };
        let zone = match zone {
            Some(None) => return None,
            given => given.flatten(),
        };
        Some(Times { first_of: first_of?, zone, has_spans: self.first_of.is_some() })
    }

    /// The longest that it lasts, as far as that is written.
    pub(crate) fn longest(&self) -> Option<TimeDelta> {
        let spans = self.first_of.iter().flatten().filter_map(|time| Span::parse(time.trim()).ok());
        spans.map(|span| span.as_delta()).min()
    }

    /// True if a template gives one of the times.
    pub(crate) fn is_given(&self) -> bool {
        self.until.iter().chain(self.first_of.iter().flatten()).any(|time| time.contains("{{"))
    }
}

fn several(list: &[String], at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Box<[Template]>> {
    if list.is_empty() || list.len() > MOST_TIMES {
        let message = format!("has {} times, 1 to {MOST_TIMES} are allowed", list.len());
        cx.found.add(IssueCode::BadValue, at, message, "name fewer, or one");
    }
    let times: Vec<_> =
        list.iter().enumerate().map(|(place, text)| time(text, true, &at.item(place), cx)).collect();
    times.into_iter().collect()
}

/// A time to come: a template, or one that can be read; a duration only beside others.
fn time(text: &str, has_spans: bool, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Template> {
    let template = cx.required_template(at, text)?;
    match template.as_literal().map(Until::parse) {
        Some(None) => {
            let fix = "write 09:00, next 09:00 mon-fri, or an instant such as 2026-05-07T09:00:00Z";
            cx.found.add(IssueCode::BadValue, at, "is not a time", fix);
        }
        Some(Some(Until::Span(_))) if !has_spans => {
            let fix = "write a time as 21:00; a duration is the `for` of a delay, or the `timeout` itself";
            cx.found.add(IssueCode::BadValue, at, "is a duration, not a time", fix);
        }
        _ => {}
    }
    Some(template)
}

impl Read for UntilDef {
    const EXAMPLE: &'static str = r#"{"until": "next 09:00"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let times = Self {
            until: fields.optional("until"),
            first_of: fields.optional("first_of"),
            timezone: fields.optional("timezone"),
        };
        fields.close();
        Some(times)
    }
}
