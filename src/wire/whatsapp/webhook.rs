//! The body of a webhook, field by field, in the order in which the product documents it. What is
//! not documented is kept in `rest`.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::wire::webhook::text_or_number;
use crate::wire::whatsapp::message::CloudMessage;

/// The body of a webhook, read as a whole: for hosts that keep it or write one themselves, such as
/// in a test. What it says is read by [`WebhookReader`](super::WebhookReader), which takes bodies
/// that are wrong in parts, too.
///
/// ```
/// use chatflow::wire::whatsapp::CloudWebhook;
/// let body = r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[]}]}"#;
/// let webhook: CloudWebhook = serde_json::from_str(body)?;
/// assert_eq!(serde_json::to_string(&webhook)?, body);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CloudWebhook {
    object: String,
    entry: Vec<CloudEntry>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The changes of one business account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct CloudEntry {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<i64>,
    changes: Vec<CloudChange>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A change, and the field that it is of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct CloudChange {
    value: CloudValue,
    field: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The value of a change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct CloudValue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    messaging_product: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<CloudMetadata>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<CloudContact>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<CloudError>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    messages: Vec<CloudMessage>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    statuses: Vec<CloudStatus>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    user_id_update: Vec<CloudIdUpdate>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The business number that a change is of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudMetadata {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub(super) display_phone_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub(super) phone_number_id: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A person that messages or statuses are of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudContact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<CloudProfile>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub(super) wa_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent_user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity_key_hash: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The profile that a person shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudProfile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) username: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// News of a message that was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CloudStatus {
    /// The channel's id of the message.
    #[serde(default)]
    pub id: String,
    /// `sent`, `delivered`, `read`, `played`, `failed`, or what the product may add.
    #[serde(default)]
    pub status: String,
    /// When it happened, in seconds after 1970.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub timestamp: Option<String>,
    /// The number that it was sent to.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub recipient_id: Option<String>,
    /// The business-scoped id of the one it was sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_user_id: Option<String>,
    /// The same in the group of businesses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_parent_user_id: Option<String>,
    /// The text that was sent along: [`CloudBody::of`](super::CloudBody::of) puts the id of the
    /// message there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub biz_opaque_callback_data: Option<String>,
    /// The conversation that it is charged with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<CloudConversation>,
    /// The price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pricing: Option<CloudPricing>,
    /// The reasons for which it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<CloudError>,
    /// Fields that the product does not document.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The conversation that a message is charged with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CloudConversation {
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When it ends, in seconds after 1970.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub expiration_timestamp: Option<String>,
    /// Its origin, such as `{"type": "service"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Value>,
    /// Fields that the product does not document.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The price of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CloudPricing {
    /// True if it costs something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billable: Option<bool>,
    /// `PMP` for a price a message, `CBP` for one a conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pricing_model: Option<String>,
    /// `regular`, `free_customer_service`, `free_entry_point`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The category that it is charged as, such as `marketing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Fields that the product does not document.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// An error as webhooks tell it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CloudError {
    /// The code, such as 131047; 0 if there is none.
    #[serde(default, deserialize_with = "code")]
    pub code: i64,
    /// A title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The same, mostly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// More of it, such as `{"details": …}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_data: Option<Value>,
    /// Where it is documented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// Fields that the product does not document.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// An id of a person that changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudIdUpdate {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    wa_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<CloudIdChange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent_user_id: Option<CloudIdChange>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    timestamp: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// An id before and after.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CloudIdChange {
    pub(super) previous: String,
    pub(super) current: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A number, or its digits in a text.
pub(super) fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    Ok(number.unwrap_or_default())
}
