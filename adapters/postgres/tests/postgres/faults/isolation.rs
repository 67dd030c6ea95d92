//! Databases whose transactions are stricter than usual: the server gives up statements that raced.

use super::stage::{Stage, name};
use super::traffic::Traffic;

async fn under_contention(level: &str) {
    let stage = Stage::new().await;
    let setting =
        ["ALTER DATABASE ", name(&stage.config), " SET default_transaction_isolation = '", level, "'"]
            .concat();
    stage.client().await.batch_execute(&setting).await.expect("a superuser");
    let bots = [stage.bot().await, stage.bot().await];
    // Each call is made three times at once.
    let traffic = Traffic::begin_doubled(&stage, &bots, 8, 3);
    traffic.goes_on(450).await;
    traffic.end().await;
    let client = stage.client().await;
    let shown: String = client.query_one("SHOW transaction_isolation", &[]).await.expect("an answer").get(0);
    assert_eq!(shown, level);
    // The store tries again by itself what the server gave up.
    let errors = stage.troubles.errors();
    assert!(!errors.keys().any(|error| error.contains("40001") || error.contains("40P01")), "{errors:?}");
    stage.prove().await;
}

pub(crate) async fn serializable_transactions_under_contention_count_right() {
    under_contention("serializable").await;
}

pub(crate) async fn repeatable_reads_under_contention_count_right() {
    under_contention("repeatable read").await;
}
