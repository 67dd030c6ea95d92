//! A file keeps everything when the store is gone, and calls share a transaction.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;

use chatflow::store::{Commit, Committed, ConversationStore, FlowStore};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow_sqlite::SqliteStore;
use chatflow_sqlite::rusqlite::Connection;
use pollster::block_on;

use crate::folder::Folder;
use crate::store_kit::*;
use crate::talk::{FLOW, bot, says, trigger};

#[test]
fn a_conversation_goes_on_after_the_file_was_opened_again() {
    let folder = Folder::new();
    let (outbox, clock) = (Recorder::new(), ManualClock::default());
    let store = SqliteStore::open(folder.file()).unwrap();
    let first = bot(&store, &outbox, &clock);
    let _ = block_on(first.flows().ensure(FLOW)).unwrap();
    let started = block_on(first.trigger(trigger())).unwrap();
    drop((first, store));
    assert!(!folder.path().join("talk.db-wal").exists(), "the log is in the file");

    let store = SqliteStore::open(folder.file()).unwrap();
    let again = bot(&store, &outbox, &clock);
    let replayed = block_on(again.trigger(trigger())).unwrap();
    assert!(replayed.session().unwrap().replayed);
    assert_eq!(replayed.session().unwrap().session_id, started.session().unwrap().session_id);
    assert!(says(&again, "Ann"));
    let sent = outbox.sent();
    let texts: Vec<_> = sent.iter().map(|message| message.text()).collect();
    assert_eq!(texts, ["Who are you?", "Hello Ann"]);
    assert_eq!(block_on(store.integrity_check()).unwrap(), Vec::<String>::new());
}

#[test]
fn a_lookup_tells_the_catalogue_once_flows_are_kept_here() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).unwrap();
    let catalogue = || block_on(store.load(&by_contact("ann"))).unwrap().catalogue;
    assert_eq!(catalogue(), None);
    let revision = block_on(store.revision(&shop())).unwrap();
    assert_eq!(catalogue(), Some(revision));
}

/// The number of transactions in the log.
fn transactions(folder: &Folder) -> usize {
    let log = std::fs::read(folder.path().join("talk.db-wal")).unwrap();
    let number = |place: usize| u32::from_be_bytes(log[place..place + 4].try_into().unwrap());
    let page = number(8) as usize;
    let frames = (32..log.len() - page).step_by(24 + page);
    // The same salt as the log's own: not of an earlier round.
    frames.filter(|frame| number(frame + 8) == number(16) && number(frame + 4) != 0).count()
}

#[test]
fn calls_that_wait_share_a_transaction() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).unwrap();
    let _ = block_on(store.commit(commit("first", None))).unwrap();
    let before = transactions(&folder);
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut calls: Vec<_> =
        (0..64).map(|number| Box::pin(store.commit(commit(&format!("c{number}"), None)))).collect();
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    other.execute_batch("COMMIT").unwrap();
    for call in calls {
        assert!(matches!(block_on(call), Ok(Committed::Applied { .. })));
    }
    let took = transactions(&folder) - before;
    assert!(took <= 2, "64 calls took {took} transactions");
}

#[test]
fn what_was_accepted_is_written_though_nobody_waits_for_it() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).unwrap();
    for number in 0..50 {
        let store = store.clone();
        let name = format!("c{number}");
        let mut call = pin!(store.commit(commit(&name, None)));
        let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    drop(store);
    let store = TrustedStore(SqliteStore::open(folder.file()).unwrap());
    assert!((0..50).all(|number| store.find(&format!("c{number}")).is_some()));
}

#[test]
fn a_caller_reads_its_own_writes_while_others_write() {
    let folder = Folder::new();
    let store = Arc::new(SqliteStore::open(folder.file()).unwrap());
    thread::scope(|scope| {
        for caller in 0..8 {
            let store = TrustedStore(Arc::clone(&store));
            scope.spawn(move || {
                let mut revision = None;
                for _ in 0..40 {
                    let name = format!("c{caller}");
                    revision = Some(store.apply(commit(&name, revision)));
                    assert_eq!(store.find(&name).map(|stored| stored.revision), revision);
                }
            });
        }
    });
}

#[test]
fn two_stores_on_one_file_take_turns() {
    let folder = Folder::new();
    let open = || SqliteStore::open(folder.file()).unwrap();
    let stores = [TrustedStore(open()), TrustedStore(open())];
    thread::scope(|scope| {
        for store in &stores {
            scope.spawn(move || {
                for _ in 0..30 {
                    loop {
                        let revision = store.find("ann").map(|stored| stored.revision);
                        if let Committed::Applied { .. } = store.commit(commit("ann", revision)) {
                            break;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(stores[0].find("ann").unwrap().revision, 60);
}

#[test]
fn a_copy_is_whole_while_writes_go_on_and_overwrites_nothing() {
    let folder = Folder::new();
    let copy = folder.path().join("copy.db");
    let store = TrustedStore(SqliteStore::open(folder.file()).unwrap());
    let mut revision = store.apply(commit("ann", None));
    thread::scope(|scope| {
        let copying = scope.spawn(|| block_on(store.0.backup(&copy)));
        for _ in 0..50 {
            revision = store.apply(Commit { dead_letters: 1, ..commit("ann", Some(revision)) });
        }
        copying.join().unwrap().unwrap();
    });
    let refused = block_on(store.0.backup(&copy)).unwrap_err();
    assert!(!refused.is_retryable() && refused.to_string().contains("copy.db"), "{refused}");
    let other = TrustedStore(SqliteStore::open(&copy).unwrap());
    assert!(other.find("ann").is_some_and(|stored| stored.revision <= revision));
    assert!(block_on(other.0.integrity_check()).unwrap().is_empty());
}
