//! Promises to authors of flows: flow files are read, written and refused with their reasons, and
//! drawn, drafted and rehearsed.

#![allow(clippy::unwrap_used, reason = "a test may fail, and says why")]

#[path = "../kits/build.rs"]
mod build_kit;
mod diagram;
mod draft;
mod flows;
mod gallery;
mod issues;
mod reference;
mod schema;
mod talks;
