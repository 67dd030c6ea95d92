//! A message in a channel's own words, for what this crate does not know.

use serde::Serialize;
use serde_json::Value;

use crate::Channel;
use crate::flow::content::ChannelCapacity;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::json_template::JsonTemplate;

/// A message as one channel has it: `{"channel": "whatsapp", "body": {"type": "contacts", …}}`. The
/// transport gets the body as it is written, with the templates in its texts rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NativeDef {
    /// The channel whose words these are.
    pub channel: Channel,
    /// The message, with templates in its texts; a placeholder alone gives its value, such as a
    /// number ([SEMANTICS N13](crate::semantics#n13)).
    pub body: Value,
}

/// A compiled message of this kind.
#[derive(Clone, Debug)]
pub(crate) struct CompiledNative {
    pub(crate) channel: Channel,
    pub(crate) body: JsonTemplate,
}

impl NativeDef {
    /// A message of a channel.
    pub fn new(channel: Channel, body: impl Into<Value>) -> Self {
        Self { channel, body: body.into() }
    }

    pub(super) fn compile(
        &self,
        at: &Path<'_>,
        (fit, channel): (&ChannelCapacity, Option<&Channel>),
        cx: &mut Compile<'_>,
    ) -> Option<CompiledNative> {
        if channel.is_some_and(|channel| *channel != self.channel) {
            fit.lacks(&at.key("channel"), cx);
        }
        let body = JsonTemplate::compile(&self.body, &at.key("body"), cx)?;
        let place = at.key("body");
        if !body.may_be_object() {
            let fix = "write the message as an object, not as a text";
            cx.found.add(IssueCode::BadValue, &place, "must be an object, or one placeholder", fix);
        }
        let has_type = self.body.as_object().is_none_or(|body| body.contains_key("type"));
        if self.channel == Channel::WhatsApp && !has_type {
            let fix = "name the kind of the message, such as `\"type\": \"text\"`";
            cx.found.add(IssueCode::MissingField, &place.key("type"), "is required", fix);
        }
        Some(CompiledNative { channel: self.channel.clone(), body })
    }
}

impl Read for NativeDef {
    const EXAMPLE: &'static str = r#"{"channel": "whatsapp", "body": {"type": "contacts"}}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (channel, body) = (fields.required("channel"), fields.required("body"));
        fields.close();
        Some(Self { channel: channel?, body: body? })
    }
}
