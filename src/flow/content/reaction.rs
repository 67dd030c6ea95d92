//! A sign on a message of the contact.

use serde::Serialize;
use serde_json::Value;

use crate::flow::content::ChannelCapacity;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Fields, Read};
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;

/// A sign: `{"emoji": "👍"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReactionDef {
    /// The sign, a template; `""` takes it away.
    pub emoji: String,
    /// The channel's id of the message that it is on, a template; what the contact said last if
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// A compiled sign.
#[derive(Clone, Debug)]
pub(crate) struct CompiledReaction {
    /// None: it is taken away.
    pub(crate) emoji: Option<Template>,
    /// None: what the contact said last.
    pub(crate) to: Option<Template>,
}

impl ReactionDef {
    /// A sign on what the contact said last.
    pub fn new(emoji: impl Into<String>) -> Self {
        Self { emoji: emoji.into(), to: None }
    }

    pub(super) fn compile(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledReaction> {
        if !fit.capacity.reaction {
            fit.lacks(at, cx);
        }
        let emoji = match &*self.emoji {
            "" => Some(None),
            emoji => cx.required_template(&at.key("emoji"), emoji).map(Some),
        };
        let written = emoji.as_ref().and_then(|emoji| emoji.as_ref()?.as_literal());
        if let Some(word) = written.filter(|text| text.chars().any(char::is_alphabetic)) {
            let message = format!("{:?} is not an emoji", brief(word));
            cx.found.add(IssueCode::BadValue, &at.key("emoji"), message, "write the sign itself, such as 👍");
        }
        let to = match &self.to {
            Some(to) => cx.required_template(&at.key("to"), to).map(Some),
            None => Some(None),
        };
        Some(CompiledReaction { emoji: emoji?, to: to? })
    }
}

impl Read for ReactionDef {
    const EXAMPLE: &'static str = r#"{"emoji": "👍"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (emoji, to) = (fields.required("emoji"), fields.optional("to"));
        fields.close();
        Some(Self { emoji: emoji.unwrap_or_default(), to })
    }
}
