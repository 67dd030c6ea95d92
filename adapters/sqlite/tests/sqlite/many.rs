//! Many flows in a file (SEMANTICS L10).

use chatflow_sqlite::SqliteStore;
use pollster::block_on;

use crate::folder::Folder;
use crate::many_kit;

/// Each in a file of its own.
async fn open(folder: &Folder) -> SqliteStore {
    let number = std::fs::read_dir(folder.path()).unwrap().count();
    SqliteStore::open(folder.path().join(format!("{number}.db"))).unwrap()
}

#[test]
fn flows_that_are_ensured_one_by_one_cost_what_each_does() {
    let folder = Folder::new();
    block_on(many_kit::one_by_one_costs_what_each_does(async || open(&folder).await));
}

#[test]
fn all_at_once_cost_one_read_and_one_save() {
    let folder = Folder::new();
    block_on(many_kit::all_at_once_cost_one_read_and_one_save(async || open(&folder).await));
}

#[test]
fn a_publish_elsewhere_carries_one_flow() {
    let folder = Folder::new();
    block_on(many_kit::a_publish_elsewhere_carries_one_flow(async || open(&folder).await));
}

#[test]
fn starts_at_the_same_time_publish_once() {
    let folder = Folder::new();
    block_on(many_kit::starts_at_the_same_time_publish_once(async || open(&folder).await));
}

#[test]
fn the_next_call_elsewhere_reads_what_changed() {
    let folder = Folder::new();
    let open = async || SqliteStore::open(folder.file()).unwrap();
    block_on(many_kit::the_next_call_elsewhere_reads_what_changed(open));
}
