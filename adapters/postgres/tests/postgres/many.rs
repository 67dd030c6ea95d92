//! Many flows in a database (SEMANTICS L10).

use chatflow::store::{CatalogueChanges, FlowStore};
use chatflow::{Engine, MemoryStore, WorkspaceId};
use libtest_mimic::Trial;

use crate::kit::{Database, Layout, block_on, trial};
use crate::many_kit::{self, library};
use crate::plans::{self, Plans};

/// The number of statements does not depend on that of the flows ensured at once; flows online
/// already cost one.
async fn statements_do_not_grow_with_flows() {
    for count in [25, 250] {
        let database = Database::new(Layout::Plain).await;
        let plans = Plans::default();
        let store = plans::store(&database, &plans, plans::Planning::EachTime).await;
        let engine = || Engine::builder(MemoryStore::new()).flow_store(store.clone()).build();
        plans.forget();
        let bot = engine();
        bot.flows().ensure_all(library(count, "Hi")).await.unwrap();
        // Flows are read; the change is counted, revisions are compared, texts and entries are
        // written.
        assert_eq!(plans.count(), 5, "{count} new flows");
        plans.forget();
        engine().flows().ensure_all(library(count, "Hi")).await.unwrap();
        assert_eq!(plans.count(), 1, "{count} flows at the next start");
        plans.forget();
        bot.flows().ensure_all(library(count, "Bye")).await.unwrap();
        assert_eq!(plans.count(), 5, "{count} changed flows");
        plans.forget();
        for json in library(count, "Bye") {
            bot.flows().ensure(&json).await.unwrap();
        }
        assert_eq!(plans.count(), count, "one read for each that is ensured by itself");
    }
}

/// Among thousands of flows those that changed are found by the index.
async fn changes_are_found_by_their_index() {
    let database = Database::new(Layout::Plain).await;
    let (plans, workspace) = (Plans::default(), WorkspaceId::default());
    let store = plans::store(&database, &plans, plans::Planning::Generic).await;
    let bot = Engine::builder(MemoryStore::new()).flow_store(store.clone()).build();
    bot.flows().ensure_all(library(3_000, "Hi")).await.unwrap();
    let before = store.revision(&workspace).await.unwrap();
    bot.flows().ensure_all(library(3, "Bye")).await.unwrap();
    database.client().await.batch_execute("ANALYZE").await.unwrap();
    plans.forget();
    let changes = store.changes(&workspace, before).await.unwrap();
    assert!(matches!(changes, CatalogueChanges::Since(changed) if changed.flows.len() == 3));
    let plan = plans.all();
    assert!(plan.contains("chatflow_flow_saved") && !plan.contains("Seq Scan on chatflow_flow"), "{plan}");
}

pub fn trials() -> Vec<Trial> {
    macro_rules! on_postgres {
        ($($name:literal => $scenario:ident),* $(,)?) => {
            vec![$(Trial::test(concat!("many::", $name), || {
                block_on(async {
                    let databases = std::sync::Mutex::new(Vec::new());
                    many_kit::$scenario(async || {
                        let database = Database::new(Layout::Plain).await;
                        let store = database.store().await;
                        databases.lock().unwrap().push(database);
                        store
                    })
                    .await;
                });
                Ok(())
            })),*]
        };
    }
    let mut trials = on_postgres![
        "flows_that_are_ensured_one_by_one_cost_what_each_does" => one_by_one_costs_what_each_does,
        "all_at_once_cost_one_read_and_one_save" => all_at_once_cost_one_read_and_one_save,
        "a_publish_elsewhere_carries_one_flow" => a_publish_elsewhere_carries_one_flow,
        "starts_at_the_same_time_publish_once" => starts_at_the_same_time_publish_once,
    ];
    trials.push(trial("many::statements_do_not_grow_with_flows", statements_do_not_grow_with_flows));
    trials.push(Trial::test("many::the_next_call_elsewhere_reads_what_changed", || {
        block_on(async {
            let database = Database::new(Layout::Plain).await;
            many_kit::the_next_call_elsewhere_reads_what_changed(async || database.store().await).await;
        });
        Ok(())
    }));
    trials.push(trial("many::changes_are_found_by_their_index", changes_are_found_by_their_index));
    trials
}
