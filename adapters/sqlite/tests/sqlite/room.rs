//! A file that can only be read, and a disk that is really full.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use chatflow::StoreError;
use chatflow::store::{Commit, Committed, ConversationStore, Record};
use chatflow_sqlite::SqliteStore;
use pollster::block_on;

use crate::folder::Folder;
use crate::store_kit::*;

fn refused(opened: Result<SqliteStore, StoreError>) {
    let error = opened.unwrap_err();
    assert!(!error.is_retryable() && format!("{error} {error:?}").contains("read"), "{error:?}");
}

#[test]
fn a_file_that_can_only_be_read_is_refused() {
    let folder = Folder::new();
    drop(SqliteStore::open(folder.file()).unwrap());
    let mut permissions = fs::metadata(folder.file()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(folder.file(), permissions).unwrap();
    refused(SqliteStore::open(folder.file()));
}

/// Names the folder that a test works in when it is run again.
const AGAIN: &str = "CHATFLOW_TEST_AGAIN";

fn folder_of_this_run() -> Option<PathBuf> {
    env::var_os(AGAIN).map(PathBuf::from)
}

/// Runs a test of this file again, by a command that is followed by this program. False: this
/// system does not let us do what the command does.
fn run_again(test: &str, folder: &Folder, command: &[&str]) -> bool {
    let mut again = Command::new(command[0]);
    again.args(&command[1..]).arg(env::current_exe().unwrap());
    again.args(["--exact", &format!("room::{test}"), "--nocapture"]).env(AGAIN, folder.path());
    let Ok(done) = again.output() else { return false };
    let said = String::from_utf8_lossy(&done.stdout);
    if !said.contains("running 1 test") {
        eprintln!("{test}: not possible here: {}", String::from_utf8_lossy(&done.stderr));
        return false;
    }
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    true
}

/// The permissions let others write, and this user is not among them.
#[test]
#[cfg(target_os = "linux")]
fn a_file_of_somebody_else_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    if let Some(folder) = folder_of_this_run() {
        return refused(SqliteStore::open(folder.join("talk.db")));
    }
    let folder = Folder::new();
    drop(SqliteStore::open(folder.file()).unwrap());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
    run_again("a_file_of_somebody_else_is_refused", &folder, &nobody);
}

/// A disk of 4 MiB in memory, gone with the process that works on it.
#[cfg(target_os = "linux")]
fn on_a_small_disk(test: &str) {
    let folder = Folder::new();
    let mount =
        format!("mount -t tmpfs -o size=4m tmpfs '{}' && exec \"$0\" \"$@\"", folder.path().display());
    run_again(test, &folder, &["unshare", "--map-root-user", "--mount", "sh", "-c", &mount]);
}

#[cfg(target_os = "linux")]
fn record(kilobytes: usize, byte: usize) -> Record {
    Record::from_bytes(vec![byte.to_le_bytes()[0]; kilobytes << 10])
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_the_log_fills_is_gone_on_with() {
    let Some(folder) = folder_of_this_run() else {
        return on_a_small_disk("a_disk_that_the_log_fills_is_gone_on_with");
    };
    let store = TrustedStore(SqliteStore::open(folder.join("talk.db")).unwrap());
    let mut revision = None;
    for round in 0..1_000 {
        let commit = Commit { record: record(20, round), ..commit("ann", revision) };
        match block_on(store.0.commit(commit)) {
            Ok(Committed::Applied { revision: new, .. }) => revision = Some(new),
            other => panic!("round {round}: {other:?}"),
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_really_full_loses_nothing_and_goes_on_once_there_is_room() {
    let Some(folder) = folder_of_this_run() else {
        return on_a_small_disk("a_disk_that_is_really_full_loses_nothing_and_goes_on_once_there_is_room");
    };
    let other = folder.join("other");
    fs::write(&other, vec![0; 512 << 10]).unwrap();
    let store = TrustedStore(SqliteStore::open(folder.join("talk.db")).unwrap());
    let mut written = Vec::new();
    let error = loop {
        let name = format!("c{}", written.len());
        match block_on(store.0.commit(Commit { record: record(20, 7), ..commit(&name, None) })) {
            Ok(Committed::Applied { revision, .. }) => written.push((name, revision)),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert!(error.is_retryable() && format!("{error:?}").contains("disk full"), "{error:?}");
    let is_there = |store: &TrustedStore<SqliteStore>| {
        written.iter().all(|(name, revision)| store.find(name).is_some_and(|one| one.revision == *revision))
    };
    assert!(written.len() > 100, "the log took the room of the file: {}", written.len());
    assert!(is_there(&store), "what was acknowledged is there");
    for _ in 0..3 {
        let again = block_on(store.0.commit(Commit { record: record(200, 7), ..commit("late", None) }));
        assert!(again.is_err_and(|error| error.is_retryable()));
    }
    fs::remove_file(other).unwrap();
    store.apply(commit("late", None));
    assert!(is_there(&store) && block_on(store.0.integrity_check()).unwrap().is_empty());
    drop(store);
    let store = TrustedStore(SqliteStore::open(folder.join("talk.db")).unwrap());
    assert!(is_there(&store) && store.find("late").is_some());
}
