//! Promises of every store, in memory: S15, S16, D5, D6, I2, I13, T11.

use std::sync::Arc;

use chatflow::MemoryStore;
use chatflow::ops::SessionFilter;
use chrono::TimeDelta;
use pollster::block_on;

use crate::promises_kit;

macro_rules! in_memory {
    ($(#[doc = $rule:literal] $name:ident),* $(,)?) => {$(
        #[doc = $rule]
        #[test]
        fn $name() {
            let store = Arc::new(MemoryStore::new());
            block_on(promises_kit::$name(async || Arc::clone(&store)));
        }
    )*};
}

in_memory! {
    /// S15
    sends_are_side_by_side,
    /// S15
    a_hanging_send_keeps_its_own_hand,
    /// D5
    a_hanging_send_is_put_off,
    /// S15
    next_due_is_told_after_the_work,
    /// S15
    a_backlog_makes_nothing_late,
    /// S16
    a_panic_is_tried_again,
    /// I2
    a_redelivery_is_known_after_200_touches,
    /// D6
    what_is_not_known_stays_unknown,
    /// D6, I2
    one_of_two_has_taken_it,
    /// T11
    who_cannot_be_reached_is_refused,
    /// T11
    a_failed_start_says_so,
}

/// S16
#[test]
fn a_poisoned_neighbour() {
    let store = Arc::new(MemoryStore::new());
    block_on(promises_kit::a_poisoned_neighbour(
        async || Arc::clone(&store),
        async |clock, time| clock.advance(TimeDelta::from_std(time).unwrap()),
    ));
}

/// I13
#[test]
fn strangers_leave_nothing() {
    let store = Arc::new(MemoryStore::new());
    let open = async || Arc::clone(&store);
    let sessions = async || {
        let listed =
            chatflow::Engine::builder(Arc::clone(&store)).build().sessions(SessionFilter::all()).await;
        vec![("session".to_owned(), listed.unwrap().len() as u64)]
    };
    block_on(promises_kit::strangers_leave_nothing(open, sessions, 50));
}
