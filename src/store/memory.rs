//! The reference store.

/// Conversations in this process.
#[derive(Debug, Default)]
pub struct MemoryStore;
