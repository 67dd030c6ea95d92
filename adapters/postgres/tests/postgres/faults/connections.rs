//! Connections that break: ended by the server, cut on the wire before, in and after a statement.

use std::time::Duration;

use chatflow_postgres::{PostgresOptions, PostgresStore};

use super::proxy::{Cut, Proxy};
use super::stage::{Stage, name};
use super::traffic::{Traffic, converse};

const TERMINATE: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

async fn terminated(stage: &Stage, traffic: Traffic) {
    let admin = stage.client().await;
    let mut ended: i64 = 0;
    for _ in 0..25 {
        traffic.goes_on(2).await;
        ended += admin.query_one(TERMINATE, &[]).await.expect("a superuser").get::<_, i64>(0);
    }
    traffic.goes_on(10).await;
    traffic.end().await;
    assert!(ended >= 25, "{ended} connections were ended");
    stage.prove().await;
}

pub(crate) async fn connections_that_the_server_ends_lose_and_double_nothing() {
    let stage = Stage::new().await;
    let bots = [stage.bot().await, stage.bot().await];
    let traffic = Traffic::begin(&stage, &bots, 8);
    terminated(&stage, traffic).await;
}

pub(crate) async fn connections_that_end_behind_pgbouncer_lose_and_double_nothing() {
    let stage = Stage::new().await;
    let url = std::env::var("CHATFLOW_PGBOUNCER").expect("CHATFLOW_PGBOUNCER, from scripts/with-postgres");
    let mut pooled: tokio_postgres::Config = url.parse().expect("a URL of PgBouncer");
    pooled.dbname(name(&stage.config));
    let bots = [
        stage.bot_by(&pooled, PostgresStore::options()).await,
        stage.bot_by(&pooled, PostgresStore::options()).await,
    ];
    let traffic = Traffic::begin(&stage, &bots, 8);
    terminated(&stage, traffic).await;
}

/// A part of the text of each kind of statement.
const STATEMENTS: [&str; 4] =
    ["INSERT INTO chatflow_conversation", "SET revision", "SET settled", "LEFT JOIN chatflow_conversation"];

/// Statements that are prepared, and such that are planned each time.
fn both_ways() -> [PostgresOptions; 2] {
    [true, false].map(|prepared| PostgresStore::options().prepared_statements(prepared))
}

pub(crate) async fn a_statement_cut_before_or_after_it_took_effect_takes_effect_once() {
    for options in both_ways() {
        cut_before_or_after(options).await;
    }
}

async fn cut_before_or_after(options: PostgresOptions) {
    let stage = Stage::new().await;
    let proxy = Proxy::to(stage.config.get_ports()[0]).await;
    let bots = [stage.bot_by(&proxy.config(&stage.config), options).await];
    for round in 0..3 {
        for statement in STATEMENTS {
            for cut in [Cut::Before, Cut::After] {
                let cuts = proxy.cuts();
                proxy.cut(statement, cut);
                converse(&bots, &stage.history, &stage.troubles, stage.next_contact() * 10 + 1).await;
                assert_eq!(proxy.cuts(), cuts + 1, "`{statement}` passed in round {round}");
            }
        }
    }
    // The engine looks by itself whether what it wrote is there; the host hears of nothing.
    assert_eq!(stage.troubles.repeated(), 0, "{:?}", stage.troubles.errors());
    stage.prove().await;
}

pub(crate) async fn a_connection_cut_at_any_byte_loses_and_doubles_nothing() {
    for options in both_ways() {
        cut_at_any_byte(options).await;
    }
}

async fn cut_at_any_byte(options: PostgresOptions) {
    let stage = Stage::new().await;
    let proxy = Proxy::to(stage.config.get_ports()[0]).await;
    let bots = [stage.bot_by(&proxy.config(&stage.config), options).await];
    let mut number = 0;
    for statement in &STATEMENTS[..3] {
        for bytes in (0..4_000).step_by(173) {
            for cut in [Cut::Sent(bytes), Cut::Answered(bytes % 160)] {
                number += 1;
                proxy.cut(statement, cut);
                converse(&bots, &stage.history, &stage.troubles, number * 10 + 1).await;
            }
        }
    }
    assert!(proxy.cuts() >= 100, "{} connections were cut", proxy.cuts());
    stage.prove().await;
}

pub(crate) async fn a_wire_that_is_cut_and_led_elsewhere_is_followed() {
    let stage = Stage::new().await;
    let port = stage.config.get_ports()[0];
    let proxy = Proxy::to(port).await;
    let bots = [stage.bot_by(&proxy.config(&stage.config), PostgresStore::options()).await];
    let traffic = Traffic::begin(&stage, &bots, 4);
    for _ in 0..5 {
        traffic.goes_on(5).await;
        // Nobody listens there.
        proxy.lead_to(1);
        tokio::time::sleep(Duration::from_millis(100)).await;
        proxy.lead_to(port);
    }
    traffic.goes_on(5).await;
    traffic.end().await;
    stage.prove().await;
}
