//! A text in one language or in several (SEMANTICS T3).

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
#[cfg(feature = "schema")]
use serde_json::json;

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::language::is_tag;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Read, wrong_type};
#[cfg(feature = "schema")]
use crate::flow::form::schema::SchemaDefinitions;
use crate::flow::lang::context::Compile;
use crate::flow::lang::language::Language;
use crate::flow::lang::template::Template;
use crate::gather::Arrange;
use crate::grapheme::TextUnit;

/// A text of a message: `"Hello"`, or one for each language, `{"en": "Hello", "pt-BR": "Olá"}`.
///
/// The contact reads the text in the one of these languages that is nearest to its own, else in the
/// one nearest to the flow's (`settings.language`), else the first
/// ([SEMANTICS U9](crate::semantics#u9)). Tags may be written as BCP 47 has them (`pt-BR`) or as
/// Meta does (`pt_BR`).
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
    tag: Box<str>,
    first: T,
    others: Box<[(Box<str>, T)]>,
    /// The languages of all, in order; none if there is but one text.
    languages: Box<[Option<Language>]>,
}

impl TextDef {
    /// A template for each language, none of them blank.
    pub(crate) fn template(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Local<Template>> {
        self.compile(at, cx, |text, at, cx| cx.required_template(at, text))
    }

    /// A label for each language, a template: 1 to `most` characters.
    pub(crate) fn label(&self, at: &Path<'_>, most: usize, cx: &mut Compile<'_>) -> Option<Local<Template>> {
        self.compile(at, cx, |text, at, cx| {
            if text.trim().is_empty() {
                let fix = format!("give a label of 1-{most} characters");
                cx.found.add(IssueCode::BadValue, at, "must not be blank", fix);
                return None;
            }
            let label = cx.template(at, text)?;
            let length = label.literal_len(TextUnit::Characters);
            if length > most {
                let least = if label.as_literal().is_none() { "at least " } else { "" };
                let message = format!("has {least}{length} characters, at most {most} are allowed");
                cx.found.add(IssueCode::ChannelLimit, at, message, "shorten it");
                return None;
            }
            Some(label)
        })
    }

    /// True if it was left out.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Plain(text) if text.is_empty())
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

    pub(super) fn compile<T>(
        &self,
        at: &Path<'_>,
        cx: &mut Compile<'_>,
        mut each: impl FnMut(&str, &Path<'_>, &mut Compile<'_>) -> Option<T>,
    ) -> Option<Local<T>> {
        let texts = match self {
            Self::Plain(text) => {
                let first = each(text, at, cx)?;
                return Some(Local::plain(first));
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
        let mut languages: Vec<Option<Language>> = Vec::with_capacity(texts.len());
        let mut compiled = Vec::with_capacity(texts.len());
        for (tag, text) in texts {
            let place = at.key(tag);
            let language = is_tag(tag).then(|| Language::parse(tag)).flatten();
            if language.is_none() {
                let message = format!("{:?} is not a language tag", brief(tag));
                cx.found.add(IssueCode::BadName, &place, message, "write a tag such as en or pt-BR");
            } else if languages.contains(&language) {
                let spellings = texts.iter().filter(|(other, _)| other.eq_ignore_ascii_case(tag)).count();
                let written = if spellings > 1 { "in other letters" } else { "under another name" };
                let message = format!("is already there {written}");
                cx.found.add(IssueCode::DuplicateKey, &place, message, "keep one of the two");
            }
            languages.push(language);
            compiled.push(each(text, &place, cx).map(|text| (Box::from(tag.as_str()), text)));
        }
        let mut compiled = compiled.into_iter().collect::<Option<Vec<_>>>()?.into_iter();
        let (tag, first) = compiled.next()?;
        let others: Box<[_]> = compiled.collect();
        let languages = if others.is_empty() { Box::default() } else { languages.into() };
        Some(Local { tag, first, others, languages })
    }
}

impl<T> Local<T> {
    fn plain(text: T) -> Self {
        Self { tag: "".into(), first: text, others: Box::default(), languages: Box::default() }
    }

    /// The text for a contact who reads this language, in a flow of that one; the first if there is
    /// neither (SEMANTICS U9).
    #[inline]
    pub(crate) fn pick(&self, contact: Option<&str>, flow: Option<&str>) -> &T {
        if self.others.is_empty() { &self.first } else { self.pick_language(contact, flow) }
    }

    fn pick_language(&self, contact: Option<&str>, flow: Option<&str>) -> &T {
        let wanted = [contact, flow].into_iter().flatten().filter_map(Language::parse);
        let best = |wanted: Language| wanted.best(self.languages.iter().map(Option::as_ref));
        let place = wanted.filter_map(best).next().and_then(|place| place.checked_sub(1));
        place.and_then(|place| self.others.get(place)).map_or(&self.first, |(_, text)| text)
    }

    /// True if it is the same for everybody.
    pub(crate) fn is_plain(&self) -> bool {
        self.others.is_empty()
    }

    /// Every text with its language.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &T)> {
        let others = self.others.iter().map(|(tag, text)| (&**tag, text));
        std::iter::once((&*self.tag, &self.first)).chain(others)
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
                read.arrange_by_key(|(tag, _)| order.iter().position(|first| first == tag));
                Some(Self::ByLanguage(read))
            }
            other => wrong_type("text", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
        book.refer::<Self>(|_| json!({"anyOf": [{"type": "string"}, texts]}))
    }
}
