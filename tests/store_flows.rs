//! The contract of `FlowStore`, rule by rule.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod store_kit;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chatflow::store::{Catalogue, FlowChange, FlowEntry, FlowSaved, FlowStore, VersionEntry, VersionState};
use chatflow::{FlowVersion, MemoryFlows, StoreError, WorkspaceId};
use pollster::block_on;
use store_kit::{at, flow, shop};

fn entry(code: &str, revision: u64) -> FlowEntry {
    FlowEntry {
        flow: flow(code),
        name: code.into(),
        remark: None,
        logging: false,
        accounts: Vec::new(),
        versions: Vec::new(),
        draft: Some(revision),
        deleted: false,
        created_at: at(0),
        revision,
    }
}

fn change(code: &str, expect: Option<u64>) -> FlowChange {
    let revision = expect.unwrap_or(0) + 1;
    FlowChange {
        entry: entry(code, revision),
        expect,
        draft: Some(format!("draft {revision}").into()),
        version: None,
    }
}

fn save(flows: &impl FlowStore, change: FlowChange) -> Result<FlowSaved, StoreError> {
    block_on(flows.save(&shop(), change))
}

fn text(flows: &impl FlowStore, code: &str, version: Option<u32>) -> Option<Arc<str>> {
    block_on(flows.definition(&shop(), &flow(code), version.map(FlowVersion))).unwrap()
}

fn catalogue(flows: &impl FlowStore, workspace: &WorkspaceId) -> Catalogue {
    let mut catalogue = block_on(flows.catalogue(workspace)).unwrap();
    catalogue.flows.sort_by(|one, other| one.flow.cmp(&other.flow));
    catalogue
}

/// Rule 1.
#[test]
fn the_revision_changes_with_each_save_in_its_workspace() {
    let flows = MemoryFlows::new();
    let other = WorkspaceId::new("other").unwrap();
    let revision = || block_on(flows.revision(&shop())).unwrap();
    let mut seen = vec![revision()];
    for (code, expect) in [("a", None), ("b", None), ("a", Some(1))] {
        assert_eq!(save(&flows, change(code, expect)).unwrap(), FlowSaved::Saved);
        assert!(!seen.contains(&revision()));
        seen.push(revision());
    }
    assert_eq!(save(&flows, change("a", Some(1))).unwrap(), FlowSaved::Conflict);
    assert_eq!(seen.last(), Some(&revision()));
    assert_eq!(block_on(flows.revision(&other)).unwrap(), seen[0]);
}

/// Rule 2.
#[test]
fn the_catalogue_has_every_entry_also_of_deleted_flows() {
    let flows = Arc::new(MemoryFlows::new());
    let deleted = FlowEntry { deleted: true, ..entry("b", 1) };
    assert_eq!(save(&flows, change("a", None)).unwrap(), FlowSaved::Saved);
    assert_eq!(
        save(&flows, FlowChange { entry: deleted.clone(), ..change("b", None) }).unwrap(),
        FlowSaved::Saved
    );
    let found = catalogue(&flows, &shop());
    assert_eq!(found.flows, [entry("a", 1), deleted]);
    assert_eq!(found.revision, block_on(flows.revision(&shop())).unwrap());
    assert!(catalogue(&flows, &WorkspaceId::new("other").unwrap()).flows.is_empty());
}

/// Rule 3.
#[test]
fn a_save_on_another_revision_writes_nothing() {
    let flows = MemoryFlows::new();
    assert_eq!(save(&flows, change("a", Some(1))).unwrap(), FlowSaved::Conflict);
    assert_eq!(save(&flows, change("a", None)).unwrap(), FlowSaved::Saved);
    let version = Some((FlowVersion(1), "text".into()));
    for expect in [None, Some(2)] {
        let late = FlowChange { version: version.clone(), ..change("a", expect) };
        assert_eq!(save(&flows, late).unwrap(), FlowSaved::Conflict);
    }
    assert_eq!((text(&flows, "a", None).as_deref(), text(&flows, "a", Some(1))), (Some("draft 1"), None));
    assert_eq!(catalogue(&flows, &shop()).flows, [entry("a", 1)]);
}

/// Rule 3.
#[test]
fn entry_and_texts_are_written_together() {
    let flows = MemoryFlows::new();
    let publish = FlowChange { version: Some((FlowVersion(1), "one".into())), ..change("a", None) };
    assert_eq!(save(&flows, publish).unwrap(), FlowSaved::Saved);
    assert_eq!(text(&flows, "a", Some(1)).as_deref(), Some("one"));
    let renamed = FlowChange { draft: None, ..change("a", Some(1)) };
    assert_eq!(save(&flows, renamed).unwrap(), FlowSaved::Saved);
    assert_eq!(text(&flows, "a", None).as_deref(), Some("draft 1"), "a change without a text keeps it");
    let mut without = FlowChange { draft: None, ..change("a", Some(2)) };
    without.entry.draft = None;
    assert_eq!(save(&flows, without).unwrap(), FlowSaved::Saved);
    assert_eq!(text(&flows, "a", None), None);
    assert_eq!(text(&flows, "a", Some(1)).as_deref(), Some("one"));
}

/// Rule 4.
#[test]
fn the_text_of_a_version_never_changes() {
    let flows = MemoryFlows::new();
    let with = |expect, text: &str| FlowChange {
        version: Some((FlowVersion(1), text.into())),
        ..change("a", expect)
    };
    assert_eq!(save(&flows, with(None, "one")).unwrap(), FlowSaved::Saved);
    assert!(save(&flows, with(Some(1), "two")).is_err_and(|error| !error.is_retryable()));
    assert_eq!(
        (text(&flows, "a", Some(1)).as_deref(), text(&flows, "a", None).as_deref()),
        (Some("one"), Some("draft 1"))
    );
    assert_eq!(save(&flows, with(Some(1), "one")).unwrap(), FlowSaved::Saved);
}

/// Rule 3, on many threads.
#[test]
fn of_many_saves_on_one_revision_one_applies() {
    let flows = MemoryFlows::new();
    let saved = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for revision in 0..500_u64 {
                    let expect = (revision > 0).then_some(revision);
                    if save(&flows, change("a", expect)).unwrap() == FlowSaved::Saved {
                        saved.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(saved.into_inner() as u64, catalogue(&flows, &shop()).flows[0].revision);
}

/// 5
#[test]
fn workspaces_with_a_terminated_version_are_told() {
    let flows = MemoryFlows::new();
    let mut change = change("a", None);
    let version = |state| VersionEntry { version: FlowVersion(1), state, published_at: at(0), digest: 1 };
    change.entry.versions = vec![version(VersionState::Online)];
    assert_eq!(save(&flows, change.clone()).unwrap(), FlowSaved::Saved);
    assert_eq!(block_on(flows.terminated()).unwrap(), []);
    change.entry.versions = vec![version(VersionState::Terminated(at(1)))];
    (change.entry.revision, change.expect) = (2, Some(1));
    assert_eq!(save(&flows, change).unwrap(), FlowSaved::Saved);
    assert_eq!(block_on(Arc::new(flows).terminated()).unwrap(), [shop()]);
}
