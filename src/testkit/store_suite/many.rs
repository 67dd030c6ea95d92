//! Several flows at once, and what changed since a revision: rules 6 and 7 of [`FlowStore`].

use std::collections::BTreeMap;

use crate::id::{FlowId, WorkspaceId};
use crate::store::{CatalogueChanges, FlowChange, FlowEntry, FlowSaved, FlowStore};
use crate::testkit::store_suite::flows::{change, publish};
use crate::testkit::store_suite::harness::step_aside;
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::races::{ROUNDS, Shared, TASKS, each};
use crate::testkit::store_suite::{Harness, TrustedStore};

async fn saved<S: FlowStore>(store: &TrustedStore<S>, changes: Vec<FlowChange>) {
    assert_eq!(store.save_all(changes).await, FlowSaved::Saved);
}

async fn texts<S: FlowStore>(store: &TrustedStore<S>, codes: &[&str]) -> Vec<Option<String>> {
    let mut texts = Vec::new();
    for code in codes {
        for version in [None, Some(1)] {
            texts.push(store.definition(code, version).await.map(|text| text.to_string()));
        }
    }
    texts
}

/// Rule 6: entries and texts of all, at one revision, and no changes are none.
pub async fn several_changes_are_saved_as_one(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, vec![change("a", None)]).await;
    let before = store.flows_revision().await;
    saved(&store, Vec::new()).await;
    assert_eq!(store.flows_revision().await, before, "nothing was saved");
    saved(&store, vec![publish("b", None, 1, "b"), publish("a", Some(1), 1, "a"), change("c", None)]).await;
    assert_ne!(store.flows_revision().await, before);
    let catalogue = store.catalogue(&shop()).await;
    let revisions: Vec<_> =
        catalogue.flows.iter().map(|entry| (entry.flow.to_string(), entry.revision)).collect();
    assert_eq!(revisions, [("a".to_owned(), 2), ("b".to_owned(), 1), ("c".to_owned(), 1)]);
    let expected = ["draft 2", "a", "draft 1", "b", "draft 1"].map(|text| Some(text.to_owned()));
    assert_eq!(texts(&store, &["a", "b", "c"]).await, [&expected[..], &[None]].concat());
    assert!(store.catalogue(&other()).await.flows.is_empty());
}

/// Rule 6: as many as a host has.
pub async fn hundreds_of_changes_are_saved_as_one(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let codes: Vec<String> = (0..600).map(|number| format!("flow {number:03}")).collect();
    saved(&store, codes.iter().map(|code| publish(code, None, 1, code)).collect()).await;
    let flows = store.catalogue(&shop()).await.flows;
    assert!(flows.iter().map(|entry| entry.flow.as_str()).eq(codes.iter().map(String::as_str)));
    for code in codes.iter().step_by(97) {
        assert_eq!(store.definition(code, Some(1)).await.as_deref(), Some(code.as_str()));
    }
    let mut next: Vec<FlowChange> = codes.iter().map(|code| change(code, Some(1))).collect();
    next.last_mut().unwrap().expect = Some(7);
    let before = store.flows_revision().await;
    assert_eq!(store.save_all(next).await, FlowSaved::Conflict);
    assert_eq!(store.flows_revision().await, before);
    assert!(store.catalogue(&shop()).await.flows.iter().all(|entry| entry.revision == 1));
}

/// Rule 6: one that is refused refuses all, wherever it is among them.
pub async fn a_refused_change_refuses_all(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, vec![publish("a", None, 1, "a"), change("b", None)]).await;
    let before = (store.catalogue(&shop()).await.flows, store.flows_revision().await);
    let good = || [publish("a", Some(1), 2, "later"), change("c", None)];
    for late in [change("b", None), change("b", Some(7)), change("d", Some(1))] {
        for place in 0..=2 {
            let mut changes = Vec::from(good());
            changes.insert(place, late.clone());
            assert_eq!(store.save_all(changes).await, FlowSaved::Conflict);
            assert_eq!((store.catalogue(&shop()).await.flows, store.flows_revision().await), before);
        }
    }
    assert_eq!(store.definition("a", Some(2)).await, None);
    assert_eq!(store.definition("a", None).await.as_deref(), Some("draft 1"));
    assert_eq!(store.definition("c", None).await, None);
    saved(&store, good().into()).await;
}

/// Rules 4 and 6: so does the text of a version that is there with another one.
pub async fn a_changed_text_refuses_all(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, vec![publish("a", None, 1, "one"), publish("b", None, 1, "one")]).await;
    let before = (store.catalogue(&shop()).await.flows, store.flows_revision().await);
    let changes = vec![publish("a", Some(1), 2, "two"), publish("b", Some(1), 1, "other"), change("c", None)];
    let refused = store.0.save_all(&shop(), changes).await;
    assert!(refused.is_err_and(|error| !error.is_retryable()), "a version may not change");
    assert_eq!((store.catalogue(&shop()).await.flows, store.flows_revision().await), before);
    assert_eq!(store.definition("a", Some(2)).await, None);
    assert_eq!(store.definition("b", Some(1)).await.as_deref(), Some("one"));
}

/// Rule 6: of publishers that save the same flows at one revision one does, and what is there is of
/// one of them.
pub async fn of_many_publishers_one_saves(harness: &impl Harness<Store: FlowStore>) {
    const CODES: [&str; 3] = ["a", "b", "c"];
    let store = TrustedStore::fresh(harness).await;
    let won = Shared::<Vec<u64>>::new();
    let tasks = each(|number| {
        let (store, won) = (store.clone(), won.clone());
        Box::pin(async move {
            for round in 0..ROUNDS {
                let expect = (round > 0).then_some(round);
                let mut changes: Vec<_> = CODES.iter().map(|code| change(code, expect)).collect();
                changes.iter_mut().for_each(|change| change.draft = Some(format!("of {number}").into()));
                // In another order each, as locks are taken in.
                changes.rotate_left(usize::try_from(number % 3).unwrap_or_default());
                if store.save_all(changes).await == FlowSaved::Saved {
                    won.with(|won| won.push(round));
                }
                step_aside().await;
            }
        })
    });
    harness.together(tasks).await;
    let mut won = won.with(std::mem::take);
    won.sort_unstable();
    let flows = store.catalogue(&shop()).await.flows;
    let last = flows.first().map_or(0, |entry| entry.revision);
    assert_eq!(won, (0..last).collect::<Vec<_>>(), "each revision is saved by one");
    assert!(flows.iter().all(|entry| entry.revision == last), "{flows:?}");
    let drafts: Vec<_> = texts(&store, &CODES).await.into_iter().flatten().collect();
    assert!(drafts.len() == 3 && drafts.iter().all(|draft| *draft == drafts[0]), "{drafts:?} are of several");
}

/// The flows as known to a process that has read them before, and reads on.
#[derive(Default)]
struct CatalogueReader {
    revision: u64,
    flows: BTreeMap<FlowId, FlowEntry>,
}

impl CatalogueReader {
    /// One that has read all.
    async fn of<S: FlowStore>(store: &TrustedStore<S>, workspace: &WorkspaceId) -> Self {
        let catalogue = store.catalogue(workspace).await;
        let flows = catalogue.flows.into_iter().map(|entry| (entry.flow.clone(), entry)).collect();
        Self { revision: catalogue.revision, flows }
    }

    /// Reads on. The codes that it was told; None: it was told all.
    async fn read_on<S: FlowStore>(
        &mut self,
        store: &TrustedStore<S>,
        workspace: &WorkspaceId,
    ) -> Option<Vec<String>> {
        let (read, told) = match store.changes(workspace, self.revision).await {
            CatalogueChanges::Since(changed) => {
                assert!(changed.revision >= self.revision, "the revision went back");
                let mut codes: Vec<_> = changed.flows.iter().map(|entry| entry.flow.to_string()).collect();
                codes.sort_unstable();
                (changed, Some(codes))
            }
            CatalogueChanges::Whole(whole) => {
                self.flows.clear();
                (whole, None)
            }
        };
        self.revision = read.revision;
        self.flows.extend(read.flows.into_iter().map(|entry| (entry.flow.clone(), entry)));
        told
    }

    /// Asserts that it knows what is there.
    async fn knows_all<S: FlowStore>(&self, store: &TrustedStore<S>, workspace: &WorkspaceId) {
        let catalogue = store.catalogue(workspace).await;
        assert_eq!(self.flows.values().cloned().collect::<Vec<_>>(), catalogue.flows);
        assert_eq!(self.revision, catalogue.revision);
    }
}

/// Asserts what a store says of changes: these codes and no others, or all.
fn is_told(told: Option<Vec<String>>, codes: &[&str]) {
    assert!(told.as_ref().is_none_or(|told| told == codes), "{told:?} where {codes:?} changed");
}

/// Rule 7: those that were saved since, each once and as it is now.
pub async fn changes_are_those_since_a_revision(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut first = CatalogueReader::of(&store, &shop()).await;
    is_told(first.read_on(&store, &shop()).await, &[]);
    saved(&store, vec![change("a", None), publish("b", None, 1, "b"), change("c", None)]).await;
    let mut second = CatalogueReader::of(&store, &shop()).await;
    is_told(second.read_on(&store, &shop()).await, &[]);
    assert_eq!(store.save(change("b", Some(1))).await, FlowSaved::Saved);
    assert_eq!(store.save(change("b", Some(2))).await, FlowSaved::Saved);
    saved(&store, vec![change("d", None)]).await;
    assert_eq!(store.save(change("a", Some(7))).await, FlowSaved::Conflict);
    is_told(first.read_on(&store, &shop()).await, &["a", "b", "c", "d"]);
    is_told(second.read_on(&store, &shop()).await, &["b", "d"]);
    for mut reader in [first, second] {
        reader.knows_all(&store, &shop()).await;
        is_told(reader.read_on(&store, &shop()).await, &[]);
        reader.knows_all(&store, &shop()).await;
    }
}

/// Rule 7: so is a flow that is deleted, and one of which a version ends.
pub async fn a_deletion_is_a_change(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, vec![publish("a", None, 1, "a"), publish("b", None, 1, "b"), change("c", None)]).await;
    let mut reader = CatalogueReader::of(&store, &shop()).await;
    let mut deleted = FlowChange { draft: None, ..change("a", Some(1)) };
    (deleted.entry.deleted, deleted.entry.draft) = (true, None);
    let mut ended = FlowChange { version: None, ..publish("b", Some(1), 1, "b") };
    ended.entry.versions[0].state = crate::store::VersionState::Terminated(at(1));
    saved(&store, vec![deleted, ended]).await;
    is_told(reader.read_on(&store, &shop()).await, &["a", "b"]);
    reader.knows_all(&store, &shop()).await;
}

/// Rule 7: and nothing of another workspace.
pub async fn changes_are_of_one_workspace(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut here = CatalogueReader::of(&store, &shop()).await;
    let mut there = CatalogueReader::of(&store, &other()).await;
    for round in 0..3_u64 {
        let expect = (round > 0).then_some(round);
        saved(&store, vec![change("a", expect)]).await;
        let theirs = vec![change("a", expect), change(&format!("b {round}"), None)];
        assert_eq!(store.0.save_all(&other(), theirs).await.unwrap(), FlowSaved::Saved);
        is_told(here.read_on(&store, &shop()).await, &["a"]);
        is_told(there.read_on(&store, &other()).await, &["a", &format!("b {round}")]);
    }
    here.knows_all(&store, &shop()).await;
    there.knows_all(&store, &other()).await;
}

/// Rule 7: a process may have read what the store has lost since, as one that was set back to a
/// copy.
pub async fn of_a_revision_that_was_not_reached_all_is_told(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    saved(&store, vec![change("a", None), change("b", None)]).await;
    let revision = store.flows_revision().await + 1_000;
    let lost = [(flow("lost"), change("lost", None).entry)];
    let mut reader = CatalogueReader { revision, flows: BTreeMap::from(lost) };
    assert_eq!(reader.read_on(&store, &shop()).await, None);
    reader.knows_all(&store, &shop()).await;
}

/// Rule 7: nothing is missed by who reads on while others save.
pub async fn no_change_is_missed_by_who_reads_on(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    let reader = Shared::<CatalogueReader>::new();
    let tasks = each(|number| {
        let (store, reader) = (store.clone(), reader.clone());
        Box::pin(async move {
            if number > 0 {
                for round in 0..ROUNDS {
                    let codes = [format!("flow {number}"), format!("flow {number} {round}")];
                    let changes =
                        vec![change(&codes[0], (round > 0).then_some(round)), change(&codes[1], None)];
                    saved(&store, changes).await;
                    step_aside().await;
                }
                return;
            }
            let mut own = CatalogueReader::of(&store, &shop()).await;
            for _ in 0..ROUNDS * TASKS {
                let _ = own.read_on(&store, &shop()).await;
                step_aside().await;
            }
            reader.with(|reader| *reader = own);
        })
    });
    harness.together(tasks).await;
    let mut reader = reader.with(std::mem::take);
    let _ = reader.read_on(&store, &shop()).await;
    reader.knows_all(&store, &shop()).await;
}
