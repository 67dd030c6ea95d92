//! Leases: rules 9 to 11. Where one is to run out, time passes on the clock of the calls and on
//! that of the store.

use crate::store::{Commit, Committed, ConversationStore, Lease, Lookup, Revision};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// The new revision, and whether the token holds the lease.
fn applied(committed: Committed) -> (Revision, bool) {
    match committed {
        Committed::Applied { revision, leased, .. } => (revision, leased),
        refused => panic!("a commit was refused that must apply: {refused:?}"),
    }
}

/// True if a token holds the lease of ann at a time.
async fn holds<S: ConversationStore>(store: &TrustedStore<S>, by: u128, seconds: i64) -> bool {
    let lookup = Lookup { token: token(by), now: at(seconds), ..by_contact("ann") };
    store.load(&lookup).await.conversation.is_some_and(|found| found.leased)
}

/// Rule 9: a lease is its token's.
pub async fn a_lease_is_seen_by_its_token_only(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    assert!(holds(&store, 1, 0).await);
    assert!(!holds(&store, 2, 0).await);
    assert!(!holds(&store, 0, 0).await);
}

/// Rule 9: it ends by itself.
pub async fn a_lease_ends_by_itself(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let short = Lease::Take(token(1), SHORT);
    let revision = store.apply(Commit { lease: short, ..commit("ann", None) }).await;
    harness.pass(SHORT + SHORT).await;
    assert!(!holds(&store, 1, 1).await);
    let late = Commit { lease: Lease::Hold(token(1)), now: at(1), ..commit("ann", Some(revision)) };
    assert_eq!(store.commit(late).await, Committed::LeaseLost);
    let anew = Commit { lease: take(2), now: at(1), ..commit("ann", Some(revision)) };
    assert!(applied(store.commit(anew).await).1, "another may have it");
}

/// Rule 9: a lease is its conversation's.
pub async fn a_lease_is_of_one_conversation(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let bob = store.apply(commit("bob", None)).await;
    let wrong = Commit { lease: Lease::Hold(token(1)), ..commit("bob", Some(bob)) };
    assert_eq!(store.commit(wrong).await, Committed::LeaseLost);
    let there = store.apply(Commit { workspace: other(), ..commit("ann", None) }).await;
    let elsewhere = Commit { workspace: other(), lease: Lease::Hold(token(1)), ..commit("ann", Some(there)) };
    assert_eq!(store.commit(elsewhere).await, Committed::LeaseLost);
}

/// Rule 10: a free one is taken.
pub async fn a_free_lease_is_taken(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let (revision, leased) = applied(store.commit(commit("ann", None)).await);
    assert!(!leased, "nobody asked for it");
    let (_, leased) = applied(store.commit(Commit { lease: take(1), ..commit("ann", Some(revision)) }).await);
    assert!(leased && holds(&store, 1, 0).await);
}

/// Rule 10: a commit that cannot take the lease is written all the same.
pub async fn a_held_lease_is_not_taken_and_the_commit_applies(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    let (revision, _) = applied(store.commit(Commit { lease: take(1), ..commit("ann", None) }).await);
    let second = Commit {
        lease: take(2),
        record: opaque("second"),
        due_at: Some(at(7)),
        add_aliases: vec![phone(1)],
        ..commit("ann", Some(revision))
    };
    let (revision, leased) = applied(store.commit(second).await);
    assert!(!leased && holds(&store, 1, 0).await && !holds(&store, 2, 0).await);
    assert_eq!(store.text("ann").await.as_deref(), Some("second"));
    assert_eq!(store.follow(phone(1)).await, Some(contact("ann")));
    let freed = Commit { lease: Lease::Free(token(1)), due_at: Some(at(7)), ..commit("ann", Some(revision)) };
    store.apply(freed).await;
    assert_eq!(store.claimed(&due(3, at(7))).await, ["ann"]);
}

/// Rule 10: its token may take it again.
pub async fn a_lease_is_taken_again_by_its_token(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let short = Lease::Take(token(1), SHORT);
    let (revision, _) = applied(store.commit(Commit { lease: short, ..commit("ann", None) }).await);
    let renewed = Commit { lease: take(1), due_at: Some(at(0)), ..commit("ann", Some(revision)) };
    let (_, leased) = applied(store.commit(renewed).await);
    harness.pass(SHORT + SHORT).await;
    assert!(leased && holds(&store, 1, 1).await, "it holds as long as the second says");
    assert!(store.claimed(&due(2, at(1))).await.is_empty());
}

/// Rule 10: `Leave` leaves the holder what it has, and says that nobody got it.
pub async fn a_commit_may_leave_the_lease_alone(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let (revision, _) = applied(store.commit(Commit { lease: take(1), ..commit("ann", None) }).await);
    let (_, leased) = applied(store.commit(commit("ann", Some(revision))).await);
    assert!(!leased && holds(&store, 1, 0).await);
}

/// Rule 11: under the live lease.
pub async fn a_holder_holds_and_frees(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let (revision, _) = applied(store.commit(Commit { lease: take(1), ..commit("ann", None) }).await);
    let held = Commit { lease: Lease::Hold(token(1)), ..commit("ann", Some(revision)) };
    let (revision, leased) = applied(store.commit(held).await);
    assert!(leased && holds(&store, 1, 0).await);
    let freed = Commit { lease: Lease::Free(token(1)), due_at: Some(at(0)), ..commit("ann", Some(revision)) };
    let (revision, leased) = applied(store.commit(freed).await);
    assert!(!leased && !holds(&store, 1, 0).await);
    let again = Commit { lease: Lease::Hold(token(1)), ..commit("ann", Some(revision)) };
    assert_eq!(store.commit(again).await, Committed::LeaseLost);
    assert_eq!(store.claimed(&due(2, at(0))).await, ["ann"]);
}

/// Rule 11: under no lease, and under another's.
pub async fn who_holds_nothing_is_refused(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let first = Commit { lease: Lease::Hold(token(1)), ..commit("ann", None) };
    assert_eq!(store.commit(first).await, Committed::LeaseLost, "a new conversation has no lease");
    let (revision, _) = applied(store.commit(Commit { lease: take(1), ..commit("ann", None) }).await);
    for lease in [Lease::Hold(token(2)), Lease::Free(token(2))] {
        let wrong = Commit { lease, ..commit("ann", Some(revision)) };
        assert_eq!(store.commit(wrong).await, Committed::LeaseLost);
    }
    assert!(holds(&store, 1, 0).await);
}

/// Rule 11: a refused commit ends no lease.
pub async fn a_refused_commit_frees_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let (old, _) = applied(store.commit(Commit { lease: take(1), ..commit("ann", None) }).await);
    let (_, _) = applied(store.commit(commit("ann", Some(old))).await);
    let stale = Commit { lease: Lease::Free(token(1)), ..commit("ann", Some(old)) };
    assert_eq!(store.commit(stale).await, Committed::Conflict);
    assert!(holds(&store, 1, 0).await);
}

/// Rule 11: a lease that was claimed is held like one that was taken.
pub async fn a_claim_gives_a_lease_to_commit_under(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) }).await;
    assert_eq!(store.claimed(&due(1, at(0))).await, ["ann"]);
    let wrong = Commit { lease: Lease::Hold(token(2)), ..commit("ann", Some(revision)) };
    assert_eq!(store.commit(wrong).await, Committed::LeaseLost);
    let held = Commit { lease: Lease::Hold(token(1)), ..commit("ann", Some(revision)) };
    let (revision, leased) = applied(store.commit(held).await);
    assert!(leased);
    let freed = Commit { lease: Lease::Free(token(1)), ..commit("ann", Some(revision)) };
    assert!(!applied(store.commit(freed).await).1);
}
