//! Servers that are refused, that fail, and that come back.

use std::time::Duration;

use chatflow::store::{Commit, Committed, ConversationStore, Lookup, Record, Subject, Token};
use chatflow::{ContactId, StoreError, WorkspaceId};
use chatflow_redis::{Durability, RedisStore, redis};
use chrono::DateTime;
use libtest_mimic::Trial;
use uuid::Uuid;

use crate::kit::{Keys, client, trial};
use crate::server::Server;

const LOGGED: &str = "appendonly yes";
const ALWAYS: &str = "appendfsync always";

fn open(server: &Server) -> redis::Client {
    redis::Client::open(server.url()).unwrap()
}

fn contact(name: &str) -> ContactId {
    ContactId::new(name).unwrap()
}

fn commit(name: &str) -> Commit {
    let now = DateTime::from_timestamp(1_750_000_000, 0).unwrap();
    Commit::new(WorkspaceId::default(), contact(name), None, Record::from_bytes(*b"kept"), now)
}

async fn is_there(store: &RedisStore, name: &str) -> Result<bool, StoreError> {
    let (workspace, subject) = (WorkspaceId::default(), Subject::Contact(contact(name)));
    let lookup = Lookup::new(workspace, subject, Token(Uuid::nil()), commit(name).now);
    Ok(store.load(&lookup).await?.conversation.is_some())
}

async fn order(server: &Server, words: &[&str]) {
    let mut connection = open(server).get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(*word);
    }
    let _: redis::Value = command.query_async(&mut connection).await.unwrap();
}

/// The calls fail in a way that is worth a repetition, until one does not.
async fn until_it_answers(store: &RedisStore, name: &str) -> bool {
    for _ in 0..500 {
        match is_there(store, name).await {
            Ok(is_there) => return is_there,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the store does not come back");
}

async fn a_server_that_keeps_too_little_is_refused() {
    let server = Server::start(&["appendonly no"]);
    let refused = RedisStore::connect(open(&server)).await.unwrap_err();
    assert!(!refused.is_retryable() && refused.to_string().contains("appendonly"), "{refused}");
    let options = RedisStore::options().durability(Durability::Memory);
    assert!(options.connect(open(&server)).await.is_ok(), "it is asked for");

    let server = Server::start(&[LOGGED, "appendfsync everysec"]);
    let refused = RedisStore::connect(open(&server)).await.unwrap_err();
    assert!(refused.to_string().contains("durability: Always is asked for, Seconds is there"), "{refused}");
    let options = RedisStore::options().durability(Durability::Seconds);
    assert!(options.connect(open(&server)).await.is_ok(), "it is asked for");

    let server = Server::start(&[LOGGED, ALWAYS, "maxmemory 100mb", "maxmemory-policy allkeys-lru"]);
    let refused = RedisStore::connect(open(&server)).await.unwrap_err();
    assert!(refused.to_string().contains("noeviction"), "{refused}");
}

async fn bad_options_are_refused() {
    for (prefix, rule) in [("", "1 to 100 bytes"), ("a{b", "no braces"), (&"x".repeat(101), "1 to 100 bytes")]
    {
        let refused = RedisStore::options().prefix(prefix).connect(client()).await.unwrap_err();
        assert!(refused.to_string().contains("prefix: must have"), "{refused}");
        assert!(refused.to_string().contains(rule), "{refused}");
    }
    let closed = redis::Client::open("redis://127.0.0.1:1/").unwrap();
    assert!(RedisStore::connect(closed).await.unwrap_err().is_retryable());
}

async fn data_of_a_newer_release_is_refused() {
    let keys = Keys::new();
    let store = keys.store().await;
    let root = keys.names().await.pop().unwrap();
    let mut connection = client().get_multiplexed_async_connection().await.unwrap();
    let _: i64 =
        redis::cmd("HSET").arg(root).arg("format").arg(9).query_async(&mut connection).await.unwrap();
    let refused = keys.options().connect(client()).await.unwrap_err();
    assert!(refused.to_string().contains("format 9, this release knows up to 1"), "{refused}");
    drop(store);
}

/// An acknowledged turn is there when a server is back that was killed.
async fn a_killed_server_loses_nothing() {
    let mut server = Server::start(&[LOGGED, ALWAYS]);
    let store = RedisStore::connect(open(&server)).await.unwrap();
    for round in 0..3 {
        let name = format!("ann-{round}");
        assert!(matches!(store.commit(commit(&name)).await.unwrap(), Committed::Applied { .. }));
        server.kill();
        let error = store.commit(commit("bob")).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        server.start_again();
        assert!(until_it_answers(&store, &name).await, "{name}");
    }
}

/// A server that does not answer is waited for no longer than is said; what a write has done is
/// then unknown.
async fn a_frozen_server_is_given_up_in_time() {
    let server = Server::start(&[LOGGED, ALWAYS]);
    let options = RedisStore::options().answer_within(Duration::from_millis(200));
    let store = options.connect(open(&server)).await.unwrap();
    server.signal("STOP");
    let patience = Duration::from_secs(5);
    let error = tokio::time::timeout(patience, store.commit(commit("ann"))).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), chatflow::error::StoreErrorKind::Unknown, "{error}");
    let error = tokio::time::timeout(patience, is_there(&store, "ann")).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), chatflow::error::StoreErrorKind::Transient, "{error}");
    server.signal("CONT");
    let _ = until_it_answers(&store, "ann").await;
    let again = store.commit(commit("ann")).await.unwrap();
    assert!(
        matches!(again, Committed::Applied { .. } | Committed::Conflict),
        "once, now or before: {again:?}"
    );
    assert!(is_there(&store, "ann").await.unwrap());
}

/// A refusal of the server leaves nothing half done, and is worth a repetition.
async fn a_server_that_cannot_write_says_so_and_writes_nothing() {
    let server = Server::start(&[LOGGED, ALWAYS]);
    let store = RedisStore::connect(open(&server)).await.unwrap();
    for (refuse, allow) in [
        (["CONFIG", "SET", "maxmemory", "1"].as_slice(), ["CONFIG", "SET", "maxmemory", "0"].as_slice()),
        (&["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]),
        (&["CONFIG", "SET", "min-replicas-to-write", "1"], &["CONFIG", "SET", "min-replicas-to-write", "0"]),
    ] {
        let name = refuse.join("-");
        order(&server, refuse).await;
        let error = store.commit(commit(&name)).await.unwrap_err();
        assert_eq!(error.kind(), chatflow::error::StoreErrorKind::Transient, "{name}: {error}");
        order(&server, allow).await;
        assert!(!until_it_answers(&store, &name).await, "{name}");
        assert!(matches!(store.commit(commit(&name)).await.unwrap(), Committed::Applied { .. }), "{name}");
    }
}

/// A server that has forgotten the scripts is told them.
async fn scripts_that_are_gone_are_sent_again() {
    let server = Server::start(&[LOGGED, ALWAYS]);
    let store = RedisStore::connect(open(&server)).await.unwrap();
    assert!(!is_there(&store, "ann").await.unwrap());
    order(&server, &["SCRIPT", "FLUSH"]).await;
    assert!(!is_there(&store, "ann").await.unwrap());
}

/// A key that somebody else wrote is told, and the commit writes nothing.
async fn a_key_of_somebody_else_is_told() {
    let keys = Keys::new();
    let store = keys.store().await;
    let root = keys.names().await.pop().unwrap();
    let mut connection = client().get_multiplexed_async_connection().await.unwrap();
    let name = format!("{root}:c:{}\u{1f}ann", WorkspaceId::default());
    let _: () = redis::cmd("SET").arg(name).arg("mine").query_async(&mut connection).await.unwrap();
    let before = keys.names().await;
    let error = store.commit(commit("ann")).await.unwrap_err();
    assert!(!error.is_retryable() && error.to_string().contains("WRONGTYPE"), "{error}");
    assert_eq!(keys.names().await.len(), before.len());
}

pub fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($name:ident),* $(,)?) => { vec![$(trial(concat!("faults::", stringify!($name)), $name)),*] };
    }
    let mut trials = trials![
        a_server_that_keeps_too_little_is_refused,
        bad_options_are_refused,
        data_of_a_newer_release_is_refused,
        a_killed_server_loses_nothing,
        a_frozen_server_is_given_up_in_time,
        a_server_that_cannot_write_says_so_and_writes_nothing,
        scripts_that_are_gone_are_sent_again,
        a_key_of_somebody_else_is_told,
    ];
    trials.push(Trial::test("faults::a_runtime_is_needed", || {
        let refused = pollster::block_on(RedisStore::connect(client())).unwrap_err();
        assert!(refused.to_string().contains("Tokio runtime"), "{refused}");
        Ok(())
    }));
    trials
}
