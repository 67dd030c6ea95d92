//! A card: a title, with a picture and buttons.

use serde::Serialize;
use serde_json::Value;

use crate::flow::content::address;
use crate::flow::content::choice::compile_buttons;
use crate::flow::content::{ButtonDef, ChannelCapacity, CompiledButtons, Local, OffersDef, TextDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;

/// A card: `{"title": "Blue shirt", "subtitle": "29 EUR", "image": "https://shop.example/7.jpg",
/// "buttons": […]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CardDef {
    /// The title, a template.
    pub title: TextDef,
    /// A line below it, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<TextDef>,
    /// The address of a picture, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Buttons below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buttons: Option<OffersDef<ButtonDef>>,
}

/// A compiled card.
#[derive(Clone, Debug)]
pub(crate) struct CompiledCard {
    pub(crate) title: Local<Template>,
    pub(crate) subtitle: Option<Local<Template>>,
    pub(crate) image: Option<Template>,
    pub(crate) buttons: CompiledButtons,
}

impl CardDef {
    /// A card with a title alone.
    pub fn new(title: impl Into<TextDef>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    pub(super) fn compile(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledCard> {
        let most = fit.capacity.card;
        if most == 0 {
            fit.lacks(at, cx);
            return None;
        }
        let mut text = |key: &str, text: &TextDef, most: usize| {
            let text = text.template(&at.key(key), cx)?;
            fit.text(&at.key(key), &text, most, "shorten it", cx);
            Some(text)
        };
        let title = text("title", &self.title, most);
        let subtitle =
            self.subtitle.as_ref().map(|subtitle| text("subtitle", subtitle, fit.capacity.subtitle));
        let image = self.image.as_deref().map(|image| address::medium(image, &at.key("image"), fit, cx));
        let buttons = match &self.buttons {
            Some(buttons) => compile_buttons(buttons, &at.key("buttons"), fit.capacity.card_buttons, fit, cx),
            None => Some(CompiledButtons::default()),
        };
        Some(CompiledCard {
            title: title?,
            subtitle: subtitle.flatten(),
            image: image.flatten(),
            buttons: buttons?,
        })
    }
}

impl Read for CardDef {
    const EXAMPLE: &'static str = r#"{"title": "Tea", "subtitle": "Green, 100 g"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (title, subtitle) = (fields.required("title"), fields.optional("subtitle"));
        let (image, buttons) = (fields.optional("image"), fields.optional("buttons"));
        fields.close();
        Some(Self { title: title.unwrap_or_default(), subtitle, image, buttons })
    }
}
