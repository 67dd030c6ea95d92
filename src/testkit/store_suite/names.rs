//! Keys and aliases, each unique: rules 6 and 7.

use crate::store::{Commit, Committed, ConversationStore, Lookup};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

fn with_key(who: &str, session: u128, now: i64, until: i64) -> Commit {
    let key = Some((key_name("cart", "k"), key_record(who, session, at(until))));
    Commit { key, now: at(now), ..commit(who, None) }
}

/// Rule 6: for every contact that uses it.
pub async fn a_taken_key_refuses_each_contact(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(with_key("ann", 1, 0, 10)).await;
    assert_eq!(store.commit(with_key("bob", 2, 5, 30)).await, Committed::KeyTaken);
    let again = Commit { expect: Some(revision), ..with_key("ann", 3, 5, 30) };
    assert_eq!(store.commit(again).await, Committed::KeyTaken);
    assert_eq!(store.key(key_name("cart", "k")).await, Some(key_record("ann", 1, at(10))));
}

/// Rule 6: an expired key is as if it were not there.
pub async fn an_expired_key_is_taken_anew(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(with_key("ann", 1, 0, 10)).await;
    let early = Commit { now: at_ms(9_999), ..with_key("bob", 2, 0, 30) };
    assert_eq!(store.commit(early).await, Committed::KeyTaken);
    store.apply(with_key("bob", 2, 10, 30)).await;
    let asked = Lookup { key: Some(key_name("cart", "k")), now: at(10), ..by_contact("ann") };
    assert_eq!(store.load(&asked).await.key, Some(key_record("bob", 2, at(30))));
    assert_eq!(store.commit(with_key("eve", 3, 29, 99)).await, Committed::KeyTaken);
}

/// Rule 6: a refused commit does not renew an expired key.
pub async fn an_expired_key_is_not_renewed_by_a_refused_commit(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(with_key("ann", 1, 0, 10)).await;
    assert_eq!(store.commit(with_key("ann", 2, 10, 30)).await, Committed::Conflict);
    let asked = Lookup { key: Some(key_name("cart", "k")), now: at(10), ..by_contact("ann") };
    assert_eq!(store.load(&asked).await.key, None);
    store.apply(with_key("bob", 3, 10, 30)).await;
}

/// Rule 6: keys of other flows and other workspaces are other keys.
pub async fn a_key_belongs_to_workspace_and_flow(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let record = key_record("eve", 1, at(10));
    let with = |who: &str, flow: &str, key: &str| Commit {
        key: Some((key_name(flow, key), record.clone())),
        ..commit(who, None)
    };
    store.apply(with("ann", "cart", "k")).await;
    store.apply(with("bob", "car", "tk")).await;
    store.apply(with("cid", "order", "k")).await;
    store.apply(Commit { workspace: other(), ..with("ann", "cart", "k") }).await;
    assert_eq!(store.key(key_name("cart", "k")).await, Some(record), "as it was given");
}

/// Rule 6: one contact may have many keys.
pub async fn a_conversation_may_have_many_keys(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut expect = None;
    for number in 0..10_u128 {
        let key = Some((key_name("cart", &number.to_string()), key_record("ann", number, at(99))));
        expect = Some(store.apply(Commit { key, ..commit("ann", expect) }).await);
    }
    for number in 0..10_u128 {
        let found = store.key(key_name("cart", &number.to_string())).await;
        assert_eq!(found, Some(key_record("ann", number, at(99))));
    }
}

/// Rule 7: the holder is named.
pub async fn an_alias_of_another_contact_refuses(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(Commit { add_aliases: vec![phone(1), visitor("v")], ..commit("ann", None) }).await;
    for alias in [phone(1), visitor("v")] {
        let second = Commit { add_aliases: vec![session_alias(9), alias.clone()], ..commit("bob", None) };
        let taken = Committed::AliasTaken { alias, holder: contact("ann") };
        assert_eq!(store.commit(second).await, taken);
    }
    assert!(store.find("bob").await.is_none());
    assert_eq!(store.follow(session_alias(9)).await, None);
    assert_eq!(store.follow(phone(1)).await, Some(contact("ann")));
}

/// Rule 7: a contact may add what leads to it already.
pub async fn an_alias_may_be_added_again(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let add = |expect| Commit { add_aliases: vec![phone(1), session_alias(1)], ..commit("ann", expect) };
    let revision = store.apply(add(None)).await;
    store.apply(add(Some(revision))).await;
    assert_eq!(store.follow(phone(1)).await, Some(contact("ann")));
}

/// Rule 7: the same address in another workspace is another alias.
pub async fn an_alias_belongs_to_its_workspace(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) }).await;
    let there = Commit { workspace: other(), add_aliases: vec![phone(1)], ..commit("bob", None) };
    let revision = store.apply(there).await;
    let dropped =
        Commit { workspace: other(), drop_aliases: vec![phone(1)], ..commit("bob", Some(revision)) };
    store.apply(dropped).await;
    assert_eq!(store.follow(phone(1)).await, Some(contact("ann")));
}

/// Rule 7: a dropped alias is free for others.
pub async fn a_dropped_alias_is_free(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { add_aliases: vec![phone(1), phone(2)], ..commit("ann", None) }).await;
    store.apply(Commit { drop_aliases: vec![phone(1)], ..commit("ann", Some(revision)) }).await;
    assert_eq!(store.follow(phone(1)).await, None);
    assert_eq!(store.follow(phone(2)).await, Some(contact("ann")));
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit("bob", None) }).await;
    assert_eq!(store.follow(phone(1)).await, Some(contact("bob")));
}

/// Rule 7: nobody drops what leads to another.
pub async fn an_alias_is_dropped_only_by_whom_it_leads_to(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) }).await;
    store.apply(Commit { drop_aliases: vec![phone(1), phone(2)], ..commit("bob", None) }).await;
    assert_eq!(store.follow(phone(1)).await, Some(contact("ann")));
}

/// Rule 7: an address that moves is dropped here and added there, one commit each.
pub async fn an_alias_may_change_hands_and_come_back(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut ann = store.apply(commit("ann", None)).await;
    let mut bob = store.apply(commit("bob", None)).await;
    for _ in 0..3 {
        ann = store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", Some(ann)) }).await;
        assert_eq!(store.follow(phone(1)).await, Some(contact("ann")));
        ann = store.apply(Commit { drop_aliases: vec![phone(1)], ..commit("ann", Some(ann)) }).await;
        bob = store.apply(Commit { add_aliases: vec![phone(1)], ..commit("bob", Some(bob)) }).await;
        assert_eq!(store.follow(phone(1)).await, Some(contact("bob")));
        bob = store.apply(Commit { drop_aliases: vec![phone(1)], ..commit("bob", Some(bob)) }).await;
    }
}
