//! Trials of both adapters together: see `tests/kills` and `benches/durable.rs`. The guide to
//! keeping conversations is checked here, since it shows both.

#[cfg(doctest)]
#[doc = include_str!("../../../docs/storage.md")]
struct Storage;
