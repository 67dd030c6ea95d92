//! `recognize_language`: the host tells the language of a text (SEMANTICS D2).

use serde::Serialize;

use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::Fields;
use crate::flow::form::span::Span;
use crate::flow::lang::context::Compile;
use crate::flow::lang::language::Language;
use crate::flow::node::call::{HostCall, RequestParts};
use crate::flow::node::{Blocking, NodeContract, Port, PortName, REPLY_TEXT};

/// The language of a text, told by the host. Branches: `next` and `failed`; or, with `languages`,
/// each of them, `else` and `failed`, all but `failed` with an edge.
///
/// The host answers a language tag such as `en` or `pt-BR`. It takes the branch of the nearest of
/// the languages, as texts do ([SEMANTICS U9](crate::semantics#u9)): `pt-BR` takes `pt`. An answer
/// that is no language tag takes `failed`.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "tongue", "kind": "recognize_language", "text": "{{ reply.text }}",
///     "languages": ["en", "pt"], "update_contact": true, "save_to": "language", "timeout": "5s"
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecognizeLanguageDef {
    /// The text, a template; what the contact said last if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The languages that have a branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub languages: Option<Vec<String>>,
    /// True if the answer becomes the contact's language; not if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_contact: Option<bool>,
    /// The time that the host may take; 30 seconds if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// The variable that takes the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_to: Option<String>,
}

/// A compiled question: language `i` leaves by port `i`, then come `else` and `failed`; without
/// languages `next` and `failed`.
#[derive(Clone, Debug)]
pub(crate) struct RecognizeLanguage {
    pub(crate) call: HostCall,
    /// The languages that have a branch, in order.
    languages: Box<[Option<Language>]>,
    pub(crate) update_contact: bool,
}

/// As many as a `branch` may have.
const MOST_LANGUAGES: usize = 256;

impl RecognizeLanguage {
    /// The branch of the language that a tag is best served with, else `else` (SEMANTICS U9); none
    /// if it is no language tag.
    pub(crate) fn port_of(&self, tag: &str) -> Option<Port> {
        let best = Language::parse(tag)?.best(self.languages.iter().map(Option::as_ref));
        Some(Port(u16::try_from(best.unwrap_or(self.languages.len())).unwrap_or(u16::MAX)))
    }
}

impl RecognizeLanguageDef {
    fn named(&self) -> &[String] {
        self.languages.as_deref().unwrap_or_default()
    }

    fn count(&self) -> u16 {
        u16::try_from(self.named().len().min(MOST_LANGUAGES)).unwrap_or_default()
    }

    fn check_languages(&self, at: &Path<'_>, cx: &mut Compile<'_>) {
        let named = self.named();
        if self.languages.is_some() && (named.is_empty() || named.len() > MOST_LANGUAGES) {
            let message = format!("{} languages, 1-{MOST_LANGUAGES} are allowed", named.len());
            cx.found.add(IssueCode::BadValue, at, message, "name the languages, or remove the field");
        }
        for (index, tag) in named.iter().enumerate().filter(|(_, tag)| Language::parse(tag).is_none()) {
            let message = format!("{:?} is not a language tag", brief(tag));
            cx.found.add(IssueCode::BadValue, &at.item(index), message, "write a tag such as en or pt-BR");
        }
        let names: Vec<String> = named.iter().map(|tag| tag.to_ascii_lowercase()).collect();
        let own = ["else", "failed"].into_iter();
        cx.distinct(at, "branch", own.chain(names.iter().map(String::as_str)));
    }
}

impl NodeContract for RecognizeLanguageDef {
    type Compiled = RecognizeLanguage;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            text: fields.optional("text"),
            languages: fields.optional("languages"),
            update_contact: fields.optional("update_contact"),
            timeout: fields.optional("timeout"),
            save_to: fields.optional("save_to"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        if self.languages.is_none() {
            return vec!["next".into(), "failed".into()];
        }
        let named = self.named().iter().take(MOST_LANGUAGES).map(|tag| tag.clone().into());
        named.chain(["else".into(), "failed".into()]).collect()
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<RecognizeLanguage> {
        self.check_languages(&at.key("languages"), cx);
        let mut parts = RequestParts::of(at, cx).required("text", self.text.as_deref().unwrap_or(REPLY_TEXT));
        if !self.named().is_empty() {
            parts = parts.fixed("languages", self.named());
        }
        let args = parts.close();
        let common = (self.save_to.as_deref(), self.timeout.as_ref());
        Some(RecognizeLanguage {
            call: HostCall::compile(args?, common, Port(self.count() + 1), at, cx),
            languages: self.named().iter().map(|tag| Language::parse(tag)).collect(),
            update_contact: self.update_contact.unwrap_or(false),
        })
    }

    fn blocking(&self) -> Blocking<'_> {
        Blocking::Timed
    }

    fn writes(&self) -> Vec<&str> {
        self.save_to.as_deref().into_iter().collect()
    }

    fn has_default_port(&self) -> bool {
        self.languages.is_none()
    }

    fn needs_edge(&self, port: Port) -> bool {
        self.languages.is_some() && port.0 <= self.count()
    }
}
