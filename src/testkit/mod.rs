//! Doubles for a host's tests: a clock that is set by hand, predictable ids, a transport that
//! remembers. Nothing here is used by the crate itself.

mod clock;
mod coverage;
mod faulty;
mod generate;
mod run;
mod scenario;
mod sim;
mod talks;
mod transport;

pub mod store_suite;

pub use chatflow_macros::talks;
pub use clock::{CountingIds, ManualClock};
pub use coverage::{BelowThreshold, Coverage, Covered, Missed};
pub use faulty::{Fault, Faulty, StoreOperation};
pub use generate::{GeneratedTalk, TalkBounds, generate_talks};
pub use run::TalkRun;
pub use scenario::Scenario;
pub use sim::{Defect, Sim, SimFailure, SimFault, SimFaults, SimPlan};
pub use talks::{TalkTrial, Talks};
pub use transport::Recorder;
