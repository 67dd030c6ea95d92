//! The service from outside: a process, its endpoints, its guards.

#[path = "../kit/mod.rs"]
mod kit;

mod calls;
mod guards;
mod operators;
mod process;
mod qyvo;
