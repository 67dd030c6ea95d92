//! The store in Redis, on a real server. Without one every trial is listed as ignored.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may fail")]

mod faults;
mod host;
#[path = "../../../../tests/kits/identity.rs"]
mod identity_kit;
mod kit;
#[path = "../../../../tests/kits/many.rs"]
mod many_kit;
#[path = "../../../../tests/kits/operators.rs"]
mod operators_kit;
#[path = "../../../../tests/kits/pace.rs"]
mod pace_kit;
#[path = "../../../../tests/kits/promises.rs"]
mod promises_kit;
mod server;
mod shared;
mod suite;
#[path = "../../../../tests/kits/versions.rs"]
mod versions_kit;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let has_server = kit::url().is_some();
    if !has_server {
        eprintln!(
            "the tests of Redis are skipped: run them by `scripts/with-redis cargo test -p chatflow-redis`"
        );
    }
    let trials = [suite::trials(), shared::trials(), host::trials(), faults::trials()];
    let trials: Vec<Trial> =
        trials.into_iter().flatten().map(|trial| trial.with_ignored_flag(!has_server)).collect();
    libtest_mimic::run(&arguments, trials).exit();
}
