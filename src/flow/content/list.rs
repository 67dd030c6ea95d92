//! A list to open below a text: sections of rows, one of which can be chosen.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::flow::content::choice::compile_choice;
use crate::flow::content::{Choice, Fit, Local, TextDef};
use crate::flow::form::issue::{Diagnostics, IssueCode};
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;

/// A list:
/// `{"button": "Times", "sections": [{"title": "Monday", "rows": [{"id": "9", "label": "9 h"}]}]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListDef {
    /// The label of what opens it, no template.
    pub button: TextDef,
    /// Its sections.
    pub sections: Vec<SectionDef>,
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SectionDef {
    /// The line above its rows, no template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<TextDef>,
    /// Its rows.
    pub rows: Vec<RowDef>,
}

/// A row of a list, which can be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RowDef {
    /// What the flow hears when it is chosen: 1-64 bytes, unique in its message.
    pub id: String,
    /// What the contact sees, no template.
    pub label: TextDef,
    /// A line below it, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<TextDef>,
}

/// A compiled list.
#[derive(Clone, Debug)]
pub(crate) struct List {
    pub(crate) button: Local<Arc<str>>,
    pub(crate) sections: Box<[Section]>,
}

/// A compiled part of a list.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) title: Option<Local<Arc<str>>>,
    pub(crate) rows: Box<[Choice]>,
}

impl ListDef {
    pub(super) fn compile(&self, at: &Path<'_>, fit: &Fit, cx: &mut Compile<'_>) -> Option<List> {
        let limits = &fit.capacity;
        let rows = self.sections.iter().map(|section| section.rows.len()).sum();
        fit.count(at, rows, limits.rows, cx);
        let button = self.button.label(&at.key("button"), limits.list_button, cx);
        let list = at.key("sections");
        if rows == 0 {
            cx.found.add(IssueCode::BadValue, &list, "has no row", "add a section with a row");
        }
        let each = self.sections.iter().enumerate();
        let sections: Vec<Option<Section>> = each
            .map(|(index, section)| {
                let place = list.item(index);
                if section.title.is_none() && self.sections.len() > 1 {
                    let fix = "give each section a title, or make one of them";
                    cx.found.add(IssueCode::MissingField, &place.key("title"), "is missing", fix);
                }
                section.compile(&place, fit, cx)
            })
            .collect();
        let rows = self.sections.iter().flat_map(|section| &section.rows);
        cx.distinct(&list, "option", rows.map(|row| row.id.as_str()));
        Some(List { button: button?, sections: sections.into_iter().collect::<Option<_>>()? })
    }
}

impl SectionDef {
    fn compile(&self, at: &Path<'_>, fit: &Fit, cx: &mut Compile<'_>) -> Option<Section> {
        let title = match &self.title {
            Some(title) => Some(title.label(&at.key("title"), fit.capacity.row, cx)?),
            None => None,
        };
        let list = at.key("rows");
        let each = self.rows.iter().enumerate();
        let rows: Vec<Option<Choice>> =
            each.map(|(index, row)| row.compile(&list.item(index), fit, cx)).collect();
        Some(Section { title, rows: rows.into_iter().collect::<Option<_>>()? })
    }
}

impl RowDef {
    fn compile(&self, at: &Path<'_>, fit: &Fit, cx: &mut Compile<'_>) -> Option<Choice> {
        let choice = compile_choice(at, &self.id, &self.label, fit.capacity.row, cx);
        let place = at.key("description");
        let description = match &self.description {
            Some(text) => {
                let text = text.template(&place, cx)?;
                fit.text(&place, &text, fit.capacity.description, "shorten it", cx);
                Some(text)
            }
            None => None,
        };
        Some(Choice { description, ..choice? })
    }
}

impl Read for ListDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(value, at, found)?;
        let (button, sections) = (fields.required("button"), fields.required("sections"));
        fields.close();
        Some(Self { button: button.unwrap_or_default(), sections: sections.unwrap_or_default() })
    }
}

impl Read for SectionDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(value, at, found)?;
        let (title, rows) = (fields.optional("title"), fields.required("rows"));
        fields.close();
        Some(Self { title, rows: rows.unwrap_or_default() })
    }
}

impl Read for RowDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(value, at, found)?;
        let (id, label) = (fields.required("id"), fields.required("label"));
        let description = fields.optional("description");
        fields.close();
        Some(Self { id: id.unwrap_or_default(), label: label.unwrap_or_default(), description })
    }
}
