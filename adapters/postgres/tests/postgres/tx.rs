//! The store inside a transaction of the host: both or neither.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use chatflow::address::{Alias, Phone};
use chatflow::id::{FlowVersion, NodeId};
use chatflow::store::{
    Commit, Committed, ConversationStore, CountDelta, CountQuery, CounterSubject, Erase, FlowStore, Lookup,
    Record, StoreQueries, Subject, Token,
};
use chatflow::{Address, ContactId, FlowId, WorkspaceId};
use chrono::{DateTime, Utc};
use libtest_mimic::Trial;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::kit::{Database, Layout, trial};

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

fn owning(name: &str) -> Commit {
    Commit { add_aliases: vec![phone()], ..commit(name, None) }
}

async fn finds(store: &impl ConversationStore, name: &str) -> bool {
    let subject = Subject::Contact(contact(name));
    let lookup = Lookup::new(WorkspaceId::default(), subject, Token(Uuid::nil()), now());
    store.load(&lookup).await.unwrap().conversation.is_some()
}

fn is_applied(committed: &Committed) -> bool {
    matches!(committed, Committed::Applied { .. })
}

/// A database with a table of the host.
async fn shop() -> (Database, Client) {
    let database = Database::new(Layout::Plain).await;
    let client = database.client().await;
    client.batch_execute("DROP TABLE IF EXISTS orders; CREATE TABLE orders (id int)").await.unwrap();
    (database, client)
}

async fn orders(client: &Client) -> i64 {
    client.query_one("SELECT count(*) FROM orders", &[]).await.unwrap().get(0)
}

async fn what_the_host_commits_is_there_together() {
    let (database, mut client) = shop().await;
    let store = database.store().await;
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("INSERT INTO orders VALUES (1)").await.unwrap();
    let inside = store.in_tx(&transaction);
    assert!(is_applied(&inside.commit(owning("ann")).await.unwrap()));
    assert!(finds(&inside, "ann").await, "it reads its own writes");
    assert!(!finds(&store, "ann").await, "others do not, yet");
    transaction.commit().await.unwrap();
    assert!(finds(&store, "ann").await);
    assert_eq!(orders(&client).await, 1);
}

async fn what_the_host_rolls_back_never_was() {
    let (database, mut client) = shop().await;
    let store = database.store().await;
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("INSERT INTO orders VALUES (1)").await.unwrap();
    assert!(is_applied(&store.in_tx(&transaction).commit(owning("ann")).await.unwrap()));
    transaction.rollback().await.unwrap();
    assert!(!finds(&store, "ann").await);
    assert_eq!(orders(&client).await, 0);
    assert!(is_applied(&store.commit(owning("bob")).await.unwrap()), "its alias is free");
}

async fn a_refusal_leaves_what_the_host_wrote() {
    let (database, mut client) = shop().await;
    let store = database.store().await;
    assert!(is_applied(&store.commit(owning("ann")).await.unwrap()));
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("INSERT INTO orders VALUES (1)").await.unwrap();
    let inside = store.in_tx(&transaction);
    let taken = Committed::AliasTaken { alias: phone(), holder: contact("ann") };
    assert_eq!(inside.commit(owning("bob")).await.unwrap(), taken);
    assert_eq!(inside.commit(commit("ann", Some(1))).await.unwrap(), Committed::Conflict);
    let erase = Erase {
        workspace: WorkspaceId::default(),
        contact: contact("ann"),
        expect: 1,
        keeps_history: false,
        now: now(),
    };
    assert_eq!(inside.erase(&erase).await.unwrap(), None);
    assert!(is_applied(&inside.commit(commit("cas", None)).await.unwrap()));
    transaction.commit().await.unwrap();
    assert_eq!(orders(&client).await, 1);
    assert!(finds(&store, "cas").await && !finds(&store, "bob").await);
}

async fn a_call_that_is_dropped_leaves_the_transaction_whole() {
    let (database, mut client) = shop().await;
    let store = database.store().await;
    for polls in 1..12 {
        let transaction = client.transaction().await.unwrap();
        transaction.batch_execute("INSERT INTO orders VALUES (1)").await.unwrap();
        let inside = store.in_tx(&transaction);
        let name = format!("contact-{polls}");
        {
            let dropped = Commit { drop_aliases: vec![phone()], ..commit(&name, None) };
            let mut call = pin!(inside.commit(dropped));
            let mut left = polls;
            poll_fn(|context| match call.as_mut().poll(context) {
                Poll::Pending if left > 1 => {
                    left -= 1;
                    Poll::Pending
                }
                _ => Poll::Ready(()),
            })
            .await;
        }
        assert!(is_applied(&inside.commit(commit("ann", None)).await.unwrap()), "after {polls} polls");
        transaction.rollback().await.unwrap();
    }
    assert_eq!(orders(&client).await, 0);
}

fn counting(name: &str, node: &str) -> Commit {
    let what = CounterSubject::Entered(NodeId::new(node).unwrap());
    let flow = FlowId::new("cart").unwrap();
    let count = CountDelta { flow, version: FlowVersion(1), minute: 1, what, times: 1 };
    Commit { counts: vec![count], ..commit(name, None) }
}

async fn counted(store: &impl StoreQueries) -> u64 {
    let (workspace, flow) = (WorkspaceId::default(), FlowId::new("cart").unwrap());
    let query = CountQuery { workspace, flow, from: 0, to: 2 };
    store.counts(&query).await.unwrap().into_iter().map(|(_, _, times)| times).sum()
}

/// The counts of an open transaction are no row that others wait for, or that it waits for.
async fn a_transaction_that_is_open_holds_up_nobody_who_counts() {
    let (database, mut client) = shop().await;
    let mut second = database.client().await;
    let store = database.store().await;
    let (one, other) = (client.transaction().await.unwrap(), second.transaction().await.unwrap());
    let soon = async {
        assert!(is_applied(&store.in_tx(&one).commit(counting("ann", "ask")).await.unwrap()));
        assert!(is_applied(&store.in_tx(&other).commit(counting("bob", "pay")).await.unwrap()));
        assert!(is_applied(&store.commit(counting("cas", "ask")).await.unwrap()));
        // Those two in the other order: were the rows shared, each would wait for the other.
        assert!(is_applied(&store.in_tx(&one).commit(counting("dan", "pay")).await.unwrap()));
        assert!(is_applied(&store.in_tx(&other).commit(counting("eve", "ask")).await.unwrap()));
        assert_eq!(counted(&store.in_tx(&one)).await, 3, "it reads its own, and what is committed");
    };
    tokio::time::timeout(Duration::from_secs(20), soon).await.expect("nobody waits");
    assert_eq!(counted(&store).await, 1);
    one.commit().await.unwrap();
    other.rollback().await.unwrap();
    assert_eq!(counted(&store).await, 3, "what was rolled back is not counted");
}

async fn flows_are_read_in_it_too() {
    let (database, mut client) = shop().await;
    let store = database.store().await;
    let transaction = client.transaction().await.unwrap();
    assert_eq!(store.in_tx(&transaction).revision(&WorkspaceId::default()).await.unwrap(), 0);
}

pub fn trials() -> Vec<Trial> {
    vec![
        trial("tx::what_the_host_commits_is_there_together", what_the_host_commits_is_there_together),
        trial("tx::what_the_host_rolls_back_never_was", what_the_host_rolls_back_never_was),
        trial("tx::a_refusal_leaves_what_the_host_wrote", a_refusal_leaves_what_the_host_wrote),
        trial("tx::a_call_that_is_dropped_leaves_the_transaction_whole", || {
            a_call_that_is_dropped_leaves_the_transaction_whole()
        }),
        trial("tx::a_transaction_that_is_open_holds_up_nobody_who_counts", || {
            a_transaction_that_is_open_holds_up_nobody_who_counts()
        }),
        trial("tx::flows_are_read_in_it_too", flows_are_read_in_it_too),
    ]
}
