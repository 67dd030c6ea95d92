//! The header and the footer of the text of a message with buttons or a list.

use serde::Serialize;
use serde_json::Value;

use crate::flow::content::address;
use crate::flow::content::{ChannelCapacity, CompiledLocation, Local, LocationDef, MediaType, TextDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;

/// A header, one of the four: `{"text": "Your order"}`, `{"image": "https://shop.example/7.jpg"}`.
/// That of an approved template may be a place, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HeaderDef {
    /// A line, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<TextDef>,
    /// The address of a picture, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The address of a film, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<String>,
    /// The address of a document, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The name that a document is saved under, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// A place; in an approved template alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Box<LocationDef>>,
    /// The name of the gap that the line fills, in an approved template whose gaps have names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}

/// A compiled header.
#[derive(Clone, Debug)]
pub(crate) enum CompiledHeader {
    Text(Local<Template>),
    /// A medium, its address, and the name that a document is saved under.
    Media(MediaType, Template, Option<Template>),
    Location(Box<CompiledLocation>),
}

/// A compiled header and footer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surround {
    pub(crate) header: Option<CompiledHeader>,
    pub(crate) footer: Option<Local<Template>>,
}

impl HeaderDef {
    /// The header of a message that is not an approved template.
    pub(super) fn compile(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledHeader> {
        let given = [("location", self.location.is_some()), ("parameter", self.parameter.is_some())];
        for (field, _) in given.into_iter().filter(|(_, given)| *given) {
            let fix = "remove it, or send an approved `template`";
            cx.found.add(IssueCode::BadValue, &at.key(field), "has no meaning outside of a template", fix);
        }
        if fit.capacity.header == 0 {
            fit.lacks(at, cx);
        }
        self.compile_part("give one of `text`, `image`, `video` and `document`", at, fit, cx)
    }

    /// The header of an approved message. `has_names`: its gaps have names.
    pub(super) fn compile_in_template(
        &self,
        has_names: bool,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledHeader> {
        let place = at.key("parameter");
        match &self.parameter {
            Some(name) if self.text.is_some() && has_names => {
                cx.short_name(&place, name)?;
            }
            Some(_) => {
                let fix = "remove it, or give the header a `text` and the `parameters` names";
                let message = "has no meaning unless gaps have names and the header is a line";
                cx.found.add(IssueCode::BadValue, &place, message, fix);
            }
            None if self.text.is_some() && has_names => {
                let fix = "name the gap of the header, as it was approved";
                cx.found.add(IssueCode::MissingField, &place, "is required", fix);
            }
            None => {}
        }
        let fix = "give one of `text`, `image`, `video`, `document` and `location`";
        self.compile_part(fix, at, fit, cx)
    }

    fn compile_part(
        &self,
        fix: &str,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledHeader> {
        let media = [
            ("image", MediaType::Image, &self.image),
            ("video", MediaType::Video, &self.video),
            ("document", MediaType::Document, &self.document),
        ];
        let others = usize::from(self.text.is_some()) + usize::from(self.location.is_some());
        let given = media.iter().filter(|(_, _, url)| url.is_some()).count() + others;
        if given != 1 {
            cx.found.add(IssueCode::BadValue, at, format!("has {given} of its fields"), fix);
            return None;
        }
        let place = at.key("filename");
        if self.filename.is_some() && self.document.is_none() {
            let message = "has no meaning without `document`";
            cx.found.add(IssueCode::BadValue, &place, message, "remove it, or give a `document`");
        }
        if let Some(text) = &self.text {
            let text = text.template(&at.key("text"), cx)?;
            fit.text(&at.key("text"), &text, fit.capacity.header, "shorten it", cx);
            return Some(CompiledHeader::Text(text));
        }
        if let Some(location) = &self.location {
            let location = location.compile_place(&at.key("location"), cx)?;
            return Some(CompiledHeader::Location(Box::new(location)));
        }
        let filename = match &self.filename {
            Some(name) => Some(cx.required_template(&place, name)?),
            None => None,
        };
        media.into_iter().find_map(|(key, kind, url)| {
            let url = address::medium(url.as_deref()?, &at.key(key), fit, cx)?;
            Some(CompiledHeader::Media(kind, url, filename.clone()))
        })
    }

    /// True if it is a picture, a film or a document.
    pub(super) fn is_medium(&self) -> bool {
        self.text.is_none() && self.location.is_none()
    }
}

impl Read for HeaderDef {
    const EXAMPLE: &'static str = r#"{"text": "Your order"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (text, image) = (fields.optional("text"), fields.optional("image"));
        let (video, document) = (fields.optional("video"), fields.optional("document"));
        let filename = fields.optional("filename");
        let (location, parameter) = (fields.optional("location"), fields.optional("parameter"));
        fields.close();
        Some(Self { text, image, video, document, filename, location, parameter })
    }
}
