//! The common part of the kinds that ask the host: where the answer goes, how long the host may
//! take (SEMANTICS D2).

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Map, Value};

use crate::flow::form::path::Path;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::json_template::JsonTemplate;
use crate::flow::node::Port;

/// A compiled call of the host.
#[derive(Clone, Debug)]
pub(crate) struct HostCall {
    /// Its arguments: an object.
    pub(crate) args: JsonTemplate,
    pub(crate) save_to: Option<Arc<str>>,
    pub(crate) timeout: TimeDelta,
    /// The branch for a failure.
    pub(crate) failed: Port,
}

const DEFAULT_TIMEOUT: TimeDelta = TimeDelta::seconds(30);

impl HostCall {
    /// Checks and compiles the fields that every call has.
    pub(crate) fn compile(
        args: JsonTemplate,
        (save_to, timeout): (Option<&str>, Option<&Span>),
        failed: Port,
        at: &Path<'_>,
        cx: &mut Compile<'_>,
    ) -> Self {
        let save_to = save_to.and_then(|name| cx.variable(&at.key("save_to"), name));
        let timeout = timeout.map_or(DEFAULT_TIMEOUT, |span| cx.wait(&at.key("timeout"), span));
        Self { args, save_to, timeout, failed }
    }
}

/// The parts of a request, each compiled at its own place.
pub(crate) struct RequestParts<'a, 'p, 'c> {
    at: &'a Path<'p>,
    cx: &'a mut Compile<'c>,
    parts: Vec<(Arc<str>, JsonTemplate)>,
    is_whole: bool,
}

impl<'a, 'p, 'c> RequestParts<'a, 'p, 'c> {
    pub(crate) fn of(at: &'a Path<'p>, cx: &'a mut Compile<'c>) -> Self {
        Self { at, cx, parts: Vec::new(), is_whole: true }
    }

    /// A template that must not be blank.
    pub(crate) fn required(mut self, key: &'static str, source: &str) -> Self {
        let template = self.cx.required_template(&self.at.key(key), source);
        self.push(key, template.map(JsonTemplate::text));
        self
    }

    /// A template, if it is given.
    pub(crate) fn optional(mut self, key: &'static str, source: Option<&str>) -> Self {
        if let Some(source) = source {
            let template = self.cx.template(&self.at.key(key), source);
            self.push(key, template.map(JsonTemplate::text));
        }
        self
    }

    /// A value in which each text is a template, and one placeholder alone gives any value.
    pub(crate) fn value(mut self, key: &'static str, value: Option<&Value>) -> Self {
        if let Some(value) = value {
            let template = JsonTemplate::compile(value, &self.at.key(key), self.cx);
            self.push(key, template);
        }
        self
    }

    /// An object of templates that give texts.
    pub(crate) fn texts(mut self, key: &'static str, object: Option<&Map<String, Value>>) -> Self {
        if let Some(object) = object {
            let template = JsonTemplate::compile(&Value::Object(object.clone()), &self.at.key(key), self.cx);
            self.push(key, template.map(JsonTemplate::of_texts));
        }
        self
    }

    /// A value without placeholders.
    pub(crate) fn fixed(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.push(key, Some(JsonTemplate::fixed(value.into())));
        self
    }

    fn push(&mut self, key: &'static str, part: Option<JsonTemplate>) {
        self.is_whole &= part.is_some();
        self.parts.extend(part.map(|part| (Arc::from(key), part)));
    }

    /// All of them, if each could be compiled.
    pub(crate) fn close(self) -> Option<JsonTemplate> {
        self.is_whole.then(|| JsonTemplate::object(self.parts))
    }
}
