//! A text in one language or in several (SEMANTICS T3).

use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
#[cfg(feature = "schema")]
use serde_json::json;

use crate::flow::form::issue::{Diagnostics, IssueCode};
use crate::flow::form::language::is_tag;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Read, wrong_type};
#[cfg(feature = "schema")]
use crate::flow::form::schema::Book;
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;

/// A text of a message: `"Hello"`, or one for each language, `{"en": "Hello", "pt-BR": "Olá"}`.
///
/// The contact reads the text in its own language, else in that language without its region, else
/// in the flow's (`settings.language`), else the first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextDef {
    /// The same for everybody.
    Plain(String),
    /// By language tag, in the order of the file.
    ByLanguage(Vec<(String, String)>),
}

/// Compiled texts, one for each language.
#[derive(Clone, Debug)]
pub(crate) struct Local<T> {
    /// Its language; empty if the text is the same for everybody.
    language: Box<str>,
    first: T,
    others: Box<[(Box<str>, T)]>,
}

impl TextDef {
    /// A template for each language, none of them blank.
    pub(crate) fn template(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Local<Template>> {
        self.compile(at, cx, |text, at, cx| cx.required_template(at, text))
    }

    /// A label for each language, as it stands: 1 to `most` characters, no template.
    pub(crate) fn label(&self, at: &Path<'_>, most: usize, cx: &mut Compile<'_>) -> Option<Local<Arc<str>>> {
        self.compile(at, cx, |text, at, cx| {
            let length = text.chars().count();
            if text.trim().is_empty() {
                let fix = format!("give a label of 1-{most} characters");
                cx.found.add(IssueCode::BadValue, at, "must not be blank", fix);
            } else if length > most {
                let message = format!("has {length} characters, at most {most} are allowed");
                cx.found.add(IssueCode::ChannelLimit, at, message, "shorten it");
            } else if text.contains("{{") {
                cx.found.add(IssueCode::BadValue, at, "cannot be a template", "write the label out");
            } else {
                return Some(text.into());
            }
            None
        })
    }

    /// The texts in all languages.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let (plain, by_language) = match self {
            Self::Plain(text) => (Some(text), None),
            Self::ByLanguage(texts) => (None, Some(texts)),
        };
        let by_language = by_language.into_iter().flatten().map(|(_, text)| text);
        plain.into_iter().chain(by_language).map(String::as_str)
    }

    fn compile<T>(
        &self,
        at: &Path<'_>,
        cx: &mut Compile<'_>,
        mut each: impl FnMut(&str, &Path<'_>, &mut Compile<'_>) -> Option<T>,
    ) -> Option<Local<T>> {
        let texts = match self {
            Self::Plain(text) => {
                let first = each(text, at, cx)?;
                return Some(Local { language: "".into(), first, others: Box::default() });
            }
            Self::ByLanguage(texts) => texts,
        };
        if texts.is_empty() {
            cx.found.add(
                IssueCode::BadValue,
                at,
                "has no language",
                "write a text, or one for each language",
            );
        }
        let mut seen: Vec<&str> = Vec::new();
        let mut compiled = Vec::with_capacity(texts.len());
        for (tag, text) in texts {
            let place = at.key(tag);
            if !is_tag(tag) {
                let message = format!("{:?} is no language tag", brief(tag));
                cx.found.add(IssueCode::BadName, &place, message, "write a tag such as en or pt-BR");
            } else if seen.iter().any(|known| known.eq_ignore_ascii_case(tag)) {
                let message = "is there in other letters already";
                cx.found.add(IssueCode::DuplicateKey, &place, message, "keep one of the two");
            }
            seen.push(tag);
            compiled.push(each(text, &place, cx).map(|text| (Box::from(tag.as_str()), text)));
        }
        let mut compiled = compiled.into_iter().collect::<Option<Vec<_>>>()?.into_iter();
        let (language, first) = compiled.next()?;
        Some(Local { language, first, others: compiled.collect() })
    }
}

impl<T> Local<T> {
    /// The text for a contact who reads this language, in a flow of that one; the first if there is
    /// neither.
    #[inline]
    pub(crate) fn pick(&self, contact: Option<&str>, flow: Option<&str>) -> &T {
        if self.others.is_empty() {
            return &self.first;
        }
        let wanted = [contact, flow].into_iter().flatten();
        wanted.filter_map(|wanted| self.in_language(wanted)).next().unwrap_or(&self.first)
    }

    /// In a language, or in that language without its region.
    fn in_language(&self, wanted: &str) -> Option<&T> {
        let primary = wanted.split(['-', '_']).next().unwrap_or(wanted);
        let find = |wanted: &str| {
            let mut all = self.all();
            all.find(|(tag, _)| tag.eq_ignore_ascii_case(wanted)).map(|(_, text)| text)
        };
        find(wanted).or_else(|| find(primary))
    }

    /// Every text with its language.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &T)> {
        let others = self.others.iter().map(|(tag, text)| (&**tag, text));
        std::iter::once((&*self.language, &self.first)).chain(others)
    }
}

impl From<&str> for TextDef {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

impl From<String> for TextDef {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl Default for TextDef {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

impl Serialize for TextDef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => serializer.serialize_str(text),
            Self::ByLanguage(texts) => {
                let mut map = serializer.serialize_map(Some(texts.len()))?;
                for (tag, text) in texts {
                    map.serialize_entry(tag, text)?;
                }
                map.end()
            }
        }
    }
}

impl Read for TextDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Plain(text.clone())),
            Value::Object(texts) => {
                let mut read = Vec::with_capacity(texts.len());
                for (tag, text) in texts {
                    read.push((tag.clone(), String::read(text, &at.key(tag), found)?));
                }
                let order = found.order_of(at);
                read.sort_by_key(|(tag, _)| order.iter().position(|first| first == tag));
                Some(Self::ByLanguage(read))
            }
            other => wrong_type("text", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut Book) -> Value {
        let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
        book.refer::<Self>(|_| json!({"anyOf": [{"type": "string"}, texts]}))
    }
}
