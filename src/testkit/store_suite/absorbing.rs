//! One contact that turns out to be another: rule 27.

use crate::address::Alias;
use crate::store::{
    Commit, Committed, ConversationStore, Lease, MergedContact, Revision, SessionQuery, Settle, Settled,
    StoreQueries,
};
use crate::testkit::store_suite::erasing::everything;
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// Bob as he was, with all that a store may have of him and no lease; answers the revision.
async fn bob<S: ConversationStore>(store: &TrustedStore<S>) -> Revision {
    let sessions = [session(1, "cart", 1, at(0))];
    let record = record_with("bob", &sessions);
    let started = [(session_id(1), flow("cart"), sessions[0].version())].into();
    let commit = Commit { record, started, lease: Lease::Leave, dead_letters: 0, ..everything("bob", None) };
    store.apply(commit).await
}

/// A commit of Ann that takes Bob in.
fn takes_in(ann: Revision, bob: Revision, addresses: Vec<Alias>) -> Commit {
    let sessions = [session(1, "cart", 1, at(0))];
    Commit {
        record: record_with("ann", &sessions),
        started: [(session_id(1), flow("cart"), sessions[0].version())].into(),
        add_aliases: addresses,
        absorbs: Some(Box::new(MergedContact {
            contact: contact("bob"),
            expect: bob,
            settled: 0,
            token: None,
        })),
        ..commit("ann", Some(ann))
    }
}

/// Commits it. None: the store cannot do this, and says so as rule 27 asks.
async fn absorbs<S: ConversationStore>(store: &TrustedStore<S>, commit: Commit) -> Option<Committed> {
    match store.commit(commit).await {
        Committed::Conflict => None,
        Committed::AliasTaken { holder, .. } if holder == contact("bob") => None,
        committed => Some(committed),
    }
}

/// Rule 27: whatever led to the other leads here, or all is as it was.
pub async fn one_contact_takes_another_in(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let bobs = bob(&store).await;
    let ann = store.apply(Commit { add_aliases: vec![phone(9)], ..commit("ann", None) }).await;
    let done = absorbs(&store, takes_in(ann, bobs, vec![phone(1), phone(2)])).await;
    let holder = contact(if done.is_some() { "ann" } else { "bob" });
    for alias in [phone(1), phone(2), session_alias(1)] {
        assert_eq!(store.follow(alias.clone()).await, Some(holder.clone()), "{alias}");
    }
    assert_eq!(store.follow(phone(9)).await, Some(contact("ann")));
    assert_eq!(store.find("bob").await.is_none(), done.is_some());
    let key = store.key(key_name("cart", "event-1")).await.expect("its key stays");
    assert_eq!(key.contact, holder);
    assert_eq!(store.live(&live("cart", Some(1))).await, 1, "the session is live once");
    let leased = store.claimed(&due(9, at(600))).await;
    assert_eq!(leased.contains(&"bob".to_owned()), done.is_none(), "{leased:?}");
}

/// Rule 27: what came along goes with the contact.
pub async fn an_erase_takes_what_was_taken_in(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let bobs = bob(&store).await;
    let ann = store.apply(commit("ann", None)).await;
    let Some(done) = absorbs(&store, takes_in(ann, bobs, vec![phone(1), phone(2)])).await else { return };
    let Committed::Applied { revision, .. } = done else { panic!("{done:?}") };
    let removed = store.erase("ann", revision).await.expect("it is at that revision");
    assert_eq!(removed.keys, 1);
    for alias in [phone(1), phone(2), session_alias(1)] {
        assert_eq!(store.follow(alias).await, None);
    }
    let purged = store.purge(&purge(49, 100)).await;
    assert_eq!((purged.keys, purged.sessions, purged.journal), (0, 0, 0));
}

/// Rule 27: at the revisions that were seen, and where nobody is at it; else all is as it was.
pub async fn who_is_at_work_is_not_taken_in(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let bobs = bob(&store).await;
    let ann = store.apply(commit("ann", None)).await;
    let addresses = || vec![phone(1), phone(2)];
    assert_eq!(absorbs(&store, takes_in(ann, bobs.wrapping_add(1), addresses())).await, None);
    assert_eq!(absorbs(&store, takes_in(ann.wrapping_add(1), bobs, addresses())).await, None);
    let leased = Commit { lease: take(3), ..commit("bob", Some(bobs)) };
    let bobs = store.apply(leased).await;
    assert_eq!(absorbs(&store, takes_in(ann, bobs, addresses())).await, None);
    assert_eq!(store.follow(phone(1)).await, Some(contact("bob")));
    assert_eq!(store.text("ann").await.as_deref(), Some("ann"));
    assert_eq!(store.settle(&settle("bob", 3, bobs, 0)).await, Settled::Done);
    let aside = Settle { quarantine: true, ..settle("bob", 4, bobs, 0) };
    let bobs = store.apply(Commit { lease: take(4), ..commit("bob", Some(bobs)) }).await;
    assert_eq!(store.settle(&Settle { revision: bobs, ..aside }).await, Settled::Done);
    assert_eq!(absorbs(&store, takes_in(ann, bobs, addresses())).await, None);
    assert_eq!(store.follow(phone(1)).await, Some(contact("bob")));
}

/// Rule 27: who holds the lease may lead the conversation elsewhere under it.
pub async fn who_holds_the_lease_is_taken_in_under_it(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let bobs = bob(&store).await;
    let ann = store.apply(commit("ann", None)).await;
    let bobs = store.apply(Commit { lease: take(3), ..commit("bob", Some(bobs)) }).await;
    let takes_in = |holder| {
        let absorbed =
            MergedContact { contact: contact("bob"), expect: bobs, settled: 0, token: Some(token(holder)) };
        let absorbs = Some(Box::new(absorbed));
        Commit { absorbs, lease: take(3), ..takes_in(ann, bobs, vec![phone(1), phone(2)]) }
    };
    assert_eq!(absorbs(&store, takes_in(4)).await, None, "another holds it");
    assert_eq!(store.follow(phone(1)).await, Some(contact("bob")));
    let Some(done) = absorbs(&store, takes_in(3)).await else { return };
    let Committed::Applied { revision, leased, settled } = done else { panic!("{done:?}") };
    assert!(leased, "the lease is one of Ann's");
    assert_eq!(settled, 0);
    assert_eq!(store.follow(phone(1)).await, Some(contact("ann")));
    assert_eq!(store.settle(&settle("bob", 3, bobs, 1)).await, Settled::LeaseLost);
    assert_eq!(store.settle(&settle("ann", 3, revision, 1)).await, Settled::Done);
}

/// Rules 27 and 15: a settle changes no revision, so that the watermark is compared too; else what
/// it says is delivered would be sent again from the other conversation.
pub async fn what_was_settled_since_is_seen_first(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let bobs = bob(&store).await;
    let ann = store.apply(commit("ann", None)).await;
    let bobs = store.apply(Commit { lease: take(3), ..commit("bob", Some(bobs)) }).await;
    assert_eq!(store.settle(&settle("bob", 3, bobs, 2)).await, Settled::Done);
    let takes_in = |settled| {
        let absorbed = MergedContact { contact: contact("bob"), expect: bobs, settled, token: None };
        let absorbs = Some(Box::new(absorbed));
        Commit { absorbs, ..takes_in(ann, bobs, vec![phone(1), phone(2)]) }
    };
    for settled in [0, 1, 3] {
        assert_eq!(absorbs(&store, takes_in(settled)).await, None, "watermark 2, seen {settled}");
    }
    assert_eq!(store.follow(phone(1)).await, Some(contact("bob")));
    let done = absorbs(&store, takes_in(2)).await;
    let holder = contact(if done.is_some() { "ann" } else { "bob" });
    assert_eq!(store.follow(phone(1)).await, Some(holder));
}

/// Rules 27 and 7: an alias of somebody else refuses it, and nothing is moved.
pub async fn an_alias_of_a_third_refuses_it(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let bobs = bob(&store).await;
    let ann = store.apply(commit("ann", None)).await;
    store.apply(Commit { add_aliases: vec![phone(5)], ..commit("carl", None) }).await;
    let refused = store.commit(takes_in(ann, bobs, vec![phone(1), phone(2), phone(5)])).await;
    assert!(matches!(refused, Committed::Conflict | Committed::AliasTaken { .. }), "{refused:?}");
    assert_eq!(store.follow(phone(1)).await, Some(contact("bob")));
    assert_eq!(store.find("bob").await.map(|found| found.revision), Some(bobs));
    assert_eq!(store.key(key_name("cart", "event-1")).await.map(|key| key.contact), Some(contact("bob")));
}

/// Rules 27 and 5: who was taken in may come again, as new.
pub async fn who_was_taken_in_may_come_again(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let bobs = bob(&store).await;
    let ann = store.apply(commit("ann", None)).await;
    if absorbs(&store, takes_in(ann, bobs, vec![phone(1), phone(2)])).await.is_none() {
        return;
    }
    assert_eq!(store.commit(commit("bob", Some(bobs))).await, Committed::Conflict);
    let again = store.apply(commit("bob", None)).await;
    assert_ne!(again, bobs);
    assert_eq!(store.erase("bob", again).await.map(|removed| removed.sessions), Some(0));
    assert_eq!(store.follow(session_alias(1)).await, Some(contact("ann")), "what he left is hers");
}

/// Rule 27, where lists are kept: what has ended is the contact's too.
pub async fn what_was_taken_in_is_listed(harness: &impl Harness<Store: ConversationStore + StoreQueries>) {
    let store = TrustedStore::fresh(harness).await;
    let bobs = bob(&store).await;
    let ann = store.apply(commit("ann", None)).await;
    if absorbs(&store, takes_in(ann, bobs, vec![phone(1), phone(2)])).await.is_none() {
        return;
    }
    let of = |name: &str| SessionQuery { contact: Some(contact(name)), ..SessionQuery::new(shop(), 100) };
    let hers = store.sessions(&of("ann")).await;
    let mut numbers: Vec<u128> = hers.iter().map(|record| record.session().id().0.as_u128()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    assert!(hers.iter().all(|record| *record.contact() == contact("ann")));
    assert!(store.sessions(&of("bob")).await.is_empty());
    assert_eq!(
        store.session(session_id(2)).await.map(|record| record.contact().clone()),
        Some(contact("ann"))
    );
    assert_eq!(store.journal(session_id(1)).await.len(), 2);
    assert_eq!(store.follow(session_alias(2)).await, Some(contact("ann")));
}
