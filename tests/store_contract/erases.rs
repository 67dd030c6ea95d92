//! Forgetting a contact: rules 22 and 23.

use chatflow::store::{
    Commit, Committed, ConversationStore, KeyRecord, Lease, Lookup, Removed, SessionQuery, Settle, Settled,
};
use pollster::block_on;

use crate::store_kit::*;
use crate::{entry, other, purge};

/// All that a store may have of a contact.
fn everything(name: &str) -> Commit {
    Commit {
        add_aliases: vec![phone(1), phone(2), session_alias(1), session_alias(2)],
        ended: vec![ended(name, 2, at(0), at(1))],
        journal: vec![entry(1, 1, at(0)), entry(1, 2, at(0)), entry(2, 1, at(0))],
        key: Some((key_name("cart", "event-1"), key_record(name, 1, at(50)))),
        due_at: Some(at(5)),
        lease: take(7),
        dead_letters: 1,
        ..commit(name, None)
    }
}

/// Rule 22, and rule 5 across it.
pub(crate) fn an_erased_contact_leaves_nothing_and_may_come_again(store: Asked<impl ConversationStore>) {
    store.apply(commit("bob", None));
    let revision = store.apply(everything("ann"));
    let removed = store.erase("ann", revision).unwrap();
    assert_eq!((removed.sessions, removed.keys), (1, 1));
    assert!(store.find("ann").is_none() && store.find("bob").is_some());
    for alias in [phone(1), phone(2), session_alias(1), session_alias(2)] {
        assert_eq!(store.follow(alias), None);
    }
    assert_eq!(store.erase("ann", revision), None, "it is not there");
    assert!(store.claimed(&due(9, at(500))).is_empty());
    assert_eq!(store.settle(&settle("ann", 7, revision, 9)), Settled::LeaseLost);
    let late = Commit { lease: Lease::Hold(token(7)), ..commit("ann", Some(revision)) };
    assert_eq!(store.commit(late), Committed::Conflict);
    assert_eq!(store.purge(&purge(49, 100)).sessions, 0);

    let again = Commit { add_aliases: vec![phone(1)], due_at: Some(at(600)), ..commit("ann", None) };
    let anew = store.apply(again);
    assert_ne!(anew, revision);
    assert_eq!(store.find("ann").unwrap().settled, 0);
    assert_eq!(store.follow(phone(1)), Some(contact("ann")));
    assert_eq!(store.claimed(&due(9, at(600))), ["ann"]);
    assert_eq!(store.commit(commit("ann", Some(revision))), Committed::Conflict);
}

/// Rule 22: whoever holds the lease, and set aside or not.
pub(crate) fn an_erase_is_for_the_revision_that_was_seen(store: Asked<impl ConversationStore>) {
    let first = store.apply(everything("ann"));
    let second = store.apply(commit("ann", Some(first)));
    assert_eq!(store.erase("ann", first), None);
    assert_eq!(store.erase("nobody", 1), None);
    assert_eq!((store.text("ann").as_deref(), store.follow(phone(2))), (Some("ann"), Some(contact("ann"))));
    let aside = Settle { quarantine: true, ..settle("ann", 7, second, 0) };
    assert_eq!(store.settle(&aside), Settled::Done);
    assert!(store.find("ann").unwrap().quarantined);
    assert!(store.erase("ann", second).is_some());
    assert!(store.find("ann").is_none());
}

/// Rule 23.
pub(crate) fn an_erased_contacts_keys_stay_without_their_contact(store: Asked<impl ConversationStore>) {
    let revision = store.apply(everything("ann"));
    let old = (key_name("cart", "old"), key_record("ann", 3, at(-1)));
    let revision = store.apply(Commit { key: Some(old), ..commit("ann", Some(revision)) });
    let bobs = (key_name("cart", "bobs"), key_record("bob", 4, at(50)));
    store.apply(Commit { key: Some(bobs), ..commit("bob", None) });
    assert_eq!(store.erase("ann", revision).unwrap().keys, 1, "one has expired");
    let find = |key: &str, seconds| {
        store.load(&Lookup { key: Some(key_name("cart", key)), now: at(seconds), ..by_contact("ann") }).key
    };
    assert_eq!(find("event-1", 49), Some(KeyRecord::erased(at(50))));
    assert_eq!((find("event-1", 50), find("old", 0)), (None, None));
    assert_eq!(find("bobs", 0), Some(key_record("bob", 4, at(50))));
    let again = |seconds| {
        let key = Some((key_name("cart", "event-1"), key_record("ann", 5, at(99))));
        store.commit(Commit { key, now: at(seconds), ..commit("ann", None) })
    };
    assert_eq!(again(49), Committed::KeyTaken);
    assert!(matches!(again(50), Committed::Applied { .. }));
    assert_eq!(find("event-1", 50), Some(key_record("ann", 5, at(99))));
    assert!(store.purge(&purge(98, 100)).keys >= 1, "bob's");
    assert_eq!((find("bobs", 0), find("event-1", 50).is_some()), (None, true));
}

/// Rules 1 and 22.
pub(crate) fn an_erased_contact_belongs_to_its_workspace(store: Asked<impl ConversationStore>) {
    store.apply(Commit { workspace: other(), ..everything("ann") });
    let revision = store.apply(everything("ann"));
    assert!(store.erase("ann", revision).is_some());
    let key = Some(key_name("cart", "event-1"));
    let found = store.load(&Lookup { workspace: other(), key, ..by_contact("ann") });
    assert!(found.conversation.is_some() && found.key == Some(key_record("ann", 1, at(50))));
    assert!(store.load(&Lookup { workspace: other(), ..by_alias(phone(1)) }).conversation.is_some());
}

/// Rule 22.
pub(crate) fn an_erase_removes_what_is_listed(store: Asked<impl Store>) {
    store.apply(Commit { ended: vec![ended("bob", 9, at(0), at(1))], ..commit("bob", None) });
    let revision = store.apply(everything("ann"));
    assert_eq!(store.erase("ann", revision), Some(Removed { sessions: 1, journal: 3, keys: 1 }));
    let turns = || block_on(store.0.journal(&shop(), session_id(1))).unwrap().len();
    assert_eq!(turns(), 0);
    assert!(block_on(store.0.session(&shop(), session_id(2))).unwrap().is_none());
    let all =
        SessionQuery { workspace: shop(), flow: None, contact: None, live: None, after: None, limit: 9 };
    assert_eq!(block_on(store.0.sessions(&all)).unwrap().len(), 1, "bob's");
    store.apply(Commit { key: None, ..everything("ann") });
    assert_eq!(turns(), 2);
    assert!(store.purge(&purge(9_999, 100)).journal == 3 && turns() == 0);
}
