//! Calls whose future is dropped: rule 19. Each call is dropped before it is polled, after one
//! poll, after two, and so on until it is done by then. What a store does for a dropped call may
//! still be under way when the next call comes; so each check hands the call in again, as an engine
//! does that does not know what became of it, and asserts that everything is there, once.

use std::future::Future;

use crate::error::{StoreError, StoreErrorKind};
use crate::store::{
    Commit, Committed, ConversationStore, Due, FlowSaved, FlowStore, Lookup, Settle, Settled,
};
use crate::testkit::store_suite::flows::change;
use crate::testkit::store_suite::harness::drop_after;
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// A call that needs more polls than this is taken for done.
const MOST: usize = 12;

/// Number of attempts at a claim while a dropped one may still be at work.
const PATIENCE: usize = 100;

/// Drops the call after so many polls; whether it was done by then.
async fn is_done<T>(polls: usize, call: impl Future<Output = Result<T, StoreError>>) -> bool {
    match drop_after(polls, call).await {
        Some(Ok(_)) => true,
        Some(Err(error)) if error.kind() == StoreErrorKind::Transient => false,
        Some(Err(error)) => panic!("a call failed: {error}"),
        None => false,
    }
}

/// A commit that writes something of every kind, with names of its own in each round.
fn everything(round: u64) -> Commit {
    let name = format!("ann {round}");
    let number = u128::from(round);
    Commit {
        record: opaque("whole"),
        due_at: Some(at(5)),
        key: Some((key_name("cart", &name), key_record(&name, number, at(99)))),
        add_aliases: vec![phone(round), session_alias(number)],
        ended: [ended(&name, number + 1_000, at(0), at(1))].into(),
        journal: vec![entry(&name, number, 1, at(0))],
        ..commit(&name, None)
    }
}

/// Asserts that all of [`everything`] is there.
async fn is_whole<S: ConversationStore>(store: &TrustedStore<S>, round: u64) {
    let name = format!("ann {round}");
    let asked = Lookup { key: Some(key_name("cart", &name)), ..by_contact(&name) };
    let loaded = store.load(&asked).await;
    assert_eq!(loaded.conversation.map(|found| text_of(&found.record)).as_deref(), Some("whole"));
    assert_eq!(loaded.key, Some(key_record(&name, u128::from(round), at(99))));
    for alias in [phone(round), session_alias(u128::from(round))] {
        assert_eq!(store.follow(alias).await, Some(contact(&name)), "a part of the commit is missing");
    }
}

/// A first commit.
pub async fn a_dropped_first_commit_is_all_or_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut expected = Vec::new();
    for polls in 0..=MOST {
        let round = polls as u64;
        let done = is_done(polls, store.0.commit(everything(round))).await;
        let again = store.commit(everything(round)).await;
        let is_refused = matches!(again, Committed::Conflict | Committed::KeyTaken);
        assert!(is_refused || !done && matches!(again, Committed::Applied { .. }), "{again:?}");
        is_whole(&store, round).await;
        expected.push(format!("ann {round}"));
        if done {
            break;
        }
    }
    let mut claimed = store.claimed(&due(1, at(5))).await;
    claimed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(claimed, expected, "the due time is a part of the commit");
}

/// A later commit, which changes what is there.
pub async fn a_dropped_later_commit_is_all_or_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for polls in 0..=MOST {
        let round = polls as u64;
        let old = phone(round + 500);
        let first = Commit { add_aliases: vec![old.clone()], ..commit(&format!("ann {round}"), None) };
        let revision = store.apply(first).await;
        let later = Commit { expect: Some(revision), drop_aliases: vec![old.clone()], ..everything(round) };
        let done = is_done(polls, store.0.commit(later.clone())).await;
        let again = store.commit(later).await;
        let is_refused = matches!(again, Committed::Conflict | Committed::KeyTaken);
        assert!(is_refused || !done && matches!(again, Committed::Applied { .. }), "{again:?}");
        is_whole(&store, round).await;
        assert_eq!(store.follow(old).await, None, "a part of the commit is missing");
        if done {
            break;
        }
    }
}

/// An update.
pub async fn a_dropped_update_is_all_or_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for polls in 0..=MOST {
        let round = polls as u64;
        let lookup = by_contact(&format!("ann {round}"));
        let mut decide = |txn: &mut crate::store::Txn<'_>| txn.write(everything(round));
        let done = is_done(polls, store.0.update(&lookup, &mut decide)).await;
        let again = store.update(&lookup, |loaded| {
            let is_new = loaded.conversation.is_none();
            is_new.then(|| everything(round))
        });
        let again = again.await;
        let was_done = matches!(again, None | Some(Committed::Conflict | Committed::KeyTaken));
        assert!(was_done || !done, "{again:?}");
        is_whole(&store, round).await;
        if done {
            break;
        }
    }
}

/// A settle.
pub async fn a_dropped_settle_is_all_or_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for polls in 0..=MOST {
        let name = format!("ann {polls}");
        let revision = store.apply(Commit { lease: take(1), ..commit(&name, None) }).await;
        let once = Settle { due_at: Some(at(9)), ..settle(&name, 1, revision, 3) };
        let done = is_done(polls, store.0.settle(&once)).await;
        let again = store.settle(&once).await;
        assert!(again == Settled::LeaseLost || !done && again == Settled::Done, "{again:?}");
        let found = store.load(&Lookup { token: token(1), ..by_contact(&name) }).await.conversation;
        let found = found.expect("it is there");
        assert_eq!((found.settled, found.leased), (3, false));
        assert_eq!(store.claimed(&due(2, at(9))).await, [name]);
        if done {
            break;
        }
    }
}

/// A claim: what it leased is due again once the lease is over.
pub async fn a_dropped_claim_loses_nothing(harness: &impl Harness<Store: ConversationStore>) {
    for polls in 0..=MOST {
        let store = TrustedStore::fresh(harness).await;
        for name in ["ann", "bob"] {
            store.apply(Commit { due_at: Some(at(0)), ..commit(name, None) }).await;
        }
        let claim = Due { lease: SHORT, ..due(1, at(0)) };
        let done = is_done(polls, store.0.lease_due(&claim)).await;
        harness.pass(rest(1)).await;
        // The dropped call may still be at work, and lease what no other claim then gets before
        // that lease is over too.
        let mut names = Vec::new();
        for _ in 0..PATIENCE {
            names.extend(store.claimed(&due(3, at(3))).await);
            names.extend(store.claimed(&suspects(3, at(3))).await);
            if names.len() >= 2 {
                break;
            }
            harness.pass(SHORT).await;
        }
        names.sort_unstable();
        assert_eq!(names, ["ann", "bob"]);
        for claim in [due(4, at(3)), suspects(4, at(3))] {
            assert!(store.claimed(&claim).await.is_empty(), "a claim that was not dropped holds");
        }
        if done {
            break;
        }
    }
}

/// An erase.
pub async fn a_dropped_erase_is_all_or_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for polls in 0..=MOST {
        let round = polls as u64;
        let name = format!("ann {round}");
        let revision = store.apply(everything(round)).await;
        let erased = erase(&name, revision);
        let done = is_done(polls, store.0.erase(&erased)).await;
        let again = store.erase_as(&erased).await;
        assert!(!done || again.is_none());
        assert!(store.find(&name).await.is_none());
        for alias in [phone(round), session_alias(u128::from(round))] {
            assert_eq!(store.follow(alias).await, None, "a part of the contact is left");
        }
        let key = store.key(key_name("cart", &name)).await;
        assert!(key.is_some_and(|key| key.erased), "the key still says whose it was");
        if done {
            break;
        }
    }
}

/// A purge: the next one removes what it left.
pub async fn a_dropped_purge_goes_on(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for polls in 0..=MOST {
        let round = polls as u64;
        store.apply(everything(round)).await;
        let all = purge(99, 1_000);
        let done = is_done(polls, store.0.purge(&all)).await;
        let _ = store.purge(&all).await;
        assert_eq!(store.key(key_name("cart", &format!("ann {round}"))).await, None);
        assert!(store.find(&format!("ann {round}")).await.is_some());
        if done {
            break;
        }
    }
}

/// A load, again and again, harms nobody.
pub async fn dropped_loads_harm_nobody(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(commit("ann", None)).await;
    for polls in (0..4).cycle().take(40) {
        let _ = drop_after(polls, store.0.load(&by_contact("ann"))).await;
    }
    assert_eq!(store.find("ann").await.map(|found| found.revision), Some(revision));
    store.apply(commit("ann", Some(revision))).await;
}

/// Flows, rule 3: a save.
pub async fn a_dropped_save_is_all_or_nothing(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    for polls in 0..=MOST {
        let code = format!("flow {polls}");
        let done = is_done(polls, store.0.save(&shop(), change(&code, None))).await;
        let again = store.save(change(&code, None)).await;
        assert!(!done || again == FlowSaved::Conflict);
        assert_eq!(store.definition(&code, None).await.as_deref(), Some("draft 1"));
        let flows = store.catalogue(&shop()).await.flows;
        assert_eq!(flows.iter().filter(|entry| entry.flow == flow(&code)).count(), 1);
        if done {
            break;
        }
    }
}

/// Flows, rule 6: a save of several.
pub async fn a_dropped_save_of_several_is_all_or_nothing(harness: &impl Harness<Store: FlowStore>) {
    let store = TrustedStore::fresh(harness).await;
    for polls in 0..=MOST {
        let codes = [format!("flow {polls}"), format!("other flow {polls}")];
        let changes: Vec<_> = codes.iter().map(|code| change(code, None)).collect();
        let done = is_done(polls, store.0.save_all(&shop(), changes.clone())).await;
        let again = store.save_all(changes).await;
        assert!(!done || again == FlowSaved::Conflict);
        for code in &codes {
            assert_eq!(store.definition(code, None).await.as_deref(), Some("draft 1"), "{code} is missing");
        }
        let flows = store.catalogue(&shop()).await.flows;
        assert_eq!(flows.iter().filter(|entry| codes.contains(&entry.flow.to_string())).count(), 2);
        if done {
            break;
        }
    }
}
