//! The simulation of the test kit on a database, whose clock judges the leases.

use std::cell::RefCell;
use std::time::Duration;

use chatflow::testkit::Sim;
use libtest_mimic::Trial;
use tokio::runtime::Handle;

use crate::kit::{Database, Layout, block_on};

const LEASE: Duration = Duration::from_millis(200);

fn pass(time: Duration) {
    Handle::current().block_on(tokio::time::sleep(time));
}

fn engines_keep_every_rule_on_a_database() {
    let runtime = block_on(async { Handle::current() });
    let _entered = runtime.enter();
    let databases = RefCell::new(Vec::new());
    for seed in 0..2 {
        let empty = || {
            let database = runtime.block_on(Database::new(Layout::Plain));
            let store = runtime.block_on(database.store());
            databases.borrow_mut().push(database);
            store
        };
        if let Err(failure) = Sim::new(empty).seed(seed).steps(200).lease(LEASE).pass(pass).run() {
            panic!("{failure}");
        }
    }
}

pub fn trials() -> Vec<Trial> {
    vec![Trial::test("sim::engines_keep_every_rule_on_a_database", || {
        engines_keep_every_rule_on_a_database();
        Ok(())
    })]
}
