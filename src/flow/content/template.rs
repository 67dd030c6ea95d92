//! A message that WhatsApp has approved: it may be sent at any time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
#[cfg(feature = "schema")]
use serde_json::json;
use serde_json::{Map, Value};

use crate::flow::content::choice::{ButtonFrame, compile_template_buttons};
use crate::flow::content::{ButtonDef, ChannelCapacity, CompiledButtons, CompiledHeader, HeaderDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Fields, Read, words, wrong_type};
#[cfg(feature = "schema")]
use crate::flow::form::schema::SchemaDefinitions;
use crate::flow::lang::context::Compile;
use crate::flow::lang::language::Language;
use crate::flow::lang::template::Template;

/// An approved message:
/// `{"name": "cart_reminder", "language": "en", "parameters": ["{{ contact.name }}"]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TemplateDef {
    /// The name it was approved under.
    pub name: String,
    /// The language it was approved in, a template: `"en"`,
    /// `"{{ contact.language | default('en') }}"`. With `languages` the one that is wanted: the
    /// contact's if it is empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// The languages it was approved in, as the channel writes them: `["en_US", "pt_BR"]`. The
    /// nearest to the wanted one is sent, else the nearest to the flow's, else the first
    /// ([SEMANTICS U9](crate::semantics#u9)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub languages: Option<Vec<String>>,
    /// The category that it was approved for. One for `authentication` is sent to a telephone
    /// number alone ([SEMANTICS A7](crate::semantics#a7)), and its `code` is the one to prove who
    /// they are, not a coupon's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<TemplateCategory>,
    /// The values that fill its gaps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<ParametersDef>,
    /// The content of its header: a line, a picture, a film, a document or a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Box<HeaderDef>>,
    /// Its buttons, as they were approved and in their order: of one of which nothing is left open,
    /// such as an address that is whole, or a telephone number, the label alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buttons: Option<Vec<ButtonDef>>,
    /// The cards that the contact leafs through (a carousel), as they were approved and in their
    /// order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cards: Option<Vec<TemplateCardDef>>,
}

/// A card of an approved message: `{"header": {"image": "https://shop.example/7.jpg"},
/// "parameters": ["Tea"], "buttons": [{"id": "tea", "label": "Buy"}]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TemplateCardDef {
    /// The picture or film above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Box<HeaderDef>>,
    /// The values that fill the gaps of its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<ParametersDef>,
    /// Its buttons, as they were approved and in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buttons: Option<Vec<ButtonDef>>,
}

words! {
    /// The category that a message was approved for.
    TemplateCategory {
        /// A code by which people prove who they are.
        Authentication = "authentication",
        /// An offer.
        Marketing = "marketing",
        /// News of what the contact did.
        Utility = "utility",
    }
}

/// Values that fill the gaps of an approved message, each a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ParametersDef {
    /// In their order.
    Positional(Vec<String>),
    /// By name.
    Named(BTreeMap<String, String>),
}

/// A compiled reference to an approved message.
#[derive(Clone, Debug)]
pub(crate) struct ApprovedTemplate {
    pub(crate) name: Arc<str>,
    pub(crate) language: TemplateLanguage,
    /// True if it goes to a telephone number alone.
    pub(crate) needs_phone: bool,
    pub(crate) own: TemplatePart,
    pub(crate) cards: Box<[TemplatePart]>,
}

/// The gaps of an approved message, or of one of its cards.
#[derive(Clone, Debug)]
pub(crate) struct TemplatePart {
    pub(crate) parameters: CompiledParameters,
    pub(crate) header: Option<CompiledHeader>,
    /// The name of the gap that a line of it fills.
    pub(crate) header_parameter: Option<Box<str>>,
    pub(crate) buttons: CompiledButtons,
    /// The places of the buttons that open an address, among all; none: behind the others.
    pub(crate) link_places: Box<[u32]>,
}

/// An author's fields of such a part.
#[derive(Clone, Copy)]
struct PartFields<'d> {
    parameters: Option<&'d ParametersDef>,
    header: Option<&'d HeaderDef>,
    buttons: Option<&'d [ButtonDef]>,
    most_buttons: usize,
    frame: ButtonFrame,
}

/// The language that an approved message is sent in.
#[derive(Clone, Debug)]
pub(crate) enum TemplateLanguage {
    /// The one that the author says.
    Said(Template),
    /// The nearest of these to what is wanted; to the contact's if nothing is.
    Nearest { wanted: Option<Template>, approved: Box<[Box<str>]> },
}

/// Compiled parameters.
#[derive(Clone, Debug)]
pub(crate) enum CompiledParameters {
    Positional(Box<[Template]>),
    Named(Box<[(Arc<str>, Template)]>),
}

impl TemplateDef {
    /// An approved message without gaps.
    pub fn new(name: impl Into<String>, language: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            language: language.into(),
            languages: None,
            category: None,
            parameters: None,
            header: None,
            buttons: None,
            cards: None,
        }
    }

    /// True if one of its buttons opens a form.
    pub(super) fn opens_form(&self) -> bool {
        self.all_buttons().flatten().any(ButtonDef::opens_form)
    }

    /// Its buttons and those of its cards, with the place of each list.
    pub(super) fn all_buttons(&self) -> impl Iterator<Item = &[ButtonDef]> {
        let cards = self.cards.iter().flatten().map(|card| card.buttons.as_deref());
        std::iter::once(self.buttons.as_deref()).chain(cards).flatten()
    }

    pub(super) fn compile(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<ApprovedTemplate> {
        if !fit.capacity.template {
            fit.lacks(at, cx);
        }
        let named = cx.name(&at.key("name"), &self.name);
        let language = self.compile_language(at, cx);
        let own = PartFields {
            parameters: self.parameters.as_ref(),
            header: self.header.as_deref(),
            buttons: self.buttons.as_deref(),
            most_buttons: fit.capacity.template_buttons,
            frame: self.frame(),
        };
        let own = own.compile(at, fit, cx);
        let cards = self.compile_cards(&at.key("cards"), fit, cx);
        named?;
        Some(ApprovedTemplate {
            name: self.name.as_str().into(),
            language: language?,
            needs_phone: self.category == Some(TemplateCategory::Authentication),
            own: own?,
            cards: cards?,
        })
    }

    fn frame(&self) -> ButtonFrame {
        match self.category {
            Some(TemplateCategory::Authentication) => ButtonFrame::Authentication,
            _ => ButtonFrame::Template,
        }
    }

    fn compile_cards(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<Box<[TemplatePart]>> {
        let Some(cards) = &self.cards else { return Some(Box::default()) };
        if cards.is_empty() {
            cx.found.add(IssueCode::BadValue, at, "has no card", "add the cards that were approved");
        }
        if fit.capacity.template {
            fit.count(at, cards.len(), fit.capacity.template_cards, cx);
        }
        let replies = self.all_buttons().flatten().filter_map(|button| button.id.as_deref());
        cx.distinct(at, "option", replies);
        let each = cards.iter().enumerate().map(|(index, card)| {
            let place = at.item(index);
            if card.header.as_ref().is_some_and(|header| header.image.is_none() && header.video.is_none()) {
                let fix = "give `image` or `video`";
                cx.found.add(IssueCode::BadValue, &place.key("header"), "must be an image or a video", fix);
            }
            let fields = PartFields {
                parameters: card.parameters.as_ref(),
                header: card.header.as_deref(),
                buttons: card.buttons.as_deref(),
                most_buttons: fit.capacity.template_card_buttons,
                frame: self.frame(),
            };
            fields.compile(&place, fit, cx)
        });
        let cards: Vec<_> = each.collect();
        cards.into_iter().collect()
    }

    fn compile_language(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<TemplateLanguage> {
        let place = at.key("language");
        let Some(approved) = &self.languages else {
            return cx.required_template(&place, &self.language).map(TemplateLanguage::Said);
        };
        let list = at.key("languages");
        if approved.is_empty() {
            cx.found.add(IssueCode::BadValue, &list, "has no language", "name one, or remove the field");
        }
        let mut languages = Vec::with_capacity(approved.len());
        for (index, tag) in approved.iter().enumerate() {
            let language = Language::parse(tag);
            if language.is_none() {
                let message = format!("{:?} is not a language tag", brief(tag));
                cx.found.add(IssueCode::BadName, &list.item(index), message, "write a tag such as pt_BR");
            } else if languages.contains(&language) {
                let message = "is already there under another name";
                cx.found.add(IssueCode::BadValue, &list.item(index), message, "keep one of the two");
            }
            languages.push(language);
        }
        let wanted = match &*self.language {
            "" => None,
            wanted => Some(cx.required_template(&place, wanted)?),
        };
        let approved = approved.iter().map(|tag| tag.trim().into()).collect();
        Some(TemplateLanguage::Nearest { wanted, approved })
    }
}

impl PartFields<'_> {
    fn compile(self, at: &Path<'_>, fit: &ChannelCapacity, cx: &mut Compile<'_>) -> Option<TemplatePart> {
        let parameters = self.compile_parameters(&at.key("parameters"), cx);
        let buttons = match self.buttons {
            Some(buttons) => {
                let list = at.key("buttons");
                for (index, _) in buttons.iter().enumerate().filter(|(_, button)| button.from.is_some()) {
                    let message = "has no meaning in a template: its buttons are approved with it";
                    let fix = "name each button, in the order in which they were approved";
                    cx.found.add(IssueCode::BadValue, &list.item(index).key("from"), message, fix);
                }
                compile_template_buttons(buttons, &list, (self.most_buttons, self.frame), fit, cx)
            }
            None => Some(CompiledButtons::default()),
        };
        let has_names = matches!(self.parameters, Some(ParametersDef::Named(_)));
        let header = match self.header {
            Some(header) => Some(header.compile_in_template(has_names, &at.key("header"), fit, cx)?),
            None => None,
        };
        let name = self.header.and_then(|header| header.parameter.as_deref().map(Into::into));
        let (link_places, header_parameter) = (self.link_places(), name);
        Some(TemplatePart {
            parameters: parameters?,
            header,
            header_parameter,
            buttons: buttons?,
            link_places,
        })
    }

    /// The places of links before a button that answers.
    fn link_places(self) -> Box<[u32]> {
        let buttons = self.buttons.unwrap_or_default();
        let is_link = |button: &ButtonDef| button.opened(self.frame).is_some();
        let last_reply = buttons.iter().rposition(ButtonDef::answers);
        let first_link = buttons.iter().position(is_link);
        if last_reply.zip(first_link).is_none_or(|(reply, link)| reply < link) {
            return Box::default();
        }
        (0..).zip(buttons).filter(|(_, button)| is_link(button)).map(|(place, _)| place).collect()
    }

    fn compile_parameters(self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<CompiledParameters> {
        match self.parameters {
            None => Some(CompiledParameters::Positional(Box::default())),
            Some(ParametersDef::Positional(values)) => {
                let each = values.iter().enumerate();
                let values: Vec<_> =
                    each.map(|(index, value)| cx.required_template(&at.item(index), value)).collect();
                values.into_iter().collect::<Option<_>>().map(CompiledParameters::Positional)
            }
            Some(ParametersDef::Named(values)) => {
                let each = values.iter().map(|(name, value)| {
                    cx.short_name(&at.key(name), name)?;
                    let value = cx.required_template(&at.key(name), value)?;
                    Some((Arc::from(name.as_str()), value))
                });
                let values: Vec<_> = each.collect();
                values.into_iter().collect::<Option<_>>().map(CompiledParameters::Named)
            }
        }
    }
}

impl Read for TemplateDef {
    const EXAMPLE: &'static str = r#"{"name": "order_shipped", "language": "en"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let name = fields.required("name");
        let (language, languages) = match fields.has("languages") {
            true => (fields.optional("language"), fields.required("languages")),
            false => (fields.required("language"), None),
        };
        let category = fields.optional("category");
        let (parameters, buttons) = (fields.optional("parameters"), fields.optional("buttons"));
        let (header, cards) = (fields.optional("header"), fields.optional("cards"));
        fields.close();
        let (name, language) = (name.unwrap_or_default(), language.unwrap_or_default());
        Some(Self { name, language, languages, category, parameters, header, buttons, cards })
    }
}

impl Read for TemplateCardDef {
    const EXAMPLE: &'static str = r#"{"header": {"image": "https://shop.example/7.jpg"}}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (header, parameters) = (fields.optional("header"), fields.optional("parameters"));
        let buttons = fields.optional("buttons");
        fields.close();
        Some(Self { header, parameters, buttons })
    }
}

impl Read for ParametersDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::Array(_) => Vec::read(value, at, found).map(Self::Positional),
            Value::Object(_) => {
                let values = Map::read(value, at, found)?;
                let each = values.iter();
                let each = each
                    .map(|(name, value)| Some((name.clone(), String::read(value, &at.key(name), found)?)));
                let read: Vec<_> = each.collect();
                read.into_iter().collect::<Option<_>>().map(Self::Named)
            }
            other => wrong_type("a list or an object", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        let named = json!({"type": "object", "additionalProperties": {"type": "string"}});
        book.refer::<Self>(|book| json!({"anyOf": [Vec::<String>::schema(book), named]}))
    }
}
