//! The service from outside: a process, its endpoints, its guards.

#[path = "../kit/mod.rs"]
mod kit;

mod process;
mod qyvo;
