//! The slots of one shard, by number. Added in blocks: growing moves none of them, so that no call
//! waits while a million are copied.

use std::ops::{Index, IndexMut};

use crate::store::memory::slot::Slot;

/// The slots of one shard. None is ever removed; one that is vacant is used again.
#[derive(Default)]
pub(super) struct Slots {
    blocks: Vec<Vec<Slot>>,
    len: usize,
}

/// Slots in one block.
const BLOCK: usize = 256;

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, slot: Slot) {
        if self.len.is_multiple_of(BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        if let Some(block) = self.blocks.last_mut() {
            block.push(slot);
            self.len += 1;
        }
    }

    pub(super) fn get(&self, id: u32) -> Option<&Slot> {
        self.blocks.get(id as usize / BLOCK)?.get(id as usize % BLOCK)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.blocks.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.blocks.iter_mut().flatten()
    }
}

impl Index<u32> for Slots {
    type Output = Slot;
    fn index(&self, id: u32) -> &Slot {
        &self.blocks[id as usize / BLOCK][id as usize % BLOCK]
    }
}

impl IndexMut<u32> for Slots {
    fn index_mut(&mut self, id: u32) -> &mut Slot {
        &mut self.blocks[id as usize / BLOCK][id as usize % BLOCK]
    }
}
