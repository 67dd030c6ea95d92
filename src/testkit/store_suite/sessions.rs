//! Lists of sessions and of conversations: rules 1, 2 and 5 of [`StoreQueries`], and what
//! purge and erase remove from them.

use serde_json::{Value, json};

use crate::id::NodeId;
use crate::session::{FailureCode, Session, Status, encode_session};
use crate::store::{
    Commit, Committed, ConversationQuery, ConversationStore, Erase, Lease, Removed, SessionQuery,
    SessionRecord, Settle, Settled, StoreQueries,
};
use crate::testkit::store_suite::erasing::everything;
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// All sessions of the shop.
fn all() -> SessionQuery {
    SessionQuery::new(shop(), 100)
}

fn set_aside(quarantined: bool, after: Option<&str>, limit: usize) -> ConversationQuery {
    ConversationQuery { workspace: shop(), quarantined, after: after.map(contact), limit }
}

fn numbers(found: &[SessionRecord]) -> Vec<u128> {
    found.iter().map(|record| record.session().id().0.as_u128()).collect()
}

async fn ids<S: StoreQueries>(store: &TrustedStore<S>, query: &SessionQuery) -> Vec<u128> {
    numbers(&store.sessions(query).await)
}

/// Sessions of ann and bob; newest first they are 4, 2, 5, 3, 1.
async fn fill<S: ConversationStore>(store: &TrustedStore<S>) {
    let live = [session(1, "cart", 1, at(10)), session(2, "order", 1, at(40))];
    let past = vec![ended("ann", 3, at(20), at(50)), ended("ann", 4, at(40), at(60))];
    store.apply(Commit { ended: past.into(), ..commit_with("ann", None, &live) }).await;
    store.apply(commit_with("bob", None, &[session(5, "cart", 1, at(30))])).await;
    store.apply(commit("unreadable", None)).await;
}

/// Rule 2: live and ended together.
pub async fn sessions_are_listed_newest_first(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    fill(&store).await;
    assert_eq!(ids(&store, &all()).await, [4, 2, 5, 3, 1]);
    assert!(ids(&store, &SessionQuery { limit: 0, ..all() }).await.is_empty());
    assert_eq!(ids(&store, &SessionQuery { limit: 3, ..all() }).await, [4, 2, 5]);
}

/// Rule 2: by flow, by contact, live or ended, and all of these.
pub async fn sessions_are_listed_as_asked(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    fill(&store).await;
    assert_eq!(ids(&store, &SessionQuery { live: Some(true), ..all() }).await, [2, 5, 1]);
    assert_eq!(ids(&store, &SessionQuery { live: Some(false), ..all() }).await, [4, 3]);
    assert_eq!(ids(&store, &SessionQuery { flow: Some(flow("order")), ..all() }).await, [2]);
    let bobs = SessionQuery { contact: Some(contact("bob")), ..all() };
    assert_eq!(ids(&store, &bobs).await, [5]);
    let anns = SessionQuery { contact: Some(contact("ann")), flow: Some(flow("cart")), ..all() };
    assert_eq!(ids(&store, &anns).await, [4, 3, 1]);
    assert_eq!(ids(&store, &SessionQuery { live: Some(true), ..anns.clone() }).await, [1]);
    assert_eq!(ids(&store, &SessionQuery { limit: 1, live: Some(false), ..anns }).await, [4]);
    let nobody = SessionQuery { contact: Some(contact("nobody")), ..all() };
    assert!(ids(&store, &nobody).await.is_empty());
}

/// Rule 7: the sessions of `sessions`, each with its contact or without; never with another's,
/// never with one that no longer exists.
pub async fn sessions_are_listed_with_their_own_contacts(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    fill(&store).await;
    for query in [all(), SessionQuery { live: Some(false), ..all() }, SessionQuery { limit: 2, ..all() }] {
        let listed = store.with_contacts(&query).await;
        let records: Vec<SessionRecord> = listed.iter().map(|listed| listed.record.clone()).collect();
        assert_eq!(numbers(&records), ids(&store, &query).await);
        let answers = listed.iter().filter(|listed| listed.contact.is_some()).count();
        assert!(answers == 0 || answers == listed.len(), "some contacts are there, and some are not");
        for listed in listed.iter().filter(|listed| listed.contact.is_some()) {
            let contact = listed.contact.as_ref().map(|contact| &contact.id);
            assert_eq!(contact, Some(listed.record.contact()));
        }
    }
}

/// A session of `cart` that differs from others of its kind by these fields of its stored form.
fn with(session: &Session, fields: &Value) -> Session {
    let mut json = serde_json::to_value(session).unwrap();
    let fields = fields.as_object().into_iter().flatten();
    fields.for_each(|(name, value)| json[name.as_str()] = value.clone());
    serde_json::from_value(json).unwrap()
}

fn past(name: &str, session: &Session) -> SessionRecord {
    SessionRecord::from_bytes(contact(name), &encode_session(session).unwrap()).unwrap()
}

/// Rule 2: by status, time, node, failure, since when it has been where it is, and what is overdue;
/// in pages of each size, although most sessions do not match.
pub async fn sessions_are_narrowed_as_asked(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    for (number, name) in (0..12).zip((b'a'..).map(|letter| char::from(letter).to_string())) {
        let start = at(i64::try_from(number).unwrap() * 10);
        let live = session(number * 2 + 100, "cart", 1, start);
        let past = vec![ended(&name, number * 2 + 101, start, at(500))];
        store.apply(Commit { ended: past.into(), ..commit_with(&name, None, &[live]) }).await;
    }
    let calling = with(&session(1, "cart", 1, at(5)), &json!({"status": "calling", "node": "call"}));
    let parked = with(&session(2, "cart", 1, at(15)), &json!({"parked_at": at(400), "node": "pay"}));
    let late = with(&session(3, "cart", 1, at(25)), &json!({"deadline": at(300), "expires_at": at(350)}));
    let mut failed = json!({"status": "failed", "ended_at": at(600), "node": "pay"});
    failed["rare"] = json!({"failure": {"code": "variables", "node": "pay", "message": "too large"}});
    let failed = with(&session(4, "cart", 1, at(35)), &failed);
    let ended = vec![past("zed", &failed)];
    store.apply(Commit { ended: ended.into(), ..commit_with("zed", None, &[calling, parked, late]) }).await;

    let node = |name: &str| Some(NodeId::new(name).unwrap());
    let narrow = [
        (SessionQuery { statuses: vec![Status::Calling], ..all() }, vec![1]),
        (SessionQuery { statuses: vec![Status::Failed, Status::Calling], ..all() }, vec![4, 1]),
        (SessionQuery { node: node("pay"), ..all() }, vec![4, 2]),
        (SessionQuery { node: node("pay"), live: Some(true), flow: Some(flow("cart")), ..all() }, vec![2]),
        (SessionQuery { failure: Some(FailureCode::Variables), ..all() }, vec![4]),
        (SessionQuery { failure: Some(FailureCode::NodesPerTurn), ..all() }, vec![]),
        (SessionQuery { stuck_since: Some(at(6)), ..all() }, vec![1, 100]),
        (SessionQuery { overdue_at: Some(at(299)), ..all() }, vec![]),
        (SessionQuery { overdue_at: Some(at(300)), ..all() }, vec![3]),
        (SessionQuery { ended_from: Some(at(600)), ended_to: Some(at(601)), ..all() }, vec![4]),
        (SessionQuery { ended_to: Some(at(500)), ..all() }, vec![]),
        (SessionQuery { started_from: Some(at(105)), ..all() }, vec![123, 122]),
        (SessionQuery { started_to: Some(at(5)), ..all() }, vec![101, 100]),
        (
            SessionQuery {
                started_from: Some(at(5)),
                started_to: Some(at(20)),
                contact: Some(contact("zed")),
                ..all()
            },
            vec![2, 1],
        ),
    ];
    for (query, expected) in narrow {
        for limit in [1, 2, 100] {
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let page = store.sessions(&SessionQuery { after, limit, ..query.clone() }).await;
                assert!(page.len() <= limit);
                let Some(last) = page.last() else { break };
                after = Some((last.session().started_at(), last.session().id()));
                paged.extend(numbers(&page));
                assert!(paged.len() <= expected.len(), "{query:?} also answers {paged:?}");
            }
            assert_eq!(paged, expected, "{limit} at a time: {query:?}");
        }
    }
}

/// Rule 2: from the cursor on, whatever the size of a page.
pub async fn sessions_are_listed_in_pages(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    fill(&store).await;
    for limit in [1, 2, 4] {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = store.sessions(&SessionQuery { after, limit, ..all() }).await;
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some((last.session().started_at(), last.session().id()));
            paged.extend(numbers(&page));
            assert!(paged.len() <= 5, "the pages have no end: {paged:?}");
        }
        assert_eq!(paged, [4, 2, 5, 3, 1], "{limit} at a time");
    }
}

/// Rule 2: a session is live, then ended, and listed once.
pub async fn a_session_is_listed_once_when_it_ends(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(commit_with("ann", None, &[session(1, "cart", 1, at(10))])).await;
    assert_eq!(ids(&store, &all()).await, [1]);
    let past = vec![ended("ann", 1, at(10), at(20))];
    store.apply(Commit { ended: past.into(), ..commit_with("ann", Some(revision), &[]) }).await;
    assert_eq!(ids(&store, &all()).await, [1]);
    assert!(ids(&store, &SessionQuery { live: Some(true), ..all() }).await.is_empty());
    assert_eq!(ids(&store, &SessionQuery { live: Some(false), ..all() }).await, [1]);
}

/// A live session is answered as the last commit has it.
pub async fn a_session_is_found_live_and_ended(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(commit_with("ann", None, &[session(1, "cart", 1, at(10))])).await;
    let found = store.session(session_id(1)).await.expect("it is live");
    assert!(found.session().status().is_live() && *found.contact() == contact("ann"));
    let past = vec![ended("ann", 1, at(10), at(20))];
    store.apply(Commit { ended: past.into(), ..commit_with("ann", Some(revision), &[]) }).await;
    let found = store.session(session_id(1)).await.expect("it has ended");
    assert_eq!((found.session().ended_at(), found.contact()), (Some(at(20)), &contact("ann")));
    assert!(store.session(session_id(2)).await.is_none());
}

/// An ended session comes back as it was given.
pub async fn an_ended_session_comes_back_unchanged(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let past = ended("ann", 1, at(10), at_ms(20_123));
    let bytes = past.to_bytes().unwrap();
    store.apply(Commit { ended: [past].into(), ..commit("ann", None) }).await;
    let found = store.session(session_id(1)).await.expect("it has ended");
    assert_eq!(found.to_bytes().unwrap(), bytes);
    let listed = store.sessions(&all()).await;
    assert_eq!(listed.first().map(|record| record.to_bytes().unwrap()), Some(bytes));
}

/// Rule 1: sessions and conversations of other workspaces, with the same ids even.
pub async fn another_workspace_sees_nothing(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    let filled = |name: &str, number| Commit {
        ended: [ended(name, number + 1, at(0), at(1))].into(),
        journal: vec![entry(name, number, 1, at(0))],
        dead_letters: 1,
        ..commit_with(name, None, &[session(number, "cart", 1, at(0))])
    };
    store.apply(Commit { workspace: other(), ..filled("bob", 1) }).await;
    assert!(store.sessions(&all()).await.is_empty());
    for number in [1, 2] {
        assert!(store.session(session_id(number)).await.is_none());
        assert!(store.journal(session_id(number)).await.is_empty());
    }
    assert!(store.listed(&set_aside(false, None, 9)).await.is_empty());
    store.apply(filled("ann", 11)).await;
    assert_eq!(ids(&store, &all()).await, [12, 11]);
    assert_eq!(store.listed(&set_aside(false, None, 9)).await, ["ann"]);
    let there = SessionQuery { workspace: other(), ..all() };
    assert_eq!(ids(&store, &there).await, [2, 1]);
}

/// Rule 4 of the other contract: what a refused commit ended is not listed.
pub async fn a_refused_commit_leaves_nothing_to_list(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let taken = (key_name("cart", "taken"), key_record("bob", 1, at(99)));
    let bob = Commit { add_aliases: vec![phone(1)], key: Some(taken.clone()), ..commit("bob", None) };
    let revision = store.apply(bob).await;
    let with_past = || Commit {
        ended: [ended("ann", 3, at(0), at(0))].into(),
        journal: vec![entry("ann", 3, 1, at(0))],
        dead_letters: 1,
        ..commit_with("ann", None, &[session(4, "cart", 1, at(0))])
    };
    let aliases = vec![session_alias(4), phone(1)];
    for refused in [
        Commit { expect: Some(revision), ..with_past() },
        Commit { lease: Lease::Hold(token(1)), ..with_past() },
        Commit { key: Some(taken), ..with_past() },
        Commit { add_aliases: aliases, ..with_past() },
    ] {
        let answer = store.commit(refused).await;
        assert!(!matches!(answer, Committed::Applied { .. }));
        assert!(store.sessions(&all()).await.is_empty(), "{answer:?}");
        assert!(store.session(session_id(3)).await.is_none() && store.session(session_id(4)).await.is_none());
        assert!(store.journal(session_id(3)).await.is_empty(), "{answer:?}");
        assert!(store.listed(&set_aside(false, None, 9)).await.is_empty());
        assert_eq!(store.live(&live("cart", None)).await, 0);
    }
    store.apply(with_past()).await;
    assert_eq!(ids(&store, &all()).await, [4, 3]);
    assert_eq!(store.journal(session_id(3)).await.len(), 1);
}

/// Rule 5: those with dead letters, and those that were set aside.
pub async fn conversations_with_dead_letters_and_set_aside_are_listed(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    for name in ["d", "a", "c", "b", "e"] {
        let dead_letters = u32::from(name != "c");
        let first = Commit { dead_letters, lease: take(1), ..commit(name, None) };
        let revision = store.apply(first).await;
        let settled = Settle { quarantine: name >= "c", ..settle(name, 1, revision, 0) };
        assert_eq!(store.settle(&settled).await, Settled::Done);
    }
    assert_eq!(store.listed(&set_aside(false, None, 9)).await, ["a", "b", "d", "e"]);
    assert_eq!(store.listed(&set_aside(false, Some("a"), 2)).await, ["b", "d"]);
    assert_eq!(store.listed(&set_aside(true, None, 9)).await, ["c", "d", "e"]);
    assert_eq!(store.listed(&set_aside(true, Some("d"), 9)).await, ["e"]);
    assert!(store.listed(&set_aside(true, Some("e"), 9)).await.is_empty());
    assert!(store.listed(&set_aside(true, None, 0)).await.is_empty());
}

/// Rule 5: as the last commit says.
pub async fn conversations_are_listed_as_they_are_now(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { dead_letters: 2, lease: take(1), ..commit("ann", None) }).await;
    assert_eq!(
        store.settle(&Settle { quarantine: true, ..settle("ann", 1, revision, 0) }).await,
        Settled::Done
    );
    let found = store.0.conversations(&set_aside(true, None, 9)).await.unwrap();
    assert_eq!(found.first().map(|(_, record)| text_of(record)).as_deref(), Some("ann"));
    store.apply(commit("ann", Some(revision))).await;
    assert!(store.listed(&set_aside(false, None, 9)).await.is_empty());
    assert!(store.listed(&set_aside(true, None, 9)).await.is_empty());
}

/// Rule 5: the order of ids is that of their bytes.
pub async fn conversations_are_listed_in_the_order_of_bytes(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let mut names = ["b", "B", "a b", "ab", "a-b", "\u{e4}", "z", "_", "\u{1f600}", "\u{ffee}"];
    for name in names {
        store.apply(Commit { dead_letters: 1, ..commit(name, None) }).await;
    }
    names.sort_unstable();
    assert_eq!(store.listed(&set_aside(false, None, 99)).await, names);
    let (mut paged, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let page = store.listed(&set_aside(false, after.as_deref(), 3)).await;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        paged.extend(page);
        assert!(paged.len() <= names.len(), "the pages have no end: {paged:?}");
    }
    assert_eq!(paged, names);
}

/// Rule 20 of the other contract: sessions that ended before the instant go, at most `limit`, and
/// the count is right.
pub async fn purged_sessions_are_not_listed(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    for (number, seconds) in [(1, 10), (2, 20), (3, 30), (4, 5_000)] {
        let past = vec![ended(&format!("contact {number}"), number, at(0), at(seconds))];
        let added = vec![session_alias(number)];
        let name = format!("contact {number}");
        store.apply(Commit { ended: past.into(), add_aliases: added, ..commit(&name, None) }).await;
    }
    store.apply(commit_with("live", None, &[session(9, "cart", 1, at(0))])).await;
    let first = store.purge(&purge(30, 1)).await;
    assert_eq!((first.sessions, first.more), (1, true));
    let second = store.purge(&purge(30, 100)).await;
    assert_eq!((second.sessions, second.more), (1, false));
    let mut left = ids(&store, &all()).await;
    left.sort_unstable();
    assert_eq!(left, [3, 4, 9]);
    assert!(store.session(session_id(1)).await.is_none());
    assert_eq!(store.follow(session_alias(2)).await, None, "the alias goes with its session");
    assert_eq!(store.follow(session_alias(3)).await, Some(contact("contact 3")));
    let last = store.purge(&purge(9_999, 100)).await;
    assert_eq!((last.sessions, last.more), (2, false));
    assert_eq!(ids(&store, &all()).await, [9], "a live session is never purged");
}

/// Rule 22 of the other contract: an erased contact is listed nowhere, and what went is counted.
pub async fn an_erased_contact_is_not_listed(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let bobs = vec![ended("bob", 9, at(0), at(1))];
    store.apply(Commit { ended: bobs.into(), ..commit("bob", None) }).await;
    let revision = store.apply(everything("ann", None)).await;
    assert_eq!(store.listed(&set_aside(false, None, 9)).await, ["ann"]);
    let removed = store.erase("ann", revision).await;
    assert_eq!(removed, Some(Removed { sessions: 1, journal: 3, keys: 1 }));
    assert!(store.journal(session_id(1)).await.is_empty() && store.journal(session_id(2)).await.is_empty());
    assert!(store.session(session_id(2)).await.is_none());
    assert_eq!(ids(&store, &all()).await, [9], "bob's");
    assert!(store.listed(&set_aside(false, None, 9)).await.is_empty());
}

/// Rule 22 of the other contract: its live sessions go too.
pub async fn an_erased_contacts_live_sessions_are_not_listed(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(commit_with("ann", None, &[session(1, "cart", 1, at(0))])).await;
    let removed = store.erase("ann", revision).await;
    assert_eq!(removed.map(|removed| removed.sessions), Some(0), "none had ended");
    assert!(store.session(session_id(1)).await.is_none());
    assert!(store.sessions(&all()).await.is_empty());
}

/// Rule 23 of the other contract: what a conversation that goes alone leaves is listed until it is
/// purged.
pub async fn who_went_leaves_what_has_ended(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(everything("ann", None)).await;
    let live = commit_with("bob", None, &[session(9, "cart", 1, at(0))]);
    let bobs = store.apply(live).await;
    for (name, revision) in [("ann", revision), ("bob", bobs)] {
        let leave = Erase { keeps_history: true, ..erase(name, revision) };
        assert_eq!(store.erase_as(&leave).await, Some(Removed::default()));
    }
    assert_eq!(ids(&store, &all()).await, [2], "bob's was live");
    assert_eq!(store.journal(session_id(1)).await.len(), 2);
    let purged = store.purge(&purge(10, 100)).await;
    assert_eq!((purged.sessions, purged.journal), (1, 3));
    assert!(store.session(session_id(2)).await.is_none() && store.journal(session_id(1)).await.is_empty());
}
