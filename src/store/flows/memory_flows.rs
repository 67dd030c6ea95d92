//! Definitions in this process.

use crate::error::StoreError;
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::store::{Catalogue, FlowChange, FlowSaved, FlowStore};
use std::sync::Arc;

/// Definitions in this process: for hosts that read their flows from files at each start.
#[derive(Debug, Default)]
pub struct MemoryFlows;

impl FlowStore for MemoryFlows {
    async fn revision(&self, _: &WorkspaceId) -> Result<u64, StoreError> {
        Err(StoreError::permanent("not written yet"))
    }
    async fn catalogue(&self, _: &WorkspaceId) -> Result<Catalogue, StoreError> {
        Err(StoreError::permanent("not written yet"))
    }
    async fn definition(
        &self,
        _: &WorkspaceId,
        _: &FlowId,
        _: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        Err(StoreError::permanent("not written yet"))
    }
    async fn save(&self, _: &WorkspaceId, _: FlowChange) -> Result<FlowSaved, StoreError> {
        Err(StoreError::permanent("not written yet"))
    }
}
