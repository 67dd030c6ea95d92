//! Doubles for a host's own tests: time that is set by hand, ids that can be told, a transport that
//! remembers. Nothing here is used by the crate itself.

mod clock;
mod faulty;
mod run;
mod transport;

pub mod store_suite;

pub use clock::{CountingIds, ManualClock};
pub use faulty::{Fault, Faulty, Op};
pub use run::TalkRun;
pub use transport::Recorder;
