//! A web service around `chatflow`, to start one's own from: the endpoints of Qyvo and of Alibaba
//! Chat Flow, WhatsApp's webhooks, an API for operators, and the guards that a service needs. Each
//! concern is a file; what a conversation does is the crate's, and nothing of it is here.
//!
//! `docs/serve.md` in chatflow's repository goes through it step by step.

pub mod app;
pub mod calls;
pub mod channels;
pub mod config;
pub mod database;
pub mod error;
pub mod events;
pub mod guard;
pub mod heard;
pub mod input;
pub mod rate;
pub mod routes;
pub mod seed;
pub mod server;
pub mod signature;
pub mod tls;
pub mod tokens;
pub mod worker;
