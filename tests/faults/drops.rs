//! The future of every call is dropped at every place where it waits (SEMANTICS D3).

use chrono::TimeDelta;

use crate::crash::remains;
use crate::kit::{Host, World};
use crate::scenarios::{Scenario, flows, scenarios};

fn tell(scenario: &Scenario, whole: bool, drop_at: Option<(usize, usize)>) -> (Host, crate::crash::Remains) {
    let world = World::with_flows(scenario.setup(whole), &flows(scenario.flows));
    world.plan.yield_at_each(true);
    let mut host = Host::new(world);
    host.drop_at = drop_at;
    (scenario.tell)(&mut host);
    host.world.plan.yield_at_each(false);
    host.world.pass(TimeDelta::seconds(61));
    host.world.wind_up(TimeDelta::hours(2));
    host.world.wire.check_ids();
    let remains = remains(&host.world);
    (host, remains)
}

/// D3, INV-L5: a call whose future is dropped anywhere is wholly done or not at all, and a later
/// tick does the rest.
#[test]
fn every_call_may_be_dropped_wherever_it_waits() {
    let mut cases = 0;
    for scenario in scenarios() {
        for whole in [false, true] {
            let (clean, left) = tell(&scenario, whole, None);
            for call in 0..clean.calls {
                for polls in 1.. {
                    let told = std::panic::catch_unwind(|| tell(&scenario, whole, Some((call, polls))));
                    let case = format!("{}, whole {whole}: call {call} dropped after {polls}", scenario.name);
                    let (host, told) = told.unwrap_or_else(|_| panic!("{case}"));
                    if !host.was_dropped {
                        break;
                    }
                    assert_eq!(told, left, "{case}");
                    cases += 1;
                }
            }
        }
    }
    assert!(cases > 500, "{cases} cases");
}
