//! Settles that are acknowledged before they are written, as another process sees them (rule 28 of
//! the contract of stores).

use std::time::Duration;

use chatflow::store::{
    Commit, Committed, ConversationStore, Due, Lease, Loaded, Lookup, Record, Settle, Settled, Subject, Token,
};
use chatflow::{ContactId, WorkspaceId};
use chatflow_postgres::PostgresStore;
use chrono::{DateTime, TimeDelta, Utc};
use libtest_mimic::Trial;
use tokio::runtime::Builder;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::kit::{Database, Layout, trial};

const MINUTE: Duration = Duration::from_secs(60);

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap()
}

fn token(number: u128) -> Token {
    Token(Uuid::from_u128(number))
}

fn taking(expect: Option<u64>, by: u128, period: Duration) -> Commit {
    let (workspace, contact) = (WorkspaceId::default(), ContactId::new("ada").unwrap());
    let record = Record::from_bytes(*b"record");
    let lease = Lease::Take(token(by), period);
    Commit { lease, due_at: Some(now()), ..Commit::new(workspace, contact, expect, record, now()) }
}

fn settle(by: u128, revision: u64) -> Settle {
    let (workspace, contact) = (WorkspaceId::default(), ContactId::new("ada").unwrap());
    let due_at = Some(now() + TimeDelta::hours(1));
    let (settled, quarantine) = (3, false);
    Settle { workspace, contact, token: token(by), revision, settled, due_at, quarantine, now: now() }
}

async fn apply(store: &PostgresStore, commit: Commit) -> (u64, bool, u64) {
    match store.commit(commit).await.unwrap() {
        Committed::Applied { revision, leased, settled } => (revision, leased, settled),
        other => panic!("{other:?}"),
    }
}

async fn find(store: &PostgresStore, by: u128) -> (u64, bool) {
    let subject = Subject::Contact(ContactId::new("ada").unwrap());
    let lookup = Lookup::new(WorkspaceId::default(), subject, token(by), now());
    let Loaded { conversation: Some(stored), .. } = store.load(&lookup).await.unwrap() else {
        panic!("it is there")
    };
    (stored.settled, stored.leased)
}

async fn claimed(store: &PostgresStore, at: DateTime<Utc>) -> usize {
    let due = Due { now: at, token: token(9), lease: MINUTE, limit: 9, suspects: false };
    store.lease_due(&due).await.unwrap().conversations.len()
}

/// A process of its own whose settles wait for a second, and another one.
async fn two(database: &Database) -> (PostgresStore, PostgresStore) {
    let options = PostgresStore::options().settle_within(Duration::from_secs(1));
    let slow = options.connect(database.config(), NoTls).await.unwrap();
    (slow, database.store().await)
}

async fn its_own_process_sees_it_as_done() {
    let database = Database::new(Layout::Plain).await;
    let (store, other) = two(&database).await;
    let (revision, leased, _) = apply(&store, taking(None, 1, MINUTE)).await;
    assert!(leased);
    assert_eq!(store.settle(&settle(1, revision)).await.unwrap(), Settled::Done);
    assert_eq!(find(&store, 1).await, (3, false));
    assert_eq!(find(&other, 1).await, (0, true), "it is not written yet");
    assert_eq!(store.settle(&settle(1, revision)).await.unwrap(), Settled::LeaseLost, "it was given back");
    // The next commit takes the lease, and brings the watermark along.
    let (_, leased, settled) = apply(&store, taking(Some(revision), 2, MINUTE)).await;
    assert_eq!((leased, settled), (true, 3));
    assert_eq!((find(&other, 2).await, find(&other, 1).await), ((3, true), (3, false)));
}

async fn it_is_written_before_a_claim_and_by_a_flush() {
    let database = Database::new(Layout::Plain).await;
    let (store, other) = two(&database).await;
    let (revision, ..) = apply(&store, taking(None, 1, MINUTE)).await;
    assert_eq!(store.settle(&settle(1, revision)).await.unwrap(), Settled::Done);
    let (revision, ..) = {
        assert_eq!(claimed(&store, now()).await, 0, "it is due in an hour");
        assert_eq!(claimed(&store, now() + TimeDelta::hours(1)).await, 1);
        apply(&store, Commit { lease: Lease::Hold(token(9)), ..taking(Some(revision), 9, MINUTE) }).await
    };
    assert_eq!(store.settle(&settle(9, revision)).await.unwrap(), Settled::Done);
    store.flush().await.unwrap();
    assert_eq!(find(&other, 9).await, (3, false));
}

async fn it_is_written_soon_in_any_case() {
    let database = Database::new(Layout::Plain).await;
    let (store, other) = two(&database).await;
    let (revision, ..) = apply(&store, taking(None, 1, MINUTE)).await;
    assert_eq!(store.settle(&settle(1, revision)).await.unwrap(), Settled::Done);
    for _ in 0..500 {
        if find(&other, 1).await == (3, false) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it was never written");
}

/// A commit of another process in between is not held up by a lease that nobody uses: it is due.
async fn after_a_commit_of_another_process_it_frees_the_lease() {
    let database = Database::new(Layout::Plain).await;
    let (store, other) = two(&database).await;
    let (revision, ..) = apply(&store, taking(None, 1, MINUTE)).await;
    let (_, leased, _) = apply(&other, taking(Some(revision), 2, MINUTE)).await;
    assert!(!leased, "somebody delivers");
    assert_eq!(store.settle(&settle(1, revision)).await.unwrap(), Settled::Done);
    store.flush().await.unwrap();
    assert_eq!(find(&other, 1).await, (3, false));
    assert_eq!(claimed(&other, now()).await, 1, "what the other committed is due");
}

/// A commit of its own that came in between is told to the caller that settles, as ever.
async fn after_a_commit_of_its_own_process_it_is_a_conflict() {
    let database = Database::new(Layout::Plain).await;
    let (store, _) = two(&database).await;
    let (revision, ..) = apply(&store, taking(None, 1, MINUTE)).await;
    let (_, leased, _) = apply(&store, taking(Some(revision), 2, MINUTE)).await;
    assert!(!leased);
    assert_eq!(store.settle(&settle(1, revision)).await.unwrap(), Settled::Conflict { settled: 3 });
}

/// A process that is killed in between has settled nothing: nobody delivers until its lease is
/// over, and then it is claimed.
async fn a_process_that_is_killed_has_settled_nothing() {
    let database = Database::new(Layout::Plain).await;
    let config = database.config();
    let killed = std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let revision = runtime.block_on(async {
            let options = PostgresStore::options().settle_within(Duration::from_secs(1));
            let store = options.connect(config, NoTls).await.unwrap();
            let (revision, ..) = apply(&store, taking(None, 1, Duration::from_secs(3))).await;
            assert_eq!(store.settle(&settle(1, revision)).await.unwrap(), Settled::Done);
            revision
        });
        runtime.shutdown_background();
        revision
    });
    let revision = tokio::task::spawn_blocking(|| killed.join().unwrap()).await.unwrap();
    let store = database.store().await;
    assert_eq!(find(&store, 1).await, (0, true));
    let (_, leased, settled) = apply(&store, taking(Some(revision), 2, MINUTE)).await;
    assert_eq!((leased, settled), (false, 0));
    tokio::time::sleep(Duration::from_millis(3_200)).await;
    assert_eq!(claimed(&store, now()).await, 1);
}

/// A transaction of the host that has the row does not hold up a claim.
async fn a_locked_row_does_not_hold_up_a_claim() {
    let database = Database::new(Layout::Plain).await;
    let (store, _) = two(&database).await;
    let (revision, ..) = apply(&store, taking(None, 1, MINUTE)).await;
    let client = database.client().await;
    client.batch_execute("BEGIN; SELECT 1 FROM chatflow_conversation FOR UPDATE").await.unwrap();
    assert_eq!(store.settle(&settle(1, revision)).await.unwrap(), Settled::Done);
    let claim = tokio::time::timeout(Duration::from_secs(5), claimed(&store, now()));
    assert_eq!(claim.await.expect("it does without that conversation"), 0);
    client.batch_execute("COMMIT").await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(find(&store, 1).await, (3, false));
}

pub fn trials() -> Vec<Trial> {
    vec![
        trial("rides::its_own_process_sees_it_as_done", its_own_process_sees_it_as_done),
        trial(
            "rides::it_is_written_before_a_claim_and_by_a_flush",
            it_is_written_before_a_claim_and_by_a_flush,
        ),
        trial("rides::it_is_written_soon_in_any_case", it_is_written_soon_in_any_case),
        trial(
            "rides::after_a_commit_of_another_process_it_frees_the_lease",
            after_a_commit_of_another_process_it_frees_the_lease,
        ),
        trial(
            "rides::after_a_commit_of_its_own_process_it_is_a_conflict",
            after_a_commit_of_its_own_process_it_is_a_conflict,
        ),
        trial(
            "rides::a_process_that_is_killed_has_settled_nothing",
            a_process_that_is_killed_has_settled_nothing,
        ),
        trial("rides::a_locked_row_does_not_hold_up_a_claim", a_locked_row_does_not_hold_up_a_claim),
    ]
}
