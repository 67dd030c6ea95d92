//! Random calls on the stores in memory, beside a model.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod model_kit;
#[path = "../examples/own_store.rs"]
#[allow(dead_code, reason = "a program's entry is not needed here")]
mod own_store;
mod store_kit;

use model_kit::{check, check_with_lists, ops};
use proptest::prelude::*;
use store_kit::{erased, memory};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_memory_store_answers_like_the_model(ops in ops()) {
        check_with_lists(memory(), &ops);
    }

    #[test]
    fn the_own_store_of_the_examples_answers_like_the_model(ops in ops()) {
        check(own_store::OwnStore::default(), None, &ops);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_erased_store_answers_like_the_model(ops in ops()) {
        check_with_lists(erased(), &ops);
    }
}
