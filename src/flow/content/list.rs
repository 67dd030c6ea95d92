//! A list to open below a text: sections of rows, one of which can be chosen.

use serde::Serialize;
use serde_json::Value;

use crate::flow::content::choice::read_offer;
use crate::flow::content::offers::{ITEM_NAMES, OfferEntry, compile_offer, compile_offers, item_template};
use crate::flow::content::{ChannelCapacity, Local, Offers, OffersDef, TextDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::expr::Expr;
use crate::flow::lang::template::Template;

/// A list:
/// `{"button": "Times", "sections": [{"title": "Monday", "rows": [{"id": "9", "label": "9 h"}]}]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListDef {
    /// The label of what opens it, a template.
    pub button: TextDef,
    /// Its sections.
    pub sections: OffersDef<SectionDef>,
}

/// A part of a list; or as many parts as a list of the session has items:
/// `{"from": "context.days", "title": "{{ item.day }}", "rows": {"from": "item.slots"}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SectionDef {
    /// The list that sections are made of, an expression. What is inside reads the section's item
    /// as `section`; the `from` of its rows as `item`, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The line above its rows, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<TextDef>,
    /// Its rows.
    pub rows: OffersDef<RowDef>,
}

/// A row of a list, which can be chosen; or rows that are made of data, see
/// [`OffersDef`](crate::flow::OffersDef).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RowDef {
    /// The list that rows are made of, an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The text that the flow hears when it is chosen: 1-64 bytes, unique in its message. With
    /// `from` a template; if absent, the item's `id`, or the item itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The text that the contact sees, a template. With `from`, if absent, the item's `label`, or
    /// what is its id.
    #[serde(skip_serializing_if = "TextDef::is_absent")]
    pub label: TextDef,
    /// A line below it, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<TextDef>,
}

/// A compiled list.
#[derive(Clone, Debug)]
pub(crate) struct CompiledList {
    pub(crate) button: Local<Template>,
    pub(crate) sections: Box<[Section]>,
}

/// A compiled part of a list.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) from: Option<Expr>,
    pub(crate) title: Option<Local<Template>>,
    pub(crate) rows: Offers,
}

impl OfferEntry for RowDef {
    fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }
}

impl OfferEntry for SectionDef {
    fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }
}

impl ListDef {
    /// Its rows that are written out once.
    pub(super) fn written_rows(&self) -> impl Iterator<Item = &RowDef> {
        let sections = self.sections.iter().filter(|section| section.from.is_none());
        sections.flat_map(|section| &section.rows).filter(|row| row.from.is_none())
    }

    pub(super) fn has_data(&self) -> bool {
        let has_data = |section: &SectionDef| section.rows.iter().any(|row| row.from.is_some());
        self.sections.iter().any(|section| section.from.is_some() || has_data(section))
    }

    pub(super) fn compile(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledList> {
        let limits = fit.capacity;
        let rows = self.written_rows().count();
        fit.count(at, rows.max(usize::from(self.has_data())), limits.rows, cx);
        let button = self.button.label(&at.key("button"), limits.list_button, cx);
        let list = at.key("sections");
        if rows == 0 && !self.has_data() {
            cx.found.add(IssueCode::BadValue, &list, "has no row", "add a section with a row");
        }
        let is_alone = self.sections.len() == 1 && self.sections.iter().all(|section| section.from.is_none());
        let each = self.sections.iter().enumerate();
        let sections: Vec<Option<Section>> = each
            .map(|(index, section)| {
                let place = list.item(index);
                if section.title.is_none() && !is_alone {
                    let fix = "give each section a title, or make one of them";
                    cx.found.add(IssueCode::MissingField, &place.key("title"), "is required", fix);
                }
                section.compile(&place, fit, cx)
            })
            .collect();
        cx.distinct(&list, "option", self.written_rows().map(|row| row.id.as_str()));
        Some(CompiledList { button: button?, sections: sections.into_iter().collect::<Option<_>>()? })
    }
}

impl SectionDef {
    fn compile(&self, at: &Path<'_>, fit: &ChannelCapacity, cx: &mut Compile<'_>) -> Option<Section> {
        let Some(from) = &self.from else { return self.compile_parts(None, at, fit, cx) };
        let from = cx.expression(&at.key("from"), from)?;
        cx.with_names(ITEM_NAMES, |cx| self.compile_parts(Some(from), at, fit, cx))
    }

    fn compile_parts(
        &self,
        from: Option<Expr>,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<Section> {
        let most = fit.capacity.row;
        let title = match &self.title {
            Some(title) if from.is_some() => {
                let title = title.compile(&at.key("title"), cx, item_template)?;
                fit.text(&at.key("title"), &title, most, "shorten it", cx);
                Some(title)
            }
            Some(title) => Some(title.label(&at.key("title"), most, cx)?),
            None => None,
        };
        // Rows are counted together, by the list.
        let rows = compile_offers(&self.rows, &at.key("rows"), usize::MAX, fit, cx, |row, at, cx| {
            let texts = (row.id.as_str(), &row.label, row.description.as_ref());
            compile_offer(row.from.as_deref(), texts, most, at, fit, cx)
        });
        Some(Section { from, title, rows: rows? })
    }
}

impl Read for ListDef {
    const EXAMPLE: &'static str =
        r#"{"button": "Menu", "sections": [{"rows": [{"id": "1", "label": "Order"}]}]}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (button, sections) = (fields.required("button"), fields.required("sections"));
        fields.close();
        Some(Self { button: button.unwrap_or_default(), sections: sections.unwrap_or_default() })
    }
}

impl Read for SectionDef {
    const EXAMPLE: &'static str = r#"{"title": "Orders", "rows": [{"id": "1", "label": "Where is it?"}]}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let from = fields.optional("from");
        let (title, rows) = (fields.optional("title"), fields.required("rows"));
        fields.close();
        Some(Self { from, title, rows: rows.unwrap_or_default() })
    }
}

impl Read for RowDef {
    const EXAMPLE: &'static str = r#"{"id": "1", "label": "Where is it?"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (from, id, label) = read_offer(&mut fields);
        let description = fields.optional("description");
        fields.close();
        Some(Self { from, id: id.unwrap_or_default(), label: label.unwrap_or_default(), description })
    }
}
