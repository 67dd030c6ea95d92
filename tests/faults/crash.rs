//! Every outside operation of every scenario fails once in every way; afterwards all is as if
//! nothing had.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::kit::{BLOWS, Blow, Host, World};
use crate::scenarios::{Scenario, flows, scenarios};

/// The remains of a scenario: sessions as they ended, and what the contact read, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Remains {
    sessions: Vec<String>,
    read: BTreeMap<String, Vec<String>>,
}

pub(crate) fn remains(world: &World) -> Remains {
    let mut sessions: Vec<String> = world
        .sessions()
        .iter()
        .map(|record| {
            let session = record.session();
            let (vars, ended) = (session.vars().to_json(), session.ended_by());
            format!(
                "{} at {}: {} {ended:?} {vars} in {} turns",
                session.flow(),
                session.node(),
                session.status(),
                session.turns()
            )
        })
        .collect();
    sessions.sort();
    let read = world.wire.firsts().into_iter();
    let texts = |messages: Vec<chatflow::Outbound>| {
        messages.iter().map(|message| format!("{} {}", message.id.seq, message.text())).collect()
    };
    Remains { sessions, read: read.map(|(to, messages)| (to, texts(messages))).collect() }
}

/// Tells a scenario to its end, with at most one blow.
fn tell(scenario: &Scenario, whole: bool, blow: Option<(usize, Blow)>) -> (World, Remains) {
    let world = World::with_flows(scenario.setup(whole), &flows(scenario.flows));
    if let Some((place, blow)) = blow {
        world.plan.strike(place, blow);
    }
    let mut host = Host::new(world);
    (scenario.tell)(&mut host);
    host.world.pass(TimeDelta::seconds(61));
    host.world.wind_up(TimeDelta::hours(2));
    host.world.wire.check_ids();
    host.check_answers();
    let remains = remains(&host.world);
    (host.world, remains)
}

/// D3: INV-R1, INV-R2, INV-O1, INV-O2, INV-O3, INV-O4: wherever the process fails or dies, its
/// callers' repeats and later ticks bring everything to the same end: the same sessions, the same
/// texts in the same order, each under one id.
#[test]
fn every_operation_of_every_scenario_may_fail_once() {
    let mut cases = 0;
    for scenario in scenarios() {
        for whole in [false, true] {
            let (world, clean) = tell(&scenario, whole, None);
            assert!(!clean.sessions.is_empty());
            let log = world.plan.log();
            for (place, what) in log.iter().enumerate() {
                for blow in BLOWS {
                    let told = std::panic::catch_unwind(|| tell(&scenario, whole, Some((place, blow))).1);
                    let case = format!("{}, whole {whole}: {blow:?} at {place} ({what})", scenario.name);
                    let told = told.unwrap_or_else(|_| panic!("{case}"));
                    assert_eq!(told, clean, "{case}");
                    cases += 1;
                }
            }
        }
    }
    assert!(cases > 1_000, "{cases} cases");
}

/// INV-O5: without a fault every message is handed over once.
#[test]
fn without_a_fault_nothing_is_sent_twice() {
    for scenario in scenarios() {
        for whole in [false, true] {
            let (world, _) = tell(&scenario, whole, None);
            let first: usize = world.wire.firsts().values().map(Vec::len).sum();
            assert_eq!(world.wire.taken().len(), first, "{}", scenario.name);
        }
    }
}
