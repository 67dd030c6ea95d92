//! `update`: load, decide, commit.

use crate::store::{Commit, Committed, ConversationStore, Lookup};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// A decision sees what a load answers.
pub async fn an_update_decides_on_what_is_stored(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let key = (key_name("cart", "k"), key_record("ann", 1, at(9)));
    let first = Commit { lease: take(1), key: Some(key.clone()), ..commit("ann", None) };
    let revision = store.apply(first).await;
    let lookup = Lookup { key: Some(key.0), token: token(1), ..by_contact("ann") };
    let mut seen = None;
    let committed = store.update(&lookup, |loaded| {
        let stored = loaded.conversation.as_ref()?;
        seen = Some((stored.revision, stored.leased, text_of(&stored.record), loaded.key.clone()));
        Some(Commit { record: opaque("decided"), ..commit("ann", Some(stored.revision)) })
    });
    assert!(matches!(committed.await, Some(Committed::Applied { .. })));
    assert_eq!(seen, Some((revision, true, "ann".to_owned(), Some(key.1))));
    assert_eq!(store.text("ann").await.as_deref(), Some("decided"));
}

/// A decision is made at most once for each call.
pub async fn an_update_decides_once(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(commit("ann", None)).await;
    let mut decisions = 0;
    let ann = by_contact("ann");
    let refused = store.update(&ann, |_| {
        decisions += 1;
        Some(commit("ann", Some(revision.wrapping_add(1))))
    });
    assert_eq!(refused.await, Some(Committed::Conflict));
    assert_eq!(decisions, 1);
}

/// None: nothing is written.
pub async fn an_update_that_decides_nothing_writes_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) }).await;
    for in_place in [false, true] {
        for lookup in [by_contact("ann"), by_alias(phone(1)), by_contact("bob"), by_alias(phone(2))] {
            let lookup = Lookup { in_place, ..lookup };
            assert!(store.update(&lookup, |_| None).await.is_none());
        }
    }
    let seen = store.find("ann").await.expect("it was written");
    assert_eq!((seen.revision, text_of(&seen.record).as_str()), (revision, "ann"));
    assert!(!seen.quarantined && store.find("bob").await.is_none());
}

/// A commit that is refused is answered, and nothing is written.
pub async fn an_update_that_is_refused_writes_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let taken = (key_name("cart", "k"), key_record("bob", 1, at(9)));
    let bob = Commit { key: Some(taken.clone()), add_aliases: vec![phone(1)], ..commit("bob", None) };
    store.apply(bob).await;
    let ann = by_contact("ann");
    let keyed = store.update(&ann, |_| Some(Commit { key: Some(taken.clone()), ..commit("ann", None) }));
    assert_eq!(keyed.await, Some(Committed::KeyTaken));
    let aliased = store.update(&ann, |_| Some(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) }));
    let holder = Committed::AliasTaken { alias: phone(1), holder: contact("bob") };
    assert_eq!(aliased.await, Some(holder));
    assert!(store.find("ann").await.is_none());
}

/// `in_place`: the record is lent, and comes back with the commit.
pub async fn an_update_in_place_hands_over_and_takes_back(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) }).await;
    for round in 0..3 {
        let lookup = Lookup { in_place: true, ..by_alias(phone(1)) };
        let committed = store.update(&lookup, |loaded| {
            let stored = loaded.conversation.as_ref()?;
            let grown = format!("{}+{round}", text_of(&stored.record));
            Some(Commit { record: opaque(&grown), lease: take(1), ..commit("ann", Some(stored.revision)) })
        });
        let committed = committed.await;
        assert!(matches!(committed, Some(Committed::Applied { leased: true, .. })), "{committed:?}");
    }
    assert_eq!(store.text("ann").await.as_deref(), Some("ann+0+1+2"));
}

/// `in_place`: of a conversation that is not there yet.
pub async fn an_update_in_place_may_begin_a_conversation(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut found = true;
    let bob = Lookup { in_place: true, ..by_contact("bob") };
    let made = store.update(&bob, |loaded| {
        found = loaded.conversation.is_some();
        Some(commit("bob", None))
    });
    assert!(matches!(made.await, Some(Committed::Applied { .. })));
    assert!(!found);
    assert_eq!(store.text("bob").await.as_deref(), Some("bob"));
}

/// A decision may be about another contact, or another workspace.
pub async fn an_update_may_commit_another_contact(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(commit("ann", None)).await;
    for (lookup, name) in
        [(by_contact("ann"), "bob"), (by_contact("cid"), "dan"), (by_alias(phone(1)), "eve")]
    {
        let committed = store.update(&lookup, |_| Some(commit(name, None))).await;
        assert!(matches!(committed, Some(Committed::Applied { .. })), "{committed:?}");
        assert_eq!(store.text(name).await.as_deref(), Some(name));
    }
    let elsewhere = store
        .update(&by_contact("ann"), |_| Some(Commit { workspace: other(), ..commit("ann", None) }))
        .await;
    assert!(matches!(elsewhere, Some(Committed::Applied { .. })), "{elsewhere:?}");
    assert_eq!(store.text("ann").await.as_deref(), Some("ann"));
    assert!(store.find("cid").await.is_none());
}

/// An update is seen by the calls that come after it, like a commit.
pub async fn an_update_is_seen_like_a_commit(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let ann = by_contact("ann");
    let committed = store.update(&ann, |_| {
        Some(Commit {
            key: Some((key_name("cart", "k"), key_record("ann", 1, at(9)))),
            add_aliases: vec![phone(1), session_alias(1)],
            due_at: Some(at(3)),
            ..commit("ann", None)
        })
    });
    let Some(Committed::Applied { revision, .. }) = committed.await else { panic!("it is new") };
    assert_eq!(store.find("ann").await.map(|found| found.revision), Some(revision));
    assert_eq!(store.follow(session_alias(1)).await, Some(contact("ann")));
    assert_eq!(store.key(key_name("cart", "k")).await, Some(key_record("ann", 1, at(9))));
    assert_eq!(store.claimed(&due(1, at(3))).await, ["ann"]);
}
