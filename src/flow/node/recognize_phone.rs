//! `recognize_phone`: finds a telephone number in a text.

use std::sync::Arc;

use serde::Serialize;

use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::lang::context::Compile;
use crate::flow::lang::region::HomeRegion;
use crate::flow::lang::template::Template;
use crate::flow::node::{NodeContract, Port, PortName, REPLY_TEXT};
use crate::flow::recognize::PhoneFinder;

/// The first telephone number in a text. Branches: `found` and `not_found`; both need an edge.
///
/// `save_to` gets `{"e164": "+33612345678", "region": "FR"}`, the region that the number belongs
/// to; numbers of no country have none. A number without a calling code is one of `default_region`;
/// without that only numbers that begin with `+` or `00` are found. It is a possible number by its
/// length; whether it is in use nobody knows but its operator. A build without the feature
/// `phone-numbers` refuses the node.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "number", "kind": "recognize_phone", "text": "{{ reply.text }}",
///     "default_region": "FR", "save_to": "phone"
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecognizePhoneDef {
    /// The text, a template; what the contact said last if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The region of numbers without a calling code, by its ISO 3166 code, or a template that gives
    /// one; that of the flow's settings if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_region: Option<String>,
    /// The variable that takes the number; it stays as it is where none is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_to: Option<String>,
}

/// A compiled search.
#[derive(Clone, Debug)]
pub(crate) struct RecognizePhone {
    pub(crate) text: Template,
    pub(crate) home: Option<HomeRegion>,
    pub(crate) save_to: Option<Arc<str>>,
}

impl RecognizePhone {
    pub(crate) const FOUND: Port = Port(0);
    pub(crate) const NOT_FOUND: Port = Port(1);
}

impl RecognizePhoneDef {
    /// A search in what the contact said last.
    #[must_use]
    pub fn saving_to(save_to: impl Into<String>) -> Self {
        Self { save_to: Some(save_to.into()), ..Self::default() }
    }
}

/// The region that a node names, else that of the flow. The outer none: an issue.
pub(super) fn home(at: &Path<'_>, region: Option<&str>, cx: &mut Compile<'_>) -> Option<Option<HomeRegion>> {
    match region {
        Some(region) => cx.region(at, region).map(Some),
        None => Some(cx.default_region.clone()),
    }
}

impl NodeContract for RecognizePhoneDef {
    type Compiled = RecognizePhone;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            text: fields.optional("text"),
            default_region: fields.optional("default_region"),
            save_to: fields.optional("save_to"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["found".into(), "not_found".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<RecognizePhone> {
        let text = cx.required_template(&at.key("text"), self.text.as_deref().unwrap_or(REPLY_TEXT));
        let home = home(&at.key("default_region"), self.default_region.as_deref(), cx);
        let save_to = self.save_to.as_deref().and_then(|name| cx.variable(&at.key("save_to"), name));
        let is_there = PhoneFinder::is_there(&at.key("kind"), "`recognize_phone`", cx.found);
        let home = home?;
        is_there.then_some(RecognizePhone { text: text?, home, save_to })
    }

    fn writes(&self) -> Vec<&str> {
        self.save_to.as_deref().into_iter().collect()
    }

    fn has_default_port(&self) -> bool {
        false
    }

    fn needs_edge(&self, _port: Port) -> bool {
        true
    }
}
