//! A version is its content, in a file (SEMANTICS S13, S14).

use chatflow_sqlite::SqliteStore;
use pollster::block_on;

use crate::folder::Folder;
use crate::versions_kit;

#[test]
fn a_restart_with_an_edited_flow_changes_no_session() {
    let folder = Folder::new();
    let open = async || SqliteStore::open(folder.file()).unwrap();
    block_on(versions_kit::a_restart_with_an_edited_flow(open));
}

#[test]
fn a_session_goes_on_only_where_its_own_text_is() {
    let folder = Folder::new();
    block_on(versions_kit::two_builds_on_one_store(async || SqliteStore::open(folder.file()).unwrap()));
}

#[test]
fn what_does_not_compile_here_is_left_untouched() {
    let folder = Folder::new();
    block_on(versions_kit::a_process_with_smaller_limits(async || SqliteStore::open(folder.file()).unwrap()));
}

#[test]
fn a_call_of_what_cannot_be_read_does_not_fail() {
    let folder = Folder::new();
    block_on(versions_kit::a_call_of_what_cannot_be_read(async || SqliteStore::open(folder.file()).unwrap()));
}

#[test]
fn an_operator_gets_sessions_off_a_version_that_is_missing() {
    let folder = Folder::new();
    block_on(versions_kit::ways_out(async || SqliteStore::open(folder.file()).unwrap()));
}
