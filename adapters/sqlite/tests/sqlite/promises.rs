//! Promises of every store, in a file (SEMANTICS S15, S16, D5, D6, I2, I13, T11).

use chatflow_sqlite::SqliteStore;
use chrono::TimeDelta;
use pollster::block_on;
use rusqlite::Connection;

use crate::folder::Folder;
use crate::promises_kit;

macro_rules! in_a_file {
    ($($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            let folder = Folder::new();
            block_on(promises_kit::$name(async || SqliteStore::open(folder.file()).unwrap()));
        }
    )*};
}

in_a_file! {
    sends_are_side_by_side,
    a_hanging_send_keeps_its_own_hand,
    a_hanging_send_is_put_off,
    next_due_is_told_after_the_work,
    a_backlog_makes_nothing_late,
    a_panic_is_tried_again,
    a_redelivery_is_known_after_200_touches,
    what_is_not_known_stays_unknown,
    one_of_two_has_taken_it,
    who_cannot_be_reached_is_refused,
    a_failed_start_says_so,
}

#[test]
fn a_poisoned_neighbour() {
    let folder = Folder::new();
    block_on(promises_kit::a_poisoned_neighbour(
        async || SqliteStore::open(folder.file()).unwrap(),
        async |clock, time| clock.advance(TimeDelta::from_std(time).unwrap()),
    ));
}

/// Not one row, in any table. `CHATFLOW_STRANGERS` is their number.
#[test]
fn strangers_leave_nothing() {
    let count = std::env::var("CHATFLOW_STRANGERS").map_or(2000, |count| count.parse().unwrap());
    let folder = Folder::new();
    let rows = async || {
        let file = Connection::open(folder.file()).unwrap();
        let mut tables = file
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .unwrap();
        let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let count = |table: String| {
            let count = file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
            (table, count.map(i64::unsigned_abs).unwrap())
        };
        tables.map(|table| count(table.unwrap())).collect()
    };
    let open = async || SqliteStore::open(folder.file()).unwrap();
    block_on(promises_kit::strangers_leave_nothing(open, rows, count));
}
