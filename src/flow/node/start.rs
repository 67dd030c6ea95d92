//! `start`: where every session begins, what it takes in, and with whom it talks (SEMANTICS T2,
//! T4).

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read, words};
use crate::flow::lang::context::Compile;
use crate::flow::node::{NodeContract, PortName};

/// The start of a flow. Branch: `next`.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "start", "kind": "start",
///     "inputs": [
///         {"name": "cart_id", "type": "string", "required": true, "example": "C-1024"},
///         {"name": "cart_total", "type": "number", "default": 0}
///     ],
///     "input_policy": "declared",
///     "contact_from": "phone_number"
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StartDef {
    /// The context's keys that the flow knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<InputDef>>,
    /// The policy for keys that it does not know: if absent, `declared` with inputs, `any` without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_policy: Option<InputPolicy>,
    /// The key of the context that holds the contact's address, if the caller names no contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_from: Option<String>,
    /// The key of the context that holds the contact's id, if the caller names no contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id_from: Option<String>,
    /// The part of a contact in its sessions: required if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactMode>,
}

/// An input of a flow: `{"name": "cart_id", "type": "string", "required": true}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputDef {
    /// The context's key.
    pub name: String,
    /// The type of its value; any if absent.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<InputType>,
    /// True if a start without it is refused; it is not if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Its value if the caller gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// A value for those who try the flow out ([`FlowDef::example_context`]); no session gets it.
    ///
    /// [`FlowDef::example_context`]: crate::flow::FlowDef::example_context
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
}

words! {
    /// The type of an input.
    InputType {
        /// Text.
        String = "string",
        /// A number.
        Number = "number",
        /// A whole number.
        Integer = "integer",
        /// `true` or `false`.
        Boolean = "boolean",
        /// An object.
        Object = "object",
        /// A list.
        Array = "array",
        /// Any value.
        Any = "any",
    }
}

impl InputType {
    /// Returns true if a value is of this type.
    #[must_use]
    pub fn accepts(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Boolean => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Any => true,
        }
    }
}

words! {
    /// The policy for context that the flow does not declare ([SEMANTICS T4](crate::semantics#t4)).
    InputPolicy {
        /// It is dropped.
        Declared = "declared",
        /// All context is dropped.
        None = "none",
        /// It is kept.
        Any = "any",
    }
}

words! {
    /// The part of a contact in the sessions of a flow ([SEMANTICS T2](crate::semantics#t2)).
    ContactMode {
        /// It does.
        Needed = "needed",
        /// It has a contact of its own, sends only to addresses that its nodes name, and waits for
        /// no reply.
        None = "none",
    }
}

/// A compiled start.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) inputs: Box<[DeclaredInput]>,
    pub(crate) policy: InputPolicy,
    pub(crate) contact_from: Option<Arc<str>>,
    pub(crate) contact_id_from: Option<Arc<str>>,
    pub(crate) contact: ContactMode,
}

/// A declared input.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredInput {
    pub(crate) name: Arc<str>,
    pub(crate) kind: InputType,
    pub(crate) required: bool,
    pub(crate) default: Option<Value>,
}

impl StartDef {
    pub(crate) fn policy(&self) -> InputPolicy {
        let declares = self.inputs.as_ref().is_some_and(|inputs| !inputs.is_empty());
        self.input_policy.unwrap_or(if declares { InputPolicy::Declared } else { InputPolicy::Any })
    }
}

impl NodeContract for StartDef {
    type Compiled = Start;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            inputs: fields.optional("inputs"),
            input_policy: fields.optional("input_policy"),
            contact_from: fields.optional("contact_from"),
            contact_id_from: fields.optional("contact_id_from"),
            contact: fields.optional("contact"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Start> {
        let list = at.key("inputs");
        let written = self.inputs.as_deref().unwrap_or_default();
        let inputs = written.iter().enumerate();
        let inputs: Box<[DeclaredInput]> =
            inputs.filter_map(|(index, input)| input.compile(&list.item(index), cx)).collect();
        cx.distinct(&list, "input", written.iter().map(|input| input.name.as_str()));
        if self.contact == Some(ContactMode::None) && cx.is_inbound {
            let message = "cannot be `none`: a message that starts the flow has a contact";
            cx.found.add(
                IssueCode::BadValue,
                &at.key("contact"),
                message,
                "remove it, or make the trigger manual",
            );
        }
        let mut key = |field, name: Option<&String>| {
            let name = name?;
            cx.name(&at.key(field), name);
            Some(Arc::from(name.as_str()))
        };
        Some(Start {
            contact_from: key("contact_from", self.contact_from.as_ref()),
            contact_id_from: key("contact_id_from", self.contact_id_from.as_ref()),
            inputs,
            policy: self.policy(),
            contact: self.contact.unwrap_or(ContactMode::Needed),
        })
    }
}

impl InputDef {
    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<DeclaredInput> {
        let kind = self.kind.unwrap_or(InputType::Any);
        for (field, value) in [("default", &self.default), ("example", &self.example)] {
            let Some(value) = value else { continue };
            if !kind.accepts(value) {
                let message = format!("is not of type `{}`", kind.as_str());
                let fix = format!("give {field} a value of the input's type");
                cx.found.add(IssueCode::BadValue, &at.key(field), message, fix);
            }
            cx.value(&at.key(field), value);
        }
        cx.name(&at.key("name"), &self.name)?;
        Some(DeclaredInput {
            name: self.name.as_str().into(),
            kind,
            required: self.required == Some(true),
            default: self.default.clone(),
        })
    }
}

impl Read for InputDef {
    const EXAMPLE: &'static str = r#"{"name": "cart_id", "type": "string"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (name, kind) = (fields.required("name"), fields.optional("type"));
        let (required, default) = (fields.optional("required"), fields.optional("default"));
        let example = fields.optional("example");
        fields.close();
        Some(Self { name: name.unwrap_or_default(), kind, required, default, example })
    }
}
