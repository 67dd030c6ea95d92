//! Damage to a file, and the store's answer to it.

use std::fs;
use std::time::Duration;

use chatflow::StoreError;
use chatflow::store::{Commit, Committed, ConversationStore, Erase, Record};
use chatflow_sqlite::SqliteOptions;
use chatflow_sqlite::SqliteStore;
use chatflow_sqlite::rusqlite::Connection;
use pollster::block_on;

use crate::folder::Folder;
use crate::store_kit::*;

fn big(name: &str) -> Commit {
    Commit { record: Record::from_bytes(vec![b'x'; 20_000]), ..commit(name, None) }
}

fn refused(opened: Result<SqliteStore, StoreError>) -> String {
    let error = opened.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    format!("{error} {:?}", std::error::Error::source(&error).map(ToString::to_string))
}

#[test]
fn a_full_file_loses_nothing_and_goes_on_once_there_is_room() {
    let folder = Folder::new();
    let store = TrustedStore(SqliteOptions::new().max_bytes(1 << 20).open(folder.file()).unwrap());
    let mut written = Vec::new();
    let error = loop {
        let name = format!("c{}", written.len());
        match block_on(store.0.commit(big(&name))) {
            Ok(Committed::Applied { revision, .. }) => written.push((name, revision)),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
        assert!(written.len() < 100);
    };
    assert!(error.is_retryable() && format!("{error:?}").contains("disk full"), "{error:?}");
    assert!(store.find(&format!("c{}", written.len())).is_none());
    assert!(written.iter().all(|(name, revision)| store.find(name).unwrap().revision == *revision));
    for (name, revision) in &written[..5] {
        assert!(store.erase(name, *revision).is_some());
    }
    store.apply(big("after"));
    drop(store);
    let store = TrustedStore(SqliteStore::open(folder.file()).unwrap());
    assert!(written[5..].iter().all(|(name, _)| store.find(name).is_some()));
    assert!(store.find("after").is_some() && block_on(store.0.integrity_check()).unwrap().is_empty());
}

#[test]
fn one_that_finds_no_room_spoils_nothing_for_those_beside_it() {
    let folder = Folder::new();
    let store = SqliteOptions::new().max_bytes(1 << 20).open(folder.file()).unwrap();
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let huge = Commit { record: Record::from_bytes(vec![b'x'; 2 << 20]), ..commit("huge", None) };
    let mut calls = vec![
        Box::pin(store.commit(commit("ann", None))),
        Box::pin(store.commit(huge)),
        Box::pin(store.commit(commit("bob", None))),
    ];
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    other.execute_batch("COMMIT").unwrap();
    let answers: Vec<_> = calls.into_iter().map(|call| block_on(call).is_ok()).collect();
    assert_eq!(answers, [true, false, true]);
}

#[test]
fn a_file_that_another_process_writes_to_is_busy_and_then_free() {
    let folder = Folder::new();
    let store = SqliteOptions::new().busy_timeout(Duration::from_millis(20)).open(folder.file()).unwrap();
    let store = TrustedStore(store);
    let revision = store.apply(commit("ann", None));
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = block_on(store.0.commit(commit("bob", None))).unwrap_err();
    assert!(error.is_retryable() && format!("{error:?}").contains("another process"), "{error:?}");
    assert_eq!(store.find("ann").unwrap().revision, revision, "reads go on");
    other.execute_batch("ROLLBACK").unwrap();
    store.apply(commit("bob", None));
}

#[test]
fn a_lookup_does_not_wait_behind_a_write_that_waits() {
    let folder = Folder::new();
    let store =
        TrustedStore(SqliteOptions::new().busy_timeout(Duration::from_secs(60)).open(folder.file()).unwrap());
    store.apply(commit("ann", None));
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut call = Box::pin(store.0.commit(commit("bob", None)));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending());
    assert!(store.find("ann").is_some() && store.find("bob").is_none());
    assert!(call.as_mut().poll(&mut context).is_pending());
    other.execute_batch("COMMIT").unwrap();
    assert!(matches!(block_on(call), Ok(Committed::Applied { .. })));
}

#[test]
fn a_file_of_a_newer_release_is_left_as_it_is() {
    let folder = Folder::new();
    drop(SqliteStore::open(folder.file()).unwrap());
    let file = Connection::open(folder.file()).unwrap();
    file.execute_batch("UPDATE chatflow_schema SET version = 99").unwrap();
    drop(file);
    let before = fs::read(folder.file()).unwrap();
    let said = refused(SqliteStore::open(folder.file()));
    assert!(said.contains("99") && said.contains("up to 2"), "{said}");
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

#[test]
fn what_is_no_database_is_refused_with_its_name() {
    let folder = Folder::new();
    fs::write(folder.file(), vec![b'#'; 8192]).unwrap();
    let said = refused(SqliteStore::open(folder.file()));
    assert!(said.contains("talk.db") && said.contains("not a database"), "{said}");
    let said = refused(SqliteStore::open(folder.path().join("missing/talk.db")));
    assert!(said.contains("cannot be opened"), "{said}");
    refused(SqliteStore::open(folder.path()));
}

#[test]
fn a_file_that_was_cut_off_is_refused_or_found_out() {
    let folder = Folder::new();
    let store = TrustedStore(SqliteStore::open(folder.file()).unwrap());
    for number in 0..40 {
        store.apply(big(&format!("c{number}")));
    }
    drop(store);
    let whole = fs::read(folder.file()).unwrap();
    fs::write(folder.file(), &whole[..whole.len() / 2]).unwrap();
    match SqliteStore::open(folder.file()) {
        Err(error) => assert!(!error.is_retryable(), "{error}"),
        Ok(store) => {
            let found = block_on(store.integrity_check());
            assert!(found.is_err() || found.is_ok_and(|found| !found.is_empty()));
        }
    }
}

#[test]
#[cfg(unix)]
fn a_file_that_was_taken_away_is_not_written_to() {
    let folder = Folder::new();
    let store = TrustedStore(SqliteStore::open(folder.file()).unwrap());
    store.apply(commit("ann", None));
    let elsewhere = folder.path().join("elsewhere.db");
    fs::rename(folder.file(), &elsewhere).unwrap();
    let error = block_on(store.0.commit(commit("bob", None))).unwrap_err();
    assert!(!error.is_retryable() && error.to_string().contains("talk.db"), "{error}");
    fs::write(folder.file(), b"").unwrap();
    assert!(block_on(store.0.commit(commit("bob", None))).is_err(), "nor is the file in its place");
    fs::rename(&elsewhere, folder.file()).unwrap();
    store.apply(commit("bob", None));
}

#[test]
fn a_call_after_a_trouble_is_over_is_not_told_of_it() {
    let folder = Folder::new();
    let store = TrustedStore(SqliteStore::open(folder.file()).unwrap());
    let file = Connection::open(folder.file()).unwrap();
    file.execute_batch("ALTER TABLE chatflow_schema RENAME TO elsewhere").unwrap();
    for _ in 0..2 {
        assert!(block_on(store.0.commit(commit("ann", None))).is_err());
        // Meanwhile the writer has time to open the file in vain.
        assert!(block_on(store.0.integrity_check()).unwrap().is_empty());
    }
    file.execute_batch("ALTER TABLE elsewhere RENAME TO chatflow_schema").unwrap();
    store.apply(commit("ann", None));
}

#[test]
fn a_damaged_page_harms_what_lies_on_it() {
    let folder = Folder::new();
    let store = TrustedStore(SqliteStore::open(folder.file()).unwrap());
    for number in 0..40 {
        store.apply(big(&format!("c{number}")));
    }
    drop(store);
    let mut bytes = fs::read(folder.file()).unwrap();
    let start = bytes.len() * 3 / 4;
    bytes[start..start + 40_000].fill(0xA5);
    fs::write(folder.file(), bytes).unwrap();
    let store = TrustedStore(SqliteStore::open(folder.file()).unwrap());
    let loads: Vec<bool> =
        (0..40).map(|number| block_on(store.0.load(&by_contact(&format!("c{number}")))).is_ok()).collect();
    assert!(loads.iter().any(|is_fine| *is_fine));
    let found = block_on(store.0.integrity_check());
    let said_so = found.is_err() || found.is_ok_and(|found| !found.is_empty());
    assert!(said_so || loads.contains(&false));
    for _ in 0..3 {
        let (first, is_fine) = (store.find("c0"), loads[0]);
        assert!(first.is_some() && is_fine, "the store goes on");
    }
}

#[test]
fn a_damaged_record_harms_no_other() {
    let folder = Folder::new();
    let store = TrustedStore(SqliteStore::open(folder.file()).unwrap());
    store.apply(Commit { due_at: Some(at(0)), ..commit("ann", None) });
    store.apply(Commit { due_at: Some(at(0)), ..commit("bob", None) });
    let file = Connection::open(folder.file()).unwrap();
    file.execute_batch("UPDATE chatflow_conversation SET record = x'00ff' WHERE contact = 'ann'").unwrap();
    assert!(store.find("ann").unwrap().record.conversation().is_err());
    assert_eq!(store.text("bob").as_deref(), Some("bob"));
    assert_eq!(store.claimed(&due(1, at(0))), ["ann", "bob"]);
}

#[test]
fn an_erased_contact_is_not_in_the_file() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).unwrap();
    let secret = "+1 415 secret";
    let commit = Commit { record: opaque(&secret.repeat(1_000)), ..commit("ann", None) };
    let Ok(Committed::Applied { revision, .. }) = block_on(store.commit(commit)) else { panic!("refused") };
    drop(store);
    let store = SqliteStore::open(folder.file()).unwrap();
    let has = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(has(&fs::read(folder.file()).unwrap()));
    let erase = Erase {
        workspace: shop(),
        contact: contact("ann"),
        expect: revision,
        keeps_history: false,
        now: at(0),
    };
    assert!(block_on(store.erase(&erase)).unwrap().is_some());
    drop(store);
    assert!(!has(&fs::read(folder.file()).unwrap()));
}
