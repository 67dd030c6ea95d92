//! `MemoryStore` beyond the contract: due times to the nanosecond, and records that it
//! lends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::store_kit::*;
use chatflow::store::{Commit, ConversationQuery, ConversationStore, Due, Lease, Lookup, Settle, Settled};
use chrono::TimeDelta;
use pollster::block_on;

/// Rule 12.
#[test]
fn a_due_time_is_exact_to_the_nanosecond() {
    let store = TrustedStore(memory());
    let instant = at_ms(1_500) + TimeDelta::nanoseconds(5);
    store.apply(Commit { due_at: Some(instant), ..commit("ann", None) });
    for early in [at(1), at_ms(1_500), instant - TimeDelta::nanoseconds(1)] {
        assert!(store.claimed(&due(1, early)).is_empty());
    }
    assert_eq!(store.claimed(&due(1, instant)), ["ann"]);
}

/// Rule 9: a clock that goes back gives nobody a lease again that was found over. Somebody else may
/// have it.
#[test]
fn a_lease_that_was_found_over_is_over() {
    let store = TrustedStore(memory());
    let lease = Lease::Take(token(1), Duration::from_secs(60));
    let revision = store.apply(Commit { due_at: Some(at(0)), lease, ..commit("ann", None) });
    let settle = || Settle {
        workspace: shop(),
        contact: contact("ann"),
        token: token(1),
        revision,
        settled: 0,
        due_at: None,
        quarantine: false,
        now: at(30),
    };
    let glance = Due { limit: 0, ..due(2, at(61)) };
    assert!(store.claimed(&glance).is_empty());
    assert_eq!(store.settle(&settle()), Settled::LeaseLost);
    assert_eq!(store.claimed(&due(3, at(61))), ["ann"]);
}

/// A store with another copy of the record may refuse as ever; this one has none, and sets aside.
#[test]
fn an_update_in_place_that_is_refused_sets_aside() {
    refused_in_place(TrustedStore(memory()));
    refused_in_place(TrustedStore(erased()));
}

fn refused_in_place(store: TrustedStore<impl Store>) {
    let revision = store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) });
    let lookup = Lookup { in_place: true, ..by_contact("ann") };
    let refused = store.update(&lookup, |loaded| {
        let stored = loaded.conversation.as_ref()?;
        Some(Commit { lease: Lease::Free(token(8)), ..commit("ann", Some(stored.revision)) })
    });
    assert!(refused.is_err_and(|error| !error.is_retryable()));
    let seen = store.find("ann").unwrap();
    assert_eq!((seen.quarantined, seen.revision), (true, revision));
    assert!(seen.record.conversation().is_err() && store.claimed(&due(1, at(9))).is_empty());
    store.update(&lookup, |_| None).unwrap();
    assert!(store.find("ann").unwrap().quarantined, "a look does not change that");
    let query = ConversationQuery { workspace: shop(), quarantined: true, after: None, limit: 9 };
    assert_eq!(block_on(store.0.conversations(&query)).unwrap().len(), 1);
    store.apply(Commit { due_at: Some(at(1)), ..commit("ann", Some(revision)) });
    assert_eq!(store.claimed(&due(1, at(9))), ["ann"]);
}

/// A decision that panics harms this conversation only.
#[test]
fn an_update_in_place_that_panics_sets_aside() {
    panics_in_place(TrustedStore(memory()));
    panics_in_place(TrustedStore(erased()));
}

fn panics_in_place(store: TrustedStore<impl ConversationStore>) {
    let revision = store.apply(commit("ann", None));
    let lookup = Lookup { in_place: true, ..by_contact("ann") };
    let panicked =
        catch_unwind(AssertUnwindSafe(|| store.update(&lookup, |_| panic!("as the test wants it"))));
    assert!(panicked.is_err());
    assert!(store.find("ann").unwrap().quarantined);
    store.apply(commit("ann", Some(revision)));
    assert_eq!(store.text("ann").as_deref(), Some("ann"));
}
