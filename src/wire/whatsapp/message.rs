//! A message of a contact as the webhook has it, in each of its kinds.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::wire::webhook::text_or_number;
use crate::wire::whatsapp::webhook::CloudError;

/// A message of a contact; `kind` names the field that holds its content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudMessage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<CloudContext>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub(super) from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from_user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from_parent_user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub(super) timestamp: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<CloudError>,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<CloudText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) button: Option<CloudButton>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) interactive: Option<CloudInteractive>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<CloudMedia>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) audio: Option<CloudMedia>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) video: Option<CloudMedia>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) document: Option<CloudMedia>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sticker: Option<CloudMedia>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<CloudLocation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) contacts: Option<Vec<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<CloudOrder>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reaction: Option<CloudReaction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) system: Option<CloudSystem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) referral: Option<CloudReferral>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudText {
    pub(super) body: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A button of an approved message that was tapped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudButton {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<String>,
    #[serde(default)]
    pub(super) text: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// An answer to buttons, a list or a form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudInteractive {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) button_reply: Option<CloudReply>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) list_reply: Option<CloudReply>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nfm_reply: Option<CloudFormReply>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A choice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudReply {
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A form that was filled in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudFormReply {
    /// JSON in a text; some hand it on as an object.
    pub(super) response_json: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A medium.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudMedia {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) caption: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) filename: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) voice: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) animated: Option<bool>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudLocation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    latitude: Number,
    longitude: Number,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Goods that were put into a cart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudOrder {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    catalog_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(default)]
    product_items: Vec<CloudProduct>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// One of them; numbers may be written as texts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct CloudProduct {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    product_retailer_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quantity: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item_price: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A sign on a message; without an emoji it was taken away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudReaction {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    emoji: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The channel's own news of a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudSystem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub(super) wa_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub(super) new_wa_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent_user_id: Option<String>,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub(super) customer: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The advertisement or post that a message came by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudReferral {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    headline: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    video_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumbnail_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ctwa_clid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    welcome_message: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The message that this one answers, or that it was forwarded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudContext {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forwarded: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frequently_forwarded: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    referred_product: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}
