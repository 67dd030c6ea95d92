//! Calls that lost races decide under the lock of the conversation's row (SEMANTICS S17).

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use chatflow::address::{Alias, Phone};
use chatflow::id::{FlowVersion, TriggerKey};
use chatflow::store::{
    Commit, Committed, ConversationStore, KeyName, KeyRecord, Loaded, Lookup, Record, Subject, Token, Txn,
};
use chatflow::{Address, ContactId, FlowId, SessionId, WorkspaceId};
use chatflow_postgres::PostgresStore;
use chrono::{DateTime, TimeDelta, Utc};
use libtest_mimic::Trial;
use uuid::Uuid;

use crate::kit::{Database, Layout, trial};

/// So many lost races make every call lock.
const MANY: u32 = 10;
/// The time in which a commit that waits for nobody is surely done.
const LONG: Duration = Duration::from_millis(500);

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap()
}

fn contact(name: &str) -> ContactId {
    ContactId::new(name).unwrap()
}

fn phone() -> Alias {
    Alias::Address(Address::Phone(Phone::parse("+14155550100").unwrap()))
}

fn commit(name: &str, expect: Option<u64>) -> Commit {
    let record = Record::from_bytes(*b"record");
    Commit::new(WorkspaceId::default(), contact(name), expect, record, now())
}

fn lookup(subject: Subject, races: u32) -> Lookup {
    let token = Token(Uuid::from_u128(7));
    Lookup { races, ..Lookup::new(WorkspaceId::default(), subject, token, now()) }
}

fn revision(loaded: &Loaded) -> Option<u64> {
    Some(loaded.conversation.as_ref()?.revision)
}

async fn applied(store: &PostgresStore, commit: Commit) -> u64 {
    match store.commit(commit).await.unwrap() {
        Committed::Applied { revision, .. } => revision,
        refused => panic!("{refused:?}"),
    }
}

/// Decides while another process commits at the same revision: what the call came to, whether the
/// other was done before it, and what the other came to.
async fn beside_a_rival(
    store: &PostgresStore,
    rival: &PostgresStore,
    lookup: &Lookup,
) -> (Committed, bool, Committed) {
    let (done, is_done) = mpsc::channel();
    let is_done = Mutex::new(is_done);
    let (mut was_first, mut other) = (false, None);
    let mut decide = |txn: &mut Txn<'_>| {
        let expect = revision(txn.loaded());
        let (rival, done) = (rival.clone(), done.clone());
        other = Some(tokio::spawn(async move {
            let committed = rival.commit(commit("ann", expect)).await.unwrap();
            let _ = done.send(());
            committed
        }));
        was_first = is_done.lock().unwrap().recv_timeout(LONG).is_ok();
        txn.write(commit("ann", expect));
    };
    let own = store.update(lookup, &mut decide).await.unwrap().expect("it is decided");
    let other = other.expect("it was begun").await.unwrap();
    (own, was_first, other)
}

async fn who_lost_races_waits_for_nobody_else(layout: Layout, isolation: &str) {
    let database = Database::new(layout).await;
    let (store, rival) = (database.strict_store(isolation).await, database.strict_store(isolation).await);
    applied(&store, Commit { add_aliases: vec![phone()], ..commit("ann", None) }).await;
    for subject in [Subject::Contact(contact("ann")), Subject::Alias(phone())] {
        let (own, was_first, other) = beside_a_rival(&store, &rival, &lookup(subject.clone(), 0)).await;
        assert!(was_first, "without a lock nobody waits");
        assert!(matches!((own, other), (Committed::Conflict, Committed::Applied { .. })));

        let (own, was_first, other) = beside_a_rival(&store, &rival, &lookup(subject, MANY)).await;
        assert!(!was_first, "the row is locked while the call decides");
        assert!(matches!((own, other), (Committed::Applied { .. }, Committed::Conflict)));
    }
}

async fn what_is_refused_under_the_lock_is_told_and_undone() {
    let database = Database::new(Layout::Plain).await;
    let store = database.store().await;
    let holder = applied(&store, Commit { add_aliases: vec![phone()], ..commit("bob", None) }).await;
    let ann = applied(&store, commit("ann", None)).await;
    let held = lookup(Subject::Contact(contact("ann")), MANY);

    let mut wants = |txn: &mut Txn<'_>| {
        let commit = commit("ann", revision(txn.loaded()));
        txn.write(Commit { add_aliases: vec![phone()], ..commit });
    };
    let refused = store.update(&held, &mut wants).await.unwrap();
    assert!(matches!(refused, Some(Committed::AliasTaken { holder, .. }) if holder == contact("bob")));

    let name = KeyName { flow: FlowId::new("cart").unwrap(), key: TriggerKey::new("k").unwrap() };
    let record = KeyRecord {
        fingerprint: 1,
        started: true,
        session: SessionId(Uuid::from_u128(1)),
        version: FlowVersion(1),
        digest: None,
        contact: contact("bob"),
        expires_at: now() + TimeDelta::hours(1),
        status: None,
        failure: None,
        erased: false,
    };
    let key = Some((name, record));
    applied(&store, Commit { key: key.clone(), ..commit("bob", Some(holder)) }).await;
    let mut keyed = |txn: &mut Txn<'_>| {
        let commit = commit("ann", revision(txn.loaded()));
        txn.write(Commit { key: key.clone(), ..commit });
    };
    assert_eq!(store.update(&held, &mut keyed).await.unwrap(), Some(Committed::KeyTaken));

    // Neither changed anything, nor left a lock.
    assert!(matches!(store.commit(commit("ann", Some(ann))).await.unwrap(), Committed::Applied { .. }));
}

async fn who_decides_nothing_or_goes_leaves_no_lock() {
    let database = Database::new(Layout::Plain).await;
    let (store, rival) = (database.store().await, database.store().await);
    let mut at = applied(&store, commit("ann", None)).await;
    let held = lookup(Subject::Contact(contact("ann")), MANY);
    assert_eq!(store.update(&held, &mut |_| ()).await.unwrap(), None);
    at = applied(&rival, commit("ann", Some(at))).await;

    // A decision that panics takes its task along.
    let (bot, asked) = (store.clone(), held.clone());
    let panicked = tokio::spawn(async move {
        bot.update(&asked, &mut |_| std::panic::resume_unwind(Box::new("on purpose"))).await
    });
    assert!(panicked.await.is_err());
    at = applied(&rival, commit("ann", Some(at))).await;

    // One whose task is not run for long is not waited for.
    let slow = store
        .update(&held, &mut |txn| {
            #[expect(clippy::disallowed_methods, reason = "its thread is held up")]
            std::thread::sleep(Duration::from_millis(1500));
            txn.write(commit("ann", revision(txn.loaded())));
        })
        .await;
    assert_eq!(slow.unwrap(), Some(Committed::Conflict));
    applied(&rival, commit("ann", Some(at))).await;
}

async fn a_conversation_that_is_not_there_yet_is_begun_once() {
    let database = Database::new(Layout::Plain).await;
    let (store, rival) = (database.store().await, database.store().await);
    let held = lookup(Subject::Contact(contact("ann")), MANY);
    let (own, was_first, other) = beside_a_rival(&store, &rival, &held).await;
    assert!(was_first, "there is no row to be locked");
    assert!(matches!((own, other), (Committed::Conflict, Committed::Applied { .. })));
}

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for layout in [Layout::Plain, Layout::Partitioned] {
        for isolation in ["read committed", "repeatable read", "serializable"] {
            let name = format!("held::who_lost_races_waits_for_nobody_else::{layout:?}::{isolation}");
            trials.push(trial(name, move || who_lost_races_waits_for_nobody_else(layout, isolation)));
        }
    }
    trials.extend([
        trial(
            "held::what_is_refused_under_the_lock_is_told_and_undone",
            what_is_refused_under_the_lock_is_told_and_undone,
        ),
        trial("held::who_decides_nothing_or_goes_leaves_no_lock", who_decides_nothing_or_goes_leaves_no_lock),
        trial(
            "held::a_conversation_that_is_not_there_yet_is_begun_once",
            a_conversation_that_is_not_there_yet_is_begun_once,
        ),
    ]);
    trials
}
