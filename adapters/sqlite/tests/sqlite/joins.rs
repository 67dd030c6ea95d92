//! A host's own writes in the transaction of a call: both, or neither.

use chatflow::Triggered;
use chatflow::store::{Commit, Committed, ConversationStore};
use chatflow::testkit::{ManualClock, Recorder};
use chatflow_sqlite::SqliteStore;
use chatflow_sqlite::rusqlite::Connection;
use pollster::block_on;

use crate::folder::Folder;
use crate::store_kit::*;
use crate::talk::{FLOW, bot, trigger};

fn with_orders(folder: &Folder) -> (TrustedStore<SqliteStore>, Connection) {
    let store = SqliteStore::open(folder.file()).unwrap();
    let file = Connection::open(folder.file()).unwrap();
    file.execute_batch("CREATE TABLE orders (number INTEGER)").unwrap();
    (TrustedStore(store), file)
}

fn orders(file: &Connection) -> i64 {
    file.query_row("SELECT count(*) FROM orders", [], |row| row.get(0)).unwrap()
}

fn order(transaction: &Connection) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    transaction.execute("INSERT INTO orders VALUES (1)", [])?;
    Ok(())
}

#[test]
fn a_call_and_the_hosts_write_are_one() {
    let folder = Folder::new();
    let (store, file) = with_orders(&folder);
    let (outbox, clock) = (Recorder::new(), ManualClock::default());
    let bot = bot(&store.0, &outbox, &clock);
    let _ = block_on(bot.flows().ensure(FLOW)).unwrap();
    let joined = bot.on(store.0.joined(|transaction, _| order(transaction)));
    assert!(matches!(block_on(joined.trigger(trigger())), Ok(Triggered::Started(_))));
    assert_eq!((orders(&file), outbox.sent().len()), (1, 0));
    let _ = block_on(bot.tick(10)).unwrap();
    assert_eq!(outbox.sent().len(), 1, "delivered by the engine proper");
}

#[test]
fn a_host_that_fails_takes_the_commit_with_it() {
    let folder = Folder::new();
    let (store, file) = with_orders(&folder);
    let failing = store.0.joined(|transaction, _| {
        order(transaction)?;
        Err("no such order".into())
    });
    let error = block_on(failing.commit(commit("ann", None))).unwrap_err();
    assert!(!error.is_retryable() && format!("{error:?}").contains("no such order"), "{error:?}");
    let panicking = store.0.joined(|transaction, _| {
        order(transaction)?;
        panic!("the host's fault")
    });
    assert!(block_on(panicking.commit(commit("ann", None))).is_err_and(|error| !error.is_retryable()));
    assert!(store.find("ann").is_none() && orders(&file) == 0);
    store.apply(commit("ann", None));
}

#[test]
fn a_refused_commit_takes_the_hosts_write_with_it() {
    let folder = Folder::new();
    let (store, file) = with_orders(&folder);
    let joined = store.0.joined(|transaction, _| order(transaction));
    store.apply(commit("ann", None));
    assert_eq!(block_on(joined.commit(commit("ann", None))).unwrap(), Committed::Conflict);
    assert_eq!(orders(&file), 0);
}

#[test]
fn a_hook_that_ends_the_transaction_is_not_known_to_be_nothing() {
    let folder = Folder::new();
    let (store, _file) = with_orders(&folder);
    let ending = store.0.joined(|transaction, _| Ok(transaction.execute_batch("COMMIT")?));
    assert!(block_on(ending.commit(commit("ann", None))).is_err_and(|error| error.is_retryable()));
    store.apply(Commit { dead_letters: 1, ..commit("bob", None) });
}
