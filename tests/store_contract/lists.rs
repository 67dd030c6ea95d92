//! `StoreQueries`.

use chatflow::store::{
    Commit, ConversationQuery, JournalEntry, JournalQuery, Lookup, SessionQuery, Settle, Settled, Subject,
};
use chatflow::{FlowVersion, WorkspaceId};
use pollster::block_on;
use serde_json::json;

use crate::store_kit::*;
use crate::{entry, other};

fn query() -> SessionQuery {
    SessionQuery { workspace: shop(), flow: None, contact: None, live: None, after: None, limit: 100 }
}

/// Queries, rule 2.
pub(crate) fn sessions_are_listed_newest_first(store: Asked<impl Store>) {
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
pub(crate) fn a_session_is_found_live_and_ended(store: Asked<impl Store>) {
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
pub(crate) fn a_journal_is_read_in_order(store: Asked<impl Store>) {
    let revision = store.apply(Commit {
        journal: vec![entry(1, 1, at(0)), entry(2, 1, at(0)), entry(1, 2, at(0))],
        ..commit("ann", None)
    });
    store.apply(Commit { journal: vec![entry(1, 3, at(1))], ..commit("ann", Some(revision)) });
    let entries = block_on(store.0.journal(&shop(), session_id(1))).unwrap();
    assert_eq!(entries, [entry(1, 1, at(0)), entry(1, 2, at(0)), entry(1, 3, at(1))]);
}

/// Queries, rule 4.
pub(crate) fn a_flows_journal_is_read_by_version_and_time(store: Asked<impl Store>) {
    let changed = |number: u128, turn, seconds, change: serde_json::Value| -> JournalEntry {
        let mut json = serde_json::to_value(entry(number, turn, at(seconds))).unwrap();
        json.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value(json).unwrap()
    };
    let failure = json!({"failure": {"code": "call_failed", "node": "ask", "message": "no"}});
    store.apply(Commit {
        journal: vec![
            entry(2, 1, at(10)),
            entry(2, 2, at(20)),
            changed(1, 1, 10, json!({"version": 2})),
            changed(1, 2, 30, failure),
            changed(3, 1, 10, json!({"flow": "order"})),
        ],
        ..commit("ann", None)
    });
    store.apply(Commit { journal: vec![entry(4, 1, at(15))], ..commit("bob", None) });
    store.apply(Commit { workspace: other(), journal: vec![entry(5, 1, at(15))], ..commit("ann", None) });
    let all = JournalQuery {
        workspace: shop(),
        flow: flow("cart"),
        version: None,
        failed: false,
        from: at(0),
        to: at(99),
        after: None,
        limit: 100,
    };
    let read = |query: &JournalQuery| block_on(store.0.journal_of(query)).unwrap();
    let ids = |query: &JournalQuery| -> Vec<(u128, u32)> {
        read(query).iter().map(|entry| (entry.session.0.as_u128(), entry.seq)).collect()
    };
    let in_order = [(1, 1), (2, 1), (4, 1), (2, 2), (1, 2)];
    assert_eq!(ids(&all), in_order);
    assert_eq!(ids(&JournalQuery { version: Some(FlowVersion(2)), ..all.clone() }), [(1, 1)]);
    assert_eq!(ids(&JournalQuery { failed: true, ..all.clone() }), [(1, 2)]);
    assert_eq!(ids(&JournalQuery { from: at(15), to: at(30), ..all.clone() }), [(4, 1), (2, 2)]);
    assert_eq!(ids(&JournalQuery { workspace: other(), ..all.clone() }), [(5, 1)]);
    let mut paged = Vec::new();
    let mut after = None;
    while let Some(last) = {
        let page = read(&JournalQuery { after, limit: 2, ..all.clone() });
        paged.extend(page.iter().map(|entry| (entry.session.0.as_u128(), entry.seq)));
        page.last().map(|entry| (entry.at, entry.session, entry.seq))
    } {
        after = Some(last);
    }
    assert_eq!(paged, in_order);
}

/// Queries, rule 5.
pub(crate) fn conversations_with_dead_letters_and_set_aside_are_listed(store: Asked<impl Store>) {
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
pub(crate) fn another_workspace_sees_nothing(store: Asked<impl Store>) {
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
