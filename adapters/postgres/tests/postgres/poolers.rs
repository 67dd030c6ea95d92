//! Statements that are prepared, and poolers that know none.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use chatflow::store::{Commit, Committed, ConversationStore, Lookup, Record, Subject, Token};
use chatflow::{ContactId, WorkspaceId};
use chatflow_postgres::{PostgresOptions, PostgresStore, ServerEvent};
use chrono::{DateTime, Utc};
use libtest_mimic::Trial;
use tokio::task::JoinSet;
use tokio_postgres::{NoTls, SimpleQueryMessage};
use uuid::Uuid;

use crate::kit::{Database, Layout, bouncer, trial};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000, 0).unwrap()
}

/// Options that keep what is told.
fn listening() -> (PostgresOptions, Arc<Mutex<Vec<ServerEvent>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    (PostgresStore::options().on_event(move |event| heard.lock().unwrap().push(event)), told)
}

fn prepares(store: &PostgresStore) -> bool {
    format!("{store:?}").contains("prepares: true")
}

/// Many first turns at a time, and a look at each afterwards: none of it fails.
async fn work(store: &PostgresStore) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut set = JoinSet::new();
    for _ in 0..200 {
        let (store, number) = (store.clone(), NUMBER.fetch_add(1, Ordering::Relaxed));
        set.spawn(async move {
            let contact = ContactId::new(format!("c-{number}")).unwrap();
            let record = Record::from_bytes(*b"record");
            let commit = Commit::new(WorkspaceId::default(), contact.clone(), None, record, now());
            let committed = store.commit(commit).await.unwrap();
            assert!(matches!(committed, Committed::Applied { .. }), "{committed:?}");
            let subject = Subject::Contact(contact);
            let lookup = Lookup::new(WorkspaceId::default(), subject, Token(Uuid::from_u128(1)), now());
            assert!(store.load(&lookup).await.unwrap().conversation.is_some());
        });
    }
    set.join_all().await;
}

/// A client that connects without options gets what fits the way to the server.
async fn statements_are_prepared_where_no_pooler_is() {
    let database = Database::new(Layout::Plain).await;
    let (options, told) = listening();
    let direct = options.connect(database.config(), NoTls).await.unwrap();
    assert!(prepares(&direct));
    work(&direct).await;
    assert!(prepares(&direct) && told.lock().unwrap().is_empty());

    let database = Database::new(Layout::Plain).await;
    let (options, told) = listening();
    let pooled = options.connect(database.through_bouncer(), NoTls).await.unwrap();
    assert!(!prepares(&pooled));
    work(&pooled).await;
    assert!(told.lock().unwrap().is_empty());
}

/// PgBouncer before 1.21 hands statements to whatever connection is free; a newer one keeps them
/// apart, and nothing is to be told.
async fn a_store_that_is_told_wrong_goes_on_without() {
    let knows_prepared = bouncer_version().await >= (1, 21);
    let database = Database::new(Layout::Plain).await;
    let (options, told) = listening();
    let options = options.prepared_statements(true).pool_size(6);
    let store = options.connect(database.through_bouncer(), NoTls).await.unwrap();
    for _ in 0..5 {
        work(&store).await;
    }
    assert_eq!(prepares(&store), knows_prepared);
    let expected = if knows_prepared { vec![] } else { vec![ServerEvent::NotPrepared] };
    assert_eq!(*told.lock().unwrap(), expected);
}

async fn bouncer_version() -> (u32, u32) {
    let mut console = bouncer();
    console.dbname("pgbouncer");
    let (client, connection) = console.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let said = client.simple_query("SHOW VERSION").await.unwrap();
    let version = said.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0)?.split_once(' ').map(|(_, version)| version.to_owned()),
        _ => None,
    });
    let version = version.unwrap();
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap());
    (parts.next().unwrap(), parts.next().unwrap())
}

/// Settings that the host gives its connections are no obstacle.
async fn settings_of_the_host_go_along() {
    let database = Database::new(Layout::Plain).await;
    let mut config = database.config();
    config.options("-c jit=on -c statement_timeout=7s");
    let store = PostgresStore::connect(config, NoTls).await.unwrap();
    assert!(prepares(&store));
    work(&store).await;
}

pub fn trials() -> Vec<Trial> {
    vec![
        trial(
            "poolers::statements_are_prepared_where_no_pooler_is",
            statements_are_prepared_where_no_pooler_is,
        ),
        trial(
            "poolers::a_store_that_is_told_wrong_goes_on_without",
            a_store_that_is_told_wrong_goes_on_without,
        ),
        trial("poolers::settings_of_the_host_go_along", settings_of_the_host_go_along),
    ]
}
