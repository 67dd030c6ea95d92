//! Reads of operators, in a database (SEMANTICS Q8, Q9).

use chatflow::store::{
    Commit, Committed, ConversationStore, CountQuery, Lookup, Record, StoreQueries, Subject, Token,
};
use chatflow::{ContactId, FlowId, WorkspaceId};
use chatflow_postgres::PostgresStore;
use chrono::DateTime;
use libtest_mimic::Trial;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::kit::{Database, Layout, block_on, trial};
use crate::operators_kit;

/// Tables of the version before counters are refused until they are migrated, and keep what they
/// have.
async fn tables_without_counters_get_them() {
    let database = Database::new(Layout::Partitioned).await;
    let store = database.store().await;
    let ann = ContactId::new("ann").unwrap();
    let now = DateTime::from_timestamp(1_750_000_000, 0).unwrap();
    let (workspace, record) = (WorkspaceId::default(), Record::from_bytes(*b"kept"));
    let first = Commit::new(workspace.clone(), ann.clone(), None, record, now);
    assert!(matches!(store.commit(first).await.unwrap(), Committed::Applied { .. }));
    let client = database.client().await;
    client.batch_execute("DROP TABLE chatflow_count; UPDATE chatflow_schema SET version = 1").await.unwrap();
    let refused = PostgresStore::connect(database.config(), NoTls).await.map(drop).unwrap_err();
    assert!(!refused.is_retryable() && refused.to_string().contains("migrate"), "{refused}");
    let otherwise = database.options().partitions(3).migrate(database.config(), NoTls).await.unwrap_err();
    assert!(otherwise.to_string().contains("8 partitions"), "{otherwise}");
    for _ in 0..2 {
        database.options().migrate(database.config(), NoTls).await.unwrap();
    }
    let store = database.store().await;
    let lookup = Lookup::new(workspace.clone(), Subject::Contact(ann), Token(Uuid::nil()), now);
    assert!(store.load(&lookup).await.unwrap().conversation.is_some());
    let query = CountQuery { workspace, flow: FlowId::new("cart").unwrap(), from: 0, to: 9 };
    assert_eq!(store.counts(&query).await.unwrap(), []);
}

pub fn trials() -> Vec<Trial> {
    macro_rules! on_postgres {
        ($($scenario:ident),* $(,)?) => {
            vec![$(Trial::test(concat!("operators::", stringify!($scenario)), || {
                block_on(async {
                    let database = Database::new(Layout::Plain).await;
                    operators_kit::$scenario(async || database.store().await).await;
                });
                Ok(())
            })),*]
        };
    }
    let mut trials = on_postgres![
        results_stay,
        pages_of_results,
        results_of_what_is_not_readable_here,
        counts_are_what_journals_say,
        counts_of_many_at_once,
        a_contact_is_with_a_person,
    ];
    trials.push(trial("operators::tables_without_counters_get_them", tables_without_counters_get_them));
    trials
}
