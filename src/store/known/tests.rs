//! The costs of calls on conversations that are known, and the room that they take.

use std::sync::atomic::{AtomicU32, Ordering};

use pollster::block_on;

use super::*;
use crate::address::{Address, Alias, Phone};
use crate::id::{ContactId, TriggerKey, WorkspaceId};
use crate::store::{
    Due, Erase, KeyName, Leased, Live, MemoryStore, Purge, Purged, Record, Removed, Settle, Settled, Subject,
    Token,
};

/// A store whose calls are counted, and whose commits may be forgotten.
#[derive(Default)]
struct Counting {
    store: MemoryStore,
    loads: AtomicU32,
    commits: AtomicU32,
    loses_answers: bool,
}

impl Counting {
    /// Loads and commits since it was asked last.
    fn take(&self) -> (u32, u32) {
        (self.loads.swap(0, Ordering::Relaxed), self.commits.swap(0, Ordering::Relaxed))
    }
}

impl ConversationStore for Counting {
    async fn load(&self, lookup: &Lookup) -> Result<Loaded, StoreError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.store.load(lookup).await
    }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let committed = self.store.commit(commit).await;
        if self.loses_answers { Err(StoreError::unknown("lost")) } else { committed }
    }
    async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        self.store.settle(settle).await
    }
    async fn lease_due(&self, due: &Due) -> Result<Leased, StoreError> {
        self.store.lease_due(due).await
    }
    async fn live(&self, live: &Live) -> Result<u64, StoreError> {
        self.store.live(live).await
    }
    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.store.purge(purge).await
    }
    async fn erase(&self, erase: &Erase) -> Result<Option<Removed>, StoreError> {
        self.store.erase(erase).await
    }
    fn compares_seen(&self) -> bool {
        true
    }
}

fn lookup(name: &str) -> Lookup {
    let subject = match name.strip_prefix('+') {
        Some(_) => Subject::Alias(phone(name)),
        None => Subject::Contact(ContactId::new(name).unwrap()),
    };
    let now = chrono::DateTime::UNIX_EPOCH;
    Lookup { known: true, ..Lookup::new(WorkspaceId::default(), subject, Token(uuid::Uuid::nil()), now) }
}

fn phone(number: &str) -> Alias {
    Alias::Address(Address::Phone(Phone::parse(number).unwrap()))
}

/// Writes so many bytes on what is there; answers what came of it.
fn write(store: &Known<Counting>, lookup: &Lookup, bytes: usize) -> Option<Committed> {
    let mut decide = |txn: &mut Txn<'_>| {
        let found = txn.loaded().conversation.as_ref();
        let (contact, expect) = match (found, &lookup.subject) {
            (Some(found), _) => (found.contact.clone(), Some(found.revision)),
            (None, Subject::Contact(contact)) => (contact.clone(), None),
            (None, Subject::Alias(_)) => return,
        };
        let record = Record::from_bytes(vec![b'x'; bytes]);
        let now = lookup.now;
        let is_new_ann = expect.is_none() && contact == ContactId::new("ann").unwrap();
        let add_aliases = if is_new_ann { vec![phone("+14155550123")] } else { Vec::new() };
        let commit = Commit::new(lookup.workspace.clone(), contact, expect, record, now);
        txn.write(Commit { add_aliases, ..commit });
    };
    block_on(store.update(lookup, &mut decide)).unwrap()
}

fn answer(store: &Known<Counting>, lookup: &Lookup) -> Option<Committed> {
    block_on(store.update(lookup, &mut |_| {})).unwrap()
}

fn applied(committed: Option<Committed>) -> bool {
    matches!(committed, Some(Committed::Applied { .. }))
}

#[test]
fn a_known_row_costs_one_commit_and_no_lookup() {
    let store = Known::new(Counting::default());
    assert!(applied(write(&store, &lookup("ann"), 9)));
    assert_eq!(store.inner().take(), (1, 1), "she is new");
    for name in ["ann", "+14155550123", "ann"] {
        assert!(applied(write(&store, &lookup(name), 9)));
        assert_eq!(store.inner().take(), (0, 1), "{name}");
    }
    for name in ["ann", "+14155550123"] {
        assert_eq!(answer(&store, &lookup(name)), None);
        assert_eq!(store.inner().take(), (1, 0), "an answer is confirmed: {name}");
    }
    let key = KeyName { flow: "cart".parse().unwrap(), key: TriggerKey::new("k").unwrap() };
    let asked = [
        Lookup { known: false, ..lookup("ann") },
        Lookup { races: 1, ..lookup("ann") },
        Lookup { key: Some(key), ..lookup("ann") },
    ];
    for asked in asked {
        assert!(applied(write(&store, &asked, 9)));
        assert_eq!(store.inner().take(), (1, 1), "{asked:?}");
    }
}

#[test]
fn what_another_process_wrote_is_loaded_once_and_known_again() {
    let here = Known::new(Counting::default());
    assert!(applied(write(&here, &lookup("ann"), 9)));
    let (workspace, contact) = (WorkspaceId::default(), ContactId::new("ann").unwrap());
    let theirs = |expect| {
        Commit::new(
            workspace.clone(),
            contact.clone(),
            Some(expect),
            Record::from_bytes(*b"x"),
            lookup("ann").now,
        )
    };
    let revision = block_on(here.inner().store.load(&lookup("ann"))).unwrap().conversation.unwrap().revision;
    assert!(applied(Some(block_on(here.inner().store.commit(theirs(revision))).unwrap())));
    here.inner().take();
    assert_eq!(write(&here, &lookup("ann"), 9), Some(Committed::Conflict));
    assert_eq!(here.inner().take(), (0, 1));
    assert!(applied(write(&here, &lookup("ann"), 9)), "it is forgotten, and so loaded");
    assert_eq!(here.inner().take(), (1, 1));
    let revision = block_on(here.inner().store.load(&lookup("ann"))).unwrap().conversation.unwrap().revision;
    assert!(applied(Some(block_on(here.inner().store.commit(theirs(revision))).unwrap())));
    assert_eq!(answer(&here, &lookup("ann")), Some(Committed::Conflict), "nothing was written");
    assert_eq!(answer(&here, &lookup("+14155550123")), None);
    assert!(applied(write(&here, &lookup("+14155550123"), 9)));
    assert_eq!(here.inner().take(), (2, 1));
}

#[test]
fn nobody_knows_what_became_of_a_lost_answer() {
    let counting = Counting { loses_answers: true, ..Counting::default() };
    let store = Known::new(counting);
    for round in 0..3 {
        let lost = block_on(store.update(&lookup("ann"), &mut |txn| {
            let expect = txn.loaded().conversation.as_ref().map(|found| found.revision);
            let contact = ContactId::new("ann").unwrap();
            let record = Record::from_bytes(*b"x");
            txn.write(Commit::new(WorkspaceId::default(), contact, expect, record, lookup("ann").now));
        }));
        assert_eq!(lost.unwrap_err().kind(), crate::error::StoreErrorKind::Unknown);
        assert_eq!(store.inner().take(), (1, 1), "round {round}: it is loaded each time");
    }
}

#[test]
fn the_one_that_was_not_asked_for_longest_goes_first() {
    // Room for three of them, in one shard.
    let store = Known::new(Counting::default()).cache_bytes(3 * (300 * 3 + 512 + 192) + 100);
    let is_known = |name: &str| {
        store.inner().take();
        assert!(applied(write(&store, &lookup(name), 300)));
        store.inner().take() == (0, 1)
    };
    for name in ["ann", "bob", "cid"] {
        assert!(!is_known(name));
    }
    assert!(is_known("ann") && !is_known("dan"));
    assert!(is_known("ann") && is_known("cid") && !is_known("bob"));
    // The largest is kept by itself alone, and one that is too large not at all.
    assert!(applied(write(&store, &lookup("ann"), 100_000)));
    assert!(!is_known("ann"), "it was too large");
    assert!(is_known("cid"));
}

#[test]
fn what_is_kept_stays_within_its_room() {
    let store = Known::new(Counting::default()).cache_bytes(400_000);
    for number in 0..3_000_usize {
        let lookup = lookup(&format!("contact {number}"));
        let _ = write(&store, &lookup, number % 700);
        if number % 3 == 0 {
            let _ = write(&store, &lookup, number % 90_000);
        }
    }
    let rows = store.rows.as_ref().unwrap();
    let (weight, count, names, trails) = rows.sizes();
    assert!(weight <= 400_000 && count > 50, "{weight} bytes of {count}");
    assert_eq!(names, count, "each has its place in the order");
    assert!(trails <= 2 * count, "{trails} aliases of {count}");
}

#[test]
fn nothing_is_kept_without_room() {
    let store = Known::new(Counting::default()).cache_bytes(0);
    for _ in 0..3 {
        assert!(applied(write(&store, &lookup("ann"), 9)));
        assert_eq!(store.inner().take(), (1, 1));
    }
    assert!(store.queues_callers());
    assert!(!Known::new(MemoryStore::new()).cache_bytes(0).queues_callers(), "as the store inside");
}
