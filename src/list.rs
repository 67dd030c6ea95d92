//! Lists that mostly have one entry, which takes no more room than it needs.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Entries in order, of which there is mostly one: that one takes no allocation.
///
/// ```
/// use chatflow::session::ShortList;
/// let mut ended = ShortList::default();
/// ended.extend(["first", "second"]);
/// assert_eq!(ended.iter().map(|name| name.len()).sum::<usize>(), 11);
/// assert_eq!(ended.into_iter().last(), Some("second"));
/// ```
#[derive(Clone, Default)]
pub enum ShortList<T> {
    /// No entry.
    #[default]
    None,
    /// One.
    One(T),
    /// Any number of them.
    Several(Vec<T>),
}

impl<T> ShortList<T> {
    /// Adds an entry at the end.
    pub fn push(&mut self, entry: T) {
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
    pub fn retain(&mut self, mut keeps: impl FnMut(&T) -> bool) {
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

impl<T> IntoIterator for ShortList<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, std::vec::IntoIter<T>>;
    fn into_iter(self) -> Self::IntoIter {
        let (first, several) = match self {
            Self::None => (None, Vec::new()),
            Self::One(entry) => (Some(entry), Vec::new()),
            Self::Several(several) => (None, several),
        };
        first.into_iter().chain(several)
    }
}

impl<'a, T> IntoIterator for &'a ShortList<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for ShortList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: PartialEq> PartialEq for ShortList<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: PartialEq> PartialEq<Vec<T>> for ShortList<T> {
    fn eq(&self, other: &Vec<T>) -> bool {
        **self == **other
    }
}

impl<T: PartialEq, const N: usize> PartialEq<[T; N]> for ShortList<T> {
    fn eq(&self, other: &[T; N]) -> bool {
        **self == *other
    }
}

impl<T: Eq> Eq for ShortList<T> {}

impl<T: Serialize> Serialize for ShortList<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ShortList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

impl<T> Extend<T> for ShortList<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, entries: I) {
        entries.into_iter().for_each(|entry| self.push(entry));
    }
}

impl<T> From<Vec<T>> for ShortList<T> {
    fn from(mut entries: Vec<T>) -> Self {
        match entries.len() {
            0 | 1 => entries.pop().map_or(Self::None, Self::One),
            _ => Self::Several(entries),
        }
    }
}

impl<T, const N: usize> From<[T; N]> for ShortList<T> {
    fn from(entries: [T; N]) -> Self {
        entries.into_iter().collect()
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
            assert_eq!((&list).into_iter().count(), list.len());
            let even = (10..10 + count).filter(|entry| entry % 2 == 0);
            assert!(list.into_iter().eq(even.chain([100, 101])));
        }
    }
}
