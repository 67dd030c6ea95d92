//! The store in PostgreSQL, on a real server. Without one every trial is listed as ignored.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may fail")]

mod batches;
mod counting;
mod crowd;
mod faults;
mod held;
mod identity;
#[path = "../../../../tests/kits/identity.rs"]
mod identity_kit;
mod kit;
mod many;
#[path = "../../../../tests/kits/many.rs"]
mod many_kit;
mod operators;
#[path = "../../../../tests/kits/operators.rs"]
mod operators_kit;
mod pace;
#[path = "../../../../tests/kits/pace.rs"]
mod pace_kit;
mod plans;
mod poolers;
mod promises;
#[path = "../../../../tests/kits/promises.rs"]
mod promises_kit;
mod rides;
mod sim;
mod skew;
mod suite;
mod trips;
mod tx;
mod versions;
#[path = "../../../../tests/kits/versions.rs"]
mod versions_kit;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let has_server = kit::server().is_some();
    if !has_server {
        eprintln!(
            "the tests of PostgreSQL are skipped: run them by `scripts/with-postgres cargo test -p chatflow-postgres`"
        );
    }
    let trials = [
        suite::trials(),
        batches::trials(),
        trips::trials(),
        rides::trials(),
        crowd::trials(),
        identity::trials(),
        pace::trials(),
        tx::trials(),
        held::trials(),
        plans::trials(),
        poolers::trials(),
        sim::trials(),
        skew::trials(),
        faults::trials(),
        promises::trials(),
        versions::trials(),
        many::trials(),
        operators::trials(),
    ];
    let trials: Vec<Trial> =
        trials.into_iter().flatten().map(|trial| trial.with_ignored_flag(!has_server)).collect();
    libtest_mimic::run(&arguments, trials).exit();
}
