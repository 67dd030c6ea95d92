//! Random calls on a file, beside a model.

use chatflow::store::Known;
use chatflow_sqlite::SqliteStore;
use proptest::prelude::*;

use crate::folder::Folder;
use crate::model_kit::{check_with_lists, ops};

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_in_a_file_answers_like_the_model(ops in ops()) {
        let folder = Folder::new();
        check_with_lists(SqliteStore::open(folder.file()).unwrap(), &ops);
    }

    #[test]
    fn a_known_store_in_a_file_answers_like_the_model(ops in ops(), room in 0_usize..8_000) {
        let folder = Folder::new();
        let store = SqliteStore::open(folder.file()).unwrap();
        check_with_lists(Known::new(store).cache_bytes(room), &ops);
    }
}
