//! JSON with templates in its texts: what `set_variables` writes and what the host is called with.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::flow::form::path::Path;
use crate::flow::lang::context::Compile;
use crate::flow::lang::expr::EvalError;
use crate::flow::lang::render::Render;
use crate::flow::lang::template::Template;

/// A compiled JSON value. Keys are never templates.
#[derive(Clone, Debug)]
pub(crate) struct JsonTemplate(JsonPart);

#[derive(Clone, Debug)]
enum JsonPart {
    /// A value without a template in it.
    Fixed(Value),
    /// A text, whatever its placeholders give.
    Text(Template),
    /// A text of the author's JSON: where it is one placeholder and nothing else, the value of
    /// that.
    Value(Template),
    List(Box<[JsonPart]>),
    Object(Box<[(Arc<str>, JsonPart)]>),
}

impl JsonTemplate {
    /// Compiles each text of a value; deeper than `Limits::depth` is an issue.
    pub(crate) fn compile(value: &Value, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Self> {
        if !cx.value(at, value) {
            return None;
        }
        JsonPart::compile(value, at, cx).map(Self)
    }

    /// A text that is one template, and a text also where that is one placeholder.
    pub(crate) fn text(template: Template) -> Self {
        Self(match template.as_literal() {
            Some(text) => JsonPart::Fixed(text.into()),
            None => JsonPart::Text(template),
        })
    }

    /// The same where every placeholder gives a text, be it alone or not.
    pub(crate) fn of_texts(self) -> Self {
        Self(self.0.of_texts())
    }

    /// True if it is an object, or may be one once it is rendered.
    pub(crate) fn may_be_object(&self) -> bool {
        match &self.0 {
            JsonPart::Value(template) => template.is_placeholder(),
            JsonPart::Object(_) | JsonPart::Fixed(Value::Object(_)) => true,
            _ => false,
        }
    }

    /// A value without placeholders.
    pub(crate) fn fixed(value: Value) -> Self {
        Self(JsonPart::Fixed(value))
    }

    /// An object of parts that were compiled one by one.
    pub(crate) fn object(parts: Vec<(Arc<str>, Self)>) -> Self {
        Self(JsonPart::Object(parts.into_iter().map(|(key, part)| (key, part.0)).collect()))
    }

    /// The value with each template rendered; what they give is together at most
    /// `Limits::variable_bytes`. A text that is one placeholder and nothing else becomes the value
    /// of that, of whatever type it is (SEMANTICS N13).
    pub(crate) fn render(&self, render: &mut Render<'_>) -> Result<Value, EvalError> {
        let mut left = render.limits.variable_bytes;
        self.0.render(render, &mut left)
    }
}

impl JsonPart {
    /// Recursion ends: the depth is checked before.
    fn compile(value: &Value, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Self> {
        match value {
            Value::String(source) => {
                let template = cx.template(at, source)?;
                let fixed = template.as_literal().map(|text| Self::Fixed(text.into()));
                Some(fixed.unwrap_or(Self::Value(template)))
            }
            Value::Array(list) => {
                let parts =
                    list.iter().enumerate().map(|(index, item)| Self::compile(item, &at.item(index), cx));
                let parts: Vec<Option<Self>> = parts.collect();
                Some(Self::List(parts.into_iter().collect::<Option<_>>()?))
            }
            Value::Object(object) => {
                let parts = object.iter().map(|(key, value)| {
                    Self::compile(value, &at.key(key), cx).map(|part| (Arc::from(key.as_str()), part))
                });
                let parts: Vec<Option<_>> = parts.collect();
                Some(Self::Object(parts.into_iter().collect::<Option<_>>()?))
            }
            fixed => Some(Self::Fixed(fixed.clone())),
        }
    }

    /// Recursion ends: the depth is checked before.
    fn of_texts(self) -> Self {
        match self {
            Self::Value(template) => Self::Text(template),
            Self::List(parts) => Self::List(parts.into_iter().map(Self::of_texts).collect()),
            Self::Object(parts) => {
                Self::Object(parts.into_iter().map(|(key, part)| (key, part.of_texts())).collect())
            }
            fixed => fixed,
        }
    }

    fn render(&self, render: &mut Render<'_>, left: &mut usize) -> Result<Value, EvalError> {
        Ok(match self {
            Self::Fixed(value) => value.clone(),
            Self::Text(template) => {
                let text = render.text(template)?;
                spend(left, text.len(), render)?;
                Value::String(text.into_owned())
            }
            Self::Value(template) => {
                let value = render.typed(template)?;
                spend(left, value.byte_len(), render)?;
                value.to_json()
            }
            Self::List(parts) => {
                Value::Array(parts.iter().map(|part| part.render(render, left)).collect::<Result<_, _>>()?)
            }
            Self::Object(parts) => {
                let mut object = Map::new();
                for (key, part) in parts {
                    object.insert(key.to_string(), part.render(render, left)?);
                }
                Value::Object(object)
            }
        })
    }
}

/// Takes so many bytes of those that are left.
fn spend(left: &mut usize, bytes: usize, render: &Render<'_>) -> Result<(), EvalError> {
    let max = render.limits.variable_bytes;
    *left = left.checked_sub(bytes).ok_or(EvalError::OutputLimit { max })?;
    Ok(())
}
