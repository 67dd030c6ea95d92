//! `recognize_entities`: finds addresses, numbers and dates in a text.

use std::sync::Arc;

use serde::Serialize;

use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::Fields;
use crate::flow::lang::context::Compile;
use crate::flow::lang::region::HomeRegion;
use crate::flow::lang::template::Template;
use crate::flow::node::recognize_phone::home;
use crate::flow::node::{NodeContract, Port, PortName, REPLY_TEXT};
use crate::flow::recognize::{EntityType, PhoneFinder};

/// Recognises what a text holds. Branches: `found` and `not_found`; both need an edge.
///
/// `save_to` gets a list, at most 64 long:
/// `[{"type": "email", "value": "ada@example.com", "text": "ada@example.com", "start": 14}]`, in
/// the order of the text, `start` counted in characters. A `phone` has its E.164 form as value, a
/// `date` its ISO form (`2026-05-07`, `2026/05/07` and `7.5.2026` are dates), a `number` a number
/// (`1,500` and `1.500` are 1500, `1,5` and `1.5` one and a half). Telephone numbers are found
/// before numbers are: a build without the feature `phone-numbers` refuses the node unless `types`
/// names neither.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "parts", "kind": "recognize_entities", "text": "{{ reply.text }}",
///     "types": ["email", "url", "phone", "number", "date"], "default_region": "US", "save_to": "parts"
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecognizeEntitiesDef {
    /// The text, a template; what the contact said last if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The types that are looked for; everything if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<EntityType>>,
    /// The region of telephone numbers without a calling code, by its ISO 3166 code, or a template
    /// that gives one; that of the flow's settings if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_region: Option<String>,
    /// The variable that takes the list; an empty one where nothing is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_to: Option<String>,
}

/// A compiled search.
#[derive(Clone, Debug)]
pub(crate) struct RecognizeEntities {
    pub(crate) text: Template,
    /// Empty: all.
    pub(crate) types: Box<[EntityType]>,
    /// False where neither telephone numbers nor numbers are looked for: then they have no say in
    /// what is found.
    pub(crate) with_phones: bool,
    pub(crate) home: Option<HomeRegion>,
    pub(crate) save_to: Option<Arc<str>>,
}

impl RecognizeEntitiesDef {
    /// A search in what the contact said last.
    #[must_use]
    pub fn saving_to(save_to: impl Into<String>) -> Self {
        Self { save_to: Some(save_to.into()), ..Self::default() }
    }
}

impl NodeContract for RecognizeEntitiesDef {
    type Compiled = RecognizeEntities;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            text: fields.optional("text"),
            types: fields.optional("types"),
            default_region: fields.optional("default_region"),
            save_to: fields.optional("save_to"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["found".into(), "not_found".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<RecognizeEntities> {
        if self.types.as_ref().is_some_and(Vec::is_empty) {
            let fix = "name what is looked for, or remove the field";
            cx.found.add(IssueCode::BadValue, &at.key("types"), "looks for nothing", fix);
        }
        let text = cx.required_template(&at.key("text"), self.text.as_deref().unwrap_or(REPLY_TEXT));
        let home = home(&at.key("default_region"), self.default_region.as_deref(), cx);
        let save_to = self.save_to.as_deref().and_then(|name| cx.variable(&at.key("save_to"), name));
        let types: Box<[EntityType]> = self.types.as_deref().unwrap_or_default().into();
        let has_digits = |kind: &EntityType| matches!(kind, EntityType::Phone | EntityType::Number);
        let with_phones = self.types.is_none() || types.iter().any(has_digits);
        let what = "telling telephone numbers from numbers";
        let is_there = !with_phones || PhoneFinder::is_there(&at.key("types"), what, cx.found);
        let home = home?;
        is_there.then_some(RecognizeEntities { text: text?, types, with_phones, home, save_to })
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
