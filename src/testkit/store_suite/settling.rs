//! The watermark, what is set aside, and what is written later: rules 13 to 17, and 28.

use std::sync::Arc;

use crate::store::{Commit, Committed, ConversationStore, Lease, Lookup, Settle, Settled};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// Rule 13: `max(old, given)`, and each answer says so.
pub async fn the_watermark_never_sinks(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let wrong = revision.wrapping_add(9);
    assert_eq!(store.settle(&settle("ann", 1, wrong, 5)).await, Settled::Conflict { settled: 5 });
    assert_eq!(store.settle(&settle("ann", 1, wrong, 3)).await, Settled::Conflict { settled: 5 });
    let held = store.commit(Commit { lease: Lease::Hold(token(1)), ..commit("ann", Some(revision)) }).await;
    let Committed::Applied { revision, settled: 5, .. } = held else { panic!("{held:?}") };
    assert_eq!(store.settle(&settle("ann", 1, revision, 4)).await, Settled::Done);
    assert_eq!(store.find("ann").await.map(|found| found.settled), Some(5));
}

/// Rule 13: it begins at 0 and outlives commits.
pub async fn the_watermark_stays_with_the_record(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut revision = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    assert_eq!(store.find("ann").await.map(|found| found.settled), Some(0));
    assert_eq!(store.settle(&settle("ann", 1, revision, 7)).await, Settled::Done);
    for _ in 0..3 {
        revision = store.apply(commit("ann", Some(revision))).await;
        assert_eq!(store.find("ann").await.map(|found| found.settled), Some(7));
    }
    store.apply(commit("bob", None)).await;
    assert_eq!(store.find("bob").await.map(|found| found.settled), Some(0), "another's");
}

/// Rule 13: outbox numbers may be large.
pub async fn the_watermark_may_be_large(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let large = u64::from(u32::MAX) * 1_000;
    assert_eq!(store.settle(&settle("ann", 1, revision, large)).await, Settled::Done);
    assert_eq!(store.find("ann").await.map(|found| found.settled), Some(large));
}

/// Rule 14: under no lease, under another's, and of a conversation that is not there.
pub async fn a_settle_without_the_lease_changes_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    assert_eq!(store.settle(&settle("ann", 1, 1, 1)).await, Settled::LeaseLost);
    let revision = store.apply(Commit { due_at: Some(at(5)), ..commit("ann", None) }).await;
    assert_eq!(store.settle(&settle("ann", 1, revision, 5)).await, Settled::LeaseLost);
    let taken = Commit { lease: take(1), due_at: Some(at(5)), ..commit("ann", Some(revision)) };
    let revision = store.apply(taken).await;
    let wrong = Settle { quarantine: true, ..settle("ann", 2, revision, 5) };
    assert_eq!(store.settle(&wrong).await, Settled::LeaseLost);
    let mine = store.load(&Lookup { token: token(1), ..by_contact("ann") }).await;
    let seen = mine.conversation.expect("it was written");
    assert_eq!((seen.settled, seen.quarantined, seen.leased), (0, false, true));
    let freed = Commit { lease: Lease::Free(token(1)), due_at: Some(at(5)), ..commit("ann", Some(revision)) };
    store.apply(freed).await;
    assert_eq!(store.claimed(&due(3, at(5))).await, ["ann"]);
}

/// Rule 14: a lease that has run out is none.
pub async fn a_settle_after_the_lease_changes_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let short = Lease::Take(token(1), SHORT);
    let revision = store.apply(Commit { lease: short, ..commit("ann", None) }).await;
    harness.pass(SHORT + SHORT).await;
    let late = Settle { now: at(1), quarantine: true, ..settle("ann", 1, revision, 5) };
    assert_eq!(store.settle(&late).await, Settled::LeaseLost);
    let seen = store.find("ann").await.expect("it was written");
    assert_eq!((seen.settled, seen.quarantined), (0, false));
}

/// Rule 14: the same contact elsewhere is another conversation.
pub async fn a_settle_is_of_its_workspace(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let there = Settle { workspace: other(), ..settle("ann", 1, revision, 5) };
    assert_eq!(store.settle(&there).await, Settled::LeaseLost);
    assert_eq!(store.find("ann").await.map(|found| found.settled), Some(0));
}

/// Rule 15: on the revision that is stored it sets `due_at` and frees the lease.
pub async fn a_settle_sets_the_due_time_and_frees_the_lease(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    let taken = Commit { lease: take(1), due_at: Some(at(1)), ..commit("ann", None) };
    let revision = store.apply(taken).await;
    let settled = Settle { due_at: Some(at(40)), ..settle("ann", 1, revision, 3) };
    assert_eq!(store.settle(&settled).await, Settled::Done);
    let mine = store.load(&Lookup { token: token(1), ..by_contact("ann") }).await;
    assert!(mine.conversation.is_some_and(|found| !found.leased && found.settled == 3));
    assert!(store.claimed(&due(2, at(39))).await.is_empty());
    assert_eq!(store.claimed(&due(2, at(40))).await, ["ann"]);
}

/// Rule 15: nothing is due after a settle that says so.
pub async fn a_settle_may_leave_nothing_due(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) }).await;
    assert_eq!(store.claimed(&due(1, at(0))).await, ["ann"]);
    assert_eq!(store.settle(&settle("ann", 1, revision, 1)).await, Settled::Done);
    assert!(store.claimed(&due(2, at(9_999))).await.is_empty());
}

/// Rule 15: on another revision it raises the watermark, and changes nothing else.
pub async fn a_settle_on_another_revision_raises_the_watermark_only(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    let old = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let new = store.apply(Commit { due_at: Some(at(500)), ..commit("ann", Some(old)) }).await;
    let stale = Settle { due_at: Some(at(1)), quarantine: true, ..settle("ann", 1, old, 2) };
    assert_eq!(store.settle(&stale).await, Settled::Conflict { settled: 2 });
    let mine = store.load(&Lookup { token: token(1), ..by_contact("ann") }).await;
    let seen = mine.conversation.expect("it was written");
    assert_eq!((seen.leased, seen.settled, seen.quarantined), (true, 2, false));
    let freed = Commit { lease: Lease::Free(token(1)), due_at: Some(at(500)), ..commit("ann", Some(new)) };
    store.apply(freed).await;
    assert!(store.claimed(&due(2, at(499))).await.is_empty(), "the stale due time was set");
    assert_eq!(store.claimed(&due(2, at(500))).await, ["ann"]);
}

/// Rule 16.
pub async fn a_repeated_settle_is_harmless(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let once = Settle { due_at: Some(at(9)), ..settle("ann", 1, revision, 2) };
    assert_eq!(store.settle(&once).await, Settled::Done);
    assert_eq!(store.settle(&once).await, Settled::LeaseLost);
    assert_eq!(store.find("ann").await.map(|found| found.settled), Some(2));
    assert_eq!(store.claimed(&due(2, at(9))).await, ["ann"]);
}

/// Rule 16: also one that meets a conflict.
pub async fn a_repeated_conflict_is_harmless(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let old = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    store.apply(commit("ann", Some(old))).await;
    for _ in 0..3 {
        assert_eq!(store.settle(&settle("ann", 1, old, 2)).await, Settled::Conflict { settled: 2 });
    }
}

/// Rule 17: it is not due, and a load says why.
pub async fn a_quarantined_conversation_is_not_due(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) }).await;
    assert_eq!(store.claimed(&due(1, at(0))).await, ["ann"]);
    let aside = Settle { due_at: Some(at(1)), quarantine: true, ..settle("ann", 1, revision, 0) };
    assert_eq!(store.settle(&aside).await, Settled::Done);
    assert!(store.claimed(&due(2, at(9_999))).await.is_empty());
    let seen = store.find("ann").await.expect("it is still there");
    assert_eq!((seen.quarantined, text_of(&seen.record).as_str()), (true, "ann"));
}

/// Rule 17: its aliases lead there as before, and its lease can be taken by a commit.
pub async fn a_quarantined_conversation_is_still_found(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let taken = Commit { lease: take(1), add_aliases: vec![phone(1)], ..commit("ann", None) };
    let revision = store.apply(taken).await;
    let aside = Settle { quarantine: true, ..settle("ann", 1, revision, 0) };
    assert_eq!(store.settle(&aside).await, Settled::Done);
    let found = store.load(&by_alias(phone(1))).await.conversation.expect("the alias leads there");
    assert!(found.quarantined && found.revision == revision);
    let retried = store.commit(Commit { lease: take(2), ..commit("ann", Some(revision)) }).await;
    assert!(matches!(retried, Committed::Applied { leased: true, .. }), "{retried:?}");
}

/// Rule 28: another process sees it after a flush at the latest, so that a process which flushes
/// last loses nothing.
pub async fn what_was_acknowledged_is_written_by_a_flush(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let Some(other) = harness.beside(&store.0).await.map(|other| TrustedStore(Arc::new(other))) else {
        return;
    };
    let taken = Commit { lease: take(1), due_at: Some(at(0)), ..commit("ann", None) };
    let revision = store.apply(taken).await;
    let settled = Settle { due_at: Some(at(40)), ..settle("ann", 1, revision, 3) };
    assert_eq!(store.settle(&settled).await, Settled::Done);
    store.0.flush().await.expect("what was acknowledged is written");
    assert_eq!(other.find("ann").await.map(|found| found.settled), Some(3));
    assert!(other.claimed(&due(2, at(39))).await.is_empty());
    assert_eq!(other.claimed(&due(2, at(40))).await, ["ann"]);
}
