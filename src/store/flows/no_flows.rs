//! The flow store of an engine whose flows are kept nowhere.

use std::sync::Arc;

use crate::error::StoreError;
use crate::id::{FlowId, FlowVersion, WorkspaceId};
use crate::store::{Catalogue, FlowChange, FlowSaved, FlowStore};

/// The store of flows where a store keeps no flows and the host names no other place: every call
/// says so.
pub(crate) struct NoFlows;

impl NoFlows {
    fn refuse<T>() -> Result<T, StoreError> {
        Err(StoreError::permanent(
            "the store keeps no flows: say where they are with `Builder::flow_store`, \
             such as `.flow_store(MemoryFlows::default())`",
        ))
    }
}

impl FlowStore for NoFlows {
    async fn revision(&self, _: &WorkspaceId) -> Result<u64, StoreError> {
        Self::refuse()
    }

    async fn catalogue(&self, _: &WorkspaceId) -> Result<Catalogue, StoreError> {
        Self::refuse()
    }

    async fn definition(
        &self,
        _: &WorkspaceId,
        _: &FlowId,
        _: Option<FlowVersion>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        Self::refuse()
    }

    async fn save(&self, _: &WorkspaceId, _: FlowChange) -> Result<FlowSaved, StoreError> {
        Self::refuse()
    }

    async fn save_all(&self, _: &WorkspaceId, _: Vec<FlowChange>) -> Result<FlowSaved, StoreError> {
        Self::refuse()
    }
}
