//! Random calls on the stores in memory, beside a model.

use crate::model_kit::{check, check_with_lists, ops};
use crate::own_store::OwnStore;
use crate::riding::Riding;
use crate::store_kit::{erased, memory};
use chatflow::store::Known;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_memory_store_answers_like_the_model(ops in ops()) {
        check_with_lists(memory(), &ops);
    }

    /// Rule 28: what rides is seen as done, whenever it is written.
    #[test]
    fn a_store_whose_settles_ride_answers_like_the_model(ops in ops()) {
        check_with_lists(Riding::default(), &ops);
    }

    /// Rule 29: what is known is what is stored, in whatever room.
    #[test]
    fn a_known_store_answers_like_the_model(ops in ops(), room in 0_usize..8_000) {
        check_with_lists(Known::new(memory()).cache_bytes(room), &ops);
    }

    #[test]
    fn a_known_store_whose_settles_ride_answers_like_the_model(ops in ops()) {
        check_with_lists(Known::new(Riding::default()), &ops);
    }

    /// A store that compares nothing but the revision is loaded each time.
    #[test]
    fn a_known_store_of_the_examples_answers_like_the_model(ops in ops()) {
        check(Known::new(OwnStore::default()), None, &ops);
    }

    #[test]
    fn the_own_store_of_the_examples_answers_like_the_model(ops in ops()) {
        check(OwnStore::default(), None, &ops);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_erased_store_answers_like_the_model(ops in ops()) {
        check_with_lists(erased(), &ops);
    }
}
