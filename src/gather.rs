//! Sorting and collecting by code that is compiled once for all types. The standard library's
//! stable sort is 4 KB for each type and order, and each `collect` of a map has one inside:
//! together they were a tenth of the module for browsers. Where it does not matter how fast a list
//! is sorted, these do it.

use std::cmp::Ordering;

/// Lists that are sorted, with what is equal in its order.
pub(crate) trait Arrange<T> {
    fn arrange_by(&mut self, order: impl Fn(&T, &T) -> Ordering);

    fn arrange_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K) {
        self.arrange_by(|a, b| key(a).cmp(&key(b)));
    }
}

impl<T> Arrange<T> for [T] {
    fn arrange_by(&mut self, order: impl Fn(&T, &T) -> Ordering) {
        let by_place = |a: usize, b: usize| match (self.get(a), self.get(b)) {
            (Some(a), Some(b)) => order(a, b),
            _ => Ordering::Equal,
        };
        for (a, b) in swaps(self.len(), &by_place) {
            self.swap(a, b);
        }
    }
}

/// The swaps, one after the other, that sort a list of this length.
fn swaps(len: usize, order: &dyn Fn(usize, usize) -> Ordering) -> Vec<(usize, usize)> {
    let mut sorted: Vec<usize> = (0..len).collect();
    sorted.sort_by(|a, b| order(*a, *b));
    let mut swaps = Vec::new();
    for first in 0..len {
        // Round by round of places of which each takes what the next one has.
        let mut place = first;
        while let Some(from) = sorted.get_mut(place).map(|from| std::mem::replace(from, place))
            && from != first
            && from != place
        {
            swaps.push((place, from));
            place = from;
        }
    }
    swaps
}

/// Iterators that become a map or a set, one entry after the other.
pub(crate) trait Gather: Iterator + Sized {
    fn gather<C: Default + Extend<Self::Item>>(self) -> C {
        let mut all = C::default();
        self.for_each(|item| all.extend(Some(item)));
        all
    }
}

impl<I: Iterator> Gather for I {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn lists_are_sorted_as_the_library_sorts_them() {
        // Each list of up to six of three numbers, with its places to tell equal ones apart.
        for length in 0..=6 {
            for code in 0..3_u32.pow(length) {
                let mut list: Vec<_> =
                    (0..length).map(|place| (code / 3_u32.pow(place) % 3, place)).collect();
                let mut expected = list.clone();
                list.arrange_by_key(|(number, _)| *number);
                expected.sort_by_key(|(number, _)| *number);
                assert_eq!(list, expected);
                list.arrange_by(|a, b| b.0.cmp(&a.0));
                expected.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
                assert_eq!(list, expected);
            }
        }
    }

    #[test]
    fn a_long_list_that_is_turned_by_one_takes_a_swap_for_each_item() {
        let turned: Vec<usize> = (1..1_000).chain([0]).collect();
        assert_eq!(swaps(1_000, &|a, b| turned[a].cmp(&turned[b])).len(), 999);
    }

    #[test]
    fn the_last_of_two_entries_of_one_name_counts() {
        let map: BTreeMap<&str, u8> = [("a", 1), ("b", 2), ("a", 3)].into_iter().gather();
        assert_eq!(map, BTreeMap::from([("a", 3), ("b", 2)]));
    }
}
