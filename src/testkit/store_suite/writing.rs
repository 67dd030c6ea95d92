//! Checks of what a commit does, and of what refuses it: rules 4, 5 and 8.

use crate::store::{
    Commit, Committed, ConversationStore, KeyRecord, Lease, Lookup, Revision, Settle, Settled,
};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// A commit that writes something of every kind.
fn everything(expect: Option<Revision>) -> Commit {
    Commit {
        record: opaque("changed"),
        due_at: Some(at(0)),
        lease: take(1),
        key: Some((key_name("cart", "new"), key_record("ann", 2, at(99)))),
        add_aliases: vec![session_alias(2)],
        ended: [ended("ann", 3, at(0), at(0))].into(),
        journal: vec![entry("ann", 3, 1, at(0))],
        ..commit("ann", expect)
    }
}

/// Asserts that nothing of [`everything`] was written over what is there at this revision, then
/// that it can be.
async fn nothing_was_written<S: ConversationStore>(store: &TrustedStore<S>, revision: Option<Revision>) {
    let seen = store.load(&Lookup { token: token(1), ..by_contact("ann") }).await.conversation;
    assert_eq!(seen.as_ref().map(|seen| seen.revision), revision);
    if let Some(seen) = seen {
        assert_eq!((seen.leased, text_of(&seen.record).as_str()), (false, "ann"));
    }
    assert_eq!(store.key(key_name("cart", "new")).await, None, "the key of a refused commit stayed");
    assert_eq!(store.follow(session_alias(2)).await, None, "the alias of a refused commit stayed");
    assert!(store.claimed(&due(9, at(0))).await.is_empty(), "the due time of a refused commit stayed");
    store.apply(everything(revision)).await;
    assert_eq!(store.text("ann").await.as_deref(), Some("changed"));
}

/// Rule 4: each part of a commit is there afterwards.
pub async fn a_commit_writes_all_that_it_says(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let added = vec![phone(1), session_alias(2), session_alias(3)];
    store.apply(Commit { add_aliases: added.clone(), lease: Lease::Leave, ..everything(None) }).await;
    assert_eq!(store.text("ann").await.as_deref(), Some("changed"));
    assert_eq!(store.key(key_name("cart", "new")).await, Some(key_record("ann", 2, at(99))));
    for alias in added {
        assert_eq!(store.follow(alias).await, Some(contact("ann")));
    }
    assert_eq!(store.claimed(&due(9, at(0))).await, ["ann"]);
}

/// Rule 4: refused since the conversation is at another revision.
pub async fn a_commit_on_another_revision_writes_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let old = store.apply(commit("ann", None)).await;
    let revision = store.apply(commit("ann", Some(old))).await;
    assert_eq!(store.commit(everything(Some(old))).await, Committed::Conflict);
    assert_eq!(store.commit(everything(None)).await, Committed::Conflict);
    nothing_was_written(&store, Some(revision)).await;
}

/// Rule 4: refused since the lease is not held.
pub async fn a_commit_without_its_lease_writes_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(commit("ann", None)).await;
    for lease in [Lease::Hold(token(1)), Lease::Free(token(1))] {
        let refused = Commit { lease, ..everything(Some(revision)) };
        assert_eq!(store.commit(refused).await, Committed::LeaseLost);
    }
    nothing_was_written(&store, Some(revision)).await;
}

/// Rule 4: refused since the key is taken.
pub async fn a_commit_with_a_taken_key_writes_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let taken = (key_name("cart", "taken"), key_record("eve", 1, at(99)));
    store.apply(Commit { key: Some(taken.clone()), ..commit("eve", None) }).await;
    let revision = store.apply(commit("ann", None)).await;
    let refused = Commit { key: Some(taken.clone()), ..everything(Some(revision)) };
    assert_eq!(store.commit(refused).await, Committed::KeyTaken);
    assert_eq!(store.key(taken.0).await, Some(taken.1));
    nothing_was_written(&store, Some(revision)).await;
}

/// Rule 4: refused since an alias leads elsewhere, be it the last of several.
pub async fn a_commit_with_a_taken_alias_writes_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit("bob", None) }).await;
    let revision = store.apply(Commit { add_aliases: vec![phone(2)], ..commit("ann", None) }).await;
    let refused = Commit {
        add_aliases: vec![session_alias(2), phone(1)],
        drop_aliases: vec![phone(2)],
        ..everything(Some(revision))
    };
    let taken = Committed::AliasTaken { alias: phone(1), holder: contact("bob") };
    assert_eq!(store.commit(refused).await, taken);
    assert_eq!(store.follow(phone(2)).await, Some(contact("ann")), "it was to be dropped");
    nothing_was_written(&store, Some(revision)).await;
}

/// Rule 4: a first commit that is refused makes no conversation.
pub async fn a_refused_first_commit_writes_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let taken = (key_name("cart", "taken"), key_record("bob", 1, at(99)));
    let bob = Commit { add_aliases: vec![phone(1)], key: Some(taken.clone()), ..commit("bob", None) };
    let revision = store.apply(bob).await;
    let keyed = Commit { key: Some(taken), ..everything(None) };
    assert_eq!(store.commit(keyed).await, Committed::KeyTaken);
    let aliased = Commit { add_aliases: vec![session_alias(2), phone(1)], ..everything(None) };
    assert!(matches!(store.commit(aliased).await, Committed::AliasTaken { .. }));
    assert_eq!(store.commit(everything(Some(revision))).await, Committed::Conflict);
    nothing_was_written(&store, None).await;
}

/// Rule 4: a commit replaces what was due.
pub async fn a_commit_replaces_the_due_time(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { due_at: Some(at(5)), ..commit("ann", None) }).await;
    let revision = store.apply(commit("ann", Some(revision))).await;
    assert!(store.claimed(&due(1, at(99))).await.is_empty(), "nothing is due any more");
    store.apply(Commit { due_at: Some(at(50)), ..commit("ann", Some(revision)) }).await;
    assert!(store.claimed(&due(1, at(49))).await.is_empty());
    assert_eq!(store.claimed(&due(1, at(50))).await, ["ann"]);
}

/// Rule 5: None is expected of a conversation that is not there.
pub async fn a_first_commit_expects_none(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for revision in [0, 1, u64::from(u32::MAX), Revision::MAX] {
        assert_eq!(store.commit(commit("ann", Some(revision))).await, Committed::Conflict, "{revision}");
    }
    assert!(store.find("ann").await.is_none());
    let first = store.apply(commit("ann", None)).await;
    assert_eq!(store.commit(commit("ann", None)).await, Committed::Conflict);
    assert_eq!(store.find("ann").await.map(|found| found.revision), Some(first));
}

/// Rule 5: the revision of the last commit, and no other.
pub async fn a_commit_expects_the_last_revision(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let first = store.apply(commit("ann", None)).await;
    let second = store.apply(commit("ann", Some(first))).await;
    for wrong in [first, second.wrapping_add(1), second.wrapping_sub(1), 0, Revision::MAX] {
        assert_eq!(store.commit(commit("ann", Some(wrong))).await, Committed::Conflict, "{wrong}");
    }
    store.apply(commit("ann", Some(second))).await;
}

/// Rule 5: another contact's commits change nothing of that.
pub async fn a_revision_is_its_conversations_alone(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let ann = store.apply(commit("ann", None)).await;
    let mut bob = None;
    for _ in 0..5 {
        bob = Some(store.apply(commit("bob", bob)).await);
    }
    assert_eq!(store.find("ann").await.map(|found| found.revision), Some(ann));
    store.apply(commit("ann", Some(ann))).await;
}

/// Rule 5: no revision comes twice.
pub async fn no_revision_comes_twice(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut seen = vec![store.apply(commit("ann", None)).await];
    for _ in 0..20 {
        seen.push(store.apply(commit("ann", seen.last().copied())).await);
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

/// Rule 5: a settle and a claim leave the revision, so that replies are taken during a delivery.
pub async fn only_a_commit_changes_the_revision(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) }).await;
    let leased = store.claim(&due(1, at(0))).await;
    assert_eq!(leased.conversations.first().map(|one| one.stored.revision), Some(revision));
    assert_eq!(store.settle(&settle("ann", 1, revision, 1)).await, Settled::Done);
    assert_eq!(store.find("ann").await.map(|found| found.revision), Some(revision));
    store.apply(commit("ann", Some(revision))).await;
}

/// Rule 5: a commit that is handed in again after an unknown outcome is refused.
pub async fn a_repeated_commit_is_refused(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let once = Commit {
        key: Some((key_name("cart", "k"), key_record("ann", 1, at(99)))),
        add_aliases: vec![phone(1)],
        ..commit("ann", None)
    };
    let revision = store.apply(once.clone()).await;
    assert!(matches!(store.commit(once).await, Committed::Conflict | Committed::KeyTaken));
    let found = store.find("ann").await.expect("it was written");
    assert_eq!(found.revision, revision);
    let key: Option<KeyRecord> = store.key(key_name("cart", "k")).await;
    assert_eq!(key, Some(key_record("ann", 1, at(99))));
}

/// Rule 8.
pub async fn a_commit_ends_a_quarantine(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let aside = Settle { quarantine: true, ..settle("ann", 1, revision, 0) };
    assert_eq!(store.settle(&aside).await, Settled::Done);
    assert!(store.find("ann").await.is_some_and(|found| found.quarantined));
    store.apply(Commit { due_at: Some(at(1)), ..commit("ann", Some(revision)) }).await;
    assert!(store.find("ann").await.is_some_and(|found| !found.quarantined));
    assert_eq!(store.claimed(&due(2, at(1))).await, ["ann"]);
}

/// Rule 8: a refused commit does not.
pub async fn a_refused_commit_leaves_a_quarantine(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let aside = Settle { quarantine: true, ..settle("ann", 1, revision, 0) };
    assert_eq!(store.settle(&aside).await, Settled::Done);
    let refused = Commit { due_at: Some(at(0)), ..commit("ann", None) };
    assert_eq!(store.commit(refused).await, Committed::Conflict);
    assert!(store.find("ann").await.is_some_and(|found| found.quarantined));
    assert!(store.claimed(&due(2, at(99))).await.is_empty());
}
