//! The contract of behaviour, rule by rule. Each test carries the number of its rule.

#![allow(clippy::unwrap_used, reason = "a test may fail")]
#![allow(unused_must_use, reason = "what leads up to a test answers, too")]

mod ask;
mod became;
#[path = "../kits/build.rs"]
mod build_kit;
mod by_turn;
mod calls;
mod channels;
mod choices;
mod contact;
mod counts;
mod debounce;
mod delivery;
mod elsewhere;
mod erase;
mod events;
mod fitting;
mod golden;
mod handing_on;
mod handoff;
mod identity;
#[path = "../kits/identity.rs"]
mod identity_kit;
mod inbound;
mod incoming;
mod journal;
mod kernel;
mod keywords;
mod kit;
mod lifecycle;
mod loops;
mod lost_races;
mod many_flows;
#[path = "../kits/many.rs"]
mod many_kit;
mod meeting;
mod migrate;
mod naive;
mod names;
mod numbers;
mod operators;
#[path = "../kits/operators.rs"]
mod operators_kit;
mod pace;
mod payloads;
mod phones;
mod products;
mod promises;
#[path = "../kits/promises.rs"]
mod promises_kit;
mod quiet;
mod refused;
mod rehearsal;
mod reminder;
mod results;
mod rows;
mod sends;
mod session;
mod side_by_side;
mod skew;
mod small_nodes;
mod strangers;
mod subflows;
mod tapped;
mod texts;
mod trigger;
mod triggers;
mod versions;
#[path = "../kits/versions.rs"]
mod versions_kit;
mod virtual_time;
mod watched;
