//! `http_request`: the host sends a request over HTTP and hands back what it was answered
//! (SEMANTICS D2).

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Fields, words};
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;
use crate::flow::node::call::{HostCall, RequestParts};
use crate::flow::node::{Blocking, NamedList, NodeContract, Port, PortName};

/// A request over HTTP, made by the host. Branches: `next`, `failed`.
///
/// The host answers `{"status": 200, "headers": {…}, "body": …}`, which `save_to` keeps whole. A
/// status outside 200-299 takes `failed`, and the answer is kept all the same. Without an edge for
/// `failed` a failure fails the session.
///
/// Each value in `query` is encoded for the address. A value inside `url` is not: write
/// `{{ reply.text | urlencode }}` there. A rendered address that is not `http` or `https`, or has a
/// blank or a control character in it, is not asked for, and takes `failed`.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "book", "kind": "http_request", "method": "POST",
///     "url": "https://api.example.com/shops/{{ context.shop | urlencode }}/visits",
///     "query": {"notify": "{{ contact.email }}"},
///     "headers": {"Authorization": "Bearer {{ context.token }}"},
///     "body": {"day": "{{ vars.day }}", "guests": 2},
///     "timeout": "10s", "save_to": "visit"
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HttpRequestDef {
    /// The method; `GET` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<HttpMethod>,
    /// The address, a template.
    pub url: String,
    /// The values that are added to the address behind `?`; each value is a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Map<String, Value>>,
    /// The headers; each value is a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Map<String, Value>>,
    /// The body: a text, which is a template, as it is; anything else as JSON in which each text is
    /// a template. A placeholder alone gives its value
    /// ([SEMANTICS N13](crate::semantics#n13)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The time that the host may take; 30 seconds if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// The variable that takes the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_to: Option<String>,
}

words! {
    /// The method of a request over HTTP.
    HttpMethod {
        /// Reads.
        Get = "GET",
        /// Adds.
        Post = "POST",
        /// Replaces.
        Put = "PUT",
        /// Changes.
        Patch = "PATCH",
        /// Removes.
        Delete = "DELETE",
        /// Reads the headers alone.
        Head = "HEAD",
    }
}

impl Default for HttpMethod {
    /// `GET`.
    fn default() -> Self {
        Self::Get
    }
}

impl HttpMethod {
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, method)| *method)
    }

    fn has_body(self) -> bool {
        !matches!(self, Self::Get | Self::Head)
    }
}

/// A compiled request.
#[derive(Clone, Debug)]
pub(crate) struct HttpRequest {
    pub(crate) call: HostCall,
    pub(crate) url: Template,
    pub(crate) query: NamedList<Template>,
}

const FAILED: Port = Port(1);

/// Headers, and fields of the query, each.
const MOST_ENTRIES: usize = 64;

impl HttpRequestDef {
    /// A request that reads.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// A request that sends JSON.
    #[must_use]
    pub fn post(url: impl Into<String>, body: impl Into<Value>) -> Self {
        let body = Some(body.into());
        Self { url: url.into(), method: Some(HttpMethod::Post), body, ..Self::default() }
    }

    fn check_url(&self, at: &Path<'_>, cx: &mut Compile<'_>) {
        let url = self.url.trim_start();
        let start = url.split("{{").next().unwrap_or_default();
        let scheme = start.to_ascii_lowercase();
        let is_open =
            start.len() < url.len() && ["http://", "https://"].iter().any(|s| s.starts_with(&scheme));
        if !url.is_empty() && !is_open && !is_web(&scheme) {
            let message = format!("{:?} is not a web address", brief(&self.url));
            cx.found.add(IssueCode::BadValue, at, message, "begin with https:// or http://");
        }
    }

    fn check_headers(&self, at: &Path<'_>, cx: &mut Compile<'_>) {
        for (name, value) in self.headers.iter().flatten() {
            let is_name = !name.is_empty() && name.len() <= 256 && name.bytes().all(is_token);
            if !is_name {
                let fix = "write 1-256 letters, digits and hyphens";
                cx.found.add(IssueCode::BadName, &at.key(name), "is not the name of a header", fix);
            }
            let is_line = value.as_str().is_none_or(|text| !text.contains(char::is_control));
            if !is_line {
                let fix = "write it in one line";
                cx.found.add(IssueCode::BadValue, &at.key(name), "has a control character", fix);
            }
        }
    }

    /// Templates by name; a value that is no text is an issue.
    fn templates(
        at: &Path<'_>,
        object: Option<&Map<String, Value>>,
        cx: &mut Compile<'_>,
    ) -> Option<NamedList<Template>> {
        let Some(object) = object else { return Some(Box::default()) };
        if object.len() > MOST_ENTRIES {
            let message = format!("{} entries, at most {MOST_ENTRIES} are allowed", object.len());
            cx.found.add(IssueCode::BadValue, at, message, "send the rest in the body");
            return None;
        }
        let entries = object.iter().map(|(name, value)| {
            let at = at.key(name);
            let Some(text) = value.as_str() else {
                cx.found.add(IssueCode::WrongType, &at, "must be text", "write it between quotes");
                return None;
            };
            Some((Arc::from(name.as_str()), cx.template(&at, text)?))
        });
        let entries: Vec<Option<_>> = entries.collect();
        entries.into_iter().collect()
    }
}

/// True if an address begins as those of the web do.
pub(crate) fn is_web(url: &str) -> bool {
    let after = |scheme: &str| {
        url.get(..scheme.len())
            .filter(|start| start.eq_ignore_ascii_case(scheme))
            .and(url.get(scheme.len()..))
    };
    after("https://")
        .or_else(|| after("http://"))
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']))
}

fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

impl NodeContract for HttpRequestDef {
    type Compiled = HttpRequest;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            method: fields.optional("method"),
            url: fields.required("url").unwrap_or_default(),
            query: fields.optional("query"),
            headers: fields.optional("headers"),
            body: fields.optional("body"),
            timeout: fields.optional("timeout"),
            save_to: fields.optional("save_to"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into(), "failed".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<HttpRequest> {
        let method = self.method.unwrap_or_default();
        let url = cx.required_template(&at.key("url"), &self.url);
        self.check_url(&at.key("url"), cx);
        self.check_headers(&at.key("headers"), cx);
        let query = Self::templates(&at.key("query"), self.query.as_ref(), cx);
        // Checked here, compiled with the rest below.
        let headers = Self::templates(&at.key("headers"), self.headers.as_ref(), cx);
        if self.body.is_some() && !method.has_body() {
            let message = format!("has no meaning for {}", method.as_str());
            cx.found.add(IssueCode::BadValue, &at.key("body"), message, "remove it, or set `method` to POST");
        }
        let args = RequestParts::of(at, cx)
            .fixed("method", method.as_str())
            .texts("headers", self.headers.as_ref())
            .value("body", self.body.as_ref())
            .close();
        let common = (self.save_to.as_deref(), self.timeout.as_ref());
        headers?;
        Some(HttpRequest { call: HostCall::compile(args?, common, FAILED, at, cx), url: url?, query: query? })
    }

    fn blocking(&self) -> Blocking<'_> {
        Blocking::Timed
    }

    fn writes(&self) -> Vec<&str> {
        self.save_to.as_deref().into_iter().collect()
    }
}
