//! Goods of a catalogue that the channel keeps: one of them, some, or all.

use serde::Serialize;
use serde_json::Value;
#[cfg(feature = "schema")]
use serde_json::json;

use crate::flow::content::offers::{DataFields, ITEM_NAMES, OfferEntry, item_template};
use crate::flow::content::{ChannelCapacity, CompiledChoice, Offer, Offers, OffersDef, Section, TextDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
#[cfg(feature = "schema")]
use crate::flow::form::read::object;
use crate::flow::form::read::{Fields, Read};
#[cfg(feature = "schema")]
use crate::flow::form::schema::SchemaDefinitions;
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;

/// Goods: one, `{"catalog": "1234", "id": "tea-1"}`; some, `{"catalog": "1234", "sections":
/// [{"title": "Teas", "items": ["tea-1", "tea-2"]}]}`; or the whole catalogue of the account, `{}`.
/// What the contact orders is `reply.order`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProductsDef {
    /// The channel's id of the catalogue, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog: Option<String>,
    /// The shop's id of the one that is shown, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Those that are shown, in sections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sections: Option<OffersDef<ProductSectionDef>>,
}

/// A part of them; or as many parts as a list of the session has items:
/// `{"from": "context.shelves", "title": "name", "items": {"from": "item.goods", "id": "sku"}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProductSectionDef {
    /// The list that sections are made of, an expression. What is inside reads the section's item
    /// as `section`; the `from` of its goods as `item`, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The line above them, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<TextDef>,
    /// Its goods.
    pub items: OffersDef<ProductItemDef>,
}

/// The shop's id of an article, `"tea-1"`; or articles that are made of data,
/// `{"from": "vars.found", "id": "sku"}`, see [`OffersDef`](crate::flow::OffersDef).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProductItemDef {
    /// The list that they are made of, an expression.
    pub from: Option<String>,
    /// The shop's id: 1-64 bytes. With `from` a template; if absent, the item's `id`, or the item
    /// itself.
    pub id: String,
}

/// Compiled goods.
#[derive(Clone, Debug)]
pub(crate) struct CompiledProducts {
    pub(crate) catalog: Option<Template>,
    pub(crate) id: Option<Template>,
    pub(crate) sections: Box<[Section]>,
}

impl OfferEntry for ProductSectionDef {
    fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }
}

impl OfferEntry for ProductItemDef {
    fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }
}

impl ProductsDef {
    /// True if it is a list, which needs a header on some channels.
    pub(super) fn is_list(&self) -> bool {
        self.sections.is_some()
    }

    pub(super) fn has_data(&self) -> bool {
        let has_data = |section: &ProductSectionDef| section.items.iter().any(|item| item.from.is_some());
        let mut sections = self.sections.iter().flatten();
        sections.any(|section| section.from.is_some() || has_data(section))
    }

    /// True if there is no article where its lists have none.
    pub(super) fn needs_items(&self) -> bool {
        let sections = self.sections.iter().flatten().filter(|section| section.from.is_none());
        self.has_data() && !sections.flat_map(|section| &section.items).any(|item| item.from.is_none())
    }

    pub(super) fn compile(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledProducts> {
        if self.id.is_some() && self.sections.is_some() {
            let fix = "give one of the two, or send two messages";
            cx.found.add(IssueCode::BadValue, &at.key("sections"), "is given together with `id`", fix);
        }
        let names_some = self.id.is_some() || self.sections.is_some();
        if names_some && self.catalog.is_none() {
            let fix = "add the channel's id of the catalogue";
            cx.found.add(IssueCode::MissingField, &at.key("catalog"), "is required", fix);
        }
        let mut text = |key: &str, text: &Option<String>| match text {
            Some(text) => cx.required_template(&at.key(key), text).map(Some),
            None => Some(None),
        };
        let (catalog, id) = (text("catalog", &self.catalog), text("id", &self.id));
        if fit.capacity.products == 0 {
            fit.lacks(at, cx);
        }
        let sections = self.compile_sections(&at.key("sections"), fit, cx);
        Some(CompiledProducts { catalog: catalog?, id: id?, sections: sections? })
    }

    fn compile_sections(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<Box<[Section]>> {
        let Some(sections) = &self.sections else { return Some(Box::default()) };
        let written = sections.iter().filter(|section| section.from.is_none());
        let written = written.flat_map(|section| &section.items).filter(|item| item.from.is_none());
        let ids: Vec<&str> = written.map(|item| item.id.as_str()).collect();
        if ids.is_empty() && !self.has_data() {
            cx.found.add(IssueCode::BadValue, at, "has no article", "add a section with one");
        }
        if fit.capacity.products > 0 {
            fit.count(at, ids.len(), fit.capacity.products, cx);
            fit.count(at, sections.len(), fit.capacity.product_sections, cx);
        }
        cx.distinct(at, "article", ids.into_iter());
        let is_alone = sections.len() == 1 && sections.iter().all(|section| section.from.is_none());
        let each = sections.iter().enumerate().map(|(index, section)| {
            let place = at.item(index);
            if section.title.is_none() && !is_alone {
                let fix = "give each section a title, or make one of them";
                cx.found.add(IssueCode::MissingField, &place.key("title"), "is required", fix);
            }
            section.compile(&place, fit, cx)
        });
        let sections: Vec<_> = each.collect();
        sections.into_iter().collect()
    }
}

impl ProductSectionDef {
    fn compile(&self, at: &Path<'_>, fit: &ChannelCapacity, cx: &mut Compile<'_>) -> Option<Section> {
        let Some(from) = &self.from else {
            let title = match &self.title {
                Some(title) => Some(title.label(&at.key("title"), fit.capacity.row, cx)?),
                None => None,
            };
            return Some(Section { from: None, title, rows: self.items(at, fit, cx)? });
        };
        let from = cx.expression(&at.key("from"), from)?;
        cx.with_names(ITEM_NAMES, |cx| {
            let title = match &self.title {
                Some(title) => Some(title.compile(&at.key("title"), cx, item_template)?),
                None => None,
            };
            Some(Section { from: Some(from), title, rows: self.items(at, fit, cx)? })
        })
    }

    fn items(&self, at: &Path<'_>, fit: &ChannelCapacity, cx: &mut Compile<'_>) -> Option<Offers> {
        let list = at.key("items");
        let each = self.items.iter().enumerate().map(|(index, item)| {
            let place = list.item(index);
            match &item.from {
                Some(from) => {
                    let (label, id) = (&TextDef::default(), item.id.as_str());
                    let data = DataFields { from, id, label, description: None };
                    data.compile(&place, usize::MAX, fit, cx).map(|data| Offer::Data(Box::new(data)))
                }
                None => item.compile(&place, cx).map(Offer::Written),
            }
        });
        let items: Vec<_> = each.collect();
        items.into_iter().collect::<Option<Vec<_>>>().map(Offers::of)
    }
}

impl ProductItemDef {
    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<CompiledChoice> {
        if self.id.contains("{{") {
            let fix = "write it out, or make articles of a list, such as {\"from\": \"vars.found\"}";
            cx.found.add(IssueCode::BadValue, at, "must not be a template", fix);
            return None;
        }
        cx.short_name(at, &self.id)?;
        let label = TextDef::from(self.id.as_str()).template(at, cx)?;
        Some(CompiledChoice { id: self.id.as_str().into(), label, description: None })
    }
}

impl Serialize for ProductItemDef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let Some(from) = &self.from else { return serializer.serialize_str(&self.id) };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("from", from)?;
        if !self.id.is_empty() {
            map.serialize_entry("id", &self.id)?;
        }
        map.end()
    }
}

impl Read for ProductsDef {
    const EXAMPLE: &'static str = r#"{"catalog": "1234", "id": "tea-1"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (catalog, id) = (fields.optional("catalog"), fields.optional("id"));
        let sections = fields.optional("sections");
        fields.close();
        Some(Self { catalog, id, sections })
    }
}

impl Read for ProductSectionDef {
    const EXAMPLE: &'static str = r#"{"title": "Teas", "items": ["tea-1"]}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let from = fields.optional("from");
        let (title, items) = (fields.optional("title"), fields.required("items"));
        fields.close();
        Some(Self { from, title, items: items.unwrap_or_default() })
    }
}

impl Read for ProductItemDef {
    const EXAMPLE: &'static str = r#"{"from": "vars.found", "id": "sku"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        if let Value::String(id) = value {
            return Some(Self { from: None, id: id.clone() });
        }
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (from, id) = (fields.required("from"), fields.optional("id"));
        fields.close();
        Some(Self { from, id: id.unwrap_or_default() })
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        book.refer::<Self>(|book| json!({"anyOf": [{"type": "string"}, object::<Self>(book)]}))
    }
}
