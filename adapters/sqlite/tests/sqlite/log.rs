//! The log beside the file, while somebody reads for long.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use chatflow::store::{Commit, Record};
use chatflow_sqlite::rusqlite::Connection;
use chatflow_sqlite::{FileEvent, SqliteOptions, SqliteStore};
use pollster::block_on;

use crate::folder::Folder;
use crate::store_kit::*;

const LIMIT: u64 = 1 << 20;

fn log_of(folder: &Folder) -> u64 {
    fs::metadata(folder.path().join("talk.db-wal")).map_or(0, |of| of.len())
}

/// A store with a short log, one conversation and what it tells.
fn store(folder: &Folder) -> (TrustedStore<SqliteStore>, Arc<Mutex<Vec<FileEvent>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let options = SqliteOptions::new().log_bytes(LIMIT).busy_timeout(Duration::from_millis(300));
    let options = options.on_event(move |event| listener.lock().unwrap().push(event));
    (TrustedStore(options.open(folder.file()).unwrap()), told)
}

/// Rewrites a conversation of 20 KB so often.
fn rewrite(store: &TrustedStore<SqliteStore>, revision: &mut Option<u64>, times: usize) {
    for _ in 0..times {
        // Pages that stay as they are would not be written.
        let byte = revision.unwrap_or(0).to_le_bytes()[0];
        let record = Record::from_bytes(vec![byte; 20_000]);
        *revision = Some(store.apply(Commit { record, ..commit("ann", *revision) }));
    }
}

fn reader(folder: &Folder) -> Connection {
    let reader = Connection::open(folder.file()).unwrap();
    let begun = reader.execute_batch("BEGIN; SELECT count(*) FROM chatflow_conversation");
    begun.unwrap();
    reader
}

#[test]
fn a_long_reader_is_told_of_and_the_log_is_short_afterwards() {
    let folder = Folder::new();
    let (store, told) = store(&folder);
    let mut revision = None;
    rewrite(&store, &mut revision, 1);
    let reader = reader(&folder);
    rewrite(&store, &mut revision, 150);
    let long = log_of(&folder);
    assert!(long > 2 * LIMIT, "{long}");
    let events = told.lock().unwrap().clone();
    let tells = |event: &FileEvent| matches!(event, FileEvent::LogGrows { log_bytes, file_bytes } if *log_bytes > LIMIT && *file_bytes > 0);
    assert!(!events.is_empty() && events.iter().all(tells), "{events:?}");
    assert!(events.len() < 20, "not with each commit: {}", events.len());
    drop(reader);
    rewrite(&store, &mut revision, 60);
    assert!(log_of(&folder) <= LIMIT + LIMIT / 2, "{}", log_of(&folder));
    assert_eq!(told.lock().unwrap().last(), Some(&FileEvent::LogShrank));
}

/// No moment is without a reader, so that SQLite by itself never gets to begin the log anew.
#[test]
fn readers_one_over_the_other_do_not_make_the_log_grow() {
    let folder = Folder::new();
    let (store, _) = store(&folder);
    let mut revision = None;
    rewrite(&store, &mut revision, 1);
    let is_over = AtomicBool::new(false);
    let mut longest = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut last = reader(&folder);
            while !is_over.load(Ordering::Relaxed) {
                thread::park_timeout(Duration::from_millis(20));
                last = reader(&folder);
            }
            drop(last);
        });
        for _ in 0..40 {
            rewrite(&store, &mut revision, 10);
            longest = longest.max(log_of(&folder));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(longest <= 3 * LIMIT, "{longest}");
}

#[test]
fn a_copy_of_a_large_file_lets_the_log_be_emptied_and_has_what_was_written_meanwhile() {
    let folder = Folder::new();
    let (store, told) = store(&folder);
    for number in 0..400 {
        let record = Record::from_bytes(vec![b'y'; 100_000]);
        store.apply(Commit { record, ..commit(&format!("c{number}"), None) });
    }
    let mut revision = None;
    rewrite(&store, &mut revision, 1);
    let from = &store.0;
    let copies: Vec<_> = (0..2).map(|number| folder.path().join(format!("copy{number}.db"))).collect();
    let mut longest = 0;
    thread::scope(|scope| {
        let copying: Vec<_> =
            copies.iter().map(|copy| scope.spawn(move || block_on(from.backup(copy)))).collect();
        while !copying.iter().all(thread::ScopedJoinHandle::is_finished) {
            rewrite(&store, &mut revision, 1);
            longest = longest.max(log_of(&folder));
        }
        for copy in copying {
            copy.join().unwrap().unwrap();
        }
    });
    assert!(longest <= 2 * LIMIT && told.lock().unwrap().is_empty(), "{longest} {told:?}");
    for copy in copies {
        let copy = TrustedStore(SqliteStore::open(copy).unwrap());
        assert!(copy.find("ann").is_some() && copy.find("c399").is_some());
        assert!(block_on(copy.0.integrity_check()).unwrap().is_empty());
    }
}

#[test]
fn a_copy_to_no_folder_is_refused_and_calls_go_on() {
    let folder = Folder::new();
    let (store, _) = store(&folder);
    store.apply(commit("ann", None));
    let nowhere = folder.path().join("missing").join("copy.db");
    let refused = block_on(store.0.backup(&nowhere)).unwrap_err();
    assert!(!refused.is_retryable() && !nowhere.exists(), "{refused}");
    store.apply(commit("bob", None));
}
