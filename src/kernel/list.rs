//! A list that mostly has one entry: that one takes no allocation.

use std::ops::{Deref, DerefMut};

/// Entries in order.
#[derive(Default)]
pub(crate) enum ShortList<T> {
    #[default]
    None,
    One(T),
    Several(Vec<T>),
}

impl<T> ShortList<T> {
    pub(crate) fn push(&mut self, entry: T) {
        match self {
            Self::None => *self = Self::One(entry),
            Self::Several(several) => several.push(entry),
            Self::One(_) => self.push_second(entry),
        }
    }

    #[cold]
    fn push_second(&mut self, entry: T) {
        if let Self::One(first) = std::mem::replace(self, Self::None) {
            *self = Self::Several(vec![first, entry]);
        }
    }

    /// Keeps the entries of which this holds, asked in their order.
    pub(crate) fn retain(&mut self, mut keeps: impl FnMut(&T) -> bool) {
        match self {
            Self::None => {}
            Self::One(entry) => {
                if !keeps(entry) {
                    *self = Self::None;
                }
            }
            Self::Several(several) => several.retain(keeps),
        }
    }

    pub(crate) fn into_vec(self) -> Vec<T> {
        self.map_into_vec(|entry| entry)
    }

    /// Maps each entry, in their order.
    pub(crate) fn map_into_vec<U>(self, mut map: impl FnMut(T) -> U) -> Vec<U> {
        match self {
            Self::None => Vec::new(),
            Self::One(entry) => vec![map(entry)],
            Self::Several(several) => several.into_iter().map(map).collect(),
        }
    }
}

/// Adds an entry to a list that mostly has one: the first takes no more room than it needs.
pub(crate) fn push_only<T>(list: &mut Vec<T>, entry: T) {
    if list.capacity() == 0 {
        *list = vec![entry];
    } else {
        list.push(entry);
    }
}

impl<T> Deref for ShortList<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(entry) => std::slice::from_ref(entry),
            Self::Several(several) => several,
        }
    }
}

impl<T> DerefMut for ShortList<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::None => &mut [],
            Self::One(entry) => std::slice::from_mut(entry),
            Self::Several(several) => several,
        }
    }
}

impl<T> Extend<T> for ShortList<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, entries: I) {
        entries.into_iter().for_each(|entry| self.push(entry));
    }
}

impl<T> FromIterator<T> for ShortList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        let mut list = Self::None;
        list.extend(entries);
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_in_their_order() {
        for count in 0..5 {
            let mut list: ShortList<usize> = (0..count).collect();
            assert_eq!(*list, *(0..count).collect::<Vec<_>>());
            list.iter_mut().for_each(|entry| *entry += 10);
            list.retain(|entry| entry % 2 == 0);
            list.extend([100, 101]);
            let even = (10..10 + count).filter(|entry| entry % 2 == 0);
            assert_eq!(list.into_vec(), even.chain([100, 101]).collect::<Vec<_>>());
        }
    }
}
