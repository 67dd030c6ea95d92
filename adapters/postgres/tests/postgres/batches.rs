//! Calls that wait at the same time and are written together: each has an outcome of its own.

use std::time::Duration;

use chatflow::id::{FlowVersion, TriggerKey};
use chatflow::store::{
    Commit, Committed, ConversationStore, KeyName, KeyRecord, Lookup, Record, Settle, Subject, Token,
};
use chatflow::{ContactId, FlowId, SessionId, WorkspaceId};
use chatflow_postgres::PostgresStore;
use chrono::{DateTime, TimeDelta, Utc};
use libtest_mimic::Trial;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::kit::{Database, Layout, create, server, trial};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap()
}

fn commit(name: &str, expect: Option<u64>) -> Commit {
    let record = Record::from_bytes(*b"record");
    Commit::new(WorkspaceId::default(), ContactId::new(name).unwrap(), expect, record, now())
}

fn keyed(name: &str, key: &str) -> Commit {
    let record = KeyRecord {
        fingerprint: 1,
        started: true,
        session: SessionId(Uuid::nil()),
        version: FlowVersion(1),
        digest: Some(u128::MAX - 1),
        contact: ContactId::new(name).unwrap(),
        expires_at: now() + TimeDelta::hours(1),
        status: None,
        failure: None,
        erased: false,
    };
    let key = KeyName { flow: FlowId::new("cart").unwrap(), key: TriggerKey::new(key).unwrap() };
    Commit { key: Some((key, record)), ..commit(name, None) }
}

/// One lane on one connection: whatever waits while it works goes together.
async fn one_lane(database: &Database) -> PostgresStore {
    PostgresStore::options().lanes(1).connect(database.config(), NoTls).await.unwrap()
}

/// All at the same time, in the order that they were given.
async fn all(store: &PostgresStore, commits: Vec<Commit>) -> Vec<Committed> {
    let mut set = JoinSet::new();
    for (place, commit) in commits.into_iter().enumerate() {
        let store = store.clone();
        set.spawn(async move { (place, store.commit(commit).await.unwrap()) });
    }
    let mut outcomes = set.join_all().await;
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn is_applied(committed: &Committed) -> bool {
    matches!(committed, Committed::Applied { .. })
}

async fn one_that_is_refused_harms_no_other() {
    let database = Database::new(Layout::Plain).await;
    let store = one_lane(&database).await;
    let names: Vec<String> = (0..200).map(|number| format!("contact-{number}")).collect();
    let first = all(&store, names.iter().map(|name| commit(name, None)).collect()).await;
    assert!(first.iter().all(is_applied));
    let second = names.iter().zip(&first).enumerate().map(|(number, (name, first))| {
        let Committed::Applied { revision, .. } = first else { panic!("{first:?}") };
        commit(name, Some(revision + u64::from(number % 3 == 0)))
    });
    let second = all(&store, second.collect()).await;
    for (number, outcome) in second.iter().enumerate() {
        if number % 3 == 0 {
            assert_eq!(*outcome, Committed::Conflict);
        } else {
            assert!(is_applied(outcome), "{number}: {outcome:?}");
        }
    }
}

async fn of_many_with_one_key_one_applies_and_the_others_are_told() {
    let database = Database::new(Layout::Plain).await;
    let store = one_lane(&database).await;
    let commits = (0..60).map(|number| keyed(&format!("contact-{number}"), &format!("key-{}", number % 20)));
    let outcomes = all(&store, commits.collect()).await;
    assert_eq!(outcomes.iter().filter(|outcome| is_applied(outcome)).count(), 20);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Committed::KeyTaken).count(), 40);
}

/// The key comes from elsewhere, after the statement's snapshot: the whole statement is undone, and
/// each goes alone.
async fn a_duplicate_from_elsewhere_refuses_only_its_own() {
    let database = Database::new(Layout::Plain).await;
    let (mine, theirs) = (one_lane(&database).await, database.store().await);
    let mut client = database.client().await;
    let transaction = client.transaction().await.unwrap();
    let elsewhere = theirs.in_tx(&transaction).commit(keyed("elsewhere", "key-7")).await.unwrap();
    assert!(is_applied(&elsewhere));
    let mut set = JoinSet::new();
    for number in 0..30 {
        let mine = mine.clone();
        set.spawn(async move {
            let name = format!("contact-{number}");
            (number, mine.commit(keyed(&name, &format!("key-{number}"))).await.unwrap())
        });
    }
    while waiting(&database).await == 0 {
        tokio::task::yield_now().await;
    }
    transaction.commit().await.unwrap();
    for (number, outcome) in set.join_all().await {
        if number == 7 {
            assert_eq!(outcome, Committed::KeyTaken);
        } else {
            assert!(is_applied(&outcome), "{number}: {outcome:?}");
        }
    }
}

/// The number of statements that wait for a lock.
async fn waiting(database: &Database) -> i64 {
    let client = database.client().await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn one_conversation_is_written_by_one_after_the_other() {
    let database = Database::new(Layout::Plain).await;
    let store = PostgresStore::options().lanes(4).connect(database.config(), NoTls).await.unwrap();
    let mut outcome = all(&store, vec![commit("ann", None)]).await;
    for _ in 0..10 {
        let Some(Committed::Applied { revision, .. }) = outcome.iter().find(|one| is_applied(one)) else {
            panic!("{outcome:?}")
        };
        let same = (0..40).map(|_| commit("ann", Some(*revision)));
        outcome = all(&store, same.collect()).await;
        assert_eq!(outcome.iter().filter(|one| is_applied(one)).count(), 1);
        assert_eq!(outcome.iter().filter(|one| **one == Committed::Conflict).count(), 39);
    }
}

/// The runtime of the store does the work, no matter in which executor its callers wait.
async fn a_store_works_under_any_executor() {
    let database = Database::new(Layout::Plain).await;
    let store = database.store().await;
    let done = std::thread::spawn(move || {
        pollster::block_on(async {
            assert!(is_applied(&store.commit(commit("ann", None)).await.unwrap()));
            let subject = Subject::Contact(ContactId::new("ann").unwrap());
            let lookup = Lookup::new(WorkspaceId::default(), subject, Token(Uuid::nil()), now());
            store.load(&lookup).await.unwrap().conversation.is_some()
        })
    });
    assert!(done.join().unwrap());
}

async fn calls_after_the_end_of_the_stores_runtime_are_answered() {
    let database = Database::new(Layout::Plain).await;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let connect = PostgresStore::connect(database.config(), NoTls);
    let store = runtime.spawn(connect).await.unwrap().unwrap();
    runtime.shutdown_background();
    let subject = Subject::Contact(ContactId::new("ann").unwrap());
    let lookup = Lookup::new(WorkspaceId::default(), subject, Token(Uuid::nil()), now());
    let calls = async {
        let settle = Settle {
            workspace: WorkspaceId::default(),
            contact: ContactId::new("ann").unwrap(),
            token: Token(Uuid::nil()),
            revision: 1,
            settled: 0,
            due_at: None,
            quarantine: false,
            now: now(),
        };
        [
            store.commit(commit("ann", None)).await.unwrap_err(),
            store.settle(&settle).await.unwrap_err(),
            store.load(&lookup).await.unwrap_err(),
        ]
    };
    for error in timeout(Duration::from_secs(20), calls).await.expect("an answer") {
        assert!(error.to_string().contains("runtime has ended"), "{error}");
    }
}

async fn several_processes_may_migrate_at_once() {
    let mut config = server().unwrap();
    config.dbname(create().await);
    let refused = PostgresStore::connect(config.clone(), NoTls).await.unwrap_err().to_string();
    assert!(refused.contains("permanent") && refused.contains("PostgresStore::migrate"), "{refused}");
    let mut set = JoinSet::new();
    for _ in 0..8 {
        set.spawn(PostgresStore::options().partitions(3).migrate(config.clone(), NoTls));
    }
    for migrated in set.join_all().await {
        migrated.unwrap();
    }
    PostgresStore::migrate(config.clone(), NoTls).await.unwrap();
    let refused = PostgresStore::options().partitions(4).migrate(config.clone(), NoTls).await.unwrap_err();
    assert!(refused.to_string().contains("3 partitions"), "{refused}");
    let store = PostgresStore::connect(config, NoTls).await.unwrap();
    assert!(is_applied(&store.commit(commit("ann", None)).await.unwrap()));
}

pub fn trials() -> Vec<Trial> {
    vec![
        trial("batches::one_that_is_refused_harms_no_other", one_that_is_refused_harms_no_other),
        trial("batches::of_many_with_one_key_one_applies_and_the_others_are_told", || {
            of_many_with_one_key_one_applies_and_the_others_are_told()
        }),
        trial("batches::a_duplicate_from_elsewhere_refuses_only_its_own", || {
            a_duplicate_from_elsewhere_refuses_only_its_own()
        }),
        trial("batches::one_conversation_is_written_by_one_after_the_other", || {
            one_conversation_is_written_by_one_after_the_other()
        }),
        trial("batches::a_store_works_under_any_executor", a_store_works_under_any_executor),
        trial("batches::calls_after_the_end_of_the_stores_runtime_are_answered", || {
            calls_after_the_end_of_the_stores_runtime_are_answered()
        }),
        trial("batches::several_processes_may_migrate_at_once", several_processes_may_migrate_at_once),
    ]
}
