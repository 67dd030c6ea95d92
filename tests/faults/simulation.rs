//! The simulation of the test kit: it finds what is planted, it is the same each time, and what it
//! finds can be seen again.

use chatflow::MemoryStore;
use chatflow::testkit::store_suite::{Flaw, Flawed};
use chatflow::testkit::{Defect, Sim, SimFault, SimFaults, SimPlan};

#[test]
fn engines_keep_every_rule_in_all_weathers() {
    let seeds = std::env::var("CHATFLOW_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(6);
    for seed in 0..seeds {
        let sim = Sim::new(MemoryStore::new).seed(seed);
        if let Err(failure) = sim.run() {
            panic!("{failure}");
        }
    }
    for seed in 0..seeds {
        // Room for some of the people, for all of them, for none.
        let room = [8_000, 1 << 20, 1][(seed % 3) as usize];
        let sim = Sim::new(MemoryStore::new).seed(1_000 + seed).known(room);
        if let Err(failure) = sim.run() {
            panic!("{failure}");
        }
    }
    for seed in 0..2 {
        let calm = Sim::new(MemoryStore::new).seed(seed).contacts(8).faults(SimFaults::none());
        assert_eq!(calm.fails(), None);
    }
}

/// Some seeds of one person or a few, where some things go wrong more often.
fn keeps_every_rule(contacts: usize, faults: &[(SimFault, u32)]) {
    for seed in 0..3 {
        let sim = Sim::new(MemoryStore::new).seed(seed).contacts(contacts).steps(250);
        let sim = faults.iter().fold(sim, |sim, (fault, weight)| sim.weigh(*fault, *weight));
        if let Err(failure) = sim.run() {
            panic!("{failure}");
        }
    }
}

/// S16
#[test]
fn a_transport_that_panics_breaks_no_rule() {
    keeps_every_rule(3, &[(SimFault::ChannelPanics, 300), (SimFault::CallPanics, 300)]);
}

/// S15, D5
#[test]
fn hosts_that_take_their_time_break_no_rule() {
    keeps_every_rule(3, &[(SimFault::ChannelSlow, 500), (SimFault::CallSlow, 500)]);
}

/// S17, I8
#[test]
fn bursts_of_one_person_break_no_rule() {
    keeps_every_rule(1, &[(SimFault::Burst, 1_000)]);
}

/// S13, S14
#[test]
fn processes_of_other_builds_break_no_rule() {
    let restarts = (SimFault::Crash, 500);
    keeps_every_rule(2, &[restarts, (SimFault::SmallLimits, 500)]);
    keeps_every_rule(2, &[restarts, (SimFault::EditedFlows, 500)]);
    keeps_every_rule(2, &[restarts, (SimFault::SmallLimits, 300), (SimFault::EditedFlows, 300)]);
}

/// The first of some seeds that finds a defect, and what it says.
fn found(sim: impl Fn(u64) -> Option<String>) -> Option<String> {
    (0..8).find_map(sim)
}

/// A check that cannot fire proves nothing.
#[test]
fn what_is_planted_between_engine_and_world_is_found() {
    let planted = [
        Defect::SwallowsMessages,
        Defect::ChangesTexts,
        Defect::DoublesMessages,
        Defect::SendsUncommitted,
        Defect::ClaimsNothing,
        Defect::ForgetsDue,
        Defect::DelaysDue,
        Defect::ConfusesAnswers,
        Defect::SaysStarted,
        Defect::ForgetsFirstVerdict,
        Defect::CutsFlows,
        Defect::ForgetsDigests,
    ];
    let mut missed = Vec::new();
    for defect in planted {
        let sim = |seed| {
            let sim = Sim::new(MemoryStore::new).seed(seed).steps(250).plant(defect);
            // Other texts under one number are found where there are some.
            let edits = if defect == Defect::ForgetsDigests { 400 } else { 60 };
            sim.weigh(SimFault::EditedFlows, edits).fails()
        };
        if found(sim).is_none() {
            missed.push(defect);
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn a_store_with_a_flaw_is_found() {
    for flaw in [Flaw::LostUpdate, Flaw::ForgetsKeys, Flaw::ForgetsDue] {
        let sim = |seed| {
            Sim::new(|| Flawed::new(MemoryStore::new(), flaw)).contacts(1).seed(seed).steps(400).fails()
        };
        assert!(found(sim).is_some(), "{flaw:?}");
    }
}

#[test]
fn what_is_found_is_shrunk_and_can_be_seen_again() {
    let sim = |plan: SimPlan| Sim::new(MemoryStore::new).plan(plan).plant(Defect::ChangesTexts);
    let found = (0..20)
        .map(|seed| SimPlan::default().with_seed(seed))
        .find(|plan| sim(plan.clone()).fails().is_some());
    let failure = *sim(found.unwrap()).run().unwrap_err();
    assert!(failure.shrunk.steps < failure.found.steps, "{failure}");
    assert!(failure.shrunk.faults.kinds().count() < failure.found.faults.kinds().count(), "{failure}");
    assert!(failure.shrunk.engines <= failure.found.engines);
    let told = failure.to_string();
    let command = format!("cargo run --release --example simulate -- {}", failure.shrunk);
    assert!(told.contains(&command) && told.contains("as found: "), "{told}");
    let again = sim(failure.shrunk.clone()).fails();
    assert!(again.is_some());
    assert_eq!(sim(failure.shrunk).fails(), again, "one plan, one outcome");
}

#[test]
fn a_table_of_faults_prints_as_it_is_read() {
    let all = SimFaults::default();
    assert_eq!(all.to_string().parse(), Ok(all.clone()));
    assert_eq!(all.kinds().count(), SimFault::ALL.len());
    let some = SimFaults::none().weigh(SimFault::Crash, 5_000).weigh(SimFault::Erase, 0);
    assert_eq!(some.to_string(), "crash=1000");
    assert_eq!("none".parse(), Ok(SimFaults::none()));
    let told = ["crash", "crash=x", "crush=1"].map(|text| text.parse::<SimFaults>().unwrap_err());
    assert_eq!(told, ["`crash` is not NAME=WEIGHT", "`x` is no number", "there is no fault `crush`"]);
}
