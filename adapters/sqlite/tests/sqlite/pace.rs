//! Messages that wait for their pace, in a file.

use chatflow_sqlite::SqliteStore;
use pollster::block_on;

use crate::folder::Folder;
use crate::pace_kit::a_pace_holds;

/// SEMANTICS D7: in one engine, and in two on one file.
#[test]
fn a_pace_holds_on_a_file() {
    for processes in [1, 2] {
        let folder = Folder::new();
        block_on(a_pace_holds((0..processes).map(|_| SqliteStore::open(folder.file()).unwrap()).collect()));
    }
}
