//! Numbered places, and tables that lead to numbers. A table keeps no key: the entry at the number
//! has it.

use hashbrown::HashTable;

/// Entries by number; a number is used again after its entry was removed. They lie in blocks:
/// growing moves none of them, and leaves no more room unused than a block has.
pub(super) struct Slab<T> {
    blocks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
}

/// Entries in one block.
const BLOCK: usize = 256;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { blocks: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Puts an entry in.
    pub(super) fn insert(&mut self, entry: T) -> u32 {
        if let Some(id) = self.free.pop() {
            self.blocks[id as usize / BLOCK][id as usize % BLOCK] = Some(entry);
            return id;
        }
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            // A store of few entries has no room for many.
            let room = if self.blocks.is_empty() { 0 } else { BLOCK };
            self.blocks.push(Vec::with_capacity(room));
        }
        let before = self.blocks.len().saturating_sub(1) * BLOCK;
        let block = self.blocks.last_mut().expect("a block with room was put there");
        let id = u32::try_from(before + block.len())
            .expect("a process's memory has no room for 2^32 entries in each shard");
        block.push(Some(entry));
        id
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<T> {
        let entry = self.place(id)?.take()?;
        self.free.push(id);
        Some(entry)
    }

    pub(super) fn get(&self, id: u32) -> Option<&T> {
        self.blocks.get(id as usize / BLOCK)?.get(id as usize % BLOCK)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.place(id)?.as_mut()
    }

    fn place(&mut self, id: u32) -> Option<&mut Option<T>> {
        self.blocks.get_mut(id as usize / BLOCK)?.get_mut(id as usize % BLOCK)
    }

    /// The numbers of entries that are meant.
    pub(super) fn ids(&self, is_meant: impl Fn(&T) -> bool) -> impl Iterator<Item = u32> {
        let meant = move |(id, entry): (u32, &Option<T>)| entry.as_ref().is_some_and(&is_meant).then_some(id);
        (0..).zip(self.blocks.iter().flatten()).filter_map(meant)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.blocks.iter().flatten().flatten()
    }
}

/// Leads from a hash to numbers. Half of the hash is kept beside the number, so that growing reads
/// no entry.
#[derive(Default)]
pub(super) struct Index(HashTable<(u32, u32)>);

impl Index {
    /// The number whose entry `is_it`.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let half = half(hash);
        self.0.find(spread(half), |&(other, id)| other == half && is_it(id)).map(|&(_, id)| id)
    }

    /// All numbers under a hash, those of others that have the same among them.
    pub(super) fn all(&self, hash: u64) -> impl Iterator<Item = u32> {
        let half = half(hash);
        self.0.iter_hash(spread(half)).filter(move |(other, _)| *other == half).map(|(_, id)| *id)
    }

    pub(super) fn insert(&mut self, hash: u64, id: u32) {
        let half = half(hash);
        self.0.insert_unique(spread(half), (half, id), |&(half, _)| spread(half));
    }

    pub(super) fn remove(&mut self, hash: u64, id: u32) {
        let half = half(hash);
        if let Ok(found) = self.0.find_entry(spread(half), |&entry| entry == (half, id)) {
            found.remove();
        }
    }
}

/// The half that tables use; the other chooses the shard.
fn half(hash: u64) -> u32 {
    hash as u32
}

/// A whole hash out of half of one: a table looks at the lowest and the highest bits.
fn spread(half: u32) -> u64 {
    u64::from(half).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_used_again_once_it_is_free() {
        let mut slab = Slab::default();
        assert_eq!((slab.insert('a'), slab.insert('b')), (0, 1));
        assert_eq!((slab.remove(0), slab.remove(0)), (Some('a'), None));
        assert_eq!((slab.insert('c'), slab.get(0), slab.get(2)), (0, Some(&'c'), None));
        assert_eq!(slab.iter().copied().collect::<String>(), "cb");
    }

    #[test]
    fn growing_moves_no_entry_and_leaves_at_most_a_block_unused() {
        let mut slab = Slab::default();
        slab.insert(0);
        (1..BLOCK).for_each(|entry| assert_eq!(slab.insert(entry) as usize, entry));
        let first: *const usize = slab.get(0).unwrap();
        (BLOCK..9 * BLOCK + 1).for_each(|entry| assert_eq!(slab.insert(entry) as usize, entry));
        assert!(std::ptr::eq(first, slab.get(0).unwrap()));
        let room: usize = slab.blocks.iter().map(Vec::capacity).sum();
        assert_eq!(room, 10 * BLOCK);
        assert!((0..).zip(slab.iter()).all(|(place, entry)| place == *entry));
        assert_eq!(slab.remove(700), Some(700));
        assert_eq!(slab.get(700), None);
        assert_eq!((slab.insert(1), slab.get(701)), (700, Some(&701)));
        assert_eq!(slab.ids(|entry| *entry == 1).collect::<Vec<_>>(), [1, 700]);
    }

    #[test]
    fn entries_with_the_same_hash_are_told_apart() {
        let mut index = Index::default();
        for id in 0..100 {
            index.insert(7, id);
        }
        assert_eq!(index.find(7, |id| id == 63), Some(63));
        index.remove(7, 63);
        assert_eq!(index.find(7, |id| id == 63), None);
        assert_eq!(index.find(7, |id| id == 64), Some(64));
        assert_eq!(index.find(8, |_| true), None);
    }
}
