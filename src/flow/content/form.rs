//! A form to fill in, which the channel shows: a WhatsApp Flow.

use serde::Serialize;
use serde_json::Value;

use crate::flow::content::{ChannelCapacity, Local, TextDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::json_template::JsonTemplate;
use crate::flow::lang::template::Template;

/// A form: `{"id": "1234567890", "button": "Fill in", "screen": "DAMAGE", "data": {"policy": "{{
/// context.policy }}"}}`. Its answers are `reply.form` at a wait that takes the kind `form`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FormDef {
    /// The channel's id of it, a template.
    pub id: String,
    /// The label of what opens it.
    pub button: TextDef,
    /// The screen that it opens with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screen: Option<String>,
    /// The data that the screen is given, with templates in its texts; a placeholder alone gives
    /// its value, such as a list ([SEMANTICS N13](crate::semantics#n13)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// A compiled form.
#[derive(Clone, Debug)]
pub(crate) struct CompiledForm {
    pub(crate) id: Template,
    pub(crate) button: Local<Template>,
    pub(crate) screen: Option<Template>,
    pub(crate) data: Option<JsonTemplate>,
}

impl FormDef {
    pub(super) fn compile(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledForm> {
        if !fit.capacity.form {
            fit.lacks(at, cx);
        }
        let id = cx.required_template(&at.key("id"), &self.id);
        let button = self.button.label(&at.key("button"), fit.capacity.list_button, cx);
        let screen = self.screen.as_deref().map(|screen| cx.required_template(&at.key("screen"), screen));
        let data = self.data.as_ref().map(|data| JsonTemplate::compile(data, &at.key("data"), cx));
        Some(CompiledForm { id: id?, button: button?, screen: screen.flatten(), data: data.flatten() })
    }
}

impl Read for FormDef {
    const EXAMPLE: &'static str = r#"{"id": "1234567890", "button": "Book"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (id, button) = (fields.required("id"), fields.required("button"));
        let (screen, data) = (fields.optional("screen"), fields.optional("data"));
        fields.close();
        Some(Self { id: id.unwrap_or_default(), button: button.unwrap_or_default(), screen, data })
    }
}
