//! The service from outside: a process, its endpoints, its guards.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot continue")]
#![allow(unreachable_pub, reason = "everything is of this test alone")]

#[path = "../kit/mod.rs"]
mod kit;

mod alibaba;
mod calls;
mod guards;
mod heard;
mod hostile;
mod messenger;
mod operators;
mod process;
mod qyvo;
mod seeds;
mod tls;
mod whatsapp;
