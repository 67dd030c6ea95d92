//! Counters: rule 25, and how they are read (rule 6 of [`StoreQueries`]). For stores that keep any.

use std::collections::BTreeMap;

use crate::error::StoreErrorKind;
use crate::id::{FlowId, FlowVersion, NodeId, WorkspaceId};
use crate::session::Status;
use crate::store::{
    Commit, Committed, ConversationStore, CountDelta, CountQuery, CounterSubject, Lease, Purge, StoreQueries,
};
use crate::testkit::store_suite::harness::{drop_after, step_aside};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, Task, TrustedStore};

/// A call that needs more polls than this is taken for done.
const MOST_POLLS: usize = 12;
/// The minute in which everything begins.
const NOW: i64 = 1_750_000_000 / 60;

/// Returns the increment of a node's counter.
fn entered(code: &str, version: u32, node: &str, minute: i64, times: u64) -> CountDelta {
    let what = CounterSubject::Entered(NodeId::new(node).unwrap());
    CountDelta { flow: flow(code), version: FlowVersion(version), minute, what, times }
}

fn counting(what: CounterSubject, times: u64) -> CountDelta {
    CountDelta { what, times, ..entered("cart", 1, "-", NOW, 0) }
}

/// A first commit of a contact that counts this.
fn counted(name: &str, counts: Vec<CountDelta>) -> Commit {
    Commit { counts, ..commit(name, None) }
}

/// The sums of a flow, by version and by what is printed of them.
async fn sums_of<S: StoreQueries>(
    store: &TrustedStore<S>,
    workspace: WorkspaceId,
    flow: FlowId,
    (from, to): (i64, i64),
) -> BTreeMap<(u32, String), u64> {
    let query = CountQuery { workspace, flow, from, to };
    let found = store.counts(&query).await;
    let sums: BTreeMap<_, _> =
        found.iter().map(|(version, what, times)| ((version.0, what.to_string()), *times)).collect();
    assert_eq!(sums.len(), found.len(), "each once: {found:?}");
    sums
}

async fn sums<S: StoreQueries>(store: &TrustedStore<S>, code: &str) -> BTreeMap<(u32, String), u64> {
    sums_of(store, shop(), flow(code), (i64::MIN, i64::MAX)).await
}

fn told<const N: usize>(sums: [(u32, &str, u64); N]) -> BTreeMap<(u32, String), u64> {
    sums.into_iter().map(|(version, what, times)| ((version, what.to_owned()), times)).collect()
}

/// Rule 25: what commits of all contacts count is added up, by flow, version and what it is.
pub async fn what_commits_count_is_added_up(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    assert!(store.0.keeps_counts(), "a store that keeps counters says so");
    assert_eq!(sums(&store, "cart").await, told([]));
    let first = vec![
        entered("cart", 1, "ask", NOW, 2),
        entered("cart", 2, "ask", NOW, 1),
        counting(CounterSubject::Started, 1),
        counting(CounterSubject::Ended(Status::Completed), 1),
        counting(CounterSubject::Ended(Status::Failed), 4),
        entered("order", 1, "ask", NOW, 8),
    ];
    let mut first = Commit { counts: first, ..commit("ann", None) };
    first.counts.sort_unstable();
    let revision = store.apply(first).await;
    store
        .apply(Commit { counts: vec![entered("cart", 1, "ask", NOW, 1)], ..commit("ann", Some(revision)) })
        .await;
    store.apply(counted("bob", vec![entered("cart", 1, "ask", NOW + 1, 5)])).await;
    store.apply(counted("carl", vec![entered("cart", 1, "pay", NOW, 1_000_000)])).await;
    let expected = [
        (1, "ended:completed", 1),
        (1, "ended:failed", 4),
        (1, "entered:ask", 8),
        (1, "entered:pay", 1_000_000),
        (1, "started", 1),
        (2, "entered:ask", 1),
    ];
    assert_eq!(sums(&store, "cart").await, told(expected));
    assert_eq!(sums(&store, "order").await, told([(1, "entered:ask", 8)]));
    assert_eq!(sums(&store, "none").await, told([]));
}

/// Rule 25: an update counts like a commit.
pub async fn what_updates_count_is_added_up(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    let count = || vec![entered("cart", 1, "ask", NOW, 1)];
    for in_place in [false, true, true] {
        let lookup = crate::store::Lookup { in_place, ..by_contact("ann") };
        let written = store.update(&lookup, |loaded| {
            let expect = loaded.conversation.as_ref().map(|found| found.revision);
            Some(Commit { counts: count(), ..commit("ann", expect) })
        });
        assert!(matches!(written.await, Some(Committed::Applied { .. })));
    }
    assert_eq!(sums(&store, "cart").await, told([(1, "entered:ask", 3)]));
}

/// Rules 4 and 25: whatever refuses a commit, nothing of it is counted; once it applies, it is
/// counted once.
pub async fn a_refused_commit_counts_nothing(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let count = || vec![entered("cart", 1, "ask", NOW, 1)];
    let key = || Some((key_name("cart", "k"), key_record("bob", 1, at(99))));
    store.apply(Commit { key: key(), add_aliases: vec![phone(1)], ..commit("bob", None) }).await;
    let revision = store.apply(commit("ann", None)).await;
    let fresh = || Commit { counts: count(), ..commit("ann", Some(revision)) };
    let refused = [
        Commit { expect: None, ..fresh() },
        Commit { expect: Some(revision + 77), ..fresh() },
        Commit { key: key(), ..fresh() },
        Commit { add_aliases: vec![phone(1)], ..fresh() },
        Commit { lease: Lease::Hold(token(5)), ..fresh() },
        Commit { key: key(), ..counted("carl", count()) },
        Commit { add_aliases: vec![phone(1)], ..counted("carl", count()) },
    ];
    for commit in refused {
        let answer = store.commit(commit).await;
        assert!(!matches!(answer, Committed::Applied { .. }), "{answer:?}");
        assert_eq!(sums(&store, "cart").await, told([]), "after {answer:?}");
    }
    store.apply(fresh()).await;
    assert_eq!(store.commit(fresh()).await, Committed::Conflict);
    assert_eq!(sums(&store, "cart").await, told([(1, "entered:ask", 1)]));
}

/// Rules 19 and 25: a commit that is dropped, and handed in again until it is there, is counted
/// once.
pub async fn a_dropped_commit_counts_all_or_nothing(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let mut rounds = 0;
    for polls in 0..=MOST_POLLS {
        let counts = vec![entered("cart", 1, "ask", NOW, 1), entered("cart", 1, "pay", NOW, 1)];
        let first = counted(&format!("ann {polls}"), counts);
        let done = match drop_after(polls, store.0.commit(first.clone())).await {
            Some(Ok(_)) => true,
            Some(Err(error)) if error.kind() == StoreErrorKind::Transient => false,
            Some(Err(error)) => panic!("a commit failed: {error}"),
            None => false,
        };
        let again = store.commit(first).await;
        assert!(
            again == Committed::Conflict || !done && matches!(again, Committed::Applied { .. }),
            "{again:?}"
        );
        rounds += 1;
        let expected = told([(1, "entered:ask", rounds), (1, "entered:pay", rounds)]);
        assert_eq!(sums(&store, "cart").await, expected, "after {polls} polls");
        if done {
            break;
        }
    }
}

/// Rule 6 of the queries: minutes from one on, and before another.
pub async fn counters_are_read_by_the_minute(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let minutes = [-3, 0, NOW, NOW + 1, NOW + 60];
    for (place, minute) in minutes.into_iter().enumerate() {
        let times = 10_u64.pow(u32::try_from(place).unwrap());
        store.apply(counted(&format!("c{place}"), vec![entered("cart", 1, "ask", minute, times)])).await;
    }
    let asked = [
        ((i64::MIN, i64::MAX), 11_111),
        ((NOW, NOW + 1), 100),
        ((NOW, NOW + 2), 1_100),
        ((-3, 1), 11),
        ((-2, NOW), 10),
        ((NOW + 1, i64::MAX), 11_000),
        ((NOW + 2, NOW + 60), 0),
        ((NOW, NOW), 0),
        ((NOW + 1, NOW), 0),
    ];
    for (span, times) in asked {
        let sums = sums_of(&store, shop(), flow("cart"), span).await;
        assert_eq!(sums.values().sum::<u64>(), times, "{span:?}: {sums:?}");
    }
}

/// Rule 1 of the queries.
pub async fn counters_are_of_their_workspace(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(counted("ann", vec![entered("cart", 1, "ask", NOW, 1)])).await;
    let there = counted("ann", vec![entered("cart", 1, "ask", NOW, 5)]);
    store.apply(Commit { workspace: other(), ..there }).await;
    assert_eq!(sums(&store, "cart").await, told([(1, "entered:ask", 1)]));
    let theirs = sums_of(&store, other(), flow("cart"), (i64::MIN, i64::MAX)).await;
    assert_eq!(theirs, told([(1, "entered:ask", 5)]));
}

/// Rule 21: flows and nodes are compared byte by byte, and may have any name.
pub async fn names_of_counters_are_compared_byte_by_byte(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let long = "n".repeat(256);
    let nodes = ["Ask", "ask", "ask ", "ask:x", "entered:ask", "started", "ásk", "%", "'", &long];
    for (place, node) in nodes.into_iter().enumerate() {
        let name = format!("c{place}");
        store.apply(counted(&name, vec![entered("cart", 1, node, NOW, 1)])).await;
    }
    let expected: BTreeMap<_, _> =
        nodes.into_iter().map(|node| ((1, format!("entered:{node}")), 1)).collect();
    assert_eq!(sums(&store, "cart").await, expected);
    store.apply(counted("upper", vec![entered("Cart", 1, "ask", NOW, 1)])).await;
    assert_eq!(sums(&store, "cart").await, expected);
    assert_eq!(sums(&store, "Cart").await, told([(1, "entered:ask", 1)]));
}

/// Rules 20 and 25: counters of minutes before the instant, and no others, of all workspaces.
pub async fn a_purge_removes_old_counters(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    for (place, minute) in (NOW..NOW + 5).enumerate() {
        for workspace in [shop(), other()] {
            let name = format!("c{place}");
            let counts = vec![entered("cart", 1, "ask", minute, 1), entered("cart", 1, "pay", minute, 1)];
            store.apply(Commit { workspace, ..counted(&name, counts) }).await;
        }
    }
    let before = |minute: i64| Purge {
        counts_before: chrono::DateTime::from_timestamp(minute * 60 + 59, 0).unwrap(),
        ..purge(0, 100)
    };
    assert_eq!(store.purge(&before(NOW)).await.counts, 0);
    let purged = store.purge(&before(NOW + 2)).await;
    assert!(purged.counts > 0 && !purged.more, "{purged:?}");
    assert_eq!(store.purge(&before(NOW + 2)).await.counts, 0);
    for workspace in [shop(), other()] {
        let left = sums_of(&store, workspace, flow("cart"), (i64::MIN, i64::MAX)).await;
        assert_eq!(left, told([(1, "entered:ask", 3), (1, "entered:pay", 3)]));
    }
    store.apply(counted("late", vec![entered("cart", 1, "ask", NOW, 1)])).await;
    let late = sums_of(&store, shop(), flow("cart"), (NOW, NOW + 1)).await;
    assert_eq!(late, told([(1, "entered:ask", 1)]), "what comes late is counted from nothing");
}

/// Rules 20 and 25: at most `limit`, and more calls remove the rest.
pub async fn a_purge_of_counters_goes_on_where_its_limit_ended_it(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    for minute in 0..3 {
        let nodes = ["a", "b", "c"].map(|node| entered("cart", 1, node, NOW + minute, 1));
        store.apply(counted(&format!("c{minute}"), nodes.into())).await;
    }
    let purge = Purge { counts_before: at(3_600), ..purge(0, 2) };
    for call in 1.. {
        let purged = store.purge(&purge).await;
        assert!(purged.counts <= 2, "{purged:?}");
        let left = sums(&store, "cart").await;
        assert_eq!(purged.more, !left.is_empty(), "{purged:?} leaves {left:?}");
        if left.is_empty() {
            break;
        }
        assert!(call < 20, "there is no end");
    }
}

/// Rules 22 and 25: an erased contact was counted all the same.
pub async fn an_erase_leaves_counters(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(counted("ann", vec![entered("cart", 1, "ask", NOW, 3)])).await;
    assert!(store.erase("ann", revision).await.is_some());
    assert_eq!(sums(&store, "cart").await, told([(1, "entered:ask", 3)]));
}

/// Rule 25: commits of many contacts that count the same things at the same time all apply, and
/// lose nothing, beside a purge of older minutes.
pub async fn counts_at_the_same_time_lose_nothing(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    const TASKS: u64 = 6;
    const ROUNDS: u64 = 20;
    let store = TrustedStore::fresh(harness).await;
    let task = |number: u64| -> Task {
        let store = store.clone();
        Box::pin(async move {
            let mut expect = None;
            for round in 0..ROUNDS {
                let mut counts = vec![entered("cart", 1, "old", NOW - 1_000, 1)];
                counts.extend(["a", "b", "c", "d"].map(|node| entered("cart", 1, node, NOW, 1)));
                let name = format!("c{number}");
                expect = Some(store.apply(Commit { counts, ..commit(&name, expect) }).await);
                if round % 5 == number % 5 {
                    let _ = store.purge(&Purge { counts_before: at(-600), ..purge(-10_000, 3) }).await;
                }
                step_aside().await;
            }
        })
    };
    harness.together((0..TASKS).map(task).collect()).await;
    let sums = sums_of(&store, shop(), flow("cart"), (NOW, NOW + 1)).await;
    let all = TASKS * ROUNDS;
    let expected = ["a", "b", "c", "d"].map(|node| ((1, format!("entered:{node}")), all));
    assert_eq!(sums, BTreeMap::from(expected));
}
