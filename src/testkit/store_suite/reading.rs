//! Checks of what a load returns: rules 1 to 3.

use chrono::TimeDelta;

use crate::store::{Commit, Committed, ConversationStore, Lookup, Settle, Settled};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// Rule 1: what was never written is not there.
pub async fn an_empty_store_has_nothing(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let asked = Lookup { key: Some(key_name("cart", "k")), ..by_contact("ann") };
    let loaded = store.load(&asked).await;
    assert!(loaded.conversation.is_none() && loaded.key.is_none());
    assert_eq!(store.follow(phone(1)).await, None);
    assert_eq!(store.follow(session_alias(1)).await, None);
    let leased = store.claim(&due(1, at(9_999))).await;
    assert!(leased.conversations.is_empty() && leased.next_due.is_none());
    assert_eq!(store.live(&live("cart", None)).await, 0);
}

/// Rule 1: by contact.
pub async fn a_conversation_is_found_by_its_contact(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(commit("ann", None)).await;
    let found = store.find("ann").await.expect("it was written");
    assert_eq!((found.contact, text_of(&found.record)), (contact("ann"), "ann".to_owned()));
    assert!(store.find("bob").await.is_none());
}

/// Rule 1: a contact whose id is a UUID is the same as any.
pub async fn a_contact_may_be_named_by_a_uuid(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let lower = "0197c2a4-9d7e-7c3a-8f21-5b6a4c3d2e1f";
    let upper = "0197C2A4-9D7E-7C3A-8F21-5B6A4C3D2E1F";
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit(lower, None) }).await;
    assert_eq!(store.follow(phone(1)).await, Some(contact(lower)));
    assert!(store.find(upper).await.is_none(), "another spelling is another contact");
    store.apply(commit(upper, None)).await;
    assert_eq!(store.text(upper).await.as_deref(), Some(upper));
    assert_eq!(store.text(lower).await.as_deref(), Some(lower));
}

/// Rule 1: by addresses and sessions.
pub async fn a_conversation_is_found_by_each_of_its_aliases(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    let aliases = vec![phone(1), visitor("visitor-1"), session_alias(1)];
    store.apply(Commit { add_aliases: aliases.clone(), ..commit("ann", None) }).await;
    for alias in aliases {
        let found = store.load(&by_alias(alias)).await.conversation.expect("each alias leads there");
        assert_eq!((found.contact, text_of(&found.record)), (contact("ann"), "ann".to_owned()));
    }
    assert_eq!(store.follow(phone(2)).await, None);
    assert_eq!(store.follow(visitor("visitor-2")).await, None);
    assert_eq!(store.follow(session_alias(2)).await, None);
}

/// Rule 1: another workspace has contacts and aliases of its own.
pub async fn a_conversation_is_found_in_its_workspace_only(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(Commit { add_aliases: vec![phone(1)], ..commit("ann", None) }).await;
    for lookup in [by_contact("ann"), by_alias(phone(1))] {
        let elsewhere = Lookup { workspace: other(), ..lookup };
        assert!(store.load(&elsewhere).await.conversation.is_none());
    }
    let theirs = Commit { workspace: other(), add_aliases: vec![phone(1)], ..commit("bob", None) };
    store.apply(theirs).await;
    assert_eq!(store.follow(phone(1)).await, Some(contact("ann")));
    let elsewhere = Lookup { workspace: other(), ..by_alias(phone(1)) };
    assert_eq!(store.load(&elsewhere).await.conversation.map(|found| found.contact), Some(contact("bob")));
}

/// Rule 1: one contact in two workspaces is two conversations.
pub async fn one_contact_in_two_workspaces_is_two_conversations(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    store.apply(commit("ann", None)).await;
    let theirs = Commit { workspace: other(), record: opaque("theirs"), ..commit("ann", None) };
    let revision = store.apply(theirs).await;
    assert_eq!(store.text("ann").await.as_deref(), Some("ann"));
    let changed = Commit { workspace: other(), record: opaque("changed"), ..commit("ann", Some(revision)) };
    store.apply(changed).await;
    assert_eq!(store.text("ann").await.as_deref(), Some("ann"));
    let there = store.load(&Lookup { workspace: other(), ..by_contact("ann") }).await.conversation;
    assert_eq!(there.map(|found| text_of(&found.record)).as_deref(), Some("changed"));
}

/// Rule 2: the watermark, the lease, the revision and the record.
pub async fn a_load_answers_all_of_one_instant(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let revision = store.apply(Commit { lease: take(1), ..commit("ann", None) }).await;
    let wrong = settle("ann", 1, revision.wrapping_add(1), 3);
    assert_eq!(store.settle(&wrong).await, Settled::Conflict { settled: 3 });
    let mine = Lookup { token: token(1), ..by_contact("ann") };
    let mine = store.load(&mine).await.conversation.expect("it was written");
    assert_eq!((mine.revision, mine.settled, mine.leased, mine.quarantined), (revision, 3, true, false));
    let anothers = store.find("ann").await.expect("it was written");
    assert_eq!((anothers.revision, anothers.settled, anothers.leased), (revision, 3, false));
}

/// Rule 2: an alias shows the same as the contact.
pub async fn a_load_by_alias_answers_the_same(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let aliases = vec![phone(1)];
    let revision = store.apply(Commit { lease: take(1), add_aliases: aliases, ..commit("ann", None) }).await;
    let aside = Settle { quarantine: true, ..settle("ann", 1, revision, 4) };
    assert_eq!(store.settle(&aside).await, Settled::Done);
    let found = store.load(&by_alias(phone(1))).await.conversation.expect("the alias leads there");
    assert_eq!((found.revision, found.settled, found.leased, found.quarantined), (revision, 4, false, true));
}

/// Rule 2: a commit answers the revision that a load answers then.
pub async fn a_commit_answers_what_a_load_will(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut expect = None;
    for round in 0..5_u64 {
        let text = round.to_string();
        let committed = store.commit(Commit { record: opaque(&text), ..commit("ann", expect) }).await;
        let Committed::Applied { revision, settled: 0, .. } = committed else { panic!("{committed:?}") };
        let found = store.find("ann").await.expect("it was written");
        assert_eq!((found.revision, text_of(&found.record)), (revision, text));
        expect = Some(revision);
    }
}

/// Rule 3: the record of a key is answered whole, to every caller.
pub async fn a_key_is_answered_to_whoever_asks(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let (name, mut record) = (key_name("cart", "k"), key_record("ann", 1, at(10)));
    record.fingerprint = u128::MAX - 5;
    record.started = false;
    store.apply(Commit { key: Some((name.clone(), record.clone())), ..commit("ann", None) }).await;
    for who in ["ann", "bob"] {
        let asked = Lookup { key: Some(name.clone()), ..by_contact(who) };
        assert_eq!(store.load(&asked).await.key, Some(record.clone()), "{who} asks");
    }
    let by_alias = Lookup { key: Some(name), ..by_alias(phone(9)) };
    assert_eq!(store.load(&by_alias).await.key, Some(record));
    assert_eq!(store.load(&by_contact("ann")).await.key, None, "it was not asked for");
}

/// Rule 3: until `expires_at`, to the millisecond.
pub async fn a_key_is_answered_until_it_expires(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let (name, record) = (key_name("cart", "k"), key_record("ann", 1, at(10)));
    store.apply(Commit { key: Some((name.clone(), record.clone())), ..commit("ann", None) }).await;
    let asked = |now| Lookup { key: Some(name.clone()), now, ..by_contact("ann") };
    assert_eq!(store.load(&asked(at_ms(9_999))).await.key, Some(record));
    assert_eq!(store.load(&asked(at(10))).await.key, None);
    assert_eq!(store.load(&asked(at(9_999))).await.key, None);
}

/// Rule 3: to the microsecond.
pub async fn a_key_expires_to_the_microsecond(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let end = at_ms(10_500) + TimeDelta::microseconds(7);
    let (name, record) = (key_name("cart", "k"), key_record("ann", 1, end));
    store.apply(Commit { key: Some((name.clone(), record.clone())), ..commit("ann", None) }).await;
    let asked = |now| Lookup { key: Some(name.clone()), now, ..by_contact("ann") };
    assert_eq!(store.load(&asked(end - TimeDelta::microseconds(1))).await.key, Some(record));
    assert_eq!(store.load(&asked(end)).await.key, None);
}

/// Rule 3: of workspace, flow and key each must be the same.
pub async fn a_key_is_answered_in_its_workspace_and_flow_only(
    harness: &impl Harness<Store: ConversationStore>,
) {
    let store = TrustedStore::fresh(harness).await;
    let key = Some((key_name("cart", "k"), key_record("ann", 1, at(10))));
    store.apply(Commit { key, ..commit("ann", None) }).await;
    for (flow, key) in [("order", "k"), ("cart", "K"), ("car", "tk"), ("cartk", "k")] {
        assert_eq!(store.key(key_name(flow, key)).await, None, "{flow}/{key}");
    }
    let elsewhere = Lookup { workspace: other(), key: Some(key_name("cart", "k")), ..by_contact("ann") };
    assert_eq!(store.load(&elsewhere).await.key, None);
}

/// Rule 3: what was written is read at once.
pub async fn a_caller_reads_its_own_writes(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut expect = None;
    for round in 0..20_u128 {
        let text = format!("round {round}");
        let committed = Commit {
            record: opaque(&text),
            key: Some((key_name("cart", &text), key_record("ann", round, at(99)))),
            add_aliases: vec![session_alias(round)],
            ..commit("ann", expect)
        };
        expect = Some(store.apply(committed).await);
        let asked = Lookup { key: Some(key_name("cart", &text)), ..by_alias(session_alias(round)) };
        let loaded = store.load(&asked).await;
        assert_eq!(loaded.conversation.map(|found| text_of(&found.record)), Some(text));
        assert_eq!(loaded.key, Some(key_record("ann", round, at(99))));
    }
}
