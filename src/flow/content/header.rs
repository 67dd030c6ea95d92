//! The header and the footer of the text of a message with buttons or a list.

use serde::Serialize;
use serde_json::Value;

use crate::flow::content::{ChannelCapacity, Local, MediaType, TextDef};
use crate::flow::form::issue::{Diagnostics, IssueCode};
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;

/// A header, one of the four: `{"text": "Your order"}`, `{"image": "https://shop.example/7.jpg"}`.
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
}

/// A compiled header.
#[derive(Clone, Debug)]
pub(crate) enum CompiledHeader {
    Text(Local<Template>),
    Media(MediaType, Template),
}

/// A compiled header and footer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surround {
    pub(crate) header: Option<CompiledHeader>,
    pub(crate) footer: Option<Local<Template>>,
}

impl HeaderDef {
    pub(super) fn compile(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledHeader> {
        let media = [
            ("image", MediaType::Image, &self.image),
            ("video", MediaType::Video, &self.video),
            ("document", MediaType::Document, &self.document),
        ];
        let given =
            media.iter().filter(|(_, _, url)| url.is_some()).count() + usize::from(self.text.is_some());
        if given != 1 {
            let fix = "give one of `text`, `image`, `video` and `document`";
            cx.found.add(IssueCode::BadValue, at, format!("has {given} of its fields"), fix);
            return None;
        }
        if fit.capacity.header == 0 {
            fit.lacks(at, cx);
        }
        if let Some(text) = &self.text {
            let text = text.template(&at.key("text"), cx)?;
            fit.text(&at.key("text"), &text, fit.capacity.header, "shorten it", cx);
            return Some(CompiledHeader::Text(text));
        }
        media.into_iter().find_map(|(key, kind, url)| {
            let url = cx.required_template(&at.key(key), url.as_deref()?)?;
            Some(CompiledHeader::Media(kind, url))
        })
    }
}

impl Read for HeaderDef {
    const EXAMPLE: &'static str = r#"{"text": "Your order"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (text, image) = (fields.optional("text"), fields.optional("image"));
        let (video, document) = (fields.optional("video"), fields.optional("document"));
        fields.close();
        Some(Self { text, image, video, document })
    }
}
