//! The issues that authors are told: for each code a flow that trips it, and one that does not.
//! Every word of the answers is in `issues.txt`; `UPDATE=1` rewrites it.

mod cases;
mod codes;
mod hosts;
mod kit;
mod lifetimes;
mod messages;
mod names;
mod online;
mod told;
mod written;
