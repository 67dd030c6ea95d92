//! Reads of operators, in a file (SEMANTICS Q8, Q9), and a contact whom a person takes over (S10).

use chatflow_sqlite::SqliteStore;
use pollster::block_on;

use crate::folder::Folder;
use crate::operators_kit;

#[test]
fn results_stay_with_ended_sessions() {
    let folder = Folder::new();
    block_on(operators_kit::results_stay(async || SqliteStore::open(folder.file()).unwrap()));
}

#[test]
fn pages_of_results_have_no_gaps_and_no_repeats() {
    let folder = Folder::new();
    block_on(operators_kit::pages_of_results(async || SqliteStore::open(folder.file()).unwrap()));
}

#[test]
fn results_of_a_version_that_is_not_readable_here_are_read_elsewhere() {
    let folder = Folder::new();
    let open = async || SqliteStore::open(folder.file()).unwrap();
    block_on(operators_kit::results_of_what_is_not_readable_here(open));
}

#[test]
fn counts_are_what_journals_say() {
    let folder = Folder::new();
    let open = async || SqliteStore::open(folder.file()).unwrap();
    block_on(operators_kit::counts_are_what_journals_say(open));
}

#[test]
fn what_many_do_at_once_is_counted_once() {
    let folder = Folder::new();
    block_on(operators_kit::counts_of_many_at_once(async || SqliteStore::open(folder.file()).unwrap()));
}

#[test]
fn a_contact_is_with_a_person() {
    let folder = Folder::new();
    block_on(operators_kit::a_contact_is_with_a_person(async || SqliteStore::open(folder.file()).unwrap()));
}
