//! A simulation of engines on one store, by a seed: calls that interleave at every operation of
//! their ports, faults, crashes, clocks that go wrong, operators at work. What must hold is checked
//! after each step, by an oracle that knows the contract and nothing of the engine.

mod defects;
mod dice;
mod faults;
mod operators;
mod oracle;
mod people;
mod ports;
mod world;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

pub use defects::Defect;
pub use faults::{SimFault, SimFaults};

use world::{Setting, World};

use crate::store::{ConversationStore, StoreQueries};

/// The plan of a simulation: all that a run depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimPlan {
    /// The seed of all choices.
    pub seed: u64,
    /// The number of processes.
    pub engines: usize,
    /// The number of people.
    pub contacts: usize,
    /// The number of steps before all ends well.
    pub steps: usize,
    /// The faults that may happen.
    pub faults: SimFaults,
    /// The room in which each process keeps the conversations that it knows
    /// ([`Known`](crate::store::Known)), in bytes; 0: it keeps none.
    pub known: usize,
}

impl Default for SimPlan {
    fn default() -> Self {
        Self { seed: 0, engines: 3, contacts: 4, steps: 400, faults: SimFaults::default(), known: 0 }
    }
}

impl SimPlan {
    /// The same by another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl fmt::Display for SimPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, engines, contacts, steps, faults, known } = self;
        write!(f, "--seed {seed} --engines {engines} --contacts {contacts} --steps {steps}")?;
        if *known > 0 {
            write!(f, " --known {known}")?;
        }
        if *faults == SimFaults::default() { Ok(()) } else { write!(f, " --faults {faults}") }
    }
}

/// A run in which something happened that must not: what, and how to see it again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what}\nas found: cargo run --release --example simulate -- {found}\nshrunk:   cargo run --release --example simulate -- {shrunk}"
)]
#[non_exhaustive]
pub struct SimFailure {
    /// The rule, and what broke it.
    pub what: String,
    /// The plan of the run.
    pub found: SimPlan,
    /// A smaller plan that breaks a rule, too.
    pub shrunk: SimPlan,
}

/// Simulates engines on a store.
///
/// ```
/// use chatflow::MemoryStore;
/// use chatflow::testkit::{Sim, SimFault};
///
/// let run = Sim::new(MemoryStore::new).engines(3).contacts(8).seed(7).steps(200).weigh(SimFault::Crash, 40).run();
/// if let Err(failure) = run {
///     panic!("{failure}");
/// }
/// ```
///
/// The factory makes an empty store for each run, of any kind that keeps conversations and flows
/// and can be asked for sessions. What the flows do, who writes what and what goes wrong is decided
/// by the seed alone, so that a run on a store that answers at once is the same each time.
#[derive(Clone, Debug)]
#[must_use]
pub struct Sim<F> {
    factory: F,
    plan: SimPlan,
    defect: Option<Defect>,
    setting: Setting,
}

impl<S, F> Sim<F>
where
    S: ConversationStore + StoreQueries + 'static,
    F: Fn() -> S,
{
    /// A simulation on stores that a factory makes.
    pub fn new(factory: F) -> Self {
        Self { factory, plan: SimPlan::default(), defect: None, setting: Setting::default() }
    }

    /// With a whole plan, such as that of a failure.
    pub fn plan(mut self, plan: SimPlan) -> Self {
        self.plan = plan;
        self
    }

    /// Sets the number of processes.
    pub fn engines(mut self, engines: usize) -> Self {
        self.plan.engines = engines.max(1);
        self
    }

    /// Sets the number of people.
    pub fn contacts(mut self, contacts: usize) -> Self {
        self.plan.contacts = contacts.clamp(1, 10_000);
        self
    }

    /// By another seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.plan.seed = seed;
        self
    }

    /// With so many steps before all ends well.
    pub fn steps(mut self, steps: usize) -> Self {
        self.plan.steps = steps;
        self
    }

    /// With processes that each keep what they know in so many bytes
    /// ([`Known`](crate::store::Known)).
    pub fn known(mut self, bytes: usize) -> Self {
        self.plan.known = bytes;
        self
    }

    /// With another table of faults.
    pub fn faults(mut self, faults: SimFaults) -> Self {
        self.plan.faults = faults;
        self
    }

    /// With one fault that happens so many times of a thousand.
    pub fn weigh(mut self, fault: SimFault, of_thousand: u32) -> Self {
        self.plan.faults = self.plan.faults.weigh(fault, of_thousand);
        self
    }

    /// With a defect that the oracle has to find.
    pub fn plant(mut self, defect: Defect) -> Self {
        self.defect = Some(defect);
        self
    }

    /// With engines whose leases last so long; a minute if absent. For a store whose own clock
    /// judges leases, such as a database: no fault that moves the simulation's clock ends them.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.setting.lease = Some(lease);
        self
    }

    /// For a store whose own clock judges leases: lets that much of its time pass, as by sleeping.
    /// It is called when all ends well, for the lease and then until whatever rests is tried again.
    pub fn pass(mut self, pass: fn(Duration)) -> Self {
        self.setting.pass = Some(pass);
        self
    }

    /// Runs it; a failure is shrunk.
    ///
    /// # Errors
    /// [`SimFailure`]: the rule that was broken, and the command that breaks it again.
    pub fn run(&self) -> Result<(), Box<SimFailure>> {
        let Some(what) = self.broken(&self.plan) else { return Ok(()) };
        let shrunk = self.shrink();
        Err(Box::new(SimFailure { what, found: self.plan.clone(), shrunk }))
    }

    /// Runs it, and says whether a rule was broken. A failure is not shrunk.
    #[must_use]
    pub fn fails(&self) -> Option<String> {
        self.broken(&self.plan)
    }

    fn broken(&self, plan: &SimPlan) -> Option<String> {
        let run = || {
            let mut world = World::new(plan, (self.factory)(), self.defect, self.setting);
            for _ in 0..plan.steps {
                if let Some(what) = world.step() {
                    return Some(what);
                }
            }
            world.end()
        };
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|what| Some(format!("panic: {}", said(&*what))))
    }

    /// A plan with fewer steps, people, processes and faults that fails, too.
    fn shrink(&self) -> SimPlan {
        let mut best = self.plan.clone();
        // The steps first: the choices before them stay the same.
        let (mut low, mut high) = (0, best.steps);
        while low < high {
            let steps = low.midpoint(high);
            let plan = SimPlan { steps, ..best.clone() };
            if self.broken(&plan).is_some() {
                high = steps;
            } else {
                low = steps + 1;
            }
        }
        if self.broken(&SimPlan { steps: high, ..best.clone() }).is_some() {
            best.steps = high;
        }
        // Then who takes part and what goes wrong; other choices follow, so some seeds are tried.
        let mut smaller: Vec<SimPlan> = Vec::new();
        smaller.extend((1..best.engines).map(|engines| SimPlan { engines, ..best.clone() }));
        smaller.extend((1..best.contacts).map(|contacts| SimPlan { contacts, ..best.clone() }));
        for plan in smaller {
            let is_smaller = plan.engines < best.engines || plan.contacts < best.contacts;
            let plan = SimPlan {
                engines: plan.engines.min(best.engines),
                contacts: plan.contacts.min(best.contacts),
                ..plan
            };
            if is_smaller && let Some(found) = self.near(&plan) {
                best = found;
            }
        }
        for fault in SimFault::ALL {
            if best.faults.weight(fault) > 0 {
                let plan = SimPlan { faults: best.faults.clone().weigh(fault, 0), ..best.clone() };
                best = self.near(&plan).unwrap_or(best);
            }
        }
        best
    }

    /// A plan by this seed or one of the next that fails.
    fn near(&self, plan: &SimPlan) -> Option<SimPlan> {
        let seeds = (0..6).map(|more| SimPlan { seed: plan.seed.wrapping_add(more), ..plan.clone() });
        seeds.into_iter().find(|plan| self.broken(plan).is_some())
    }
}

/// The text of a panic.
fn said(what: &(dyn Any + Send)) -> String {
    let text = what.downcast_ref::<String>().cloned();
    text.or_else(|| what.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
