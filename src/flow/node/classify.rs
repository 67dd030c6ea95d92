//! `classify`: the host says to which of several classes a text belongs (SEMANTICS D2).

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Number, Value, json};

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read};
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::node::call::{HostCall, RequestParts};
use crate::flow::node::{Blocking, NodeContract, Port, PortName, REPLY_TEXT};

/// A choice of ways by what a text means. Branches: each class, `else`, `failed`; all but `failed`
/// need an edge.
///
/// The host answers a class's id, or `{"class": "returns", "score": 0.9}`. A class that the node
/// does not have, `null`, and a score below the `threshold` take `else`.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "topic", "kind": "classify", "text": "{{ reply.text }}",
///     "classes": [
///         {"id": "order", "description": "Where a parcel is", "examples": ["where is my parcel?"]},
///         {"id": "returns", "description": "Sending something back"}
///     ],
///     "threshold": 0.6, "timeout": "5s", "save_to": "topic"
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClassifyDef {
    /// The text, a template; what the contact said last if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The classes.
    pub classes: Vec<ClassDef>,
    /// The least score that counts, 0 to 1. An answer without a score counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Number>,
    /// The time that the host may take; 30 seconds if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// The variable that takes the answer, as the host gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_to: Option<String>,
}

/// One class of texts: `{"id": "returns", "description": "Sending something back"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClassDef {
    /// Its id and branch: 1-64 bytes, unique in its node.
    pub id: String,
    /// A description of what belongs to it, for the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Texts that belong to it, for the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examples: Option<Vec<String>>,
}

/// A compiled choice: class `i` leaves by port `i`, then come `else` and `failed`.
#[derive(Clone, Debug)]
pub(crate) struct Classify {
    pub(crate) call: HostCall,
    pub(crate) classes: Box<[Arc<str>]>,
    pub(crate) threshold: Option<f64>,
}

/// As many as a `branch` may have.
const MOST_CLASSES: usize = 256;

impl Classify {
    pub(crate) fn else_port(&self) -> Port {
        Port(u16::try_from(self.classes.len()).unwrap_or(u16::MAX))
    }
}

impl ClassifyDef {
    /// With one more class.
    #[must_use]
    pub fn with_class(mut self, id: impl Into<String>, description: impl Into<String>) -> Self {
        let description = Some(description.into());
        self.classes.push(ClassDef { id: id.into(), description, examples: None });
        self
    }

    fn count(&self) -> u16 {
        u16::try_from(self.classes.len().min(MOST_CLASSES)).unwrap_or_default()
    }
}

impl NodeContract for ClassifyDef {
    type Compiled = Classify;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            text: fields.optional("text"),
            classes: fields.required("classes").unwrap_or_default(),
            threshold: fields.optional("threshold"),
            timeout: fields.optional("timeout"),
            save_to: fields.optional("save_to"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        let classes = self.classes.iter().take(MOST_CLASSES).map(|class| class.id.clone().into());
        classes.chain(["else".into(), "failed".into()]).collect()
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Classify> {
        let list = at.key("classes");
        if self.classes.is_empty() || self.classes.len() > MOST_CLASSES {
            let message = format!("{} classes, 1-{MOST_CLASSES} are allowed", self.classes.len());
            cx.found.add(IssueCode::BadValue, &list, message, "add a class, or classify twice");
            return None;
        }
        for (index, class) in self.classes.iter().enumerate() {
            cx.short_name(&list.item(index).key("id"), &class.id);
        }
        let ids = self.classes.iter().map(|class| class.id.as_str());
        cx.distinct(&list, "branch", ["else", "failed"].into_iter().chain(ids));
        let threshold = self.threshold.as_ref().and_then(Number::as_f64);
        if threshold.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
            cx.found.add(
                IssueCode::BadValue,
                &at.key("threshold"),
                "must be 0 to 1",
                "give a number from 0 to 1",
            );
        }
        let classes: Vec<Value> = self.classes.iter().map(|class| json!(class)).collect();
        let args = RequestParts::of(at, cx)
            .required("text", self.text.as_deref().unwrap_or(REPLY_TEXT))
            .fixed("classes", classes)
            .close();
        let common = (self.save_to.as_deref(), self.timeout.as_ref());
        Some(Classify {
            call: HostCall::compile(args?, common, Port(self.count() + 1), at, cx),
            classes: self.classes.iter().map(|class| class.id.as_str().into()).collect(),
            threshold,
        })
    }

    fn blocking(&self) -> Blocking<'_> {
        Blocking::Timed
    }

    fn writes(&self) -> Vec<&str> {
        self.save_to.as_deref().into_iter().collect()
    }

    fn has_default_port(&self) -> bool {
        false
    }

    fn needs_edge(&self, port: Port) -> bool {
        port.0 <= self.count()
    }
}

impl Read for ClassDef {
    const EXAMPLE: &'static str = r#"{"id": "refund", "description": "wants the money back"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let id = fields.required("id").unwrap_or_default();
        let (description, examples) = (fields.optional("description"), fields.optional("examples"));
        fields.close();
        Some(Self { id, description, examples })
    }
}
