//! No statement looks at a whole table.

use rusqlite::Connection;

use crate::{absorb, commit, due, erase, flows, load, queries, schema, settle, upkeep};

const STATEMENTS: &[&str] = &[
    load::BY_CONTACT,
    load::BY_ALIAS,
    load::KEY,
    commit::FIND,
    commit::KEY_IS_TAKEN,
    commit::HOLDER,
    commit::CONTACT,
    commit::UPDATE,
    commit::FILE,
    commit::DROP_ALIAS,
    commit::END_SESSION,
    settle::RAISE,
    settle::SETTLE,
    settle::SET_ASIDE,
    due::READY,
    due::SUSPECTS,
    due::SUSPECTS_RESTED,
    due::CLAIM,
    due::CLAIMED,
    due::LEASES_END,
    due::LATER,
    upkeep::COUNT,
    upkeep::COUNT_VERSION,
    upkeep::COUNT_CALLED,
    upkeep::WAKE,
    upkeep::PURGE_KEYS,
    upkeep::HAS_KEYS,
    upkeep::OLD_SESSIONS,
    upkeep::REMOVE_SESSION,
    upkeep::HAS_SESSIONS,
    upkeep::PURGE_JOURNAL,
    upkeep::HAS_JOURNAL,
    upkeep::PURGE_COUNTS,
    upkeep::HAS_COUNTS,
    absorb::FREE,
    absorb::MOVE_ALIASES,
    absorb::MOVE_KEYS,
    absorb::MOVE_SESSIONS,
    absorb::MOVE_JOURNAL,
    erase::KEYS,
    erase::REMOVE_KEYS,
    erase::REMOVE_ALIASES,
    erase::COUNT_ENDED,
    erase::REMOVE_SESSIONS,
    erase::REMOVE_JOURNAL,
    erase::REMOVE,
    queries::SESSIONS,
    queries::SESSIONS_OF,
    queries::LIVE_SESSIONS,
    queries::SESSION,
    queries::CONVERSATION,
    queries::JOURNAL,
    queries::JOURNAL_OF,
    queries::ASIDE,
    queries::WITH_DEAD_LETTERS,
    queries::COUNTS,
    flows::REVISION,
    flows::ENTRIES,
    flows::CHANGED,
    flows::STORED,
    flows::TEXT,
    flows::REMOVE_TEXT,
];

fn plan(file: &Connection, sql: &str) -> Vec<String> {
    let mut explain = file.prepare(&["EXPLAIN QUERY PLAN ", sql].concat()).unwrap();
    let nothing: Vec<Option<i64>> = vec![None; explain.parameter_count()];
    let steps = explain.query_map(rusqlite::params_from_iter(nothing), |row| row.get(3)).unwrap();
    steps.map(Result::unwrap).collect()
}

fn looks_at_all(steps: &[String]) -> bool {
    steps.iter().any(|step| step.starts_with("SCAN chatflow_") || step.starts_with("SCAN s"))
}

#[test]
fn every_statement_goes_by_an_index() {
    let mut file = Connection::open_in_memory().unwrap();
    schema::migrate(&mut file, schema::STEPS).unwrap();
    let all = STATEMENTS.iter().map(|sql| (*sql, plan(&file, sql)));
    let slow: Vec<_> = all.filter(|(_, steps)| looks_at_all(steps)).collect();
    assert!(slow.is_empty(), "{slow:#?}");
    assert!(looks_at_all(&plan(&file, "SELECT * FROM chatflow_key WHERE version = 1")), "the check sees one");
}

#[test]
fn lists_are_read_in_the_order_of_their_index() {
    let mut file = Connection::open_in_memory().unwrap();
    schema::migrate(&mut file, schema::STEPS).unwrap();
    for sql in [due::READY, queries::SESSIONS, queries::JOURNAL_OF, queries::ASIDE, upkeep::OLD_SESSIONS] {
        let steps = plan(&file, sql);
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{sql}: {steps:?}");
    }
}
