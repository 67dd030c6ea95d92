//! Many threads on one store: what the contract says of one call after the other holds for calls at
//! the same time.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use crate::store_kit::*;
use chatflow::store::{Commit, Committed, Lease, Loaded, Lookup, Purge, Settle, Settled};

const THREADS: usize = 4;

/// Runs `work` on each of the threads, and waits for all.
fn on_threads(work: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for number in 0..THREADS {
            let work = &work;
            scope.spawn(move || work(number));
        }
    });
}

fn count_of(loaded: &Loaded) -> u64 {
    loaded.conversation.as_ref().map_or(0, |stored| text_of(&stored.record).parse().unwrap())
}

fn counted(loaded: &Loaded) -> Commit {
    let expect = loaded.conversation.as_ref().map(|stored| stored.revision);
    Commit { record: opaque(&(count_of(loaded) + 1).to_string()), ..commit("ann", expect) }
}

#[test]
fn no_update_is_lost_between_load_and_commit() {
    const ROUNDS: u64 = 500;
    let store = TrustedStore(memory());
    on_threads(|_| {
        for _ in 0..ROUNDS {
            while store.commit(counted(&store.load(&by_contact("ann")))) == Committed::Conflict {}
        }
    });
    assert_eq!(store.text("ann"), Some((THREADS as u64 * ROUNDS).to_string()));
}

#[test]
fn no_update_under_the_lock_meets_a_conflict() {
    const ROUNDS: u64 = 1_000;
    let store = TrustedStore(memory());
    store.apply(Commit { record: opaque("0"), add_aliases: vec![phone(1)], ..commit("ann", None) });
    on_threads(|number| {
        for round in 0..ROUNDS {
            let lookup = if round % 2 == 0 { by_contact("ann") } else { by_alias(phone(1)) };
            let in_place = (round as usize + number).is_multiple_of(3);
            let committed = store.update(&Lookup { in_place, ..lookup }, |loaded| Some(counted(loaded)));
            assert!(matches!(committed, Ok(Some(Committed::Applied { .. }))), "{committed:?}");
        }
    });
    assert_eq!(store.text("ann"), Some((THREADS as u64 * ROUNDS).to_string()));
}

#[test]
fn of_many_first_uses_of_a_key_one_applies() {
    const ROUNDS: usize = 1_000;
    let store = TrustedStore(memory());
    let applied: Vec<_> = (0..ROUNDS).map(|_| AtomicUsize::new(0)).collect();
    on_threads(|number| {
        for (round, applied) in applied.iter().enumerate() {
            let name = format!("contact {number} of {round}");
            let key = (key_name("cart", &round.to_string()), key_record(&name, number as u128, at(99)));
            match store.commit(Commit { key: Some(key), ..commit(&name, None) }) {
                Committed::Applied { .. } => {
                    applied.fetch_add(1, Ordering::Relaxed);
                }
                refused => assert_eq!(refused, Committed::KeyTaken),
            }
        }
    });
    assert!(applied.iter().all(|applied| applied.load(Ordering::Relaxed) == 1));
}

#[test]
fn of_many_contacts_one_gets_an_alias_and_each_loser_leaves_nothing() {
    const ROUNDS: usize = 1_000;
    let store = TrustedStore(memory());
    on_threads(|number| {
        for round in 0..ROUNDS {
            let name = format!("contact {number} of {round}");
            let fresh = session_alias((round * THREADS + number) as u128);
            // In another order on each thread: nobody may wait forever, no matter for whom.
            let mut aliases = vec![phone(round as u64), session_alias((round + 1_000_000) as u128), fresh];
            aliases.rotate_left(number % 3);
            let _ = store.commit(Commit { add_aliases: aliases, ..commit(&name, None) });
        }
    });
    for round in 0..ROUNDS {
        let winner = store.follow(phone(round as u64)).expect("one applied");
        assert_eq!(store.follow(session_alias((round + 1_000_000) as u128)), Some(winner.clone()));
        for number in 0..THREADS {
            let name = format!("contact {number} of {round}");
            let fresh = store.follow(session_alias((round * THREADS + number) as u128));
            assert_eq!(fresh.as_ref(), (winner == contact(&name)).then_some(&winner));
            assert_eq!(store.find(&name).is_some(), winner == contact(&name));
        }
    }
}

#[test]
fn an_alias_that_changes_hands_leads_to_one_who_has_it() {
    const ROUNDS: usize = 1_000;
    let store = TrustedStore(memory());
    on_threads(|number| {
        let name = format!("contact {number}");
        let mut revision = store.apply(commit(&name, None));
        for _ in 0..ROUNDS {
            let grab = Commit {
                record: opaque("has it"),
                add_aliases: vec![phone(1)],
                ..commit(&name, Some(revision))
            };
            if let Committed::Applied { revision: new, .. } = store.commit(grab) {
                revision = store.apply(Commit { drop_aliases: vec![phone(1)], ..commit(&name, Some(new)) });
            }
            if let Some(found) = store.load(&by_alias(phone(1))).conversation {
                assert_eq!(text_of(&found.record), "has it");
            }
        }
    });
}

#[test]
fn no_conversation_is_claimed_twice_and_none_is_forgotten() {
    const CONVERSATIONS: usize = 1_000;
    let store = TrustedStore(memory());
    for number in 0..CONVERSATIONS {
        let due_at = Some(at_ms(number as i64 % 7_000));
        store.apply(Commit { due_at, ..commit(&number.to_string(), None) });
    }
    let claims: Vec<_> = (0..CONVERSATIONS).map(|_| AtomicUsize::new(0)).collect();
    on_threads(|number| {
        for call in 0.. {
            let token = (number as u128) << 64 | call;
            let leased = store.claim(&chatflow::store::Due { limit: 7, ..due(token, at(10)) });
            for one in &leased.conversations {
                let place: usize = text_of(&one.stored.record).parse().unwrap();
                assert_eq!(claims[place].fetch_add(1, Ordering::Relaxed), 0, "claimed twice");
                let done =
                    Settle { now: at(10), ..settle(&place.to_string(), token, one.stored.revision, 1) };
                assert_eq!(store.settle(&done), Settled::Done);
            }
            if leased.conversations.is_empty() && leased.next_due.is_none_or(|next| next > at(10)) {
                break;
            }
        }
    });
    assert!(claims.iter().all(|claims| claims.load(Ordering::Relaxed) == 1));
}

#[test]
fn a_lease_has_one_holder_among_calls_and_claims() {
    const ROUNDS: u128 = 1_500;
    let store = TrustedStore(memory());
    let clock = AtomicU64::new(0);
    let holders = AtomicUsize::new(0);
    store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) });
    on_threads(|number| {
        for round in 0..ROUNDS {
            let token_number = (number as u128) << 64 | round;
            let now = at_ms(clock.fetch_add(1, Ordering::Relaxed) as i64);
            let held = if round % 2 == 0 {
                let leased = store.claim(&chatflow::store::Due {
                    lease: std::time::Duration::from_secs(3_600),
                    ..due(token_number, now)
                });
                leased.conversations.first().map(|one| one.stored.revision)
            } else {
                let lookup = Lookup { now, ..by_contact("ann") };
                let hour = std::time::Duration::from_secs(3_600);
                let committed = store.update(&lookup, |loaded| {
                    let expect = loaded.conversation.as_ref().map(|stored| stored.revision);
                    let lease = Lease::Take(token(token_number), hour);
                    Some(Commit { lease, due_at: Some(at(0)), now, ..commit("ann", expect) })
                });
                match committed {
                    Ok(Some(Committed::Applied { revision, leased: true, .. })) => Some(revision),
                    _ => None,
                }
            };
            let Some(revision) = held else { continue };
            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two hold the lease");
            thread::yield_now();
            holders.fetch_sub(1, Ordering::SeqCst);
            let mut done = Settle { due_at: Some(at(0)), now, ..settle("ann", token_number, revision, 1) };
            loop {
                match store.settle(&done) {
                    Settled::Done => break,
                    Settled::Conflict { .. } => done.revision = store.find("ann").unwrap().revision,
                    Settled::LeaseLost => panic!("an hour has not passed"),
                }
            }
        }
    });
}

#[test]
fn purges_beside_commits_remove_each_thing_once() {
    const ROUNDS: u128 = 500;
    let store = TrustedStore(memory());
    let removed = AtomicUsize::new(0);
    on_threads(|number| {
        let name = format!("contact {number}");
        let mut revision = None;
        for round in 0..ROUNDS {
            let session = (number as u128) << 64 | round;
            revision = Some(store.apply(Commit {
                key: Some((key_name(&name, &round.to_string()), key_record(&name, session, at(1)))),
                add_aliases: vec![session_alias(session)],
                ended: [ended(&name, session, at(0), at(0))].into(),
                ..commit(&name, revision)
            }));
            let purged = store.purge(&Purge {
                now: at(2),
                ended_before: at(2),
                journal_before: at(2),
                counts_before: at(2),
                limit: 3,
            });
            removed.fetch_add(purged.keys + purged.sessions, Ordering::Relaxed);
        }
    });
    let rest = store.purge(&Purge {
        now: at(2),
        ended_before: at(2),
        journal_before: at(2),
        counts_before: at(2),
        limit: usize::MAX,
    });
    assert_eq!(removed.into_inner() + rest.keys + rest.sessions, 2 * THREADS * ROUNDS as usize);
}
