//! The identity of people, on a server.

use libtest_mimic::Trial;

use crate::identity_kit::{
    Town, a_name_gets_the_address, addresses_are_linked, an_opt_out_is_the_persons, numbers_change_hands,
    two_become_one,
};
use crate::kit::{Database, Layout, trial};

/// SEMANTICS A2, A4, A5, A6: in one table, and in slices.
async fn people_are_found_on_a_server() {
    for layout in [Layout::Plain, Layout::Partitioned] {
        addresses_are_linked(Town::new(Database::new(layout).await.store().await).await).await;
        a_name_gets_the_address(Town::new(Database::new(layout).await.store().await).await).await;
        two_become_one(Town::new(Database::new(layout).await.store().await).await).await;
        an_opt_out_is_the_persons(Town::new(Database::new(layout).await.store().await).await).await;
        numbers_change_hands(Town::new(Database::new(layout).await.store().await).await).await;
    }
}

pub fn trials() -> Vec<Trial> {
    vec![trial("people_are_found_on_a_server", people_are_found_on_a_server)]
}
