//! A server that is there and does not answer.

use std::time::Duration;

use chatflow_postgres::PostgresStore;

use super::server::Server;
use super::stage::Stage;
use super::traffic::Traffic;

pub(crate) async fn a_frozen_server_is_answered_in_bounded_time_and_gone_on_with() {
    const TIMEOUT: Duration = Duration::from_millis(500);
    let server = Server::start("");
    let stage = Stage::on(server.config()).await;
    let options =
        || PostgresStore::options().connect_timeout(TIMEOUT).wait_timeout(TIMEOUT).statement_timeout(TIMEOUT);
    let config = &stage.config;
    let bots = [stage.bot_by(config, options()).await, stage.bot_by(config, options()).await];
    let traffic = Traffic::begin(&stage, &bots, 8);
    for _ in 0..2 {
        traffic.goes_on(20).await;
        server.freeze();
        tokio::time::sleep(6 * TIMEOUT).await;
        server.thaw();
    }
    traffic.goes_on(20).await;
    traffic.end().await;
    let errors = stage.troubles.errors();
    assert!(!errors.is_empty(), "calls are answered while the server is frozen");
    // A call loads and commits, each once more when the outcome is not known, and waits for a
    // connection each time.
    let longest = stage.troubles.longest();
    assert!(longest < 12 * TIMEOUT, "a call took {longest:?}");
    println!("  {errors:?}");
    stage.prove().await;
}
