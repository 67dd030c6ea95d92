//! Forgetting a contact: rules 22 and 23.

use crate::store::{
    Commit, Committed, ConversationStore, Erase, KeyRecord, Lease, Lookup, Removed, Revision, Settle, Settled,
};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// All that a store may have of a contact.
pub(super) fn everything(name: &str, expect: Option<Revision>) -> Commit {
    Commit {
        add_aliases: vec![phone(1), phone(2), session_alias(1), session_alias(2)],
        ended: [ended(name, 2, at(0), at(1))].into(),
        journal: vec![entry(name, 1, 1, at(0)), entry(name, 1, 2, at(0)), entry(name, 2, 1, at(0))],
        key: Some((key_name("cart", "event-1"), key_record(name, 1, at(50)))),
        due_at: Some(at(5)),
        lease: take(7),
        dead_letters: 1,
        ..commit(name, expect)
    }
}

/// Rule 22: nothing of it is found.
pub async fn an_erased_contact_leaves_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(everything("ann", None)).await;
    let removed = store.erase("ann", revision).await.expect("it is at that revision");
    assert_eq!(removed.keys, 1);
    assert!(store.find("ann").await.is_none());
    for alias in [phone(1), phone(2), session_alias(1), session_alias(2)] {
        assert_eq!(store.follow(alias).await, None);
    }
    let leased = store.claim(&due(9, at(500))).await;
    assert!(leased.conversations.is_empty());
    let purged = store.purge(&purge(49, 100)).await;
    assert_eq!((purged.keys, purged.sessions, purged.journal), (0, 0, 0));
}

/// Rule 22: nobody else is touched.
pub async fn an_erase_leaves_others(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let key = Some((key_name("cart", "bobs"), key_record("bob", 4, at(50))));
    let bob = Commit { add_aliases: vec![phone(9)], key, due_at: Some(at(5)), ..commit("bob", None) };
    let bobs = store.apply(bob).await;
    let revision = store.apply(everything("ann", None)).await;
    assert!(store.erase("ann", revision).await.is_some());
    assert_eq!(store.find("bob").await.map(|found| found.revision), Some(bobs));
    assert_eq!(store.follow(phone(9)).await, Some(contact("bob")));
    assert_eq!(store.key(key_name("cart", "bobs")).await, Some(key_record("bob", 4, at(50))));
    assert_eq!(store.claimed(&due(1, at(5))).await, ["bob"]);
}

/// Rule 22: at the revision that was seen, and no other.
pub async fn an_erase_is_for_the_revision_that_was_seen(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let first = store.apply(everything("ann", None)).await;
    let second = store.apply(commit("ann", Some(first))).await;
    assert_eq!(store.erase("ann", first).await, None);
    assert_eq!(store.erase("ann", second.wrapping_add(1)).await, None);
    assert_eq!(store.text("ann").await.as_deref(), Some("ann"));
    assert_eq!(store.follow(phone(2)).await, Some(contact("ann")));
    assert_eq!(store.key(key_name("cart", "event-1")).await, Some(key_record("ann", 1, at(50))));
    assert!(store.erase("ann", second).await.is_some());
}

/// Rule 22: None, of one that is not there, or not there any more.
pub async fn an_erase_of_nobody_answers_none(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for revision in [0, 1, Revision::MAX] {
        assert_eq!(store.erase("nobody", revision).await, None);
    }
    let revision = store.apply(commit("ann", None)).await;
    assert!(store.erase("ann", revision).await.is_some());
    assert_eq!(store.erase("ann", revision).await, None);
}

/// Rule 22: no matter who holds the lease, and set aside or not.
pub async fn an_erase_asks_nobody(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let leased = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    assert!(store.erase("ann", leased).await.is_some());
    let revision = store.apply(Commit { lease: take(2), ..commit("ann", None) }).await;
    let aside = Settle { quarantine: true, ..settle("ann", 2, revision, 0) };
    assert_eq!(store.settle(&aside).await, Settled::Done);
    assert!(store.erase("ann", revision).await.is_some());
    assert!(store.find("ann").await.is_none());
}

/// Rule 22: who comes late is told.
pub async fn calls_after_an_erase_find_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(everything("ann", None)).await;
    assert!(store.erase("ann", revision).await.is_some());
    assert_eq!(store.settle(&settle("ann", 7, revision, 9)).await, Settled::LeaseLost);
    let late = Commit { lease: Lease::Hold(token(7)), ..commit("ann", Some(revision)) };
    assert_eq!(store.commit(late).await, Committed::Conflict);
    assert!(store.find("ann").await.is_none());
}

/// Rules 22 and 5: it may come again, as new.
pub async fn an_erased_contact_may_come_again(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(everything("ann", None)).await;
    assert_eq!(store.settle(&settle("ann", 7, revision, 4)).await, Settled::Done);
    assert!(store.erase("ann", revision).await.is_some());
    let again = Commit { add_aliases: vec![phone(1)], due_at: Some(at(600)), ..commit("ann", None) };
    let anew = store.apply(again).await;
    let found = store.find("ann").await.expect("it was written anew");
    assert_eq!((found.settled, found.leased, found.quarantined), (0, false, false));
    assert_eq!(store.follow(phone(1)).await, Some(contact("ann")));
    assert_eq!(store.follow(phone(2)).await, None);
    assert_eq!(store.commit(commit("ann", Some(revision))).await, Committed::Conflict);
    let leased = store.claim(&due(9, at(600))).await.conversations;
    let seen = leased.first().map(|one| (one.stored.revision, one.claims));
    assert_eq!(seen, Some((anew, 1)));
}

/// Rules 22 and 5: revisions of before never come back.
pub async fn no_revision_comes_twice_across_erases(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        let mut revision = store.apply(commit("ann", None)).await;
        seen.push(revision);
        for _ in 0..3 {
            revision = store.apply(commit("ann", Some(revision))).await;
            seen.push(revision);
        }
        assert!(store.erase("ann", revision).await.is_some());
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count, "a revision was used twice");
}

/// Rule 22: an alias that was erased is free.
pub async fn an_erased_contacts_aliases_are_free(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(everything("ann", None)).await;
    let wants = Commit { add_aliases: vec![phone(1)], ..commit("bob", None) };
    assert!(matches!(store.commit(wants.clone()).await, Committed::AliasTaken { .. }));
    assert!(store.erase("ann", revision).await.is_some());
    store.apply(wants).await;
    assert_eq!(store.follow(phone(1)).await, Some(contact("bob")));
    let back = Commit { add_aliases: vec![phone(1)], ..commit("ann", None) };
    assert!(matches!(store.commit(back).await, Committed::AliasTaken { .. }));
}

/// Rule 22: its live sessions are not counted any more.
pub async fn an_erased_contacts_sessions_are_not_counted(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(commit_with("ann", None, &[session(1, "cart", 1, at(0))])).await;
    store.apply(commit_with("bob", None, &[session(2, "cart", 1, at(0))])).await;
    assert_eq!(store.live(&live("cart", None)).await, 2);
    assert!(store.erase("ann", revision).await.is_some());
    assert_eq!(store.live(&live("cart", None)).await, 1);
}

/// Rules 1 and 22.
pub async fn an_erase_is_of_its_workspace(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let there = store.apply(Commit { workspace: other(), ..everything("ann", None) }).await;
    let revision = store.apply(everything("ann", None)).await;
    assert!(store.erase("ann", revision).await.is_some());
    let key = Some(key_name("cart", "event-1"));
    let found = store.load(&Lookup { workspace: other(), key, ..by_contact("ann") }).await;
    assert_eq!(found.conversation.map(|found| found.revision), Some(there));
    assert_eq!(found.key, Some(key_record("ann", 1, at(50))));
    let by_alias = Lookup { workspace: other(), ..by_alias(phone(1)) };
    assert!(store.load(&by_alias).await.conversation.is_some());
    let elsewhere = Erase { workspace: other(), ..erase("ann", there) };
    assert!(store.erase_as(&elsewhere).await.is_some());
}

/// Rule 23: a key says when it expires, and nothing else.
pub async fn an_erased_contacts_keys_stay_without_it(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(everything("ann", None)).await;
    assert!(store.erase("ann", revision).await.is_some());
    let find =
        |seconds| Lookup { key: Some(key_name("cart", "event-1")), now: at(seconds), ..by_contact("ann") };
    assert_eq!(store.load(&find(49)).await.key, Some(KeyRecord::erased(at(50))));
    assert_eq!(store.load(&find(50)).await.key, None);
    assert_eq!(store.key(key_name("order", "event-1")).await, None, "of another flow");
    assert_eq!(store.key(key_name("cart", "event-2")).await, None, "another key");
}

/// Rules 23 and 6: such a key refuses until it expires.
pub async fn an_erased_contacts_key_still_refuses(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(everything("ann", None)).await;
    assert!(store.erase("ann", revision).await.is_some());
    let again = |name: &str, seconds| {
        let key = Some((key_name("cart", "event-1"), key_record(name, 5, at(99))));
        Commit { key, now: at(seconds), ..commit(name, None) }
    };
    assert_eq!(store.commit(again("ann", 49)).await, Committed::KeyTaken);
    assert_eq!(store.commit(again("bob", 0)).await, Committed::KeyTaken);
    store.apply(again("ann", 50)).await;
    let asked = Lookup { key: Some(key_name("cart", "event-1")), now: at(50), ..by_contact("ann") };
    assert_eq!(store.load(&asked).await.key, Some(key_record("ann", 5, at(99))));
}

/// Rule 23: keys that have expired are not counted, and do not stay.
pub async fn an_erased_contacts_expired_keys_go(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(everything("ann", None)).await;
    let old = (key_name("cart", "old"), key_record("ann", 3, at(-1)));
    let revision = store.apply(Commit { key: Some(old), ..commit("ann", Some(revision)) }).await;
    let removed = store.erase("ann", revision).await.expect("it is at that revision");
    assert_eq!(removed.keys, 1, "one has expired");
    assert_eq!(store.key(key_name("cart", "old")).await, None);
}

/// Rules 23 and 20: a purge removes them when they have expired.
pub async fn an_erased_contacts_keys_are_purged(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(everything("ann", None)).await;
    assert!(store.erase("ann", revision).await.is_some());
    assert_eq!(store.purge(&purge(49, 100)).await.keys, 0);
    assert_eq!(store.purge(&purge(50, 100)).await.keys, 1);
    assert_eq!(store.key(key_name("cart", "event-1")).await, None);
}

/// Rules 22 and 23, twice over: the contact comes again with another key and is erased again.
pub async fn a_contact_may_be_erased_again(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for (key, keys) in [("a", 1), ("b", 1)] {
        let key = Some((key_name("cart", key), key_record("ann", 1, at(50))));
        let revision = store.apply(Commit { key, ..everything("ann", None) }).await;
        let removed = store.erase("ann", revision).await.expect("it is at that revision");
        assert_eq!(removed.keys, keys, "those of before are nobody's");
    }
    for key in ["a", "b"] {
        assert_eq!(store.key(key_name("cart", key)).await, Some(KeyRecord::erased(at(50))));
    }
}

fn leave(name: &str, expect: Revision) -> Erase {
    Erase { keeps_history: true, ..erase(name, expect) }
}

/// Rule 23: of a conversation that goes alone, nothing but the past stays.
pub async fn an_erase_that_keeps_history_is_of_the_conversation(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(everything("ann", None)).await;
    assert_eq!(store.erase_as(&leave("ann", revision.wrapping_add(1))).await, None);
    assert_eq!(store.text("ann").await.as_deref(), Some("ann"));
    assert_eq!(store.erase_as(&leave("ann", revision)).await, Some(Removed::default()));
    assert_eq!(store.erase_as(&leave("ann", revision)).await, None);
    assert!(store.find("ann").await.is_none());
    for alias in [phone(1), phone(2), session_alias(1), session_alias(2)] {
        assert_eq!(store.follow(alias).await, None);
    }
    assert!(store.claim(&due(9, at(500))).await.conversations.is_empty());
    assert_eq!(store.settle(&settle("ann", 7, revision, 9)).await, Settled::LeaseLost);
    assert_eq!(store.commit(commit("ann", Some(revision))).await, Committed::Conflict);
    assert_eq!(store.key(key_name("cart", "event-1")).await, Some(key_record("ann", 1, at(50))));
    let again = Commit {
        key: Some((key_name("cart", "event-1"), key_record("bob", 5, at(99)))),
        ..commit("bob", None)
    };
    assert_eq!(store.commit(again).await, Committed::KeyTaken);
    assert_eq!(store.purge(&purge(50, 100)).await.keys, 1);
}

/// Rules 23 and 5: who went may come again, as new, and revisions of before never do.
pub async fn no_revision_comes_twice_across_erases_that_keep_history(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    let mut seen = Vec::new();
    for round in 0..6 {
        let first = store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) }).await;
        let second = store.apply(commit("ann", Some(first))).await;
        seen.extend([first, second]);
        let erase = if round % 2 == 0 { leave("ann", second) } else { erase("ann", second) };
        assert!(store.erase_as(&erase).await.is_some());
        let bob = Commit { add_aliases: vec![phone(1)], ..commit("bob", None) };
        let bobs = store.apply(bob).await;
        assert_eq!(store.follow(phone(1)).await, Some(contact("bob")));
        assert!(store.erase_as(&leave("bob", bobs)).await.is_some());
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count, "a revision was used twice");
}

/// Rules 23, 1 and 3: of those who come when others have gone, each is found by its own names, and
/// a key that is left names whom it named.
pub async fn who_comes_after_who_went_is_nobody_else(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let gone = |number: u64| format!("gone {number}");
    let came = |number: u64| format!("came {number}");
    for number in 0..40 {
        let key = (key_name("cart", &gone(number)), key_record(&gone(number), 1, at(50)));
        let aliases = vec![phone(number), session_alias(u128::from(number) + 1)];
        let commit = Commit {
            key: Some(key),
            add_aliases: aliases,
            due_at: Some(at(5)),
            ..commit(&gone(number), None)
        };
        let revision = store.apply(commit).await;
        assert!(store.erase_as(&leave(&gone(number), revision)).await.is_some());
    }
    let _ = store.purge(&purge(1, 100)).await;
    for number in 0..40 {
        let aliases = vec![phone(100 + number)];
        let commit = Commit { add_aliases: aliases, due_at: Some(at(900)), ..commit(&came(number), None) };
        store.apply(commit).await;
    }
    for number in 0..40 {
        let key = store.key(key_name("cart", &gone(number))).await;
        assert_eq!(key.map(|key| key.contact), Some(contact(&gone(number))));
        assert_eq!(store.follow(phone(number)).await, None);
        assert_eq!(store.follow(session_alias(u128::from(number) + 1)).await, None);
        assert_eq!(store.follow(phone(100 + number)).await, Some(contact(&came(number))));
        assert!(store.find(&gone(number)).await.is_none());
    }
    assert!(store.claim(&due(9, at(500))).await.conversations.is_empty());
}
