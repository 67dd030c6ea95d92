//! Texts that a flow does not have in each of its languages (SEMANTICS U9).

use crate::flow::check::graph::Graph;
use crate::flow::content::{TextDef, has_letters};
use crate::flow::def::FlowDef;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::lang::language::{Language, lookup};
use crate::flow::node::{Blocking, NodeKind};
use crate::flow::place::NodeIx;
use crate::id::NodeId;

/// True of a question whose answer sets the contact's language: it is put in all of them at once.
fn asks_for_language(def: &FlowDef, graph: &Graph, place: NodeIx) -> bool {
    let kind_at = |at: NodeIx| def.nodes.get(at.as_usize()).map(|node| &node.kind);
    let waits = |kind: &NodeKind| matches!(kind.blocking(), Blocking::Reply { .. });
    let says_nothing =
        |kind: &NodeKind| !kind.sends() && matches!(kind.blocking(), Blocking::Reply { .. } | Blocking::Runs);
    if !kind_at(place).is_some_and(|kind| kind.sends() || waits(kind)) {
        return false;
    }
    let is_passed = |from| from == place || kind_at(from).is_some_and(says_nothing);
    let reached = graph.reached_by(place, |from, _| is_passed(from));
    let kinds: Vec<_> = reached.into_iter().chain([place]).filter_map(kind_at).collect();
    let sets_language = |kind: &NodeKind| {
        matches!(kind, NodeKind::UpdateContact(update)
            if update.set.as_ref().is_some_and(|set| set.language.is_some()))
    };
    kinds.iter().any(|kind| sets_language(kind)) && kinds.iter().any(|kind| waits(kind))
}

/// Warns of texts that lack one of the languages that the settings name. A text that is the same
/// for everybody is in the flow's own.
pub(super) fn check(def: &FlowDef, graph: &Graph, found: &mut Diagnostics) {
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
            if !lacking.is_empty() && !asks_for_language(def, graph, NodeIx::of(index)) {
                let message = format!("has no `{place}` in {}", lacking.join(", "));
                let fix = "translate it, or remove the language from `settings.languages`";
                found.node = NodeId::new(&node.id).ok();
                found.add(IssueCode::Untranslated, &list.item(index), message, fix);
            }
        }
    }
    found.node = None;
}
