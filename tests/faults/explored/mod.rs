//! Every schedule of the protocol within small bounds: triggers, replies, commits, deliveries,
//! settles, ticks, publishing, migration and erasure by three processes that crash, lose leases and
//! do not hear what became of a commit. Nothing here is code of the crate: it is the contract of
//! the store and of delivery (SEMANTICS S5, S11, T5, T6, I2, D1, D3, D6), enumerated.

mod state;
mod steps;

use std::collections::HashSet;

use state::{Budget, Rule, State};

/// The result of an exploration.
struct Explored {
    states: usize,
    /// The first rule of the contract that was broken, with the steps that led there.
    violation: Option<(String, usize)>,
}

/// Goes through every state, nearest first.
fn explore(budget: Budget, dropped: Option<Rule>) -> Explored {
    let mut seen = HashSet::from([State::new(budget)]);
    let (mut layer, mut depth) = (vec![State::new(budget)], 0);
    while !layer.is_empty() {
        depth += 1;
        let mut next = Vec::new();
        for state in &layer {
            for step in steps::steps(state, dropped) {
                match step {
                    Err(what) => return Explored { states: seen.len(), violation: Some((what, depth)) },
                    Ok(state) => {
                        let state = state.sorted();
                        if seen.insert(state.clone()) {
                            next.push(state);
                        }
                    }
                }
            }
            if let Err(what) = steps::comes_to_rest(state, dropped) {
                return Explored { states: seen.len(), violation: Some((what, depth)) };
            }
        }
        layer = next;
    }
    Explored { states: seen.len(), violation: None }
}

const NOTHING: Budget = Budget {
    triggers: 0,
    keyed: 0,
    replies: 0,
    publishes: 0,
    migrations: 0,
    erasures: 0,
    crashes: 0,
    unknown: 0,
    lapses: 0,
};

/// Bounds that are small enough for every run of the tests; together they meet every rule.
const SMALL: [Budget; 5] = [
    Budget { triggers: 1, keyed: 1, replies: 1, crashes: 1, lapses: 1, ..NOTHING },
    Budget { keyed: 2, replies: 1, unknown: 1, erasures: 1, ..NOTHING },
    Budget { triggers: 2, replies: 2, publishes: 1, keyed: 1, ..NOTHING },
    Budget { triggers: 2, unknown: 1, erasures: 1, crashes: 1, lapses: 1, ..NOTHING },
    Budget { triggers: 2, replies: 1, publishes: 1, migrations: 1, erasures: 1, ..NOTHING },
];

/// `CHATFLOW_BOUND=2` takes larger bounds, which take hours.
fn bounds() -> Vec<Budget> {
    let more = std::env::var("CHATFLOW_BOUND").ok().and_then(|bound| bound.parse::<u8>().ok());
    let grow = |budget: Budget| match more {
        Some(more) if more > 1 => Budget {
            triggers: budget.triggers + 1,
            crashes: budget.crashes + 1,
            lapses: budget.lapses + 1,
            ..budget
        },
        _ => budget,
    };
    SMALL.map(grow).to_vec()
}

/// D1, D3, D6, I2, S5, S11, T5, T6
#[test]
fn the_protocol_keeps_every_rule_in_every_schedule_within_the_bounds() {
    for budget in bounds() {
        let explored = explore(budget, None);
        println!("{} states of {budget:?}", explored.states);
        assert_eq!(explored.violation, None, "{budget:?}");
        assert!(explored.states > 1_000, "{}: the bounds meet nothing", explored.states);
    }
}

/// A rule without which nothing breaks is no rule.
#[test]
fn each_rule_that_is_dropped_breaks_something() {
    let mut needless = Vec::new();
    for rule in Rule::ALL {
        let broken = SMALL.iter().find_map(|budget| explore(*budget, Some(rule)).violation);
        match broken {
            Some((what, depth)) => println!("without {rule:?}, {depth} steps: {what}"),
            None => needless.push(rule),
        }
    }
    assert!(needless.is_empty(), "{needless:?}");
}
