//! Calls at the same time: what the contract says of one call after the other holds for them too.
//! The tasks run as [`Harness::together`] runs them; a few hundred operations each.

use std::sync::{Arc, Mutex, PoisonError};

use crate::store::{Commit, Committed, ConversationStore, Due, Lease, Loaded, Lookup, Settle, Settled};
use crate::testkit::store_suite::harness::step_aside;
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, Task, TrustedStore};

pub(super) const TASKS: u64 = 4;
pub(super) const ROUNDS: u64 = 12;

/// Results that tasks share.
pub(super) struct Shared<T>(Arc<Mutex<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Shared<T> {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The same work for each task, told which it is.
pub(super) fn each(work: impl Fn(u64) -> Task) -> Vec<Task> {
    (0..TASKS).map(work).collect()
}

fn count_of(loaded: &Loaded) -> u64 {
    loaded.conversation.as_ref().map_or(0, |stored| text_of(&stored.record).parse().unwrap())
}

fn counted(loaded: &Loaded) -> Commit {
    let expect = loaded.conversation.as_ref().map(|stored| stored.revision);
    Commit { record: opaque(&(count_of(loaded) + 1).to_string()), ..commit("ann", expect) }
}

/// Rule 5: between a load and its commit no other commit is lost.
pub async fn no_update_is_lost_between_load_and_commit(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let tasks = each(|_| {
        let store = store.clone();
        Box::pin(async move {
            for _ in 0..ROUNDS {
                loop {
                    let loaded = store.load(&by_contact("ann")).await;
                    step_aside().await;
                    if store.commit(counted(&loaded)).await != Committed::Conflict {
                        break;
                    }
                }
            }
        })
    });
    harness.together(tasks).await;
    assert_eq!(store.text("ann").await, Some((TASKS * ROUNDS).to_string()), "commits were lost");
}

/// The same for `update`, of which a conflict is an answer.
pub async fn no_update_is_lost_in_update(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let first = Commit { record: opaque("0"), add_aliases: vec![phone(1)], ..commit("ann", None) };
    store.apply(first).await;
    let tasks = each(|number| {
        let store = store.clone();
        Box::pin(async move {
            for round in 0..ROUNDS {
                let lookup = if round % 2 == 0 { by_contact("ann") } else { by_alias(phone(1)) };
                let lookup = Lookup { in_place: (round + number).is_multiple_of(3), ..lookup };
                loop {
                    match store.update(&lookup, |loaded| Some(counted(loaded))).await {
                        Some(Committed::Applied { .. }) => break,
                        other => assert_eq!(other, Some(Committed::Conflict)),
                    }
                    step_aside().await;
                }
            }
        })
    });
    harness.together(tasks).await;
    assert_eq!(store.text("ann").await, Some((TASKS * ROUNDS).to_string()), "updates were lost");
}

/// Rule 5: of first commits of one contact one applies.
pub async fn of_many_first_commits_one_applies(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let applied = Shared::<Vec<u64>>::new();
    let tasks = each(|number| {
        let (store, applied) = (store.clone(), applied.clone());
        Box::pin(async move {
            for round in 0..ROUNDS {
                let mine = Commit {
                    record: opaque(&number.to_string()),
                    add_aliases: vec![session_alias(u128::from(round * TASKS + number))],
                    ..commit(&format!("contact {round}"), None)
                };
                match store.commit(mine).await {
                    Committed::Applied { .. } => applied.with(|applied| applied.push(round)),
                    refused => assert_eq!(refused, Committed::Conflict),
                }
                step_aside().await;
            }
        })
    });
    harness.together(tasks).await;
    let mut applied = applied.with(std::mem::take);
    applied.sort_unstable();
    assert_eq!(applied, (0..ROUNDS).collect::<Vec<_>>());
    for round in 0..ROUNDS {
        let winner: u64 = store.text(&format!("contact {round}")).await.unwrap().parse().unwrap();
        for number in 0..TASKS {
            let leads = store.follow(session_alias(u128::from(round * TASKS + number))).await.is_some();
            assert_eq!(leads, number == winner, "a loser left its alias, or the winner has none");
        }
    }
}

/// Rule 6: of first uses of one key one applies, and the others leave nothing.
pub async fn of_many_first_uses_of_a_key_one_applies(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let applied = Shared::<Vec<u64>>::new();
    let tasks = each(|number| {
        let (store, applied) = (store.clone(), applied.clone());
        Box::pin(async move {
            for round in 0..ROUNDS {
                let name = format!("contact {number} of {round}");
                let key = (key_name("cart", &round.to_string()), key_record(&name, 1, at(99)));
                match store.commit(Commit { key: Some(key), ..commit(&name, None) }).await {
                    Committed::Applied { .. } => applied.with(|applied| applied.push(round)),
                    refused => assert_eq!(refused, Committed::KeyTaken),
                }
                step_aside().await;
            }
        })
    });
    harness.together(tasks).await;
    let mut applied = applied.with(std::mem::take);
    applied.sort_unstable();
    assert_eq!(applied, (0..ROUNDS).collect::<Vec<_>>());
    for round in 0..ROUNDS {
        let winner = store.key(key_name("cart", &round.to_string())).await.expect("one applied").contact;
        for number in 0..TASKS {
            let name = format!("contact {number} of {round}");
            assert_eq!(store.find(&name).await.is_some(), winner == contact(&name), "{name}");
        }
    }
}

/// Rule 6: of uses of a key that has expired one applies.
pub async fn of_many_uses_of_an_expired_key_one_applies(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for round in 0..ROUNDS {
        let key = (key_name("cart", &round.to_string()), key_record("old", 1, at(10)));
        let name = format!("old {round}");
        store.apply(Commit { key: Some(key), ..commit(&name, None) }).await;
    }
    let applied = Shared::<Vec<u64>>::new();
    let tasks = each(|number| {
        let (store, applied) = (store.clone(), applied.clone());
        Box::pin(async move {
            for round in 0..ROUNDS {
                let name = format!("contact {number} of {round}");
                let key = (key_name("cart", &round.to_string()), key_record(&name, 1, at(99)));
                let mine = Commit { key: Some(key), now: at(10), ..commit(&name, None) };
                if let Committed::Applied { .. } = store.commit(mine).await {
                    applied.with(|applied| applied.push(round));
                }
                step_aside().await;
            }
        })
    });
    harness.together(tasks).await;
    let mut applied = applied.with(std::mem::take);
    applied.sort_unstable();
    assert_eq!(applied, (0..ROUNDS).collect::<Vec<_>>());
}

/// Rule 7: of contacts that want one alias one gets it, and each loser leaves nothing.
pub async fn of_many_contacts_one_gets_an_alias(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let fresh = |round: u64, number: u64| session_alias(u128::from(round * TASKS + number));
    let second = |round: u64| session_alias(u128::from(round) + 1_000_000);
    let tasks = each(|number| {
        let store = store.clone();
        Box::pin(async move {
            for round in 0..ROUNDS {
                let name = format!("contact {number} of {round}");
                // In another order in each task: nobody may wait forever, no matter for whom.
                let mut aliases = vec![phone(round), second(round), fresh(round, number)];
                aliases.rotate_left((number % 3) as usize);
                let committed = store.commit(Commit { add_aliases: aliases, ..commit(&name, None) }).await;
                let is_right = matches!(committed, Committed::Applied { .. } | Committed::AliasTaken { .. });
                assert!(is_right, "{committed:?}");
                step_aside().await;
            }
        })
    });
    harness.together(tasks).await;
    for round in 0..ROUNDS {
        let winner = store.follow(phone(round)).await.expect("one applied");
        assert_eq!(store.follow(second(round)).await, Some(winner.clone()));
        for number in 0..TASKS {
            let name = format!("contact {number} of {round}");
            let won = winner == contact(&name);
            assert_eq!(store.follow(fresh(round, number)).await.is_some(), won, "{name}");
            assert_eq!(store.find(&name).await.is_some(), won, "{name}");
        }
    }
}

/// Rule 12: claims are disjoint, and nothing that is due is forgotten.
pub async fn no_conversation_is_claimed_twice(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut expected = Vec::new();
    for number in 0..40_i64 {
        let name = format!("{number:02}");
        store.apply(Commit { due_at: Some(at_ms(number * 200)), ..commit(&name, None) }).await;
        expected.push(name);
    }
    let claimed = Shared::<Vec<String>>::new();
    let tasks = each(|number| {
        let (store, claimed) = (store.clone(), claimed.clone());
        Box::pin(async move {
            for call in 0..40_u128 {
                let by = u128::from(number) << 64 | call;
                let leased = store.claim(&Due { limit: 3, ..due(by, at(10)) }).await;
                step_aside().await;
                for one in &leased.conversations {
                    let name = one.stored.contact.to_string();
                    claimed.with(|claimed| claimed.push(name.clone()));
                    let done = Settle { now: at(10), ..settle(&name, by, one.stored.revision, 1) };
                    assert_eq!(store.settle(&done).await, Settled::Done);
                }
                let is_over = leased.next_due.is_none_or(|next| next > at(10));
                if leased.conversations.is_empty() && is_over {
                    break;
                }
            }
        })
    });
    harness.together(tasks).await;
    let mut claimed = claimed.with(std::mem::take);
    claimed.sort_unstable();
    assert_eq!(claimed, expected);
}

/// Rules 10 to 12: among commits and claims a lease has one holder.
pub async fn a_lease_has_one_holder(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) }).await;
    let holders = Shared::<u32>::new();
    let tasks = each(|number| {
        let (store, holders) = (store.clone(), holders.clone());
        Box::pin(async move {
            for round in 0..ROUNDS {
                let by = u128::from(number) << 64 | u128::from(round);
                let held = if round % 2 == 0 {
                    let leased = store.claim(&due(by, at(1))).await;
                    leased.conversations.first().map(|one| one.stored.revision)
                } else {
                    let seen = store.find("ann").await.expect("it is there").revision;
                    let mine = Commit { lease: take(by), due_at: Some(at(0)), ..commit("ann", Some(seen)) };
                    match store.commit(mine).await {
                        Committed::Applied { revision, leased: true, .. } => Some(revision),
                        _ => None,
                    }
                };
                step_aside().await;
                let Some(revision) = held else { continue };
                assert_eq!(holders.with(|holders| std::mem::replace(holders, 1)), 0, "two hold the lease");
                step_aside().await;
                holders.with(|holders| *holders = 0);
                let mut done = Settle { due_at: Some(at(0)), ..settle("ann", by, revision, 1) };
                loop {
                    match store.settle(&done).await {
                        Settled::Done => break,
                        Settled::Conflict { .. } => {
                            done.revision = store.find("ann").await.expect("it is there").revision;
                        }
                        Settled::LeaseLost => panic!("its time has not passed"),
                    }
                }
            }
        })
    });
    harness.together(tasks).await;
}

/// Rule 13: a settle beside commits is not lost.
pub async fn no_watermark_is_lost_beside_commits(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let first = Commit { record: opaque("0"), lease: take(9), ..commit("ann", None) };
    let revision = store.apply(first).await;
    let mut tasks = each(|_| {
        let store = store.clone();
        Box::pin(async move {
            for _ in 0..ROUNDS {
                let loaded = store.load(&by_contact("ann")).await;
                step_aside().await;
                let _ = store.commit(counted(&loaded)).await;
            }
        })
    });
    let settling = store.clone();
    tasks.push(Box::pin(async move {
        for mark in 1..=ROUNDS {
            let stale = settle("ann", 9, revision.wrapping_sub(1), mark);
            assert_eq!(settling.settle(&stale).await, Settled::Conflict { settled: mark });
            step_aside().await;
        }
    }));
    harness.together(tasks).await;
    let held = Commit { lease: Lease::Hold(token(9)), ..commit("ann", None) };
    let found = store.find("ann").await.expect("it is there");
    let held = store.commit(Commit { expect: Some(found.revision), ..held }).await;
    assert!(matches!(held, Committed::Applied { settled: ROUNDS, .. }), "{held:?}");
}

/// Rule 20: a purge beside commits removes each thing once, and nothing else.
pub async fn purges_beside_commits_remove_each_thing_once(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let removed = Shared::<usize>::new();
    let tasks = each(|number| {
        let (store, removed) = (store.clone(), removed.clone());
        Box::pin(async move {
            let name = format!("contact {number}");
            let mut revision = None;
            for round in 0..ROUNDS {
                let session = u128::from(number) << 64 | u128::from(round);
                let key = (key_name(&name, &round.to_string()), key_record(&name, session, at(1)));
                let past = Commit {
                    key: Some(key),
                    add_aliases: vec![session_alias(session)],
                    ended: [ended(&name, session, at(0), at(0))].into(),
                    ..commit(&name, revision)
                };
                revision = Some(store.apply(past).await);
                step_aside().await;
                let purged = store.purge(&purge(2, 3)).await;
                removed.with(|removed| *removed += purged.keys);
            }
        })
    });
    harness.together(tasks).await;
    let rest = store.purge(&purge(2, 1_000)).await;
    let all = removed.with(|removed| *removed) + rest.keys;
    assert_eq!(all as u64, TASKS * ROUNDS);
    for number in 0..TASKS {
        assert!(store.find(&format!("contact {number}")).await.is_some());
    }
}

/// Rule 22: an erase beside commits is at one revision, or not at all.
pub async fn an_erase_beside_commits_loses_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let counts = Shared::<(u64, u64)>::new();
    let tasks = each(|number| {
        let (store, counts) = (store.clone(), counts.clone());
        Box::pin(async move {
            for _ in 0..ROUNDS {
                let loaded = store.load(&by_contact("ann")).await;
                step_aside().await;
                let Some(stored) = loaded.conversation.as_ref().filter(|_| number == 0) else {
                    if let Committed::Applied { .. } = store.commit(counted(&loaded)).await {
                        counts.with(|(written, _)| *written += 1);
                    }
                    continue;
                };
                if store.erase("ann", stored.revision).await.is_some() {
                    let erased = count_of(&loaded);
                    counts.with(|(_, gone)| *gone += erased);
                }
            }
        })
    });
    harness.together(tasks).await;
    let left = count_of(&store.load(&by_contact("ann")).await);
    let (written, gone) = counts.with(|counts| *counts);
    assert_eq!(written, gone + left, "each commit that applied is there, or was erased as it was seen");
}
