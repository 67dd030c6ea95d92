//! The effect of a purge, and what stays: rule 20. A store may drop ended sessions and journal, so
//! that what a purge does to them is asked with the lists.

use crate::store::{Commit, ConversationStore, Lookup, Purge, Revision};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// A conversation with a key and an ended session for each of these seconds.
async fn fill<S: ConversationStore>(store: &TrustedStore<S>, ends: &[i64]) -> Revision {
    let mut expect = None;
    for (number, seconds) in (1_u128..).zip(ends) {
        let key = (key_name("cart", &number.to_string()), key_record("ann", number, at(*seconds)));
        let past = Commit {
            key: Some(key),
            add_aliases: vec![session_alias(number)],
            ended: [ended("ann", number, at(0), at(*seconds))].into(),
            ..commit("ann", expect)
        };
        expect = Some(store.apply(past).await);
    }
    expect.expect("there is one")
}

/// Rule 20: keys that expired at or before `now`.
pub async fn a_purge_removes_expired_keys(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    fill(&store, &[10, 20, 5_000]).await;
    assert_eq!(store.purge(&Purge { ended_before: at(0), ..purge(9, 100) }).await.keys, 0);
    let purged = store.purge(&Purge { ended_before: at(0), ..purge(20, 100) }).await;
    assert_eq!((purged.keys, purged.more), (2, false));
    let early = Lookup { key: Some(key_name("cart", "1")), now: at(0), ..by_contact("ann") };
    assert_eq!(store.load(&early).await.key, None, "it is gone, not only expired");
    assert_eq!(store.key(key_name("cart", "3")).await, Some(key_record("ann", 3, at(5_000))));
}

/// Rule 20: an ended session's alias leads to its contact until the session is purged.
pub async fn the_alias_of_an_ended_session_leads_there_until_it_is_purged(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    let started = Commit { add_aliases: vec![session_alias(1)], ..commit("ann", None) };
    let revision = store.apply(started).await;
    let past = Commit { ended: [ended("ann", 1, at(0), at(10))].into(), ..commit("ann", Some(revision)) };
    store.apply(past).await;
    assert_eq!(store.follow(session_alias(1)).await, Some(contact("ann")));
    let _ = store.purge(&purge(10, 100)).await;
    assert_eq!(store.follow(session_alias(1)).await, Some(contact("ann")), "it ended at that instant");
}

/// Rule 20: sessions that ended before the instant, and no others.
pub async fn a_purge_leaves_what_is_younger(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    fill(&store, &[10, 20, 30, 5_000]).await;
    let _ = store.purge(&purge(30, 100)).await;
    for number in [3, 4] {
        assert_eq!(store.follow(session_alias(number)).await, Some(contact("ann")), "{number}");
    }
    assert_eq!(store.key(key_name("cart", "4")).await, Some(key_record("ann", 4, at(5_000))));
}

/// Rule 20: conversations, live sessions and addresses are nothing that a purge removes.
pub async fn a_purge_keeps_conversations(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let sessions = [session(5, "cart", 1, at(0))];
    let mut talk = commit_with("ann", None, &sessions);
    talk.add_aliases.push(phone(1));
    let revision = store.apply(Commit { due_at: Some(at(3)), ..talk }).await;
    let _ = store.purge(&purge(99_999, 100)).await;
    assert_eq!(store.find("ann").await.map(|found| found.revision), Some(revision));
    assert_eq!(store.follow(phone(1)).await, Some(contact("ann")));
    assert_eq!(store.follow(session_alias(5)).await, Some(contact("ann")));
    assert_eq!(store.live(&live("cart", None)).await, 1);
    assert_eq!(store.claimed(&due(1, at(3))).await, ["ann"]);
}

/// Rule 20: at most `limit` of each, and more calls remove the rest.
pub async fn a_purge_goes_on_where_its_limit_ended_it(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    fill(&store, &[1, 2, 3, 4, 5, 6, 7]).await;
    let mut keys = 0;
    for call in 1.. {
        let purged = store.purge(&purge(100, 2)).await;
        assert!(purged.keys <= 2 && purged.sessions <= 2 && purged.journal <= 2, "{purged:?}");
        keys += purged.keys;
        assert!(purged.more || keys == 7, "{keys} of 7 keys are gone, and no more was left");
        if !purged.more {
            break;
        }
        assert!(call < 10, "there is no end");
    }
}

/// Rule 20: a purge of what is purged finds nothing.
pub async fn a_repeated_purge_finds_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let nothing = store.purge(&purge(50, 100)).await;
    assert_eq!((nothing.keys, nothing.sessions, nothing.journal, nothing.more), (0, 0, 0, false));
    fill(&store, &[1, 2]).await;
    let _ = store.purge(&purge(50, 100)).await;
    let again = store.purge(&purge(50, 100)).await;
    assert_eq!((again.keys, again.sessions, again.journal, again.more), (0, 0, 0, false));
}

/// Rule 20: a purge is of all workspaces.
pub async fn a_purge_is_of_all_workspaces(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for workspace in [shop(), other()] {
        let key = Some((key_name("cart", "k"), key_record("ann", 1, at(1))));
        store.apply(Commit { workspace, key, ..commit("ann", None) }).await;
    }
    assert_eq!(store.purge(&purge(1, 100)).await.keys, 2);
}

/// Rule 20: a purged key may be used anew.
pub async fn a_purged_key_may_be_used_anew(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = fill(&store, &[10]).await;
    assert_eq!(store.purge(&purge(10, 100)).await.keys, 1);
    let key = (key_name("cart", "1"), key_record("ann", 9, at(99)));
    let again = Commit { key: Some(key.clone()), now: at(10), ..commit("ann", Some(revision)) };
    store.apply(again).await;
    assert_eq!(store.key(key.0).await, Some(key.1));
}
