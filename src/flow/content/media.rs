//! A medium, by its address.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::flow::content::address;
use crate::flow::content::{ChannelCapacity, Local, MediaType, TextDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;

/// A medium: `{"type": "image", "url": "https://shop.example/{{ context.cart_id }}.jpg", "caption":
/// "Your cart"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MediaDef {
    /// The type of the medium.
    #[serde(rename = "type")]
    pub kind: MediaType,
    /// The address of the file, a template.
    pub url: String,
    /// A text below it, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<TextDef>,
    /// The name it is saved under, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Its media type, such as `application/pdf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
}

/// A compiled medium.
#[derive(Clone, Debug)]
pub(crate) struct CompiledMedia {
    pub(crate) kind: MediaType,
    pub(crate) url: Template,
    pub(crate) caption: Option<Local<Template>>,
    pub(crate) filename: Option<Template>,
    pub(crate) mime: Option<Arc<str>>,
}

impl MediaDef {
    /// A medium without a caption.
    pub fn new(kind: MediaType, url: impl Into<String>) -> Self {
        Self { kind, url: url.into(), caption: None, filename: None, mime: None }
    }

    pub(super) fn compile(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledMedia> {
        if !fit.capacity.media.contains(&self.kind) {
            fit.lacks(at, cx);
        }
        let url = address::medium(&self.url, &at.key("url"), fit, cx);
        let place = at.key("caption");
        let caption = self.caption.as_ref().map(|caption| caption.template(&place, cx));
        if let Some(Some(caption)) = &caption {
            match fit.capacity.caption_of(self.kind) {
                0 => fit.lacks(&place, cx),
                most => fit.text(&place, caption, most, "shorten it, or send a text after it", cx),
            }
        }
        let filename = self.filename.as_deref().map(|name| cx.required_template(&at.key("filename"), name));
        if let Some(mime) = &self.mime {
            cx.short_name(&at.key("mime"), mime)?;
        }
        Some(CompiledMedia {
            kind: self.kind,
            url: url?,
            caption: caption.flatten(),
            filename: filename.flatten(),
            mime: self.mime.as_deref().map(Arc::from),
        })
    }
}

impl Read for MediaDef {
    const EXAMPLE: &'static str = r#"{"type": "image", "url": "https://shop.example/tea.png"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (kind, url) = (fields.required("type"), fields.required("url"));
        let (caption, filename) = (fields.optional("caption"), fields.optional("filename"));
        let mime = fields.optional("mime");
        fields.close();
        let (kind, url) = (kind.unwrap_or(MediaType::Image), url.unwrap_or_default());
        Some(Self { kind, url, caption, filename, mime })
    }
}

impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let known = Self::WORDS.iter().find(|(known, _)| *known == word);
        known.map(|(_, kind)| *kind).ok_or_else(|| serde::de::Error::custom("no type of medium"))
    }
}
