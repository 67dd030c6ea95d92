//! Numbers filed by day: which entries may be past their time. Coarse on purpose, since nearly all
//! of them are looked at once. What an entry is, and whether it really is past its time, the owner
//! knows.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Entries by day. A day is as long as its owner says; an entry that is found under a day that is
/// not its own any more is ignored there, so that nothing is ever searched for and taken out.
#[derive(Default)]
pub(super) struct Calendar(BTreeMap<i64, Vec<u32>>);

/// Fate of an entry that was looked at.
pub(super) enum SweepVerdict {
    /// It is filed no more.
    Gone,
    /// It stays where it is.
    Stays,
    /// It belongs to a later day.
    Moves(i64),
    /// It belongs to this day, and no other is looked at.
    Enough(i64),
}

impl Calendar {
    pub(super) fn file(&mut self, day: i64, id: u32) {
        self.0.entry(day).or_default().push(id);
    }

    /// The first day that has entries.
    pub(super) fn first_day(&self) -> Option<i64> {
        self.0.first_key_value().map(|(day, _)| *day)
    }

    /// Takes out the first day, if it is not after `last`.
    pub(super) fn take_day(&mut self, last: i64) -> Option<(i64, Vec<u32>)> {
        let first = self.0.first_entry()?;
        (*first.key() <= last).then(|| first.remove_entry())
    }

    /// Looks at the entries of all days up to `last`, the earliest day first.
    pub(super) fn sweep(&mut self, last: i64, mut look: impl FnMut(i64, u32) -> SweepVerdict) {
        let mut kept: Vec<(i64, Vec<u32>)> = Vec::new();
        let mut enough = false;
        while !enough && let Some((day, mut ids)) = self.take_day(last) {
            ids.retain(|id| {
                if enough {
                    return true;
                }
                match look(day, *id) {
                    SweepVerdict::Gone => false,
                    SweepVerdict::Stays => true,
                    SweepVerdict::Moves(later) => {
                        self.file(later, *id);
                        false
                    }
                    SweepVerdict::Enough(whose) => {
                        enough = true;
                        if whose != day {
                            self.file(whose, *id);
                        }
                        whose == day
                    }
                }
            });
            if !ids.is_empty() {
                kept.push((day, ids));
            }
        }
        for (day, ids) in kept {
            self.put_back(day, ids);
        }
    }

    fn put_back(&mut self, day: i64, ids: Vec<u32>) {
        match self.0.entry(day) {
            Entry::Vacant(place) => {
                place.insert(ids);
            }
            Entry::Occupied(mut place) => place.get_mut().extend(ids),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_looks_at_each_entry_up_to_the_day_once() {
        let mut calendar = Calendar::default();
        for (day, id) in [(3, 30), (1, 10), (1, 11), (2, 20)] {
            calendar.file(day, id);
        }
        let mut seen = Vec::new();
        calendar.sweep(2, |day, id| {
            seen.push((day, id));
            match id {
                10 => SweepVerdict::Stays,
                11 => SweepVerdict::Moves(5),
                _ => SweepVerdict::Gone,
            }
        });
        assert_eq!(seen, [(1, 10), (1, 11), (2, 20)]);
        assert_eq!(calendar.take_day(9), Some((1, vec![10])));
        assert_eq!(calendar.take_day(9), Some((3, vec![30])));
        assert_eq!(calendar.take_day(9), Some((5, vec![11])));
        assert_eq!(calendar.take_day(9), None);
    }

    #[test]
    fn a_sweep_that_has_enough_keeps_the_rest() {
        let mut calendar = Calendar::default();
        for id in 0..4 {
            calendar.file(1, id);
        }
        let mut seen = 0;
        calendar.sweep(1, |_, _| {
            seen += 1;
            if seen == 3 { SweepVerdict::Enough(1) } else { SweepVerdict::Gone }
        });
        assert_eq!(calendar.take_day(1), Some((1, vec![2, 3])));
    }
}
