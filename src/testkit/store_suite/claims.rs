//! Claims of what is due: rule 12. What a claim tells of the time: rule 26.

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::{Commit, ConversationStore, Due, Lease, Revision, Settle, Settled};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

async fn put<S: ConversationStore>(store: &TrustedStore<S>, name: &str, due_at: i64) -> Revision {
    store.apply(Commit { due_at: Some(at(due_at)), ..commit(name, None) }).await
}

/// Rule 12: what is due at `now`, that instant included.
pub async fn what_is_due_is_claimed(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    put(&store, "past", -500).await;
    put(&store, "now", 10).await;
    put(&store, "soon", 11).await;
    store.apply(commit("never", None)).await;
    let mut names = store.claimed(&due(1, at(10))).await;
    names.sort_unstable();
    assert_eq!(names, ["now", "past"]);
    assert_eq!(store.claimed(&due(2, at(11))).await, ["soon"]);
}

/// Rule 12: a claim says all that a load would.
pub async fn a_claim_answers_whole_conversations(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let first = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let settled = Settle { due_at: Some(at(1)), ..settle("ann", 1, first, 6) };
    assert_eq!(store.settle(&settled).await, Settled::Done);
    let there = Commit { workspace: other(), due_at: Some(at(2)), ..commit("bob", None) };
    let second = store.apply(there).await;
    let leased = store.claim(&due(2, at(2))).await.conversations;
    let seen: Vec<_> = leased
        .iter()
        .map(|one| {
            let stored = &one.stored;
            let text = text_of(&stored.record);
            (one.workspace.clone(), stored.contact.clone(), stored.revision, stored.settled, text)
        })
        .collect();
    let expected = [
        (shop(), contact("ann"), first, 6, "ann".to_owned()),
        (other(), contact("bob"), second, 0, "bob".to_owned()),
    ];
    assert_eq!(seen, expected);
    assert!(leased.iter().all(|one| one.stored.leased && !one.stored.quarantined && one.claims == 1));
}

/// Rule 12: the longest overdue first, and at most `limit`.
pub async fn the_longest_overdue_come_first(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for (name, millis) in [("e", 3_600_000), ("b", 100), ("d", 5_000), ("a", -90_000), ("c", 200)] {
        store.apply(Commit { due_at: Some(at_ms(millis)), ..commit(name, None) }).await;
    }
    let two = Due { limit: 2, ..due(1, at(10)) };
    assert_eq!(store.claimed(&two).await, ["a", "b"]);
    assert_eq!(store.claimed(&due(2, at(10))).await, ["c", "d"]);
    assert!(store.claimed(&due(3, at(10))).await.is_empty());
}

/// Rule 12: nothing is claimed with a limit of 0.
pub async fn a_limit_of_nothing_claims_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    put(&store, "ann", 0).await;
    assert!(store.claimed(&Due { limit: 0, ..due(1, at(9)) }).await.is_empty());
    let leased = store.claim(&due(2, at(9))).await.conversations;
    assert_eq!(leased.iter().map(|one| one.claims).collect::<Vec<_>>(), [1], "that was no claim");
}

/// Rule 12: a limit may be as great as numbers are.
pub async fn a_limit_may_be_any_number(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    put(&store, "ann", 0).await;
    assert_eq!(store.claimed(&Due { limit: usize::MAX, ..due(1, at(0)) }).await, ["ann"]);
}

/// Rule 12: while the lease lives, nobody else gets it.
pub async fn a_claimed_conversation_is_not_claimed_again(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    put(&store, "ann", 0).await;
    assert_eq!(store.claimed(&due(1, at(1))).await, ["ann"]);
    assert!(store.claimed(&due(2, at(1))).await.is_empty());
    assert!(store.claimed(&due(1, at(20))).await.is_empty(), "nor its holder");
}

/// Rule 12: what a call leased is not claimed, due or not.
pub async fn a_leased_conversation_is_not_claimed(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let taken = Commit { lease: take(1), due_at: Some(at(0)), ..commit("ann", None) };
    let revision = store.apply(taken).await;
    put(&store, "bob", 1).await;
    assert_eq!(store.claimed(&due(2, at(5))).await, ["bob"]);
    let settled = Settle { due_at: Some(at(6)), ..settle("ann", 1, revision, 0) };
    assert_eq!(store.settle(&settled).await, Settled::Done);
    assert_eq!(store.claimed(&due(3, at(6))).await, ["ann"]);
}

/// Rule 12: a lease that has run out keeps nobody off.
pub async fn a_lease_that_ran_out_is_claimed_over(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = put(&store, "ann", 0).await;
    assert_eq!(store.claimed(&Due { lease: SHORT, ..due(1, at(0)) }).await, ["ann"]);
    let taken = Commit { lease: Lease::Take(token(9), SHORT), due_at: Some(at(0)), ..commit("bob", None) };
    store.apply(taken).await;
    harness.pass(SHORT + SHORT).await;
    assert_eq!(store.claimed(&due(2, at(1))).await, ["bob"]);
    harness.pass(rest(1)).await;
    assert_eq!(store.claimed(&suspects(3, at(2))).await, ["ann"]);
    let late = Settle { now: at(1), ..settle("ann", 1, revision, 1) };
    assert_eq!(store.settle(&late).await, Settled::LeaseLost, "the first has lost it");
}

/// Rule 12: claims are counted, so that what never makes progress is seen.
pub async fn claims_are_counted_until_a_settle(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = put(&store, "ann", 0).await;
    for (round, seconds) in [(1_u32, 0), (2, 2), (3, 5)] {
        let claim = Due { suspects: round > 1, ..due(u128::from(round), at(seconds)) };
        let leased = store.claim(&Due { lease: SHORT, ..claim }).await.conversations;
        assert_eq!(leased.iter().map(|one| one.claims).collect::<Vec<_>>(), [round]);
        harness.pass(rest(round)).await;
    }
    assert_eq!(store.claimed(&suspects(9, at(10))).await, ["ann"]);
    let settled = Settle { due_at: Some(at(11)), now: at(10), ..settle("ann", 9, revision, 1) };
    assert_eq!(store.settle(&settled).await, Settled::Done);
    let leased = store.claim(&due(10, at(11))).await.conversations;
    assert_eq!(leased.iter().map(|one| one.claims).collect::<Vec<_>>(), [1]);
}

/// Rule 12: a commit under the lease is progress too; one without is not.
pub async fn claims_are_counted_until_a_commit_under_the_lease(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    let first = put(&store, "ann", 0).await;
    assert_eq!(store.claimed(&Due { lease: SHORT, ..due(1, at(0)) }).await, ["ann"]);
    let chatty = Commit { due_at: Some(at(0)), ..commit("ann", Some(first)) };
    let second = store.apply(chatty).await;
    harness.pass(rest(1)).await;
    let leased = store.claim(&suspects(2, at(2))).await.conversations;
    assert_eq!(leased.iter().map(|one| one.claims).collect::<Vec<_>>(), [2], "a reply is no progress");
    let freed = Commit {
        lease: Lease::Free(token(2)),
        due_at: Some(at(3)),
        now: at(2),
        ..commit("ann", Some(second))
    };
    store.apply(freed).await;
    let leased = store.claim(&due(3, at(3))).await.conversations;
    assert_eq!(leased.iter().map(|one| one.claims).collect::<Vec<_>>(), [1]);
}

/// Rule 12: what was being worked when its lease ended is claimed beside nothing else.
pub async fn a_suspect_is_claimed_with_no_other(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for name in ["ann", "bob"] {
        put(&store, name, 0).await;
    }
    assert_eq!(store.claimed(&Due { lease: SHORT, limit: 2, ..due(1, at(0)) }).await.len(), 2);
    harness.pass(rest(1)).await;
    put(&store, "cid", 1).await;
    assert_eq!(store.claimed(&due(2, at(4))).await, ["cid"], "the others come last");
    put(&store, "dee", 1).await;
    assert_eq!(store.claimed(&Due { limit: 1, ..suspects(3, at(4)) }).await.len(), 1);
    assert_eq!(store.claimed(&suspects(4, at(4))).await.len(), 1, "dee is none");
    assert_eq!(store.claimed(&due(5, at(4))).await, ["dee"]);
}

/// Rule 12: it rests first, and `next_due` says for how long.
pub async fn a_suspect_rests_first(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    put(&store, "ann", 0).await;
    assert!(store.claimed(&suspects(1, at(0))).await.is_empty(), "there is none");
    assert_eq!(store.claimed(&Due { lease: SHORT, ..due(1, at(0)) }).await, ["ann"]);
    harness.pass(SHORT + SHORT).await;
    let soon = store.claim(&suspects(2, at_ms(100))).await;
    assert!(soon.conversations.is_empty(), "its lease has just ended");
    for next_due in [soon.next_due, store.claim(&due(3, at_ms(100))).await.next_due] {
        assert!(next_due.is_some_and(|next| next <= at_ms(1_200)), "{next_due:?}");
    }
    harness.pass(rest(1)).await;
    let told = store.claim(&Due { limit: 0, ..suspects(4, at(2)) }).await;
    assert!(told.conversations.is_empty() && told.next_due.is_some_and(|next| next <= at(2)));
    assert_eq!(store.claimed(&suspects(5, at(2))).await, ["ann"]);
    assert!(store.claimed(&suspects(6, at(2))).await.is_empty(), "it is leased");
}

/// Rule 12: a reply does not hurry one, and one that has nothing due is not claimed.
pub async fn a_suspect_is_claimed_when_it_is_due(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = put(&store, "ann", 0).await;
    assert_eq!(store.claimed(&Due { lease: SHORT, ..due(1, at(0)) }).await, ["ann"]);
    harness.pass(rest(1)).await;
    assert!(store.claimed(&due(2, at(2))).await.is_empty());
    let revision =
        store.apply(Commit { due_at: Some(at(20)), now: at(2), ..commit("ann", Some(revision)) }).await;
    assert!(store.claimed(&suspects(3, at(19))).await.is_empty(), "not yet");
    store.apply(Commit { due_at: Some(at(10)), now: at(3), ..commit("ann", Some(revision)) }).await;
    assert!(store.claimed(&due(4, at(10))).await.is_empty());
    assert_eq!(store.claimed(&suspects(5, at(10))).await, ["ann"]);
}

/// Rule 12: never early, by a microsecond.
pub async fn a_due_time_is_exact(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let instant = at_ms(1_500) + TimeDelta::microseconds(5);
    store.apply(Commit { due_at: Some(instant), ..commit("ann", None) }).await;
    for early in [at(1), at_ms(1_500), instant - TimeDelta::microseconds(1)] {
        assert!(store.claimed(&due(1, early)).await.is_empty(), "{early}");
    }
    assert_eq!(store.claimed(&due(1, instant)).await, ["ann"]);
}

/// Rule 12: a host that sleeps until `next_due` misses nothing.
pub async fn the_next_due_time_is_never_late(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    assert_eq!(store.claim(&due(1, at(0))).await.next_due, None);
    put(&store, "ann", 100).await;
    put(&store, "bob", 50).await;
    let mut now = at(0);
    let mut looks = 0;
    let found = loop {
        let leased = store.claim(&due(1, now)).await;
        if let Some(first) = leased.conversations.first() {
            break (first.stored.contact.clone(), now);
        }
        now = leased.next_due.expect("something will be due").max(now + TimeDelta::milliseconds(1));
        looks += 1;
        assert!(looks < 10, "{looks} looks in vain");
    };
    assert_eq!(found, (contact("bob"), at(50)));
}

/// Rule 12: what is left because of the limit is due now.
pub async fn the_next_due_time_tells_what_the_limit_left(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    put(&store, "ann", 1).await;
    put(&store, "bob", 3).await;
    put(&store, "cid", 900).await;
    let leased = store.claim(&Due { limit: 1, ..due(1, at(10)) }).await;
    assert_eq!(leased.conversations.len(), 1);
    assert!(leased.next_due.is_some_and(|next| next <= at(3)), "{:?}: bob is due", leased.next_due);
}

/// Rule 12: what is leased is due again once its lease is over.
pub async fn the_next_due_time_tells_when_a_lease_ends(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    put(&store, "ann", 0).await;
    assert_eq!(store.claimed(&due(1, at(0))).await, ["ann"]);
    let leased = store.claim(&due(2, at(1))).await;
    assert!(leased.conversations.is_empty());
    assert!(leased.next_due.is_some_and(|next| next <= at(32)), "{:?}: it may die", leased.next_due);
}

/// Rule 12: a due time may move either way.
pub async fn a_due_time_may_move_either_way(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut revision = put(&store, "ann", 100).await;
    for (due_at, before) in [(200, 199), (50, 49), (300, 299)] {
        let moved = Commit { due_at: Some(at(due_at)), ..commit("ann", Some(revision)) };
        revision = store.apply(moved).await;
        assert!(store.claimed(&due(1, at(before))).await.is_empty(), "{due_at}");
    }
    assert_eq!(store.claimed(&due(1, at(300))).await, ["ann"]);
}

/// Rule 12: due times long ago and far away.
pub async fn a_due_time_may_be_any_instant(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let (long_ago, far) = (chrono::DateTime::UNIX_EPOCH, at(3_000_000_000));
    store.apply(Commit { due_at: Some(far), ..commit("far", None) }).await;
    let old = Commit { due_at: Some(long_ago - TimeDelta::days(300)), ..commit("old", None) };
    let revision = store.apply(old).await;
    assert_eq!(store.claimed(&due(1, long_ago)).await, ["old"]);
    let done = Settle { now: long_ago, ..settle("old", 1, revision, 0) };
    assert_eq!(store.settle(&done).await, Settled::Done);
    assert!(store.claimed(&due(2, far - TimeDelta::milliseconds(1))).await.is_empty());
    assert_eq!(store.claimed(&due(3, far)).await, ["far"]);
}

/// Rule 12: in portions, everything is claimed once.
pub async fn everything_due_is_claimed_in_portions(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut expected = Vec::new();
    for number in 0..30_i64 {
        let name = format!("{number:02}");
        put(&store, &name, number * 7 % 30).await;
        expected.push(name);
    }
    let mut claimed = Vec::new();
    for by in 1..=10 {
        let names = store.claimed(&Due { limit: 4, ..due(by, at(30)) }).await;
        assert!(names.len() <= 4);
        claimed.extend(names);
    }
    claimed.sort_unstable();
    assert_eq!(claimed, expected);
}

/// Rule 26: a store that tells the time does so with each claim and by `time`, and never goes back.
pub async fn a_store_that_tells_the_time_tells_it_always(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    put(&store, "ann", 0).await;
    put(&store, "bob", 1).await;
    let mut told: Vec<Option<DateTime<Utc>>> = vec![store.time().await];
    let claims = [Due { limit: 0, ..due(1, at(9)) }, Due { limit: 1, ..due(1, at(9)) }, due(2, at(9))];
    for claim in claims.into_iter().chain([due(3, at(9)), suspects(4, at(9))]) {
        told.push(store.claim(&claim).await.store_time);
    }
    told.push(store.time().await);
    let times: Vec<DateTime<Utc>> = told.iter().copied().flatten().collect();
    assert!(times.is_empty() || times.len() == told.len(), "always or never: {told:?}");
    assert!(times.is_sorted(), "never an earlier one: {told:?}");
    let is_plausible = |time: &DateTime<Utc>| (1_577_836_800..7_258_118_400).contains(&time.timestamp());
    assert!(times.iter().all(is_plausible), "of our time: {told:?}");
}
