//! The body that sends a message, field by field, in the order in which the product documents it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

/// The body of `POST /PHONE_NUMBER_ID/messages`: made of a message by [`CloudBody::of`], or read by
/// a host that takes the place of the API, such as in a test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CloudBody {
    pub(super) messaging_product: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recipient_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recipient: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) typing_indicator: Option<TypingBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<QuoteBody>,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<TextBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<MediaBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) audio: Option<MediaBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) video: Option<MediaBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) document: Option<MediaBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sticker: Option<MediaBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<PlaceBody>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) contacts: Vec<ContactBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reaction: Option<ReactionBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) interactive: Option<InteractiveBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) template: Option<TemplateBody>,
    /// A message in the channel's own words.
    #[serde(flatten)]
    pub(super) native: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) biz_opaque_callback_data: Option<String>,
}

/// The sign that somebody is writing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TypingBody {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// The message that this one answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct QuoteBody {
    pub(super) message_id: String,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TextBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) preview_url: Option<bool>,
    pub(super) body: String,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A medium, by its address or by the id that it was uploaded under.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct MediaBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) caption: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) filename: Option<String>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PlaceBody {
    pub(super) latitude: Number,
    pub(super) longitude: Number,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<String>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A card of a person or a firm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ContactBody {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) emails: Vec<ContactLine>,
    #[serde(default)]
    pub(super) name: ContactName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) org: Option<ContactFirm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) phones: Vec<ContactLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) urls: Vec<ContactLine>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// The name on a card: as a whole, and at least one of its parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ContactName {
    pub(super) formatted_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_name: Option<String>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// The firm on a card.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ContactFirm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) company: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) department: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A number or an address on a card.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ContactLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A sign on a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ReactionBody {
    pub(super) message_id: String,
    pub(super) emoji: String,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// An article of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ProductBody {
    pub(super) product_retailer_id: String,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A text with something to tap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct InteractiveBody {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) header: Option<ParameterBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<LineBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) footer: Option<LineBody>,
    #[serde(default)]
    pub(super) action: ActionBody,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A text alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LineBody {
    pub(super) text: String,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// The parts that can be tapped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ActionBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<ActionParameters>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) buttons: Vec<ButtonBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) button: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) catalog_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) product_retailer_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) sections: Vec<SectionBody>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// The target of a tap: an address, or a form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ActionParameters {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) display_text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) flow_message_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) flow_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) flow_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) flow_cta: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) flow_action: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) flow_action_payload: Option<ScreenBody>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// The screen that a form opens with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ScreenBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) screen: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Value>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A button that answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ButtonBody {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) reply: RowBody,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SectionBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) rows: Vec<RowBody>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) product_items: Vec<ProductBody>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A choice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RowBody {
    pub(super) id: String,
    pub(super) title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// An approved message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TemplateBody {
    pub(super) name: String,
    pub(super) language: LanguageBody,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) components: Vec<ComponentBody>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// The language that it was approved in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LanguageBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<String>,
    pub(super) code: String,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A part of an approved message: its header, its text or one of its buttons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ComponentBody {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sub_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parameters: Vec<ParameterBody>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) cards: Vec<CarouselCardBody>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A card of an approved message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CarouselCardBody {
    pub(super) card_index: u32,
    pub(super) components: Vec<ComponentBody>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A value that fills a gap; a header has the same form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ParameterBody {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parameter_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<MediaBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) video: Option<MediaBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) document: Option<MediaBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<PlaceBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) coupon_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<FormActionBody>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// The part of a form's button that is left open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FormActionBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) flow_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) flow_action_data: Option<Value>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}
