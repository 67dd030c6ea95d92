//! Live sessions: rule 24, and the waking of their conversations.

use crate::id::FlowVersion;
use crate::session::Session;
use crate::store::{Commit, ConversationStore, Live, Revision, SessionRecord};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

async fn counts<S: ConversationStore>(store: &TrustedStore<S>, asked: &[(&str, Option<u32>)]) -> Vec<u64> {
    let mut counts = Vec::new();
    for (code, version) in asked {
        counts.push(store.live(&live(code, *version)).await);
    }
    counts
}

/// Ends the only session of ann.
fn end(session: &Session, expect: Revision) -> Commit {
    let ended: SessionRecord = ended_of("ann", session.id().0.as_u128(), "cart", at(0), at(1));
    Commit { ended: [ended].into(), ..commit_with("ann", Some(expect), &[]) }
}

/// Rule 24: by flow and version.
pub async fn live_sessions_are_counted_by_flow_and_version(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let anns = [session(1, "cart", 1, at(0)), session(2, "cart", 2, at(0)), session(3, "order", 1, at(0))];
    store.apply(commit_with("ann", None, &anns)).await;
    store.apply(commit_with("bob", None, &[session(4, "cart", 1, at(0))])).await;
    store.apply(commit("unreadable", None)).await;
    let asked = [("cart", None), ("cart", Some(1)), ("cart", Some(2)), ("order", None), ("none", None)];
    assert_eq!(counts(&store, &asked).await, [3, 2, 1, 1, 0]);
    assert_eq!(counts(&store, &[("cart", Some(9)), ("order", Some(2)), ("car", None)]).await, [0, 0, 0]);
}

/// Rules 1 and 24.
pub async fn live_sessions_are_counted_in_their_workspace(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(commit_with("ann", None, &[session(1, "cart", 1, at(0))])).await;
    let there = Live { workspace: other(), ..live("cart", None) };
    assert_eq!(store.live(&there).await, 0);
    let theirs = commit_with("ann", None, &[session(2, "cart", 1, at(0)), session(3, "cart", 1, at(0))]);
    store.apply(Commit { workspace: other(), ..theirs }).await;
    assert_eq!(store.live(&there).await, 2);
    assert_eq!(store.live(&live("cart", None)).await, 1);
}

/// Rule 24: a session that ended is not live.
pub async fn an_ended_session_is_not_counted(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let cart = session(1, "cart", 1, at(0));
    let revision = store.apply(commit_with("ann", None, std::slice::from_ref(&cart))).await;
    assert_eq!(store.live(&live("cart", None)).await, 1);
    store.apply(end(&cart, revision)).await;
    assert_eq!(counts(&store, &[("cart", None), ("cart", Some(1))]).await, [0, 0]);
}

/// Rule 24: a session that begins and ends in one commit never was live.
pub async fn a_session_that_ends_at_once_is_not_counted(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let ended = ended("ann", 1, at(0), at(0));
    let started = [(session_id(1), flow("cart"), FlowVersion(1))].into();
    let past = Commit { started, ended: [ended].into(), ..commit_with("ann", None, &[]) };
    store.apply(Commit { add_aliases: vec![session_alias(1)], ..past }).await;
    assert_eq!(store.live(&live("cart", None)).await, 0);
    assert_eq!(store.follow(session_alias(1)).await, Some(contact("ann")));
}

/// Rule 24: a commit that starts nothing leaves the count.
pub async fn a_later_turn_leaves_the_count(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let cart = [session(1, "cart", 1, at(0))];
    let mut revision = store.apply(commit_with("ann", None, &cart)).await;
    for _ in 0..3 {
        let record = record_with("ann", &cart);
        revision = store.apply(Commit { record, ..commit("ann", Some(revision)) }).await;
        assert_eq!(store.live(&live("cart", None)).await, 1);
    }
}

/// Rule 24: a session that was taken to another version is of that one.
pub async fn a_session_that_changed_its_version_is_counted_there(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(commit_with("ann", None, &[session(1, "cart", 1, at(0))])).await;
    store.apply(commit_with("ann", Some(revision), &[session(1, "cart", 2, at(0))])).await;
    assert_eq!(counts(&store, &[("cart", None), ("cart", Some(1)), ("cart", Some(2))]).await, [1, 0, 1]);
}

/// Rule 24: by the flows that it is in by calls, each once.
pub async fn a_session_is_counted_by_the_flows_that_it_calls(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    let cart = session(1, "cart", 1, at(0));
    let nested = session_in(&cart, &[("cart", 1), ("menu", 2)], ("menu", 3));
    let replaced = session_in(&session(2, "order", 1, at(0)), &[], ("menu", 3));
    let sessions = [nested, replaced.clone(), session(3, "menu", 3, at(0))];
    let revision = store.apply(commit_with("ann", None, &sessions)).await;
    let asked = [("cart", None), ("cart", Some(1)), ("order", None)];
    assert_eq!(counts(&store, &asked).await, [1, 1, 1]);
    let menus = [("menu", None), ("menu", Some(2)), ("menu", Some(3)), ("men", None), ("menu", Some(33))];
    assert_eq!(counts(&store, &menus).await, [3, 1, 3, 0, 0]);
    let back = record_with("ann", &[cart, replaced, session(3, "menu", 3, at(0))]);
    let called = vec![(session_id(1), vec![])];
    store.apply(Commit { record: back, called, ..commit("ann", Some(revision)) }).await;
    assert_eq!(counts(&store, &[("cart", None), ("menu", None), ("menu", Some(2))]).await, [1, 2, 0]);
}

/// Rule 24: a live session that calls a flow in a later turn.
pub async fn a_call_in_a_later_turn_is_counted(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let cart = session(1, "cart", 1, at(0));
    let revision = store.apply(commit_with("ann", None, std::slice::from_ref(&cart))).await;
    assert_eq!(store.live(&live("menu", None)).await, 0);
    let inside = session_in(&cart, &[("cart", 1)], ("menu", 2));
    let needs = vec![(flow("cart"), FlowVersion(1)), (flow("menu"), FlowVersion(2))];
    let called = Commit {
        record: record_with("ann", std::slice::from_ref(&inside)),
        called: vec![(session_id(1), needs)],
        ..commit("ann", Some(revision))
    };
    let revision = store.apply(called).await;
    assert_eq!(counts(&store, &[("cart", None), ("menu", Some(2)), ("menu", None)]).await, [1, 1, 1]);
    store.apply(end(&inside, revision)).await;
    assert_eq!(counts(&store, &[("cart", None), ("menu", None)]).await, [0, 0]);
}

/// Rule 24: names that are alike are not the same flow.
pub async fn flows_that_are_called_alike_are_told_apart(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let codes = ["me", "menu", "menu 1", "%", "m_nu", "MENU", "menu\u{301}"];
    for (number, code) in (1_u128..).zip(codes) {
        let calling = session_in(&session(number, "cart", 1, at(0)), &[("cart", 1)], (code, 1));
        store.apply(commit_with(&format!("contact {number}"), None, &[calling])).await;
    }
    for code in codes {
        assert_eq!(counts(&store, &[(code, None), (code, Some(1))]).await, [1, 1], "{code}");
    }
}

/// `live` with `wake_at`: those that it counts are due then at the latest.
pub async fn counted_conversations_are_woken(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let with = |name: &str, code: &str, number, due_at| Commit {
        due_at: Some(at(due_at)),
        ..commit_with(name, None, &[session(number, code, 1, at(0))])
    };
    store.apply(with("ann", "cart", 1, 1_000)).await;
    store.apply(with("bob", "order", 2, 1_000)).await;
    store.apply(with("cid", "cart", 3, 2)).await;
    store.apply(Commit { due_at: None, ..with("eve", "cart", 5, 0) }).await;
    let wake = Live { wake_at: Some(at(5)), ..live("cart", None) };
    assert_eq!(store.live(&wake).await, 3);
    assert!(store.claimed(&due(2, at(1))).await.is_empty());
    assert_eq!(store.claimed(&due(2, at(2))).await, ["cid"], "what is due earlier stays so");
    let mut names = store.claimed(&due(3, at(5))).await;
    names.sort_unstable();
    assert_eq!(names, ["ann", "eve"]);
}

/// `live` with `wake_at`, of one version.
pub async fn conversations_of_one_version_are_woken(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(commit_with("ann", None, &[session(1, "cart", 1, at(0))])).await;
    store.apply(commit_with("bob", None, &[session(2, "cart", 2, at(0))])).await;
    let calling = session_in(&session(3, "order", 1, at(0)), &[("order", 1)], ("cart", 2));
    store.apply(commit_with("cid", None, &[calling])).await;
    let wake = Live { wake_at: Some(at(5)), ..live("cart", Some(2)) };
    assert_eq!(store.live(&wake).await, 2);
    let mut names = store.claimed(&due(1, at(5))).await;
    names.sort_unstable();
    assert_eq!(names, ["bob", "cid"]);
}

/// `live` with `wake_at`: revision and lease stay as they are.
pub async fn waking_changes_the_due_time_only(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let cart = [session(1, "cart", 1, at(0))];
    let revision = store.apply(Commit { lease: take(1), ..commit_with("ann", None, &cart) }).await;
    let wake = Live { wake_at: Some(at(0)), ..live("cart", None) };
    assert_eq!(store.live(&wake).await, 1);
    assert!(store.claimed(&due(2, at(1))).await.is_empty(), "it is leased");
    assert_eq!(store.find("ann").await.map(|found| found.revision), Some(revision));
    assert_eq!(store.live(&live("cart", None)).await, 1);
    store.apply(Commit { record: record_with("ann", &cart), ..commit("ann", Some(revision)) }).await;
}

/// `live` without `wake_at` wakes nobody.
pub async fn a_count_wakes_nobody(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(commit_with("ann", None, &[session(1, "cart", 1, at(0))])).await;
    assert_eq!(store.live(&live("cart", None)).await, 1);
    assert!(store.claimed(&due(1, at(9_999))).await.is_empty());
}
