//! Leases and claims: rules 9 to 12.

use chatflow::store::{Commit, Committed, ConversationStore, Due, Lease, Lookup, Settle, Settled};
use chrono::TimeDelta;

use crate::store_kit::*;

/// Rule 9.
pub(crate) fn a_lease_ends_by_itself(store: Asked<impl ConversationStore>) {
    store.apply(Commit { lease: take(1), due_at: Some(at(5)), ..commit("ann", None) });
    let seen = |seconds| Lookup { token: token(1), now: at(seconds), ..by_contact("ann") };
    assert!(store.load(&seen(29)).conversation.unwrap().leased);
    assert!(!store.load(&seen(30)).conversation.unwrap().leased);
    assert!(store.claimed(&due(2, at(29))).is_empty());
    assert_eq!(store.claimed(&due(2, at(30))), ["ann"]);
}

/// Rule 10.
pub(crate) fn a_lease_is_taken_if_it_is_free_and_renewed_by_its_token(store: Asked<impl ConversationStore>) {
    let applied = |answer| match answer {
        Committed::Applied { revision, leased, .. } => (revision, leased),
        refused => panic!("{refused:?}"),
    };
    let (revision, leased) = applied(store.commit(Commit { lease: take(1), ..commit("ann", None) }));
    assert!(leased);
    let (revision, leased) = applied(store.commit(Commit {
        lease: take(2),
        due_at: Some(at(7)),
        ..commit("ann", Some(revision))
    }));
    assert!(!leased, "another has it; all else is written");
    let renewed =
        Commit { lease: take(1), due_at: Some(at(7)), now: at(20), ..commit("ann", Some(revision)) };
    assert!(applied(store.commit(renewed)).1);
    assert!(store.claimed(&due(3, at(49))).is_empty());
    assert_eq!(store.claimed(&due(3, at(50))), ["ann"]);
}

/// Rule 11.
pub(crate) fn hold_and_free_need_the_live_lease(store: Asked<impl ConversationStore>) {
    assert_eq!(
        store.commit(Commit { lease: Lease::Hold(token(1)), ..commit("ann", None) }),
        Committed::LeaseLost
    );
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    for lease in [Lease::Hold(token(2)), Lease::Free(token(2))] {
        assert_eq!(store.commit(Commit { lease, ..commit("ann", Some(revision)) }), Committed::LeaseLost);
    }
    let late = Commit { lease: Lease::Hold(token(1)), now: at(30), ..commit("ann", Some(revision)) };
    assert_eq!(store.commit(late), Committed::LeaseLost);
    let held = Commit { lease: Lease::Hold(token(1)), ..commit("ann", Some(revision)) };
    let Committed::Applied { revision, leased: true, .. } = store.commit(held) else { panic!("it is held") };
    let freed = Commit { lease: Lease::Free(token(1)), due_at: Some(at(0)), ..commit("ann", Some(revision)) };
    assert!(matches!(store.commit(freed), Committed::Applied { leased: false, .. }));
    assert_eq!(store.claimed(&due(2, at(0))), ["ann"]);
}

/// Rule 12.
pub(crate) fn due_conversations_are_claimed_oldest_first(store: Asked<impl ConversationStore>) {
    for (number, name) in ["e", "b", "d", "a", "c"].iter().enumerate() {
        let due_at = at_ms(match *name {
            "a" => -90_000,
            "b" => 100,
            "c" => 200,
            "d" => 5_000,
            _ => 3_600_000,
        });
        store.apply(Commit { due_at: Some(due_at), now: at(number as i64), ..commit(name, None) });
    }
    store.apply(commit("never", None));
    let two = store.claim(&Due { limit: 2, ..due(1, at(10)) });
    let names: Vec<_> = two.conversations.iter().map(|leased| leased.stored.contact.to_string()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(two.next_due.is_some_and(|next| next <= at_ms(200)), "c is due");
    assert!(two.conversations.iter().all(|leased| leased.stored.leased && leased.workspace == shop()));
    assert_eq!(store.claimed(&due(2, at(10))), ["c", "d"]);
    assert!(store.claimed(&Due { limit: 0, ..due(3, at(9_999)) }).is_empty());
}

/// Rule 12.
pub(crate) fn a_conversation_is_claimed_by_one_token_while_its_lease_lives(
    store: Asked<impl ConversationStore>,
) {
    store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) });
    assert_eq!(store.claimed(&due(1, at(1))), ["ann"]);
    assert!(store.claimed(&due(2, at(1))).is_empty());
    assert!(store.claimed(&due(1, at(30))).is_empty());
    assert_eq!(store.claimed(&due(2, at(31))), ["ann"]);
    assert_eq!(store.settle(&Settle { now: at(31), ..settle("ann", 1, 1, 1) }), Settled::LeaseLost);
}

/// Rule 12.
pub(crate) fn claims_are_counted_until_there_is_progress(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) });
    let claims =
        |by, seconds| store.claim(&due(by, at(seconds))).conversations.first().map(|leased| leased.claims);
    assert_eq!([claims(1, 0), claims(2, 30), claims(3, 60)], [Some(1), Some(2), Some(3)]);
    let settled = Settle { due_at: Some(at(61)), now: at(61), ..settle("ann", 3, revision, 1) };
    assert_eq!(store.settle(&settled), Settled::Done);
    assert_eq!([claims(4, 61), claims(5, 91)], [Some(1), Some(2)]);
    store.apply(Commit {
        lease: Lease::Free(token(5)),
        due_at: Some(at(92)),
        now: at(91),
        ..commit("ann", Some(revision))
    });
    assert_eq!(claims(6, 92), Some(1));
}

/// Rule 12.
pub(crate) fn a_due_time_is_exact(store: Asked<impl ConversationStore>) {
    let instant = at_ms(1_500) + TimeDelta::nanoseconds(5);
    store.apply(Commit { due_at: Some(instant), ..commit("ann", None) });
    for early in [at(1), at_ms(1_500), instant - TimeDelta::nanoseconds(1)] {
        assert!(store.claimed(&due(1, early)).is_empty());
    }
    assert_eq!(store.claimed(&due(1, instant)), ["ann"]);
}

/// Rule 12.
pub(crate) fn the_next_due_time_is_never_late(store: Asked<impl ConversationStore>) {
    assert_eq!(store.claim(&due(1, at(0))).next_due, None);
    store.apply(Commit { due_at: Some(at(100)), ..commit("ann", None) });
    store.apply(Commit { due_at: Some(at(50)), ..commit("bob", None) });
    let mut now = at(0);
    let mut looks = 0;
    let found = loop {
        let leased = store.claim(&due(1, now));
        if let Some(first) = leased.conversations.first() {
            break (first.stored.contact.clone(), now);
        }
        now = leased.next_due.expect("something will be due").max(now + TimeDelta::milliseconds(1));
        looks += 1;
    };
    assert_eq!(found, (contact("bob"), at(50)));
    assert!(looks < 10, "{looks} looks in vain");
    assert!(
        store.claim(&due(2, at(51))).next_due.is_some_and(|next| next <= at(80)),
        "the lease of bob ends"
    );
}

/// Rule 12.
pub(crate) fn a_due_time_may_move_either_way(store: Asked<impl ConversationStore>) {
    let mut revision = store.apply(Commit { due_at: Some(at(100)), ..commit("ann", None) });
    for (due_at, before) in [(200, 199), (50, 49), (300, 299)] {
        revision = store.apply(Commit { due_at: Some(at(due_at)), ..commit("ann", Some(revision)) });
        assert!(store.claimed(&due(1, at(before))).is_empty(), "{due_at}");
    }
    revision = store.apply(Commit { due_at: None, ..commit("ann", Some(revision)) });
    assert!(store.claimed(&due(1, at(1_000))).is_empty());
    store.apply(Commit { due_at: Some(at(60)), ..commit("ann", Some(revision)) });
    assert_eq!(store.claimed(&due(1, at(1_000))), ["ann"]);
}
