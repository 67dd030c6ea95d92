//! Trials of the adapters together: see `tests/kills` and `benches/durable`. The guides to
//! keeping conversations and to stores of your own are checked here, since they show several.

#[cfg(doctest)]
#[doc = include_str!("../../../docs/storage.md")]
struct Storage;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/own-store.md")]
struct OwnStore;
