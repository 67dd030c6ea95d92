//! Promises of every durable store: identity, versions, many flows, pace, operators, many
//! conversations at once.

use libtest_mimic::Trial;

use crate::identity_kit::{
    Town, a_name_gets_the_address, addresses_are_linked, an_opt_out_is_the_persons, numbers_change_hands,
    two_become_one,
};
use crate::kit::{Keys, block_on, trial};
use crate::{many_kit, operators_kit, pace_kit, promises_kit, versions_kit};

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

/// SEMANTICS S16: the leases are judged by the server's clock.
async fn a_poisoned_neighbour() {
    let keys = Keys::new();
    let open = async || keys.store().await;
    promises_kit::a_poisoned_neighbour(open, async |_, time| tokio::time::sleep(time).await).await;
}

/// SEMANTICS I13: not one key.
async fn strangers_leave_nothing() {
    let keys = Keys::new();
    let names = async || {
        let mut names: Vec<_> = keys.names().await.into_iter().map(|name| (name, 1)).collect();
        names.sort();
        names
    };
    promises_kit::strangers_leave_nothing(async || keys.store().await, names, 500).await;
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
        promises_kit::sends_are_side_by_side,
        promises_kit::a_hanging_send_keeps_its_own_hand,
        promises_kit::a_hanging_send_is_put_off,
        promises_kit::next_due_is_told_after_the_work,
        promises_kit::a_backlog_makes_nothing_late,
        promises_kit::a_panic_is_tried_again,
        promises_kit::a_redelivery_is_known_after_200_touches,
        promises_kit::what_is_not_known_stays_unknown,
        promises_kit::one_of_two_has_taken_it,
        promises_kit::who_cannot_be_reached_is_refused,
        promises_kit::a_failed_start_says_so,
    ];
    trials.push(trial("people_are_found", people_are_found));
    trials.push(trial("a_pace_holds", a_pace_holds));
    trials.push(Trial::test("promises_kit::a_poisoned_neighbour", || {
        block_on(a_poisoned_neighbour());
        Ok(())
    }));
    trials.push(Trial::test("promises_kit::strangers_leave_nothing", || {
        block_on(strangers_leave_nothing());
        Ok(())
    }));
    trials
}
