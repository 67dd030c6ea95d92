//! Refusals of the server, for a while or for good: a host reads in the error what to do, and
//! continues when it is fixed.

use std::time::Duration;

use chatflow::{Engine, Error, StoreError};
use chatflow_postgres::{PostgresOptions, PostgresStore};
use tokio::time::Instant;
use tokio_postgres::{Config, NoTls};

use super::durable_kit::{Event, Step, Talk};
use super::stage::{Stage, name, new_database};
use super::traffic::{Traffic, converse};

/// Makes the first call of a new conversation.
async fn call(stage: &Stage, bot: &Engine<PostgresStore>, contact: u64) -> Result<Event, Error> {
    Talk { bot, report: stage.history.clone(), flip: false }.make(contact, Step::Trigger).await
}

/// The error of a call that surely did nothing and is worth repeating.
async fn transient(stage: &Stage, bot: &Engine<PostgresStore>, contact: u64) -> String {
    refused(call(stage, bot, contact).await, true)
}

fn refused(answer: Result<Event, Error>, is_retryable: bool) -> String {
    let error = answer.expect_err("the database refuses it");
    assert_eq!(error.is_retryable(), is_retryable, "{error}");
    let text = error.to_string();
    assert_eq!(error.code(), "store_failed", "{text}");
    assert_eq!(text.contains("(transient)"), is_retryable, "{text}");
    text
}

fn says(error: &str, words: &[&str]) {
    println!("  {error}");
    for word in words {
        assert!(error.contains(word), "`{error}` says nothing of `{word}`");
    }
}

async fn set(stage: &Stage, setting: &str) {
    let statement = ["ALTER DATABASE ", name(&stage.config), " SET ", setting].concat();
    stage.client().await.batch_execute(&statement).await.expect("a superuser");
}

/// A table that somebody else has locked, on a server with this setting.
async fn while_locked(setting: &str, words: &[&str]) {
    let stage = Stage::new().await;
    set(&stage, setting).await;
    let bot = stage.bot().await;
    let mut admin = stage.client().await;
    let lock = admin.transaction().await.expect("a transaction");
    lock.batch_execute("LOCK TABLE chatflow_conversation IN EXCLUSIVE MODE").await.expect("a superuser");
    says(&transient(&stage, &bot, 1).await, words);
    lock.rollback().await.expect("an end");
    converse(&[bot], &stage.history, &stage.troubles, 1).await;
    stage.prove().await;
}

pub(crate) async fn a_statement_timeout_of_the_server_is_transient() {
    while_locked("statement_timeout = '300ms'", &["57014", "statement timeout"]).await;
}

pub(crate) async fn a_lock_timeout_of_the_server_is_transient() {
    while_locked("lock_timeout = '300ms'", &["55P03", "lock timeout"]).await;
}

pub(crate) async fn calls_that_wait_for_a_connection_in_vain_are_transient() {
    const WAIT: Duration = Duration::from_millis(300);
    let stage = Stage::new().await;
    let options = PostgresStore::options().pool_size(1).lanes(1).batch(1).wait_timeout(WAIT);
    let bot = stage.bot_by(&stage.config, options.statement_timeout(8 * WAIT)).await;
    let mut admin = stage.client().await;
    let lock = admin.transaction().await.expect("a transaction");
    lock.batch_execute("LOCK TABLE chatflow_conversation IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("a superuser");
    let calls = (1..=8).map(|contact| {
        let (stage, bot) = (stage.clone(), bot.clone());
        tokio::spawn(async move {
            let began = Instant::now();
            (call(&stage, &bot, contact).await, began.elapsed())
        })
    });
    let calls: Vec<_> = calls.collect();
    for answered in calls {
        let (answer, took) = answered.await.expect("no panic");
        let error = answer.expect_err("nothing gets through");
        assert!(error.is_retryable() && took < 60 * WAIT, "{error} after {took:?}");
    }
    lock.rollback().await.expect("an end");
    for contact in (1..=8).map(|contact| contact * 10 + 1) {
        converse(std::slice::from_ref(&bot), &stage.history, &stage.troubles, contact).await;
    }
    drop(bot);
    stage.prove().await;
}

/// A user who may open so many connections.
async fn user(stage: &Stage, connections: u32) -> Config {
    let user = ["few_", name(&stage.config)].concat();
    let connections = connections.to_string();
    let statement = [
        "CREATE ROLE ",
        &user,
        " LOGIN CONNECTION LIMIT ",
        &connections,
        "; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ",
        &user,
    ];
    stage.client().await.batch_execute(&statement.concat()).await.expect("a superuser");
    let mut config = stage.config.clone();
    config.user(&user);
    config
}

pub(crate) async fn too_many_connections_are_transient_and_work_goes_on_with_those_there_are() {
    let stage = Stage::new().await;
    stage.bot().await;
    let few = user(&stage, 2).await;
    let options = || PostgresStore::options().pool_size(8).lanes(8).batch(1);
    let bot = stage.bot_by(&few, options()).await;
    let traffic = Traffic::begin(&stage, std::slice::from_ref(&bot), 16);
    traffic.goes_on(60).await;
    traffic.end().await;
    let errors = stage.troubles.errors();
    assert!(errors.keys().any(|error| error.contains("53300")), "{errors:?}");
    assert!(errors.keys().all(|error| error.contains("(transient)")), "{errors:?}");
    println!("  {errors:?}");
    stage.prove().await;
}

pub(crate) async fn a_server_that_only_reads_is_transient_and_named() {
    let stage = Stage::new().await;
    let bot = stage.bot().await;
    converse(std::slice::from_ref(&bot), &stage.history, &stage.troubles, 1).await;
    set(&stage, "default_transaction_read_only = on").await;
    let admin = stage.client().await;
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    admin.batch_execute(others).await.expect("a superuser");
    says(&transient(&stage, &bot, 2).await, &["25006", "only reads"]);
    admin.batch_execute("SET default_transaction_read_only = off").await.expect("a setting");
    let statement = ["ALTER DATABASE ", name(&stage.config), " RESET default_transaction_read_only"].concat();
    admin.batch_execute(&statement).await.expect("a superuser");
    // The connection that only reads was thrown away.
    converse(&[bot], &stage.history, &stage.troubles, 2).await;
    assert_eq!(stage.troubles.repeated(), 0, "{:?}", stage.troubles.errors());
    stage.prove().await;
}

async fn connect(config: &Config) -> StoreError {
    let connected = PostgresStore::connect(config.clone(), NoTls).await;
    connected.map(drop).expect_err("the tables are not as they should be")
}

fn permanent(error: &StoreError, words: &[&str]) {
    assert!(!error.is_retryable(), "{error}");
    says(&error.to_string(), words);
}

pub(crate) async fn missing_tables_are_permanent_and_name_the_migration() {
    let config = new_database().await;
    permanent(&connect(&config).await, &["migrate"]);
    let stage = Stage::on(config).await;
    let bot = stage.bot().await;
    stage
        .client()
        .await
        .batch_execute("ALTER TABLE chatflow_conversation RENAME TO gone")
        .await
        .expect("a table");
    says(&refused(call(&stage, &bot, 1).await, false), &["42P01", "migrate"]);
    stage
        .client()
        .await
        .batch_execute("ALTER TABLE gone RENAME TO chatflow_conversation")
        .await
        .expect("a table");
    converse(&[bot], &stage.history, &stage.troubles, 1).await;
    stage.prove().await;
}

pub(crate) async fn a_newer_schema_is_permanent_and_asks_for_a_newer_release() {
    let stage = Stage::new().await;
    stage.client().await.batch_execute("UPDATE chatflow_schema SET version = 99").await.expect("a table");
    permanent(&connect(&stage.config).await, &["99", "newer release"]);
    let migrated = PostgresStore::migrate(stage.config.clone(), NoTls).await;
    permanent(&migrated.expect_err("nothing is taken back"), &["99", "newer release"]);
}

pub(crate) async fn an_older_schema_is_permanent_and_names_the_migration() {
    let stage = Stage::new().await;
    stage.client().await.batch_execute("UPDATE chatflow_schema SET version = 0").await.expect("a table");
    permanent(&connect(&stage.config).await, &["migrate"]);
}

pub(crate) async fn a_server_that_is_not_there_is_transient() {
    let mut nowhere = Config::new();
    nowhere.host("127.0.0.1").port(1).user("postgres").dbname("postgres");
    let options = PostgresOptions::default().connect_timeout(Duration::from_secs(1));
    let error = options.connect(nowhere, NoTls).await.map(drop).expect_err("nobody listens");
    assert!(error.is_retryable(), "{error}");
    says(&error.to_string(), &["transient", "connect"]);
}
