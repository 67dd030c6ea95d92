//! The effects of a crash, a lost race, an unknown outcome, a dropped future or a slow transport on
//! a conversation: nothing that RELIABILITY forbids. Everything here is decided by a plan or a
//! seed; nothing waits and nothing reads a clock.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod allocator;
mod attacks;
mod crash;
mod drops;
mod explored;
mod fuzzed;
mod hostile;
mod kit;
mod meetings;
mod memory;
mod protocol;
mod races;
mod regressions;
mod scenarios;
mod sim;
mod simulation;
mod turns;
