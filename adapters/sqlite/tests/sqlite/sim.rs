//! The simulation of the test kit on files.

use std::cell::RefCell;

use chatflow::testkit::Sim;
use chatflow_sqlite::SqliteStore;

use crate::folder::Folder;

#[test]
fn engines_keep_every_rule_on_a_file() {
    let folders = RefCell::new(Vec::new());
    for seed in 0..2 {
        let empty = || {
            let folder = Folder::new();
            let store = SqliteStore::open(folder.file()).unwrap();
            folders.borrow_mut().push(folder);
            store
        };
        if let Err(failure) = Sim::new(empty).seed(seed).steps(200).run() {
            panic!("{failure}");
        }
    }
}
