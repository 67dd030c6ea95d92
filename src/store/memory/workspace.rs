//! Workspaces as small numbers, so that no entry of any table holds a workspace's name.

use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

use foldhash::fast::RandomState;

use crate::error::StoreError;
use crate::id::WorkspaceId;

/// The workspaces that were ever written to. They are never forgotten.
#[derive(Default)]
pub(super) struct Workspaces {
    /// The one with the number 0, which is often the only one: found without a lock or a hash.
    first: OnceLock<WorkspaceId>,
    all: RwLock<WorkspaceNames>,
}

#[derive(Default)]
struct WorkspaceNames {
    numbers: HashMap<WorkspaceId, u32, RandomState>,
    names: Vec<WorkspaceId>,
}

impl Workspaces {
    /// The workspace's number, if it has one.
    pub(super) fn find(&self, name: &WorkspaceId) -> Option<u32> {
        if self.first.get().is_some_and(|first| first == name) {
            return Some(0);
        }
        self.all.read().unwrap_or_else(PoisonError::into_inner).numbers.get(name).copied()
    }

    /// The workspace's number.
    pub(super) fn number(&self, name: &WorkspaceId) -> Result<u32, StoreError> {
        if let Some(number) = self.find(name) {
            return Ok(number);
        }
        let mut names = self.all.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = names.numbers.get(name) {
            return Ok(*number);
        }
        let number = u32::try_from(names.names.len()).map_err(StoreError::permanent)?;
        names.names.push(name.clone());
        names.numbers.insert(name.clone(), number);
        if number == 0 {
            self.first.get_or_init(|| name.clone());
        }
        Ok(number)
    }

    /// The name behind a number that this store gave out.
    pub(super) fn name(&self, number: u32) -> WorkspaceId {
        self.all.read().unwrap_or_else(PoisonError::into_inner).names[number as usize].clone()
    }
}
