//! The identity of people, in a file.

use chatflow_sqlite::SqliteStore;
use pollster::block_on;

use crate::folder::Folder;
use crate::identity_kit::{
    Town, a_name_gets_the_address, addresses_are_linked, an_opt_out_is_the_persons, numbers_change_hands,
    two_become_one,
};

/// SEMANTICS A2, A4, A5, A6
#[test]
fn people_are_found_in_a_file() {
    let folder = Folder::new();
    let town = |name: &str| Town::new(SqliteStore::open(folder.path().join(name)).unwrap());
    block_on(async {
        addresses_are_linked(town("a").await).await;
        two_become_one(town("b").await).await;
        a_name_gets_the_address(town("e").await).await;
        an_opt_out_is_the_persons(town("c").await).await;
        numbers_change_hands(town("d").await).await;
    });
}
