//! Conversations on a store that dies: what was asked, answered and handed over, and the proof
//! afterwards that nothing of it was lost, doubled or disordered. For any store, and for any way to
//! die.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test binary uses a part of it")]

mod checker;
mod history;
mod probe;
mod story;
mod talk;
mod violation;

pub use checker::{Checked, check};
pub use history::{Event, History, Replied, Report, Step};
pub use talk::{FLOW, Talk, Wire, contact_id, engine, last_step, phone};
pub use violation::Violation;
