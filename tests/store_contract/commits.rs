//! What a commit does, and what refuses it: rules 4 to 8.

use chatflow::store::{Commit, Committed, ConversationStore, Lease, Lookup, Settle, Settled};
use pollster::block_on;

use crate::store_kit::*;
use crate::{entry, other};

/// Rule 4.
pub(crate) fn a_refused_commit_writes_nothing(store: Asked<impl ConversationStore>) {
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
pub(crate) fn a_refused_commit_leaves_nothing_to_list(store: Asked<impl Store>) {
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
pub(crate) fn a_commit_applies_to_the_expected_revision_only(store: Asked<impl ConversationStore>) {
    assert_eq!(store.commit(commit("ann", Some(1))), Committed::Conflict);
    let first = store.apply(commit("ann", None));
    assert_eq!(store.commit(commit("ann", None)), Committed::Conflict);
    let second = store.apply(commit("ann", Some(first)));
    assert_eq!(store.commit(commit("ann", Some(first))), Committed::Conflict);
    store.apply(commit("ann", Some(second)));
}

/// Rule 5.
pub(crate) fn no_revision_comes_twice(store: Asked<impl ConversationStore>) {
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
pub(crate) fn a_taken_key_refuses_until_it_expires(store: Asked<impl ConversationStore>) {
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
pub(crate) fn a_key_belongs_to_workspace_and_flow(store: Asked<impl ConversationStore>) {
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
pub(crate) fn an_alias_of_another_contact_refuses(store: Asked<impl ConversationStore>) {
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
pub(crate) fn an_alias_is_dropped_only_by_whom_it_leads_to(store: Asked<impl ConversationStore>) {
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) });
    store.apply(Commit { drop_aliases: vec![phone(1), phone(2)], ..commit("bob", None) });
    assert_eq!(store.follow(phone(1)), Some(contact("ann")));
}

/// Rule 7.
pub(crate) fn many_aliases_are_added_at_once(store: Asked<impl ConversationStore>) {
    let aliases: Vec<_> = (0..20).map(phone).chain((0..20).map(session_alias)).collect();
    let revision = store.apply(Commit { add_aliases: aliases.clone(), ..commit("ann", None) });
    let taken = Commit { add_aliases: aliases.clone(), ..commit("bob", None) };
    assert!(matches!(store.commit(taken), Committed::AliasTaken { holder, .. } if holder == contact("ann")));
    assert!(aliases.iter().all(|alias| store.follow(alias.clone()) == Some(contact("ann"))));
    store.apply(Commit { drop_aliases: aliases.clone(), ..commit("ann", Some(revision)) });
    assert!(aliases.iter().all(|alias| store.follow(alias.clone()).is_none()));
}

/// Rule 8.
pub(crate) fn a_commit_ends_a_quarantine(store: Asked<impl ConversationStore>) {
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) });
    let aside = Settle { quarantine: true, ..settle("ann", 1, revision, 0) };
    assert_eq!(store.settle(&aside), Settled::Done);
    assert!(store.find("ann").unwrap().quarantined);
    store.apply(Commit { due_at: Some(at(1)), ..commit("ann", Some(revision)) });
    assert!(!store.find("ann").unwrap().quarantined);
    assert_eq!(store.claimed(&due(2, at(1))), ["ann"]);
}
