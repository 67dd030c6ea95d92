//! More calls than the store's queue has room for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chatflow::clock::SystemClock;
use chatflow::store::{Committed, ConversationStore};
use chatflow::testkit::store_suite::kit::commit;
use chatflow::{Clock, StoreError};
use chatflow_sqlite::SqliteOptions;
use chatflow_sqlite::SqliteStore;
use pollster::block_on;
use rusqlite::Connection;

use crate::folder::Folder;

type Answer = Result<Committed, StoreError>;
type Call<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Another process that writes: nobody else does until this goes.
struct Writer(Connection);

impl Writer {
    fn of(folder: &Folder) -> Self {
        let other = Connection::open(folder.file()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        Self(other)
    }

    fn end(self) {
        self.0.execute_batch("COMMIT").unwrap();
    }
}

/// A commit of each contact, polled once, so that it waits.
fn begin<'a>(store: &'a SqliteStore, contacts: &[String]) -> Vec<Call<'a>> {
    let begun = contacts.iter().map(|contact| {
        let mut call: Call<'a> = Box::pin(store.commit(commit(contact, None)));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        call
    });
    begun.collect()
}

fn contacts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("c{number}")).collect()
}

/// In order of writing.
fn written(folder: &Folder) -> Vec<String> {
    let file = Connection::open(folder.file()).unwrap();
    let mut all = file.prepare("SELECT contact FROM chatflow_conversation ORDER BY id").unwrap();
    all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn calls_beyond_the_queue_wait_and_are_done_in_order_of_arrival() {
    let folder = Folder::new();
    let store = SqliteOptions::new().queue(2).open(folder.file()).unwrap();
    let other = Writer::of(&folder);
    let calls = begin(&store, &contacts(100));
    other.end();
    for call in calls {
        let committed = block_on(call).unwrap();
        assert!(matches!(committed, Committed::Applied { .. }), "{committed:?}");
    }
    assert_eq!(written(&folder), contacts(100), "in order of arrival, each once");
}

/// Each on a thread of its own, as under a runtime, in a queue of one.
#[test]
fn many_threads_beyond_the_queue_are_all_served() {
    let folder = Folder::new();
    let store = SqliteOptions::new().queue(1).open(folder.file()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..32 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..20 {
                    let contact = format!("c{thread}-{number}");
                    let committed = block_on(store.commit(commit(&contact, None))).unwrap();
                    assert!(matches!(committed, Committed::Applied { .. }), "{committed:?}");
                }
            });
        }
    });
    assert_eq!(written(&folder).len(), 32 * 20);
}

/// Nobody has to be let in for that: the thread that writes waits for another process all the
/// while.
#[test]
fn no_room_in_time_is_a_transient_error_and_what_was_let_in_is_done() {
    let folder = Folder::new();
    let patience = Duration::from_millis(50);
    let options = SqliteOptions::new().queue(1).patience(patience).busy_timeout(Duration::from_secs(60));
    let store = options.open(folder.file()).unwrap();
    let other = Writer::of(&folder);
    let began = SystemClock.elapsed();
    let mut calls = begin(&store, &contacts(10));
    // One is at the file or about to be, one is in the queue; perhaps the second was let in
    // meanwhile.
    let outside = calls.split_off(2);
    let refused: Vec<StoreError> = outside.into_iter().map(|call| block_on(call).unwrap_err()).collect();
    let waited = SystemClock.elapsed() - began;
    assert!(waited >= patience);
    assert!(waited < Duration::from_secs(30), "not for as long as the file is held");
    for error in &refused {
        assert!(error.is_retryable(), "{error:?}");
        assert!(error.to_string().contains("too many calls wait for the file"), "{error}");
    }
    other.end();
    assert!(calls.into_iter().any(|call| block_on(call).is_ok()));
    let after = block_on(store.commit(commit("after", None))).unwrap();
    assert!(matches!(after, Committed::Applied { .. }), "it goes on: {after:?}");
    let written = written(&folder);
    assert!(written.iter().all(|contact| ["c0", "c1", "after"].contains(&contact.as_str())), "{written:?}");
}

#[test]
fn a_caller_who_gives_up_frees_its_place_and_loses_nobody_elses() {
    let folder = Folder::new();
    let store = SqliteOptions::new().queue(2).open(folder.file()).unwrap();
    let other = Writer::of(&folder);
    let mut calls: Vec<Option<Call<'_>>> = begin(&store, &contacts(60)).into_iter().map(Some).collect();
    // Those at the front are in the queue by now, and are done; of the others every third gives up.
    let gone = |number: usize| number >= 10 && number.is_multiple_of(3);
    for (number, call) in calls.iter_mut().enumerate() {
        if gone(number) {
            *call = None;
        }
    }
    other.end();
    for call in calls.into_iter().flatten() {
        let committed = block_on(call).unwrap();
        assert!(matches!(committed, Committed::Applied { .. }), "{committed:?}");
    }
    let stay = (0..60).filter(|number| !gone(*number)).map(|number| format!("c{number}"));
    assert_eq!(written(&folder), stay.collect::<Vec<_>>());
}

/// The writes of a caller who has gone do not stay in memory until there is room.
#[test]
fn nothing_is_kept_of_callers_who_gave_up() {
    let folder = Folder::new();
    let options = SqliteOptions::new().queue(1).busy_timeout(Duration::from_secs(60));
    let store = options.open(folder.file()).unwrap();
    let other = Writer::of(&folder);
    let watch = Arc::new(());
    let first = begin(&store, &contacts(2));
    for _ in 0..50 {
        let watch = Arc::clone(&watch);
        let joined = store.joined(move |_, _| {
            let _held = &watch;
            Ok(())
        });
        let mut call: Call<'_> = Box::pin(joined.commit(commit("gone", None)));
        assert!(matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    }
    // The first of them may have been let in, where the thread that writes had not yet begun.
    assert!(Arc::strong_count(&watch) <= 2, "{} are kept", Arc::strong_count(&watch));
    other.end();
    for call in first {
        assert!(block_on(call).is_ok());
    }
}

#[test]
fn without_patience_a_full_queue_refuses_at_once() {
    let folder = Folder::new();
    let options = SqliteOptions::new().queue(1).patience(Duration::ZERO);
    let store = options.busy_timeout(Duration::from_secs(60)).open(folder.file()).unwrap();
    let other = Writer::of(&folder);
    let mut calls: Vec<Call<'_>> = Vec::new();
    for contact in contacts(10) {
        calls.push(Box::pin(store.commit(commit(&contact, None))));
    }
    let (mut refused, mut waiting) = (0, Vec::new());
    for mut call in calls {
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => {
                assert!(answer.unwrap_err().is_retryable());
                refused += 1;
            }
            Poll::Pending => waiting.push(call),
        }
    }
    other.end();
    for call in waiting {
        refused += usize::from(block_on(call).is_err());
    }
    assert!((8..10).contains(&refused), "one at the file and one in the queue at most: {refused}");
}
