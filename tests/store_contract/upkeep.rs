//! Dropped calls, purges, names, live sessions: rules 19 to 22.

use chatflow::store::{Commit, ConversationStore, Live, Lookup, Purged};
use chatflow::{Account, Address, Alias, Channel, FlowVersion};
use pollster::block_on;

use crate::store_kit::*;
use crate::{entry, other, purge};

/// Rule 19.
pub(crate) fn a_dropped_future_writes_nothing(store: Asked<impl ConversationStore>) {
    drop(store.0.commit(commit("ann", None)));
    assert!(store.find("ann").is_none());
}

/// Rule 20.
pub(crate) fn a_purge_removes_what_is_old_and_says_what_is_left(store: Asked<impl ConversationStore>) {
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
pub(crate) fn a_purge_removes_what_is_listed(store: Asked<impl Store>) {
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

/// Rule 21.
pub(crate) fn names_are_compared_byte_by_byte(store: Asked<impl ConversationStore>) {
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
pub(crate) fn live_sessions_are_counted_by_flow_and_version(store: Asked<impl ConversationStore>) {
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

/// Rule 24.
pub(crate) fn live_sessions_are_counted_by_the_flows_that_they_call(store: Asked<impl ConversationStore>) {
    let cart = session(1, "cart", 1, at(0));
    let nested = session_in(&cart, &[("cart", 1), ("menu", 2)], ("menu", 3));
    let replaced = session_in(&session(2, "order", 1, at(0)), &[], ("menu", 3));
    let record = record_with("ann", &[nested, replaced.clone(), session(3, "menu", 3, at(0))]);
    let revision = store.apply(Commit {
        record,
        called: vec![
            (
                session_id(1),
                vec![
                    (flow("cart"), FlowVersion(1)),
                    (flow("menu"), FlowVersion(2)),
                    (flow("menu"), FlowVersion(3)),
                ],
            ),
            (session_id(2), vec![(flow("menu"), FlowVersion(3))]),
        ],
        started: vec![
            (session_id(1), flow("cart"), FlowVersion(1)),
            (session_id(2), flow("order"), FlowVersion(1)),
            (session_id(3), flow("menu"), FlowVersion(3)),
        ],
        ..commit("ann", None)
    });
    let count = |code: &str, version: Option<u32>| {
        let version = version.map(FlowVersion);
        store.live(&Live { workspace: shop(), flow: flow(code), version, wake_at: None })
    };
    assert_eq!([count("cart", None), count("cart", Some(1)), count("order", None)], [1, 1, 1]);
    assert_eq!([count("menu", None), count("menu", Some(2)), count("menu", Some(3))], [3, 1, 3]);
    let back = record_with("ann", &[cart, replaced, session(3, "menu", 3, at(0))]);
    let called = vec![(session_id(1), vec![])];
    store.apply(Commit { record: back, called, ..commit("ann", Some(revision)) });
    assert_eq!([count("cart", None), count("menu", None), count("menu", Some(2))], [1, 2, 0]);
}

/// `live` with `wake_at`.
pub(crate) fn counted_conversations_are_woken(store: Asked<impl ConversationStore>) {
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
