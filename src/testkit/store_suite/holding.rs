//! Contents that a store must be able to hold: strange names (rule 21), large records, much of
//! everything.

use crate::address::{Account, Address, Alias};
use crate::channel::Channel;
use crate::id::WorkspaceId;
use crate::store::{Commit, Committed, ConversationStore, Lookup, Record, Settle, Settled, Subject};
use crate::testkit::store_suite::kit::*;
use crate::testkit::store_suite::{Harness, TrustedStore};

/// Names that a store which folds, trims, escapes or matches patterns would take for one another,
/// or spoil.
const NAMES: [&str; 30] = [
    "ann",
    "Ann",
    "ANN",
    "ann ",
    " ann",
    "a%",
    "a_",
    "%",
    "_",
    "*",
    "?",
    "\u{e4}",
    "a\u{308}",
    "\u{df}",
    "ss",
    "\u{130}",
    "i",
    "I",
    "'; DROP TABLE x; --",
    "\"ann\"",
    "\\",
    "\\'",
    "$1",
    "\u{1f600}",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
    "\u{202e}nna",
    "\u{feff}ann",
    "\u{fffd}",
    "\u{10ffff}",
];

/// Rule 21: contacts.
pub async fn contacts_are_compared_byte_by_byte(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for name in NAMES {
        store.apply(commit(name, None)).await;
    }
    for name in NAMES {
        let found = store.find(name).await.expect("it was written");
        assert_eq!((found.contact, text_of(&found.record).as_str()), (contact(name), name));
    }
}

/// Rule 21: addresses.
pub async fn aliases_are_compared_byte_by_byte(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for name in NAMES {
        store.apply(Commit { add_aliases: vec![visitor(name)], ..commit(name, None) }).await;
    }
    for name in NAMES {
        assert_eq!(store.follow(visitor(name)).await, Some(contact(name)));
    }
}

/// Rule 21: keys and flows.
pub async fn keys_are_compared_byte_by_byte(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for (number, name) in (1_u128..).zip(NAMES) {
        let key = (key_name(name, name), key_record(name, number, at(99)));
        store.apply(Commit { key: Some(key), ..commit(name, None) }).await;
    }
    for (number, name) in (1_u128..).zip(NAMES) {
        assert_eq!(store.key(key_name(name, name)).await, Some(key_record(name, number, at(99))));
    }
}

/// Rule 21: workspaces.
pub async fn workspaces_are_compared_byte_by_byte(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let tenant = |name: &str| WorkspaceId::new(name).unwrap();
    for name in NAMES {
        let theirs = Commit { workspace: tenant(name), record: opaque(name), ..commit("ann", None) };
        store.apply(Commit { add_aliases: vec![phone(1)], ..theirs }).await;
    }
    for name in NAMES {
        let found = store.load(&Lookup { workspace: tenant(name), ..by_alias(phone(1)) }).await;
        assert_eq!(found.conversation.map(|found| text_of(&found.record)).as_deref(), Some(name));
    }
}

/// Rule 21: names of the greatest length, of one byte and of four to a character.
pub async fn names_may_be_long(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for letter in ["x", "\u{1f600}"] {
        let long = letter.repeat(256 / letter.len());
        let cut = letter.repeat(256 / letter.len() - 1);
        for name in [&long, &cut] {
            let key = Some((key_name(name, name), key_record(name, 1, at(9))));
            let first = Commit { add_aliases: vec![visitor(name)], key, ..commit(name, None) };
            store.apply(Commit { workspace: WorkspaceId::new(name).unwrap(), ..first.clone() }).await;
            store.apply(first).await;
        }
        for name in [&long, &cut] {
            assert_eq!(store.text(name).await.as_deref(), Some(name.as_str()));
            assert_eq!(store.follow(visitor(name)).await, Some(contact(name)));
            assert!(store.key(key_name(name, name)).await.is_some());
        }
    }
}

/// Rule 21: the same text on another account, or on another channel, is another address.
pub async fn addresses_of_other_accounts_are_told_apart(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let on = |channel, account: &str, address: &str| {
        Alias::Address(Address::new(&Account::new(channel, account).unwrap(), address).unwrap())
    };
    let aliases = [
        on(Channel::Web, "site", "v"),
        on(Channel::Web, "sit", "ev"),
        on(Channel::Web, "site:v", "v"),
        on(Channel::Web, "site", "v:v"),
        on(Channel::Messenger, "site", "v"),
        on(Channel::Web, "\u{1f600}", "v"),
    ];
    for (number, alias) in (1..).zip(&aliases) {
        store.apply(Commit { add_aliases: vec![alias.clone()], ..commit(&number.to_string(), None) }).await;
    }
    for (number, alias) in (1..).zip(&aliases) {
        assert_eq!(store.follow(alias.clone()).await, Some(contact(&number.to_string())), "{number}");
    }
}

/// Records are bytes: each value that a byte may have, and none at all.
pub async fn a_record_may_be_any_bytes(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let all: Vec<u8> = (0..=255).chain([0, 0, 255, 0]).collect();
    for (name, bytes) in [("all", all), ("none", Vec::new()), ("nul", vec![0])] {
        let record = Record::from_bytes(bytes.clone());
        store.apply(Commit { record, ..commit(name, None) }).await;
        let found = store.find(name).await.expect("it was written");
        assert_eq!(found.record.to_bytes().unwrap().to_vec(), bytes, "{name}");
    }
}

/// Records of a mebibyte and more, several times over.
pub async fn a_record_may_be_large(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let large = |size: usize, seed: usize| -> Vec<u8> {
        let pattern: Vec<u8> = (0..251).map(|place: usize| place.wrapping_mul(7 + seed) as u8).collect();
        let mut bytes = pattern.repeat(size / pattern.len() + 1);
        bytes.truncate(size);
        bytes
    };
    let mut expect = None;
    for (seed, size) in [1 << 20, (3 << 20) + 17, 12, 1 << 16].into_iter().enumerate() {
        let record = Record::from_bytes(large(size, seed));
        let due_at = Some(at(1));
        expect = Some(store.apply(Commit { record, due_at, ..commit("ann", expect) }).await);
        let found = store.find("ann").await.expect("it was written");
        assert!(*found.record.to_bytes().unwrap() == *large(size, seed), "{size} bytes came back changed");
    }
    let leased = store.claim(&due(1, at(1))).await.conversations;
    assert_eq!(leased.first().map(|one| one.stored.record.to_bytes().unwrap().len()), Some(1 << 16));
}

/// A record that can be read stays one.
pub async fn a_record_comes_back_as_the_same_conversation(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let sessions = [session(1, "cart", 1, at(0)), session(2, "order", 3, at_ms(1_234))];
    let first = commit_with("ann", None, &sessions);
    let bytes = first.record.to_bytes().unwrap();
    store.apply(first).await;
    let found = store.find("ann").await.expect("it was written");
    let conversation = found.record.conversation().expect("it can be read");
    assert_eq!(conversation.contact().id, contact("ann"));
    assert_eq!(conversation.sessions().len(), 2);
    assert_eq!(found.record.to_bytes().unwrap(), bytes);
}

/// One commit may have many aliases.
pub async fn many_aliases_are_added_and_dropped_at_once(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let aliases: Vec<_> = (0..40).map(phone).chain((0..60).map(session_alias)).collect();
    let revision = store.apply(Commit { add_aliases: aliases.clone(), ..commit("ann", None) }).await;
    let wants = Commit { add_aliases: aliases.clone(), ..commit("bob", None) };
    let taken = store.commit(wants).await;
    assert!(matches!(taken, Committed::AliasTaken { holder, .. } if holder == contact("ann")));
    for alias in [0, 39, 40, 99] {
        assert_eq!(store.follow(aliases[alias].clone()).await, Some(contact("ann")));
    }
    store.apply(Commit { drop_aliases: aliases.clone(), ..commit("ann", Some(revision)) }).await;
    for alias in [0, 39, 40, 99] {
        assert_eq!(store.follow(aliases[alias].clone()).await, None);
    }
    store.apply(Commit { add_aliases: aliases, ..commit("bob", None) }).await;
}

/// One commit may start many sessions, end as many, and tell of them in the journal.
pub async fn many_sessions_are_written_at_once(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let sessions: Vec<_> = (0..50).map(|number| session(number, "cart", 1, at(0))).collect();
    let past = (100..150_u128).map(|number| ended("ann", number, at(0), at(1)));
    let many = Commit {
        ended: past.collect(),
        journal: (0..100).map(|number| entry("ann", number, 1, at(0))).collect(),
        ..commit_with("ann", None, &sessions)
    };
    let revision = store.apply(many).await;
    assert_eq!(store.live(&live("cart", None)).await, 50);
    assert_eq!(store.follow(session_alias(49)).await, Some(contact("ann")));
    let ended = (0..50_u128).map(|number| ended("ann", number, at(0), at(2))).collect();
    store.apply(Commit { ended, ..commit_with("ann", Some(revision), &[]) }).await;
    assert_eq!(store.live(&live("cart", None)).await, 0);
}

/// Many conversations are as many.
pub async fn many_conversations_are_told_apart(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for number in 0..200_u64 {
        let name = format!("contact {number}");
        store.apply(Commit { add_aliases: vec![phone(number)], ..commit(&name, None) }).await;
    }
    for number in [0, 1, 9, 10, 99, 100, 199] {
        let name = format!("contact {number}");
        assert_eq!(store.text(&name).await.as_deref(), Some(name.as_str()));
        assert_eq!(store.follow(phone(number)).await, Some(contact(&name)));
    }
}

/// A conversation may live long.
pub async fn a_conversation_may_have_many_turns(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    let mut expect = None;
    for turn in 0..60_u64 {
        let text = turn.to_string();
        let record = opaque(&text);
        let revision = store.apply(Commit { record, lease: take(1), ..commit("ann", expect) }).await;
        assert_eq!(store.settle(&settle("ann", 1, revision, turn)).await, Settled::Done);
        expect = Some(revision);
    }
    let found = store.find("ann").await.expect("it was written");
    assert_eq!((text_of(&found.record).as_str(), found.settled), ("59", 59));
}

/// Numbers that are not small: of sessions, of tokens.
pub async fn ids_may_be_any_uuid(harness: &impl Harness<Store: ConversationStore>) {
    let store = TrustedStore::fresh(harness).await;
    for number in [0, 1, u128::MAX, u128::MAX / 2, 1 << 127] {
        let name = format!("contact {number}");
        let first =
            Commit { lease: take(number), add_aliases: vec![session_alias(number)], ..commit(&name, None) };
        let revision = store.apply(first).await;
        let mine = Lookup {
            subject: Subject::Alias(session_alias(number)),
            token: token(number),
            ..by_contact("nobody")
        };
        assert!(store.load(&mine).await.conversation.is_some_and(|found| found.leased), "{number}");
        let done = Settle { due_at: None, ..settle(&name, number, revision, 1) };
        assert_eq!(store.settle(&done).await, Settled::Done);
    }
}
