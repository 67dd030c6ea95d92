//! Promises of every durable store: identity, versions, many flows, pace, operators.

use libtest_mimic::Trial;

use crate::identity_kit::{
    Town, a_name_gets_the_address, addresses_are_linked, an_opt_out_is_the_persons, numbers_change_hands,
    two_become_one,
};
use crate::kit::{Keys, block_on, trial};
use crate::{many_kit, operators_kit, pace_kit, versions_kit};

/// SEMANTICS A2, A4, A5, A6
async fn people_are_found() {
    addresses_are_linked(Town::new(Keys::new().store().await).await).await;
    a_name_gets_the_address(Town::new(Keys::new().store().await).await).await;
    two_become_one(Town::new(Keys::new().store().await).await).await;
    an_opt_out_is_the_persons(Town::new(Keys::new().store().await).await).await;
    numbers_change_hands(Town::new(Keys::new().store().await).await).await;
}

/// SEMANTICS D7: in one process, and in two.
async fn a_pace_holds() {
    for processes in [1, 2] {
        let keys = Keys::new();
        let mut stores = Vec::new();
        for _ in 0..processes {
            stores.push(keys.store().await);
        }
        pace_kit::a_pace_holds(stores).await;
    }
}

/// Scenarios that open a store again and again, by processes that share it.
macro_rules! on_redis {
    ($($kit:ident::$scenario:ident),* $(,)?) => {
        vec![$(Trial::test(concat!(stringify!($kit), "::", stringify!($scenario)), || {
            block_on(async {
                let keys = Keys::new();
                $kit::$scenario(async || keys.store().await).await;
            });
            Ok(())
        })),*]
    };
}

pub fn trials() -> Vec<Trial> {
    let mut trials = on_redis![
        versions_kit::a_restart_with_an_edited_flow,
        versions_kit::two_builds_on_one_store,
        versions_kit::a_process_with_smaller_limits,
        versions_kit::a_call_of_what_cannot_be_read,
        versions_kit::ways_out,
        operators_kit::results_stay,
        operators_kit::pages_of_results,
        operators_kit::results_of_what_is_not_readable_here,
        operators_kit::counts_are_what_journals_say,
        operators_kit::counts_of_many_at_once,
        operators_kit::a_contact_is_with_a_person,
        many_kit::starts_at_the_same_time_publish_once,
        many_kit::the_next_call_elsewhere_reads_what_changed,
    ];
    trials.push(trial("people_are_found", people_are_found));
    trials.push(trial("a_pace_holds", a_pace_holds));
    trials
}
