//! Cards of people and firms, which a contact can keep.

use serde::Serialize;
use serde_json::Value;

use crate::flow::content::{ChannelCapacity, Local, TextDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;

/// A card: `{"name": "Ada Lovelace", "phones": ["+44 20 7946 0000"], "company": "Engines Ltd"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ContactCardDef {
    /// The name, a template.
    pub name: TextDef,
    /// The firm that it is of, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<TextDef>,
    /// The work that is done there, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<TextDef>,
    /// Telephone numbers, each a template.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// Addresses of mail, each a template.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// Addresses of the web, each a template.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
}

/// A compiled card.
#[derive(Clone, Debug)]
pub(crate) struct CompiledContactCard {
    pub(crate) name: Local<Template>,
    pub(crate) company: Option<Local<Template>>,
    pub(crate) title: Option<Local<Template>>,
    pub(crate) phones: Box<[Template]>,
    pub(crate) emails: Box<[Template]>,
    pub(crate) urls: Box<[Template]>,
}

impl ContactCardDef {
    /// A card of a name and a telephone number.
    pub fn new(name: impl Into<TextDef>, phone: impl Into<String>) -> Self {
        Self { name: name.into(), phones: vec![phone.into()], ..Self::default() }
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<CompiledContactCard> {
        let name = self.name.template(&at.key("name"), cx);
        let mut line = |key: &str, text: &Option<TextDef>| match text {
            Some(text) => text.template(&at.key(key), cx).map(Some),
            None => Some(None),
        };
        let (company, title) = (line("company", &self.company), line("title", &self.title));
        let mut list = |key: &str, texts: &[String]| {
            let list = at.key(key);
            let each = texts.iter().enumerate();
            let compiled: Vec<_> =
                each.map(|(index, text)| cx.required_template(&list.item(index), text)).collect();
            compiled.into_iter().collect::<Option<Box<[_]>>>()
        };
        let phones = list("phones", &self.phones);
        let (emails, urls) = (list("emails", &self.emails), list("urls", &self.urls));
        Some(CompiledContactCard {
            name: name?,
            company: company?,
            title: title?,
            phones: phones?,
            emails: emails?,
            urls: urls?,
        })
    }
}

pub(super) fn compile_cards(
    cards: &[ContactCardDef],
    at: &Path<'_>,
    fit: &ChannelCapacity,
    cx: &mut Compile<'_>,
) -> Option<Box<[CompiledContactCard]>> {
    if cards.is_empty() {
        cx.found.add(IssueCode::BadValue, at, "has no card", "add one, or remove the field");
    }
    fit.count(at, cards.len(), fit.capacity.contacts, cx);
    let compiled: Vec<_> =
        cards.iter().enumerate().map(|(index, card)| card.compile(&at.item(index), cx)).collect();
    compiled.into_iter().collect()
}

impl Read for ContactCardDef {
    const EXAMPLE: &'static str = r#"{"name": "Ada Lovelace", "phones": ["+442079460000"]}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let name = fields.required("name");
        let (company, title) = (fields.optional("company"), fields.optional("title"));
        let phones = fields.optional("phones");
        let (emails, urls) = (fields.optional("emails"), fields.optional("urls"));
        fields.close();
        Some(Self {
            name: name.unwrap_or_default(),
            company,
            title,
            phones: phones.unwrap_or_default(),
            emails: emails.unwrap_or_default(),
            urls: urls.unwrap_or_default(),
        })
    }
}
