//! The contract of `ConversationStore` and `StoreQueries`, rule by rule, on each store that is at hand.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../examples/own_store.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod own_store;
mod store_kit;

use std::panic::{AssertUnwindSafe, catch_unwind};

use chatflow::store::{
    Commit, Committed, ConversationQuery, ConversationStore, Due, JournalEntry, Lease, Live, Lookup, Purge,
    Purged, SessionQuery, Settle, Settled, Subject,
};
use chatflow::{Account, Address, Alias, Channel, FlowVersion, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use own_store::OwnStore;
use pollster::block_on;
use store_kit::*;

macro_rules! on {
    ($store:expr; $($check:ident),* $(,)?) => { $(#[test] fn $check() { crate::$check(crate::Asked($store)); })* };
}

/// Checks that need `ConversationStore` alone.
macro_rules! on_every_store {
    ($($check:ident),* $(,)?) => {
        mod kept {
            mod on_memory { on!(crate::memory(); $($check),*); }
            mod on_a_shared_one { on!(crate::shared(); $($check),*); }
            mod on_an_erased_one { on!(crate::erased(); $($check),*); }
            mod on_the_own_one_of_the_examples { on!(crate::OwnStore::default(); $($check),*); }
        }
    };
}

/// Checks that look into lists, or need a store that lends its only copy of a record.
macro_rules! on_stores_with_queries {
    ($($check:ident),* $(,)?) => {
        mod listed {
            mod on_memory { on!(crate::memory(); $($check),*); }
            mod on_a_shared_one { on!(crate::shared(); $($check),*); }
            mod on_an_erased_one { on!(crate::erased(); $($check),*); }
        }
    };
}

on_every_store! {
    a_conversation_is_found_by_contact_and_by_alias_in_its_workspace_only,
    record_revision_watermark_and_lease_are_read_together,
    a_key_is_answered_until_it_expires,
    a_refused_commit_writes_nothing,
    a_commit_applies_to_the_expected_revision_only,
    no_revision_comes_twice,
    a_taken_key_refuses_until_it_expires,
    a_key_belongs_to_workspace_and_flow,
    an_alias_of_another_contact_refuses,
    an_alias_is_dropped_only_by_whom_it_leads_to,
    many_aliases_are_added_at_once,
    a_commit_ends_a_quarantine,
    a_lease_ends_by_itself,
    a_lease_is_taken_if_it_is_free_and_renewed_by_its_token,
    hold_and_free_need_the_live_lease,
    due_conversations_are_claimed_oldest_first,
    a_conversation_is_claimed_by_one_token_while_its_lease_lives,
    claims_are_counted_until_there_is_progress,
    a_due_time_is_exact,
    the_next_due_time_is_never_late,
    a_due_time_may_move_either_way,
    the_watermark_never_sinks,
    a_settle_without_the_lease_changes_nothing,
    a_settle_on_another_revision_raises_the_watermark_only,
    a_repeated_settle_is_harmless,
    a_quarantined_conversation_is_not_due,
    a_dropped_future_writes_nothing,
    a_purge_removes_what_is_old_and_says_what_is_left,
    names_are_compared_byte_by_byte,
    live_sessions_are_counted_by_flow_and_version,
    counted_conversations_are_woken,
    an_update_that_decides_nothing_writes_nothing,
    an_update_in_place_hands_over_and_takes_back,
    an_update_may_commit_another_contact,
}

on_stores_with_queries! {
    a_refused_commit_leaves_nothing_to_list,
    a_purge_removes_what_is_listed,
    an_update_in_place_that_is_refused_sets_aside,
    an_update_in_place_that_panics_sets_aside,
    sessions_are_listed_newest_first,
    a_session_is_found_live_and_ended,
    a_journal_is_read_in_order,
    conversations_with_dead_letters_and_set_aside_are_listed,
    another_workspace_sees_nothing,
}

fn other() -> WorkspaceId {
    WorkspaceId::new("other").unwrap()
}

/// Rule 1.
fn a_conversation_is_found_by_contact_and_by_alias_in_its_workspace_only(
    store: Asked<impl ConversationStore>,
) {
    let named = Address::new(&Account::new(Channel::Web, "site").unwrap(), "visitor-1").unwrap();
    let aliases = vec![phone(1), Alias::Address(named), session_alias(1)];
    store.apply(Commit { add_aliases: aliases.clone(), ..commit("ann", None) });
    assert_eq!(store.text("ann").as_deref(), Some("ann"));
    assert!(store.find("bob").is_none());
    for alias in aliases {
        assert_eq!(store.follow(alias.clone()), Some(contact("ann")), "{alias}");
        let elsewhere = Lookup { workspace: other(), ..by_alias(alias) };
        assert!(store.load(&elsewhere).conversation.is_none());
    }
    assert!(store.follow(phone(2)).is_none());
    assert!(store.load(&Lookup { workspace: other(), ..by_contact("ann") }).conversation.is_none());
}

/// Rule 2.
fn record_revision_watermark_and_lease_are_read_together(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    assert_eq!(store.settle(&settle("ann", 1, revision + 1, 3)), Settled::Conflict { settled: 3 });
    let mine = store.load(&Lookup { token: token(1), ..by_contact("ann") }).conversation.unwrap();
    assert_eq!((mine.revision, mine.settled, mine.leased, mine.quarantined), (revision, 3, true, false));
    let anothers = store.find("ann").unwrap();
    assert_eq!((anothers.revision, anothers.settled, anothers.leased), (revision, 3, false));
}

/// Rule 3.
fn a_key_is_answered_until_it_expires(store: Asked<impl ConversationStore>) {
    let (name, record) = (key_name("cart", "k"), key_record("ann", 1, at(10)));
    store.apply(Commit { key: Some((name.clone(), record.clone())), ..commit("ann", None) });
    let asked = |who: &str, now| Lookup { key: Some(name.clone()), now, ..by_contact(who) };
    assert_eq!(store.load(&asked("ann", at_ms(9_999))).key, Some(record.clone()));
    assert_eq!(store.load(&asked("bob", at(0))).key, Some(record), "whoever asks");
    assert_eq!(store.load(&asked("ann", at(10))).key, None);
    assert_eq!(store.load(&by_contact("ann")).key, None, "it was not asked for");
}

/// Rule 4.
fn a_refused_commit_writes_nothing(store: Asked<impl ConversationStore>) {
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit("bob", None) });
    let key = (key_name("cart", "taken"), key_record("bob", 1, at(99)));
    store.apply(Commit { key: Some(key.clone()), ..commit("eve", None) });
    let revision = store.apply(commit("ann", None));
    let everything = || Commit {
        record: opaque("changed"),
        due_at: Some(at(0)),
        lease: take(1),
        key: Some((key_name("cart", "new"), key_record("ann", 2, at(99)))),
        add_aliases: vec![session_alias(2)],
        ended: vec![ended("ann", 3, at(0), at(0))],
        journal: vec![entry(3, 1, at(0))],
        ..commit("ann", Some(revision))
    };
    let aliases = vec![session_alias(2), phone(1)];
    for refused in [
        Commit { expect: None, ..everything() },
        Commit { lease: Lease::Hold(token(1)), ..everything() },
        Commit { key: Some(key), ..everything() },
        Commit { add_aliases: aliases, ..everything() },
    ] {
        assert!(!matches!(store.commit(refused), Committed::Applied { .. }));
        let seen = store.load(&Lookup { token: token(1), ..by_contact("ann") }).conversation.unwrap();
        assert_eq!((seen.revision, seen.leased, text_of(&seen.record)), (revision, false, "ann".to_owned()));
        let new_key = Lookup { key: Some(key_name("cart", "new")), ..by_contact("ann") };
        assert!(store.load(&new_key).key.is_none() && store.follow(session_alias(2)).is_none());
        assert!(store.claimed(&due(9, at(0))).is_empty());
    }
    store.apply(everything());
    assert_eq!(store.text("ann").as_deref(), Some("changed"));
}

/// Rule 4.
fn a_refused_commit_leaves_nothing_to_list(store: Asked<impl Store>) {
    let key = (key_name("cart", "taken"), key_record("bob", 1, at(99)));
    store.apply(Commit { add_aliases: vec![phone(1)], key: Some(key.clone()), ..commit("bob", None) });
    let with_past = || Commit {
        ended: vec![ended("ann", 3, at(0), at(0))],
        journal: vec![entry(3, 1, at(0))],
        ..commit("ann", None)
    };
    for refused in [
        Commit { expect: Some(9), ..with_past() },
        Commit { lease: Lease::Hold(token(1)), ..with_past() },
        Commit { key: Some(key), ..with_past() },
        Commit { add_aliases: vec![phone(1)], ..with_past() },
    ] {
        assert!(!matches!(store.commit(refused), Committed::Applied { .. }));
        assert!(block_on(store.0.session(&shop(), session_id(3))).unwrap().is_none());
        assert!(block_on(store.0.journal(&shop(), session_id(3))).unwrap().is_empty());
    }
    store.apply(with_past());
    assert!(block_on(store.0.session(&shop(), session_id(3))).unwrap().is_some());
    assert_eq!(block_on(store.0.journal(&shop(), session_id(3))).unwrap().len(), 1);
}

/// Rule 5.
fn a_commit_applies_to_the_expected_revision_only(store: Asked<impl ConversationStore>) {
    assert_eq!(store.commit(commit("ann", Some(1))), Committed::Conflict);
    let first = store.apply(commit("ann", None));
    assert_eq!(store.commit(commit("ann", None)), Committed::Conflict);
    let second = store.apply(commit("ann", Some(first)));
    assert_eq!(store.commit(commit("ann", Some(first))), Committed::Conflict);
    store.apply(commit("ann", Some(second)));
}

/// Rule 5.
fn no_revision_comes_twice(store: Asked<impl ConversationStore>) {
    let mut seen = vec![store.apply(commit("ann", None))];
    for _ in 0..20 {
        store.apply(commit(&format!("bystander {}", seen.len()), None));
        seen.push(store.apply(commit("ann", seen.last().copied())));
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

/// Rule 6.
fn a_taken_key_refuses_until_it_expires(store: Asked<impl ConversationStore>) {
    let with_key = |who: &str, session, now, until| Commit {
        key: Some((key_name("cart", "k"), key_record(who, session, until))),
        now,
        ..commit(who, None)
    };
    store.apply(with_key("ann", 1, at(0), at(10)));
    assert_eq!(store.commit(with_key("bob", 2, at_ms(9_999), at(30))), Committed::KeyTaken);
    store.apply(with_key("bob", 2, at(10), at(30)));
    let found = store.load(&Lookup { key: Some(key_name("cart", "k")), now: at(10), ..by_contact("ann") });
    assert_eq!(found.key, Some(key_record("bob", 2, at(30))));
    assert_eq!(store.commit(with_key("eve", 3, at(29), at(99))), Committed::KeyTaken);
}

/// Rule 6.
fn a_key_belongs_to_workspace_and_flow(store: Asked<impl ConversationStore>) {
    let record = key_record("eve", 1, at(10));
    let with = |who: &str, flow: &str, key: &str| Commit {
        key: Some((key_name(flow, key), record.clone())),
        ..commit(who, None)
    };
    store.apply(with("ann", "cart", "k"));
    store.apply(with("bob", "car", "tk"));
    store.apply(with("cid", "order", "k"));
    store.apply(Commit { workspace: other(), ..with("ann", "cart", "k") });
    let asked = Lookup { key: Some(key_name("cart", "k")), ..by_contact("ann") };
    assert_eq!(store.load(&asked).key, Some(record), "the record is answered as it was given");
}

/// Rule 7.
fn an_alias_of_another_contact_refuses(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) });
    let second = Commit { add_aliases: vec![session_alias(9), phone(1)], ..commit("bob", None) };
    let taken = Committed::AliasTaken { alias: phone(1), holder: contact("ann") };
    assert_eq!(store.commit(second.clone()), taken);
    assert!(store.find("bob").is_none() && store.follow(session_alias(9)).is_none());
    let mut again = commit("ann", Some(revision));
    again.add_aliases = vec![phone(1)];
    let revision = store.apply(again);
    store.apply(Commit { workspace: other(), ..second.clone() });
    store.apply(Commit { drop_aliases: vec![phone(1)], ..commit("ann", Some(revision)) });
    assert_eq!(store.follow(phone(1)), None);
    store.apply(second);
    assert_eq!(store.follow(phone(1)), Some(contact("bob")));
}

/// Rule 7.
fn an_alias_is_dropped_only_by_whom_it_leads_to(store: Asked<impl ConversationStore>) {
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) });
    store.apply(Commit { drop_aliases: vec![phone(1), phone(2)], ..commit("bob", None) });
    assert_eq!(store.follow(phone(1)), Some(contact("ann")));
}

/// Rule 7.
fn many_aliases_are_added_at_once(store: Asked<impl ConversationStore>) {
    let aliases: Vec<_> = (0..20).map(phone).chain((0..20).map(session_alias)).collect();
    let revision = store.apply(Commit { add_aliases: aliases.clone(), ..commit("ann", None) });
    let taken = Commit { add_aliases: aliases.clone(), ..commit("bob", None) };
    assert!(matches!(store.commit(taken), Committed::AliasTaken { holder, .. } if holder == contact("ann")));
    assert!(aliases.iter().all(|alias| store.follow(alias.clone()) == Some(contact("ann"))));
    store.apply(Commit { drop_aliases: aliases.clone(), ..commit("ann", Some(revision)) });
    assert!(aliases.iter().all(|alias| store.follow(alias.clone()).is_none()));
}

/// Rule 8.
fn a_commit_ends_a_quarantine(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    let aside = Settle { quarantine: true, ..settle("ann", 1, revision, 0) };
    assert_eq!(store.settle(&aside), Settled::Done);
    assert!(store.find("ann").unwrap().quarantined);
    store.apply(Commit { due_at: Some(at(1)), ..commit("ann", Some(revision)) });
    assert!(!store.find("ann").unwrap().quarantined);
    assert_eq!(store.claimed(&due(2, at(1))), ["ann"]);
}

/// Rule 9.
fn a_lease_ends_by_itself(store: Asked<impl ConversationStore>) {
    store.apply(Commit { lease: take(1), due_at: Some(at(5)), ..commit("ann", None) });
    let seen = |seconds| Lookup { token: token(1), now: at(seconds), ..by_contact("ann") };
    assert!(store.load(&seen(29)).conversation.unwrap().leased);
    assert!(!store.load(&seen(30)).conversation.unwrap().leased);
    assert!(store.claimed(&due(2, at(29))).is_empty());
    assert_eq!(store.claimed(&due(2, at(30))), ["ann"]);
}

/// Rule 10.
fn a_lease_is_taken_if_it_is_free_and_renewed_by_its_token(store: Asked<impl ConversationStore>) {
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
fn hold_and_free_need_the_live_lease(store: Asked<impl ConversationStore>) {
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
fn due_conversations_are_claimed_oldest_first(store: Asked<impl ConversationStore>) {
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
fn a_conversation_is_claimed_by_one_token_while_its_lease_lives(store: Asked<impl ConversationStore>) {
    store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) });
    assert_eq!(store.claimed(&due(1, at(1))), ["ann"]);
    assert!(store.claimed(&due(2, at(1))).is_empty());
    assert!(store.claimed(&due(1, at(30))).is_empty());
    assert_eq!(store.claimed(&due(2, at(31))), ["ann"]);
    assert_eq!(store.settle(&Settle { now: at(31), ..settle("ann", 1, 1, 1) }), Settled::LeaseLost);
}

/// Rule 12.
fn claims_are_counted_until_there_is_progress(store: Asked<impl ConversationStore>) {
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
fn a_due_time_is_exact(store: Asked<impl ConversationStore>) {
    let instant = at_ms(1_500) + TimeDelta::nanoseconds(5);
    store.apply(Commit { due_at: Some(instant), ..commit("ann", None) });
    for early in [at(1), at_ms(1_500), instant - TimeDelta::nanoseconds(1)] {
        assert!(store.claimed(&due(1, early)).is_empty());
    }
    assert_eq!(store.claimed(&due(1, instant)), ["ann"]);
}

/// Rule 12.
fn the_next_due_time_is_never_late(store: Asked<impl ConversationStore>) {
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
fn a_due_time_may_move_either_way(store: Asked<impl ConversationStore>) {
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

/// Rule 13.
fn the_watermark_never_sinks(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    assert_eq!(store.settle(&settle("ann", 1, revision + 9, 5)), Settled::Conflict { settled: 5 });
    assert_eq!(store.settle(&settle("ann", 1, revision + 9, 3)), Settled::Conflict { settled: 5 });
    let held = store.commit(Commit { lease: Lease::Hold(token(1)), ..commit("ann", Some(revision)) });
    let Committed::Applied { revision, settled: 5, .. } = held else { panic!("{held:?}") };
    assert_eq!(store.settle(&settle("ann", 1, revision, 4)), Settled::Done);
    assert_eq!(store.find("ann").unwrap().settled, 5);
}

/// Rule 14.
fn a_settle_without_the_lease_changes_nothing(store: Asked<impl ConversationStore>) {
    assert_eq!(store.settle(&settle("ann", 1, 1, 1)), Settled::LeaseLost);
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    let wrong = Settle { quarantine: true, ..settle("ann", 2, revision, 5) };
    assert_eq!(store.settle(&wrong), Settled::LeaseLost);
    assert_eq!(store.settle(&Settle { now: at(30), ..settle("ann", 1, revision, 5) }), Settled::LeaseLost);
    let seen = store.find("ann").unwrap();
    assert_eq!((seen.settled, seen.quarantined), (0, false));
}

/// Rule 15.
fn a_settle_on_another_revision_raises_the_watermark_only(store: Asked<impl ConversationStore>) {
    let old = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    let new = store.apply(Commit { due_at: Some(at(500)), ..commit("ann", Some(old)) });
    let stale = Settle { due_at: Some(at(1)), quarantine: true, ..settle("ann", 1, old, 2) };
    assert_eq!(store.settle(&stale), Settled::Conflict { settled: 2 });
    let seen = store.load(&Lookup { token: token(1), ..by_contact("ann") }).conversation.unwrap();
    assert_eq!((seen.leased, seen.settled, seen.quarantined), (true, 2, false));
    assert_eq!(store.settle(&Settle { due_at: Some(at(40)), ..settle("ann", 1, new, 3) }), Settled::Done);
    assert!(store.claimed(&due(2, at(39))).is_empty());
    assert_eq!(store.claimed(&due(2, at(40))), ["ann"]);
}

/// Rule 16.
fn a_repeated_settle_is_harmless(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    let once = Settle { due_at: Some(at(9)), ..settle("ann", 1, revision, 2) };
    assert_eq!(store.settle(&once), Settled::Done);
    assert_eq!(store.settle(&once), Settled::LeaseLost);
    assert_eq!(store.find("ann").unwrap().settled, 2);
    assert_eq!(store.claimed(&due(2, at(9))), ["ann"]);
}

/// Rule 17.
fn a_quarantined_conversation_is_not_due(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) });
    assert_eq!(store.claimed(&due(1, at(0))), ["ann"]);
    let aside = Settle { due_at: Some(at(1)), quarantine: true, ..settle("ann", 1, revision, 0) };
    assert_eq!(store.settle(&aside), Settled::Done);
    assert!(store.claimed(&due(2, at(9_999))).is_empty());
    let seen = store.find("ann").unwrap();
    assert_eq!((seen.quarantined, text_of(&seen.record).as_str()), (true, "ann"));
}

/// Rule 19.
fn a_dropped_future_writes_nothing(store: Asked<impl ConversationStore>) {
    drop(store.0.commit(commit("ann", None)));
    assert!(store.find("ann").is_none());
}

fn entry(session: u128, turn: u32, at: DateTime<Utc>) -> JournalEntry {
    JournalEntry {
        session: session_id(session),
        contact: contact("ann"),
        flow: flow("cart"),
        version: FlowVersion(1),
        turn,
        at,
        input: "reply".into(),
        steps: Vec::new(),
    }
}

/// Rule 20.
fn a_purge_removes_what_is_old_and_says_what_is_left(store: Asked<impl ConversationStore>) {
    let mut revision = None;
    for (number, seconds) in [(1, 10), (2, 20), (3, 30), (4, 5_000)] {
        revision = Some(store.apply(Commit {
            key: Some((key_name("cart", &number.to_string()), key_record("ann", number, at(seconds)))),
            add_aliases: vec![session_alias(number)],
            ended: vec![ended("ann", number, at(0), at(seconds))],
            ..commit("ann", revision)
        }));
    }
    assert!((1..=4).all(|number| store.follow(session_alias(number)).is_some()), "until it is purged");
    let removed = |keys, sessions, more| Purged { keys, sessions, journal: 0, more };
    assert_eq!(store.purge(&purge(30, 1)), removed(1, 1, true));
    assert_eq!(store.purge(&purge(30, 100)), removed(2, 1, false));
    assert_eq!(store.purge(&purge(30, 100)), removed(0, 0, false));
    let left: Vec<_> = (1..=4).filter(|number| store.follow(session_alias(*number)).is_some()).collect();
    assert_eq!(left, [3, 4]);
    assert_eq!(store.purge(&purge(9_999, 100)), removed(1, 2, false));
    assert!(store.find("ann").is_some(), "a conversation is kept");
}

/// Rule 20.
fn a_purge_removes_what_is_listed(store: Asked<impl Store>) {
    for (number, seconds) in [(1, 10), (2, 20), (3, 30), (4, 5_000)] {
        store.apply(Commit {
            ended: vec![ended("ann", number, at(0), at(seconds))],
            journal: vec![entry(1, number as u32, at(seconds)), entry(number + 10, 1, at(seconds))],
            ..commit(&format!("contact {number}"), None)
        });
    }
    let removed = |sessions, journal, more| Purged { keys: 0, sessions, journal, more };
    assert_eq!(store.purge(&purge(30, 1)), removed(1, 1, true));
    assert_eq!(store.purge(&purge(30, 100)), removed(1, 3, false));
    assert!(block_on(store.0.session(&shop(), session_id(2))).unwrap().is_none());
    assert!(block_on(store.0.session(&shop(), session_id(3))).unwrap().is_some());
    let turns = block_on(store.0.journal(&shop(), session_id(1))).unwrap();
    assert_eq!(turns.iter().map(|entry| entry.turn).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(store.purge(&purge(9_999, 100)), removed(2, 4, false));
}

/// All that is older than this many seconds.
fn purge(seconds: i64, limit: usize) -> Purge {
    Purge { now: at(seconds), ended_before: at(seconds), journal_before: at(seconds), limit }
}

/// Rule 21.
fn names_are_compared_byte_by_byte(store: Asked<impl ConversationStore>) {
    let names = ["ann", "Ann", "ann ", "a%", "a_", "Ä", "A\u{308}", "ß", "'; --", "\u{1f600}", "\\"];
    let site = Account::new(Channel::Web, "site").unwrap();
    for (number, name) in names.iter().enumerate() {
        let alias = Alias::Address(Address::new(&site, name).unwrap());
        let key = (key_name(name, name), key_record(name, number as u128, at(99)));
        store.apply(Commit { add_aliases: vec![alias], key: Some(key), ..commit(name, None) });
    }
    for (number, name) in names.iter().enumerate() {
        let alias = Alias::Address(Address::new(&site, name).unwrap());
        let found = store.load(&Lookup { key: Some(key_name(name, name)), ..by_alias(alias) });
        assert_eq!(found.conversation.map(|stored| stored.contact), Some(contact(name)));
        assert_eq!(found.key, Some(key_record(name, number as u128, at(99))));
    }
}

/// `live`.
fn live_sessions_are_counted_by_flow_and_version(store: Asked<impl ConversationStore>) {
    let sessions =
        [session(1, "cart", 1, at(0)), session(2, "cart", 2, at(0)), session(3, "order", 1, at(0))];
    store.apply(Commit { record: record_with("ann", &sessions), ..commit("ann", None) });
    store.apply(Commit { record: record_with("bob", &sessions[..1]), ..commit("bob", None) });
    store.apply(commit("unreadable", None));
    let count = |code: &str, version: Option<u32>| {
        let version = version.map(FlowVersion);
        store.live(&Live { workspace: shop(), flow: flow(code), version, wake_at: None })
    };
    assert_eq!([count("cart", None), count("cart", Some(1)), count("cart", Some(2))], [3, 2, 1]);
    assert_eq!([count("order", None), count("none", None)], [1, 0]);
    assert_eq!(store.live(&Live { workspace: other(), flow: flow("cart"), version: None, wake_at: None }), 0);
}

/// `live` with `wake_at`.
fn counted_conversations_are_woken(store: Asked<impl ConversationStore>) {
    let with = |name: &str, code: &str, number| Commit {
        record: record_with(name, &[session(number, code, 1, at(0))]),
        due_at: Some(at(1_000)),
        ..commit(name, None)
    };
    store.apply(with("ann", "cart", 1));
    store.apply(with("bob", "order", 2));
    store.apply(Commit { due_at: Some(at(2)), ..with("cid", "cart", 3) });
    store.apply(Commit { lease: take(1), ..with("dan", "cart", 4) });
    let wake = Live { workspace: shop(), flow: flow("cart"), version: None, wake_at: Some(at(5)) };
    assert_eq!(store.live(&wake), 3);
    assert!(store.claimed(&due(2, at(1))).is_empty());
    assert_eq!(store.claimed(&due(2, at(2))), ["cid"], "what is due earlier stays so");
    assert_eq!(store.claimed(&due(3, at(5))), ["ann"]);
    assert_eq!(store.claimed(&due(4, at(30))), ["dan"], "once its lease is over");
}

/// `update`.
fn an_update_that_decides_nothing_writes_nothing(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) });
    for in_place in [false, true] {
        for lookup in [by_contact("ann"), by_alias(phone(1)), by_contact("bob"), by_alias(phone(2))] {
            let lookup = Lookup { in_place, ..lookup };
            assert!(store.update(&lookup, |_| None).unwrap().is_none());
        }
    }
    let seen = store.find("ann").unwrap();
    assert_eq!((seen.revision, text_of(&seen.record).as_str()), (revision, "ann"));
    assert!(!seen.quarantined && store.find("bob").is_none());
}

/// `update` in place.
fn an_update_in_place_hands_over_and_takes_back(store: Asked<impl ConversationStore>) {
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) });
    for round in 0..3 {
        let lookup = Lookup { in_place: true, ..by_alias(phone(1)) };
        let committed = store.update(&lookup, |loaded| {
            let stored = loaded.conversation.take()?;
            let grown = format!("{}+{round}", text_of(&stored.record));
            Some(Commit { record: opaque(&grown), lease: take(1), ..commit("ann", Some(stored.revision)) })
        });
        assert!(matches!(committed, Ok(Some(Committed::Applied { leased: true, .. }))), "{committed:?}");
    }
    assert_eq!(store.text("ann").as_deref(), Some("ann+0+1+2"));
    let made = store
        .update(&Lookup { in_place: true, ..by_contact("bob") }, |loaded| {
            assert!(loaded.conversation.is_none());
            Some(commit("bob", None))
        })
        .unwrap();
    assert!(matches!(made, Some(Committed::Applied { .. })));
}

/// `update` in place. A store with another copy of the record may refuse as ever; one without sets aside.
fn an_update_in_place_that_is_refused_sets_aside(store: Asked<impl Store>) {
    let revision = store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) });
    let lookup = Lookup { in_place: true, ..by_contact("ann") };
    let refused = store.update(&lookup, |loaded| {
        let stored = loaded.conversation.take()?;
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

/// `update` in place: a decision that panics harms this conversation only.
fn an_update_in_place_that_panics_sets_aside(store: Asked<impl Store>) {
    let revision = store.apply(commit("ann", None));
    let lookup = Lookup { in_place: true, ..by_contact("ann") };
    let panicked =
        catch_unwind(AssertUnwindSafe(|| store.update(&lookup, |_| panic!("as the test wants it"))));
    assert!(panicked.is_err());
    assert!(store.find("ann").unwrap().quarantined);
    store.apply(commit("ann", Some(revision)));
    assert_eq!(store.text("ann").as_deref(), Some("ann"));
}

/// `update`.
fn an_update_may_commit_another_contact(store: Asked<impl ConversationStore>) {
    store.apply(commit("ann", None));
    for (lookup, name) in
        [(by_contact("ann"), "bob"), (by_contact("cid"), "dan"), (by_alias(phone(1)), "eve")]
    {
        let committed = store.update(&lookup, |_| Some(commit(name, None))).unwrap();
        assert!(matches!(committed, Some(Committed::Applied { .. })));
        assert_eq!(store.text(name).as_deref(), Some(name));
    }
    let elsewhere =
        store.update(&by_contact("ann"), |_| Some(Commit { workspace: other(), ..commit("ann", None) }));
    assert!(matches!(elsewhere, Ok(Some(Committed::Applied { .. }))));
    assert_eq!(store.text("ann").as_deref(), Some("ann"));
    assert!(store.find("cid").is_none());
}

fn query() -> SessionQuery {
    SessionQuery { workspace: shop(), flow: None, contact: None, live: None, after: None, limit: 100 }
}

/// Queries, rule 2.
fn sessions_are_listed_newest_first(store: Asked<impl Store>) {
    let ids = |query: &SessionQuery| -> Vec<u128> {
        let found = block_on(store.0.sessions(query)).unwrap();
        found.iter().map(|record| record.session().id().0.as_u128()).collect()
    };
    store.apply(Commit {
        record: record_with("ann", &[session(1, "cart", 1, at(10)), session(2, "order", 1, at(40))]),
        ended: vec![ended("ann", 3, at(20), at(50)), ended("ann", 4, at(40), at(60))],
        ..commit("ann", None)
    });
    store.apply(Commit {
        record: record_with("bob", &[session(5, "cart", 1, at(30))]),
        ..commit("bob", None)
    });
    store.apply(commit("unreadable", None));
    assert_eq!(ids(&query()), [4, 2, 5, 3, 1]);
    assert_eq!(ids(&SessionQuery { live: Some(true), ..query() }), [2, 5, 1]);
    assert_eq!(ids(&SessionQuery { live: Some(false), ..query() }), [4, 3]);
    assert_eq!(ids(&SessionQuery { flow: Some(flow("order")), ..query() }), [2]);
    assert_eq!(ids(&SessionQuery { contact: Some(contact("bob")), ..query() }), [5]);
    assert!(ids(&SessionQuery { limit: 0, ..query() }).is_empty());
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = block_on(store.0.sessions(&SessionQuery { after, limit: 2, ..query() })).unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.session().started_at(), last.session().id()));
        paged.extend(page.iter().map(|record| record.session().id().0.as_u128()));
    }
    assert_eq!(paged, [4, 2, 5, 3, 1]);
}

/// Queries.
fn a_session_is_found_live_and_ended(store: Asked<impl Store>) {
    let revision = store.apply(Commit {
        record: record_with("ann", &[session(1, "cart", 1, at(10))]),
        add_aliases: vec![session_alias(1)],
        ..commit("ann", None)
    });
    let found = || block_on(store.0.session(&shop(), session_id(1))).unwrap().unwrap();
    assert!(found().session().status().is_live() && *found().contact() == contact("ann"));
    store.apply(Commit { ended: vec![ended("ann", 1, at(10), at(20))], ..commit("ann", Some(revision)) });
    assert_eq!(found().session().ended_at(), Some(at(20)));
    assert!(block_on(store.0.session(&shop(), session_id(2))).unwrap().is_none());
}

/// Queries, rule 3.
fn a_journal_is_read_in_order(store: Asked<impl Store>) {
    let revision = store.apply(Commit {
        journal: vec![entry(1, 1, at(0)), entry(2, 1, at(0)), entry(1, 2, at(0))],
        ..commit("ann", None)
    });
    store.apply(Commit { journal: vec![entry(1, 3, at(1))], ..commit("ann", Some(revision)) });
    let entries = block_on(store.0.journal(&shop(), session_id(1))).unwrap();
    assert_eq!(entries, [entry(1, 1, at(0)), entry(1, 2, at(0)), entry(1, 3, at(1))]);
}

/// Queries, rule 4.
fn conversations_with_dead_letters_and_set_aside_are_listed(store: Asked<impl Store>) {
    for name in ["d", "a", "c", "b", "e"] {
        let dead_letters = u32::from(name != "c");
        let revision = store.apply(Commit { dead_letters, lease: take(1), ..commit(name, None) });
        let quarantine = name >= "c";
        assert_eq!(store.settle(&Settle { quarantine, ..settle(name, 1, revision, 0) }), Settled::Done);
    }
    let names = |quarantined, after: Option<&str>, limit| -> Vec<String> {
        let query = ConversationQuery { workspace: shop(), quarantined, after: after.map(contact), limit };
        let found = block_on(store.0.conversations(&query)).unwrap();
        found.iter().map(|(_, record)| text_of(record)).collect()
    };
    assert_eq!(names(false, None, 9), ["a", "b", "d", "e"]);
    assert_eq!(names(false, Some("a"), 2), ["b", "d"]);
    assert_eq!(names(true, None, 9), ["c", "d", "e"]);
    assert_eq!(names(true, Some("d"), 9), ["e"]);
}

/// Queries, rule 1.
fn another_workspace_sees_nothing(store: Asked<impl Store>) {
    let fill = |workspace: WorkspaceId, name: &str| Commit {
        workspace,
        record: record_with(name, &[session(1, "cart", 1, at(0))]),
        add_aliases: vec![session_alias(1), session_alias(2), phone(1)],
        ended: vec![ended(name, 2, at(0), at(1))],
        journal: vec![entry(1, 1, at(0))],
        dead_letters: 1,
        ..commit(name, None)
    };
    store.apply(fill(other(), "bob"));
    let sees_nothing = || {
        block_on(store.0.sessions(&query())).unwrap().is_empty()
            && block_on(store.0.session(&shop(), session_id(1))).unwrap().is_none()
            && block_on(store.0.session(&shop(), session_id(2))).unwrap().is_none()
            && block_on(store.0.journal(&shop(), session_id(1))).unwrap().is_empty()
            && block_on(store.0.conversations(&ConversationQuery {
                workspace: shop(),
                quarantined: false,
                after: None,
                limit: 9,
            }))
            .unwrap()
            .is_empty()
    };
    assert!(sees_nothing(), "the workspace is not known at all");
    store.apply(commit("eve", None));
    assert!(sees_nothing());
    store.apply(fill(shop(), "ann"));
    let found = block_on(store.0.session(&shop(), session_id(2))).unwrap().unwrap();
    assert_eq!(*found.contact(), contact("ann"));
    let elsewhere = Lookup { workspace: other(), subject: Subject::Alias(phone(1)), ..by_contact("x") };
    assert_eq!(store.load(&elsewhere).conversation.unwrap().contact, contact("bob"));
}
