//! The journal: rules 3 and 4 of [`StoreQueries`], and what purge and erase remove from it.

use serde_json::json;

use crate::id::FlowVersion;
use crate::store::{Commit, ConversationStore, JournalEntry, JournalQuery, StoreQueries};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// All of the flow `cart`.
fn all() -> JournalQuery {
    JournalQuery {
        workspace: shop(),
        flow: flow("cart"),
        version: None,
        failed: false,
        from: at(0),
        to: at(99),
        after: None,
        limit: 100,
    }
}

fn numbers(entries: &[JournalEntry]) -> Vec<(u128, u32)> {
    entries.iter().map(|entry| (entry.session.0.as_u128(), entry.seq)).collect()
}

async fn ids<S: StoreQueries>(store: &TrustedStore<S>, query: &JournalQuery) -> Vec<(u128, u32)> {
    numbers(&store.journal_of(query).await)
}

/// Entries of five sessions, in order (1, 1), (2, 1), (4, 1), (2, 2), (1, 2) those of `cart`.
async fn fill<S: ConversationStore>(store: &TrustedStore<S>) {
    let failure = json!({"failure": {"code": "call_failed", "node": "ask", "message": "no"}});
    let anns = vec![
        entry("ann", 2, 1, at(10)),
        entry("ann", 2, 2, at(20)),
        entry_with("ann", 1, 1, at(10), &json!({"version": 2})),
        entry_with("ann", 1, 2, at(30), &failure),
        entry_with("ann", 3, 1, at(10), &json!({"flow": "order"})),
    ];
    store.apply(Commit { journal: anns, ..commit("ann", None) }).await;
    store.apply(Commit { journal: vec![entry("bob", 4, 1, at(15))], ..commit("bob", None) }).await;
    let theirs = vec![entry("ann", 5, 1, at(15))];
    store.apply(Commit { workspace: other(), journal: theirs, ..commit("ann", None) }).await;
}

/// Rule 3: as they were given, over several commits.
pub async fn a_journal_is_read_in_order(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    let first = vec![entry("ann", 1, 1, at(0)), entry("ann", 2, 1, at(0)), entry("ann", 1, 2, at(0))];
    let revision = store.apply(Commit { journal: first, ..commit("ann", None) }).await;
    let second = vec![entry("ann", 1, 3, at(1))];
    store.apply(Commit { journal: second, ..commit("ann", Some(revision)) }).await;
    let found = store.journal(session_id(1)).await;
    let expected = [entry("ann", 1, 1, at(0)), entry("ann", 1, 2, at(0)), entry("ann", 1, 3, at(1))];
    assert_eq!(found, expected);
    assert!(store.journal(session_id(3)).await.is_empty());
}

/// Rule 3: by number, not as a text, and not by time.
pub async fn a_journal_is_in_the_order_of_numbers(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let many = (1..=30).map(|number| entry("ann", 1, number, at(60 - i64::from(number)))).collect();
    store.apply(Commit { journal: many, ..commit("ann", None) }).await;
    let found = store.journal(session_id(1)).await;
    assert_eq!(found.iter().map(|entry| entry.seq).collect::<Vec<_>>(), (1..=30).collect::<Vec<_>>());
}

/// An entry comes back with each of its fields.
pub async fn an_entry_comes_back_unchanged(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    let strange = "NUL \u{0}, bell \u{7}, \u{1f468}\u{200d}\u{1f469}, \u{5e9}, e\u{301}, '\"\\%_ {\"a\": 1}";
    let change = json!({
        "last_seq": u64::from(u32::MAX) * 9, "unsent": 3, "turn": 7,
        "failure": {"code": "call_failed", "node": "ask", "message": strange},
    });
    let full = entry_with("ann", 1, 1, at_ms(1_234), &change);
    store.apply(Commit { journal: vec![full.clone()], ..commit("ann", None) }).await;
    assert_eq!(store.journal(session_id(1)).await, std::slice::from_ref(&full));
    assert_eq!(store.journal_of(&all()).await, [full]);
}

/// An entry may be as large as a mebibyte.
pub async fn an_entry_may_be_large(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    let text = "\u{1f600} and \u{0} ".repeat(100_000);
    let change = json!({"failure": {"code": "call_failed", "node": "ask", "message": text}});
    let large = entry_with("ann", 1, 1, at(0), &change);
    store.apply(Commit { journal: vec![large.clone()], ..commit("ann", None) }).await;
    assert!(store.journal(session_id(1)).await == [large], "a large entry came back changed");
}

/// Rule 4: in order, of one flow, of one workspace.
pub async fn a_flows_journal_is_read_in_order(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    fill(&store).await;
    assert_eq!(ids(&store, &all()).await, [(1, 1), (2, 1), (4, 1), (2, 2), (1, 2)]);
    assert_eq!(ids(&store, &JournalQuery { flow: flow("order"), ..all() }).await, [(3, 1)]);
    assert_eq!(ids(&store, &JournalQuery { workspace: other(), ..all() }).await, [(5, 1)]);
    assert!(ids(&store, &JournalQuery { flow: flow("car"), ..all() }).await.is_empty());
}

/// Rule 4: by version, by time, by failure.
pub async fn a_flows_journal_is_read_as_asked(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    fill(&store).await;
    let version = Some(FlowVersion(2));
    assert_eq!(ids(&store, &JournalQuery { version, ..all() }).await, [(1, 1)]);
    assert_eq!(ids(&store, &JournalQuery { failed: true, ..all() }).await, [(1, 2)]);
    let some = JournalQuery { from: at(15), to: at(30), ..all() };
    assert_eq!(ids(&store, &some).await, [(4, 1), (2, 2)], "from is within, to is not");
    assert!(ids(&store, &JournalQuery { failed: true, version, ..all() }).await.is_empty());
    assert!(ids(&store, &JournalQuery { limit: 0, ..all() }).await.is_empty());
    assert_eq!(ids(&store, &JournalQuery { limit: 1, failed: true, ..all() }).await, [(1, 2)]);
}

/// Rule 4: from the cursor on, whatever the size of a page.
pub async fn a_flows_journal_is_read_in_pages(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    fill(&store).await;
    for limit in [1, 2, 3] {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = store.journal_of(&JournalQuery { after, limit, ..all() }).await;
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some((last.at, last.session, last.seq));
            paged.extend(numbers(&page));
            assert!(paged.len() <= 5, "the pages have no end: {paged:?}");
        }
        assert_eq!(paged, [(1, 1), (2, 1), (4, 1), (2, 2), (1, 2)], "{limit} at a time");
    }
}

/// Rule 20 of the other contract: entries from before the instant go, at most `limit`, and the
/// count is right.
pub async fn purged_entries_are_not_read(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    for (number, seconds) in [(11, 10), (12, 20), (13, 30), (14, 5_000)] {
        let name = format!("contact {number}");
        let mine = number;
        let journal = vec![entry(&name, mine, 1, at(seconds)), entry(&name, mine, 2, at(seconds))];
        store.apply(Commit { journal, ..commit(&name, None) }).await;
    }
    let first = store.purge(&purge(30, 1)).await;
    assert_eq!((first.journal, first.more), (1, true));
    let second = store.purge(&purge(30, 100)).await;
    assert_eq!((second.journal, second.more), (3, false));
    for (session, left) in [(11, 0), (12, 0), (13, 2), (14, 2)] {
        assert_eq!(store.journal(session_id(session)).await.len(), left, "{session}");
    }
    let to = at(9_999);
    assert_eq!(ids(&store, &JournalQuery { to, ..all() }).await, [(13, 1), (13, 2), (14, 1), (14, 2)]);
    let last = store.purge(&purge(9_999, 100)).await;
    assert_eq!((last.journal, last.more), (4, false));
}

/// Rule 20 of the other contract: a journal that begins to be purged keeps its later part.
pub async fn a_journal_is_purged_from_its_beginning(
    harness: &impl Harness<Store: ConversationStore + StoreQueries>,
) {
    let store = TrustedStore::fresh(harness).await;
    let journal = (1..=4).map(|number| entry("ann", 1, number, at(i64::from(number) * 10))).collect();
    store.apply(Commit { journal, ..commit("ann", None) }).await;
    assert_eq!(store.purge(&purge(30, 100)).await.journal, 2);
    let left = store.journal(session_id(1)).await;
    assert_eq!(left.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 4]);
}

/// Rule 22 of the other contract: a contact that comes again begins a journal anew.
pub async fn an_erased_journal_begins_anew(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    let journal = || vec![entry("ann", 1, 1, at(0)), entry("ann", 1, 2, at(0))];
    let revision = store.apply(Commit { journal: journal(), ..commit("ann", None) }).await;
    let bobs = vec![entry("bob", 2, 1, at(0))];
    store.apply(Commit { journal: bobs, ..commit("bob", None) }).await;
    assert_eq!(store.erase("ann", revision).await.map(|removed| removed.journal), Some(2));
    assert_eq!(ids(&store, &all()).await, [(2, 1)]);
    store.apply(Commit { journal: journal(), ..commit("ann", None) }).await;
    assert_eq!(store.journal(session_id(1)).await.len(), 2);
    assert_eq!(store.purge(&purge(9_999, 100)).await.journal, 3);
}
