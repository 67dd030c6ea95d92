//! The shards of conversations, and how one is found in them.

use std::hash::{BuildHasher, Hash};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread::available_parallelism;

use foldhash::fast::RandomState;

use crate::id::ContactId;
use crate::store::Revision;
use crate::store::memory::archive::{Archive, Journal};
use crate::store::memory::counters::Counters;
use crate::store::memory::due::{DueIndex, NEVER};
use crate::store::memory::lock;
use crate::store::memory::slab::Index;
use crate::store::memory::slot::Slot;
use crate::store::memory::slots::Slots;

/// All conversations of a store. A place is a shard and a slot in it, in 32 bits.
pub(super) struct Shards {
    cells: Box<[Cell]>,
    /// Number of bits of a place that name the shard.
    bits: u32,
    hasher: RandomState,
}

/// A shard behind its lock.
#[repr(align(128))]
struct Cell {
    shard: Mutex<Shard>,
    /// The earliest time in the shard's due index when the lock was last given back: read without
    /// the lock, so that a look for work costs one load for each shard that has none.
    earliest: AtomicI64,
}

/// Some conversations, and all that lies with them.
#[derive(Default)]
pub(super) struct Shard {
    /// A place leads to the same contact until that is erased, and to another only once nothing
    /// leads there any more.
    pub(super) slots: Slots,
    /// Slots of contacts that were erased; a key may still name their place.
    vacant: Vec<u32>,
    /// Slots that are used next.
    free: Vec<u32>,
    pub(super) due: DueIndex,
    pub(super) archive: Archive,
    pub(super) journal: Journal,
    pub(super) counters: Counters,
    index: Index,
    last_revision: Revision,
    /// The slot that was last written to: a settle follows upon a commit, and finds it without the
    /// index (among a million conversations a look there costs a third of a microsecond).
    latest: u32,
}

/// So many slots of a shard are left vacant before it is looked for those that can be used again.
const VACANT_BEFORE_REUSE: usize = 64;

/// The most bits of a place that name the shard.
const MAX_BITS: u32 = 10;

impl Shards {
    pub(super) fn new() -> Self {
        let threads = available_parallelism().map_or(1, usize::from);
        let count = threads.saturating_mul(4).next_power_of_two().clamp(8, 1 << MAX_BITS);
        let cell = || Cell { shard: Mutex::default(), earliest: AtomicI64::new(NEVER) };
        Self {
            cells: (0..count).map(|_| cell()).collect(),
            bits: count.trailing_zeros(),
            hasher: RandomState::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The hash that chooses shard and bucket.
    pub(super) fn hash(&self, workspace: u32, name: &impl Hash) -> u64 {
        self.hasher.hash_one((workspace, name))
    }

    /// Locks the shard that a hash belongs to.
    pub(super) fn at_hash(&self, hash: u64) -> At<'_> {
        self.at((hash >> 32) as usize & (self.cells.len() - 1))
    }

    /// Locks the shards that two hashes belong to, in ascending order. None: both are in one.
    pub(super) fn at_hashes(&self, one: u64, other: u64) -> (At<'_>, Option<At<'_>>) {
        let number = |hash: u64| (hash >> 32) as usize & (self.cells.len() - 1);
        match number(one).cmp(&number(other)) {
            std::cmp::Ordering::Equal => (self.at_hash(one), None),
            std::cmp::Ordering::Less => {
                let first = self.at_hash(one);
                (first, Some(self.at_hash(other)))
            }
            std::cmp::Ordering::Greater => {
                let second = self.at_hash(other);
                (self.at_hash(one), Some(second))
            }
        }
    }

    /// Locks the shard of a place, and says which slot of it is meant.
    pub(super) fn at_place(&self, place: u32) -> (At<'_>, u32) {
        (self.at(place as usize & (self.cells.len() - 1)), place >> self.bits)
    }

    /// Locks a shard.
    pub(super) fn at(&self, number: usize) -> At<'_> {
        let cell = &self.cells[number];
        At { shard: lock(&cell.shard), cell, number, bits: self.bits }
    }

    /// Locks one shard after the other.
    pub(super) fn each(&self) -> impl Iterator<Item = At<'_>> {
        (0..self.cells.len()).map(|number| self.at(number))
    }

    /// A millisecond before which nothing happens in a shard.
    pub(super) fn earliest(&self, number: usize) -> i64 {
        self.cells[number].earliest.load(Ordering::Acquire)
    }
}

/// A shard under its lock.
pub(super) struct At<'a> {
    shard: MutexGuard<'a, Shard>,
    cell: &'a Cell,
    number: usize,
    bits: u32,
}

impl At<'_> {
    /// The place of a slot here; None when there are more slots than a place can name.
    pub(super) fn place(&self, slot: usize) -> Option<u32> {
        let slot = u32::try_from(slot).ok().filter(|slot| slot.leading_zeros() >= self.bits)?;
        Some(slot << self.bits | u32::try_from(self.number).ok()?)
    }
}

impl Deref for At<'_> {
    type Target = Shard;
    fn deref(&self) -> &Shard {
        &self.shard
    }
}

impl DerefMut for At<'_> {
    fn deref_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }
}

impl Drop for At<'_> {
    /// Before the lock is given back, says when to look here again.
    fn drop(&mut self) {
        self.cell.earliest.store(self.shard.due.earliest(), Ordering::Release);
    }
}

impl Shard {
    pub(super) fn find(&self, hash: u64, workspace: u32, contact: &ContactId) -> Option<u32> {
        let is_it = |slot: &Slot| slot.workspace == workspace && slot.contact == *contact;
        if self.slots.get(self.latest).is_some_and(is_it) {
            return Some(self.latest);
        }
        self.index.find(hash, |id| is_it(self.slot(id)))
    }

    /// The number of the next slot.
    pub(super) fn next_slot(&self) -> usize {
        self.free.last().map_or(self.slots.len(), |id| *id as usize)
    }

    /// Adds a slot under the next number, which a place was made of before.
    pub(super) fn add(&mut self, hash: u64, slot: Slot) -> u32 {
        if let Some(id) = self.free.pop() {
            self.slots[id] = slot;
            self.index.insert(hash, id);
            return id;
        }
        let id =
            u32::try_from(self.slots.len()).expect("a number that a place was made of has at most 32 bits");
        self.slots.push(slot);
        self.index.insert(hash, id);
        id
    }

    /// Lets no contact lead to a slot any more, which is vacant from now on.
    pub(super) fn unfind(&mut self, hash: u64, id: u32) {
        self.index.remove(hash, id);
        self.vacant.push(id);
    }

    /// Takes the vacant slots, once they are so many that looking through all keys for them is
    /// worth it.
    pub(super) fn take_vacant(&mut self) -> Vec<u32> {
        let is_worth_it = self.vacant.len() > VACANT_BEFORE_REUSE.max(self.slots.len() / 16);
        if is_worth_it { std::mem::take(&mut self.vacant) } else { Vec::new() }
    }

    /// Gives slots back to be used again, or as vacant still.
    pub(super) fn give_vacant(&mut self, free: Vec<u32>, named: Vec<u32>) {
        self.free.extend(free);
        self.vacant.extend(named);
    }

    pub(super) fn slot(&self, id: u32) -> &Slot {
        &self.slots[id]
    }

    pub(super) fn slot_mut(&mut self, id: u32) -> &mut Slot {
        &mut self.slots[id]
    }

    /// A revision that no conversation of this shard ever had, for the slot that is written to.
    pub(super) fn next_revision(&mut self, id: u32) -> Revision {
        self.latest = id;
        self.last_revision += 1;
        self.last_revision
    }
}
