//! Texts that a flow does not have in each of its languages (SEMANTICS U9).

use crate::flow::content::{TextDef, has_letters};
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::lang::language::{Language, lookup};
use crate::id::NodeId;

/// Warns of texts that lack one of the languages that the settings name. A text that is the same
/// for everybody is in the flow's own.
pub(super) fn check(def: &FlowDef, found: &mut Diagnostics) {
    let settings = def.settings.as_ref();
    let Some(languages) = settings.and_then(|settings| settings.languages.as_deref()) else { return };
    let own = settings.and_then(|settings| settings.language.as_deref());
    let mut copy = def.clone();
    let texts = copy.nodes.iter_mut().map(|node| node.kind.texts_mut());
    let has_words = |text: &TextDef| text.texts().any(has_letters);
    let list = Path::Root.key("nodes");
    for ((index, node), texts) in def.nodes.iter().enumerate().zip(texts) {
        for (place, text) in texts.iter().filter(|(_, text)| has_words(text)) {
            let tags: Vec<&str> = match &**text {
                TextDef::Plain(_) => own.into_iter().collect(),
                TextDef::ByLanguage(texts) => texts.iter().map(|(tag, _)| tag.as_str()).collect(),
            };
            let lacking = languages.iter().filter(|tag| Language::parse(tag).is_some());
            let lacking = lacking.filter(|tag| lookup(tag, tags.iter().copied()).is_none());
            let lacking: Vec<String> = lacking.map(|tag| brief(tag).to_string()).collect();
            if !lacking.is_empty() {
                let message = format!("has no `{place}` in {}", lacking.join(", "));
                let fix = "translate it, or remove the language from `settings.languages`";
                found.node = NodeId::new(&node.id).ok();
                found.add(IssueCode::Untranslated, &list.item(index), message, fix);
            }
        }
    }
    found.node = None;
}
