//! Numbered places, and tables that lead to numbers. A table keeps no key: the entry at the number
//! has it.

use hashbrown::HashTable;

/// Entries by number; a number is used again after its entry was removed.
pub(super) struct Slab<T> {
    entries: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Puts an entry in.
    pub(super) fn insert(&mut self, entry: T) -> u32 {
        if let Some(id) = self.free.pop() {
            self.entries[id as usize] = Some(entry);
            return id;
        }
        let id = u32::try_from(self.entries.len())
            .expect("a process's memory has no room for 2^32 entries in each shard");
        self.entries.push(Some(entry));
        id
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<T> {
        let entry = self.entries.get_mut(id as usize)?.take()?;
        self.free.push(id);
        Some(entry)
    }

    pub(super) fn get(&self, id: u32) -> Option<&T> {
        self.entries.get(id as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.entries.get_mut(id as usize)?.as_mut()
    }

    /// The numbers of entries that are meant.
    pub(super) fn ids(&self, is_meant: impl Fn(&T) -> bool) -> impl Iterator<Item = u32> {
        let meant = move |(id, entry): (u32, &Option<T>)| entry.as_ref().is_some_and(&is_meant).then_some(id);
        (0..).zip(&self.entries).filter_map(meant)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().flatten()
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
