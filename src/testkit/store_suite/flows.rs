//! The contract of [`FlowStore`].

use std::sync::Arc;

use crate::address::Account;
use crate::channel::Channel;
use crate::id::FlowVersion;
use crate::store::{FlowChange, FlowEntry, FlowSaved, FlowStore, VersionEntry, VersionState};
use crate::testkit::store_suite::harness::step_aside;
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::races::{ROUNDS, Shared, TASKS, each};
use crate::testkit::store_suite::{Harness, TrustedStore};

fn entry_of(code: &str, revision: u64) -> FlowEntry {
    FlowEntry {
        flow: flow(code),
        name: code.into(),
        remark: None,
        logging: false,
        log_texts: false,
        accounts: Vec::new(),
        account_names: Vec::new(),
        versions: Vec::new(),
        draft: Some(revision),
        deleted: false,
        created_at: at(0),
        revision,
    }
}

/// The change after this revision, with a new text of the draft.
pub(super) fn change(code: &str, expect: Option<u64>) -> FlowChange {
    let revision = expect.unwrap_or(0) + 1;
    FlowChange {
        entry: entry_of(code, revision),
        expect,
        draft: Some(format!("draft {revision}").into()),
        version: None,
    }
}

fn version(number: u32, state: VersionState) -> VersionEntry {
    VersionEntry {
        version: FlowVersion(number),
        state,
        published_at: at(0),
        published_by: None,
        digest: u128::MAX - 1,
    }
}

/// The same, publishing a version.
pub(super) fn publish(code: &str, expect: Option<u64>, number: u32, text: &str) -> FlowChange {
    let mut change = change(code, expect);
    change.entry.versions = vec![version(number, VersionState::Online)];
    change.version = Some((FlowVersion(number), text.into()));
    change
}

async fn saved<S: FlowStore>(store: &TrustedStore<S>, change: FlowChange) {
    assert_eq!(store.save(change).await, FlowSaved::Saved);
}

fn text(answer: &Option<Arc<str>>) -> Option<&str> {
    answer.as_deref()
}

/// A flow that was never saved is not there.
pub async fn an_empty_store_has_no_flows(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let catalogue = store.catalogue(&shop()).await;
    assert!(catalogue.flows.is_empty());
    assert_eq!(catalogue.revision, store.flows_revision().await);
    assert_eq!(store.definition("a", None).await, None);
    assert_eq!(store.definition("a", Some(1)).await, None);
}

/// A draft and versions are answered as they were saved.
pub async fn definitions_are_answered_as_they_were_saved(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, publish("a", None, 1, "one")).await;
    saved(&store, publish("a", Some(1), 2, "two")).await;
    assert_eq!(text(&store.definition("a", None).await), Some("draft 2"));
    assert_eq!(text(&store.definition("a", Some(1)).await), Some("one"));
    assert_eq!(text(&store.definition("a", Some(2)).await), Some("two"));
    assert_eq!(store.definition("a", Some(3)).await, None);
    assert_eq!(store.definition("b", Some(1)).await, None);
}

/// Texts are any text, and large.
pub async fn definitions_may_be_large_and_strange(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let strange: String =
        "{\"a\":\"\\u0000\"}'; DROP -- %_\u{0}\u{1}\u{1f468}\u{200d}\u{1f469}\u{202e}e\u{301}".into();
    let large = strange.repeat(1 + (1 << 20) / strange.len());
    let change = publish("a", None, 1, &large);
    saved(&store, FlowChange { draft: Some(strange.as_str().into()), ..change }).await;
    assert_eq!(text(&store.definition("a", None).await), Some(strange.as_str()));
    assert!(store.definition("a", Some(1)).await.is_some_and(|text| *text == *large));
}

/// Rule 1.
pub async fn the_revision_changes_with_each_save(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut seen = vec![store.flows_revision().await];
    for (code, expect) in [("a", None), ("b", None), ("a", Some(1)), ("a", Some(2))] {
        saved(&store, change(code, expect)).await;
        let revision = store.flows_revision().await;
        assert!(!seen.contains(&revision), "{revision} again");
        seen.push(revision);
    }
    assert_eq!(Some(&store.flows_revision().await), seen.last(), "it stays while nothing is saved");
}

/// Rule 1: other workspaces have revisions of their own.
pub async fn a_save_leaves_the_revision_of_others(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let before = store.0.revision(&other()).await.unwrap();
    saved(&store, change("a", None)).await;
    assert_eq!(store.0.revision(&other()).await.unwrap(), before);
}

/// Rules 1 and 3: a save that is refused is none.
pub async fn a_refused_save_leaves_the_revision(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, change("a", None)).await;
    let before = store.flows_revision().await;
    assert_eq!(store.save(change("a", None)).await, FlowSaved::Conflict);
    assert_eq!(store.save(change("a", Some(7))).await, FlowSaved::Conflict);
    assert_eq!(store.flows_revision().await, before);
    assert_eq!(store.catalogue(&shop()).await.revision, before);
}

/// Rule 2: those of deleted flows too, and each field of an entry.
pub async fn the_catalogue_has_every_entry(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let states = [VersionState::Deleted, VersionState::Terminated(at(9)), VersionState::Offline];
    let versions = (1..).zip(states).map(|(number, state)| version(number, state)).collect();
    let full = FlowEntry {
        name: "a name \u{1f600}".into(),
        remark: Some("'quoted' \"twice\"\nin two lines".into()),
        logging: true,
        log_texts: true,
        accounts: vec![Account::new(Channel::Web, "site").unwrap()],
        versions,
        draft: None,
        ..entry_of("full", 1)
    };
    let deleted = FlowEntry { deleted: true, ..entry_of("gone", 1) };
    for entry in [full.clone(), deleted.clone()] {
        let code = entry.flow.to_string();
        saved(&store, FlowChange { entry, draft: None, ..change(&code, None) }).await;
    }
    saved(&store, change("plain", None)).await;
    let found = store.catalogue(&shop()).await;
    assert_eq!(found.flows, [full, deleted, entry_of("plain", 1)]);
    assert_eq!(found.revision, store.flows_revision().await);
}

/// Rule 2: and nothing of another workspace.
pub async fn a_catalogue_is_of_one_workspace(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, publish("a", None, 1, "ours")).await;
    assert!(store.catalogue(&other()).await.flows.is_empty());
    assert_eq!(store.text_of_flow(&other(), &flow("a"), None).await, None);
    let theirs = store.0.save(&other(), publish("a", None, 1, "theirs")).await.unwrap();
    assert_eq!(theirs, FlowSaved::Saved);
    assert_eq!(text(&store.definition("a", Some(1)).await), Some("ours"));
    let there = store.text_of_flow(&other(), &flow("a"), Some(FlowVersion(1))).await;
    assert_eq!(text(&there), Some("theirs"));
    assert_eq!(store.catalogue(&shop()).await.flows.len(), 1);
}

/// Rule 3: nothing of a save on another revision is written.
pub async fn a_save_on_another_revision_writes_nothing(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    assert_eq!(store.save(publish("a", Some(1), 1, "text")).await, FlowSaved::Conflict);
    assert!(store.catalogue(&shop()).await.flows.is_empty());
    assert_eq!(store.definition("a", Some(1)).await, None);
    saved(&store, change("a", None)).await;
    for expect in [None, Some(0), Some(2)] {
        let late = publish("a", expect, 1, "text");
        assert_eq!(store.save(late).await, FlowSaved::Conflict, "{expect:?}");
    }
    assert_eq!(text(&store.definition("a", None).await), Some("draft 1"));
    assert_eq!(store.definition("a", Some(1)).await, None);
    assert_eq!(store.catalogue(&shop()).await.flows, [entry_of("a", 1)]);
}

/// Rule 3: a change without a text keeps the draft's; an entry without a draft drops it.
pub async fn a_draft_goes_with_its_entry(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, publish("a", None, 1, "one")).await;
    saved(&store, FlowChange { draft: None, ..change("a", Some(1)) }).await;
    assert_eq!(text(&store.definition("a", None).await), Some("draft 1"));
    let mut without = FlowChange { draft: None, ..change("a", Some(2)) };
    without.entry.draft = None;
    saved(&store, without).await;
    assert_eq!(store.definition("a", None).await, None);
    assert_eq!(text(&store.definition("a", Some(1)).await), Some("one"));
}

/// Rule 3: a save handed in again is refused, and nothing is changed.
pub async fn a_repeated_save_is_refused(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, publish("a", None, 1, "one")).await;
    let before = store.flows_revision().await;
    assert_eq!(store.save(publish("a", None, 1, "one")).await, FlowSaved::Conflict);
    assert_eq!(store.flows_revision().await, before);
}

/// Rule 4: another text under the same number is refused for good; the same text does no harm.
pub async fn the_text_of_a_version_never_changes(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, publish("a", None, 1, "one")).await;
    let changed = store.0.save(&shop(), publish("a", Some(1), 1, "two")).await;
    assert!(changed.is_err_and(|error| !error.is_retryable()), "a version may not change");
    assert_eq!(text(&store.definition("a", Some(1)).await), Some("one"));
    assert_eq!(text(&store.definition("a", None).await), Some("draft 1"));
    assert_eq!(store.catalogue(&shop()).await.flows.first().map(|entry| entry.revision), Some(1));
    saved(&store, publish("a", Some(1), 1, "one")).await;
}

/// Rule 5.
pub async fn workspaces_with_a_terminated_version_are_told(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, publish("a", None, 1, "one")).await;
    let mut stopped = change("a", Some(1));
    stopped.entry.versions = vec![version(1, VersionState::Terminated(at(1)))];
    saved(&store, stopped).await;
    let theirs = store.0.save(&other(), publish("a", None, 1, "one")).await.unwrap();
    assert_eq!(theirs, FlowSaved::Saved);
    assert!(store.terminated().await.contains(&shop()));
}

/// Flow codes are compared byte by byte.
pub async fn flow_codes_are_compared_byte_by_byte(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let codes = ["a", "A", "a ", "%", "_", "\u{e4}", "a\u{308}", "'; --", "\u{1f600}", "\\", "\u{5d0}"];
    for code in codes {
        saved(&store, publish(code, None, 1, code)).await;
    }
    for code in codes {
        assert_eq!(text(&store.definition(code, Some(1)).await), Some(code));
    }
    assert_eq!(store.catalogue(&shop()).await.flows.len(), codes.len());
}

/// Rule 3: of saves on one revision one applies.
pub async fn of_many_saves_on_one_revision_one_applies(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let saved = Shared::<Vec<u64>>::new();
    let tasks = each(|number| {
        let (store, saved) = (store.clone(), saved.clone());
        Box::pin(async move {
            for revision in 0..ROUNDS {
                let expect = (revision > 0).then_some(revision);
                let draft = Some(format!("draft {} of {number}", revision + 1).into());
                if store.save(FlowChange { draft, ..change("a", expect) }).await == FlowSaved::Saved {
                    saved.with(|saved| saved.push(revision + 1));
                }
                step_aside().await;
            }
        })
    });
    harness.together(tasks).await;
    let mut saved = saved.with(std::mem::take);
    let last = store.catalogue(&shop()).await.flows.first().map_or(0, |entry| entry.revision);
    saved.sort_unstable();
    assert_eq!(saved, (1..=last).collect::<Vec<_>>());
    let draft = store.definition("a", None).await.expect("there is a draft");
    assert!(draft.starts_with(&format!("draft {last} of ")), "{draft}: entry and text are of two saves");
}

/// Rule 1: the revision moves on with each save, also of many flows at the same time.
pub async fn saves_of_many_flows_all_apply(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let before = store.flows_revision().await;
    let tasks = each(|number| {
        let store = store.clone();
        Box::pin(async move {
            for round in 0..ROUNDS {
                let code = format!("flow {number} {round}");
                assert_eq!(store.save(change(&code, None)).await, FlowSaved::Saved);
                step_aside().await;
            }
        })
    });
    harness.together(tasks).await;
    let catalogue = store.catalogue(&shop()).await;
    assert_eq!(catalogue.flows.len() as u64, TASKS * ROUNDS);
    assert_ne!(catalogue.revision, before);
    assert_eq!(catalogue.revision, store.flows_revision().await);
}
